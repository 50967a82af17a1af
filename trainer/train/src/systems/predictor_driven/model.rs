//! A network as a model whose tables nothing was measured for yet: what a run begins with, and what
//! it saves before it measures.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use finescale::layer::ConvShape;
use finescale::model::{Invalid, LAYERS_MAX, Recommended};
use finescale::predictor::Linear;
use finescale_data::dataset;
use finescale_field::emergence::Process;
use finescale_field::shells::Shells;
use finescale_model::export::{self, Bounds, Precision};
use finescale_model::{
    Array, AxisMeta, Calibration, Channel, Meta, Model, PredictorDriven as DrivenMeta,
};

use super::calibrate::lambda_grid;
use super::settings::{Base, CLEAN, check_on};
use super::{PredictorDriven, fresh};
use crate::engine::checkpoint::Kept;
use crate::engine::{Trainable, weights};
use crate::networks::{Kind, Network};

/// Most values of λ in a model's tables.
const LAMBDAS: usize = 40;
/// Steps of the suggested λ grid.
const GRID_STEPS: usize = 8;

impl PredictorDriven {
    /// Refuses, before anything is written, settings whose model could not be finished: the
    /// untrained one is exported as the trained one will be.
    ///
    /// # Errors
    /// One sentence that names the setting and the mend.
    pub(super) fn check<A: Trainable>(&self, device: &A::Device) -> Result<()> {
        let network = &self.config.network;
        network.check_on(&self.base.grid)?;
        check_on(&self.config.predictor, &self.base.grid)?;
        let fresh = fresh::<A>(&self.config, &self.base, device);
        let model = self.unmeasured(fresh.map(|network| Kept { network, steps: 0 }).as_ref())?;
        if model.meta.network.on_boards() {
            export::file(&model, Precision::F32, &Bounds::default())
                .map_err(|error| self.refusal(error))?;
        }
        Ok(())
    }

    /// Points of the shortest axis.
    fn shortest(&self) -> usize {
        let grid = self.base.grid;
        grid.y().map_or(grid.nx(), |y| y.points().min(grid.nx()))
    }

    /// An error of the export, by the setting that it comes from.
    fn refusal(&self, error: anyhow::Error) -> anyhow::Error {
        let (network, window) = (&self.config.network, self.config.predictor.window);
        let (section, channels_set, kernel, dilations) = match network.kind {
            Kind::Product => {
                let of = &network.product;
                ("product", of.channels, of.kernel, &of.dilations)
            }
            _ => ("tiny", network.tiny.channels, network.tiny.kernel, &network.tiny.dilations),
        };
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
                 them, or train with network.kind = \"unet\"",
                Linear::EQUATIONS_MAX
            ),
            ("window" | "inputs", most) => anyhow!(
                "predictor.window is {window}, and boards have no room for so many frames of \
                 {channels} channels: use at most {most}, or network.kind = \"unet\""
            ),
            ("layers", _) => anyhow!(
                "network.{section}.dilations names {} layers: name at most {}",
                dilations.len(),
                // A product network has two more.
                LAYERS_MAX - if network.kind == Kind::Product { 2 } else { 0 }
            ),
            ("dilation", _) => anyhow!(
                "network.{section}.dilations is {dilations:?}, and with {kernel} taps the largest \
                 reaches further than an axis of {shortest} points: use at most {}",
                shortest / (kernel / 2)
            ),
            ("outputs", _) => anyhow!(
                "network.{section}.channels is {channels_set}: use at most {}",
                ConvShape::CHANNELS_MAX / if network.kind == Kind::Product { 2 } else { 1 }
            ),
            _ => error.context("these settings and data make a model that boards cannot use"),
        }
    }

    /// λ of the tables: as trained, or geometric where too many were.
    fn lambdas(&self) -> Vec<f64> {
        let config = &self.config;
        let all = config.lambda.values();
        if all.len() <= LAMBDAS {
            return all;
        }
        let (first, last) = (config.lambda.smallest, config.lambda.largest);
        let clean = all.first().copied().filter(|first| *first == CLEAN);
        let rest = LAMBDAS - usize::from(clean.is_some());
        let at = |i| first * (last / first).powf(i as f64 / (rest - 1) as f64);
        clean.into_iter().chain((0..rest).map(at)).collect()
    }

    /// The model of a network after its steps; without one the linear base alone. Its tables say
    /// what the linear predictor's would, and it has no figures.
    ///
    /// # Errors
    /// If the grid or the process is none of the runtime's, which was checked before.
    pub(super) fn unmeasured<A: Trainable>(
        &self,
        kept: Option<&Kept<Network<A>>>,
    ) -> Result<Model> {
        let mut arrays =
            kept.map_or_else(BTreeMap::new, |kept| weights::export::<A, _>(&kept.network));
        let config = &self.config;
        let (spec, statistics) = (self.reader.spec(), self.reader.statistics());
        let (base, grid) = (&self.base, self.base.grid);
        let packed = &base.autocovariance;
        let shape = vec![packed.window + 1, packed.channels, packed.channels, grid.ny(), grid.nx()];
        arrays.insert("autocovariance".into(), Array { shape, values: packed.values.clone() });
        let p = &config.predictor;
        let width = packed.channels * Shells::new(&grid).count;
        let calibration = Calibration::neutral(self.lambdas(), width, p.score_head);
        arrays.extend(calibration.arrays(packed.channels));
        let channel = |(channel, s): (&dataset::Channel, &dataset::ChannelStatistics)| Channel {
            name: channel.name.clone(),
            units: channel.units.clone(),
            mean: s.mean,
            std: s.std,
        };
        let meta = Meta {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            layout: finescale_model::LAYOUT,
            channels: spec.channels.iter().zip(&statistics.channels).map(channel).collect(),
            y: grid.y().map(AxisMeta::of),
            x: AxisMeta::of(grid.x()),
            frame_interval: spec.time.interval,
            network: config.network.meta(),
            data: self.reader.hash().into(),
            seed: config.seed,
            steps: kept.map_or(0, |kept| kept.steps),
            figures: BTreeMap::new(),
            system: DrivenMeta {
                alpha: config.process.alpha,
                beta2: config.process.beta2,
                laplacian: config.process.laplacian,
                window: p.window,
                linear_base: p.base == Base::Linear || config.network.kind == Kind::Linear,
                inputs: p.inputs.clone(),
                bounded: p.bounded,
                score_head: p.score_head,
                lambdas: calibration.lambdas,
                lambda_grid: lambda_grid(self.emergence(), GRID_STEPS),
                sampler: Recommended::DEFAULT,
            },
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
