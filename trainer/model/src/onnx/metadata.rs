//! What a file says about its model besides the graph.

use anyhow::Result;
use serde::Serialize;
use tract_onnx::pb::StringStringEntryProto;

use crate::{Calibration, Model};
use finescale_field::shells::Shells;

/// The tables that a sampler needs, `[λ][channel][shell]` row by row.
#[derive(Serialize)]
struct Tables<'a> {
    lambdas: &'a [f64],
    /// Shell of every mode, in the order of the runtime's spectra.
    shell_of_mode: Vec<usize>,
    shells: usize,
    /// P, `[channel][mode]`.
    power: Vec<f32>,
    innovation_ratio: &'a [f32],
    /// Moments of the path score.
    score_power: &'a [f32],
    score_truth: &'a [f32],
    score_drawn_power: &'a [f32],
    score_drawn_state: &'a [f32],
}

/// `finescale.model` and `finescale.calibration`, JSON both.
pub(super) fn entries(model: &Model) -> Result<Vec<StringStringEntryProto>> {
    let calibration = Calibration::of(model)?;
    let shells = Shells::new(&model.meta.grid()?);
    let tables = Tables {
        lambdas: &calibration.lambdas,
        shell_of_mode: shells.of,
        shells: shells.count,
        power: model.base()?.power(),
        innovation_ratio: &calibration.innovation_ratio,
        score_power: &calibration.path.power,
        score_truth: &calibration.path.truth,
        score_drawn_power: &calibration.path.drawn_power,
        score_drawn_state: &calibration.path.drawn_state,
    };
    let entry = |key: &str, value| StringStringEntryProto { key: key.into(), value };
    Ok(vec![
        entry("finescale.model", serde_json::to_string(&model.meta)?),
        entry("finescale.calibration", serde_json::to_string(&tables)?),
    ])
}
