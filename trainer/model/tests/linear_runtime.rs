//! The runtime's linear predictor against the f64 one, mode by mode.

use finescale::predictor::Linear;
use finescale::spectral::operator::complex_modes;
use finescale::{Axis, Boundary, ForwardProcess, Grid, Laplacian, Predictor};
use finescale_model::linear::{Autocovariance, LinearPredictor};
use nalgebra::{Complex, DMatrix};

/// Channels that drive each other, rotate with k and decay: Γ(l) = Mˡ Γ(0).
fn lags(channels: usize, wave: f64, count: usize, real: bool) -> Vec<DMatrix<Complex<f64>>> {
    let spread = DMatrix::from_fn(channels, channels, |a, b| {
        let phase = if real { 0.0 } else { 0.2 * wave + (a as f64 - b as f64) * 0.3 };
        Complex::from_polar(if a == b { 0.8 } else { 0.05 }, phase)
    });
    // The covariance of x = Σ_i Mⁱ w: positive, and the autocovariances follow.
    let mut power = DMatrix::identity(channels, channels);
    let mut term = power.clone();
    for _ in 0..200 {
        term = &spread * term * spread.adjoint();
        power += &term;
    }
    power *= Complex::from(4.0 / (1.0 + (wave / 4.0).powi(4)));
    (0..=count).map(|l| spread.pow(l as u32) * &power).collect()
}

fn cases() -> Vec<(Grid, usize, usize)> {
    let axis = |n, b| Axis::new(n, b).expect("an axis");
    let plane = |y, x| Grid::plane(y, x).expect("a plane");
    let (periodic, reflecting) = (Boundary::Periodic, Boundary::Reflecting);
    vec![
        (Grid::line(axis(64, periodic)), 1, 3),
        (Grid::line(axis(32, periodic)), 3, 5),
        (Grid::line(axis(16, reflecting)), 2, 4),
        (plane(axis(8, periodic), axis(16, periodic)), 2, 3),
        (plane(axis(16, reflecting), axis(8, periodic)), 1, 5),
        (plane(axis(8, periodic), axis(8, reflecting)), 2, 8),
    ]
}

#[test]
fn coefficients_and_innovations_are_those_in_f64() {
    for (grid, channels, window) in cases() {
        let n = grid.points();
        let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).expect("a process");
        let waves: Vec<f64> =
            grid.wavenumbers().map(|(y, x)| f64::from(y).hypot(f64::from(x))).collect();
        // The two signs of a quadruple must differ, or a mix-up would pass.
        let system = |re: usize, im: Option<usize>| {
            lags(channels, waves[re] + 0.01 * re as f64, window, im.is_none())
        };
        let mut packed = vec![0.0_f32; (window + 1) * channels * channels * n];
        for mode in complex_modes(&grid) {
            for (l, lag) in system(mode.re, mode.im).iter().enumerate() {
                for a in 0..channels {
                    for b in 0..channels {
                        let base = ((l * channels + a) * channels + b) * n;
                        packed[base + mode.re] = lag[(a, b)].re as f32;
                        if let Some(im) = mode.im {
                            packed[base + im] = lag[(a, b)].im as f32;
                        }
                    }
                }
            }
        }
        let mut memory = vec![f32::NAN; Linear::memory_len(&grid, channels, window)];
        let mut linear =
            Linear::new(&grid, &process, channels, &packed, &mut memory).expect("a predictor");
        for lambda in [0.001_f32, 0.03, 0.5] {
            let linear = linear.prepare(lambda).expect("a λ");
            let kappas: Vec<f32> = grid.kappas(Laplacian::Spectral).collect();
            let mut expected_s = vec![vec![0.0; channels * n]; window];
            for mode in complex_modes(&grid) {
                let kappa = f64::from(kappas[mode.re]);
                let x = 2.0 * f64::from(0.1_f32) * kappa * f64::from(lambda);
                let c = (-0.5 * x).exp();
                let shape = if x > 0.0 { -(-x).exp_m1() / x } else { 1.0 };
                let sigma2 = 2.0 * f64::from(lambda) * shape;
                let clean = Autocovariance::new(system(mode.re, mode.im)).expect("square");
                for frames in 1..=window {
                    let exact = LinearPredictor::fit(&clean, c, sigma2, frames).expect("a fit");
                    for (j, block) in exact.coefficients().iter().enumerate() {
                        let got = linear.coefficient(frames, j);
                        for a in 0..channels {
                            for b in 0..channels {
                                let place = &got[(a * channels + b) * n..][..n];
                                let im = mode.im.map_or(0.0, |im| f64::from(place[im]));
                                let got = Complex::new(f64::from(place[mode.re]), im);
                                let error = (got - block[(a, b)]).norm();
                                assert!(
                                    error < 2e-6,
                                    "{grid:?} {frames} {j} ({a}, {b}): {error:e}"
                                );
                            }
                        }
                    }
                    for a in 0..channels {
                        let s = exact.innovation()[(a, a)].re;
                        for part in [Some(mode.re), mode.im].into_iter().flatten() {
                            expected_s[frames - 1][a * n + part] = s;
                        }
                    }
                }
            }
            for (frames, expected) in (1..).zip(&expected_s) {
                for (channel, expected) in expected.chunks_exact(n).enumerate() {
                    let got = &linear.innovation(frames)[channel * n..][..n];
                    for (index, got) in got.iter().enumerate() {
                        let mean =
                            signs(&grid, index).map(|i| expected[i]).iter().sum::<f64>() / 4.0;
                        let error = (f64::from(*got) / mean - 1.0).abs();
                        assert!(error < 2e-6, "{grid:?} {frames} {index}: {error:e}");
                    }
                }
            }
        }
    }
}

/// The four parts of the quadruple that `index` belongs to; `index` four times where there is none.
fn signs(grid: &Grid, index: usize) -> [usize; 4] {
    let nx = grid.nx();
    let (j, i) = (index / nx, index % nx);
    let paired = |boundary, index| boundary == Boundary::Periodic && index > 1;
    let y = grid.y().is_some_and(|y| paired(y.boundary(), j));
    if y && paired(grid.x().boundary(), i) {
        let (j, i) = (j & !1, i & !1);
        [j * nx + i, j * nx + i + 1, (j + 1) * nx + i, (j + 1) * nx + i + 1]
    } else {
        [index; 4]
    }
}
