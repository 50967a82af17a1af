//! Modes that were measured.

use crate::{Error, ForwardProcess, Grid, NoiseStream, Predictor};

/// A measurement of clean modes of the first frames of a path.
///
/// A measured mode is ŷ = û_0 + √r η. While Σ ≥ C² r, the noise of λ hides the error of the measurement, and
///
/// ```text
/// û_λ = C ŷ + √(Σ − C² r) ε
/// ```
///
/// is exactly distributed as the truth's path in λ. So a sampler *holds* the mode: û_λ follows the bridge from its
/// value at λ_max to C ŷ, whose step is the Gaussian of û_λ given the mode at the larger λ. It *releases* the mode to the
/// reverse process at the λ where Σ = C² r; a mode measured exactly (r = 0) is held down to λ = 0 and comes out as ŷ. A
/// measurement noisier than λ_max says nothing.
///
/// Exact where modes are independent given the measurement, as when a low mode is measured in every frame of a
/// homogeneous system; elsewhere what was not measured sees the measurement through the noise of λ, not better. Ours.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    values: &'a [f32],
    known: usize,
    variances: &'a [f32],
}

impl<'a> Observation<'a> {
    /// * `values`: ŷ, `[frame][channel][y mode][x mode]`, of the path's first frames; where nothing was measured
    ///   any number.
    /// * `variances`: r, `[channel][y mode][x mode]`, the same for every frame and for both parts of a complex mode;
    ///   infinite where nothing was measured.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `variances` is a frame and `values` whole frames;
    /// [`Error::Parameter`] for a variance that is negative or no number.
    pub fn new(grid: &Grid, values: &'a [f32], variances: &'a [f32]) -> Result<Self, Error> {
        grid.channels(variances.len())?;
        crate::predictor::whole_frames(values.len(), variances.len())?;
        for r in variances {
            if *r < 0.0 || r.is_nan() {
                return Err(Error::Parameter {
                    name: "variances",
                    value: *r,
                    expected: "not negative, and infinite where nothing was measured",
                });
            }
        }
        Ok(Self { values, known: 0, variances })
    }

    /// Frames known exactly, in every mode: `values` as for [`Observation::new`].
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `values` is whole frames of `channels` channels.
    pub fn known(grid: &Grid, channels: usize, values: &'a [f32]) -> Result<Self, Error> {
        let known = crate::predictor::whole_frames(values.len(), grid.points() * channels)?;
        Ok(Self { values, known, variances: &[] })
    }

    /// The same measurement where the first `frames` frames are known exactly, in every mode.
    pub fn with_known(self, frames: usize) -> Self {
        Self { known: frames, ..self }
    }

    /// λ below which a mode measured with the variance `r` is released: where Σ = C² r.
    /// λ_r = ln(1 + 2ακ r/β²) / (2ακ), which is r/β² at κ = 0, the largest. Relative error ≤ 1e-6.
    pub fn release(process: &ForwardProcess, kappa: f32, r: f32) -> f32 {
        let per_lambda = 2.0 * process.alpha() * kappa;
        let at_zero = r / process.beta2();
        if per_lambda * at_zero > 0.0 {
            libm::log1pf(per_lambda * at_zero) / per_lambda
        } else {
            at_zero
        }
    }

    /// Σ − C² r, the variance of û_λ − C ŷ while the mode is held; `None` if it is not.
    pub(super) fn spread(process: &ForwardProcess, kappa: f32, lambda: f32, r: f32) -> Option<f32> {
        if !r.is_finite() {
            return None;
        }
        let noise = process.noise_variance(kappa, lambda);
        let damping = process.damping(kappa, lambda);
        let measured = damping * damping * r;
        // A λ that was chosen as the release is one in spite of rounding.
        (noise >= measured * (1.0 - RELEASE)).then_some((noise - measured).max(0.0))
    }

    /// r of the mode at `index` of a frame, where frames are not known exactly.
    pub(super) fn variance(&self, index: usize) -> f32 {
        self.variances.get(index).copied().unwrap_or(f32::INFINITY)
    }

    /// Whether frame `n` is known exactly.
    pub(super) fn is_known(&self, n: u32) -> bool {
        (n as usize) < self.known
    }

    /// ŷ of a frame of `frame` values, if it was measured.
    pub(super) fn frame(&self, frame: usize, n: u32) -> Option<&'a [f32]> {
        self.values.chunks_exact(frame.max(1)).nth(n as usize)
    }

    /// Sets the held modes of frame `n` at the predictor's λ: û ← C ŷ + √(Σ − C² r) w, w the noise of `stream`.
    pub(super) fn impose<P: Predictor + ?Sized>(
        &self,
        predictor: &P,
        n: u32,
        stream: &NoiseStream,
        frame: &mut [f32],
    ) {
        let (grid, process, lambda) = (predictor.grid(), predictor.process(), predictor.lambda());
        let Some(values) = self.frame(frame.len(), n) else { return };
        let kappas = (0..predictor.channels()).flat_map(|_| grid.kappas(process.laplacian()));
        let modes = frame.iter_mut().zip(values).zip(stream.normals()).zip(kappas);
        for (index, (((u, y), w), kappa)) in modes.enumerate() {
            let r = if self.is_known(n) { 0.0 } else { self.variance(index) };
            if let Some(spread) = Self::spread(process, kappa, lambda, r) {
                *u = process.damping(kappa, lambda) * y + libm::sqrtf(spread) * w;
            }
        }
    }

    pub(super) fn check(&self, frame: usize, path: usize) -> Result<(), Error> {
        if !self.variances.is_empty() && self.variances.len() != frame {
            return Err(Error::FieldLength { values: self.variances.len(), points: frame });
        }
        if self.values.len() > path {
            return Err(Error::LengthMismatch { left: self.values.len(), right: path });
        }
        Ok(())
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
        let modes = self
            .variances
            .chunks_exact(points)
            .flat_map(|channel| channel.iter().zip(grid.kappas(process.laplacian())));
        modes
            .filter(|(r, _)| r.is_finite())
            .map(|(r, kappa)| Self::release(process, kappa, *r))
            .filter(|release| *release > to * (1.0 + CLOSE) && *release < from * (1.0 - CLOSE))
            .reduce(f32::max)
    }
}

/// Rounding of Σ and C² r.
const RELEASE: f32 = 1e-5;
/// Two λ that differ by less are one.
const CLOSE: f32 = 0.1;
