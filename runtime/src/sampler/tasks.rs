//! What samplers are for: simulation, generation, forecast, super-resolution.

use super::observation::Observation;
use super::rollout::roll;
use super::{Sampler, rollout};
use crate::predictor::{frame_len, whole_frames};
use crate::{Error, NoiseStream, Predictor};

/// Where a generated path comes from at λ_max.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Start {
    /// The paper's: every frame independently N(0, Σ), which leaves out what is left of the signal.
    Noise,
    /// Every frame independently N(0, C²P + Σ).
    Gaussian,
    /// Ours: frame 0 of N(0, C²P + Σ), then a stochastic rollout, so that frames belong together.
    Rollout,
}

/// What coarse frames are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Coarse {
    /// Filtered fields C û_0; the noise √Σ ε is added first.
    Clean,
    /// Frames that have the noise of λ_max already.
    Noised,
}

/// Simulates at λ: the first `given` frames of `path`, clean, are taken to λ, the others rolled from them.
///
/// `path`: `[frame][channel][y mode][x mode]`; all of it is at λ afterwards. `noise`: whether every step adds √S w.
/// The noise of `stream` in frame n has its frame + n. `scratch`: the predictor's.
///
/// # Errors
/// As [`rollout`]; [`Error::Parameter`] for a bad λ.
pub fn simulate<P: Predictor + ?Sized>(
    predictor: &mut P,
    lambda: f32,
    given: usize,
    noise: bool,
    stream: &NoiseStream,
    path: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    predictor.prepare(lambda)?;
    let frame = frame_len(predictor);
    whole_frames(path.len(), frame)?;
    let (grid, process) = (*predictor.grid(), *predictor.process());
    for (n, frame) in (0..given as u32).zip(path.chunks_exact_mut(frame)) {
        process.apply_stream(&grid, lambda, frame, &of_frame(stream, n))?;
    }
    rollout(&*predictor, given, noise.then_some(stream), path, scratch)
}

impl Sampler {
    /// Draws a path: unconditional, or given measured modes.
    ///
    /// `path`: receives `[frame][channel][y mode][x mode]`; its length decides how many frames. With an observation,
    /// measured modes are set at λ_max and held (see [`Observation`]); one of every mode of the first frames makes a
    /// [forecast](Sampler::forecast), one of low modes in every frame a super-resolution that agrees with its input.
    /// `scratch`: [`Sampler::scratch_len`] values.
    ///
    /// # Errors
    /// As [`Sampler::reverse`].
    pub fn generate<P: Predictor + ?Sized>(
        &self,
        predictor: &mut P,
        start: Start,
        observation: Option<&Observation<'_>>,
        stream: &NoiseStream,
        path: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.check(predictor, observation, path.len(), scratch.len())?;
        predictor.prepare(self.lambda)?;
        let frame = frame_len(predictor);
        let independent = if start == Start::Rollout { 1 } else { usize::MAX };
        for (n, frame) in (0..).zip(path.chunks_exact_mut(frame)).take(independent) {
            let stream = of_frame(stream, n);
            self.draw_frame(&*predictor, start, &stream, frame);
            if let Some(observation) = observation {
                observation.impose(&*predictor, n, &stream, frame);
            }
        }
        if start == Start::Rollout {
            roll(&*predictor, 1, observation, Some(stream), path, scratch)?;
        }
        self.reverse(predictor, observation, stream, path, scratch)
    }

    /// Forecasts: `known` holds the first frames, as [`Observation::known`] or with errors; the others are rolled out at λ_max with noise,
    /// and the whole path goes down to λ = 0.
    ///
    /// Where `known` is exact, its frames come out unchanged. The other frames see them through the noise of λ, so they
    /// are too uncertain: on the linear system their variance is 1.6 times the exact one a frame ahead and 1.25 times
    /// four frames ahead from λ_max = 0.3, 1.4 and 1.1 times from 0.03; their mean is right.
    ///
    /// # Errors
    /// As [`Sampler::reverse`].
    pub fn forecast<P: Predictor + ?Sized>(
        &self,
        predictor: &mut P,
        known: &Observation<'_>,
        stream: &NoiseStream,
        path: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.generate(predictor, Start::Rollout, Some(known), stream, path, scratch)
    }

    /// Super-resolution: `path` holds coarse frames at λ_max, refined to the predictor's grid, and becomes fine.
    ///
    /// λ_max is where the sensor's filter is C and its noise Σ; see the emergence scale in the project's method for which
    /// λ a resolution has. With an observation, measured modes are set at λ_max and held, so that coarsening the result
    /// gives back what was measured.
    ///
    /// # Errors
    /// As [`Sampler::reverse`].
    pub fn super_resolve<P: Predictor + ?Sized>(
        &self,
        predictor: &mut P,
        coarse: Coarse,
        observation: Option<&Observation<'_>>,
        stream: &NoiseStream,
        path: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.check(predictor, observation, path.len(), scratch.len())?;
        predictor.prepare(self.lambda)?;
        let (grid, process) = (*predictor.grid(), *predictor.process());
        let frame = frame_len(predictor);
        for (n, frame) in (0..).zip(path.chunks_exact_mut(frame)) {
            let stream = of_frame(stream, n);
            if coarse == Coarse::Clean {
                let kappas =
                    (0..predictor.channels()).flat_map(|_| grid.kappas(process.laplacian()));
                for ((u, kappa), w) in frame.iter_mut().zip(kappas).zip(stream.normals()) {
                    *u += libm::sqrtf(process.noise_variance(kappa, self.lambda)) * w;
                }
            }
            if let Some(observation) = observation {
                observation.impose(&*predictor, n, &stream, frame);
            }
        }
        self.reverse(predictor, observation, stream, path, scratch)
    }

    /// An independent frame at λ_max.
    fn draw_frame<P: Predictor + ?Sized>(
        &self,
        predictor: &P,
        start: Start,
        stream: &NoiseStream,
        frame: &mut [f32],
    ) {
        let (grid, process) = (predictor.grid(), predictor.process());
        let kappas = (0..predictor.channels()).flat_map(|_| grid.kappas(process.laplacian()));
        let modes = frame.iter_mut().zip(predictor.power()).zip(kappas).zip(stream.normals());
        for (((u, power), kappa), w) in modes {
            let variance = match start {
                Start::Noise => process.noise_variance(kappa, self.lambda),
                Start::Gaussian | Start::Rollout => process.variance(kappa, self.lambda, *power),
            };
            *u = libm::sqrtf(variance) * w;
        }
    }
}

/// The stream of a path's frame `n`.
fn of_frame(stream: &NoiseStream, n: u32) -> NoiseStream {
    NoiseStream { frame: stream.frame.wrapping_add(n), ..*stream }
}
