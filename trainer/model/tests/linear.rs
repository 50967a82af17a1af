//! The linear predictor against the closed forms of the per-mode AR(1) system.

use finescale_model::linear::{Autocovariance, LinearPredictor};
use nalgebra::{Complex, DMatrix, DVector};

const ALPHA: f64 = 0.3;
const BETA2: f64 = 2.0;

/// û^{n+1} = ρ û^n + …, with P = 4/(1+(k/4)⁴) and ρ = exp(−0.05 (1 + k/4) + 0.045 i k).
fn system(k: f64) -> (f64, Complex<f64>) {
    let power = 4.0 / (1.0 + (k / 4.0).powi(4));
    (power, Complex::new(-0.05 * (1.0 + k / 4.0), 0.045 * k).exp())
}

/// The AR(1) process û^{n+1} = ρ û^n + √(P (1 − |ρ|²)) w: lag l is P ρ^l. One channel.
fn autoregressive(power: f64, rho: Complex<f64>, lags: usize) -> Autocovariance {
    let lag = |l| DMatrix::from_element(1, 1, rho.powi(l as i32) * power);
    Autocovariance::new((0..=lags).map(lag).collect()).expect("matrices of one size")
}

/// (C, Σ) at κ = k².
fn forward(k: f64, lambda: f64) -> (f64, f64) {
    let x = 2.0 * ALPHA * k * k * lambda;
    let shape = if x > 0.0 { -(-x).exp_m1() / x } else { 1.0 };
    ((-ALPHA * k * k * lambda).exp(), BETA2 * lambda * shape)
}

fn fit(k: f64, lambda: f64, window: usize) -> LinearPredictor {
    let (power, rho) = system(k);
    let (c, sigma2) = forward(k, lambda);
    LinearPredictor::fit(&autoregressive(power, rho, window), c, sigma2, window).expect("a fit")
}

fn innovation(k: f64, lambda: f64, window: usize) -> f64 {
    fit(k, lambda, window).innovation()[(0, 0)].re
}

#[test]
fn the_reference_table_is_reproduced() {
    // k, λ, S with full history, Σ, S with one frame: all to the five digits given.
    let table = [
        (1.0, 0.2, 0.99935, 0.37693, 1.09275),
        (4.0, 0.2, 0.28602, 0.17779, 0.32156),
        (9.0, 0.05, 0.04637, 0.03753, 0.04826),
    ];
    for (k, lambda, full, sigma2, one) in table {
        assert!((forward(k, lambda).1 - sigma2).abs() < 6e-6);
        assert!((innovation(k, lambda, 200) - full).abs() < 6e-6, "k = {k}");
        assert!((innovation(k, lambda, 1) - one).abs() < 6e-6, "k = {k}");
    }
}

#[test]
fn one_frame_is_the_closed_form() {
    for (k, lambda) in [(0.0, 0.3), (1.0, 0.2), (4.0, 0.01), (9.0, 0.05), (20.0, 1.0)] {
        let ((power, rho), (c, sigma2)) = (system(k), forward(k, lambda));
        let signal = c * c * power;
        let expected = rho * signal / (signal + sigma2);
        let got = fit(k, lambda, 1).coefficients()[0][(0, 0)];
        assert!((got - expected).norm() < 1e-13);
        let s = signal + sigma2 - (rho * signal).norm_sqr() / (signal + sigma2);
        assert!((innovation(k, lambda, 1) / s - 1.0).abs() < 1e-13);
    }
}

#[test]
fn a_long_window_reaches_the_kalman_filter() {
    for (k, lambda) in [(1.0, 0.2), (4.0, 0.05), (9.0, 0.05), (2.0, 1.0)] {
        let ((power, rho), (c, r)) = (system(k), forward(k, lambda));
        let decay = 1.0 - rho.norm_sqr();
        let q = c * c * power * decay;
        let b = q - r * decay;
        let m = 0.5 * (b + (b * b + 4.0 * q * r).sqrt());
        assert!((innovation(k, lambda, 150) / (m + r) - 1.0).abs() < 1e-9, "k = {k}");
        // A longer window is never worse.
        let errors: Vec<f64> = (1..12).map(|w| innovation(k, lambda, w)).collect();
        assert!(errors.windows(2).all(|pair| pair[1] <= pair[0] * (1.0 + 1e-12)));
    }
}

