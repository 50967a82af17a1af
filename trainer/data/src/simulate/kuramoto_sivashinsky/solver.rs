//! The pseudo-spectral solver of the Kuramoto-Sivashinsky equation.

use crate::simulate::etdrk4::Etdrk4;
use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::TAU;
use std::sync::Arc;

/// u_t = −u u_x − u_xx − u_xxxx on a periodic line of `length`, advanced by ETDRK4.
///
/// The state is the amplitudes of u(x) = Σ û_m e^{2πi m x/length}, m = 0 … M = ⌊(N−1)/3⌋ (the 2/3
/// rule); those of −m are the conjugates.
pub(crate) struct Solver {
    wavenumbers: Vec<f64>,
    coefficients: Vec<Etdrk4>,
    /// û_m, m = 0 … M; that of m = 0 is real.
    pub(super) amplitudes: Vec<Complex64>,
    stages: [Vec<Complex64>; 3],
    slopes: [Vec<Complex64>; 4],
    product: Product,
}

impl Solver {
    /// The flat solution on `points` points, with time step `dt`.
    pub(crate) fn new(points: usize, length: f64, dt: f64) -> Self {
        let cutoff = (points - 1) / 3;
        let wavenumbers: Vec<_> = (0..=cutoff).map(|m| TAU * m as f64 / length).collect();
        let rate = |k: &f64| k * k - k.powi(4);
        let zeros = vec![Complex64::ZERO; cutoff + 1];
        Self {
            coefficients: wavenumbers.iter().map(|k| Etdrk4::new(rate(k), dt)).collect(),
            wavenumbers,
            stages: std::array::from_fn(|_| zeros.clone()),
            slopes: std::array::from_fn(|_| zeros.clone()),
            amplitudes: zeros,
            product: Product::new(points),
        }
    }

    /// Advances by one time step.
    pub(crate) fn step(&mut self) {
        let Self { wavenumbers, coefficients, amplitudes, stages, slopes, product, .. } = self;
        let [a, b, c] = stages;
        let [nu, na, nb, nc] = slopes;
        let modes = 0..wavenumbers.len();
        product.advection(wavenumbers, amplitudes, nu);
        for m in modes.clone() {
            let e = &coefficients[m];
            a[m] = amplitudes[m] * e.half + nu[m] * e.stage;
        }
        product.advection(wavenumbers, a, na);
        for m in modes.clone() {
            let e = &coefficients[m];
            b[m] = amplitudes[m] * e.half + na[m] * e.stage;
        }
        product.advection(wavenumbers, b, nb);
        for m in modes.clone() {
            let e = &coefficients[m];
            c[m] = a[m] * e.half + (nb[m] * 2.0 - nu[m]) * e.stage;
        }
        product.advection(wavenumbers, c, nc);
        for m in modes {
            let e = &coefficients[m];
            let [first, middle, last] = e.weights;
            amplitudes[m] =
                amplitudes[m] * e.whole + nu[m] * first + (na[m] + nb[m]) * middle + nc[m] * last;
        }
    }

    /// u on the points, into `values`.
    pub(crate) fn sample(&mut self, values: &mut [f32]) {
        self.product.fill_line(&self.amplitudes);
        for (value, point) in values.iter_mut().zip(&self.product.line) {
            *value = point.re as f32;
        }
    }

    /// ⟨u²⟩ / 2, the mean over the line.
    pub(crate) fn energy(&self) -> f64 {
        self.mean(|_| 0.5)
    }

    /// Σ over all m of `weight(k)` |û_m|².
    pub(super) fn mean(&self, weight: impl Fn(f64) -> f64) -> f64 {
        let mode = |(m, u): (usize, &Complex64)| {
            let both = if m == 0 { 1.0 } else { 2.0 };
            both * weight(self.wavenumbers[m]) * u.norm_sqr()
        };
        self.amplitudes.iter().enumerate().map(mode).sum()
    }
}

struct Product {
    forward: Arc<dyn Fft<f64>>,
    inverse: Arc<dyn Fft<f64>>,
    line: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Product {
    fn new(points: usize) -> Self {
        let mut planner = FftPlanner::new();
        let (forward, inverse) =
            (planner.plan_fft_forward(points), planner.plan_fft_inverse(points));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        Self {
            forward,
            inverse,
            line: vec![Complex64::ZERO; points],
            scratch: vec![Complex64::ZERO; scratch],
        }
    }

    fn fill_line(&mut self, amplitudes: &[Complex64]) {
        let n = self.line.len();
        self.line.fill(Complex64::ZERO);
        self.line[0] = amplitudes[0];
        for (m, u) in amplitudes.iter().enumerate().skip(1) {
            self.line[m] = *u;
            self.line[n - m] = u.conj();
        }
        self.inverse.process_with_scratch(&mut self.line, &mut self.scratch);
    }

    /// −u u_x = −½ (u²)_x of `amplitudes` into `slope`.
    fn advection(&mut self, k: &[f64], amplitudes: &[Complex64], slope: &mut [Complex64]) {
        self.fill_line(amplitudes);
        for u in &mut self.line {
            *u = Complex64::new(u.re * u.re, 0.0);
        }
        self.forward.process_with_scratch(&mut self.line, &mut self.scratch);
        let factor = -0.5 / self.line.len() as f64;
        for ((slope, square), k) in slope.iter_mut().zip(&self.line).zip(k) {
            *slope = Complex64::new(-square.im, square.re) * (factor * k);
        }
    }
}
