//! Predictors: what they are given, what they return, and the linear base that they correct.

use burn::tensor::{Int, Tensor, activation, backend::Backend};
use finescale_model::reference::BOUND;

use super::settings;
use super::tables::Tables;
use crate::config::Precision;
use crate::engine::kernels::Kernels;
use crate::engine::views;
use crate::networks::{Forward, Network};

/// Windows of noised spectra and where in the tables they belong.
#[derive(Clone, Debug)]
pub struct NoisedWindow<B: Backend> {
    /// `[batch, window, channels, modes]`, oldest frame first, zero where a frame is not available.
    pub spectra: Tensor<B, 4>,
    /// Index of λ, `[batch]`.
    pub lambda: Tensor<B, 1, Int>,
    /// Index of λ × frames available, `[batch]`.
    pub row: Tensor<B, 1, Int>,
    /// Companions of the frame that is predicted, `[batch, field · point]`.
    pub companions: Option<Tensor<B, 2>>,
}

/// What a network is given: fields to look at, λ, and what the closed form already knows.
#[derive(Clone, Debug)]
pub struct NetworkInput<B: Backend> {
    /// `[batch, fields, y, x]`.
    pub fields: Tensor<B, 4>,
    /// `[batch, LAMBDA_FEATURES]`.
    pub lambda: Tensor<B, 2>,
    /// The linear increment, `[batch, channels, modes]`; zero without a base.
    pub increment: Tensor<B, 3>,
    /// Standard deviation of its error on the grid, `[batch, channels]`.
    pub increment_scale: Tensor<B, 2>,
    /// The linear estimate of the newest frame's noise, and the deviation of its error.
    pub noise: Tensor<B, 3>,
    /// As `increment_scale`.
    pub noise_scale: Tensor<B, 2>,
}

/// What a predictor returns, as spectra `[batch, channels, modes]`.
#[derive(Clone, Debug)]
pub struct Prediction<B: Backend> {
    /// E[û^{n+1} − û^n | window].
    pub increment: Tensor<B, 3>,
    /// E[ε^n | window], from a score head.
    pub noise: Option<Tensor<B, 3>>,
}

/// A model of the increment of the noised path. Everything between its window and its output is
/// differentiable.
pub trait Predictor<B: Backend> {
    /// Increments, and noises where there is a score head, of a batch.
    fn predict(&self, input: NetworkInput<B>, tables: &Tables<B>) -> Prediction<B>;
}

impl<B: Backend> NetworkInput<B> {
    /// Looks up the tables and transforms the window.
    pub fn new(window: &NoisedWindow<B>, tables: &Tables<B>) -> Self {
        let [batch, _, channels, modes] = window.spectra.dims();
        let at = |table: &Tensor<B, 2>| table.clone().select(0, window.lambda.clone());
        let seen = tables.seen.iter().map(|seen| seen.at(&window.lambda));
        let mut fields = views::fields(&tables.grid, &tables.basis, &window.spectra, seen);
        if let Some(companions) = &window.companions {
            let (ny, nx) = (tables.grid.ny(), tables.grid.nx());
            let count = companions.dims()[1] / modes;
            let companions = companions.clone().reshape([batch, count, ny, nx]);
            fields = Tensor::cat(vec![fields, companions], 1);
        }
        let linear = |table: &Option<Tensor<B, 2>>| match table {
            Some(table) => linear(window, tables, table),
            None => Tensor::zeros([batch, channels, modes], &window.spectra.device()),
        };
        Self {
            fields,
            lambda: at(&tables.features),
            increment: linear(&tables.increment),
            increment_scale: at(&tables.increment_scale),
            noise: linear(&tables.noise_estimate),
            noise_scale: at(&tables.noise_scale),
        }
    }
}

/// A linear operator on windows, `[batch, channels, modes]`.
fn linear<B: Backend>(
    window: &NoisedWindow<B>,
    tables: &Tables<B>,
    operator: &Tensor<B, 2>,
) -> Tensor<B, 3> {
    let [batch, frames, channels, modes] = window.spectra.dims();
    let (ny, nx) = (tables.grid.ny(), tables.grid.nx());
    let partners = tables.partners.len();
    let exchanged = tables.partners.iter().map(|partner| {
        let mut spectra = window.spectra.clone();
        // Neighbours are exchanged in pairs; the pair (0, N/2) is too, where the operator's planes
        // are zero.
        if partner.x {
            spectra = spectra
                .reshape([batch * frames * channels * ny * nx / 2, 2])
                .flip([1])
                .reshape([batch, frames, channels, modes]);
        }
        if partner.y {
            spectra = spectra
                .reshape([batch * frames * channels * ny / 2, 2, nx])
                .flip([1])
                .reshape([batch, frames, channels, modes]);
        }
        spectra.reshape([batch, 1, frames * channels, modes])
    });
    let exchanged = Tensor::cat(exchanged.collect(), 2);
    let operator = operator.clone().select(0, window.row.clone()).reshape([
        batch,
        channels,
        partners * frames * channels,
        modes,
    ]);
    (operator * exchanged).sum_dim(2).reshape([batch, channels, modes])
}

/// The closed form alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linear;

impl<B: Backend> Predictor<B> for Linear {
    fn predict(&self, input: NetworkInput<B>, tables: &Tables<B>) -> Prediction<B> {
        let noise = tables.noise_estimate.is_some().then_some(input.noise);
        Prediction { increment: input.increment, noise }
    }
}

/// The closed form with a network that corrects it.
#[derive(Clone, Copy, Debug)]
pub struct Corrected<'a, B: Backend> {
    network: &'a Network<B>,
    bounded: bool,
    score_head: bool,
}

impl<'a, B: Backend> Corrected<'a, B> {
    /// A network as the settings use it.
    pub fn new(network: &'a Network<B>, settings: &settings::Predictor) -> Self {
        Self { network, bounded: settings.bounded, score_head: settings.score_head }
    }
}

impl<B: Kernels> Predictor<B> for Corrected<'_, B> {
    fn predict(&self, input: NetworkInput<B>, tables: &Tables<B>) -> Prediction<B> {
        self.predict_in(Precision::Full, input, tables)
    }
}

impl<B: Kernels> Corrected<'_, B> {
    /// [`Predictor::predict`] with the network's convolutions in a precision: only training steps
    /// use another than the full one, so that figures and tables are those of the model that is
    /// written.
    pub fn predict_in(
        &self,
        precision: Precision,
        input: NetworkInput<B>,
        tables: &Tables<B>,
    ) -> Prediction<B> {
        let out = self.network.forward(input.fields, Some(input.lambda), precision);
        let [batch, outputs, ny, nx] = out.dims();
        let channels = tables.channels;
        let spectra = |fields: Tensor<B, 4>, scale: Tensor<B, 2>| {
            let fields = if self.bounded {
                let scale = scale.reshape([batch, channels, 1, 1]);
                activation::tanh(fields / BOUND) * (scale * BOUND)
            } else {
                fields
            };
            let spectra = tables.basis.forward(fields.reshape([batch * channels, ny, nx]));
            spectra.reshape([batch, channels, ny * nx])
        };
        let head = |n: usize| {
            if outputs == channels {
                out.clone()
            } else {
                out.clone().narrow(1, n * channels, channels)
            }
        };
        let increment = input.increment + spectra(head(0), input.increment_scale);
        let noise = self.score_head.then(|| input.noise + spectra(head(1), input.noise_scale));
        Prediction { increment, noise }
    }
}
