//! Super-resolution by a conditional mean.

use anyhow::{Result, ensure};

use super::SuperResolveArgs;
use super::sensor::Sensor;
use finescale_sample::generator::{Generator, MeanPaths, ResidualPaths};
use finescale_sample::{Domain, HostMean, HostModel};

impl SuperResolveArgs {
    /// With a model that is a conditional mean.
    pub(crate) fn with_mean(&self) -> Result<()> {
        self.refuse_chain()?;
        ensure!(
            !self.task.linear,
            "--linear leaves out the network of a predictor, and --model {} is a conditional mean: \
             leave it out",
            self.task.model.display()
        );
        self.by_mean(&HostMean::open(&self.task.model)?)
    }

    /// What a conditional mean gives, with draws of its errors.
    pub(super) fn by_mean(&self, model: &HostMean) -> Result<()> {
        ensure!(
            self.task.sampler.is_empty(),
            "a conditional mean has no sampler: leave the options of samplers out"
        );
        self.of_sensor(model, &MeanPaths { model, alone: self.mean_alone })
    }

    /// What a conditional mean gives, with residual paths that a predictor draws.
    pub(super) fn by_residuals(&self, mean: &HostMean, model: &HostModel) -> Result<()> {
        let view = model.view()?;
        let largest = view.tables().lambdas.last().copied().unwrap_or(1.0);
        let settings = self.task.sampler.settings(model, |_| Ok(largest))?;
        self.of_sensor(mean, &ResidualPaths { mean, model, settings: &settings })
    }

    /// What a generator draws from the frames of a conditional mean's sensor.
    fn of_sensor(&self, model: &HostMean, generator: &dyn Generator) -> Result<()> {
        let view = model.view()?;
        ensure!(
            !self.mean_alone || self.task.members() == 1,
            "--mean-alone makes all members the same: use --members 1"
        );
        let sensor = Sensor {
            name: view.name(),
            values: view.sensor(),
            points: view.coarse_points(),
            domain: Domain::from(&view),
        };
        self.by_sensor(&sensor, generator)
    }
}
