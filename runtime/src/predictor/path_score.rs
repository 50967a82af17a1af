//! The gradient of the log path density.

use super::{Description, Prepared, whole_frames};
use crate::checked::{self, OrBug, Place};
use crate::{Error, Modes, Path};

/// What the density of a path is made of, besides the predictor:
/// p(path) = r(û^0) Π_n N(û^{n+1}; û^n + F_n, S).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PathDensity {
    /// S.
    pub innovation: Innovation,
    /// r.
    pub first_frame: FirstFrame,
}

/// The variance of the one-step error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Innovation {
    /// The default: the predictor's S for every mode.
    PerMode,
    /// The paper's: the mean of Σ over the modes, for all of them.
    Isotropic,
}

/// The density of frame 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FirstFrame {
    /// The default: Gaussian with the variance C²P + Σ of the data.
    Gaussian,
    /// The paper's: left out. Its sampler replaces frame 0 by 2u¹ − u² after each update.
    Flat,
}

impl PathDensity {
    /// All that is known: S of every mode, and the density of frame 0.
    pub const FULL: Self =
        Self { innovation: Innovation::PerMode, first_frame: FirstFrame::Gaussian };
    /// The paper's.
    pub const PUBLISHED: Self =
        Self { innovation: Innovation::Isotropic, first_frame: FirstFrame::Flat };
}

/// Values of scratch for [`path_score`] and [`head_score`]: one frame more than the predictor's.
pub fn path_score_scratch_len(description: &Description<'_>) -> usize {
    checked::sum(&[description.frame_len(), description.scratch_len])
}

/// ŝ = ∇ ln p of a whole path at the λ that the predictor is prepared for.
///
/// ```text
/// s^m = −S⁻¹e^{m−1} [m ≥ 1] + S⁻¹e^m [m ≤ T−1] + Σ_n (∂F_n/∂u^m)ᵀ S⁻¹e^n + ∇ ln r [m = 0],   e^n = u^{n+1} − u^n − F_n
/// ```
///
/// `path` and `score`: `[frame 0 … T][channel][y mode][x mode]`. `scratch`:
/// [`path_score_scratch_len`] values. With a [`Linear`](super::Linear) predictor of full history
/// this is −G⁻¹û of a Gaussian path with covariance G; relative error ≤ 1e-5. Companions are those
/// of every frame ([`Prepared::given`]); they are known and have no score. Cost: one increment and
/// one VJP for each frame but the last. Source: arXiv 2604.00327, section 3.
///
/// # Errors
/// [`Error::FieldLength`] unless `path` is a positive number of frames, [`Error::LengthMismatch`],
/// [`Error::ScratchLength`]; [`Error::Parameter`] at λ = 0, where S and Σ may vanish, and for a
/// process without noise (β² = 0); [`Error::Companions`]; [`Error::NotFinite`] for a value of the
/// path that is no number, and, after the score was written, for one of the score.
pub fn path_score(
    predictor: &Prepared<'_>,
    density: PathDensity,
    path: &Path<Modes>,
    score: &mut Path<Modes>,
    scratch: &mut [f32],
) -> Result<(), Error> {
    score_in_pieces(predictor, path, score, scratch, |at, path, score, scratch| {
        path_score_piece(predictor, density, at, path, score, scratch)
    })
}

/// How far a score has come. Every piece is at most one increment or one VJP of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScorePiece {
    /// Nothing of it is there yet.
    Begin,
    /// What predicts frame n + 1 is evaluated.
    Increment(u32),
    /// The error of frame n + 1, which scratch holds, is pulled back.
    PullBack(u32),
    /// It is complete.
    Done,
}

