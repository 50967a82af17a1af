//! Super-resolution of the frames of one sensor, for which a model was trained.

use anyhow::{Result, ensure};
use finescale::Values;
use serde_json::json;

use super::super::origin::sensor_noise;
use super::SuperResolveArgs;
use finescale_ensemble::Origin;
use finescale_sample::Domain;
use finescale_sample::generator::{Assignment, Generator};

/// The sensor of a model.
pub(super) struct Sensor<'a> {
    /// The model's name.
    pub(super) name: &'a str,
    /// What its values are.
    pub(super) values: Values,
    /// Its points along y, 1 on a line, and along x.
    pub(super) points: [usize; 2],
    /// The fine fields.
    pub(super) domain: Domain,
}

impl SuperResolveArgs {
    /// What a generator draws from the frames of a sensor.
    pub(super) fn by_sensor(&self, sensor: &Sensor<'_>, generator: &dyn Generator) -> Result<()> {
        self.check_sensor(sensor)?;
        let Sensor { domain, values, .. } = sensor;
        let sensor_noise = sensor_noise(&self.sensor_noise, domain.channels.len())?;
        let origin = Origin { coarsening: (*values).into(), sensor_noise };
        let points = match sensor.points {
            [_, x] if domain.grid.is_line() => vec![x],
            [y, x] => vec![y, x],
        };
        let fields = self.read(domain)?;
        let given = self.points(&domain.grid, &fields.spec, |_| true)?;
        ensure!(
            given == points,
            "the model `{}` is for a sensor of {} points, and the coarse frames have {}: {}",
            sensor.name,
            by(&points),
            by(&given),
            if self.coarsens() {
                format!("use --coarse-grid {}", by(&points))
            } else {
                "use a model of that sensor".into()
            }
        );
        let expected = vec![1.0; domain.channels.len()];
        let frames = self.frames(domain, fields, sensor.points, origin, &expected)?;
        let assignment = Assignment::Condition { coarse: frames.coarse.values.clone() };
        self.draw(generator, assignment, json!({ "coarse_grid": points }), frames)
    }

    /// Refuses options that say something else than the sensor of the model.
    fn check_sensor(&self, sensor: &Sensor<'_>) -> Result<()> {
        ensure!(
            self.input.is_none_or(|input| input.sensor() == Some(sensor.values)),
            "--input is not what the model `{}` was trained for: leave it out, or use another \
             model",
            sensor.name
        );
        ensure!(
            self.observe.is_none(),
            "what a model sees that was trained for one sensor is not held: leave --observe out"
        );
        Ok(())
    }
}

fn by(points: &[usize]) -> String {
    points.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}
