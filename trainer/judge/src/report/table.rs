//! Methods side by side in HTML tables: a row for each figure, a column for each method, the best marked.

use super::Scored;
use crate::score::{Sense, number};

/// Text that cannot be taken for markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Relative errors below this are those of f32.
const ROUNDING: f64 = 2e-5;

/// What is picked of a result: all channels, or one.
#[derive(Clone, Copy)]
pub(super) enum Column {
    All,
    Channel(usize),
}

/// The table of a channel or of all.
pub(super) fn scores(scored: &[Scored], column: Column) -> String {
    let methods: Vec<_> = scored
        .iter()
        .map(|method| match column {
            Column::All => method.scores.figures(),
            Column::Channel(c) => method.scores.figures_of(&method.scores.channels[c]),
        })
        .collect();
    let mut body = String::new();
    let mut family = "";
    for row in 0..methods[0].len() {
        let figure = &methods[0][row];
        let values: Vec<Option<f64>> = methods.iter().map(|m| m[row].value).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        if figure.family != family {
            family = figure.family;
            let span = methods.len() + 1;
            body += &format!(
                "<tr class=\"family\"><th colspan=\"{span}\" scope=\"rowgroup\">{}{}</th></tr>\n",
                escape(family),
                arrow(figure.sense)
            );
        }
        let best =
            if values.iter().flatten().count() > 1 { figure.sense.best(&values) } else { None };
        body += &format!("<tr><th scope=\"row\">{}</th>", escape(&figure.name));
        for value in &values {
            let text = value.map_or("–".into(), number);
            // What shows the same digits is as good, and so is rounding beside rounding.
            let nothing = |v: f64| figure.sense == Sense::Lower && v < ROUNDING;
            let marked = best
                .and_then(|best| values[best].zip(*value))
                .is_some_and(|(best, v)| number(best) == text || (nothing(best) && nothing(v)));
            body += &match marked {
                true => format!("<td class=\"best\">{text}</td>"),
                false => format!("<td>{text}</td>"),
            };
        }
        body += "</tr>\n";
    }
    let heads: String =
        scored.iter().map(|m| format!("<th scope=\"col\">{}</th>", escape(&m.name))).collect();
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr><td></td>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )
}

fn arrow(sense: Sense) -> &'static str {
    match sense {
        Sense::Lower => " <span title=\"lower is better\">↓</span>",
        Sense::Higher => " <span title=\"higher is better\">↑</span>",
        Sense::One => " <span title=\"nearer to 1 is better\">→ 1</span>",
        Sense::Neither => "",
    }
}
