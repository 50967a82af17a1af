//! The linear Gaussian predictor, solved on the spot from the clean data's autocovariance.

use super::normal::{Complex, EQUATIONS_MAX, Factors, Row};
use super::{Calibration, Predictor, frame_len, input_frames, window_frames};
use crate::checked::{self, OrBug, Place, bug, product, sum};
use crate::process::check_lambda;
use crate::spectral::RadialBins;
use crate::spectral::operator::{ComplexMode, accumulate, by_value, quadruples};
use crate::{Error, ForwardProcess, Grid};

/// The best linear predictor of every complex mode, for each number of available frames 1 … W, channels coupled.
///
/// F = Σ_j A_j û^{n−j} − û^n, with A from the normal equations of the noised path's autocovariance C²Γ + Σ. Exact where
/// the data are Gaussian and homogeneous; elsewhere the base that a network corrects.
///
/// Γ, the autocovariance of the clean data, is `[lag 0 … W][channel out][channel in][y mode][x mode]`, packed (see
/// [`crate::spectral::operator`]): lag l holds E[û^{n+l} (û^n)ᴴ]. It is borrowed, so it may stay in flash.
///
/// Solved in f64; coefficients and S are within 2e-6 of the closed forms where the window's frames are no copies of each
/// other. S is the diagonal of the innovation covariance; on a quadruple of modes it is the mean over both signs.
#[derive(Debug)]
pub struct Linear<'a> {
    grid: Grid,
    process: ForwardProcess,
    channels: usize,
    window: usize,
    lambda: f32,
    calibration: Calibration<'a>,
    autocovariance: &'a [f32],
    /// P: `[channel][mode]`.
    power: &'a mut [f32],
    /// S: `[frames − 1][channel][mode]`.
    innovation: &'a mut [f32],
    /// A_j for a window of w frames: `[w (w − 1)/2 + j][channel out][channel in][mode]`, packed.
    coefficients: &'a mut [f32],
    /// The same of the estimate of the newest frame's noise; empty without one.
    noise_coefficients: &'a mut [f32],
    /// The variance that ε has left given the whole window, `[channel][mode]`; empty without an estimate.
    noise_residual: &'a mut [f32],
}

impl<'a> Linear<'a> {
    /// Most equations, W × channels.
    pub const EQUATIONS_MAX: usize = EQUATIONS_MAX;

    /// Values of memory for a predictor: (1 + W) C N for P and S, C² N W (W + 1)/2 for the coefficients.
    pub const fn memory_len(grid: &Grid, channels: usize, window: usize) -> usize {
        let frames = product(&[channels, grid.points(), sum(&[1, window])]);
        sum(&[frames, coefficients_len(grid, channels, window)])
    }

