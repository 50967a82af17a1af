//! Results side by side: figures, tables, and one HTML page that needs nothing else.
//!
//! `figures` draws, `table` compares, `page` puts them together.

pub mod figures;
mod page;
pub(crate) mod table;

use anyhow::{Result, ensure};

use crate::score::{Scores, Settings, Truth};
use finescale_ensemble::Ensemble;

/// A result with its scores.
#[derive(Clone, Debug)]
pub struct Scored {
    /// The result.
    pub result: Ensemble,
    /// Its scores.
    pub scores: Scores,
    /// What tables and figures call it.
    pub name: String,
}

/// Scores results against one truth and gives each a name of its own.
///
/// # Errors
/// If a result has another task, other frames or other fields than the first, or cannot be scored.
pub fn scored(
    results: Vec<Ensemble>,
    truth: Option<&Truth>,
    settings: &Settings,
) -> Result<Vec<Scored>> {
    let mut all: Vec<Scored> = Vec::new();
    for result in results {
        let method = &result.provenance.method;
        if let Some(first) = all.first() {
            let (spec, other) = (&result.spec, &first.result.spec);
            ensure!(
                spec.grid()? == other.grid()?
                    && spec.channels == other.channels
                    && spec.frames() == other.frames()
                    && spec.trajectories == other.trajectories
                    && result.given == first.result.given,
                "`{method}` and `{}` are results of different fields or frames: report them apart",
                first.name
            );
        }
        let within;
        let truth = match truth {
            Some(truth) => truth,
            None => {
                within = Truth::within(&result)?;
                &within
            }
        };
        let scores = Scores::new(&result, truth, settings)?;
        let alike = all.iter().filter(|s| s.result.provenance.method == *method).count();
        let name = if alike == 0 { method.clone() } else { format!("{method} ({})", alike + 1) };
        all.push(Scored { result, scores, name });
    }
    ensure!(!all.is_empty(), "there is no result to report: name at least one");
    Ok(all)
}

pub use page::html;
