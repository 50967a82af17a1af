//! What is measured with a finished network: tables for the path score, and figures.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use finescale_model::{Calibration, Model};
use finescale_sample::drawn;

use super::calibrate::{innovation_ratio, scores};
use super::predictor::{Linear, Predictor};
use super::tables::Tables;
use super::validate::validate;
use super::{Held, PredictorDriven};
use crate::engine::Trainable;
use crate::networks::Kind;
use crate::systems::Validation;

/// Windows from which S is measured at each λ.
const WINDOWS: usize = 256;

impl PredictorDriven {
    /// Puts tables and figures into the model; gives the validation of the linear base and of the
    /// predictor as text.
    pub(super) fn measure_by<A: Trainable>(
        &self,
        held: &Held<A>,
        model: &mut Model,
        inner: &impl Predictor<A::InnerBackend>,
        outer: &impl Predictor<A>,
    ) -> Result<String> {
        let (config, valid) = (&self.config, &held.valid);
        let device = valid.device();
        let mut calibration = Calibration::of(model)?;
        let lambdas = &calibration.lambdas;
        let tables = Tables::<A::InnerBackend>::new(&self.base, config, lambdas, device)?;
        calibration.innovation_ratio = innovation_ratio(inner, valid, &tables, WINDOWS)?;
        scores(outer, valid, &tables, &tables.lift(), &mut calibration, config)?;
        model.arrays.extend(calibration.arrays(model.meta.channels.len()));
        let mut linear_config = config.clone();
        linear_config.network.kind = Kind::Linear;
        let linear_tables = Tables::<A::InnerBackend>::new(
            &self.base,
            &linear_config,
            &config.lambda.values(),
            device,
        )?;
        let linear = validate(&Linear, valid, &linear_tables, config)?;
        let found = validate(inner, valid, &held.tables, config)?;
        // Networks that the runtime lacks would take longer to draw than to train.
        if model.meta.network.on_boards() {
            let settings = &config.calibration;
            let (frames, count) = (settings.frames, settings.paths.min(drawn::PATHS));
            let paths = valid.clean_paths(frames, count)?;
            let companions = valid.companion_paths(frames, count)?;
            drawn::measure(model, &mut calibration, &paths, &companions)?;
        }
        model.meta.figures = figures(&linear, &found);
        summary(&linear, &found)
    }
}

/// Validation figures by name.
fn figures(linear: &Validation, found: &Validation) -> BTreeMap<String, f64> {
    let mut figures = BTreeMap::from([
        ("validation loss".to_owned(), found.loss()),
        ("validation loss, linear base".to_owned(), linear.loss()),
    ]);
    for (n, error) in found.rollout.iter().enumerate() {
        figures.insert(format!("simulation error, frame {}", n + 1), *error);
    }
    figures
}

/// Validation of the linear base and of the predictor.
fn summary(linear: &Validation, found: &Validation) -> Result<String> {
    let mut text = String::from("validation loss by λ (linear base → model):\n");
    for ((lambda, linear), (_, found)) in linear.losses.iter().zip(&found.losses) {
        writeln!(text, "  λ = {lambda:<9.4} {linear:.4} → {found:.4}")?;
    }
    text += "simulation, relative L² (persistence / linear base / model), spectral error:\n";
    for (n, error) in found.rollout.iter().enumerate() {
        let (persistence, linear) = (found.persistence[n], linear.rollout[n]);
        writeln!(
            text,
            "  after {:<3} frames  {persistence:.3} / {linear:.3} / {error:.3}, {:.3}",
            n + 1,
            found.spectrum[n]
        )?;
    }
    Ok(text)
}