    /// Takes the autocovariance, whose length decides W, and at least [`Linear::memory_len`] values of memory.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `autocovariance` holds at least lags 0 and 1 for `channels` channels;
    /// [`Error::Count`] if W × channels is above [`Linear::EQUATIONS_MAX`]; [`Error::Parameter`] if a power is negative or not
    /// finite; [`Error::MemoryLength`].
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
        Ok(Self {
            grid: *grid,
            process: *process,
            channels,
            window,
            lambda: f32::NAN,
            calibration: Calibration::NEUTRAL,
            autocovariance,
            power,
            innovation,
            coefficients,
            noise_coefficients: &mut [],
            noise_residual: &mut [],
        })
    }

    /// Values of memory for an estimate of the noise: C N, and C² N W (W + 1)/2.
    pub const fn noise_memory_len(grid: &Grid, channels: usize, window: usize) -> usize {
        let frame = product(&[channels, grid.points()]);
        sum(&[frame, coefficients_len(grid, channels, window)])
    }

    /// The same predictor with a score head, the best linear estimate of the newest frame's unit noise; takes at least
    /// [`Linear::noise_memory_len`] values.
    ///
    /// # Errors
    /// [`Error::MemoryLength`].
    pub fn with_noise(self, memory: &'a mut [f32]) -> Result<Self, Error> {
        let needed = Self::noise_memory_len(&self.grid, self.channels, self.window);
        let values = memory.len();
        let memory = memory.get_mut(..needed).ok_or(Error::MemoryLength { values, needed })?;
        let (noise_residual, noise_coefficients) =
            memory.split_at_mut_checked(frame_len(&self)).or_bug();
        Ok(Self { noise_residual, noise_coefficients, lambda: f32::NAN, ..self })
    }

    /// The same predictor with measured ratios: S is multiplied by `calibration`'s at the next
    /// [`Predictor::prepare`].
    pub fn with_calibration(self, calibration: Calibration<'a>) -> Self {
        Self { calibration, lambda: f32::NAN, ..self }
    }

    /// Solves the normal equations of one complex mode for every number of frames.
    fn solve(&mut self, factors: &mut Factors, mode: ComplexMode, damping: f32, noise: f32) {
        let (channels, points) = (self.channels, self.grid.points());
        let (signal, noise) = (f64::from(damping) * f64::from(damping), f64::from(noise));
        let autocovariance = self.autocovariance;
        // C² Γ(lag), row `a`, column `b`.
        let gamma = |lag: usize, a: usize, b: usize| {
            let base = lag.times(channels).plus(a).times(channels).plus(b).times(points);
            let part = |index: usize| {
                signal * f64::from(autocovariance.get(base.plus(index)).copied().or_bug())
            };
            Complex { re: part(mode.re), im: mode.im.map_or(0.0, part) }
        };
        factors.clear();
        for i in 0..self.window {
            for a in 0..channels {
                let mut row = Row::default();
                let columns = (0..=i).flat_map(|j| (0..channels).map(move |b| (j, b)));
                for (entry, (j, b)) in row.iter_mut().zip(columns.take(i.times(channels).plus(a))) {
                    // Block (i, j) is Γ(j − i) = Γ(i − j)ᴴ.
                    *entry = gamma(i.minus(j), b, a).conj();
                }
                factors.push(row, gamma(0, a, a).re + noise);
            }
        }
        for a in 0..channels {
            let mut reduced = Row::default();
            let columns = (0..self.window).flat_map(|j| (0..channels).map(move |b| (j, b)));
            for (entry, (j, b)) in reduced.iter_mut().zip(columns) {
                *entry = gamma(j.plus(1), a, b);
            }
            factors.reduce(&mut reduced);
            for frames in 1..=self.window {
                let equations = frames.times(channels);
                let left = gamma(0, a, a).re + noise - factors.explained(&reduced, equations);
                let place = frames.minus(1).times(channels).plus(a);
                let innovation = self.innovation.chunks_exact_mut(points).nth(place).or_bug();
                // The newest frame's own noise cannot be predicted.
                put_both(innovation, mode, left.max(noise) as f32);
                self.solution(factors, &reduced, mode, a, frames, Estimate::Increment);
            }
            if self.noise_coefficients.is_empty() {
                continue;
            }
            // Of the window only the newest frame shares noise with ε: E[ε û^{n−j}] = √Σ [j = 0].
            let mut reduced = Row::default();
            match reduced.get_mut(a) {
                Some(entry) => entry.re = libm::sqrt(noise),
                None => bug(),
            }
            factors.reduce(&mut reduced);
            let left = 1.0 - factors.explained(&reduced, self.window.times(channels));
            let residual = self.noise_residual.chunks_exact_mut(points).nth(a).or_bug();
            put_both(residual, mode, left.max(0.0) as f32);
            for frames in 1..=self.window {
                self.solution(factors, &reduced, mode, a, frames, Estimate::Noise);
            }
        }
    }

    /// Puts the solution for row `a` and a window of `frames` frames in its place.
    fn solution(
        &mut self,
        factors: &Factors,
        reduced: &Row,
        mode: ComplexMode,
        a: usize,
        frames: usize,
        estimate: Estimate,
    ) {
        let (channels, points) = (self.channels, self.grid.points());
        let mut solution = *reduced;
        factors.solve(&mut solution, frames.times(channels));
        let (frame, lag) = (frame_len(self), self.lag_len());
        let coefficients = match estimate {
            Estimate::Increment => &mut *self.coefficients,
            Estimate::Noise => &mut *self.noise_coefficients,
        };
        let lags = coefficients.chunks_exact_mut(lag).skip(first_coefficient(frames));
        for (lag, factors) in lags.zip(solution.chunks_exact(channels.max(1))).take(frames) {
            let row = lag.chunks_exact_mut(frame).nth(a).or_bug();
            for (operator, factor) in checked::zip(row.chunks_exact_mut(points), factors) {
                put(operator, mode.re, factor.re as f32);
                if let Some(im) = mode.im {
                    put(operator, im, factor.im as f32);
                }
            }
        }
    }

    /// Solves the normal equations of every mode; S is not calibrated.
    pub(super) fn solve_all(&mut self, lambda: f32) -> Result<(), Error> {
        check_lambda(lambda)?;
        let (grid, process) = (self.grid, self.process);
        let mut factors = Factors::new();
        for (mode, kappa) in by_value(&grid).zip(grid.kappas(process.laplacian())) {
            let Some(mode) = mode else { continue };
            let (c, sigma2) =
                (process.damping(kappa, lambda), process.noise_variance(kappa, lambda));
            self.solve(&mut factors, mode, c, sigma2);
        }
        mean_of_signs(&grid, self.innovation)?;
        if !self.noise_residual.is_empty() {
            mean_of_signs(&grid, self.noise_residual)?;
        }
        self.lambda = lambda;
        Ok(())
    }

    /// The variance that ε has left given the whole window, `[channel][mode]`; empty without a score head.
    pub(super) fn noise_residual(&self) -> &[f32] {
        self.noise_residual
    }

    /// Values of the operators of one lag; not 0, as [`frame_len`].
    fn lag_len(&self) -> usize {
        self.channels.times(frame_len(self)).max(1)
    }

    /// Adds an operator's value at a frame.
    fn apply(&self, operator: &[f32], frame: &[f32], out: &mut [f32]) {
        let points = self.grid.points();
        let rows = operator.chunks_exact(frame_len(self));
        for (row, out) in checked::zip(rows, out.chunks_exact_mut(points)) {
            let inputs = frame.chunks_exact(points);
            for (operator, u) in checked::zip(row.chunks_exact(points), inputs) {
                accumulate(&self.grid, 1.0, operator, u, out);
            }
        }
    }

    /// Multiplies S by what was measured.
    pub(super) fn calibrate(&mut self) {
        if self.calibration == Calibration::NEUTRAL {
            return;
        }
        let position = self.calibration.position(self.lambda);
        let (bins, frame) = (RadialBins::new(&self.grid), frame_len(self));
        for innovation in self.innovation.chunks_exact_mut(frame) {
            let channels = innovation.chunks_exact_mut(self.grid.points());
            for (channel, s) in checked::numbered(channels) {
                for (s, k) in s.iter_mut().zip(self.grid.wavenumbers()) {
                    *s *= self.calibration.innovation(position, channel, bins.bin(k));
                }
            }
        }
    }
}

