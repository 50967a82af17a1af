//! What samplers are for: simulation, generation, forecast, super-resolution.

use core::ops::Range;

use super::observation::{Observation, Uncertainty};
use super::{Drawing, Health, Origin, Sampler, Workspace, rollout};
use crate::checked::{self, OrBug, Place};
use crate::predictor::Prepared;
use crate::{Error, Modes, NoiseStream, Path, Predictor};

/// Where a generated path comes from at λ_max.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Start {
    /// The paper's: every frame independently N(0, Σ), which leaves out what is left of the signal.
    Noise,
    /// Every frame independently N(0, C²P + Σ).
    Gaussian,
    /// The default: frame 0 of N(0, C²P + Σ), then a stochastic rollout, so that frames belong
    /// together.
    Rollout,
}

/// What coarse frames are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coarse<'a> {
    /// Filtered fields C û_0; the noise √Σ ε is added first.
    Clean,
    /// Frames that have the noise of λ_max already.
    Noised,
    /// Filtered fields with errors, C û_0 + √r η: the rest of the noise, √(Σ − r) ε, is added
    /// first. Modes with r > Σ say nothing at λ_max, as those of frames that are missing; they are
    /// drawn by the predictor from the frames before, in the first frame from the data's climate.
    /// What the path holds there is not read.
    Uncertain(Uncertainty<'a>),
}

/// The frames of a super-resolution.
#[derive(Clone, Debug)]
pub(super) struct CoarseFrames<'a> {
    pub(super) coarse: Coarse<'a>,
    /// Whether each frame is missing, where `coarse` does not say so.
    pub(super) missing: &'a [bool],
    /// The frames whose health is asked for.
    pub(super) judged: Range<u32>,
}

impl<'a> CoarseFrames<'a> {
    pub(super) fn uncertainty(&self) -> Uncertainty<'a> {
        match self.coarse {
            Coarse::Uncertain(uncertainty) => uncertainty,
            Coarse::Clean | Coarse::Noised => Uncertainty { variances: &[], missing: self.missing },
        }
    }
}

/// Simulates at λ: the first `given` frames of `path`, clean, are taken to λ, the others rolled
/// from them.
///
/// `path`: `[frame][channel][y mode][x mode]`; all of it is at λ afterwards. `noise`: whether every
/// step adds √S w. The noise of `stream` in frame n has its frame + n. `scratch`: the predictor's.
///
/// # Errors
/// As [`rollout`](super::rollout()); [`Error::Parameter`] for a bad λ.
pub fn simulate(
    predictor: &mut dyn Predictor,
    lambda: f32,
    given: usize,
    noise: bool,
    stream: &NoiseStream,
    path: &mut Path<Modes>,
    scratch: &mut [f32],
) -> Result<(), Error> {
    let frames = rollout::check(predictor.describe(), given, path, scratch)?;
    let predictor = predictor.prepare(lambda)?;
    predictor.check_given(frames)?;
    let frame = predictor.frame_len();
    for (n, frame) in (0..given as u32).zip(path.chunks_exact_mut(frame)) {
        predictor.process.apply_stream(
            &predictor.grid,
            lambda,
            Modes::from_mut(frame),
            &of_frame(stream, n),
        )?;
    }
    rollout::rollout(&predictor, given, noise.then_some(stream), path, scratch)
}

