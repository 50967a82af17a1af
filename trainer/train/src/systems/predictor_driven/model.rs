//! A network as a model whose tables nothing was measured for yet: what a run begins with, and what
//! it saves before it measures.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use finescale::model::{Invalid, Recommended};
use finescale::predictor::Linear;
use finescale_field::emergence::{Process, kappas};
use finescale_field::shells::Shells;
use finescale_model::export::{self, Bounds, Precision};
use finescale_model::{Array, Calibration, Model, NetworkMeta, PredictorDriven as DrivenMeta};

use super::calibrate::lambda_grid;
use super::settings::{Base, CLEAN, check_on};
use super::{PredictorDriven, fresh};
use crate::engine::checkpoint::Kept;
use crate::engine::{Trainable, weights};
use crate::networks::{Kind, Network};
use crate::systems::described;

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
        let channels = self.base.autocovariance.channels;
        let inputs = self.config.predictor.input_fields(&self.base.grid, channels);
        network.check_on_board(&self.base.grid, inputs)?;
        check_on(&self.config.predictor, &self.base.grid)?;
        let fresh = fresh::<A>(&self.config, &self.base, device);
        let mut model =
            self.unmeasured(fresh.map(|network| Kept { network, steps: 0 }).as_ref())?;
        if !model.meta.network.on_boards() {
            // The runtime has the rest of the model.
            model.meta.network = NetworkMeta::Linear;
            model.arrays.retain(|name, _| !name.starts_with("network."));
        }
        export::file(&model, Precision::F32, &Bounds::default())
            .map_err(|error| self.refusal(error))?;
        Ok(())
    }

    /// An error of the export, by the setting that it comes from.
    fn refusal(&self, error: anyhow::Error) -> anyhow::Error {
        let window = self.config.predictor.window;
        let channels = self.base.autocovariance.channels;
        let invalid = error.downcast_ref::<Invalid>();
        let field = match (invalid, error.downcast_ref::<finescale::Error>()) {
            (Some(Invalid::Field { name }), _) => *name,
            (_, Some(finescale::Error::Count { name, .. })) => *name,
            _ => "",
        };
        match (field, Linear::EQUATIONS_MAX / channels) {
            ("window" | "inputs", 0) => anyhow!(
                "the data have {channels} channels, and the runtime has room for {}: import fewer \
                 of them",
                Linear::EQUATIONS_MAX
            ),
            ("window" | "inputs", most) => anyhow!(
                "predictor.window is {window}, and the runtime has no room for so many frames of \
                 {channels} channels: use at most {most}"
            ),
            _ => error.context("these settings and data make a model that the runtime cannot use"),
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
        let (base, grid) = (&self.base, self.base.grid);
        let packed = &base.autocovariance;
        let shape = vec![packed.window + 1, packed.channels, packed.channels, grid.ny(), grid.nx()];
        arrays.insert("autocovariance".into(), Array { shape, values: packed.values.clone() });
        let p = &config.predictor;
        let width = packed.channels * Shells::new(&grid).count;
        let calibration = Calibration::neutral(self.lambdas(), width, p.score_head);
        arrays.extend(calibration.arrays(packed.channels));
        let system = DrivenMeta {
            alpha: config.process.alpha,
            beta2: config.process.beta2,
            laplacian: config.process.laplacian,
            coupling: config.process.coupling,
            coupling_switch: config.process.coupling_switch,
            window: p.window,
            linear_base: p.base == Base::Linear || config.network.kind == Kind::Linear,
            inputs: p.inputs.clone(),
            bounded: p.bounded,
            score_head: p.score_head,
            lambdas: calibration.lambdas,
            lambda_grid: lambda_grid(self.emergence(), GRID_STEPS),
            sampler: Recommended::DEFAULT,
            generation: config.sampling.generation,
            given: self.mean.as_ref().map(|mean| mean.given.clone()),
        };
        let steps = kept.map_or(0, |kept| kept.steps);
        let mut meta = described(&self.name, &self.reader, config, grid, steps, system);
        if let Some(mean) = &self.mean {
            for (channel, std) in meta.channels.iter_mut().zip(&mean.deviations) {
                (channel.mean, channel.std) = (0.0, *std);
            }
        }
        Ok(Model { meta, arrays })
    }

    /// λ_S of every mode with power.
    fn emergence(&self) -> impl Iterator<Item = f64> {
        let (grid, process) = (self.base.grid, Process::from(&self.base.process));
        let channels = 0..self.base.autocovariance.channels;
        let modes = channels
            .flat_map(move |channel| kappas(&self.base.process, &grid, channel))
            .zip(self.base.power());
        modes
            .filter(|(_, power)| *power > 1e-6)
            .filter_map(move |(kappa, power)| process.emergence(kappa, f64::from(power)))
    }
}
