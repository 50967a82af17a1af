//! Super-resolution by a conditional mean.

use anyhow::{Result, ensure};
use finescale::model::MeanModel;
use serde_json::json;

use super::super::origin::sensor_noise;
use super::SuperResolveArgs;
use finescale_ensemble::Origin;
use finescale_sample::generator::{Assignment, Generator, MeanPaths, ResidualPaths};
use finescale_sample::mean_error::sensor_points;
use finescale_sample::{Domain, HostMean, HostModel};

impl SuperResolveArgs {
    /// With a model that is a conditional mean.
    pub(crate) fn with_mean(&self) -> Result<()> {
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
        self.check_sensor(&view)?;
        let sensor_noise = sensor_noise(&self.sensor_noise, view.channels())?;
        let origin = Origin { coarsening: view.sensor().into(), sensor_noise };
        let (domain, points) = (Domain::from(&view), sensor_points(&view));
        let fields = self.read(&domain)?;
        let given = self.points(view.grid(), &fields.spec, |_| true)?;
        ensure!(
            given == points,
            "the model `{}` is for a sensor of {} points, and the coarse frames have {}: {}",
            view.name(),
            by(&points),
            by(&given),
            if self.coarsens() {
                format!("use --coarse-grid {}", by(&points))
            } else {
                "use a model of that sensor".into()
            }
        );
        let expected = vec![1.0; view.channels()];
        let frames = self.frames(&domain, fields, view.coarse_points(), origin, &expected)?;
        let assignment = Assignment::Condition { coarse: frames.coarse.values.clone() };
        self.draw(generator, assignment, json!({ "coarse_grid": points }), frames)
    }

    /// Refuses options that say something else than the sensor of the model.
    fn check_sensor(&self, view: &MeanModel<'_>) -> Result<()> {
        ensure!(
            self.input.is_none_or(|input| input.sensor() == Some(view.sensor())),
            "--input is not what the model `{}` was trained for: leave it out, or use another \
             model",
            view.name()
        );
        ensure!(
            self.observe.is_none(),
            "what a conditional mean sees is not held: leave --observe out"
        );
        ensure!(
            !self.mean_alone || self.task.members() == 1,
            "--mean-alone makes all members the same: use --members 1"
        );
        Ok(())
    }
}

fn by(points: &[usize]) -> String {
    points.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}
