//! The path score against −G⁻¹û, the score of a Gaussian path.

use finescale::predictor::{
    FirstFrame, Innovation, Linear, PathDensity, Prepared, head_score, path_score,
    path_score_scratch_len,
};
use finescale::spectral::operator::pack;
use finescale::{Axis, Boundary, Error, ForwardProcess, Grid, Laplacian, Modes, Path, Predictor};
use finescale_tests::changed::{Changed, Changes};
use finescale_tests::field;
use finescale_tests::linear::{System, mode_of};
use nalgebra::{Complex, DMatrix, DVector};

fn process(alpha: f32) -> ForwardProcess {
    ForwardProcess::new(alpha, 2.0, Laplacian::Spectral).expect("valid parameters")
}

fn some_grids() -> Vec<Grid> {
    let axis = |n, b| Axis::new(n, b).expect("an axis");
    let plane = |y, x| Grid::plane(y, x).expect("a plane");
    let (periodic, reflecting) = (Boundary::Periodic, Boundary::Reflecting);
    vec![
        Grid::line(axis(64, periodic)),
        Grid::line(axis(32, reflecting)),
        plane(axis(8, periodic), axis(16, periodic)),
        plane(axis(16, reflecting), axis(8, periodic)),
        plane(axis(8, periodic), axis(8, reflecting)),
    ]
}

/// ŝ of a path of `frames` frames, and its largest error over modes relative to −G⁻¹û.
fn error_of_score(grid: &Grid, frames: usize, window: usize, lambda: f32) -> f64 {
    let system = System::new(grid, f64::from(0.3_f32), 2.0);
    let autocovariance = system.autocovariance(window);
    let mut memory = vec![f32::NAN; Linear::memory_len(grid, 1, window)];
    let mut linear =
        Linear::new(grid, &process(0.3), 1, &autocovariance, &mut memory).expect("a predictor");
    let linear = linear.prepare(lambda).expect("a λ");
    let n = grid.points();
    let mut path = field(frames * n, 8);
    let mut score = vec![f32::NAN; path.len()];
    let mut scratch = vec![f32::NAN; path_score_scratch_len(&linear)];
    path_score(
        &linear,
        PathDensity::FULL,
        Path::modes(&path),
        Path::modes_mut(&mut score),
        &mut scratch,
    )
    .expect("a score");
    for frame in path.chunks_exact_mut(n).chain(score.chunks_exact_mut(n)) {
        pack(grid, Modes::from_mut(frame)).expect("a spectrum");
    }
    let errors = system.modes().iter().map(|mode| {
        let u = DVector::from_vec(mode_of(&path, n, mode.place));
        let s = DVector::from_vec(mode_of(&score, n, mode.place));
        let covariance = system.path_covariance(mode, f64::from(lambda), frames);
        let exact: DVector<Complex<f64>> = -covariance.lu().solve(&u).expect("invertible");
        (s - &exact).norm() / exact.norm()
    });
    errors.fold(0.0, f64::max)
}

#[test]
fn with_full_history_the_score_is_exact() {
    for grid in some_grids() {
        for lambda in [0.002, 0.05, 0.4] {
            let error = error_of_score(&grid, 16, 15, lambda);
            assert!(error < 1e-5, "{grid:?} {lambda}: {error:e}");
        }
        // A window that is too short must show.
        assert!(error_of_score(&grid, 16, 2, 0.4) > 1e-3, "{grid:?}");
    }
}

