//! Coupled channels against dense matrices over channels and frames, in f64. Nothing here knows of
//! sums and differences but the runtime: its channels are turned by `ForwardProcess::mix` alone.

use finescale::predictor::{Linear, PathDensity, Prepared, path_score, path_score_scratch_len};
use finescale::process::Kappa;
use finescale::sampler::{NoiseRule, Observation, StepRule, emergence};
use finescale::spectral::operator::pack;
use finescale::{
    Axis, Boundary, Error, ForwardProcess, Grid, Laplacian, Modes, NoiseStream, Path, Predictor,
    Sampler,
};
use finescale_tests::field;
use finescale_tests::linear::{Matrix, Mode, System, mode_of};
use nalgebra::{Complex, DVector, Matrix2, Vector2};

const ALPHA: f32 = 0.3;

/// c, and λ₁ as [`ForwardProcess::with_switch`] takes it.
type Case = (f32, f32);

/// Everywhere, and on either side of a λ within the steps of the tests and beside them.
const COUPLINGS: [Case; 7] =
    [(0.5, 0.0), (-0.4, 0.0), (0.9, 0.0), (0.5, 0.05), (-0.4, -0.05), (0.9, 0.2), (-0.9, -0.2)];

fn process((coupling, switch): Case) -> ForwardProcess {
    let process = ForwardProcess::new(ALPHA, 2.0, Laplacian::Spectral).expect("valid parameters");
    let process = process.with_coupling(coupling).expect("a coupling");
    process.with_switch(switch).expect("a switch")
}

/// Every coupling, each with one of the grids.
fn cases() -> impl Iterator<Item = (Grid, Case)> {
    grids().into_iter().cycle().zip(COUPLINGS)
}

fn grids() -> [Grid; 3] {
    let axis = |n, b| Axis::new(n, b).expect("an axis");
    let (periodic, reflecting) = (Boundary::Periodic, Boundary::Reflecting);
    [
        Grid::line(axis(32, periodic)),
        Grid::line(axis(16, reflecting)),
        Grid::plane(axis(8, reflecting), axis(8, periodic)).expect("a plane"),
    ]
}

/// How far λ goes from `from` to `to` with which coupling, in order.
fn pieces(from: f64, to: f64, (c, switch): Case) -> Vec<(f64, f64)> {
    let (c, at) = (f64::from(c), f64::from(switch.abs()).clamp(from, to));
    match switch {
        0.0 => vec![(to - from, c)],
        s if s > 0.0 => vec![(at - from, c), (to - at, 0.0)],
        _ => vec![(at - from, 0.0), (to - at, c)],
    }
}

/// exp(Aλ), A = −ακ [[1, −c], [−c, 1]].
fn exponential(kappa: f64, lambda: f64, c: f64) -> Matrix2<f64> {
    let x = f64::from(ALPHA) * kappa * lambda;
    let (same, other) = ((c * x).cosh(), (c * x).sinh());
    Matrix2::new(same, other, other, same) * (-x).exp()
}

/// E, which takes the channels from one λ to another.
fn propagator(kappa: f64, (from, to): (f64, f64), case: Case) -> Matrix2<f64> {
    let each = pieces(from, to, case).into_iter();
    each.fold(Matrix2::identity(), |e, (lambda, c)| exponential(kappa, lambda, c) * e)
}

/// β² ∫ E Eᵀ of what is still to come, by Simpson's rule on either side of the switch.
fn noise(kappa: f64, (from, to): (f64, f64), case: Case) -> Matrix2<f64> {
    let (mut sum, mut later) = (Matrix2::zeros(), Matrix2::<f64>::identity());
    for (lambda, c) in pieces(from, to, case).into_iter().rev() {
        let parts = 4000_u16;
        let step = lambda / f64::from(parts);
        for n in 0..=parts {
            let weight = [2.0, 4.0][n as usize % 2] - f64::from(u8::from(n == 0 || n == parts));
            let e = later * exponential(kappa, f64::from(n) * step, c);
            sum += e * e.transpose() * (weight * step / 3.0);
        }
        later *= exponential(kappa, lambda, c);
    }
    sum * 2.0
}

/// What the two channels are made of: two independent modes, mixed by B.
#[derive(Clone, Copy)]
struct Data {
    mix: [f64; 4],
    /// ρ of the second mode over that of the first.
    slower: f64,
}

