//! Dynamical Diffusion against its closed forms, and against ordinary diffusion, which it is in other
//! coordinates.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use finescale_peers::dydiff::{Chain, Filter, Method, Noise, Process, Start};

const FRAMES: usize = 8;

fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found}, want {wanted}");
}

/// Values without a pattern.
fn values(n: usize) -> Vec<f64> {
    (0..n).map(|i| (1.0 + i as f64 * 1.7).sin() * (0.3 + i as f64).cos() * 1.9).collect()
}

#[test]
fn the_filter_is_undone_and_leaves_the_first_frame() {
    let frames = values(FRAMES * 3);
    for gamma in [1.0, 0.9, 0.5, 0.1] {
        let mut filtered = frames.clone();
        Filter::new(gamma).apply(&mut filtered, 3);
        assert_eq!(filtered[..3], frames[..3]);
        assert_eq!(filtered == frames, gamma == 1.0);
        Filter::new(gamma).undo(&mut filtered, 3);
        frames.iter().zip(&filtered).for_each(|(a, b)| near(*a, *b, 1e-6));
    }
}

#[test]
fn the_filter_has_its_closed_forms() {
    let filter = Filter::new(0.5);
    let mut constant = vec![1.0; FRAMES];
    filter.apply(&mut constant, 1);
    let wanted = [1.0, SQRT_2, 1.7071, 1.9142, 2.0607, 2.1642, 2.2374, 2.2892];
    constant.iter().zip(wanted).for_each(|(a, b)| near(*a, b, 1e-4));
    let mut long = vec![1.0; 100];
    filter.apply(&mut long, 1);
    near(long[99], 2.41421, 1e-5);
    // The matrix, a column for each frame; white noise in, an autoregression out.
    let column = |frame: usize| {
        let mut unit = vec![0.0; FRAMES];
        unit[frame] = 1.0;
        filter.apply(&mut unit, 1);
        unit
    };
    let matrix: Vec<Vec<f64>> = (0..FRAMES).map(column).collect();
    for (lag, wanted) in [1.0, FRAC_1_SQRT_2, 0.5, 0.3536].into_iter().enumerate() {
        let covariance: f64 = matrix.iter().map(|c| c[4] * c[4 + lag]).sum();
        near(covariance, wanted, 1e-4);
    }
    let determinant: f64 = (0..FRAMES).map(|n| matrix[n][n]).product();
    near(determinant, 0.088_388_3, 1e-7);
}

#[test]
fn the_schedules_have_their_values() {
    let process = Process::new(1000, 0.5, Noise::Filtered).unwrap();
    let alphas = [
        (0, 0.999_959),
        (21, 0.997_971),
        (981, 7.867_15e-4),
        (998, 2.428_77e-6),
        (999, 2.428_77e-9),
    ];
    for (step, wanted) in alphas {
        near(process.alpha(step) / wanted, 1.0, 1e-5);
    }
    let quarters =
        [(249, 0.847_012, 0.923_51), (499, 0.493_844, 0.746_92), (749, 0.144_272, 0.572_14)];
    for (step, alpha, gamma) in quarters {
        near(process.alpha(step), alpha, 1e-6);
        near(process.gamma(step), gamma, 1e-5);
    }
    near(process.gamma(999), 0.5, 1e-12);
    let stride = process.steps(50, Start::Reference).unwrap();
    assert_eq!((stride[0], stride[49], stride.len()), (981, 1, 50));
    let whole = process.steps(25, Start::Noisiest).unwrap();
    assert_eq!((whole[0], whole[24], whole.len()), (999, 39, 25));
    assert!(Process::new(1000, 1.5, Noise::Filtered).is_err());
    assert!(process.steps(0, Start::Noisiest).is_err());
    assert!(process.steps(1001, Start::Noisiest).is_err());
}

/// E x xᵀ of frames that differ from each other, with a trend.
fn covariance() -> Vec<Vec<f64>> {
    let at = |i: usize, j: usize| {
        let (i, j) = (i as f64, j as f64);
        (-(i - j).abs() / 3.0).exp() * (1.0 + 0.2 * i) * (1.0 + 0.2 * j) + 0.1 * i * j
    };
    (0..FRAMES).map(|i| (0..FRAMES).map(|j| at(i, j)).collect()).collect()
}

