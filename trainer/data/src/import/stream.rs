//! The way of a field: read, interpolated in time, filled, regridded; block by block.

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::Options;
use super::fill::{Fill, Interpolator, Shape, fill_field};
use super::missing;
use super::plan::Plan;
use super::regrid::{self, Regrid};
use finescale::Boundary;

use crate::dataset::SpatialAxis;

/// Regridded fields of a plan.
pub(super) struct FrameStream<'a> {
    plan: &'a Plan<'a>,
    fill: &'a [Fill],
    drop_repeats: bool,
    y: Option<Regrid>,
    x: Regrid,
}

impl<'a> FrameStream<'a> {
    /// To a grid of `ny` × `nx` points; also gives its axes.
    ///
    /// # Errors
    /// If repeated values are to be dropped, but not filled in time.
    pub(super) fn new(
        plan: &'a Plan<'a>,
        options: &'a Options,
        (ny, nx): (usize, usize),
    ) -> Result<(Self, Option<SpatialAxis>, SpatialAxis)> {
        let (fill, drop_repeats) = (options.fill.as_slice(), options.drop_repeats);
        ensure!(
            !drop_repeats || fill.contains(&Fill::Interpolate),
            "--drop-repeats leaves gaps in time: say that they are filled, with --fill interpolate"
        );
        let (x, x_axis) = Regrid::new(&plan.x, nx);
        let (y, y_axis) = plan.y.as_ref().map(|y| Regrid::new(y, ny)).unzip();
        Ok((Self { plan, fill, drop_repeats, y, x }, y_axis, x_axis))
    }

    /// Names of axes whose points are not evenly spaced and get interpolated.
    pub(super) fn uneven(&self) -> Vec<&str> {
        let y = self.plan.y.as_ref().zip(self.y.as_ref());
        let axes = y.into_iter().chain([(&self.plan.x, &self.x)]);
        axes.filter(|(_, r)| r.interpolates()).map(|(axis, _)| axis.name.as_str()).collect()
    }

    /// Calls `each` with every block of `block` frames of a member, `[frame][channel][y][x]`, in
    /// order.
    pub(super) fn blocks(
        &self,
        member: usize,
        block: usize,
        mut each: impl FnMut(usize, Vec<f32>) -> Result<()>,
    ) -> Result<()> {
        let steps = &self.plan.steps;
        let len = self.plan.fields.frame_len();
        // Only where a gap has to be bridged must frames wait for those that follow.
        let all = self.fill.contains(&Fill::Interpolate);
        let mut interpolator =
            (all || !steps.dropped.is_empty()).then(|| Interpolator::new(len, all));
        let mut ready: Vec<Vec<f64>> = Vec::new();
        let mut done = 0;
        let mut before = match steps.indices.first() {
            Some(&first) if self.drop_repeats && first > 0 => {
                self.plan.fields.read(member, &[first - 1])?
            }
            _ => Vec::new(),
        };
        for start in (0..steps.indices.len()).step_by(block) {
            finescale_host::interrupt::check()?;
            let end = (start + block).min(steps.indices.len());
            let mut values = self.plan.fields.read(member, &steps.indices[start..end])?;
            if self.drop_repeats {
                drop_repeats(&mut values, len, &mut before);
            }
            for (n, frame) in values.chunks_exact_mut(len).enumerate() {
                if steps.dropped.contains(&(start + n)) {
                    frame.fill(f64::NAN);
                }
            }
            for frame in values.chunks_exact(len) {
                match &mut interpolator {
                    Some(interpolator) => ready.extend(interpolator.push(frame.to_vec())),
                    None => ready.push(frame.to_vec()),
                }
            }
            if end == steps.indices.len() {
                let rest = std::iter::from_fn(|| interpolator.as_mut().and_then(Interpolator::pop));
                ready.extend(rest);
            }
            while ready.len() >= block || (end == steps.indices.len() && !ready.is_empty()) {
                let frames: Vec<Vec<f64>> = ready.drain(..block.min(ready.len())).collect();
                each(done, self.finish(done * block, &frames)?)?;
                done += 1;
            }
        }
        Ok(())
    }

    /// Fills and regrids frames, the first of which has the index `start`.
    fn finish(&self, start: usize, frames: &[Vec<f64>]) -> Result<Vec<f32>> {
        let steps = &self.plan.steps;
        let missing = |frame: &[f64]| frame.iter().any(|v| v.is_nan());
        let outside = self.fill.iter().all(|&fill| fill == Fill::Interpolate);
        if outside && frames.iter().any(|frame| missing(frame)) {
            return Err(missing::describe(self.plan)?);
        }
        let finished: Vec<Vec<f32>> = frames
            .par_iter()
            .enumerate()
            .map(|(n, frame)| {
                finescale_host::interrupt::check()?;
                self.finish_frame(frame)
                    .with_context(|| format!("step {} cannot be filled", steps.indices[start + n]))
            })
            // All first: of several failures the earliest is told, whichever thread was first.
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<_>>()?;
        Ok(finished.concat())
    }

    fn finish_frame(&self, frame: &[f64]) -> Result<Vec<f32>> {
        let (plan, nx) = (self.plan, self.plan.fields.x.len());
        let ny = plan.fields.y.len();
        let periodic = |b: Boundary| b == Boundary::Periodic;
        let shape = Shape {
            ny,
            nx,
            periodic_y: plan.y.as_ref().is_some_and(|y| periodic(y.boundary)),
            periodic_x: periodic(plan.x.boundary),
        };
        let mut out = Vec::new();
        for field in frame.chunks_exact(ny * nx) {
            let mut field = field.to_vec();
            for &fill in self.fill {
                fill_field(&mut field, shape, fill)?;
            }
            let values = regrid::field(self.y.as_ref(), &self.x, nx, &field);
            out.extend(values.into_iter().map(|v| v as f32));
        }
        ensure!(
            out.iter().all(|v| v.is_finite()),
            "a value does not fit into single precision (3.4e38)"
        );
        Ok(out)
    }
}

/// Makes NaN of values that are those of the frame before; `before` is the last one read, as it
/// was.
fn drop_repeats(values: &mut [f64], len: usize, before: &mut Vec<f64>) {
    for frame in values.chunks_exact_mut(len) {
        let read = frame.to_vec();
        for (value, before) in frame.iter_mut().zip(&*before) {
            if value == before {
                *value = f64::NAN;
            }
        }
        *before = read;
    }
}
