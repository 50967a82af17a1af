//! Tables, filled once and written as text for a terminal, Markdown, HTML or CSV.

use anyhow::Result;
use maud::{Markup, html};

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    text: String,
    best: bool,
}

impl Cell {
    /// A cell that is marked where there is type to mark it with, as the best of its row.
    pub fn best(text: impl Into<String>) -> Self {
        Self { text: text.into(), best: true }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), best: false }
    }
}

#[derive(Clone, Debug)]
enum Row {
    Cells(Vec<Cell>),
    /// A line that the rows below belong under, and what explains it.
    Group(String, &'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

#[derive(Clone, Debug)]
struct Column {
    head: String,
    align: Align,
    width: usize,
}

/// Rows of cells under the heads of their columns.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl Table {
    /// A table without columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more column, of words. Columns come before rows.
    pub fn left(self, head: impl Into<String>) -> Self {
        self.column(head.into(), Align::Left)
    }

    /// One more column, of numbers. Columns come before rows.
    pub fn right(self, head: impl Into<String>) -> Self {
        self.column(head.into(), Align::Right)
    }

    fn column(mut self, head: String, align: Align) -> Self {
        let width = count(&head);
        self.columns.push(Column { head, align, width });
        self
    }

    /// Makes columns of text as wide as they are for these cells, for [`Self::line`].
    pub fn fit<'a>(mut self, cells: impl IntoIterator<Item = &'a str>) -> Self {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.width = count(cell).max(column.width);
        }
        self
    }

    /// Adds a row, with a cell for each column.
    pub fn row<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let cells: Vec<Cell> = cells.into_iter().map(Into::into).collect();
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        self.rows.push(Row::Cells(cells));
    }

    /// Adds a line over the rows to come; HTML shows `hint` to those who ask.
    pub fn group(&mut self, text: impl Into<String>, hint: &'static str) {
        self.rows.push(Row::Group(text.into(), hint));
    }

    /// Lines of aligned columns, two blanks apart, each after `indent` blanks; without heads where
    /// all of them are empty.
    pub fn text(&self, indent: usize) -> String {
        let rows = self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells.iter().map(|cell| cell.text.as_str())),
            Row::Group(..) => None,
        });
        let fitted = rows.fold(Self { rows: Vec::new(), ..self.clone() }, Self::fit);
        let headed = self.columns.iter().any(|column| !column.head.is_empty());
        let heads = headed.then(|| fitted.head());
        let rows = self.rows.iter().map(|row| match row {
            Row::Cells(cells) => fitted.line(cells.iter().map(|cell| cell.text.as_str())),
            Row::Group(text, _) => text.clone(),
        });
        heads.into_iter().chain(rows).map(|line| " ".repeat(indent) + &line + "\n").collect()
    }

    /// The heads as the line of text over those of [`Self::line`].
    pub fn head(&self) -> String {
        self.line(self.columns.iter().map(|column| column.head.as_str()))
    }

    /// A row as a line of text, for tables that are shown while they are made: columns are as wide
    /// as their heads and as [`Self::fit`] was told.
    pub fn line<'a>(&self, cells: impl IntoIterator<Item = &'a str>) -> String {
        let cells = cells.into_iter().zip(&self.columns);
        let line = cells.map(|(text, Column { align, width, .. })| match align {
            Align::Left => format!("{text:<width$}  "),
            Align::Right => format!("{text:>width$}  "),
        });
        line.collect::<String>().trim_end().to_owned()
    }

    /// A table of Markdown, the best of a row bold.
    pub fn markdown(&self) -> String {
        // A bar would end the cell.
        let safe = |text: &str| text.replace('|', "\\|");
        let line = |cells: Vec<String>| {
            let cells = cells
                .into_iter()
                .map(|cell| if cell.is_empty() { " ".to_owned() } else { format!(" {cell} ") });
            format!("|{}|\n", cells.collect::<Vec<_>>().join("|"))
        };
        let heads = line(self.columns.iter().map(|column| safe(&column.head)).collect());
        let rows = self.rows.iter().map(|row| match row {
            Row::Group(text, _) => {
                let rest = vec![String::new(); self.columns.len().saturating_sub(1)];
                line([vec![format!("**{}**", safe(text))], rest].concat())
            }
            Row::Cells(cells) => line(
                cells
                    .iter()
                    .map(|cell| match cell.best {
                        true => format!("**{}**", safe(&cell.text)),
                        false => safe(&cell.text),
                    })
                    .collect(),
            ),
        });
        format!("{heads}|{}\n{}", "---|".repeat(self.columns.len()), rows.collect::<String>())
    }

    /// A table of HTML whose first column are the names of the rows; the best of a row has the
    /// class `best`, a group's row the class `family`.
    pub fn html(&self) -> Markup {
        html! {
            table {
                thead { tr {
                    @for Column { head, .. } in &self.columns {
                        @if head.is_empty() { td {} } @else { th scope="col" { (head) } }
                    }
                } }
                tbody {
                    @for row in &self.rows {
                        @match row {
                            Row::Group(text, hint) => tr.family {
                                @let columns = self.columns.len();
                                th colspan=(columns) scope="rowgroup" title=[hinted(hint)] {
                                    (text)
                                }
                            },
                            Row::Cells(cells) => tr {
                                @for (n, Cell { text, best }) in cells.iter().enumerate() {
                                    @if n == 0 { th scope="row" { (text) } }
                                    @else { td class=[best.then_some("best")] { (text) } }
                                }
                            },
                        }
                    }
                }
            }
        }
    }

    /// Comma-separated values under their heads, without groups.
    ///
    /// # Errors
    /// If a row has more or fewer cells than there are columns.
    pub fn csv(&self) -> Result<String> {
        let mut out = csv::Writer::from_writer(Vec::new());
        out.write_record(self.columns.iter().map(|column| &column.head))?;
        for row in &self.rows {
            if let Row::Cells(cells) = row {
                out.write_record(cells.iter().map(|cell| &cell.text))?;
            }
        }
        Ok(String::from_utf8(out.into_inner()?)?)
    }
}