/// Channels that differ, so that their sum and difference depend on each other.
const APART: Data = Data { mix: [1.0, 0.3, -0.2, 0.7], slower: 0.7 };
/// Channels that are alike, with a correlation: S, which a predictor has for each channel alone, is
/// all there is of it for their sum and difference.
const ALIKE: Data = Data { mix: [1.0, 0.5, 1.0, -0.5], slower: 0.7 };

impl Data {
    /// Γ(lag) of a mode.
    fn lag(&self, mode: &Mode, lag: usize) -> Matrix {
        let b = Matrix::from_row_slice(2, 2, &self.mix.map(Complex::from));
        let memory = |slower: f64| (mode.rho * slower).powi(lag as i32) * mode.power;
        let both = DVector::from_vec(vec![memory(1.0), memory(self.slower)]);
        &b * Matrix::from_diagonal(&both) * b.transpose()
    }

    /// Γ of all lags, of the combinations, packed: what `Linear` takes.
    fn autocovariance(&self, system: &System, window: usize) -> Vec<f32> {
        let n = system.grid.points();
        let turned = |lag: Matrix| {
            let q = Matrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, -1.0].map(Complex::from));
            &q * lag * &q * Complex::from(0.5)
        };
        let mut packed = vec![0.0; (window + 1) * 4 * n];
        for mode in system.modes() {
            for (lag, packed) in packed.chunks_exact_mut(4 * n).enumerate() {
                let value = turned(self.lag(mode, lag));
                for (pair, packed) in packed.chunks_exact_mut(n).enumerate() {
                    packed[mode.place.re] = value[(pair / 2, pair % 2)].re as f32;
                    if let Some(im) = mode.place.im {
                        packed[im] = value[(pair / 2, pair % 2)].im as f32;
                    }
                }
            }
        }
        packed
    }

    /// Covariance of a path, frame after frame, both channels of each.
    fn path(&self, mode: &Mode, lambda: f64, c: Case, frames: usize) -> Matrix {
        let e = dense(propagator(mode.kappa, (0.0, lambda), c));
        let mut all = Matrix::zeros(2 * frames, 2 * frames);
        for i in 0..frames {
            for j in 0..frames {
                let lag = self.lag(mode, i.abs_diff(j));
                let lag = if i < j { lag.adjoint() } else { lag };
                let mut block = &e * lag * e.transpose();
                if i == j {
                    block += dense(noise(mode.kappa, (0.0, lambda), c));
                }
                all.view_mut((2 * i, 2 * j), (2, 2)).copy_from(&block);
            }
        }
        all
    }
}

fn dense(matrix: Matrix2<f64>) -> Matrix {
    Matrix::from_fn(2, 2, |i, j| matrix[(i, j)].into())
}

/// The values of a mode in a path of spectra of channels, frame after frame.
fn values(grid: &Grid, path: &[f32], mode: &Mode) -> DVector<Complex<f64>> {
    let mut packed = path.to_vec();
    for field in packed.chunks_exact_mut(grid.points()) {
        pack(grid, Modes::from_mut(field)).expect("a spectrum");
    }
    DVector::from_vec(mode_of(&packed, grid.points(), mode.place))
}

fn mixed(process: &ForwardProcess, grid: &Grid, path: &[f32]) -> Vec<f32> {
    let mut path = path.to_vec();
    process.mix(grid.points(), &mut path);
    path
}