/// The next piece of [`path_score`], and where it has come to. Between two pieces `score` and
/// `scratch` are left alone; the lengths are those that the first piece has checked.
pub(crate) fn path_score_piece(
    predictor: &Prepared<'_>,
    density: PathDensity,
    at: ScorePiece,
    path: &Path<Modes>,
    score: &mut Path<Modes>,
    scratch: &mut [f32],
) -> Result<ScorePiece, Error> {
    let frame = predictor.frame_len();
    let (error, scratch) = split_scratch(predictor, frame, scratch)?;
    let more = |n: u32| {
        let predicted = (n as usize).plus(1).times(frame);
        if predicted < path.len() { ScorePiece::Increment(n) } else { ScorePiece::Done }
    };
    // Frame n + 1 is predicted from the last min(n + 1, W) frames.
    let window = |n: u32| {
        let (n, frames) = (n as usize, (n as usize).plus(1).min(predictor.window));
        let end = n.plus(1).times(frame);
        (frames, end.minus(frames.times(frame)), end)
    };
    match at {
        ScorePiece::Begin => {
            score.fill(0.0);
            if density.first_frame == FirstFrame::Gaussian {
                first_frame_score(predictor, path, score);
            }
            Ok(more(0))
        }
        ScorePiece::Increment(n) => {
            let (frames, start, end) = window(n);
            let window = path.get(start..end).or_bug();
            let next = path.get(end..end.plus(frame)).or_bug();
            predictor.toward((n as usize).plus(1)).increment(
                Path::modes(window),
                Modes::from_mut(error),
                scratch,
            )?;
            let newest = window.chunks_exact(frame).next_back().or_bug();
            for ((e, next), u) in checked::zip(error.iter_mut(), next).zip(newest) {
                *e = next - (u + *e);
            }
            match density.innovation {
                Innovation::PerMode => {
                    for (e, s) in checked::zip(error.iter_mut(), predictor.innovation(frames)) {
                        *e /= s;
                    }
                }
                Innovation::Isotropic => {
                    let variance = mean_noise_variance(predictor);
                    error.iter_mut().for_each(|e| *e /= variance);
                }
            }
            Ok(ScorePiece::PullBack(n))
        }
        ScorePiece::PullBack(n) => {
            let (frames, start, end) = window(n);
            let (past, later) = score.split_at_mut_checked(end).or_bug();
            for (s, e) in later.iter_mut().zip(error.iter()) {
                *s -= e;
            }
            let gradient = past.get_mut(start..).or_bug();
            for (s, e) in gradient.iter_mut().skip(frames.minus(1).times(frame)).zip(error.iter()) {
                *s += e;
            }
            predictor.toward((n as usize).plus(1)).vjp(
                Modes::new(error),
                Path::modes_mut(gradient),
                scratch,
            )?;
            Ok(more(n.saturating_add(1)))
        }
        ScorePiece::Done => Ok(at),
    }
}

/// ŝ = −ε̂/√Σ of every frame from the predictor's score head: no VJP, but each frame sees only its
/// past.
///
/// Arguments and scratch as for [`path_score`]. Source: the variant of the authors' later code; a
/// filtering score.
///
/// # Errors
/// As [`path_score`]; [`Error::NoScoreHead`].
pub fn head_score(
    predictor: &Prepared<'_>,
    path: &Path<Modes>,
    score: &mut Path<Modes>,
    scratch: &mut [f32],
) -> Result<(), Error> {
    score_in_pieces(predictor, path, score, scratch, |at, path, score, scratch| {
        head_score_piece(predictor, at, path, score, scratch)
    })
}

