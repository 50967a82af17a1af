//! Calibration: what a trained predictor's errors and scores are, by λ and shell, on the validation
//! part.

use anyhow::{Context, Result};
use burn::tensor::{Tensor, TensorData, backend::AutodiffBackend, backend::Backend};

use super::batch::{fixed, noised_windows};
use super::predictor::{NetworkInput, NoisedWindow, Predictor};
use super::tables::Tables;
use crate::config::Config;
use crate::engine::frames::{Frames, index, numbers, seeded_normal};
use finescale_field::shells::Shells;
use finescale_model::{Calibration, ScoreMoments};

/// Windows that are predicted at once.
const CHUNK: usize = 64;

/// Measures E|e|² of a predictor relative to the linear one's S, at every λ of the tables, from at
/// most `count` windows.
///
/// # Errors
/// After Ctrl-C.
pub fn innovation_ratio<B: Backend>(
    predictor: &impl Predictor<B>,
    frames: &Frames<B>,
    tables: &Tables<B>,
    count: usize,
) -> Result<Vec<f32>> {
    let shells = Shells::new(&tables.grid);
    let mut ratios = Vec::new();
    for lambda in 0..tables.lambdas.len() {
        let all = fixed(frames, count, lambda, tables.window);
        let mut sum = vec![0.0; tables.channels * tables.grid.points()];
        for (n, starts) in all.starts.chunks(CHUNK).enumerate() {
            finescale_host::interrupt::check()?;
            let mut draw = fixed(frames, starts.len(), lambda, tables.window);
            draw.starts = starts.to_vec();
            draw.noise = (lambda * 1_000_003 + n) as u64;
            let batch = noised_windows(frames, &draw, tables);
            let output = predictor.predict(NetworkInput::new(&batch.window, tables), tables);
            let error = output.increment - batch.increment;
            let [n, channels, modes] = error.dims();
            let expected = tables.innovation.clone().select(0, batch.window.row.clone());
            let ratio = (error.clone() * error).reshape([n, channels * modes]) / expected;
            add(&mut sum, ratio.sum_dim(0));
        }
        let scale = 1.0 / all.starts.len() as f64;
        ratios.extend(shells.mean(&sum).iter().map(|sum| (sum * scale) as f32));
    }
    Ok(ratios)
}

/// Measures E|ŝ|² V and E[ŝ t*] V of the path score, and of the score head's where there is one, on
/// noised validation paths.
///
/// # Errors
/// If no segment has `calibration.frames` frames, or after Ctrl-C.
pub fn scores<A: AutodiffBackend>(
    predictor: &impl Predictor<A>,
    frames: &Frames<A::InnerBackend>,
    tables: &Tables<A::InnerBackend>,
    lifted: &Tables<A>,
    calibration: &mut Calibration,
    config: &Config,
) -> Result<()> {
    let shells = Shells::new(&tables.grid);
    let (channels, modes) = (tables.channels, tables.grid.points());
    let length = config.calibration.frames;
    let starts = frames.long_windows(length, config.calibration.paths)?;
    let device = frames.device();
    let per_path = CHUNK.div_ceil(length).max(1);
    for lambda in 0..tables.lambdas.len() {
        let at = Level::new(lambda, tables, calibration, &shells);
        let mut path_sums = Sums::new(channels * modes);
        let mut head_sums = calibration.head.is_some().then(|| Sums::new(channels * modes));
        for (n, starts) in starts.chunks(per_path).enumerate() {
            finescale_host::interrupt::check()?;
            let places: Vec<i32> =
                starts.iter().flat_map(|s| (*s..s + length).map(|n| n as i32)).collect();
            let shape = [starts.len(), length, channels, modes];
            let clean = frames.at(index(places.clone(), device)).reshape(shape);
            let noise = seeded_normal(shape, (lambda * 1_000_003 + n) as u64, device);
            let per_mode = |table: &Tensor<A::InnerBackend, 2>| {
                table.clone().narrow(0, lambda, 1).reshape([1, 1, channels, modes])
            };
            let sigma = per_mode(&tables.noise);
            let path = clean * per_mode(&tables.damping) + noise.clone() * sigma.clone();
            let truth = noise.neg() / sigma.clone();
            let companions = frames.companions_at(index(places, device));
            let seen = companions.map(|seen| {
                let width = seen.dims()[1];
                seen.reshape([shape[0], length, width])
            });
            let score = path_score(predictor, path.clone(), seen, lambda, lifted, &at);
            path_sums.add(score, &truth);
            if let Some(sums) = &mut head_sums {
                let score = head_score(predictor, &path, lambda, lifted)?.neg() / sigma;
                sums.add(score, &truth);
            }
        }
        let scale = 1.0 / (starts.len() * length) as f64;
        path_sums.finish(&mut calibration.path, lambda, scale, &at.variance, &shells);
        if let (Some(sums), Some(head)) = (head_sums, &mut calibration.head) {
            sums.finish(head, lambda, scale, &at.variance, &shells);
        }
    }
    Ok(())
}

