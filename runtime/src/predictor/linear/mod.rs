//! The linear Gaussian predictor, solved on the spot from the clean data's autocovariance.

mod solve;
mod solved;

use super::normal::EQUATIONS_MAX;
use super::prepared::pairs;
use super::{Calibration, Description, Predictor, Prepared};
use crate::checked::{OrBug, Place, product, sum};
use crate::process::check_lambda;
use crate::spectral::operator::by_value;
use crate::{Error, ForwardProcess, Grid};
use solve::{mean_of_signs, put_both};
pub(super) use solved::Solved;

/// The best linear predictor of every complex mode, for each number of available frames 1 … W,
/// channels coupled.
///
/// F = Σ_j A_j û^{n−j} − û^n, with A from the normal equations of the noised path's autocovariance
/// C²Γ + Σ. Exact where the data are Gaussian and homogeneous; elsewhere the base that a network
/// corrects.
///
/// Γ, the autocovariance of the clean data, is
/// `[lag 0 … W][channel out][channel in][y mode][x mode]`, packed (see
/// [`crate::spectral::operator`]): lag l holds E[û^{n+l} (û^n)ᴴ]. It is borrowed, so it may stay in
/// flash.
///
/// Solved in f64; coefficients and S are within 2e-6 of the closed forms where the window's frames
/// are no copies of each other. S is the diagonal of the innovation covariance; on a quadruple of
/// modes it is the mean over both signs. Increments and products have relative errors ≤ 1e-6 of the
/// largest term, and need no scratch.
#[derive(Debug)]
pub struct Linear<'a> {
    autocovariance: &'a [f32],
    description: Description<'a>,
    /// The λ that was solved last; NaN if there is none.
    lambda: f32,
    solved: Solved<'a>,
}

impl<'a> Linear<'a> {
    /// Most equations, W × channels.
    pub const EQUATIONS_MAX: usize = EQUATIONS_MAX;

    /// Values of memory for a predictor: (1 + W) C N for P and S, C² N W (W + 1)/2 for the
    /// coefficients.
    pub const fn memory_len(grid: &Grid, channels: usize, window: usize) -> usize {
        let frames = product(&[channels, grid.points(), sum(&[1, window])]);
        sum(&[frames, coefficients_len(grid, channels, window)])
    }

    /// Takes the autocovariance, whose length decides W, and at least [`Linear::memory_len`] values
    /// of memory.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `autocovariance` holds at least lags 0 and 1 for `channels`
    /// channels; [`Error::Count`] if W × channels is above [`Linear::EQUATIONS_MAX`];
    /// [`Error::Conflict`] for a process that couples other than two channels;
    /// [`Error::Parameter`] if a power is negative or not finite; [`Error::MemoryLength`].
    pub fn new(
        grid: &Grid,
        process: &ForwardProcess,
        channels: usize,
        autocovariance: &'a [f32],
        memory: &'a mut [f32],
    ) -> Result<Self, Error> {
        let points = grid.points();
        let lag = product(&[channels, channels, points]);
        let refused = Error::FieldLength { values: autocovariance.len(), points: lag };
        let lags = autocovariance.len().checked_div(lag).ok_or(refused)?;
        if lags < 2 || product(&[lags, lag]) != autocovariance.len() {
            return Err(refused);
        }
        let window = lags.saturating_sub(1);
        let equations = product(&[window, channels]);
        let solvable = equations <= EQUATIONS_MAX;
        let expected = "at most 16, the equations for each mode";
        Error::count("window × channels", equations, solvable, expected)?;
        process.check_channels(channels == 2)?;
        let (values, needed) = (memory.len(), Self::memory_len(grid, channels, window));
        let memory = memory.get_mut(..needed).ok_or(Error::MemoryLength { values, needed })?;
        let frame = channels.times(points);
        let (power, rest) = memory.split_at_mut_checked(frame).or_bug();
        let (innovation, coefficients) = rest.split_at_mut_checked(window.times(frame)).or_bug();
        // Of lag 0 the diagonal: what a channel has with itself.
        let diagonal = autocovariance.chunks_exact(points).step_by(channels.saturating_add(1));
        for (power, variances) in power.chunks_exact_mut(points).zip(diagonal) {
            for mode in by_value(grid).flatten() {
                let value = variances.get(mode.re).copied().or_bug();
                Error::check("power", value, value >= 0.0, "finite and not negative")?;
                put_both(power, mode, value);
            }
            mean_of_signs(grid, power)?;
        }
        let description = Description {
            grid: *grid,
            process: *process,
            channels,
            window,
            scratch_len: 0,
            power,
            calibration: Calibration::NEUTRAL,
            companions: 0,
            score_head: false,
        };
        let solved = Solved {
            grid: *grid,
            channels,
            innovation,
            coefficients,
            noise_coefficients: &mut [],
            noise_residual: &mut [],
        };
        Ok(Self { autocovariance, description, lambda: f32::NAN, solved })
    }

