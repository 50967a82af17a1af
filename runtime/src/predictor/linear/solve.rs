//! Solving for the linear predictor at one λ.

use super::super::normal::{BELOW_MAX, Complex, EQUATIONS_MAX, Room, System};
use super::super::prepared::first_coefficient;
use super::super::{Calibration, Description};
use super::Linear;
use crate::checked::{self, OrBug, Place, bug};
use crate::spectral::RadialBins;
use crate::spectral::operator::{ComplexMode, by_value, quadruples};
use crate::{Error, ForwardProcess, Grid};

impl Linear<'_> {
    /// Solves the normal equations of one complex mode for every number of frames.
    fn solve(&mut self, system: &mut System<'_>, mode: ComplexMode, noised: &Noised) {
        let System { factors, reduced, solution } = system;
        let Description { channels, window, .. } = self.description;
        let points = self.description.grid.points();
        let autocovariance = self.autocovariance;
        // C Γ(lag) C, row `a`, column `b`.
        let gamma = |lag: usize, a: usize, b: usize| {
            let base = lag.times(channels).plus(a).times(channels).plus(b).times(points);
            let signal = noised.signal(a, b);
            let part = |index: usize| {
                signal * f64::from(autocovariance.get(base.plus(index)).copied().or_bug())
            };
            Complex { re: part(mode.re), im: mode.im.map_or(0.0, part) }
        };
        factors.clear();
        for i in 0..window {
            for a in 0..channels {
                let row = &mut **reduced;
                row.fill(Complex::default());
                let columns = (0..=i).flat_map(|j| (0..channels).map(move |b| (j, b)));
                for (entry, (j, b)) in row.iter_mut().zip(columns.take(i.times(channels).plus(a))) {
                    // Block (i, j) is Γ(j − i) = Γ(i − j)ᴴ.
                    *entry = gamma(i.minus(j), b, a).conj();
                }
                factors.push(row, gamma(0, a, a).re + noised.noise(a));
            }
        }
        for a in 0..channels {
            let noise = noised.noise(a);
            reduced.fill(Complex::default());
            let columns = (0..window).flat_map(|j| (0..channels).map(move |b| (j, b)));
            for (entry, (j, b)) in reduced.iter_mut().zip(columns) {
                *entry = gamma(j.plus(1), a, b);
            }
            factors.reduce(reduced);
            for frames in 1..=window {
                let equations = frames.times(channels);
                let left = gamma(0, a, a).re + noise - factors.explained(reduced, equations);
                let place = frames.minus(1).times(channels).plus(a);
                let innovation =
                    self.solved.innovation.chunks_exact_mut(points).nth(place).or_bug();
                // The newest frame's own noise cannot be predicted.
                put_both(innovation, mode, left.max(noise) as f32);
                let solution = factors.solution(reduced, solution, equations);
                self.put_solution(solution, mode, a, frames, Estimate::Increment);
            }
            if self.solved.noise_coefficients.is_empty() {
                continue;
            }
            // Of the window only the newest frame shares noise with ε: E[ε û^{n−j}] = √Σ [j = 0].
            reduced.fill(Complex::default());
            match reduced.get_mut(a) {
                Some(entry) => entry.re = libm::sqrt(noise),
                None => bug(),
            }
            factors.reduce(reduced);
            let left = 1.0 - factors.explained(reduced, window.times(channels));
            let residual = self.solved.noise_residual.chunks_exact_mut(points).nth(a).or_bug();
            put_both(residual, mode, left.max(0.0) as f32);
            for frames in 1..=window {
                let solution = factors.solution(reduced, solution, frames.times(channels));
                self.put_solution(solution, mode, a, frames, Estimate::Noise);
            }
        }
    }

    /// Puts the solution for row `a` and a window of `frames` frames in its place.
    fn put_solution(
        &mut self,
        solution: &[Complex],
        mode: ComplexMode,
        a: usize,
        frames: usize,
        estimate: Estimate,
    ) {
        let channels = self.description.channels;
        let points = self.description.grid.points();
        let (frame, lag) = (self.solved.frame_len(), self.solved.lag_len());
        let coefficients = match estimate {
            Estimate::Increment => &mut *self.solved.coefficients,
            Estimate::Noise => &mut *self.solved.noise_coefficients,
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
    // A call of its own, so that its stack is free again afterwards.
    #[inline(never)]
    pub(super) fn solve_all(&mut self, lambda: f32) -> Result<(), Error> {
        let Description { grid, channels, window, .. } = self.description;
        match window.times(channels) {
            0..=4 => self.solve_in::<4, 6>(lambda),
            5..=8 => self.solve_in::<8, 28>(lambda),
            _ => self.solve_in::<EQUATIONS_MAX, BELOW_MAX>(lambda),
        }
        mean_of_signs(&grid, self.solved.innovation)?;
        if !self.solved.noise_residual.is_empty() {
            mean_of_signs(&grid, self.solved.noise_residual)?;
        }
        Ok(())
    }

    /// With so much room on the stack, which is free again afterwards.
    #[inline(never)]
    fn solve_in<const EQUATIONS: usize, const BELOW: usize>(&mut self, lambda: f32) {
        self.solve_each(&mut Room::<EQUATIONS, BELOW>::new().system(), lambda);
    }

    #[inline(never)]
    fn solve_each(&mut self, system: &mut System<'_>, lambda: f32) {
        let Description { grid, process, .. } = self.description;
        for (mode, kappa) in by_value(&grid).zip(grid.kappas(process.laplacian())) {
            let Some(mode) = mode else { continue };
            self.solve(system, mode, &Noised::new(&process, kappa, lambda));
        }
    }

    /// Multiplies S by what was measured.
    pub(super) fn calibrate(&mut self, lambda: f32) {
        let Description { grid, calibration, .. } = &self.description;
        if *calibration == Calibration::NEUTRAL {
            return;
        }
        let (position, bins) = (calibration.position(lambda), RadialBins::new(grid));
        let frame = self.solved.frame_len();
        for innovation in self.solved.innovation.chunks_exact_mut(frame) {
            let channels = innovation.chunks_exact_mut(grid.points());
            for (channel, s) in checked::numbered(channels) {
                for (s, k) in s.iter_mut().zip(grid.wavenumbers()) {
                    *s *= calibration.innovation(position, channel, bins.bin(k));
                }
            }
        }
    }
}

/// A mode of noised channels.
struct Noised {
    /// C² and Σ of the channels; where two are coupled, those of the first.
    own: [f64; 2],
    /// Of the second one. Where there is no coupling, it is not asked for.
    second: [f64; 2],
    /// The product of both C.
    between: f64,
    coupled: bool,
}

impl Noised {
    fn new(process: &ForwardProcess, kappa: f32, lambda: f32) -> Self {
        let of = |channel| {
            let kappa = process.kappa(channel, kappa);
            (f64::from(process.damping(kappa, lambda)), process.noise_variance(kappa, lambda))
        };
        let coupled = process.is_coupled();
        let (c, noise) = of(0);
        let (d, other) = if coupled { of(1) } else { (c, noise) };
        Self {
            own: [c * c, f64::from(noise)],
            second: [d * d, f64::from(other)],
            between: c * d,
            coupled,
        }
    }

    /// The product of the C of two channels.
    fn signal(&self, a: usize, b: usize) -> f64 {
        match (self.coupled, a, b) {
            (false, ..) | (true, 0, 0) => self.own[0],
            (true, 1, 1) => self.second[0],
            _ => self.between,
        }
    }

    /// Σ of a channel.
    fn noise(&self, a: usize) -> f64 {
        if self.coupled && a == 1 { self.second[1] } else { self.own[1] }
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

fn put(values: &mut [f32], index: usize, value: f32) {
    match values.get_mut(index) {
        Some(place) => *place = value,
        None => bug(),
    }
}

/// A variance of a complex mode is that of both its parts.
pub(super) fn put_both(values: &mut [f32], mode: ComplexMode, value: f32) {
    put(values, mode.re, value);
    if let Some(im) = mode.im {
        put(values, im, value);
    }
}

/// A real mode of a quadruple belongs to both signs.
pub(super) fn mean_of_signs(grid: &Grid, variances: &mut [f32]) -> Result<(), Error> {
    quadruples(grid, variances, |[plus, _, minus, _]| [0.5 * (plus + minus); 4])
}
