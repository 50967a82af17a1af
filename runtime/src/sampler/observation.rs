//! Modes that were measured.

use crate::checked::{self, Place};
use crate::predictor::{Prepared, whole_frames};
use crate::process::Kappa;
use crate::{Error, ForwardProcess, Grid, Modes, NoiseStream, Path};

/// A measurement of clean modes of the first frames of a path.
///
/// A measured mode is ŷ = û_0 + √r η. While Σ ≥ C² r, the noise of λ hides the error of the
/// measurement, and
///
/// ```text
/// û_λ = C ŷ + √(Σ − C² r) ε
/// ```
///
/// is exactly distributed as the truth's path in λ. So a sampler *holds* the mode: û_λ follows the
/// bridge from its value at λ_max to C ŷ, whose step is the Gaussian of û_λ given the mode at the
/// larger λ. It *releases* the mode to the reverse process at the λ where Σ = C² r; a mode measured
/// exactly (r = 0) is held down to λ = 0 and comes out as ŷ. A measurement noisier than λ_max says
/// nothing. No bound of a sampler moves a mode that is held.
///
/// Exact where modes are independent given the measurement, as when a low mode is measured in every
/// frame of a homogeneous system; elsewhere what was not measured sees the measurement through the
/// noise of λ, not better.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    values: &'a Path<Modes>,
    known: usize,
    uncertainty: Uncertainty<'a>,
}

/// How well the modes of a path's frames are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Uncertainty<'a> {
    /// r, `[channel][y mode][x mode]`: one frame, which holds for all, or frame after frame; the
    /// same for both parts of a complex mode, infinite where nothing was measured. Empty: 0, every
    /// mode is known exactly.
    pub variances: &'a [f32],
    /// Whether each frame is missing; frames beyond the end of this slice are there.
    pub missing: &'a [bool],
}

impl Uncertainty<'_> {
    /// r of the mode at `index` of frame `n` of `frame` values; infinite if it was not measured.
    pub(super) fn variance(&self, frame: usize, n: u32, index: usize) -> f32 {
        if self.is_missing(n) {
            return f32::INFINITY;
        }
        if self.variances.is_empty() {
            return 0.0;
        }
        let at = if self.varies(frame) { (n as usize).times(frame).plus(index) } else { index };
        // Frames of a path beyond those of an observation were not measured.
        self.variances.get(at).copied().unwrap_or(f32::INFINITY)
    }

    /// Whether frames have variances of their own.
    pub(super) const fn varies(&self, frame: usize) -> bool {
        self.variances.len() > frame
    }

    /// Whether frame `n` is missing.
    pub(super) fn is_missing(&self, n: u32) -> bool {
        self.missing.get(n as usize).is_some_and(|missing| *missing)
    }

    /// Variances must be those of a frame or of all of `frames` frames, or none, and no number
    /// below zero.
    pub(super) fn check(&self, frame: usize, frames: usize) -> Result<(), Error> {
        let values = self.variances.len();
        if values != 0 && values != frame && frames.checked_mul(frame) != Some(values) {
            return Err(Error::FieldLength { values, points: frame });
        }
        match self.variances.iter().find(|r| r.is_nan() || **r < 0.0) {
            Some(r) => Err(Error::Parameter {
                name: "variances",
                value: *r,
                expected: "not negative, and infinite where nothing was measured",
            }),
            None => Ok(()),
        }
    }
}

impl<'a> Observation<'a> {
    /// * `values`: ŷ, `[frame][channel][y mode][x mode]`, of the path's first frames; where nothing
    ///   was measured any number.
    /// * `variances`: r, `[channel][y mode][x mode]`, one frame that holds for every frame, or as
    ///   many frames as `values`; the same for both parts of a complex mode; infinite where nothing
    ///   was measured. That of pixels of which some are missing comes from
    ///   [`pixel_measurement`](super::pixel_measurement).
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `values` is whole frames and `variances` one or as many;
    /// [`Error::Parameter`] for a variance that is negative or no number. Whether measured values
    /// are numbers is checked where a sampler takes them.
    pub fn new(grid: &Grid, values: &'a Path<Modes>, variances: &'a [f32]) -> Result<Self, Error> {
        let channels = grid.channels(variances.len())?;
        // One frame of variances, or as many as there are values: the number of channels is not
        // given.
        let frame = if variances.len() == values.len() {
            grid.points()
        } else {
            channels.saturating_mul(grid.points())
        };
        whole_frames(values.len(), frame)?;
        let uncertainty = Uncertainty { variances, missing: &[] };
        uncertainty.check(frame, values.len() / frame.max(1))?;
        Ok(Self { values, known: 0, uncertainty })
    }

    /// Frames known exactly, in every mode: `values` as for [`Observation::new`].
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `values` is whole frames of `channels` channels.
    pub fn known(grid: &Grid, channels: usize, values: &'a Path<Modes>) -> Result<Self, Error> {
        let frame = checked::product(&[grid.points(), channels]);
        let known = whole_frames(values.len(), frame)?;
        Ok(Self { values, known, uncertainty: Uncertainty::default() })
    }

    /// The same measurement where the first `frames` frames are known exactly, in every mode.
    pub fn with_known(self, frames: usize) -> Self {
        Self { known: frames, ..self }
    }

    /// The same measurement without those frames that `missing` marks; frames beyond the end of
    /// `missing` are there.
    pub fn without(self, missing: &'a [bool]) -> Self {
        Self { uncertainty: Uncertainty { missing, ..self.uncertainty }, ..self }
    }