/// Two channels that drive each other, packed: Γ(l) = Mˡ P with M = [[ρ, 0.1], [−0.1, ρ]] in every
/// complex mode.
fn coupled(grid: &Grid, window: usize) -> Vec<f32> {
    let system = System::new(grid, 0.3, 2.0);
    let n = grid.points();
    let mut packed = vec![0.0; (window + 1) * 4 * n];
    for mode in system.modes() {
        let drive = DMatrix::from_row_slice(
            2,
            2,
            &[0.8 * mode.rho, 0.1.into(), (-0.1).into(), 0.8 * mode.rho],
        );
        for (lag, packed) in packed.chunks_exact_mut(4 * n).enumerate() {
            let value = drive.pow(lag as u32) * Complex::from(mode.power);
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

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
fn the_score_is_the_gradient_of_the_density_with_coupled_channels() {
    // A quadratic log density is half of ⟨u, ŝ⟩, and its Hessian is symmetric. Both hold for any
    // predictor that is linear, whatever its coefficients, but not with a wrong VJP.
    let (frames, window) = (6, 3);
    for grid in some_grids() {
        let autocovariance = coupled(&grid, window);
        let mut memory = vec![f32::NAN; Linear::memory_len(&grid, 2, window)];
        let mut linear = Linear::new(&grid, &process(0.3), 2, &autocovariance, &mut memory)
            .expect("a predictor");
        let linear = linear.prepare(0.1).expect("a λ");
        let n = 2 * grid.points();
        let (u, v) = (field(frames * n, 8), field(frames * n, 9));
        let mut scratch = vec![f32::NAN; path_score_scratch_len(&linear)];
        for density in [PathDensity::FULL, PathDensity::PUBLISHED] {
            let mut score = |path: &[f32]| {
                let mut score = vec![f32::NAN; path.len()];
                path_score(
                    &linear,
                    density,
                    Path::modes(path),
                    Path::modes_mut(&mut score),
                    &mut scratch,
                )
                .expect("a score");
                score
            };
            let (su, sv) = (score(&u), score(&v));
            let size = dot(&su, &su).sqrt() * dot(&v, &v).sqrt();
            assert!((dot(&su, &v) - dot(&sv, &u)).abs() < 1e-6 * size, "{grid:?} {density:?}");

            let mut energy = 0.0;
            let isotropic = grid
                .kappas(Laplacian::Spectral)
                .map(|kappa| f64::from(linear.process.noise_variance(kappa, 0.1)))
                .sum::<f64>()
                / grid.points() as f64;
            for next in 1..frames {
                let available = next.min(window);
                let past = &u[(next - available) * n..next * n];
                let mut increment = vec![0.0; n];
                linear
                    .increment(Path::modes(past), Modes::from_mut(&mut increment), &mut [])
                    .expect("an increment");
                let newest = &past[(available - 1) * n..];
                for (i, s) in linear.innovation(available).iter().enumerate() {
                    let s = match density.innovation {
                        Innovation::PerMode => f64::from(*s),
                        Innovation::Isotropic => isotropic,
                    };
                    energy += f64::from(u[next * n + i] - newest[i] - increment[i]).powi(2) / s;
                }
            }
            if density.first_frame == FirstFrame::Gaussian {
                let kappas =
                    grid.kappas(Laplacian::Spectral).chain(grid.kappas(Laplacian::Spectral));
                for ((u, power), kappa) in u.iter().zip(linear.power).zip(kappas) {
                    let variance = linear.process.variance(kappa, 0.1, *power);
                    energy += f64::from(*u).powi(2) / f64::from(variance);
                }
            }
            assert!((dot(&su, &u) / -energy - 1.0).abs() < 1e-6, "{grid:?} {density:?}");
        }
    }
}

#[test]
fn the_reference_table_is_reproduced() {
    // k, λ, S with full history, Σ, S with one frame.
    let table = [
        (1, 0.2, 0.99935, 0.37693, 1.09275),
        (4, 0.2, 0.28602, 0.17779, 0.32156),
        (9, 0.05, 0.04637, 0.03753, 0.04826),
    ];
    let grid = Grid::line(Axis::periodic(64).expect("an axis"));
    let autocovariance = System::new(&grid, 0.3, 2.0).autocovariance(16);
    let mut memory = vec![f32::NAN; Linear::memory_len(&grid, 1, 16)];
    let mut linear =
        Linear::new(&grid, &process(0.3), 1, &autocovariance, &mut memory).expect("a predictor");
    for (k, lambda, full, sigma2, one) in table {
        let linear = linear.prepare(lambda).expect("a λ");
        assert!((process(0.3).noise_variance((k * k) as f32, lambda) - sigma2).abs() < 6e-6);
        for part in [2 * k, 2 * k + 1] {
            assert!((linear.innovation(16)[part] - full).abs() < 6e-6, "k = {k}");
            assert!((linear.innovation(1)[part] - one).abs() < 6e-6, "k = {k}");
        }
    }
}

/// The score head of one frame: E[ε | û] = √Σ û/V.
fn head_of_one_frame(linear: &Prepared<'_>, window: &[f32], noise: &mut [f32]) {
    let newest = &window[window.len() - noise.len()..];
    let kappas = linear.grid.kappas(Laplacian::Spectral);
    for (((e, u), kappa), power) in noise.iter_mut().zip(newest).zip(kappas).zip(linear.power) {
        let sigma2 = linear.process.noise_variance(kappa, linear.lambda());
        *e = sigma2.sqrt() * u / linear.process.variance(kappa, linear.lambda(), *power);
    }
}

#[test]
fn a_score_head_scores_frame_by_frame() {
    let grid = Grid::line(Axis::periodic(16).expect("an axis"));
    let autocovariance = System::new(&grid, 0.1, 2.0).autocovariance(2);
    let mut memory = vec![0.0; Linear::memory_len(&grid, 1, 2)];
    let mut noise_memory = vec![0.0; Linear::noise_memory_len(&grid, 1, 2)];
    let linear = Linear::new(&grid, &process(0.1), 1, &autocovariance, &mut memory)
        .and_then(|linear| linear.with_noise(&mut noise_memory))
        .expect("a predictor");
    let changes =
        Changes { increment: Box::new(|_, _| {}), noise: Some(Box::new(head_of_one_frame)) };
    let mut head = Changed { linear, changes };
    let head = head.prepare(0.3).expect("a λ");
    let path = field(4 * 16, 1);
    let mut score = vec![f32::NAN; path.len()];
    let mut scratch = vec![f32::NAN; path_score_scratch_len(&head)];
    head_score(&head, Path::modes(&path), Path::modes_mut(&mut score), &mut scratch)
        .expect("a score");
    for (s, u) in score.chunks_exact(16).zip(path.chunks_exact(16)) {
        let kappas = grid.kappas(Laplacian::Spectral);
        for (((s, u), kappa), power) in s.iter().zip(u).zip(kappas).zip(head.power) {
            let exact = -u / process(0.1).variance(kappa, 0.3, *power);
            assert!((s / exact - 1.0).abs() < 1e-6);
        }
    }
    let mut memory = vec![0.0; Linear::memory_len(&grid, 1, 2)];
    let mut none =
        Linear::new(&grid, &process(0.1), 1, &autocovariance, &mut memory).expect("a predictor");
    let none = none.prepare(0.3).expect("a λ");
    let refused = head_score(&none, Path::modes(&path), Path::modes_mut(&mut score), &mut scratch);
    assert_eq!(refused, Err(Error::NoScoreHead));
}

#[test]
fn refusals_say_what_is_missing() {
    let grid = Grid::line(Axis::periodic(8).expect("an axis"));
    let p = process(0.1);
    let autocovariance = System::new(&grid, 0.1, 2.0).autocovariance(2);
    let mut memory = [0.0; 100];
    let sentence = |result: Result<Linear<'_>, Error>| result.expect_err("a refusal").to_string();
    assert!(sentence(Linear::new(&grid, &p, 1, &autocovariance[..8], &mut memory)).contains("8"));
    assert!(sentence(Linear::new(&grid, &p, 0, &autocovariance, &mut memory)).contains("24"));
    let said = sentence(Linear::new(&grid, &p, 1, &autocovariance, &mut memory[..40]));
    assert_eq!(said, "the memory has 40 values: give it at least 48");
    let long = vec![1.0; 18 * 8];
    let said = sentence(Linear::new(&grid, &p, 1, &long, &mut memory));
    assert_eq!(said, "window × channels is 17: it must be at most 16, the equations for each mode");
    let mut negative = autocovariance.clone();
    negative[3] = -1.0;
    // Index 3 is an imaginary part, which lag 0 has not; index 2 is a power.
    assert!(Linear::new(&grid, &p, 1, &negative, &mut memory).is_ok());
    negative[2] = -1.0;
    assert!(sentence(Linear::new(&grid, &p, 1, &negative, &mut memory)).starts_with("power is -1"));

    let mut linear = Linear::new(&grid, &p, 1, &autocovariance, &mut memory).expect("a predictor");
    let (path, mut score, mut scratch) = ([0.0; 24], [0.0; 24], [0.0; 8]);
    let run = |linear: &Prepared<'_>, path: &[f32], score: &mut [f32], scratch: &mut [f32]| {
        path_score(linear, PathDensity::FULL, Path::modes(path), Path::modes_mut(score), scratch)
            .expect_err("a refusal")
    };
    let clean = linear.prepare(0.0).expect("a λ");
    assert!(matches!(
        run(&clean, &path, &mut score, &mut scratch),
        Error::Parameter { name: "lambda", .. }
    ));
    assert!(linear.prepare(-1.0).is_err() && linear.prepare(f32::NAN).is_err());
    let linear = linear.prepare(0.1).expect("a λ");
    assert!(matches!(
        run(&linear, &path[..23], &mut score, &mut scratch),
        Error::FieldLength { values: 23, .. }
    ));
    assert!(matches!(
        run(&linear, &path, &mut score[..16], &mut scratch),
        Error::LengthMismatch { .. }
    ));
    assert!(matches!(
        run(&linear, &path, &mut score, &mut scratch[..7]),
        Error::ScratchLength { values: 7, needed: 8 }
    ));
    let mut frame = [0.0; 8];
    assert!(matches!(
        linear.increment(Path::modes(&path), Modes::from_mut(&mut frame), &mut []),
        Err(Error::Count { name: "window", .. })
    ));
}