impl Predictor for Linear<'_> {
    fn grid(&self) -> &Grid {
        &self.grid
    }

    fn process(&self) -> &ForwardProcess {
        &self.process
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn window(&self) -> usize {
        self.window
    }

    /// None.
    fn scratch_len(&self) -> usize {
        0
    }

    fn prepare(&mut self, lambda: f32) -> Result<(), Error> {
        self.solve_all(lambda)?;
        self.calibrate();
        Ok(())
    }

    fn lambda(&self) -> f32 {
        self.lambda
    }

    fn power(&self) -> &[f32] {
        self.power
    }

    fn innovation(&self, frames: usize) -> &[f32] {
        if self.lambda.is_nan() || frames == 0 {
            return &[];
        }
        let place = frames.min(self.window).minus(1);
        self.innovation.chunks_exact(frame_len(self)).nth(place).or_bug()
    }

    fn coefficient(&self, frames: usize, j: usize) -> &[f32] {
        if frames == 0 || frames > self.window || j >= frames {
            return &[];
        }
        let place = first_coefficient(frames).plus(j);
        self.coefficients.chunks_exact(self.lag_len()).nth(place).or_bug()
    }

    fn calibration(&self) -> &Calibration<'_> {
        &self.calibration
    }

    /// Relative error ≤ 1e-6 of the largest term.
    fn increment(&self, window: &[f32], increment: &mut [f32], _: &mut [f32]) -> Result<(), Error> {
        let frames = input_frames(self, window, increment)?;
        let newest_first = window.chunks_exact(frame_len(self)).rev();
        let newest = newest_first.clone().next().or_bug();
        for (value, u) in checked::zip(&mut *increment, newest) {
            *value = -u;
        }
        for (j, frame) in checked::zip(0..frames, newest_first) {
            self.apply(self.coefficient(frames, j), frame, increment);
        }
        Ok(())
    }

    fn has_score_head(&self) -> bool {
        !self.noise_coefficients.is_empty()
    }

    /// The best linear estimate; see [`Linear::with_noise`].
    fn noise(&self, window: &[f32], noise: &mut [f32], _: &mut [f32]) -> Result<(), Error> {
        if self.noise_coefficients.is_empty() {
            return Err(Error::NoScoreHead);
        }
        let frames = input_frames(self, window, noise)?;
        noise.fill(0.0);
        // Those of longer windows come behind.
        let operators = self.noise_coefficients.chunks_exact(self.lag_len());
        let newest_first = window.chunks_exact(frame_len(self)).rev();
        for (frame, operator) in newest_first.zip(operators.skip(first_coefficient(frames))) {
            self.apply(operator, frame, noise);
        }
        Ok(())
    }

    /// Relative error ≤ 1e-6 of the largest term.
    fn vjp(&self, cotangent: &[f32], gradient: &mut [f32], _: &mut [f32]) -> Result<(), Error> {
        let frames = window_frames(self, gradient, cotangent)?;
        let points = self.grid.points();
        let newest_first = gradient.chunks_exact_mut(frame_len(self)).rev();
        for (j, frame) in checked::zip(0..frames, newest_first) {
            if j == 0 {
                for (g, v) in checked::zip(&mut *frame, cotangent) {
                    *g -= v;
                }
            }
            let rows = self.coefficient(frames, j).chunks_exact(frame_len(self));
            for (row, v) in checked::zip(rows, cotangent.chunks_exact(points)) {
                let gradients = frame.chunks_exact_mut(points);
                for (operator, g) in checked::zip(row.chunks_exact(points), gradients) {
                    accumulate(&self.grid, -1.0, operator, v, g);
                }
            }
        }
        Ok(())
    }
}

