//! Measured modes: held, released, and what the posterior says.

use finescale::predictor::Linear;
use finescale::sampler::{NoiseRule, Observation, Schedule, Start, StepRule};
use finescale::spectral::operator::{pack, unpack};
use finescale::{Axis, Grid, Modes, NoiseStream, Path, Predictor, Sampler};
use finescale_tests::field;
use finescale_tests::linear::{Matrix, Mode, System, mode_of};
use finescale_tests::moments::{lambdas, process, step_matrices};
use nalgebra::Complex;

const FRAMES: usize = 12;
const WINDOW: usize = FRAMES - 1;

fn grids() -> Vec<Grid> {
    let (periodic, reflecting) =
        (Axis::periodic(16).expect("an axis"), Axis::reflecting(8).expect("an axis"));
    let plane = |y, x| Grid::plane(y, x).expect("a plane");
    vec![Grid::line(periodic), plane(periodic, periodic), plane(reflecting, periodic)]
}

fn system(grid: &Grid) -> System {
    System::new(grid, f64::from(0.1_f32), 2.0).with_unit_variance()
}

fn sampler(rule: NoiseRule) -> Sampler {
    Sampler {
        lambdas: Schedule::Geometric { steps: 10, smallest: 5e-3 },
        step: StepRule::Ancestral(rule),
        ..Sampler::ancestral(0.3)
    }
}

/// r where κ ≤ 9, infinite elsewhere.
fn variances(system: &System, r: f32) -> Vec<f32> {
    let kappas = system.grid.kappas(process(system).laplacian());
    kappas.map(|kappa| if kappa <= 9.0 { r } else { f32::INFINITY }).collect()
}

