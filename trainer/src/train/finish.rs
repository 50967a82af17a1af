//! The end of a run: calibration, the model, and what the program says about it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;

use super::batch::Frames;
use super::calibrate::{innovation_ratio, lambda_grid, scores};
use super::config::{Base, Config, Inputs, Network};
use super::network::Kernels;
use super::predictor::{Linear, Predictor};
use super::run::{Kept, Run};
use super::step::Context;
use super::tables::Tables;
use super::validate::{Validation, validate};
use super::weights;
use crate::dataset::emergence::Process;
use crate::linear::LinearBase;
use crate::model::{Array, AxisMeta, Calibration, Channel, Meta, Model, NetworkMeta, Shells};
use crate::sampling::drawn;
use crate::write::atomically;

/// Most values of λ in a model's tables.
const LAMBDAS: usize = 40;
/// Steps of the suggested λ grid.
const GRID_STEPS: usize = 8;
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
    /// Calibrates, writes `model.safetensors`, prints the figures and keeps them in `summary.txt`, which a card shows.
    pub(super) fn write(&self, kept: Option<Kept<A>>, start: Instant) -> Result<()> {
        let steps = kept.as_ref().map_or(0, |kept| kept.steps);
        if kept.is_some() && steps < self.run.config.training.steps {
            println!(
                "the weights after {steps} steps are kept: they had the least validation loss"
            );
        }
        println!("calibrating on the validation part");
        let network = kept.map(|kept| kept.network);
        let arrays = network.as_ref().map_or_else(BTreeMap::new, weights::export::<A, _>);
        let (mut calibration, linear, found) = match network {
            Some(network) => self.measure(&network.valid(), &network)?,
            None => self.measure(&Linear, &Linear)?,
        };
        let mut model = self.model(arrays, steps, &calibration, &linear, &found)?;
        // The runtime has no U-Nets, so nothing is ever drawn with them.
        if self.run.config.predictor.network != Network::Unet {
            let settings = &self.run.config.calibration;
            let paths =
                self.valid.clean_paths(settings.frames, settings.paths.min(drawn::PATHS))?;
            drawn::measure(&mut model, &mut calibration, &paths)?;
        }
        model.save(&self.run.folder.join("model.safetensors"))?;
        let summary = summary(&linear, &found)?;
        atomically(&self.run.folder.join("summary.txt"), summary.as_bytes())?;
        println!(
            "{}: {} network weights",
            self.run.folder.join("model.safetensors").display(),
            weights_of(&model)
        );
        summary.lines().for_each(|line| println!("  {line}"));
        println!("  {:.1} s in all", start.elapsed().as_secs_f64());
        Ok(())
    }

    /// Calibration, and validation of the linear base and of the predictor.
    fn measure(
        &self,
        inner: &impl Predictor<A::InnerBackend>,
        outer: &impl Predictor<A>,
    ) -> Result<(Calibration, Validation, Validation)> {
        let config = &self.run.config;
        let lambdas = self.lambdas(config);
        let device = self.valid.device();
        let tables = Tables::<A::InnerBackend>::new(self.base, config, &lambdas, device)?;
        let shells = Shells::new(&tables.grid);
        let innovation = innovation_ratio(inner, self.valid, &tables, WINDOWS)?;
        let mut calibration = Calibration {
            lambdas,
            width: tables.channels * shells.count,
            innovation_ratio: innovation,
            ..Calibration::default()
        };
        let power = self.base.power();
        scores(outer, self.valid, &tables, &tables.lift(), &mut calibration, &power, config)?;
        let mut linear_config = config.clone();
        linear_config.predictor.network = Network::Linear;
        let linear_tables =
            Tables::<A::InnerBackend>::new(self.base, &linear_config, &config.lambdas(), device)?;
        let linear = validate(&Linear, self.valid, &linear_tables, config)?;
        let found = validate(inner, self.valid, &self.context.tables, config)?;
        Ok((calibration, linear, found))
    }

    /// λ of the tables: as trained, or geometric where too many were.
    fn lambdas(&self, config: &Config) -> Vec<f64> {
        let all = config.lambdas();
        if all.len() <= LAMBDAS {
            return all;
        }
        let (first, last) = (config.lambda.smallest, config.lambda.largest);
        (0..LAMBDAS).map(|i| first * (last / first).powf(i as f64 / (LAMBDAS - 1) as f64)).collect()
    }

    fn model(
        &self,
        mut arrays: BTreeMap<String, Array>,
        steps: usize,
        calibration: &Calibration,
        linear: &Validation,
        found: &Validation,
    ) -> Result<Model> {
        let (run, config) = (self.run, &self.run.config);
        let (spec, statistics) = (run.reader.spec(), run.reader.statistics());
        let (base, grid) = (self.base, self.base.grid);
        let packed = &base.autocovariance;
        let shape = vec![packed.window + 1, packed.channels, packed.channels, grid.ny(), grid.nx()];
        arrays.insert("autocovariance".into(), Array { shape, values: packed.values.clone() });
        arrays.extend(calibration.arrays(packed.channels));
        let channel =
            |(channel, s): (&crate::dataset::Channel, &crate::dataset::ChannelStatistics)| {
                Channel {
                    name: channel.name.clone(),
                    units: channel.units.clone(),
                    mean: s.mean,
                    std: s.std,
                }
            };
        let p = &config.predictor;
        let network = match p.network {
            Network::Linear => NetworkMeta::Linear,
            Network::Tiny => NetworkMeta::Tiny {
                channels: p.tiny.channels,
                kernel: p.tiny.kernel,
                dilations: p.tiny.dilations.clone(),
            },
            Network::Unet => {
                NetworkMeta::Unet { dim: p.unet.dim, multipliers: p.unet.multipliers.clone() }
            }
        };
        let mut figures = BTreeMap::from([("validation loss".to_owned(), found.loss())]);
        figures.insert("validation loss, linear base".into(), linear.loss());
        for (n, error) in found.rollout.iter().enumerate() {
            figures.insert(format!("simulation error, frame {}", n + 1), *error);
        }
        let meta = Meta {
            name: run.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            channels: spec.channels.iter().zip(&statistics.channels).map(channel).collect(),
            y: grid.y().map(AxisMeta::of),
            x: AxisMeta::of(grid.x()),
            frame_interval: spec.time.interval,
            alpha: config.process.alpha,
            beta2: config.process.beta2,
            laplacian: config.process.laplacian,
            window: p.window,
            network,
            linear_base: p.base == Base::Linear || p.network == Network::Linear,
            filtered_inputs: p.inputs == Inputs::FilteredAndRaw,
            bounded: p.bounded,
            score_head: p.score_head,
            lambdas: calibration.lambdas.clone(),
            lambda_grid: lambda_grid(self.emergence(), GRID_STEPS),
            data: run.reader.hash().into(),
            seed: config.seed,
            steps,
            figures,
        };
        Ok(Model { meta, arrays })
    }

    /// λ_S of every mode with power.
    fn emergence(&self) -> impl Iterator<Item = f64> {
        let grid = self.base.grid;
        let process = Process {
            alpha: f64::from(self.base.process.alpha()),
            beta2: f64::from(self.base.process.beta2()),
        };
        let power = self.base.power();
        let modes: Vec<f64> = grid.wavenumbers().map(|(y, x)| f64::from(y.hypot(x))).collect();
        let modes = modes.into_iter().cycle().zip(power);
        modes
            .filter(|(_, power)| *power > 1e-6)
            .filter_map(move |(k, power)| process.emergence(k, f64::from(power)))
    }
}

fn weights_of(model: &Model) -> usize {
    let network = model.arrays.iter().filter(|(name, _)| name.starts_with("network."));
    network.map(|(_, array)| array.values.len()).sum()
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
