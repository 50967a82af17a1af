//! Super-resolution by a conditional mean.

use anyhow::{Result, ensure};
use finescale::model::MeanModel;
use serde_json::json;

use super::super::origin::sensor_noise;
use super::SuperResolveArgs;
use finescale_data::dataset::Spec;
use finescale_ensemble::{CoarseInput, Coarsening, Origin};
use finescale_sample::coarse::{Coarsener, InputKind, fine_axis};
use finescale_sample::generator::{Assignment, ConditionalMean, Generator, Residuals};
use finescale_sample::mean_error::{sensor_points, sensor_values};
use finescale_sample::{Domain, HostMean, HostModel, ReadyTask, Resolution, warnings};

impl SuperResolveArgs {
    /// What a conditional mean gives, with draws of its errors.
    pub(super) fn by_mean(&self, model: &HostMean) -> Result<()> {
        ensure!(
            self.task.sampler.is_empty(),
            "a conditional mean has no sampler: leave the options of samplers out"
        );
        self.of_sensor(model, &ConditionalMean { model, alone: self.mean_alone })
    }

    /// What a conditional mean gives, with residual paths that a predictor draws.
    pub(super) fn by_residuals(&self, mean: &HostMean, model: &HostModel) -> Result<()> {
        let view = model.view()?;
        let largest = view.tables().lambdas.last().copied().unwrap_or(1.0);
        let settings = self.task.sampler.settings(model, |_| Ok(largest))?;
        self.of_sensor(mean, &Residuals { mean, model, settings: &settings })
    }

    /// What a generator draws from the frames of a conditional mean's sensor.
    fn of_sensor(&self, model: &HostMean, generator: &dyn Generator) -> Result<()> {
        let view = model.view()?;
        let (kind, coarsening) = self.sensor(&view)?;
        let noise = sensor_noise(&self.sensor_noise, view.channels())?;
        let fine = *view.grid();
        let points = sensor_points(&view);
        let coarsens = self.coarsen.is_some() || self.coarse_grid.is_some();
        let resolution = if coarsens { Resolution::Full } else { Resolution::AtMost };
        let fields = self.take.read(&self.coarse, &view, resolution, self.frames)?;
        let given = self.points(&fine, &fields.spec, |_| true)?;
        ensure!(
            given == points,
            "the model `{}` is for a sensor of {} points, and the coarse frames have {}: {}",
            view.name(),
            by(&points),
            by(&given),
            if coarsens {
                format!("use --coarse-grid {}", by(&points))
            } else {
                "use a model of that sensor".into()
            }
        );
        let title = format!("{}, super-resolved", fields.spec.title);
        let (coarse, spec, truth) = if coarsens {
            let coarsener = Coarsener {
                domain: &Domain::from(&view),
                points: &points,
                kind,
                coarsening,
                noise: noise.clone(),
                seed: self.task.seed(),
            };
            let coarse = coarsener.coarsen(&fields)?;
            (coarse, Spec { title, ..fields.spec }, Some(fields.values))
        } else {
            let mut spec = Spec { title, ..fields.spec.clone() };
            spec.x = fine_axis(&spec.x, fine.nx(), kind);
            spec.y = spec.y.map(|y| fine_axis(&y, fine.ny(), kind));
            (fields, spec, None)
        };
        for warning in warnings(&coarse, &view, &vec![1.0; view.channels()]) {
            eprintln!("warning: {warning}");
        }
        let from: Vec<f32> = [coarse.values.as_slice(), truth.as_deref().unwrap_or(&[])].concat();
        self.task.sample(ReadyTask {
            generator,
            assignment: Assignment::Condition { coarse: coarse.values.clone() },
            given: 0,
            truth,
            options: json!({ "coarse_grid": points }),
            from: &from,
            input: Some(CoarseInput {
                spec: Spec { title: spec.title.clone(), ..coarse.spec },
                values: coarse.values,
                origin: Some(Origin { coarsening, sensor_noise: noise }),
            }),
            spec,
        })
    }

    /// What the sensor gives; refuses options that say otherwise.
    fn sensor(&self, view: &MeanModel<'_>) -> Result<(InputKind, Coarsening)> {
        let (kind, coarsening) = sensor_values(view);
        ensure!(
            self.input.is_none_or(|input| input == kind),
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
        Ok((kind, coarsening))
    }
}

fn by(points: &[usize]) -> String {
    points.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}
