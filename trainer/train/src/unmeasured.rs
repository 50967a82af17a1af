//! A network as a model whose tables nothing was measured for yet: what a run begins with, and what
//! it saves before it measures.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, ensure};
use finescale::layer::ConvShape;
use finescale::model::{Invalid, LAYERS_MAX};
use finescale::predictor::Linear;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::calibrate::lambda_grid;
use super::config::{Base, Inputs, Network};
use super::network::{Corrected, Kernels};
use super::run::Run;
use super::weights;
use finescale_field::emergence::Process;
use finescale_field::shells::Shells;
use finescale_model::export::{self, Bounds, Precision};
use finescale_model::linear::LinearBase;
use finescale_model::{Array, AxisMeta, Calibration, Channel, Meta, Model, NetworkMeta};

/// Most values of λ in a model's tables.
const LAMBDAS: usize = 40;
/// Steps of the suggested λ grid.
const GRID_STEPS: usize = 8;

/// All of a model but its weights and what is measured.
pub(super) struct Unmeasured<'a> {
    pub(super) run: &'a Run,
    pub(super) base: &'a LinearBase,
}

impl Unmeasured<'_> {
    /// The network before its first step.
    pub(super) fn network<B: Kernels>(&self, device: &B::Device) -> Corrected<B> {
        let config = &self.run.config;
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let channels = self.base.autocovariance.channels;
        Corrected::new(config, self.base.grid, channels, &mut rng, device)
    }

    /// Refuses, before anything is written, settings whose model could not be finished: the
    /// untrained one is exported as the trained one will be.
    ///
    /// # Errors
    /// One sentence that names the setting and the mend.
    pub(super) fn check<B: Kernels>(&self, device: &B::Device) -> Result<()> {
        let weights = match self.run.config.predictor.network {
            Network::Unet => return self.check_unet(),
            Network::Linear => BTreeMap::new(),
            Network::Tiny => weights::export::<B, _>(&self.network(device)),
        };
        let model = self.model(weights, 0)?;
        export::file(&model, Precision::F32, &Bounds::default())
            .map(|_| ())
            .map_err(|error| self.refusal(error))
    }

    /// A U-Net never goes to a board; its levels must fit the grid.
    fn check_unet(&self) -> Result<()> {
        let levels = self.run.config.predictor.unet.multipliers.len();
        let (shortest, most) = (self.shortest(), 1 + self.shortest().ilog2());
        ensure!(
            levels <= most as usize,
            "predictor.unet.multipliers names {levels} levels, each of half the points of the one \
             before, but the shortest axis has {shortest} points: name at most {most}"
        );
        Ok(())
    }

    /// Points of the shortest axis.
    fn shortest(&self) -> usize {
        let grid = self.base.grid;
        grid.y().map_or(grid.nx(), |y| y.points().min(grid.nx()))
    }

    /// An error of the export, by the setting that it comes from.
    fn refusal(&self, error: anyhow::Error) -> anyhow::Error {
        let predictor = &self.run.config.predictor;
        let (tiny, window) = (&predictor.tiny, predictor.window);
        let (channels, shortest) = (self.base.autocovariance.channels, self.shortest());
        let invalid = error.downcast_ref::<Invalid>();
        let field = match (invalid, error.downcast_ref::<finescale::Error>()) {
            (Some(Invalid::Field { name }), _) => *name,
            (_, Some(finescale::Error::Count { name, .. })) => *name,
            _ => "",
        };
        match (field, Linear::EQUATIONS_MAX / channels) {
            ("window" | "inputs", 0) => anyhow!(
                "the data have {channels} channels, and boards have room for {}: import fewer of \
                 them, or train with predictor.network = \"unet\"",
                Linear::EQUATIONS_MAX
            ),
            ("window" | "inputs", most) => anyhow!(
                "predictor.window is {window}, and boards have no room for so many frames of \
                 {channels} channels: use at most {most}, or predictor.network = \"unet\""
            ),
            ("layers", _) => anyhow!(
                "predictor.tiny.dilations names {} layers: name at most {LAYERS_MAX}",
                tiny.dilations.len()
            ),
            ("dilation", _) => anyhow!(
                "predictor.tiny.dilations is {:?}, and with {} taps the largest reaches further \
                 than an axis of {shortest} points: use at most {}",
                tiny.dilations,
                tiny.kernel,
                shortest / (tiny.kernel / 2)
            ),
            ("outputs", _) => anyhow!(
                "predictor.tiny.channels is {}: use at most {}",
                tiny.channels,
                ConvShape::CHANNELS_MAX
            ),
            _ => error.context("these settings and data make a model that boards cannot use"),
        }
    }

    /// λ of the tables: as trained, or geometric where too many were.
    fn lambdas(&self) -> Vec<f64> {
        let config = &self.run.config;
        let all = config.lambdas();
        if all.len() <= LAMBDAS {
            return all;
        }
        let (first, last) = (config.lambda.smallest, config.lambda.largest);
        (0..LAMBDAS).map(|i| first * (last / first).powf(i as f64 / (LAMBDAS - 1) as f64)).collect()
    }

    /// The model of a network after so many steps; without weights the linear base alone. Its
    /// tables say what the linear predictor's would, and it has no figures.
    ///
    /// # Errors
    /// If the grid or the process is none of the runtime's, which was checked before.
    pub(super) fn model(&self, mut arrays: BTreeMap<String, Array>, steps: usize) -> Result<Model> {
        let (run, config) = (self.run, &self.run.config);
        let (spec, statistics) = (run.reader.spec(), run.reader.statistics());
        let (base, grid) = (self.base, self.base.grid);
        let packed = &base.autocovariance;
        let shape = vec![packed.window + 1, packed.channels, packed.channels, grid.ny(), grid.nx()];
        arrays.insert("autocovariance".into(), Array { shape, values: packed.values.clone() });
        let p = &config.predictor;
        let width = packed.channels * Shells::new(&grid).count;
        let calibration = Calibration::neutral(self.lambdas(), width, p.score_head);
        arrays.extend(calibration.arrays(packed.channels));
        let channel = |(channel, s): (
            &finescale_data::dataset::Channel,
            &finescale_data::dataset::ChannelStatistics,
        )| {
            Channel {
                name: channel.name.clone(),
                units: channel.units.clone(),
                mean: s.mean,
                std: s.std,
            }
        };
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
        let meta = Meta {
            name: run.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            layout: finescale_model::LAYOUT,
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
            lambdas: calibration.lambdas,
            lambda_grid: lambda_grid(self.emergence(), GRID_STEPS),
            data: run.reader.hash().into(),
            seed: config.seed,
            steps,
            figures: BTreeMap::new(),
        };
        Ok(Model { meta, arrays })
    }

    /// λ_S of every mode with power.
    fn emergence(&self) -> impl Iterator<Item = f64> {
        let (grid, process) = (self.base.grid, Process::from(&self.base.process));
        let kappas: Vec<f64> = process.kappas(&grid).collect();
        let modes = kappas.into_iter().cycle().zip(self.base.power());
        modes
            .filter(|(_, power)| *power > 1e-6)
            .filter_map(move |(kappa, power)| process.emergence(kappa, f64::from(power)))
    }
}