    /// λ below which a mode measured with the variance `r` is released: where Σ = C² r.
    ///
    /// λ_r = ln(1 + 2ακ r/β²) / (2ακ), which is r/β² at κ = 0, the largest; infinite for r > 0 in a
    /// process without noise. Relative error ≤ 1e-6, and 1e-5 beyond a switch.
    pub fn release(process: &ForwardProcess, kappa: impl Into<Kappa>, r: f32) -> f32 {
        process.scale(kappa.into(), r)
    }

    /// Σ − C² r, the variance of û_λ − C ŷ while the mode is held; `None` if it is not.
    pub(super) fn spread(
        process: &ForwardProcess,
        kappa: Kappa,
        lambda: f32,
        r: f32,
    ) -> Option<f32> {
        if !r.is_finite() {
            return None;
        }
        let noise = process.noise_variance(kappa, lambda);
        let damping = process.damping(kappa, lambda);
        let measured = damping * damping * r;
        // A λ that was chosen as the release is one in spite of rounding.
        (noise >= measured * (1.0 - RELEASE)).then_some((noise - measured).max(0.0))
    }

    /// r of the mode at `index` of frame `n`: 0 of a known frame, infinite where nothing was
    /// measured.
    pub(super) fn variance(&self, frame: usize, n: u32, index: usize) -> f32 {
        if self.is_known(n) { 0.0 } else { self.uncertainty.variance(frame, n, index) }
    }

    /// r that the mode at `index` has in every frame that is neither known nor missing; `None` if
    /// frames differ.
    pub(super) fn common_variance(&self, frame: usize, index: usize) -> Option<f32> {
        let there = Uncertainty { missing: &[], ..self.uncertainty };
        (!there.varies(frame)).then(|| there.variance(frame, 0, index))
    }

    /// Whether frames have variances of their own.
    pub(super) const fn varies(&self, frame: usize) -> bool {
        self.uncertainty.varies(frame)
    }

    /// Whether frame `n` is known exactly.
    pub(super) fn is_known(&self, n: u32) -> bool {
        (n as usize) < self.known
    }

    /// ŷ of frame `n` of `frame` values, if it was measured.
    pub(super) fn frame(&self, frame: usize, n: u32) -> Option<&'a [f32]> {
        if !self.is_known(n) && self.uncertainty.is_missing(n) {
            return None;
        }
        self.values.chunks_exact(frame.max(1)).nth(n as usize)
    }

    /// ŷ and r of the mode at `index` of frame `n`, if it is held at λ.
    pub(super) fn held(
        &self,
        (process, kappa, lambda): (&ForwardProcess, Kappa, f32),
        (frame, n, index): (usize, u32, usize),
    ) -> bool {
        let r = self.variance(frame, n, index);
        self.frame(frame, n).is_some() && Self::spread(process, kappa, lambda, r).is_some()
    }

    /// Sets the held modes of frame `n` at the predictor's λ: û ← C ŷ + √(Σ − C² r) w, w the noise
    /// of `stream`.
    pub(super) fn impose(
        &self,
        predictor: &Prepared<'_>,
        n: u32,
        stream: &NoiseStream,
        frame: &mut [f32],
    ) {
        let (process, lambda) = (&predictor.process, predictor.lambda());
        let len = frame.len();
        let Some(values) = self.frame(len, n) else { return };
        let noised = frame.iter_mut().zip(values).zip(stream.normals());
        let modes = noised.zip(predictor.kappas());
        for (index, (((u, y), w), kappa)) in checked::counted(modes) {
            let r = self.variance(len, n, index);
            if let Some(spread) = Self::spread(process, kappa, lambda, r) {
                *u = process.damping(kappa, lambda) * y + libm::sqrtf(spread) * w;
            }
        }
    }

    pub(super) fn check(&self, frame: usize, path: usize) -> Result<(), Error> {
        if self.values.len() > path {
            return Err(Error::LengthMismatch { left: self.values.len(), right: path });
        }
        let frames = whole_frames(self.values.len(), frame)?;
        self.uncertainty.check(frame, frames)?;
        let variance = |n, index| self.variance(frame, n, index);
        measured_are_finite("observation", self.values, frame, variance)
    }

    /// The largest λ_r below `from` and above `to`: a step that would pass it ends there.
    pub(super) fn stop(
        &self,
        process: &ForwardProcess,
        grid: &Grid,
        from: f32,
        to: f32,
    ) -> Option<f32> {
        let points = grid.points();
        let modes = self.uncertainty.variances.chunks_exact(points);
        let modes = checked::counted(modes)
            .flat_map(|(n, channel)| channel.iter().zip(process.kappas(grid, n)));
        modes
            .filter(|(r, _)| r.is_finite())
            .map(|(r, kappa)| Self::release(process, kappa, *r))
            .filter(|release| *release > to * (1.0 + CLOSE) && *release < from * (1.0 - CLOSE))
            .reduce(f32::max)
    }
}

/// Values that were measured, those of a finite `variance` of (frame, mode), must be numbers.
pub(super) fn measured_are_finite(
    name: &'static str,
    values: &[f32],
    frame: usize,
    variance: impl Fn(u32, usize) -> f32,
) -> Result<(), Error> {
    for (n, values) in checked::numbered_frames(values.chunks_exact(frame.max(1))) {
        for (index, value) in checked::counted(values) {
            if !value.is_finite() && variance(n, index).is_finite() {
                let index = (n as usize).saturating_mul(frame).saturating_add(index);
                return Err(Error::NotFinite { name, index });
            }
        }
    }
    Ok(())
}

/// Rounding of Σ and C² r.
const RELEASE: f32 = 1e-5;
/// Two λ that differ by less are one.
const CLOSE: f32 = 0.1;