#[test]
fn damping_and_noise_are_those_of_the_coupled_equation() {
    let lambda = 0.07_f32;
    for (grid, c) in cases() {
        let (p, n) = (process(c), grid.points());
        let clean = field(2 * n, 4);
        let mut damped = mixed(&p, &grid, &clean);
        p.damp(&grid, lambda, Modes::from_mut(&mut damped)).expect("two channels");
        let damped = mixed(&p, &grid, &damped);
        // √Σ of each combination, from ones.
        let mut deviation = vec![0.0; 2 * n];
        p.apply(&grid, lambda, Modes::from_mut(&mut deviation), &vec![1.0; 2 * n])
            .expect("two channels");
        for (mode, kappa) in grid.kappas(Laplacian::Spectral).enumerate() {
            let kappa = f64::from(kappa);
            let pair = |of: &[f32]| Vector2::new(of[mode], of[n + mode]).map(f64::from);
            let expected = propagator(kappa, (0.0, lambda.into()), c) * pair(&clean);
            assert!(
                (pair(&damped) - expected).norm() < 1e-6 * pair(&clean).norm(),
                "{grid:?} {c:?}"
            );

            let squares = pair(&deviation).map(|std| std * std);
            let q = Matrix2::new(1.0, 1.0, 1.0, -1.0);
            let found = q * Matrix2::from_diagonal(&squares) * q * 0.5;
            let expected = noise(kappa, (0.0, lambda.into()), c);
            assert!((found - expected).norm() < 2e-6 * expected.norm(), "{grid:?} {c:?} {kappa}");
        }
    }
}