/// G_λ = C²P [ρ^{i−j}; conjugate above the diagonal] + Σ I.
fn path_covariance(k: f64, lambda: f64, frames: usize) -> DMatrix<Complex<f64>> {
    let ((power, rho), (c, sigma2)) = (system(k), forward(k, lambda));
    DMatrix::from_fn(frames, frames, |i, j| {
        let lag = rho.powi(i.abs_diff(j) as i32) * (c * c * power);
        let lag = if i < j { lag.conj() } else { lag };
        if i == j { lag + sigma2 } else { lag }
    })
}

/// Relative error of −G⁻¹û, the score of a path, from predictors of at most `window` frames: they
/// are the factors of the precision, G⁻¹ = Bᴴ D⁻¹ B, B what takes a path to its one-step errors.
fn error_of_score(k: f64, lambda: f64, frames: usize, window: usize) -> f64 {
    let value = |n: usize| Complex::new((1.3 * n as f64).sin() + 0.2, (0.7 * n as f64).cos());
    let path = DVector::from_fn(frames, |n, _| value(n));
    let exact = -path_covariance(k, lambda, frames).lu().solve(&path).expect("invertible");
    let ((power, _), (c, sigma2)) = (system(k), forward(k, lambda));
    let mut errors = DMatrix::<Complex<f64>>::identity(frames, frames);
    let mut variances = DVector::from_element(frames, Complex::from(c * c * power + sigma2));
    for n in 1..frames {
        let predictor = fit(k, lambda, n.min(window));
        variances[n] = predictor.innovation()[(0, 0)];
        for (j, a) in predictor.coefficients().iter().enumerate() {
            errors[(n, n - 1 - j)] = -a[(0, 0)];
        }
    }
    let score = -(errors.adjoint() * (&errors * path).component_div(&variances));
    (score - &exact).norm() / exact.norm()
}

#[test]
fn with_full_history_the_score_is_exact() {
    for (k, lambda) in [(0.0, 0.2), (1.0, 0.2), (4.0, 0.2), (9.0, 0.05), (16.0, 0.001)] {
        let error = error_of_score(k, lambda, 16, 15);
        assert!(error < 1e-11, "k = {k}: {error:e}");
        // A short window is an approximation, and a better one the longer it is.
        assert!(error_of_score(k, lambda, 16, 3) > error);
    }
    assert!(error_of_score(1.0, 0.2, 16, 8) < error_of_score(1.0, 0.2, 16, 2));
}

#[test]
fn channels_that_mix_are_the_single_channels_rotated() {
    // Two independent modes, rotated into two coupled channels: S must be the rotated S.
    let lambda = 0.2;
    let (sin, cos) = 0.6_f64.sin_cos();
    let turn = DMatrix::from_row_slice(2, 2, &[cos, -sin, sin, cos].map(Complex::from));
    let ((p1, r1), (p2, r2)) = (system(1.0), system(4.0));
    let (c, sigma2) = forward(1.0, lambda);
    let single = |power, rho| autoregressive(power, rho, 4);
    let lags = (0..=4)
        .map(|l| {
            let diagonal = [r1.powi(l) * p1, r2.powi(l) * p2];
            &turn
                * DMatrix::from_diagonal(&DVector::from_column_slice(&diagonal))
                * turn.transpose()
        })
        .collect();
    let coupled = Autocovariance::new(lags).expect("square");
    let together = LinearPredictor::fit(&coupled, c, sigma2, 4).expect("a fit");
    let apart = [single(p1, r1), single(p2, r2)]
        .map(|lags| LinearPredictor::fit(&lags, c, sigma2, 4).expect("a fit").innovation()[(0, 0)]);
    let expected =
        &turn * DMatrix::from_diagonal(&DVector::from_column_slice(&apart)) * turn.transpose();
    assert!((together.innovation() - expected).norm() < 1e-12);
}

#[test]
fn refusals_name_the_window() {
    let lags = autoregressive(1.0, Complex::from(0.5), 3);
    for window in [0, 4] {
        let said =
            LinearPredictor::fit(&lags, 1.0, 0.1, window).expect_err("a refusal").to_string();
        assert!(said.contains("use 1 to 3"), "{said}");
    }
    let silent = autoregressive(0.0, Complex::from(0.5), 3);
    assert!(LinearPredictor::fit(&silent, 1.0, 0.0, 1).is_err());
}
