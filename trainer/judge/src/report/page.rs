//! The page: one HTML file with its style and pictures inside.

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::table::{self, Column};
use super::{Scored, figures};
use crate::score::{Truth, number, task_name};
use finescale_plot::Figure;

const STYLE: &str = include_str!("style.css");

/// A part of the page that the list at its top leads to.
struct Section {
    id: &'static str,
    title: &'static str,
    body: Markup,
}

/// The whole page. `truth`: what the results were scored against, for the pictures.
///
/// # Errors
/// If a picture cannot be drawn.
pub fn html(title: &str, scored: &[Scored], truth: Option<&Truth>) -> Result<String> {
    let mut sections = vec![scores(scored), fields(scored, truth)?, spectra(scored)?];
    sections.extend(space_time(scored)?);
    sections.extend(ranks(scored)?);
    sections.extend(lead(scored)?);
    sections.push(methods(scored));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (title) }
                    nav {
                        @for Section { id, title, .. } in &sections {
                            a href={ "#" (id) } { (title) } " "
                        }
                    }
                }
                p.lead { (lede(scored)) }
                @for Section { id, title, body } in &sections {
                    h2 id=(id) { (title) }
                    (body)
                }
                footer {
                    "Made by finescale " (env!("CARGO_PKG_VERSION"))
                    ". What each score means, and what good is: docs/scores.md."
                }
            }
        }
    };
    Ok(page.into_string())
}

/// What was scored, in a sentence or two.
fn lede(scored: &[Scored]) -> String {
    let Scored { result, scores, .. } = &scored[0];
    let spec = &result.spec;
    let size = match &spec.y {
        Some(_) => format!("{} × {} points", spec.ny(), spec.nx()),
        None => format!("{} points", spec.nx()),
    };
    let coarse = result.input.as_ref().map_or(String::new(), |input| match &input.spec.y {
        Some(_) => format!(" from {} × {}", input.spec.ny(), input.spec.nx()),
        None => format!(" from {}", input.spec.nx()),
    });
    format!(
        "{}: {size}{coarse}, {} of {} frames{}. {}",
        task_name(result.provenance.task),
        count(scores.trajectories, "trajectory", "trajectories"),
        scores.frames,
        if scores.given > 0 { format!(" after {} given", scores.given) } else { String::new() },
        match scores.paired {
            true => "Scored frame by frame against the truth.",
            false => "The truth is of other frames, so spectra alone are compared.",
        }
    )
}

fn scores(scored: &[Scored]) -> Section {
    let bands = &scored[0].scores.bands;
    let [low, middle] = [0, 1].map(|band| number(bands[band].to.unwrap_or(0.0)));
    let channels = &scored[0].result.spec.channels;
    let table = |column| html! { div.scroll { (table::scores(scored, column).html()) } };
    let body = html! {
        p {
            "The best of each row is marked. “Member” is one draw, “mean” the ensemble mean; \
             errors are relative to the data's standard deviation. Wavenumbers are low below " (low)
            ", the coarse grid's Nyquist, middle up to " (middle) ", high beyond."
        }
        (table(Column::All))
        @if channels.len() > 1 {
            @for (c, channel) in channels.iter().enumerate() {
                details {
                    summary { (channel.long_name) " alone" }
                    (table(Column::Channel(c)))
                }
            }
        }
    };
    Section { id: "scores", title: "Scores", body }
}

fn fields(scored: &[Scored], truth: Option<&Truth>) -> Result<Section> {
    let spec = &scored[0].result.spec;
    let frame = spec.frames() - 1;
    let shown = match &spec.y {
        Some(_) => format!("Trajectory 0, frame {frame}."),
        None => "Trajectory 0: space to the right, time upwards.".into(),
    };
    let caption = shown + " All panels have one colour scale, that of the data.";
    let pictures = (0..spec.channels.len()).map(|c| {
        let panes = figures::fields(scored, truth, c, 0, frame)?;
        Ok(picture(&figures::fields_figure(scored, c, &panes)?, &caption))
    });
    let body = all(pictures.collect::<Result<_>>()?);
    Ok(Section { id: "fields", title: "Fields", body })
}

fn spectra(scored: &[Scored]) -> Result<Section> {
    let caption =
        "Power of a mode over wavenumber, predicted by members and true; right, their ratio.";
    let channels = 0..scored[0].result.spec.channels.len();
    let figures: Vec<_> = channels.map(|c| figures::spectra(scored, c)).collect::<Result<_>>()?;
    let body = all(figures.iter().flatten().map(|figure| picture(figure, caption)).collect());
    Ok(Section { id: "spectra", title: "Energy spectra", body })
}

fn space_time(scored: &[Scored]) -> Result<Option<Section>> {
    let channels = scored[0].result.spec.channels.iter().enumerate();
    let maps = channels.filter_map(|(c, channel)| Some((channel, figures::space_time(scored, c)?)));
    let pictures = maps.map(|(channel, maps)| {
        let caption = format!(
            "{}: power over wavenumber and frequency. How patterns of every size move and live.",
            channel.long_name
        );
        Ok(picture(&maps.figure()?, &caption))
    });
    let pictures: Vec<_> = pictures.collect::<Result<_>>()?;
    let title = "Space-time spectra";
    Ok((!pictures.is_empty()).then(|| Section { id: "space-time", title, body: all(pictures) }))
}

fn ranks(scored: &[Scored]) -> Result<Option<Section>> {
    let caption = "Where the truth stands among the members, all channels and points; flat is \
                   right, ∪ is an ensemble too narrow, ∩ one too wide, a slope a bias.";
    let body = figures::ranks(scored)?.map(|figure| picture(&figure, caption));
    Ok(body.map(|body| Section { id: "ranks", title: "Rank histograms", body }))
}

fn lead(scored: &[Scored]) -> Result<Option<Section>> {
    let caption = "All channels. Spread-skill is right at 1; a correlation of 0.8 is marked.";
    let title = if scored[0].scores.given > 0 { "Over lead time" } else { "Over time" };
    let body = figures::lead(scored)?.map(|figure| picture(&figure, caption));
    Ok(body.map(|body| Section { id: "time", title, body }))
}

fn methods(scored: &[Scored]) -> Section {
    let about = |method: &Scored| {
        let about = &method.result.provenance;
        let mut line = count(method.result.members, "member", "members");
        if !about.model.is_empty() {
            line += &format!(", model {}", about.model);
        }
        if !about.model_hash.is_empty() {
            line += &format!(" ({}…)", &about.model_hash[..about.model_hash.len().min(12)]);
        }
        line + &format!(
            ", seed {}; a frame costs {} calls of the predictor and {} s on one thread.",
            about.seed,
            number(about.calls_per_frame),
            number(about.seconds_per_frame)
        )
    };
    let body = html! {
        @for method in scored {
            h3 { (method.name) }
            p.soft { (about(method)) }
            details {
                summary { "settings" }
                pre {
                    (serde_json::to_string_pretty(&method.result.provenance.settings)
                        .unwrap_or_default())
                }
            }
        }
    };
    Section { id: "methods", title: "Methods", body }
}

fn picture(figure: &Figure, caption: &str) -> Markup {
    html! {
        figure {
            (PreEscaped(figure.svg()))
            figcaption { (caption) }
        }
    }
}

fn all(pictures: Vec<Markup>) -> Markup {
    html! { @for picture in pictures { (picture) } }
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
