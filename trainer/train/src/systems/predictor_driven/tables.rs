//! What the method needs at every trained λ, as tensors on the device.

use anyhow::Result;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use finescale::Grid;

use super::settings::{Base, CLEAN};
use crate::config::Config;
use crate::engine::basis::Basis;
use crate::engine::views::Seen;
use crate::networks::Kind;
use finescale_field::modes::{Partner, planes};
use finescale_model::linear::{LinearBase, deviations};
use finescale_model::reference::{inputs, lambda_features};

/// Tables over λ. The first dimension is λ, or λ × frames available.
#[derive(Clone, Debug)]
pub struct Tables<B: Backend> {
    /// The grid.
    pub grid: Grid,
    /// Channels.
    pub channels: usize,
    /// Frames in a window.
    pub window: usize,
    /// Values of λ.
    pub lambdas: Vec<f64>,
    /// Exchanges of cosine and sine that the linear base needs.
    pub partners: Vec<Partner>,
    /// Transforms.
    pub basis: Basis<B>,
    /// `[λ, LAMBDA_FEATURES]`.
    pub features: Tensor<B, 2>,
    /// C, `[λ, channels · modes]`.
    pub damping: Tensor<B, 2>,
    /// √Σ, `[λ, channels · modes]`.
    pub noise: Tensor<B, 2>,
    /// V = C²P + Σ, `[λ, channels · modes]`.
    pub variance: Tensor<B, 2>,
    /// What the network sees.
    pub seen: Vec<Seen<B>>,
    /// The linear increment, `[λ · window, channels out · partners · window · channels in ·
    /// modes]`, oldest frame first; `None` without a base.
    pub increment: Option<Tensor<B, 2>>,
    /// As `increment`, for the noise of the newest frame.
    pub noise_estimate: Option<Tensor<B, 2>>,
    /// Standard deviation of a grid value of the base's error, `[λ, channels]`.
    pub increment_scale: Tensor<B, 2>,
    /// The same of the noise estimate's error.
    pub noise_scale: Tensor<B, 2>,
    /// S of the linear predictor, `[λ · window, channels · modes]`.
    pub innovation: Tensor<B, 2>,
    /// What squared errors are divided by, as `innovation`: S; for clean samples its mean over the
    /// modes, so that modes without power do not count as much as those of the flow.
    pub weight: Tensor<B, 2>,
    /// v = mean of Σ over modes, `[λ]`.
    pub mean_noise: Tensor<B, 1>,
}

impl<B: Backend> Tables<B> {
    /// Solves the linear predictor at every λ and moves everything to a device.
    ///
    /// # Errors
    /// As [`LinearBase::at`].
    pub fn new(
        base: &LinearBase,
        config: &Config,
        lambdas: &[f64],
        device: &B::Device,
    ) -> Result<Self> {
        let grid = base.grid;
        let (c, w, m) = (base.autocovariance.channels, base.autocovariance.window, grid.points());
        let mut rows = Rows::default();
        let with_base =
            config.predictor.base == Base::Linear || config.network.kind == Kind::Linear;
        let partners = if with_base { Partner::all(&grid) } else { Vec::new() };
        for &lambda in lambdas {
            let at = base.at(lambda)?;
            let noised = base.noised(lambda);
            let whole_window = (w - 1) * c * m;
            let round = |to: &mut Vec<f32>, values: &[f64]| {
                to.extend(values.iter().map(|value| *value as f32));
            };
            round(&mut rows.features, &lambda_features(lambda));
            round(&mut rows.damping, &noised.damping);
            rows.noise.extend(noised.noise_variance.iter().map(|sigma| sigma.sqrt() as f32));
            rows.mean_noise.push(noised.mean_noise() as f32);
            round(&mut rows.variance, &noised.variance);
            let seen = inputs::seen(&grid, config.predictor.views(), &noised);
            rows.seen.resize_with(seen.len(), Default::default);
            for ((filters, factors), seen) in rows.seen.iter_mut().zip(seen) {
                round(filters, &seen.filter);
                round(factors, &seen.factors);
            }
            round(&mut rows.innovation, &at.innovation);
            for channel in at.innovation.chunks_exact(m) {
                if lambda == CLEAN {
                    let mean = channel.iter().sum::<f64>() / m as f64;
                    rows.weight.extend(vec![mean as f32; m]);
                } else {
                    round(&mut rows.weight, channel);
                }
            }
            for (to, variances) in [
                (&mut rows.increment_scale, &at.innovation),
                (&mut rows.noise_scale, &at.noise_residual),
            ] {
                to.extend(deviations(&variances[whole_window..], m).map(|value| value as f32));
            }
            if with_base {
                let newest = |frame: usize, a: usize, b: usize| frame == w - 1 && a == b;
                rows.increment.extend(device_order(&grid, &at.coefficients, c, w, |f, a, b| {
                    if newest(f, a, b) { -1.0 } else { 0.0 }
                }));
                if config.predictor.score_head {
                    rows.noise_estimate.extend(device_order(
                        &grid,
                        &at.noise_coefficients,
                        c,
                        w,
                        |_, _, _| 0.0,
                    ));
                }
            }
        }
        let l = lambdas.len();
        let tensor = |values: Vec<f32>, rows: usize| {
            let width = values.len() / rows;
            Tensor::<B, 2>::from_data(TensorData::new(values, [rows, width]), device)
        };
        let some = |values: Vec<f32>| (!values.is_empty()).then(|| tensor(values, l * w));
        Ok(Self {
            grid,
            channels: c,
            window: w,
            lambdas: lambdas.to_vec(),
            partners,
            basis: Basis::new(&grid, device)?,
            features: tensor(rows.features, l),
            damping: tensor(rows.damping, l),
            noise: tensor(rows.noise, l),
            variance: tensor(rows.variance, l),
            seen: config
                .predictor
                .views()
                .components(&grid)
                .zip(rows.seen)
                .map(|(component, (filter, factors))| Seen {
                    component,
                    filter: tensor(filter, l),
                    factors: tensor(factors, l),
                })
                .collect(),
            increment: some(rows.increment),
            noise_estimate: some(rows.noise_estimate),
            increment_scale: tensor(rows.increment_scale, l),
            noise_scale: tensor(rows.noise_scale, l),
            innovation: tensor(rows.innovation, l * w),
            weight: tensor(rows.weight, l * w),
            mean_noise: tensor(rows.mean_noise, l).reshape([l]),
        })
    }