/// Sums over frames of ŝ² and ŝ t, `[channels · modes]` each.
struct Sums {
    power: Vec<f64>,
    truth: Vec<f64>,
}

impl Sums {
    fn new(width: usize) -> Self {
        Self { power: vec![0.0; width], truth: vec![0.0; width] }
    }

    /// Adds scores `[paths, frames, channels, modes]` and those that know the clean paths.
    fn add<B: Backend>(&mut self, score: Tensor<B, 4>, truth: &Tensor<B, 4>) {
        let [paths, frames, channels, modes] = score.dims();
        let rows = |x: Tensor<B, 4>| x.reshape([paths * frames, channels * modes]).sum_dim(0);
        add(&mut self.power, rows(score.clone() * score.clone()));
        add(&mut self.truth, rows(score * truth.clone()));
    }

    /// Puts the means over frames and shells, times V, where the tables have this λ.
    fn finish(
        self,
        to: &mut ScoreMoments,
        lambda: usize,
        scale: f64,
        variance: &[f32],
        shells: &Shells,
    ) {
        for (sums, to) in [(self.power, &mut to.power), (self.truth, &mut to.truth)] {
            let scaled: Vec<f64> =
                sums.iter().zip(variance).map(|(sum, v)| sum * scale * f64::from(*v)).collect();
            let means = shells.mean(&scaled);
            let row = to.iter_mut().skip(lambda * means.len());
            row.zip(&means).for_each(|(to, mean)| *to = *mean as f32);
        }
    }
}

/// Variances at one λ.
pub struct Level {
    /// S of every mode, for each number of available frames, `[window, channels · modes]`.
    innovation: Vec<f32>,
    /// V = C²P + Σ, `[channels · modes]`.
    variance: Vec<f32>,
}

impl Level {
    /// From the linear predictor's S and a calibration of it.
    pub fn new<B: Backend>(
        lambda: usize,
        tables: &Tables<B>,
        calibration: &Calibration,
        shells: &Shells,
    ) -> Self {
        let (w, c, m) = (tables.window, tables.channels, tables.grid.points());
        let mut innovation = numbers(tables.innovation.clone().narrow(0, lambda * w, w));
        let ratios =
            &calibration.innovation_ratio[lambda * calibration.width..][..calibration.width];
        for row in innovation.chunks_exact_mut(c * m) {
            for (channel, row) in row.chunks_exact_mut(m).enumerate() {
                for (value, shell) in row.iter_mut().zip(&shells.of) {
                    *value *= ratios[channel * shells.count + shell];
                }
            }
        }
        let variance = numbers(tables.variance.clone().narrow(0, lambda, 1));
        Self { innovation, variance }
    }
}

