//! Training's mathematics on the system where everything is known: AR(1) in every Fourier mode.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use finescale::{Axis, ForwardProcess, Grid, Laplacian, Modes};
use finescale_data::dataset::SpectralFrames;
use finescale_field::modes::{Group, Partner, planes};
use finescale_field::shells::Shells;
use finescale_model::Calibration;
use finescale_model::linear::{LinearBase, LinearPredictor, PackedAutocovariance};
use finescale_train::config::Config;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::engine::frames::{Frames, index, numbers};
use finescale_train::networks::Kind;
use finescale_train::systems::predictor_driven::batch::{
    Draw, draw, fixed, noised_by, noised_windows,
};
use finescale_train::systems::predictor_driven::calibrate::{Level, innovation_ratio, path_score};
use finescale_train::systems::predictor_driven::loss::increment_loss;
use finescale_train::systems::predictor_driven::predictor::{Linear, NetworkInput, Predictor};
use finescale_train::systems::predictor_driven::settings::{CLEAN, Weight};
use finescale_train::systems::predictor_driven::tables::Tables;
use nalgebra::{Complex, DMatrix, DVector};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

const ALPHA: f32 = 0.3;
const BETA2: f32 = 2.0;

fn power(k: f64) -> f64 {
    4.0 / (1.0 + (k / 4.0).powi(4))
}

/// Real where a mode has no partner to turn with.
fn rho(k: f64, alone: bool) -> Complex<f64> {
    let rho = Complex::new(-0.05 * (1.0 + k / 4.0), if alone { 0.0 } else { 0.045 * k });
    rho.exp()
}

fn wavenumber(grid: &Grid, group: &Group) -> f64 {
    let (y, x) = grid.wavenumbers().nth(group.members()[0]).unwrap();
    f64::from(y.hypot(x))
}

/// The exact second moments, packed. The second mode of a quadruple turns the other way.
fn exact(grid: &Grid, window: usize) -> PackedAutocovariance {
    let mut values = vec![0.0; (window + 1) * grid.points()];
    for (lag, packed) in values.chunks_exact_mut(grid.points()).enumerate() {
        for group in Group::all(grid) {
            let k = wavenumber(grid, &group);
            let rho = rho(k, matches!(group, Group::One(_)));
            let value = rho.powi(lag as i32) * power(k);
            group.pack([value, value.conj()], packed);
        }
    }
    PackedAutocovariance { window, channels: 1, values }
}

fn base(grid: Grid, window: usize) -> LinearBase {
    let process = ForwardProcess::new(ALPHA, BETA2, Laplacian::Spectral).unwrap();
    LinearBase { grid, process, autocovariance: exact(&grid, window) }
}

