//! What systems share whose paths go on window by window from known frames: batches of windows,
//! networks as functions of fields and a time, and how good an ensemble of windows is.

pub mod batch;
pub mod fields;
pub mod judge;
pub mod single;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use finescale_data::dataset::{Reader, Split};

use super::Validation;
use crate::engine::Trainable;
use crate::engine::frames::Frames;
use batch::{Held, fields};

/// Members of the figures in the end.
pub(super) const MEMBERS_AT_THE_END: usize = 20;

/// Both parts on every device, in windows of so many frames and one more; `setting` is what says
/// how many.
///
/// # Errors
/// If a part cannot be read, or its segments are shorter.
pub(super) fn held<A: Trainable>(
    reader: &Reader,
    frames: usize,
    setting: &str,
    devices: &[A::Device],
) -> Result<Vec<Held<A>>> {
    let [train, valid] = [Split::Train, Split::Valid].map(|split| fields(reader, split));
    let (train, valid) = (train?, valid?);
    let held = devices.iter().map(|device| {
        let on_device = |part, name: &str| {
            Frames::new(part, frames, device)
                .with_context(|| format!("{setting} does not fit the {name} part: set it lower"))
        };
        let (train, valid) = (on_device(&train, "training")?, on_device(&valid, "validation")?);
        Ok(Held { train, valid })
    });
    held.collect()
}

/// The figures of drawn frames in the end, and the same for people: what frames they are, and what
/// their errors are beside.
///
/// # Errors
/// None: text can always be added to.
pub(super) fn figures(
    found: &Validation,
    [frames, still]: [&str; 2],
    calls_per_frame: f64,
    figures: &mut BTreeMap<String, f64>,
) -> Result<String> {
    let (crps, mut text) = (found.loss(), String::new());
    figures.insert(format!("fair CRPS of {frames} frames"), crps);
    figures.insert("evaluations for each frame".to_owned(), calls_per_frame);
    writeln!(text, "fair CRPS of {frames} frames, {MEMBERS_AT_THE_END} members: {crps:.4}")?;
    writeln!(text, "relative L² error of their mean ({still} → model):")?;
    for (n, (error, still)) in found.rollout.iter().zip(&found.persistence).enumerate() {
        writeln!(text, "  after {:>3} {still:.4} → {error:.4}", n + 1)?;
        figures.insert(format!("relative error after {:03}", n + 1), *error);
    }
    writeln!(text, "{calls_per_frame:.2} evaluations for each frame")?;
    Ok(text)
}
