//! How good a predictor is on the validation part.

use anyhow::Result;
use burn::tensor::{Tensor, backend::Backend};

use super::batch::Frames;
use super::config::Config;
use super::loss::increment_loss;
use super::predictor::{Input, Predictor, Window};
use super::tables::Tables;
use finescale_field::shells::Shells;

/// Figures of the validation part.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// (λ, loss), at values of λ spread over all that are trained.
    pub losses: Vec<(f64, f64)>,
    /// Relative L² error of a noise-free rollout at the smallest λ, after 1, 2, … frames.
    pub rollout: Vec<f64>,
    /// The same of persistence.
    pub persistence: Vec<f64>,
    /// Relative L1 error of the rollout's spectrum over shells, after as many frames.
    pub spectrum: Vec<f64>,
}

impl Validation {
    /// Mean loss over the values of λ.
    pub fn loss(&self) -> f64 {
        self.losses.iter().map(|(_, loss)| loss).sum::<f64>() / self.losses.len().max(1) as f64
    }
}

/// Values of λ at which validation happens.
const LAMBDAS: usize = 8;

/// Measures a predictor.
///
/// # Errors
/// If the part's segments are shorter than a rollout.
pub fn validate<B: Backend>(
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
        let draw = frames.fixed(config.report.windows, lambda, tables.window);
        let batch = frames.batch(&draw, tables);
        let output = predictor.predict(Input::new(&batch.window, tables), tables);
        let values = increment_loss(&output, &batch, tables, config.loss.weight).mean();
        losses.push((tables.lambdas[lambda], scalar(values)));
    }
    let rolled = rollout(predictor, frames, tables, config)?;
    Ok(Validation { losses, ..rolled })
}

/// Rolls frames out from clean windows at the smallest λ and compares them with the equally damped truth.
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
            let clean = frames.at(tables.index(places, device));
            let clean = clean.reshape([batch, channels, modes]);
            clean * damping.clone().reshape([1, 1, modes])
        })
        .collect();
    let shells = Shells::new(&tables.grid);
    let index = |value: i32| tables.index(vec![value; batch], device);
    let mut window: Vec<_> = path[..w].to_vec();
    let mut validation = Validation {
        losses: Vec::new(),
        rollout: Vec::new(),
        persistence: Vec::new(),
        spectrum: Vec::new(),
    };
    for truth in &path[w..] {
        finescale_host::interrupt::check()?;
        let spectra = Tensor::stack::<4>(window.clone(), 1);
        let input = Window { spectra, lambda: index(0), row: index(tables.row(0, w)) };
        let output = predictor.predict(Input::new(&input, tables), tables);
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
        let mean = (x.clone() * x).mean_dim(0).into_data().convert::<f32>();
        let values: Vec<f32> = mean.to_vec().expect("the data were converted to f32");
        shells.mean(&values.into_iter().map(f64::from).collect::<Vec<_>>())
    };
    let (a, b) = (power(a), power(b));
    let error: f64 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
    error / b.iter().sum::<f64>()
}

pub(super) fn scalar<B: Backend>(value: Tensor<B, 1>) -> f64 {
    let data = value.into_data().convert::<f64>();
    data.to_vec::<f64>().map_or(f64::NAN, |values| values.first().copied().unwrap_or(f64::NAN))
}