fn config(window: usize) -> Config {
    let mut config = Config::default();
    (config.process.alpha, config.process.beta2) = (ALPHA, BETA2);
    config.network.kind = Kind::Linear;
    config.predictor.window = window;
    config
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Frames of the system itself, as spectra.
fn simulate(grid: &Grid, segments: usize, frames: usize, seed: u64) -> SpectralFrames {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let points = grid.points();
    let mut values = vec![0.0; segments * frames * points];
    for segment in values.chunks_exact_mut(frames * points) {
        for group in Group::all(grid) {
            let k = wavenumber(grid, &group);
            let alone = matches!(group, Group::One(_));
            let rho = rho(k, alone);
            let turns = [rho, rho.conj()];
            let mut draw = |scale: f64| -> Complex<f64> {
                if alone {
                    Complex::from(normal(&mut rng) * scale)
                } else {
                    Complex::new(normal(&mut rng), normal(&mut rng)) * (scale / 2_f64.sqrt())
                }
            };
            let mut modes = [draw(power(k).sqrt()), draw(power(k).sqrt())];
            for frame in segment.chunks_exact_mut(points) {
                group.real(modes, |place, value| frame[place] = value as f32);
                for (mode, rho) in modes.iter_mut().zip(turns) {
                    let kick = (power(k) * (1.0 - rho.norm_sqr())).sqrt();
                    *mode = rho * *mode + draw(kick);
                }
            }
        }
    }
    let segments = (0..segments).map(|n| n * frames..(n + 1) * frames).collect();
    SpectralFrames { grid: *grid, channels: 1, segments, values }
}

fn grids() -> [Grid; 4] {
    let (p, r) = (|n| Axis::periodic(n).unwrap(), |n| Axis::reflecting(n).unwrap());
    [
        Grid::line(p(16)),
        Grid::line(r(16)),
        Grid::plane(p(8), p(16)).unwrap(),
        Grid::plane(r(8), p(8)).unwrap(),
    ]
}

#[test]
fn planes_multiply_as_complex_modes_do() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for grid in grids() {
        let points = grid.points();
        let spectrum: Vec<f32> = (0..points).map(|_| normal(&mut rng) as f32).collect();
        let operator: Vec<f32> = (0..points).map(|_| normal(&mut rng) as f32).collect();
        let mut expected = vec![0.0; points];
        for group in Group::all(&grid) {
            let (u, a) = (group.of_spectrum(&spectrum), group.unpack(&operator));
            group.real([u[0] * a[0], u[1] * a[1]], |place, value| expected[place] = value as f32);
        }
        let mut found = vec![0.0; points];
        let partners = Partner::all(&grid);
        for (partner, plane) in partners.iter().zip(planes(&grid, &operator).chunks_exact(points)) {
            for (place, (out, factor)) in found.iter_mut().zip(plane).enumerate() {
                let (mut y, mut x) = (place / grid.nx(), place % grid.nx());
                if partner.x {
                    x ^= 1;
                }
                if partner.y {
                    y ^= 1;
                }
                *out += factor * spectrum[y * grid.nx() + x];
            }
        }
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{grid:?}: {found} for {expected}");
        }
    }
}

#[test]
fn the_score_by_automatic_differentiation_is_minus_g_inverse_u() {
    type A = Differentiable<Cpu>;
    let frames = 6;
    let device = Default::default();
    for grid in grids() {
        let points = grid.points();
        let base = base(grid, frames - 1);
        let lambdas = [0.02, 0.2, 1.0];
        let tables = Tables::<Cpu>::new(&base, &config(frames - 1), &lambdas, &device).unwrap();
        let shells = Shells::new(&grid);
        let ratios = vec![1.0; lambdas.len() * shells.count];
        let calibration = Calibration {
            lambdas: lambdas.to_vec(),
            width: shells.count,
            innovation_ratio: ratios,
            ..Calibration::default()
        };
        let path = simulate(&grid, 1, frames, 2);
        for (lambda, value) in lambdas.into_iter().enumerate() {
            let data = TensorData::new(path.values.clone(), [1, frames, 1, points]);
            let level = Level::new(lambda, &tables, &calibration, &shells);
            let input = Tensor::<Cpu, 4>::from_data(data, &device);
            let found = path_score::<A>(&Linear, input, None, lambda, &tables.lift(), &level);
            let found: Vec<f32> = found.into_data().to_vec().unwrap();
            let expected = exact_score(&base, &path, value);
            let scale = expected.iter().fold(0.0_f32, |max, value| max.max(value.abs()));
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-5 * scale,
                    "{grid:?}, λ = {value}: {found} for {expected}"
                );
            }
        }
    }
}

/// −G⁻¹ û of every mode, G = C² P [ρ^(i−j)] + Σ I, in f64.
fn exact_score(base: &LinearBase, path: &SpectralFrames, lambda: f64) -> Vec<f32> {
    let (grid, points, frames) = (base.grid, base.grid.points(), path.segments[0].len());
    let mut score = vec![0.0; frames * points];
    for group in Group::all(&grid) {
        let k = wavenumber(&grid, &group);
        let rho = rho(k, matches!(group, Group::One(_)));
        let x = 2.0 * f64::from(ALPHA) * k * k * lambda;
        let sigma = f64::from(BETA2) * lambda * if x > 0.0 { -(-x).exp_m1() / x } else { 1.0 };
        let mut modes = vec![[Complex::default(); 2]; frames];
        for (mode, rho) in [rho, rho.conj()].into_iter().enumerate() {
            let g = DMatrix::from_fn(frames, frames, |i, j| {
                let lag = i.abs_diff(j) as i32;
                let turn = if i >= j { rho.powi(lag) } else { rho.conj().powi(lag) };
                turn * ((-x).exp() * power(k)) + if i == j { sigma } else { 0.0 }
            });
            let u = DVector::from_fn(frames, |n, _| group.of_spectrum(path.frame(n))[mode]);
            let solved = g.lu().solve(&u).unwrap();
            for (modes, value) in modes.iter_mut().zip(solved.iter()) {
                modes[mode] = -value;
            }
        }
        for (modes, frame) in modes.iter().zip(score.chunks_exact_mut(points)) {
            group.real(*modes, |place, value| frame[place] = value as f32);
        }
    }
    score
}