/// As [`path_score_piece`] for [`head_score`], which pulls nothing back.
pub(crate) fn head_score_piece(
    predictor: &Prepared<'_>,
    at: ScorePiece,
    path: &Path<Modes>,
    score: &mut Path<Modes>,
    scratch: &mut [f32],
) -> Result<ScorePiece, Error> {
    let frame = predictor.frame_len();
    let (deviation, scratch) = split_scratch(predictor, frame, scratch)?;
    match at {
        ScorePiece::Begin => {
            let (grid, process) = (&predictor.grid, &predictor.process);
            let channels = checked::counted(deviation.chunks_exact_mut(grid.points()));
            for (n, channel) in channels {
                for (value, kappa) in channel.iter_mut().zip(process.kappas(grid, n)) {
                    *value = libm::sqrtf(process.noise_variance(kappa, predictor.lambda()));
                }
            }
            Ok(ScorePiece::Increment(0))
        }
        ScorePiece::Increment(n) => {
            let end = (n as usize).plus(1).times(frame);
            let frames = (n as usize).plus(1).min(predictor.window);
            let window = path.get(end.minus(frames.times(frame))..end).or_bug();
            let score = score.get_mut(end.minus(frame)..end).or_bug();
            predictor.noise(Path::modes(window), Modes::from_mut(score), scratch)?;
            for (s, deviation) in checked::zip(score.iter_mut(), deviation.iter()) {
                *s = -*s / deviation;
            }
            let next = ScorePiece::Increment(n.saturating_add(1));
            Ok(if end < path.len() { next } else { ScorePiece::Done })
        }
        ScorePiece::PullBack(_) | ScorePiece::Done => Ok(ScorePiece::Done),
    }
}

/// A whole score, after its checks.
fn score_in_pieces(
    predictor: &Prepared<'_>,
    path: &Path<Modes>,
    score: &mut Path<Modes>,
    scratch: &mut [f32],
    piece: impl Fn(ScorePiece, &Path<Modes>, &mut Path<Modes>, &mut [f32]) -> Result<ScorePiece, Error>,
) -> Result<(), Error> {
    check(predictor, path, score)?;
    let mut at = ScorePiece::Begin;
    while at != ScorePiece::Done {
        at = piece(at, path, score, scratch)?;
    }
    Error::finite("score", score)
}

/// −û^0 / (C²P + Σ).
fn first_frame_score(predictor: &Prepared<'_>, path: &[f32], score: &mut [f32]) {
    let (grid, process) = (&predictor.grid, &predictor.process);
    let lambda = predictor.lambda();
    let points = grid.points();
    let channels = predictor.power.chunks_exact(points).zip(path.chunks_exact(points));
    let channels = channels.zip(score.chunks_exact_mut(points));
    for (n, ((power, u), score)) in checked::counted(channels) {
        let modes = power.iter().zip(process.kappas(grid, n));
        for (((power, kappa), u), score) in modes.zip(u).zip(score) {
            *score = -u / process.variance(kappa, lambda, *power);
        }
    }
}

/// v, the mean of Σ over the modes.
fn mean_noise_variance(predictor: &Prepared<'_>) -> f32 {
    let (grid, process) = (&predictor.grid, &predictor.process);
    let mean = |channel| {
        let kappas = process.kappas(grid, channel);
        let sum: f32 = kappas.map(|kappa| process.noise_variance(kappa, predictor.lambda())).sum();
        sum / grid.points() as f32
    };
    // Independent channels are all alike.
    if process.is_coupled() { 0.5 * (mean(0) + mean(1)) } else { mean(0) }
}

/// Whether everything fits.
fn check(predictor: &Prepared<'_>, path: &[f32], score: &[f32]) -> Result<(), Error> {
    let lambda = predictor.lambda();
    Error::check("lambda", lambda, lambda > 0.0, "positive where a score is asked for")?;
    let beta2 = predictor.process.beta2();
    Error::check("beta2", beta2, beta2 > 0.0, "positive: without noise there is no score")?;
    let frame = predictor.frame_len();
    let frames = whole_frames(path.len(), frame)?;
    if path.len() != score.len() {
        return Err(Error::LengthMismatch { left: path.len(), right: score.len() });
    }
    predictor.check_given(frames)?;
    Error::finite("path", path)
}

fn split_scratch<'s>(
    predictor: &Prepared<'_>,
    frame: usize,
    scratch: &'s mut [f32],
) -> Result<(&'s mut [f32], &'s mut [f32]), Error> {
    let too_short =
        Error::ScratchLength { values: scratch.len(), needed: path_score_scratch_len(predictor) };
    if scratch.len() < path_score_scratch_len(predictor) {
        return Err(too_short);
    }
    scratch.split_at_mut_checked(frame).ok_or(too_short)
}
