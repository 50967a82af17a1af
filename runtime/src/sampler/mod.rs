//! Reverse-λ sampling: from coarse and noisy paths to fine ones.
//!
//! A path is `[frame][channel][y mode][x mode]`, in modes (see [`crate::spectral`]), and stays with
//! the caller.
//!
//! ```text
//!            rollout at λ_max ─┐
//!  noise of the data's power ──┼─▶ path at λ_max ──▶ ŝ ──▶ step ──▶ … ──▶ path at λ = 0
//!  coarse frames at λ_max ─────┘                    └── measured modes, if any, are held ──┘
//! ```
//!
//! Each task runs to its end. [`Drawing`] is the same in small pieces, for boards that have other
//! things to do in between.
//!
//! [`Sampler::ancestral`] is the default; [`Sampler::published`] is the paper's, to compare with.
//! Source: Yasuda and Bischoff, arXiv 2604.00327, section 4.
//!
//! Noise is addressed by [`NoiseStream`]: seed and member as given; frame n of a path has the
//! stream's frame + n; the start has the stream's draw, and every later update in λ a draw of its
//! own after it. So a member computed alone has the bits that it has in an ensemble. Two tasks need
//! two seeds, or the same draws appear in both.

mod coupled;
mod drawing;
mod emergence;
mod estimate;
mod health;
mod langevin;
mod observation;
mod online;
mod pixels;
mod pushing;
mod reverse;
mod rollout;
mod rule;
mod schedule;
mod tasks;
mod transition;
mod workspace;

pub use drawing::{Drawing, Origin};
pub use emergence::emergence;
pub use estimate::Unfinished;
pub use health::Health;
pub use langevin::Langevin;
pub use observation::{Observation, Uncertainty};
pub use online::{FineFrame, Online, Reading, Sensor};
pub use pixels::{fill_pixels, pixel_measurement, pixel_measurement_scratch_len};
pub use pushing::Pushing;
pub use rollout::rollout;
pub use rule::{Clip, NoiseRule, StepRule};
pub use schedule::Schedule;
pub use tasks::{Coarse, Start, simulate};
pub use workspace::Workspace;

use crate::predictor::{
    Description, FirstFrame, PathDensity, Prepared, ScorePiece, head_score_piece, path_score_piece,
    path_score_scratch_len, whole_frames,
};
use crate::{Error, ForwardProcess, Modes, NoiseStream, Path, Predictor, checked, spectral};
use rule::bounded;
use transition::Transition;

/// How to go from λ_max to 0.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sampler {
    /// λ_max, where paths start: 1 or about 0.1 to generate; for super-resolution the λ* whose
    /// damping and noise are those of the coarse frames.
    pub lambda: f32,
    /// The λ values from there to 0.
    pub lambdas: Schedule,
    /// Where ŝ comes from.
    pub score: Score,
    /// What a step does.
    pub step: StepRule,
    /// Bounds against errors of a network.
    pub clip: Option<Clip>,
    /// Corrector steps after each step.
    pub correctors: Option<Langevin>,
    /// The last steps that add no noise.
    pub quiet_steps: u32,
    /// Bound of |u| at every grid point, in standard deviations, after each step; positive and
    /// finite. Measured modes keep what was measured.
    pub clamp: Option<f32>,
}

/// Where ŝ comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Score {
    /// [`crate::predictor::path_score`] of this density.
    Path(PathDensity),
    /// [`crate::predictor::head_score`].
    Head,
}

impl Sampler {
    /// The default: eight ancestral steps of rule R (rule V without calibration), λ geometric down
    /// to 2e-3, or to half of a `lambda` that is below 4e-3, S per mode, frame 0 Gaussian, no
    /// correctors.
    pub const fn ancestral(lambda: f32) -> Self {
        let smallest = if lambda < 4e-3 { 0.5 * lambda } else { 2e-3 };
        Self {
            lambda,
            lambdas: Schedule::Geometric { steps: 8, smallest },
            score: Score::Path(PathDensity::FULL),
            step: StepRule::Ancestral(NoiseRule::Residual),
            clip: Some(Clip { state: 5.0, score: 4.0 }),
            correctors: None,
            quiet_steps: 0,
            clamp: None,
        }
    }

    /// The paper's: equal steps of 1/1000 (λ_max = 1 to generate), isotropic S, three Langevin
    /// correctors after each, frame 0 extrapolated from the two after it, the field clamped to ±3,
    /// no noise in the last two steps. `snr`: 0.7 for Lorenz-96, 0.3 for Kolmogorov flow.
    pub const fn published(lambda: f32, snr: f32) -> Self {
        Self {
            lambda,
            lambdas: Schedule::Equal { step: 1e-3 },
            score: Score::Path(PathDensity::PUBLISHED),
            step: StepRule::Exponential { exact_noise: false },
            clip: None,
            correctors: Some(Langevin { count: 3, snr }),
            quiet_steps: 2,
            clamp: Some(3.0),
        }
    }