impl Sampler {
    /// Draws a path: unconditional, or given measured modes.
    ///
    /// `path`: receives `[frame][channel][y mode][x mode]`; its length decides how many frames.
    /// With an observation, measured modes are set at λ_max and held (see [`Observation`]); one of
    /// every mode of the first frames makes a [forecast](Sampler::forecast), one of low modes in
    /// every frame a super-resolution that agrees with its input. `scratch`:
    /// [`Sampler::scratch_len`] values.
    ///
    /// # Errors
    /// As [`Sampler::reverse`].
    pub fn generate(
        &self,
        predictor: &mut dyn Predictor,
        start: Start,
        observation: Option<&Observation<'_>>,
        stream: &NoiseStream,
        path: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<Health, Error> {
        let origin = Origin::start(start).observed(observation);
        Drawing::new(*self, stream).finish(predictor, &origin, path, scratch)
    }

    /// Forecasts: `known` holds the first frames, as [`Observation::known`] or with errors; the
    /// others are rolled out at λ_max with noise, and the whole path goes down to λ = 0.
    ///
    /// Where `known` is exact, its frames come out unchanged. The other frames see them through the
    /// noise of λ, so they are too uncertain: on the linear system their variance is 1.6 times the
    /// exact one a frame ahead and 1.25 times four frames ahead from λ_max = 0.3, 1.4 and 1.1 times
    /// from 0.03; their mean is right.
    ///
    /// # Errors
    /// As [`Sampler::reverse`].
    pub fn forecast(
        &self,
        predictor: &mut dyn Predictor,
        known: &Observation<'_>,
        stream: &NoiseStream,
        path: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<Health, Error> {
        self.generate(predictor, Start::Rollout, Some(known), stream, path, scratch)
    }

    /// Super-resolution: `path` holds coarse frames at λ_max, refined to the predictor's grid, and
    /// becomes fine.
    ///
    /// λ_max is where the sensor's filter is C and its noise Σ; see the emergence scale in the
    /// project's method for which λ a resolution has. With an observation, measured modes are set
    /// at λ_max and held, so that coarsening the result gives back what was measured.
    ///
    /// # Errors
    /// As [`Sampler::reverse`]; also [`Error::FieldLength`] unless the variances of
    /// [`Coarse::Uncertain`] are those of one frame or of every frame.
    pub fn super_resolve(
        &self,
        predictor: &mut dyn Predictor,
        coarse: Coarse<'_>,
        observation: Option<&Observation<'_>>,
        stream: &NoiseStream,
        path: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<Health, Error> {
        let origin = Origin::coarse(coarse).observed(observation);
        Drawing::new(*self, stream).finish(predictor, &origin, path, scratch)
    }

    /// Takes coarse frame `n` to λ_max; the frames before it are there.
    pub(super) fn noise_coarse(
        &self,
        predictor: &Prepared<'_>,
        coarse: &CoarseFrames<'_>,
        n: u32,
        stream: &NoiseStream,
        path: &mut Path<Modes>,
        workspace: &mut Workspace<'_>,
    ) -> Result<(), Error> {
        let (frame, uncertainty) = (predictor.frame_len(), coarse.uncertainty());
        let (past, later) = path.split_at_mut_checked((n as usize).times(frame)).or_bug();
        let values = later.get_mut(..frame).or_bug();
        let kappas = || predictor.kappas();
        let noise = |kappa| predictor.process.noise_variance(kappa, self.lambda);
        let (drawn, work) = workspace.halves(frame);
        let says = |(index, kappa)| uncertainty.variance(frame, n, index) <= noise(kappa);
        if !checked::counted(kappas()).all(says) {
            let available = (n as usize).min(predictor.window);
            let window = past.get(past.len().saturating_sub(available.times(frame))..).or_bug();
            if window.is_empty() {
                self.draw_frame(predictor, Start::Gaussian, stream, drawn);
            } else {
                let predictor = &predictor.toward(n as usize);
                rollout::next(
                    predictor,
                    Path::modes(window),
                    Some(stream),
                    Modes::from_mut(drawn),
                    work,
                )?;
            }
        }
        let modes = checked::zip(values, drawn.iter()).zip(kappas()).zip(stream.normals());
        for (index, (((u, drawn), kappa), w)) in checked::counted(modes) {
            let noise = noise(kappa);
            let r = uncertainty.variance(frame, n, index);
            if r > noise {
                *u = *drawn;
            } else if coarse.coarse != Coarse::Noised {
                *u += libm::sqrtf(noise - r) * w;
            }
        }
        Ok(())
    }

    /// An independent frame at λ_max.
    pub(super) fn draw_frame(
        &self,
        predictor: &Prepared<'_>,
        start: Start,
        stream: &NoiseStream,
        frame: &mut [f32],
    ) {
        let process = &predictor.process;
        let modes =
            frame.iter_mut().zip(predictor.power).zip(predictor.kappas()).zip(stream.normals());
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
pub(super) fn of_frame(stream: &NoiseStream, n: u32) -> NoiseStream {
    NoiseStream { frame: stream.frame.wrapping_add(n), ..*stream }
}