    /// Values of memory for an estimate of the noise: C N, and C² N W (W + 1)/2.
    pub const fn noise_memory_len(grid: &Grid, channels: usize, window: usize) -> usize {
        let frame = product(&[channels, grid.points()]);
        sum(&[frame, coefficients_len(grid, channels, window)])
    }

    /// The same predictor with a score head, the best linear estimate of the newest frame's unit
    /// noise; takes at least [`Linear::noise_memory_len`] values.
    ///
    /// # Errors
    /// [`Error::MemoryLength`].
    pub fn with_noise(self, memory: &'a mut [f32]) -> Result<Self, Error> {
        let Description { grid, channels, window, .. } = self.description;
        let needed = Self::noise_memory_len(&grid, channels, window);
        let values = memory.len();
        let memory = memory.get_mut(..needed).ok_or(Error::MemoryLength { values, needed })?;
        let (noise_residual, noise_coefficients) =
            memory.split_at_mut_checked(self.description.frame_len()).or_bug();
        let description = Description { score_head: true, ..self.description };
        let solved = Solved { noise_residual, noise_coefficients, ..self.solved };
        Ok(Self { description, solved, lambda: f32::NAN, ..self })
    }

    /// The same predictor with measured ratios: S is multiplied by `calibration`'s.
    pub fn with_calibration(self, calibration: Calibration<'a>) -> Self {
        let description = Description { calibration, ..self.description };
        Self { description, lambda: f32::NAN, ..self }
    }

    /// The same as the base of a predictor that needs scratch and sees companions.
    pub(super) fn below_network(self, scratch_len: usize, companions: usize) -> Self {
        let description = Description { scratch_len, companions, ..self.description };
        Self { description, ..self }
    }

    /// Solves for λ, which has no effect where it is the λ of the last time; `between` has the
    /// tables before S is calibrated.
    pub(super) fn solve_with(
        &mut self,
        lambda: f32,
        between: impl FnOnce(&Description<'_>, &Solved<'_>),
    ) -> Result<(), Error> {
        check_lambda(lambda)?;
        if self.lambda == lambda {
            return Ok(());
        }
        self.lambda = f32::NAN;
        self.solve_all(lambda)?;
        between(&self.description, &self.solved);
        self.calibrate(lambda);
        self.lambda = lambda;
        Ok(())
    }

    /// What was solved, with what computes: its own dynamics, or those that stand on them.
    pub(super) fn prepared<'p>(
        &'p self,
        dynamics: &'p dyn super::Dynamics,
    ) -> Result<Prepared<'p>, Error> {
        Prepared::new(&self.description, self.solved.tables(self.lambda), dynamics)
    }

    pub(super) const fn description(&self) -> Description<'a> {
        self.description
    }

    pub(super) const fn solved(&self) -> &Solved<'a> {
        &self.solved
    }
}

impl Predictor for Linear<'_> {
    fn describe(&self) -> &Description<'_> {
        &self.description
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        self.solve_with(lambda, |_, _| ())?;
        self.prepared(&self.solved)
    }
}

/// Values of the operators of every number of frames up to `window`.
const fn coefficients_len(grid: &Grid, channels: usize, window: usize) -> usize {
    product(&[channels, channels, grid.points(), pairs(window)])
}