#[test]
fn the_minimum_of_the_loss_is_the_innovation_over_the_noise() {
    let grid = Grid::line(Axis::periodic(32).unwrap());
    let (window, device) = (3, Default::default());
    let lambdas = [0.05, 0.2, 0.6];
    let config = config(window);
    let base = base(grid, window);
    let tables = Tables::<Cpu>::new(&base, &config, &lambdas, &device).unwrap();
    let data = simulate(&grid, 60, 64, 3);
    let frames = Frames::<Cpu>::new(&data, window, &device).unwrap();
    for (lambda, value) in lambdas.into_iter().enumerate() {
        let batch = noised_windows(&frames, &fixed(&frames, 3000, lambda, window), &tables);
        let output = Linear.predict(NetworkInput::new(&batch.window, &tables), &tables);
        let mean = |weight| -> f64 {
            let losses = increment_loss(&output, &batch, &tables, weight);
            f64::from(losses.mean().into_scalar())
        };
        // E|e|²/S is 1 for the best predictor; the paper's loss is mean S / mean Σ.
        let at = base.at(value).unwrap();
        let s: f64 = at.innovation[2 * 32..].iter().sum::<f64>() / 32.0;
        let kappas = grid.kappas(Laplacian::Spectral);
        let sigma: f64 = kappas
            .map(|kappa| f64::from(base.process.noise_variance(kappa, value as f32)))
            .sum::<f64>()
            / 32.0;
        let (ours, papers) = (mean(Weight::Innovation), mean(Weight::Noise));
        assert!((ours - 1.0).abs() < 0.02, "λ = {value}: {ours}");
        assert!((papers / (s / sigma) - 1.0).abs() < 0.03, "λ = {value}: {papers}");
    }
}

#[test]
fn moments_and_innovations_are_measured_as_they_are() {
    for grid in grids() {
        let window = 3;
        let data = simulate(&grid, 200, 40, 4);
        let process = ForwardProcess::new(ALPHA, BETA2, Laplacian::Spectral).unwrap();
        let fitted = LinearBase::fit(&data, process, window).unwrap();
        let exact = base(grid, window);
        // 200 segments with about 4 independent frames each.
        for (found, exact) in fitted.power().iter().zip(exact.power()) {
            assert!((found / exact - 1.0).abs() < 0.25, "{grid:?}: P {found} for {exact}");
        }
        for lambda in [0.01, 0.3] {
            let (found, exact) = (fitted.at(lambda).unwrap(), exact.at(lambda).unwrap());
            for (found, exact) in found.innovation.iter().zip(&exact.innovation) {
                assert!((found / exact - 1.0).abs() < 0.15, "{grid:?}: S {found} for {exact}");
            }
        }
        // Measured on other data of the same system, S is what the linear predictor said.
        let device = Default::default();
        let valid = simulate(&grid, 60, 40, 5);
        let frames = Frames::<Cpu>::new(&valid, window, &device).unwrap();
        let tables = Tables::<Cpu>::new(&fitted, &config(window), &[0.01, 0.3], &device).unwrap();
        let shells = Shells::new(&grid);
        for (place, ratio) in
            innovation_ratio(&Linear, &frames, &tables, 2000).unwrap().iter().enumerate()
        {
            let modes = shells.of.iter().filter(|shell| **shell == place % shells.count).count();
            let tolerance = 0.05 + 0.15 / (modes as f32).sqrt();
            assert!((ratio - 1.0).abs() < tolerance, "{grid:?}, shell {place}: {ratio}");
        }
    }
}

