//! The page: one HTML file with its style and pictures inside.

use anyhow::Result;

use super::table::{self, Column, escape};
use super::{Scored, figures};
use crate::score::{Truth, number, task_name};
use finescale_plot::Figure;

const STYLE: &str = include_str!("style.css");

/// The whole page. `truth`: what the results were scored against, for the pictures.
///
/// # Errors
/// If a picture cannot be drawn.
pub fn html(title: &str, scored: &[Scored], truth: Option<&Truth>) -> Result<String> {
    let first = &scored[0];
    let spec = &first.result.spec;
    let scores = &first.scores;
    let size = match &spec.y {
        Some(_) => format!("{} × {} points", spec.ny(), spec.nx()),
        None => format!("{} points", spec.nx()),
    };
    let coarse = first.result.input.as_ref().map_or(String::new(), |input| match &input.spec.y {
        Some(_) => format!(" from {} × {}", input.spec.ny(), input.spec.nx()),
        None => format!(" from {}", input.spec.nx()),
    });
    let mut page = Page::default();
    page.text(&format!(
        "<p class=\"lead\">{}: {size}{coarse}, {} of {} frames{}. {}</p>",
        task_name(first.result.provenance.task),
        count(scores.trajectories, "trajectory", "trajectories"),
        scores.frames,
        if scores.given > 0 { format!(" after {} given", scores.given) } else { String::new() },
        match scores.paired {
            true => "Scored frame by frame against the truth.",
            false => "The truth is of other frames, so spectra alone are compared.",
        }
    ));
    page.section("scores", "Scores");
    let bands = &scores.bands;
    page.text(&format!(
        "<p>The best of each row is marked. “Member” is one draw, “mean” the ensemble mean; errors are relative to the \
         data's standard deviation. Wavenumbers are low below {}, the coarse grid's Nyquist, middle up to {}, high beyond.</p>",
        number(bands[0].to.unwrap_or(0.0)),
        number(bands[1].to.unwrap_or(0.0))
    ));
    page.text(&table::scores(scored, Column::All));
    if spec.channels.len() > 1 {
        for (c, channel) in spec.channels.iter().enumerate() {
            let table = table::scores(scored, Column::Channel(c));
            let name = escape(&channel.long_name);
            page.text(&format!("<details><summary>{name} alone</summary>\n{table}</details>"));
        }
    }
    fields(&mut page, scored, truth)?;
    page.section("spectra", "Energy spectra");
    for c in 0..spec.channels.len() {
        if let Some(figure) = figures::spectra(scored, c)? {
            page.figure(&figure, "Power of a mode over wavenumber, predicted by members and true; right, their ratio.")?;
        }
    }
    if (0..spec.channels.len()).any(|c| figures::space_time(scored, c).is_some()) {
        page.section("space-time", "Space-time spectra");
        for (c, channel) in spec.channels.iter().enumerate() {
            if let Some(maps) = figures::space_time(scored, c) {
                let caption = format!(
                    "{}: power over wavenumber and frequency. How patterns of every size move and live.",
                    channel.long_name
                );
                page.figure(&maps.figure()?, &caption)?;
            }
        }
    }
    if let Some(figure) = figures::ranks(scored)? {
        page.section("ranks", "Rank histograms");
        let caption = "Where the truth stands among the members, all channels and points; flat is right, ∪ is an ensemble too \
                       narrow, ∩ one too wide, a slope a bias.";
        page.figure(&figure, caption)?;
    }
    if let Some(figure) = figures::lead(scored)? {
        page.section("time", if scores.given > 0 { "Over lead time" } else { "Over time" });
        page.figure(
            &figure,
            "All channels. Spread-skill is right at 1; a correlation of 0.8 is marked.",
        )?;
    }
    methods(&mut page, scored);
    Ok(page.finish(title))
}

fn fields(page: &mut Page, scored: &[Scored], truth: Option<&Truth>) -> Result<()> {
    page.section("fields", "Fields");
    let spec = &scored[0].result.spec;
    let frame = spec.frames() - 1;
    for c in 0..spec.channels.len() {
        let panes = figures::fields(scored, truth, c, 0, frame)?;
        let caption = match &spec.y {
            Some(_) => format!("Trajectory 0, frame {frame}. All panels have one colour scale, that of the data."),
            None => "Trajectory 0: space to the right, time upwards. All panels have one colour scale, that of the data."
                .into(),
        };
        page.figure(&figures::fields_figure(scored, c, &panes)?, &caption)?;
    }
    Ok(())
}

fn methods(page: &mut Page, scored: &[Scored]) {
    page.section("methods", "Methods");
    for method in scored {
        let about = &method.result.provenance;
        let mut line = count(method.result.members, "member", "members");
        if !about.model.is_empty() {
            line += &format!(", model {}", escape(&about.model));
        }
        if !about.model_hash.is_empty() {
            line += &format!(" ({}…)", &about.model_hash[..about.model_hash.len().min(12)]);
        }
        line += &format!(
            ", seed {}; a frame costs {} calls of the predictor and {} s on one thread",
            about.seed,
            number(about.calls_per_frame),
            number(about.seconds_per_frame)
        );
        let settings = serde_json::to_string_pretty(&about.settings).unwrap_or_default();
        page.text(&format!(
            "<h3>{}</h3>\n<p class=\"soft\">{line}.</p>\n<details><summary>settings</summary><pre>{}</pre></details>",
            escape(&method.name),
            escape(&settings)
        ));
    }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Sections with their pictures, and a list of them for the top.
#[derive(Default)]
struct Page {
    body: String,
    contents: String,
}

impl Page {
    fn section(&mut self, id: &str, title: &str) {
        self.body += &format!("<h2 id=\"{id}\">{title}</h2>\n");
        self.contents += &format!("<a href=\"#{id}\">{title}</a> ");
    }

    fn text(&mut self, html: &str) {
        self.body += html;
        self.body.push('\n');
    }

    fn figure(&mut self, figure: &Figure, caption: &str) -> Result<()> {
        let svg = figure.svg();
        // An SVG inside HTML has no prologue.
        let start = svg.find("<svg").unwrap_or(0);
        let caption = escape(caption);
        self.body += &format!(
            "<figure>\n{}\n<figcaption>{caption}</figcaption>\n</figure>\n",
            svg[start..].replacen(
                "<svg",
                &format!("<svg role=\"img\" aria-label=\"{caption}\""),
                1
            )
        );
        Ok(())
    }

    fn finish(self, title: &str) -> String {
        let title = escape(title);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
             <style>\n{STYLE}</style>\n</head>\n<body>\n<header><h1>{title}</h1>\n<nav>{}</nav></header>\n{}\
             <footer>Made by finescale {}. What each score means, and what good is: docs/scores.md.</footer>\n\
             </body>\n</html>\n",
            self.contents,
            self.body,
            env!("CARGO_PKG_VERSION")
        )
    }
}
