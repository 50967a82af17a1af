//! A drawing as text with colours, to stay in the terminal.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::crossterm::style::{Attribute, SetAttribute};
use ratatui::style::{Color, Modifier};

/// The drawing's rows, without blanks at their ends.
pub(super) fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width.max(1))) {
        let shown = |cell: &ratatui::buffer::Cell| cell.symbol() != " " || cell.bg != Color::Reset;
        let length = row.iter().rposition(shown).map_or(0, |last| last + 1);
        let mut before = (Color::Reset, Color::Reset, Modifier::empty());
        for cell in &row[..length] {
            let look = (cell.fg, cell.bg, cell.modifier);
            if look != before {
                before = look;
                text += &reset();
                if cell.modifier.contains(Modifier::BOLD) {
                    let _ = write!(text, "{}", SetAttribute(Attribute::Bold));
                }
                text += &code(cell.fg, 0);
                text += &code(cell.bg, 10);
            }
            text += cell.symbol();
        }
        text += &reset();
        text.push('\n');
    }
    text
}

fn reset() -> String {
    SetAttribute(Attribute::Reset).to_string()
}

/// The sequence that sets a colour of the text, or with `plus` 10 of what is behind it. (crossterm's
/// own would be silent where `NO_COLOR` is set to nothing.)
fn code(color: Color, plus: u8) -> String {
    match color {
        Color::Rgb(r, g, b) => format!("\x1b[{};2;{r};{g};{b}m", 38 + plus),
        Color::Indexed(n) => format!("\x1b[{};5;{n}m", 38 + plus),
        Color::Yellow => format!("\x1b[{}m", 33 + plus),
        Color::LightRed => format!("\x1b[{}m", 91 + plus),
        _ => String::new(),
    }
}