/// Calls `check` with a predictor of the data's combinations at λ.
fn with_predictor<T>(
    (grid, data, c): (&Grid, Data, Case),
    (window, lambda): (usize, f32),
    check: impl FnOnce(&System, &Prepared<'_>) -> T,
) -> T {
    let system = System::new(grid, ALPHA.into(), 2.0);
    let autocovariance = data.autocovariance(&system, window);
    let mut memory = vec![f32::NAN; Linear::memory_len(grid, 2, window)];
    let mut linear =
        Linear::new(grid, &process(c), 2, &autocovariance, &mut memory).expect("a predictor");
    check(&system, &linear.prepare(lambda).expect("a λ"))
}

/// ŝ of a path of channels.
fn score(predictor: &Prepared<'_>, path: &[f32]) -> Vec<f32> {
    let (grid, process) = (predictor.grid, predictor.process);
    let mut score = vec![f32::NAN; path.len()];
    let mut scratch = vec![f32::NAN; path_score_scratch_len(predictor)];
    let path = mixed(&process, &grid, path);
    path_score(
        predictor,
        PathDensity::FULL,
        Path::modes(&path),
        Path::modes_mut(&mut score),
        &mut scratch,
    )
    .expect("a score");
    mixed(&process, &grid, &score)
}

/// The largest of the modes' relative errors.
fn largest(errors: impl Iterator<Item = f64>) -> f64 {
    errors.fold(0.0, f64::max)
}

#[test]
fn the_increment_is_that_of_the_dense_normal_equations() {
    for (grid, c) in cases() {
        for (lambda, window) in [(0.004_f32, 3), (0.06, 2), (0.4, 4)] {
            with_predictor((&grid, APART, c), (window, lambda), |system, predictor| {
                let path = field(window * 2 * grid.points(), 8);
                let turned = mixed(&process(c), &grid, &path);
                let mut increment = vec![f32::NAN; 2 * grid.points()];
                predictor
                    .increment(Path::modes(&turned), Modes::from_mut(&mut increment), &mut [])
                    .expect("an increment");
                let increment = mixed(&process(c), &grid, &increment);
                let error = largest(system.modes().iter().map(|mode| {
                    let all = APART.path(mode, lambda.into(), c, window + 1);
                    let (past, next) = (2 * window, 2 * window);
                    let known = all.view((0, 0), (past, past)).into_owned();
                    let cross = all.view((next, 0), (2, past)).into_owned();
                    let u = values(&grid, &path, mode);
                    let solved = known.lu().solve(&u).expect("invertible");
                    let expected = cross * solved - u.rows(past - 2, 2);
                    (values(&grid, &increment, mode) - &expected).norm() / u.norm()
                }));
                assert!(error < 3e-6, "{grid:?} {c:?} {lambda}: {error:e}");
            });
        }
    }
}

#[test]
fn with_full_history_the_path_score_is_exact() {
    let frames = 5;
    for (grid, c) in cases() {
        for lambda in [0.004_f32, 0.06, 0.4] {
            let error_of = |window, c_of_data| {
                with_predictor((&grid, ALIKE, c), (window, lambda), |system, predictor| {
                    let path = field(frames * 2 * grid.points(), 8);
                    let score = score(predictor, &path);
                    largest(system.modes().iter().map(|mode| {
                        let covariance = ALIKE.path(mode, lambda.into(), c_of_data, frames);
                        let u = values(&grid, &path, mode);
                        let expected = -covariance.lu().solve(&u).expect("invertible");
                        (values(&grid, &score, mode) - &expected).norm() / expected.norm()
                    }))
                })
            };
            let error = error_of(frames - 1, c);
            assert!(error < 1e-5, "{grid:?} {c:?} {lambda}: {error:e}");
            // Paths without the coupling are others, once it has begun.
            let acts = lambda > -c.1;
            assert!(!acts || error_of(frames - 1, (0.0, 0.0)) > 1e-3, "{grid:?} {c:?} {lambda}");
        }
    }
}

/// Where z ≤ 1, a step is e^z (û + ΣΔ ŝ), whatever the density: here with a matrix for each.
#[test]
fn the_mean_of_a_step_is_that_of_the_dense_process() {
    let (frames, from, to) = (4, 0.06_f32, 0.045_f32);
    for (grid, c) in cases() {
        with_predictor((&grid, ALIKE, c), (frames - 1, from), |system, predictor| {
            // Small, so that nothing is clipped.
            let path: Vec<f32> =
                field(frames * 2 * grid.points(), 8).iter().map(|u| 0.01 * u).collect();
            let sampler = Sampler {
                step: StepRule::Ancestral(NoiseRule::Variance),
                ..Sampler::ancestral(from)
            };
            let mut scratch = vec![f32::NAN; sampler.scratch_len(predictor, frames)];
            let mut stepped = mixed(&process(c), &grid, &path);
            sampler
                .step(predictor, to, None, None, Path::modes_mut(&mut stepped), &mut scratch)
                .expect("a step");
            let stepped = mixed(&process(c), &grid, &stepped);
            let (delta, step) = (f64::from(from) - f64::from(to), (f64::from(to), f64::from(from)));
            let small = |mode: &&Mode| {
                f64::from(ALPHA) * mode.kappa * (1.0 + f64::from(c.0.abs())) * delta < 1.0
            };
            let error = largest(system.modes().iter().filter(small).map(|mode| {
                let covariance = ALIKE.path(mode, from.into(), c, frames);
                let u = values(&grid, &path, mode);
                let s = -covariance.lu().solve(&u).expect("invertible");
                let back = dense(propagator(mode.kappa, step, c).try_inverse().expect("regular"));
                let added = dense(noise(mode.kappa, step, c));
                let each = (0..frames).map(|n| {
                    let (u, s) = (u.rows(2 * n, 2), s.rows(2 * n, 2));
                    &back * (u + &added * s)
                });
                let expected: Vec<_> = each.flat_map(|pair| [pair[0], pair[1]]).collect();
                let expected = DVector::from_vec(expected);
                (values(&grid, &stepped, mode) - &expected).norm() / expected.norm()
            }));
            assert!(error < 2e-5, "{grid:?} {c:?}: {error:e}");
        });
    }
}

/// One frame of Gaussian data: the step is û_λ₀ given û_λ₁, mean and covariance.
#[test]
fn a_transition_is_the_conditional_gaussian_of_both_channels() {
    let (from, to) = (0.3_f32, 0.1_f32);
    for (grid, c) in cases() {
        with_predictor((&grid, ALIKE, c), (1, from), |system, predictor| {
            let n = grid.points();
            let sampler = Sampler {
                step: StepRule::Ancestral(NoiseRule::Variance),
                ..Sampler::ancestral(from)
            };
            let mut scratch = vec![f32::NAN; sampler.scratch_len(predictor, 1)];
            let mut step = |path: &[f32], stream: Option<&NoiseStream>| {
                let mut path = mixed(&process(c), &grid, path);
                sampler
                    .step(predictor, to, None, stream, Path::modes_mut(&mut path), &mut scratch)
                    .expect("a step");
                path
            };
            let path: Vec<f32> = field(2 * n, 8).iter().map(|u| 0.01 * u).collect();
            let moved = mixed(&process(c), &grid, &step(&path, None));
            // Two members of noise tell its matrix: what each adds to zeros.
            let stream = |member| NoiseStream { seed: 7, member, ..NoiseStream::default() };
            let members = [0, 1].map(|member| {
                let mut white = vec![0.0; 2 * n];
                stream(member).fill(&mut white);
                let drawn = step(&vec![0.0; 2 * n], Some(&stream(member)));
                (white, mixed(&process(c), &grid, &drawn))
            });
            for mode in system.modes() {
                let [before, after] = [from, to].map(|at| ALIKE.path(mode, at.into(), c, 1));
                let e = dense(propagator(mode.kappa, (to.into(), from.into()), c));
                let gain = &after * e.transpose() * before.try_inverse().expect("regular");
                let expected = &gain * values(&grid, &path, mode);
                let size = values(&grid, &path, mode).norm();
                let found = values(&grid, &moved, mode);
                assert!((found - expected).norm() < 3e-6 * size, "{grid:?} {c:?}");

                let columns = |of: &dyn Fn(usize) -> Vec<f32>| {
                    let columns = [0, 1].map(|member| values(&grid, &of(member), mode));
                    Matrix::from_fn(2, 2, |i, j| columns[j][i])
                };
                let white = columns(&|member| members[member].0.clone());
                let drawn = columns(&|member| members[member].1.clone());
                let factor = drawn * white.try_inverse().expect("independent members");
                let expected = &after - &gain * &e * &after;
                let found = &factor * factor.adjoint();
                assert!((found - &expected).norm() < 1e-4 * expected.norm(), "{grid:?} {c:?}");
            }
        });
    }
}

/// λ* is where the strongest combination beyond the coarse grid is as strong as its noise.
#[test]
fn the_emergence_scale_is_that_of_the_dense_matrices() {
    let fine = Grid::line(Axis::periodic(32).expect("an axis"));
    let coarse = Grid::line(Axis::periodic(16).expect("an axis"));
    for (c, _) in COUPLINGS {
        let scale = |case| {
            with_predictor((&fine, ALIKE, case), (1, 0.1), |_, predictor| {
                emergence(predictor, &coarse).expect("a scale")
            })
        };
        let everywhere = scale((c, 0.0));
        for switch in [0.0, 0.4 * everywhere, -0.4 * everywhere, 2.0 * everywhere] {
            let lambda = f64::from(scale((c, switch)));
            assert_eq!(switch == 0.0 || switch > everywhere, lambda == f64::from(everywhere));
            let system = System::new(&fine, ALPHA.into(), 2.0);
            let beyond = system.modes().iter().filter(|mode| mode.kappa > 63.9);
            let found = largest(beyond.map(|mode| {
                let e = propagator(mode.kappa, (0.0, lambda), (c, switch));
                let clean = ALIKE.lag(mode, 0);
                let clean = Matrix2::from_fn(|i, j| clean[(i, j)].re);
                let noise = noise(mode.kappa, (0.0, lambda), (c, switch));
                let inverse = noise.cholesky().expect("positive").inverse();
                let ratios = (inverse * e * clean * e.transpose()).eigenvalues();
                ratios.expect("real ratios").max()
            }));
            assert!((found - 1.0).abs() < 1e-5, "{c} {switch}: {found}");
        }
    }
}

/// A measurement is released where what is left of its error is as strong as the noise.
#[test]
fn a_measurement_is_released_where_noise_and_its_error_are_equal() {
    for case in COUPLINGS {
        let process = process(case);
        for kappa in (0..2).flat_map(|n| process.kappas(&grids()[0], n)) {
            for r in [1e-4, 0.02, 0.15, 3.0] {
                let lambda = Observation::release(&process, kappa, r);
                let left = process.damping(kappa, lambda).powi(2) * r;
                let noise = process.noise_variance(kappa, lambda);
                assert!((left / noise - 1.0).abs() < 1e-5, "{case:?} {kappa:?} {r}: {lambda}");
            }
        }
    }
}

/// The values that a process has of each combination of every mode: damping, noise, and λ of
/// release.
fn values_of(process: &ForwardProcess, lambda: f32) -> Vec<u32> {
    let kappas = (0..2).flat_map(|channel| process.kappas(&grids()[2], channel));
    kappas
        .flat_map(|kappa| {
            let variance = process.variance(kappa, lambda, 0.3);
            let noise = process.noise_variance(kappa, lambda);
            let release = Observation::release(process, kappa, 0.1);
            [process.damping(kappa, lambda), noise, variance, release].map(f32::to_bits)
        })
        .collect()
}

/// Up to a switch that no λ passes, and with none, bits are those of the constant coupling; from
/// next to nothing on they are its values but for rounding.
#[test]
fn a_switch_beyond_all_lambda_changes_no_bit() {
    for (c, _) in COUPLINGS {
        let constant = process((c, 0.0));
        for lambda in [1e-3, 0.07, 1.0] {
            let expected = values_of(&constant, lambda);
            assert_eq!(values_of(&process((c, 1.0)), lambda), expected);
            assert_eq!(values_of(&constant.with_switch(0.0).expect("none"), lambda), expected);
            assert_ne!(values_of(&process((c, -1.0)), lambda), expected);
            let free = process((0.0, 0.0));
            let damping = |process: &ForwardProcess| {
                let kappas = (0..2).flat_map(|n| process.kappas(&grids()[2], n));
                kappas.map(|kappa| process.damping(kappa, lambda)).collect::<Vec<_>>()
            };
            assert_eq!(damping(&process((c, -1.0))), damping(&free));
            let late = values_of(&process((c, -1e-30)), lambda);
            for (late, expected) in
                late.into_iter().zip(expected).map(|(a, b)| (f32::from_bits(a), f32::from_bits(b)))
            {
                assert!((late - expected).abs() <= 1e-5 * expected, "{c}: {late} {expected}");
            }
        }
    }
}

/// From 0 to λ, and from there on, is from 0 to the end, wherever the switch is.
#[test]
fn steps_follow_each_other_through_a_switch() {
    for case in COUPLINGS {
        let process = process(case);
        for (first, then) in [(0.02, 0.01), (0.03, 0.1), (0.05, 0.2), (0.1, 0.6), (0.0, 0.3)] {
            let later = process.after(first);
            for kappa in (0..2).flat_map(|n| process.kappas(&grids()[1], n)) {
                let damping = process.damping(kappa, first) * later.damping(kappa, then);
                let expected = process.damping(kappa, first + then);
                assert!((damping / expected - 1.0).abs() < 3e-6, "{case:?} {kappa:?}");
                let kept = later.damping(kappa, then).powi(2);
                let noise =
                    process.noise_variance(kappa, first) * kept + later.noise_variance(kappa, then);
                let expected = process.noise_variance(kappa, first + then);
                assert!((noise / expected - 1.0).abs() < 3e-6, "{case:?} {kappa:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_coupled_is_refused() {
    let free = ForwardProcess::new(ALPHA, 2.0, Laplacian::Spectral).expect("valid parameters");
    for bad in [1.0, -1.0, 7.0, f32::NAN] {
        assert!(matches!(free.with_coupling(bad), Err(Error::Parameter { name: "coupling", .. })));
    }
    for bad in [2e6, f32::NAN] {
        let refused = process((0.5, 0.0)).with_switch(bad);
        assert!(matches!(refused, Err(Error::Parameter { name: "switch", .. })));
    }
    assert!(matches!(free.with_switch(0.1), Err(Error::Conflict { name: "switch", .. })));
    let refused = |error: Result<(), Error>| {
        assert!(matches!(error, Err(Error::Conflict { name: "coupling", .. })), "{error:?}");
    };
    let grid = Grid::line(Axis::periodic(16).expect("an axis"));
    refused(process((0.5, 0.0)).damp(&grid, 0.1, Modes::from_mut(&mut [0.0; 16])));
    for channels in [1, 3, 4] {
        let autocovariance = vec![0.0; 2 * channels * channels * 16];
        let of = |process| {
            let mut memory = vec![0.0; Linear::memory_len(&grid, channels, 1)];
            Linear::new(&grid, &process, channels, &autocovariance, &mut memory).map(|_| ())
        };
        refused(of(process((0.5, 0.0))));
        assert!(of(free).is_ok());
    }
}

/// Without coupling nothing is turned, and κ are the grid's, bit by bit.
#[test]
fn without_coupling_all_is_as_it_was() {
    let (grid, free) = (grids()[2], process((0.0, 0.0)));
    let path = field(4 * grid.points(), 3);
    assert_eq!(mixed(&free, &grid, &path), path);
    for channel in 0..2 {
        assert!(free.kappas(&grid, channel).eq(grid.kappas(Laplacian::Spectral).map(Kappa::from)));
    }
}