fn hinted(hint: &str) -> Option<&str> {
    (!hint.is_empty()).then_some(hint)
}

fn count(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new().left("").right("σ").right("a|b");
        table.group("errors ↓", "lower is better");
        table.row([Cell::from("root, mean"), Cell::best("1.5"), "22".into()]);
        table.row(["<x> \"y\"", "", "–"]);
        table
    }

    #[test]
    fn columns_of_text_are_aligned() {
        assert_eq!(
            table().text(2),
            "                σ  a|b\n  errors ↓\n  root, mean  1.5   22\n  <x> \"y\"            –\n"
        );
        let shown = table().fit(["root, mean", "1.25"]);
        assert_eq!(shown.head(), "               σ  a|b");
        assert_eq!(shown.line(["root", "1.5", "22"]), "root         1.5   22");
        let mut plain = Table::new().left("").left("");
        plain.row(["of", "nobody knows"]);
        plain.row(["hash", "12"]);
        assert_eq!(plain.text(0), "of    nobody knows\nhash  12\n");
    }

    #[test]
    fn a_bar_does_not_end_a_cell_of_markdown() {
        assert_eq!(
            table().markdown(),
            "| | σ | a\\|b |\n|---|---|---|\n| **errors ↓** | | |\n| root, mean | **1.5** | 22 |\n\
             | <x> \"y\" | | – |\n"
        );
    }

    #[test]
    fn text_is_no_markup_in_html() {
        assert_eq!(
            table().html().into_string(),
            "<table><thead><tr><td></td><th scope=\"col\">σ</th><th scope=\"col\">a|b</th></tr>\
             </thead><tbody><tr class=\"family\">\
             <th colspan=\"3\" scope=\"rowgroup\" title=\"lower is better\">errors ↓</th></tr>\
             <tr><th scope=\"row\">root, mean</th><td class=\"best\">1.5</td><td>22</td></tr>\
             <tr><th scope=\"row\">&lt;x&gt; &quot;y&quot;</th><td></td><td>–</td></tr>\
             </tbody></table>"
        );
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let quoted = ",σ,a|b\n\"root, mean\",1.5,22\n\"<x> \"\"y\"\"\",,–\n";
        assert_eq!(table().csv().unwrap(), quoted);
    }
}