/// ∇ ln p of paths `[paths, frames, channels, modes]` at one λ, by automatic differentiation: the
/// gradient of −½ Σ |e|²/S − ½ |û⁰|²/V. `companions`: `[paths, frames, field · point]`.
pub fn path_score<A: AutodiffBackend>(
    predictor: &impl Predictor<A>,
    path: Tensor<A::InnerBackend, 4>,
    companions: Option<Tensor<A::InnerBackend, 3>>,
    lambda: usize,
    tables: &Tables<A>,
    level: &Level,
) -> Tensor<A::InnerBackend, 4> {
    let [paths, frames, channels, modes] = path.dims();
    let (w, width) = (tables.window, channels * modes);
    let device = path.device();
    let path = Tensor::<A, 4>::from_inner(path).require_grad();
    let steps = frames - 1;
    let mut window = windows(path.clone(), steps, lambda, tables);
    window.companions = companions.map(|seen| {
        let width = seen.dims()[2];
        let later = (1..frames).map(|n| seen.clone().narrow(1, n, 1)).collect();
        Tensor::from_inner(Tensor::cat(later, 0).reshape([steps * paths, width]))
    });
    let innovation: Vec<f32> = available(paths, steps, w)
        .flat_map(|a| &level.innovation[(a - 1) * width..a * width])
        .copied()
        .collect();
    let innovation =
        Tensor::<A, 2>::from_data(TensorData::new(innovation, [steps * paths, width]), &device);
    let increment = predictor.predict(NetworkInput::new(&window, tables), tables).increment;
    let later = (1..frames).map(|n| path.clone().narrow(1, n, 1)).collect();
    let earlier = (0..steps).map(|n| path.clone().narrow(1, n, 1)).collect();
    let change = Tensor::cat(later, 0) - Tensor::cat(earlier, 0);
    let error = (change.reshape([steps * paths, channels, modes]) - increment)
        .reshape([steps * paths, width]);
    let first = path.clone().narrow(1, 0, 1).reshape([paths, width]);
    let variance =
        Tensor::<A, 2>::from_data(TensorData::new(level.variance.clone(), [1, width]), &device);
    let log_density =
        (error.clone() * error / innovation).sum() + (first.clone() * first / variance).sum();
    let gradients = (log_density * -0.5).backward();
    path.grad(&gradients).expect("the path requires its gradient")
}

/// ε̂ of every frame of paths `[paths, frames, channels, modes]` by the score head.
fn head_score<A: AutodiffBackend>(
    predictor: &impl Predictor<A>,
    path: &Tensor<A::InnerBackend, 4>,
    lambda: usize,
    tables: &Tables<A>,
) -> Result<Tensor<A::InnerBackend, 4>> {
    let [paths, frames, channels, modes] = path.dims();
    let path = Tensor::<A, 4>::from_inner(path.clone());
    let window = windows(path, frames, lambda, tables);
    let noise = predictor.predict(NetworkInput::new(&window, tables), tables).noise;
    let noise = noise.context("the predictor has no score head")?.inner();
    Ok(noise.reshape([frames, paths, channels, modes]).swap_dims(0, 1))
}

/// The windows that end with each of the first `count` frames of paths, `[count · paths, window,
/// channels, modes]`.
fn windows<B: Backend>(
    path: Tensor<B, 4>,
    count: usize,
    lambda: usize,
    tables: &Tables<B>,
) -> NoisedWindow<B> {
    let [paths, _, channels, modes] = path.dims();
    let w = tables.window;
    let before = Tensor::zeros([paths, w - 1, channels, modes], &path.device());
    let padded = Tensor::cat(vec![before, path], 1);
    let windows = (0..count).map(|n| padded.clone().narrow(1, n, w)).collect();
    let rows = available(paths, count, w).map(|a| tables.row(lambda, a)).collect();
    let device = padded.device();
    NoisedWindow {
        spectra: Tensor::cat(windows, 0),
        lambda: index(vec![lambda as i32; count * paths], &device),
        row: index(rows, &device),
        companions: None,
    }
}

/// How many frames each of [`windows`] has.
fn available(paths: usize, count: usize, window: usize) -> impl Iterator<Item = usize> {
    (0..count).flat_map(move |n| std::iter::repeat_n((n + 1).min(window), paths))
}

fn add<B: Backend>(sum: &mut [f64], row: Tensor<B, 2>) {
    for (sum, value) in sum.iter_mut().zip(numbers(row)) {
        *sum += f64::from(value);
    }
}

/// λ for sampling, falling: from 1 geometrically to the λ where the finest modes with power have
/// emerged, then 0.
pub fn lambda_grid(emergence: impl Iterator<Item = f64>, steps: usize) -> Vec<f64> {
    let last = (0.5 * emergence.fold(1.0, f64::min)).clamp(1e-3, 3e-3);
    let n = steps.max(2) - 1;
    (0..n).map(|i| last.powf(i as f64 / (n - 1).max(1) as f64)).chain([0.0]).collect()
}