    /// The same for a forecast, which starts from so small a λ.
    pub(crate) fn at_most(self, lambda: f32) -> Self {
        let lambda = lambda.min(self.lambda);
        let lambdas = match self.lambdas {
            Schedule::Geometric { steps, smallest } if smallest >= lambda => {
                Schedule::Geometric { steps, smallest: 0.5 * lambda }
            }
            other => other,
        };
        Self { lambda, lambdas, ..self }
    }

    /// Values of scratch that every task needs for a path of `frames` frames: the path's score, and
    /// what the score and the transforms need.
    pub fn scratch_len(&self, description: &Description<'_>, frames: usize) -> usize {
        let path = checked::product(&[frames, description.frame_len()]);
        checked::sum(&[path, self.work_len(description)])
    }

    /// Values of [`Workspace::work`] for a path of any length.
    pub fn work_len(&self, description: &Description<'_>) -> usize {
        let transform = self.clamp.map_or(0, |_| spectral::scratch_len(&description.grid));
        path_score_scratch_len(description).max(transform)
    }

    /// Takes a path from λ_max to 0, in place; the observed modes are at λ_max as
    /// [`Sampler::generate`] sets them.
    ///
    /// `stream`: where this path's noise starts; see [the module](self). `scratch`:
    /// [`Sampler::scratch_len`] values. Gives how often a bound moved a value that was not measured
    /// (see [`Health::clipped`]). Cost: for each step one score and an update of every value; a
    /// corrector costs as much as a step. Modes that are released between two λ add a step there,
    /// for releases that are further apart than a tenth; where every frame has variances of its
    /// own, at most as many steps as the sampler has.
    ///
    /// # Errors
    /// Before anything is written: [`Error::FieldLength`] unless `path` is a positive number of
    /// frames; [`Error::ScratchLength`]; [`Error::Parameter`], [`Error::Count`] for a field of the
    /// sampler that is outside its range, and for a process without noise; [`Error::NoScoreHead`];
    /// [`Error::Companions`]; [`Error::NotFinite`] for a value of the path, the observation or a
    /// companion that is no number; whatever the predictor and the observation refuse.
    ///
    /// Later: [`Error::NotFinite`] where the score or the path stops to be numbers; the path is
    /// then an unfinished one.
    pub fn reverse(
        &self,
        predictor: &mut dyn Predictor,
        observation: Option<&Observation<'_>>,
        stream: &NoiseStream,
        path: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<u32, Error> {
        let mut drawing = Drawing::new(*self, stream);
        let origin = Origin::path().observed(observation);
        while !drawing.advance(predictor, &origin, path, scratch)? {}
        Ok(drawing.health().clipped)
    }

    /// One step from the λ that the predictor is prepared for to a smaller one, without correctors:
    /// for loops of one's own.
    ///
    /// `stream`: this step's noise; `None` adds none. Everything else as [`Sampler::reverse`].
    ///
    /// # Errors
    /// As [`Sampler::reverse`]; [`Error::Parameter`] unless 0 ≤ `to` < the predictor's λ.
    pub fn step(
        &self,
        predictor: &Prepared<'_>,
        to: f32,
        observation: Option<&Observation<'_>>,
        stream: Option<&NoiseStream>,
        path: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<u32, Error> {
        let mut workspace = Workspace::new(scratch, path.len());
        let frames = self.check(predictor, observation, path.len(), &workspace)?;
        predictor.check_given(frames)?;
        let from = predictor.lambda();
        let falls = to >= 0.0 && to < from;
        Error::check(
            "to",
            to,
            falls,
            "not negative and below the λ that the predictor is ready for",
        )?;
        Error::finite("path", path)?;
        self.advance(predictor, to, observation, stream, path, &mut workspace)
    }

    /// [`Sampler::step`] without its checks.
    fn advance(
        &self,
        predictor: &Prepared<'_>,
        to: f32,
        observation: Option<&Observation<'_>>,
        stream: Option<&NoiseStream>,
        path: &mut Path<Modes>,
        workspace: &mut Workspace<'_>,
    ) -> Result<u32, Error> {
        let clipped = self.clip.map_or(0, |clip| clip.apply(predictor, observation, path));
        let mut at = ScorePiece::Begin;
        while at != ScorePiece::Done {
            at = self.score_piece(predictor, at, path, workspace)?;
        }
        let moved = self.update(predictor, to, observation, stream, path, workspace)?;
        Ok(clipped.saturating_add(moved))
    }

    /// The next piece of the score of a path.
    fn score_piece(
        &self,
        predictor: &Prepared<'_>,
        at: ScorePiece,
        path: &Path<Modes>,
        workspace: &mut Workspace<'_>,
    ) -> Result<ScorePiece, Error> {
        let (score, work) = workspace.halves(path.len());
        let score = Path::modes_mut(score);
        match self.score {
            Score::Path(density) => path_score_piece(predictor, density, at, path, score, work),
            Score::Head => head_score_piece(predictor, at, path, score, work),
        }
    }

    /// A step whose score is there.
    fn update(
        &self,
        predictor: &Prepared<'_>,
        to: f32,
        observation: Option<&Observation<'_>>,
        stream: Option<&NoiseStream>,
        path: &mut Path<Modes>,
        workspace: &mut Workspace<'_>,
    ) -> Result<u32, Error> {
        let (score, work) = workspace.halves(path.len());
        Error::finite("score", score)?;
        let transition = Transition {
            process: predictor.process,
            from: predictor.lambda(),
            to,
            rule: self.step,
            clip: self.clip,
            head: self.score == Score::Head,
        };
        transition.apply(predictor, observation, stream, path, score);
        self.tidy(predictor, observation, to, path, score, work)
    }

    /// What the paper does to a path after each update, which has taken it to `lambda`; gives how
    /// many values were clamped. What `before` held is lost. Modes that are held stay as they are.
    fn tidy(
        &self,
        predictor: &Prepared<'_>,
        observation: Option<&Observation<'_>>,
        lambda: f32,
        path: &mut Path<Modes>,
        before: &mut [f32],
        work: &mut [f32],
    ) -> Result<u32, Error> {
        Error::finite("path", path)?;
        let flat =
            matches!(self.score, Score::Path(density) if density.first_frame == FirstFrame::Flat);
        if !flat && self.clamp.is_none() {
            return Ok(0);
        }
        let (grid, frame) = (&predictor.grid, predictor.frame_len());
        for (kept, u) in checked::zip(before.iter_mut(), path.iter()) {
            *kept = *u;
        }
        if flat {
            extrapolate_first_frame(path, frame);
        }
        let mut clamped = 0_u32;
        if let Some(bound) = self.clamp {
            let fields = spectral::inverse(grid, path, work)?;
            for value in fields.iter_mut().filter(|value| value.abs() > bound) {
                *value = bounded(*value, bound);
                clamped = clamped.saturating_add(1);
            }
            spectral::forward(grid, fields, work)?;
        }
        if let Some(observation) = observation {
            let process = &predictor.process;
            let frames = path.chunks_exact_mut(frame).zip(before.chunks_exact(frame));
            for (n, (path, before)) in checked::numbered_frames(frames) {
                let modes = path.iter_mut().zip(before).zip(predictor.kappas());
                for (index, ((u, kept), kappa)) in checked::counted(modes) {
                    if observation.held((process, kappa, lambda), (frame, n, index)) {
                        *u = *kept;
                    }
                }
            }
        }
        Ok(clamped)
    }

    /// Everything of the description that can be refused before the first write; gives the frames of
    /// the path.
    fn check(
        &self,
        description: &Description<'_>,
        observation: Option<&Observation<'_>>,
        path: usize,
        workspace: &Workspace<'_>,
    ) -> Result<usize, Error> {
        self.check_settings(description)?;
        let frame = description.frame_len();
        let frames = whole_frames(path, frame)?;
        if let Some(observation) = observation {
            observation.check(frame, path)?;
        }
        workspace.check(path, self.work_len(description))?;
        Ok(frames)
    }

    /// The fields of the sampler, and whether the predictor can do what they ask.
    fn check_settings(&self, description: &Description<'_>) -> Result<(), Error> {
        let process = &description.process;
        let fits = self.lambda > 0.0 && self.lambda <= ForwardProcess::LAMBDA_MAX;
        Error::check("lambda", self.lambda, fits, "positive and at most 1e6")?;
        self.lambdas.check(self.lambda)?;
        let noisy = process.beta2() > 0.0;
        Error::check("beta2", process.beta2(), noisy, "positive: without noise there is no score")?;
        if let Some(clip) = &self.clip {
            clip.check()?;
        }
        if let Some(correctors) = &self.correctors {
            correctors.check()?;
        }
        if let Some(clamp) = self.clamp {
            Error::check("clamp", clamp, clamp > 0.0, "positive and finite")?;
        }
        if self.score == Score::Head && !description.score_head {
            return Err(Error::NoScoreHead);
        }
        Ok(())
    }
}

/// The first `values` of some scratch, and the rest.
pub(crate) fn split(scratch: &mut [f32], values: usize) -> Result<(&mut [f32], &mut [f32]), Error> {
    let too_short = Error::ScratchLength { values: scratch.len(), needed: values };
    scratch.split_at_mut_checked(values).ok_or(too_short)
}

/// u⁰ ← 2u¹ − u²; a path of fewer than three frames is left as it is.
fn extrapolate_first_frame(path: &mut Path<Modes>, frame: usize) {
    let Some((first, rest)) = path.split_at_mut_checked(frame) else { return };
    let Some((second, rest)) = rest.split_at_checked(frame) else { return };
    for ((first, second), third) in first.iter_mut().zip(second).zip(rest) {
        *first = 2.0 * second - third;
    }
}