    /// The same tables, as constants of what is differentiated.
    pub fn lift<A: AutodiffBackend<InnerBackend = B>>(&self) -> Tables<A> {
        let lift = |table: &Tensor<B, 2>| Tensor::from_inner(table.clone());
        Tables {
            grid: self.grid,
            channels: self.channels,
            window: self.window,
            lambdas: self.lambdas.clone(),
            partners: self.partners.clone(),
            basis: self.basis.lift(),
            features: lift(&self.features),
            damping: lift(&self.damping),
            noise: lift(&self.noise),
            variance: lift(&self.variance),
            seen: self
                .seen
                .iter()
                .map(|seen| Seen {
                    component: seen.component,
                    filter: lift(&seen.filter),
                    factors: lift(&seen.factors),
                })
                .collect(),
            increment: self.increment.as_ref().map(lift),
            noise_estimate: self.noise_estimate.as_ref().map(lift),
            increment_scale: lift(&self.increment_scale),
            noise_scale: lift(&self.noise_scale),
            innovation: lift(&self.innovation),
            weight: lift(&self.weight),
            mean_noise: Tensor::from_inner(self.mean_noise.clone()),
        }
    }

    /// Row of the tables over λ × frames available.
    pub fn row(&self, lambda: usize, available: usize) -> i32 {
        (lambda * self.window + available - 1) as i32
    }
}

#[derive(Default)]
struct Rows {
    features: Vec<f32>,
    damping: Vec<f32>,
    noise: Vec<f32>,
    variance: Vec<f32>,
    /// Filters and factors of every component.
    seen: Vec<(Vec<f32>, Vec<f32>)>,
    increment: Vec<f32>,
    noise_estimate: Vec<f32>,
    increment_scale: Vec<f32>,
    noise_scale: Vec<f32>,
    innovation: Vec<f32>,
    weight: Vec<f32>,
    mean_noise: Vec<f32>,
}

/// `[available][lag][out][in][mode]`, packed, to `[available][out][partner][frame][in][mode]`
/// planes with frames oldest first; `identity(frame, out, in)` is added to the plane of the mode
/// itself.
fn device_order(
    grid: &Grid,
    packed: &[f32],
    c: usize,
    w: usize,
    identity: impl Fn(usize, usize, usize) -> f32,
) -> Vec<f32> {
    let (m, q) = (grid.points(), Partner::all(grid).len());
    let mut out = vec![0.0; w * c * q * w * c * m];
    for (index, operator) in packed.chunks_exact(m).enumerate() {
        let (b, a, lag) = (index % c, index / c % c, index / (c * c) % w);
        let (available, frame) = (index / (c * c * w), w - 1 - lag);
        for (partner, plane) in planes(grid, operator).chunks_exact(m).enumerate() {
            let place = ((((available * c + a) * q + partner) * w + frame) * c + b) * m;
            let shift = if partner == 0 { identity(frame, a, b) } else { 0.0 };
            for (out, value) in out[place..place + m].iter_mut().zip(plane) {
                *out = value + shift;
            }
        }
    }
    out
}
