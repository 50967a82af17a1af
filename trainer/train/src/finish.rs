//! The end of a run: calibration, the model, and what the program says about it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;

use super::batch::Frames;
use super::calibrate::{innovation_ratio, scores};
use super::config::Network;
use super::network::Kernels;
use super::predictor::{Linear, Predictor};
use super::run::{Kept, Run};
use super::step::Context;
use super::tables::Tables;
use super::unmeasured::Unmeasured;
use super::validate::{Validation, validate};
use super::weights;
use finescale_host::write::atomically;
use finescale_model::linear::LinearBase;
use finescale_model::{Array, Calibration, Model};
use finescale_sample::drawn;

/// Windows from which S is measured at each λ.
const WINDOWS: usize = 256;

/// What a finished training leaves.
pub(super) struct Finished<'a, A: AutodiffBackend> {
    pub(super) run: &'a Run,
    pub(super) base: &'a LinearBase,
    pub(super) context: &'a Arc<Context<A>>,
    pub(super) valid: &'a Frames<A::InnerBackend>,
}

impl<A> Finished<'_, A>
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels,
{
    /// Saves the model, measures it, saves it with what was measured, prints the figures and keeps
    /// them in `summary.txt`, which a card shows.
    pub(super) fn write(&self, kept: Option<Kept<A>>, start: Instant) -> Result<()> {
        let steps = kept.as_ref().map_or(0, |kept| kept.steps);
        if kept.is_some() && steps < self.run.config.training.steps {
            println!(
                "the weights after {steps} steps are kept: they had the least validation loss"
            );
        }
        let network = kept.map(|kept| kept.network);
        let arrays = network.as_ref().map_or_else(BTreeMap::new, weights::export::<A, _>);
        let mut model = Unmeasured { run: self.run, base: self.base }.model(arrays, steps)?;
        let path = self.run.folder.join("model.safetensors");
        // Resuming a run that was finished must not take away what was measured.
        if !Model::open(&path).is_ok_and(|there| same_network(&there, &model)) {
            model.save(&path)?;
        }
        println!("calibrating on the validation part");
        let measured = match network {
            Some(network) => self.measure(&mut model, &network.valid(), &network),
            None => self.measure(&mut model, &Linear, &Linear),
        };
        let [linear, found] = measured.with_context(|| {
            let shown = path.display();
            format!(
                "{shown} holds the trained model, but not all was measured; --resume measures it"
            )
        })?;
        model.save(&path)?;
        let summary = summary(&linear, &found)?;
        atomically(&self.run.folder.join("summary.txt"), summary.as_bytes())?;
        println!("{}: {} network weights", path.display(), weights_of(&model));
        summary.lines().for_each(|line| println!("  {line}"));
        println!("  {:.1} s in all", start.elapsed().as_secs_f64());
        Ok(())
    }

    /// Puts tables and figures into the model; returns the validation of the linear base and of the
    /// predictor.
    fn measure(
        &self,
        model: &mut Model,
        inner: &impl Predictor<A::InnerBackend>,
        outer: &impl Predictor<A>,
    ) -> Result<[Validation; 2]> {
        let config = &self.run.config;
        let device = self.valid.device();
        let mut calibration = Calibration::of(model)?;
        let lambdas = &calibration.lambdas;
        let tables = Tables::<A::InnerBackend>::new(self.base, config, lambdas, device)?;
        calibration.innovation_ratio = innovation_ratio(inner, self.valid, &tables, WINDOWS)?;
        let power = self.base.power();
        scores(outer, self.valid, &tables, &tables.lift(), &mut calibration, &power, config)?;
        model.arrays.extend(calibration.arrays(model.meta.channels.len()));
        let mut linear_config = config.clone();
        linear_config.predictor.network = Network::Linear;
        let linear_tables =
            Tables::<A::InnerBackend>::new(self.base, &linear_config, &config.lambdas(), device)?;
        let linear = validate(&Linear, self.valid, &linear_tables, config)?;
        let found = validate(inner, self.valid, &self.context.tables, config)?;
        // The runtime has no U-Nets, so nothing is ever drawn with them.
        if config.predictor.network != Network::Unet {
            let settings = &config.calibration;
            let paths =
                self.valid.clean_paths(settings.frames, settings.paths.min(drawn::PATHS))?;
            drawn::measure(model, &mut calibration, &paths)?;
        }
        model.meta.figures = figures(&linear, &found);
        Ok([linear, found])
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

/// The arrays of a model's network.
fn network(model: &Model) -> impl Iterator<Item = (&String, &Array)> {
    model.arrays.iter().filter(|(name, _)| name.starts_with("network."))
}

/// Whether two models of one run have the same network.
fn same_network(a: &Model, b: &Model) -> bool {
    a.meta.steps == b.meta.steps && network(a).eq(network(b))
}

fn weights_of(model: &Model) -> usize {
    network(model).map(|(_, array)| array.values.len()).sum()
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