/// E|e|²/S − 1, averaged over modes, of predictors that were fitted to data, on the system itself:
/// 0 for the best. No draws.
fn excess(fitted: &PackedAutocovariance, grid: &Grid, lambda: f64) -> f64 {
    let (exact, points, w) = (exact(grid, fitted.window), grid.points(), fitted.window);
    let (mut sum, mut modes) = (0.0_f64, 0.0);
    for group in Group::all(grid) {
        let x = 2.0 * f64::from(ALPHA) * wavenumber(grid, &group).powi(2) * lambda;
        let shape = if x > 0.0 { -(-x).exp_m1() / x } else { 1.0 };
        let (c, sigma2) = ((-0.5 * x).exp(), f64::from(BETA2) * lambda * shape);
        for mode in 0..group.complex_modes() {
            let of = |packed: &PackedAutocovariance| {
                let clean = packed.of(&group, mode, points).unwrap();
                LinearPredictor::fit(&clean, c, sigma2, w).unwrap()
            };
            let (found, best) = (of(fitted), of(&exact));
            let lag = |l: usize| {
                let at = exact.of(&group, mode, points).unwrap();
                at.lags()[l][(0, 0)] * (c * c) + if l == 0 { sigma2 } else { 0.0 }
            };
            // What is added to S is the covariance of the window in the coefficients' error.
            let error: Vec<Complex<f64>> = (0..w)
                .map(|j| found.coefficients()[j][(0, 0)] - best.coefficients()[j][(0, 0)])
                .collect();
            let mut added = Complex::<f64>::default();
            for (i, a) in error.iter().enumerate() {
                for (j, b) in error.iter().enumerate() {
                    let gamma = if j >= i { lag(j - i) } else { lag(i - j).conj() };
                    added += a * gamma * b.conj();
                }
            }
            sum += added.re / best.innovation()[(0, 0)].re;
            modes += 1.0;
        }
    }
    sum / modes
}

/// If it failed, models of small data sets would predict worse than they could, or those of large
/// ones would be bent.
#[test]
fn few_frames_lean_on_their_shell_and_many_do_not() {
    let (p, r) = (|n| Axis::periodic(n).unwrap(), |n| Axis::reflecting(n).unwrap());
    let window = 3;
    for grid in [Grid::plane(p(16), p(16)).unwrap(), Grid::plane(r(16), p(16)).unwrap()] {
        let measure = |segments, frames, seed| {
            let data = simulate(&grid, segments, frames, seed);
            let plain = PackedAutocovariance::unshrunk(&data, window).unwrap();
            let (shrunk, weights) = PackedAutocovariance::shrunk(&data, window).unwrap();
            let weight = weights.iter().map(|w| w.correlation).sum::<f64>() / weights.len() as f64;
            let moved = shrunk.values.iter().zip(&plain.values);
            let moved = moved.map(|(a, b)| (a - b).powi(2)).sum::<f32>();
            let size = plain.values.iter().map(|v| v * v).sum::<f32>();
            let loss = |fitted| [0.001, 0.02].map(|lambda| excess(fitted, &grid, lambda));
            (loss(&plain), loss(&shrunk), weight, (moved / size).sqrt())
        };
        let (plain, shrunk, weight, _) = measure(1, 60, 7);
        for (plain, shrunk) in plain.iter().zip(shrunk) {
            assert!(shrunk < 0.9 * plain, "{grid:?}: {shrunk} for {plain} without shrinkage");
        }
        let (plain, shrunk, of_many, moved) = measure(200, 40, 8);
        for (plain, shrunk) in plain.iter().zip(shrunk) {
            assert!(shrunk < 1.001 * plain, "{grid:?}: {shrunk} for {plain} without shrinkage");
        }
        // Some shells hold modes that are alike; their weight stays.
        assert!(of_many < 0.1 && of_many < 0.25 * weight, "{grid:?}: weight {of_many}");
        assert!(moved < 0.03, "{grid:?}: many frames were moved by {moved}");
    }
    // A line has one mode in each shell: nothing is moved, whatever there is.
    let line = simulate(&Grid::line(p(32)), 1, 12, 9);
    assert_eq!(
        PackedAutocovariance::estimate(&line, window).unwrap(),
        PackedAutocovariance::unshrunk(&line, window).unwrap()
    );
}