/// Solves `matrix` x = `b` by elimination with pivots.
fn solve(mut matrix: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| matrix[*i][k].abs().total_cmp(&matrix[*j][k].abs()));
        let pivot = pivot.expect("a row");
        matrix.swap(k, pivot);
        b.swap(k, pivot);
        let row = matrix[k].clone();
        for i in k + 1..n {
            let factor = matrix[i][k] / row[k];
            matrix[i].iter_mut().zip(&row).for_each(|(a, r)| *a -= factor * r);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|j| matrix[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / matrix[k][k];
    }
    b
}

/// The best guess of the noise in a state of ordinary diffusion of Gaussian frames.
fn guess(state: &[f64], alpha: f64) -> Vec<f64> {
    let mut total = covariance();
    for (i, row) in total.iter_mut().enumerate() {
        row.iter_mut().for_each(|c| *c *= alpha);
        row[i] += 1.0 - alpha;
    }
    solve(total, state.to_vec()).iter().map(|x| (1.0 - alpha).sqrt() * x).collect()
}

/// The states that a chain meets, and what it draws.
fn chain(rho: f64, steps: &[usize]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let process = Process::new(1000, rho, Noise::Filtered).unwrap();
    let mut states = Vec::new();
    let frames = process
        .sample(steps, &values(FRAMES), 1, |state, step| {
            // The network of ordinary diffusion, in the coordinates of this one.
            let filter = Filter::new(process.gamma(step));
            let mut plain = state.to_vec();
            filter.undo(&mut plain, 1);
            states.push(plain.clone());
            let mut noise = guess(&plain, process.alpha(step));
            filter.apply(&mut noise, 1);
            Ok(noise)
        })
        .unwrap();
    (states, frames)
}

#[test]
fn with_a_perfect_network_it_is_ordinary_diffusion() {
    let steps: Vec<usize> = (0..50).rev().map(|n| 1 + 20 * n).collect();
    let (plain, drawn) = chain(0.0, &steps);
    for rho in [0.5, 1.0] {
        let (states, frames) = chain(rho, &steps);
        for (a, b) in plain.iter().flatten().zip(states.iter().flatten()) {
            near(*a, *b, 1e-12);
        }
        drawn.iter().zip(&frames).for_each(|(a, b)| near(*a, *b, 1e-12));
    }
}

#[test]
fn without_the_filter_it_is_ordinary_diffusion_bit_for_bit() {
    let process = Process::new(1000, 0.0, Noise::Filtered).unwrap();
    let (frames, noise) = (values(FRAMES), values(2 * FRAMES)[FRAMES..].to_vec());
    for step in [0, 500, 999] {
        let alpha = process.alpha(step);
        let plain: Vec<f64> = frames
            .iter()
            .zip(&noise)
            .map(|(x, e)| alpha.sqrt() * x + (1.0 - alpha).sqrt() * e)
            .collect();
        assert_eq!(process.state(step, &frames, &noise, 1), plain);
        assert_eq!(process.target(step, &noise, 1), noise);
    }
}

#[test]
fn a_white_start_has_too_much_noise() {
    let process = Process::new(1000, 0.5, Noise::Filtered).unwrap();
    // Variances of D⁻¹ of white noise: the sum of the squares of a row.
    let filter = Filter::new(process.gamma(981));
    let mut variances = [0.0; FRAMES];
    for frame in 0..FRAMES {
        let mut unit = vec![0.0; FRAMES];
        unit[frame] = 1.0;
        filter.undo(&mut unit, 1);
        variances.iter_mut().zip(unit).for_each(|(v, x)| *v += x * x);
    }
    near(variances[0], 1.0, 1e-12);
    variances[1..].iter().for_each(|v| near(*v, 2.997, 1e-3));
}