fn with_predictor<T>(system: &System, task: impl FnOnce(&mut Linear<'_>, &mut [f32]) -> T) -> T {
    let autocovariance = system.autocovariance(WINDOW);
    let mut memory = vec![f32::NAN; Linear::memory_len(&system.grid, 1, WINDOW)];
    let mut linear = Linear::new(&system.grid, &process(system), 1, &autocovariance, &mut memory)
        .expect("a predictor");
    let mut scratch =
        vec![f32::NAN; Sampler::published(1.0, 0.7).scratch_len(linear.describe(), FRAMES)];
    task(&mut linear, &mut scratch)
}

#[test]
fn what_was_measured_exactly_comes_out_unchanged() {
    let paper = Sampler { lambdas: Schedule::Equal { step: 0.03 }, ..Sampler::published(0.3, 0.3) };
    let samplers = [
        sampler(NoiseRule::Variance),
        sampler(NoiseRule::Residual),
        sampler(NoiseRule::Linear),
        Sampler { clamp: None, ..paper },
    ];
    for grid in grids() {
        let (system, n) = (system(&grid), grid.points());
        let (values, variances) = (field(FRAMES * n, 7), variances(&system, 0.0));
        let observation =
            Observation::new(&grid, Path::modes(&values), &variances).expect("an observation");
        for sampler in samplers {
            for start in [Start::Gaussian, Start::Rollout] {
                let mut path = vec![f32::NAN; FRAMES * n];
                with_predictor(&system, |linear, scratch| {
                    let stream = NoiseStream::default();
                    sampler
                        .generate(
                            linear,
                            start,
                            Some(&observation),
                            &stream,
                            Path::modes_mut(&mut path),
                            scratch,
                        )
                        .expect("a path");
                });
                let measured = variances.iter().cycle().map(|r| *r == 0.0);
                for (index, ((u, y), measured)) in
                    path.iter().zip(&values).zip(measured).enumerate()
                {
                    // The paper's sampler extrapolates frame 0 whatever was measured there.
                    let extrapolated = sampler.correctors.is_some() && index < n;
                    if measured && !extrapolated {
                        assert!((u - y).abs() < 1e-5, "{grid:?} {sampler:?}: {u} {y}");
                    }
                    assert!(u.is_finite() && (measured || u != y));
                }
            }
        }
    }
}

/// Γ, and Γ (Γ + r)⁻¹.
fn gain(system: &System, mode: &Mode, r: f64) -> (Matrix, Matrix) {
    let clean = system.path_covariance(mode, 0.0, FRAMES);
    let noisy = &clean + Matrix::identity(FRAMES, FRAMES) * Complex::from(r);
    let gain = &clean * noisy.try_inverse().expect("positive");
    (clean, gain)
}

/// What the sampler makes of ŷ in every mode, without noise: a matrix over frames, found from one
/// frame at a time.
fn posterior_means(
    system: &System,
    linear: &mut Linear<'_>,
    sampler: &Sampler,
    variances: &[f32],
    scratch: &mut [f32],
) -> Vec<Matrix> {
    let (grid, n) = (system.grid, system.grid.points());
    let quiet = Sampler { quiet_steps: 100, ..*sampler };
    let columns: Vec<Vec<f32>> = (0..FRAMES)
        .map(|frame| {
            let mut values = vec![0.0; FRAMES * n];
            for mode in system.modes() {
                values[frame * n + mode.place.re] = 1e-3;
            }
            unpack(&grid, &mut values[frame * n..(frame + 1) * n]).expect("packed");
            let observation =
                Observation::new(&grid, Path::modes(&values), variances).expect("an observation");
            let mut path = values.clone();
            for frame in path.chunks_exact_mut(n) {
                linear
                    .describe()
                    .process
                    .damp(&grid, sampler.lambda, Modes::from_mut(frame))
                    .expect("fits");
            }
            let stream = NoiseStream::default();
            quiet
                .reverse(linear, Some(&observation), &stream, Path::modes_mut(&mut path), scratch)
                .expect("a path");
            for frame in path.chunks_exact_mut(n) {
                pack(&grid, Modes::from_mut(frame)).expect("fits");
            }
            path
        })
        .collect();
    let matrix = |place| {
        let columns: Vec<_> = columns.iter().map(|path| mode_of(path, n, place)).collect();
        Matrix::from_fn(FRAMES, FRAMES, |i, j| columns[j][i] * Complex::from(1e3))
    };
    system.modes().iter().map(|mode| matrix(mode.place)).collect()
}

#[test]
fn a_step_that_would_pass_the_release_ends_there() {
    // r/β² = 0.005 lies between two λ of the grid, 0.0039 and 0.0073.
    let grid = Grid::line(Axis::periodic(16).expect("an axis"));
    let (system, r) = (system(&grid), 0.01_f32);
    let lambdas = Schedule::Geometric { steps: 9, smallest: 2.1e-3 };
    let sampler = Sampler { lambdas, ..sampler(NoiseRule::Linear) };
    let variances = variances(&system, r);
    with_predictor(&system, |linear, scratch| {
        let means = posterior_means(&system, linear, &sampler, &variances, scratch);
        for (mode, mean) in system.modes().iter().zip(means).filter(|(mode, _)| mode.kappa <= 9.0) {
            let (_, gain) = gain(&system, mode, f64::from(r));
            let off = (mean - &gain).norm() / gain.norm();
            assert!(off < 1e-4 + 2.2 * 0.1 * mode.kappa * 5e-3, "κ = {}: {off}", mode.kappa);
        }
    });
    let process = process(&system);
    assert!((Observation::release(&process, 0.0, r) - 5e-3).abs() < 1e-8);
    for kappa in [0.3, 4.0, 1e3] {
        let lambda = Observation::release(&process, kappa, r);
        let ratio = process.noise_variance(kappa, lambda) / process.damping(kappa, lambda).powi(2);
        assert!((ratio / r - 1.0).abs() < 1e-5, "{kappa}: {ratio}");
    }
}

#[test]
fn a_noisy_measurement_gives_the_posterior() {
    // r/β² is a λ of the grid, so that the release of κ = 0 is met exactly.
    let r = 0.01_f32;
    for grid in grids() {
        let (system, n) = (system(&grid), grid.points());
        let (sampler, variances) = (sampler(NoiseRule::Linear), variances(&system, r));
        let zeros = vec![0.0; FRAMES * n];
        let nothing =
            Observation::new(&grid, Path::modes(&zeros), &variances).expect("an observation");
        with_predictor(&system, |linear, scratch| {
            let means = posterior_means(&system, linear, &sampler, &variances, scratch);
            // The covariance: step by step, from Σ − C² r at λ_max.
            let mut covariance: Vec<Matrix> = system
                .modes()
                .iter()
                .map(|mode| {
                    let (c, sigma2) = system.forward(mode, f64::from(sampler.lambda));
                    let spread = sigma2 - c * c * f64::from(r);
                    Matrix::identity(FRAMES, FRAMES) * Complex::from(spread)
                })
                .collect();
            for pair in lambdas(&sampler).windows(2) {
                let linear = linear.prepare(pair[0]).expect("a λ");
                let step =
                    step_matrices(&system, &sampler, &linear, pair[1], Some(&nothing), FRAMES);
                for ((covariance, map), noise) in
                    covariance.iter_mut().zip(step.map).zip(step.noise)
                {
                    *covariance = &map * &*covariance * map.adjoint() + noise;
                }
            }
            for ((mode, covariance), mean) in system.modes().iter().zip(&covariance).zip(means) {
                if mode.kappa > 9.0 {
                    continue;
                }
                let (clean, gain) = gain(&system, mode, f64::from(r));
                let off = (mean - &gain).norm() / gain.norm();
                let posterior = &clean - &gain * &clean;
                let wide = (covariance - &posterior).norm() / posterior.norm();
                // At the release Σ/C² is r (1 + ακλ), not r.
                let bound = 1e-4 + 2.2 * 0.1 * mode.kappa * 5e-3;
                assert!(off < bound && wide < bound, "{grid:?} κ = {}: {off} {wide}", mode.kappa);
            }
        });
    }
}

#[test]
fn a_forecast_keeps_what_is_known_and_goes_on_from_it() {
    let grid = Grid::line(Axis::periodic(16).expect("an axis"));
    let (system, n, known, members) = (system(&grid), 16, 8, 300);
    // A wave that moves as the mean of the system does, so that the known frames tell the state.
    let mut values = vec![0.0; known * n];
    for mode in system.modes().iter().filter(|mode| mode.kappa == 4.0) {
        for (frame, values) in values.chunks_exact_mut(n).enumerate() {
            let value = mode.rho.powi(frame as i32) * 3.0;
            values[mode.place.re] = value.re as f32;
            values[mode.place.im.expect("a pair")] = value.im as f32;
        }
    }
    let observation = Observation::known(&grid, 1, Path::modes(&values)).expect("an observation");
    for (lambda, widest) in [(0.3, 1.8), (0.03, 1.6)] {
        with_predictor(&system, |linear, scratch| {
            let mut mean = vec![0.0; (FRAMES - known) * n];
            let mut square = mean.clone();
            for member in 0..members {
                let stream = NoiseStream { seed: 4, member, ..NoiseStream::default() };
                let mut path = vec![f32::NAN; FRAMES * n];
                Sampler { lambda, ..sampler(NoiseRule::Linear) }
                    .forecast(linear, &observation, &stream, Path::modes_mut(&mut path), scratch)
                    .expect("a path");
                assert!(path.iter().zip(&values).all(|(u, y)| (u - y).abs() < 1e-6));
                for ((mean, square), u) in mean.iter_mut().zip(&mut square).zip(&path[known * n..])
                {
                    *mean += f64::from(*u) / f64::from(members);
                    *square += f64::from(*u).powi(2) / f64::from(members);
                }
            }
            let mut ratios = [0.0; FRAMES - 8];
            for mode in system.modes() {
                for (lead, ratio) in ratios.iter_mut().enumerate() {
                    let at = |values: &[f64]| values[lead * n + mode.place.re];
                    let start = if mode.kappa == 4.0 { 3.0 } else { 0.0 };
                    let expected = (mode.rho.powi((known + lead) as i32) * start).re;
                    let spread = mode.power * (1.0 - mode.rho.norm_sqr().powi(lead as i32 + 1));
                    let variance = at(&square) - at(&mean).powi(2);
                    let off = (at(&mean) - expected) / (variance / f64::from(members)).sqrt();
                    assert!(
                        off.abs() < 4.5,
                        "λ = {lambda}, κ = {}, {lead}: {off:.1} σ",
                        mode.kappa
                    );
                    *ratio += variance / spread / system.modes().len() as f64;
                }
            }
            println!("λ = {lambda}: variance over the exact one, by lead time: {ratios:.2?}");
            // Frames that are forecast see known ones through the noise of λ: never too sure, and
            // less so the larger λ is.
            assert!(ratios.iter().all(|ratio| (0.8..widest).contains(ratio)), "{ratios:?}");
        });
    }
}