/// What the window tells.
#[derive(Clone, Copy)]
enum Estimate {
    /// û^{n+1}.
    Increment,
    /// ε^n.
    Noise,
}

/// Operators of shorter windows before those of a window of `frames` frames.
const fn first_coefficient(frames: usize) -> usize {
    pairs(frames.saturating_sub(1))
}

/// 1 + 2 + … + n.
const fn pairs(n: usize) -> usize {
    let next = sum(&[n, 1]);
    if n & 1 == 0 { product(&[n / 2, next]) } else { product(&[n, next / 2]) }
}

/// Values of the operators of every number of frames up to `window`.
const fn coefficients_len(grid: &Grid, channels: usize, window: usize) -> usize {
    product(&[channels, channels, grid.points(), pairs(window)])
}

fn put(values: &mut [f32], index: usize, value: f32) {
    match values.get_mut(index) {
        Some(place) => *place = value,
        None => bug(),
    }
}

/// A variance of a complex mode is that of both its parts.
fn put_both(values: &mut [f32], mode: ComplexMode, value: f32) {
    put(values, mode.re, value);
    if let Some(im) = mode.im {
        put(values, im, value);
    }
}

/// A real mode of a quadruple belongs to both signs.
fn mean_of_signs(grid: &Grid, variances: &mut [f32]) -> Result<(), Error> {
    quadruples(grid, variances, |[plus, _, minus, _]| [0.5 * (plus + minus); 4])
}
