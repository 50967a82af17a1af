//! How good a predictor is on the validation part.

use anyhow::Result;
use burn::tensor::{Tensor, backend::Backend};

use super::batch::{fixed, noised_windows};
use super::loss::increment_loss;
use super::predictor::{NetworkInput, NoisedWindow, Predictor};
use super::tables::Tables;
use crate::config::Config;
use crate::engine::frames::{Frames, index, numbers};
use crate::systems::Validation;
use finescale_field::shells::Shells;

/// Values of λ at which validation happens.
const LAMBDAS: usize = 8;

/// Measures a predictor.
///
/// # Errors
/// If the part's segments are shorter than a rollout.
pub(super) fn validate<B: Backend>(
    predictor: &impl Predictor<B>,
    frames: &Frames<B>,
    tables: &Tables<B>,
    config: &Config,
) -> Result<Validation> {
    let n = tables.lambdas.len();
    let count = LAMBDAS.min(n);
    let places = (0..count).map(|i| if count > 1 { i * (n - 1) / (count - 1) } else { 0 });
    let mut losses = Vec::new();
    for lambda in places {
        finescale_host::interrupt::check()?;
        let draw = fixed(frames, config.report.windows, lambda, tables.window);
        let batch = noised_windows(frames, &draw, tables);
        let output = predictor.predict(NetworkInput::new(&batch.window, tables), tables);
        let values = increment_loss(&output, &batch, tables, config.loss.weight).mean();
        losses.push((tables.lambdas[lambda], scalar(values)));
    }
    let rolled = rollout(predictor, frames, tables, config)?;
    Ok(Validation { losses, ..rolled })
}

/// Rolls frames out from clean windows at the smallest λ and compares them with the equally damped
/// truth.
fn rollout<B: Backend>(
    predictor: &impl Predictor<B>,
    frames: &Frames<B>,
    tables: &Tables<B>,
    config: &Config,
) -> Result<Validation> {
    let (w, channels, modes) = (tables.window, tables.channels, tables.grid.points());
    let starts = frames.long_windows(w + config.report.rollout, config.report.windows)?;
    let batch = starts.len();
    let device = frames.device();
    let damping = tables.damping.clone().narrow(0, 0, 1);
    let path: Vec<Tensor<B, 3>> = (0..w + config.report.rollout)
        .map(|n| {
            let places = starts.iter().map(|start| (start + n) as i32).collect();
            let clean = frames.at(index(places, device));
            let clean = clean.reshape([batch, channels, modes]);
            clean * damping.clone().reshape([1, channels, modes])
        })
        .collect();
    let shells = Shells::new(&tables.grid);
    let all = |value: i32| index(vec![value; batch], device);
    let mut window: Vec<_> = path[..w].to_vec();
    let mut validation = Validation::default();
    for (n, truth) in path.iter().enumerate().skip(w) {
        finescale_host::interrupt::check()?;
        let places = starts.iter().map(|start| (start + n) as i32).collect();
        let companions = frames.companions_at(index(places, device));
        let spectra = Tensor::stack::<4>(window.clone(), 1);
        let (lambda, row) = (all(0), all(tables.row(0, w)));
        let input = NoisedWindow { spectra, lambda, row, companions };
        let output = predictor.predict(NetworkInput::new(&input, tables), tables);
        let next = window[w - 1].clone() + output.increment;
        validation.rollout.push(relative(next.clone(), truth.clone()));
        validation.persistence.push(relative(path[w - 1].clone(), truth.clone()));
        validation.spectrum.push(spectrum_error(&shells, next.clone(), truth.clone()));
        window.remove(0);
        window.push(next);
    }
    Ok(validation)
}

/// ‖a − b‖ / ‖b‖ of each sample, averaged.
fn relative<B: Backend>(a: Tensor<B, 3>, b: Tensor<B, 3>) -> f64 {
    let [n, c, m] = b.dims();
    let norm = |x: Tensor<B, 3>| (x.clone() * x).reshape([n, c * m]).sum_dim(1).sqrt();
    scalar((norm(a - b.clone()) / norm(b)).reshape([n]).mean())
}

/// Σ |P_a − P_b| / Σ P_b over channels and shells, P the mean power of the modes of a shell.
fn spectrum_error<B: Backend>(shells: &Shells, a: Tensor<B, 3>, b: Tensor<B, 3>) -> f64 {
    let power = |x: Tensor<B, 3>| -> Vec<f64> {
        let values = numbers((x.clone() * x).mean_dim(0));
        shells.mean(&values.into_iter().map(f64::from).collect::<Vec<_>>())
    };
    let (a, b) = (power(a), power(b));
    let error: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
    error / b.iter().sum::<f64>()
}

fn scalar<B: Backend>(value: Tensor<B, 1>) -> f64 {
    let data = value.into_data().convert::<f64>();
    data.to_vec::<f64>().map_or(f64::NAN, |values| values.first().copied().unwrap_or(f64::NAN))
}
