//! What a conditional mean cannot know, drawn.

use crate::checked::{self, OrBug, product};
use crate::model::MeanModel;
use crate::predictor::{Linear, Predictor};
use crate::sampler::simulate;
use crate::{Error, Field, ForwardProcess, Laplacian, Modes, NoiseStream, Path, spectral};

/// Draws of the errors of a conditional mean: paths of a Gaussian process with their
/// autocovariance, times their standard deviation at each point. The mean plus a draw is a member
/// of an ensemble.
///
/// The process is the linear predictor of [`Linear`] at λ = 0, rolled forward with its noise; its
/// first frame is drawn from the variances of the modes.
#[derive(Debug)]
pub struct Errors<'a> {
    model: MeanModel<'a>,
    linear: Linear<'a>,
}

impl<'a> Errors<'a> {
    /// Values of memory for a model.
    pub fn memory_len(model: &MeanModel<'_>) -> usize {
        Linear::memory_len(model.grid(), model.channels(), window(model))
    }

    /// Takes a model and at least [`Errors::memory_len`] values of memory.
    ///
    /// # Errors
    /// [`Error::MemoryLength`]; as [`Linear::new`].
    pub fn new(model: &MeanModel<'a>, memory: &'a mut [f32]) -> Result<Self, Error> {
        // At λ = 0 nothing is damped, whatever the process.
        let process = ForwardProcess::new(0.0, 1.0, Laplacian::Spectral)?;
        let autocovariance = model.arrays().autocovariance;
        let linear = Linear::new(model.grid(), &process, model.channels(), autocovariance, memory)?;
        Ok(Self { model: *model, linear })
    }

    /// Frames that decide about the next one.
    pub fn window(&self) -> usize {
        self.linear.describe().window
    }

    /// Draws a path of modes, `[frame][channel][mode]`, in units of the spread.
    ///
    /// The first `given` frames are read, the others written; with 0 the path begins anew. The
    /// noise of frame n is that of `stream`'s frame + n. To go on with a path, give its last
    /// [`Errors::window`] frames, and a stream that is as many frames further.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `path` is whole frames; [`Error::Count`] if fewer than
    /// `given`; [`Error::NotFinite`].
    pub fn draw(
        &mut self,
        given: usize,
        stream: &NoiseStream,
        path: &mut Path<Modes>,
    ) -> Result<(), Error> {
        let description = self.linear.describe();
        if given == 0 {
            let frame = path.get_mut(..description.frame_len()).unwrap_or_default();
            let modes = frame.iter_mut().zip(description.power).zip(stream.normals());
            modes.for_each(|((u, power), w)| *u = libm::sqrtf(*power) * w);
        }
        simulate(&mut self.linear, 0.0, given.max(1), true, stream, path, &mut [])
    }

    /// Adds the errors of a frame, `[channel][mode]` of a drawn path, to a fine frame,
    /// `[channel][y][x]` in the units of the channels. `scratch`: the modes' field, and what a
    /// transform needs ([`Errors::scratch_len`]).
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless both are a frame; [`Error::ScratchLength`].
    pub fn add(&self, modes: &Modes, fine: &mut Field, scratch: &mut [f32]) -> Result<(), Error> {
        let grid = self.model.grid();
        let (points, frame) = (grid.points(), self.linear.describe().frame_len());
        for values in [modes.len(), fine.len()] {
            if values != frame {
                return Err(Error::FieldLength { values, points: frame });
            }
        }
        let (values, needed) = (scratch.len(), Self::scratch_len(&self.model));
        let scratch = scratch.get_mut(..needed).ok_or(Error::ScratchLength { values, needed })?;
        let (field, work) = scratch.split_at_mut_checked(frame).or_bug();
        checked::zip(&mut *field, modes).for_each(|(to, u)| *to = *u);
        spectral::inverse(grid, Modes::from_mut(field), work)?;
        let spread = checked::rows(self.model.arrays().spread, points);
        let fields = checked::rows_mut(fine, points).zip(checked::rows(field, points)).zip(spread);
        for (((fine, field), spread), channel) in fields.zip(self.model.channel_descriptions()) {
            for ((value, error), spread) in checked::zip(fine, field).zip(spread) {
                *value += error * spread * channel.std;
            }
        }
        Ok(())
    }

    /// Values of scratch for [`Errors::add`].
    pub fn scratch_len(model: &MeanModel<'_>) -> usize {
        let frame = product(&[model.channels(), model.grid().points()]);
        checked::sum(&[frame, spectral::scratch_len(model.grid())])
    }
}

/// W of the errors' predictor.
fn window(model: &MeanModel<'_>) -> usize {
    let lag = product(&[model.channels(), model.channels(), model.grid().points()]);
    let lags = model.arrays().autocovariance.len().checked_div(lag).unwrap_or(0);
    lags.saturating_sub(1)
}