/// The noise of a state in which these frames are, as it was added.
fn noise_of(process: &Process, step: usize, frames: &[f64], state: &[f64]) -> Vec<f64> {
    let alpha = process.alpha(step);
    let mut filtered = frames.to_vec();
    Filter::new(process.gamma(step)).apply(&mut filtered, 1);
    let noise = |(x, f): (&f64, f64)| (x - alpha.sqrt() * f) / (1.0 - alpha).sqrt();
    state.iter().zip(filtered).map(noise).collect()
}

#[test]
fn a_step_with_the_true_noise_lands_on_the_process() {
    let (frames, noise) = (values(FRAMES), values(2 * FRAMES)[FRAMES..].to_vec());
    for kind in [Noise::Filtered, Noise::White] {
        let process = Process::new(1000, 0.5, kind).unwrap();
        let mut met = Vec::new();
        let drawn = process.sample(&[999, 600, 200], &noise, 1, |state, step| {
            met.push((step, state.to_vec()));
            Ok(noise_of(&process, step, &frames, state))
        });
        drawn.unwrap().iter().zip(&frames).for_each(|(a, b)| near(*a, *b, 1e-9));
        // The white noise that the first state has of these frames stays for all others.
        let mut white = noise_of(&process, 999, &frames, &met[0].1);
        if kind == Noise::Filtered {
            Filter::new(process.gamma(999)).undo(&mut white, 1);
        }
        for (step, state) in &met {
            let on = process.state(*step, &frames, &white, 1);
            state.iter().zip(on).for_each(|(a, b)| near(*a, b, 1e-9));
        }
    }
}

/// A network that knows nothing: some bent function of state and step.
fn bent(state: &[f64], step: usize) -> Vec<f64> {
    let near = |n: usize| state[n] + 0.5 * state[(n + 1) % state.len()];
    (0..state.len()).map(|n| (near(n) + step as f64 / 1000.0).sin()).collect()
}

#[test]
fn a_filter_around_the_network_is_the_filter_in_the_process() {
    let [inner, outer, weighed] = [Method::Dydiff, Method::OuterFilter, Method::FilteredLoss]
        .map(|method| Chain::new(1000, 0.5, Noise::Filtered, method).unwrap());
    let (frames, noise) = (values(FRAMES), values(2 * FRAMES)[FRAMES..].to_vec());
    for step in [0, 300, 981] {
        let ((seen, told), (a, b)) =
            (inner.pair(step, &frames, &noise, 1), outer.pair(step, &frames, &noise, 1));
        seen.iter().chain(&told).zip(a.iter().chain(&b)).for_each(|(a, b)| near(*a, *b, 1e-12));
        // The third sees ordinary diffusion, and its errors count as those of the other two.
        let (plain, target) = weighed.pair(step, &frames, &noise, 1);
        assert_eq!(target, noise);
        let filter = Filter::new(inner.process().gamma(step));
        let mut back = seen.clone();
        filter.undo(&mut back, 1);
        plain.iter().zip(back).for_each(|(a, b)| near(*a, b, 1e-12));
        let (mut error, mut expected) = (values(FRAMES), values(FRAMES));
        weighed.weigh(step, &mut error, 1);
        filter.apply(&mut expected, 1);
        assert_eq!(error, expected);
        inner.weigh(step, &mut error, 1);
        outer.weigh(step, &mut error, 1);
        assert_eq!(error, expected);
    }
    // Whatever the network is, and not a perfect one alone.
    let steps = inner.process().steps(50, Start::Reference).unwrap();
    let drawn = |chain: &Chain| {
        chain.sample(&steps, &noise, 1, |state, step| Ok(bent(state, step))).unwrap()
    };
    let (inner, outer, weighed) = (drawn(&inner), drawn(&outer), drawn(&weighed));
    inner.iter().zip(&outer).for_each(|(a, b)| near(*a, *b, 1e-9));
    assert!(inner.iter().zip(&weighed).any(|(a, b)| (a - b).abs() > 0.1));
    let white = Chain::new(1000, 0.5, Noise::White, Method::OuterFilter);
    assert!(white.unwrap_err().to_string().contains("white noise"));
}