#[test]
fn seeds_give_the_same_batches_and_others_do_not() {
    let grid = Grid::line(Axis::periodic(16).unwrap());
    let device = Default::default();
    let data = simulate(&grid, 4, 16, 6);
    let frames = Frames::<Cpu>::new(&data, 3, &device).unwrap();
    let tables = Tables::<Cpu>::new(&base(grid, 3), &config(3), &[0.1, 0.5], &device).unwrap();
    let mut settings = config(3);
    (settings.training.batch, settings.loss.history_drop) = (8, 0.2);
    let drawn = |seed, step| draw(&frames, &Config { seed, ..settings.clone() }, 2, &grid, step);
    let values = |seed, step| -> Vec<f32> {
        noised_windows(&frames, &drawn(seed, step), &tables)
            .window
            .spectra
            .into_data()
            .to_vec()
            .unwrap()
    };
    assert_eq!(values(1, 7), values(1, 7));
    assert_ne!(values(1, 7), values(1, 8));
    assert_ne!(values(1, 7), values(2, 7));
    let dropped = (0..50).flat_map(|step| drawn(1, step).available).filter(|a| *a < 3).count();
    assert!((40..=120).contains(&dropped), "{dropped} of 400 samples lost history");
    // The batch is stratified: a quarter of eight samples is two, whatever the seed.
    settings.lambda.clean = 0.25;
    assert_eq!(settings.lambda.values()[0], CLEAN);
    for step in 0..20 {
        let lambdas = draw(&frames, &settings, 3, &grid, step).lambdas;
        assert_eq!(lambdas.iter().filter(|lambda| **lambda == 0).count(), 2, "{lambdas:?}");
        assert!(lambdas.contains(&1) && lambdas.contains(&2), "{lambdas:?}");
    }
    // A moved window has the same sizes of all waves, and the same steps of time; noise aside.
    settings.symmetries.shift_x = 1;
    let moving = Draw { available: vec![3; 8], ..draw(&frames, &settings, 2, &grid, 3) };
    assert_eq!(moving.symmetries.len(), 8);
    let still = Draw { symmetries: Vec::new(), ..moving.clone() };
    let increments = |draw: &Draw| {
        let noise = Tensor::zeros([8, 4, 1, 16], &device);
        numbers(noised_by(&frames, draw, noise, &tables).increment)
    };
    let (moved, still) = (increments(&moving), increments(&still));
    assert_ne!(moved, still);
    let power = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>();
    for (moved, still) in moved.chunks_exact(16).zip(still.chunks_exact(16)) {
        assert!((power(moved) / power(still) - 1.0).abs() < 1e-4);
    }
    // Companions that are the frame itself move as it does: no noise is on the path.
    let mut fields = data.values.clone();
    let mut scratch = vec![0.0; finescale::spectral::scratch_len(&grid)];
    finescale::spectral::inverse(&grid, Modes::from_mut(&mut fields), &mut scratch).unwrap();
    let frames = frames.with_companions(fields);
    let noise = Tensor::zeros([8, 4, 1, 16], &device);
    let batch = noised_by(&frames, &moving, noise, &tables);
    let newest = batch.window.spectra.narrow(1, 2, 1).reshape([8, 1, 16]) + batch.increment;
    let seen = batch.window.companions.unwrap().reshape([8, 1, 16]);
    let lambda = moving.lambdas.iter().map(|&lambda| lambda as i32).collect();
    let damping = tables.damping.clone().select(0, index(lambda, &device)).reshape([8, 1, 16]);
    let seen = tables.basis.forward(seen).reshape([8, 1, 16]) * damping;
    let off = numbers((newest - seen).abs().max())[0];
    assert!(off < 1e-4, "{off}");
    <Cpu as Backend>::seed(&device, 0);
}
