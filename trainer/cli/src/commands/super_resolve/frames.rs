//! The coarse frames of a super-resolution, whatever draws the fine ones.

use anyhow::{Result, ensure};
use finescale::{Axis, Grid};
use serde_json::Value;

use super::SuperResolveArgs;
use finescale_data::dataset::Spec;
use finescale_ensemble::{CoarseInput, Origin};
use finescale_sample::coarse::{Coarsener, fine_axis};
use finescale_sample::generator::{Assignment, Generator};
use finescale_sample::{Domain, Fields, ReadyTask, Resolution, warnings};

/// Coarse frames with what is known of them.
pub(super) struct Frames {
    pub(super) coarse: Fields,
    /// How they came to be.
    pub(super) origin: Origin,
    /// The prediction's.
    spec: Spec,
    truth: Option<Vec<f32>>,
}

impl SuperResolveArgs {
    /// Whether what is given is fine, and to be made coarse.
    pub(super) fn coarsens(&self) -> bool {
        self.coarsen.is_some() || self.coarse_grid.is_some()
    }

    /// Reads what is given.
    pub(super) fn read(&self, domain: &Domain) -> Result<Fields> {
        let resolution = if self.coarsens() { Resolution::Full } else { Resolution::AtMost };
        self.take.read(&self.coarse, domain.clone(), resolution, self.frames)
    }

    /// Points of the coarse grid, y before x.
    pub(super) fn points(
        &self,
        fine: &Grid,
        spec: &Spec,
        usable: fn(usize) -> bool,
    ) -> Result<Vec<usize>> {
        if let Some(factor) = self.coarsen {
            let leaves = |points: usize| {
                factor > 1 && points.is_multiple_of(factor) && usable(points / factor)
            };
            ensure!(
                fine.axes().all(|axis| leaves(axis.points())),
                "--coarsen is {factor}: use a number above 1 that divides the points of every axis \
                 and leaves an even product of 2, 3 and 5, at least {}",
                Axis::POINTS_MIN
            );
            return Ok(fine.axes().map(|axis| axis.points() / factor).collect());
        }
        Ok(match &self.coarse_grid {
            Some(points) => points.clone(),
            None => spec.axes().map(|axis| axis.points()).collect(),
        })
    }

    /// The coarse frames of what was read, which --coarsen makes coarse first; `deviations`: what
    /// each channel should have, in the model's.
    pub(super) fn frames(
        &self,
        domain: &Domain,
        fields: Fields,
        points: [usize; 2],
        origin: Origin,
        deviations: &[f64],
    ) -> Result<Frames> {
        let title = format!("{}, super-resolved", fields.spec.title);
        let (coarsening, seed) = (origin.coarsening, self.task.seed());
        let mut spec = Spec { title, ..fields.spec.clone() };
        let (coarse, truth) = if self.coarsens() {
            let noise = origin.sensor_noise.clone();
            let coarsener = Coarsener { domain, points, coarsening, noise, seed };
            (coarsener.coarsen(&fields)?, Some(fields.values))
        } else {
            spec.x = fine_axis(&spec.x, domain.grid.nx(), &coarsening);
            spec.y = spec.y.map(|y| fine_axis(&y, domain.grid.ny(), &coarsening));
            (fields, None)
        };
        for warning in warnings(&coarse, domain.clone(), deviations) {
            eprintln!("warning: {warning}");
        }
        Ok(Frames { coarse, origin, spec, truth })
    }

    /// Draws the fine frames, and writes them beside the coarse ones.
    pub(super) fn draw(
        &self,
        generator: &dyn Generator,
        assignment: Assignment,
        options: Value,
        frames: Frames,
    ) -> Result<()> {
        let Frames { coarse, origin, spec, truth } = frames;
        let from: Vec<f32> = [coarse.values.as_slice(), truth.as_deref().unwrap_or(&[])].concat();
        self.task.sample(ReadyTask {
            generator,
            assignment,
            given: 0,
            truth,
            options,
            from: &from,
            input: Some(CoarseInput {
                spec: Spec { title: spec.title.clone(), ..coarse.spec },
                values: coarse.values,
                origin: Some(origin),
            }),
            spec,
        })
    }
}
