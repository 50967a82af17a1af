//! Adam with a schedule, a clipped gradient, and a moving average of the weights.

use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use crate::config::{Decay, Training};

/// Learning rate of a step, counted from 0.
pub fn learning_rate(config: &Training, step: usize) -> f64 {
    let warm = ((step + 1) as f64 / config.warmup.max(1) as f64).min(1.0);
    let decay = match config.decay {
        Decay::Constant => 1.0,
        Decay::Cosine => {
            let rest = config.steps.saturating_sub(config.warmup).max(1) as f64;
            let part = (step.saturating_sub(config.warmup) as f64 / rest).min(1.0);
            0.5 * (1.0 + (std::f64::consts::PI * part).cos())
        }
    };
    config.learning_rate * warm * decay
}

/// Scales all gradients together so that their common norm is at most `limit`. Nothing leaves the
/// device.
pub fn clip<B: AutodiffBackend, M: AutodiffModule<B>>(
    module: &M,
    gradients: GradientsParams,
    limit: f64,
) -> GradientsParams {
    let mut norm = SquaredNorm::<B> { gradients: &gradients, sum: None };
    module.visit(&mut norm);
    let Some(sum) = norm.sum else { return gradients };
    let factor = (sum.sqrt().clamp_min(limit).recip()) * limit;
    let mut scale = ScaledGradients::<B> { gradients, factor };
    module.visit(&mut scale);
    scale.gradients
}

struct SquaredNorm<'a, B: AutodiffBackend> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<B::InnerBackend, 1>>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for SquaredNorm<'_, B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.get::<B::InnerBackend, D>(param.id) {
            let square = (gradient.clone() * gradient).sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

struct ScaledGradients<B: AutodiffBackend> {
    gradients: GradientsParams,
    factor: Tensor<B::InnerBackend, 1>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for ScaledGradients<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.gradients.remove::<B::InnerBackend, D>(param.id) {
            let factor = self.factor.clone().reshape([1; D]);
            self.gradients.register(param.id, gradient * factor);
        }
    }
}

/// weights ← factor · weights, apart from their moments: the decay of AdamW (Loshchilov and Hutter
/// 2019).
pub fn decayed<A: AutodiffBackend, M: AutodiffModule<A>>(weights: M, factor: f64) -> M {
    if factor == 1.0 { weights } else { weights.map(&mut Shrink { factor }) }
}

struct Shrink {
    factor: f64,
}

impl<A: AutodiffBackend> ModuleMapper<A> for Shrink {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        param.map(|weights| {
            let learned = weights.is_require_grad();
            let weights = Tensor::from_inner(weights.inner() * self.factor);
            if learned { weights.require_grad() } else { weights }
        })
    }
}

/// average ← d·average + (1 − d)·weights, with d = min(decay, (1 + step)/(10 + step)), so that it
/// forgets the first weights.
pub fn average<B: Backend, M: Module<B>>(average: M, weights: &M, decay: f64, step: usize) -> M {
    let warm = (1 + step) as f64 / (10 + step) as f64;
    let mut bag = Bag { weights: GradientsParams::new() };
    weights.visit(&mut bag);
    average.map(&mut Blend { weights: bag.weights, decay: decay.min(warm) })
}

struct Bag {
    weights: GradientsParams,
}

impl<B: Backend> ModuleVisitor<B> for Bag {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.weights.register(param.id, param.val());
    }
}

struct Blend {
    weights: GradientsParams,
    decay: f64,
}

impl<B: Backend> ModuleMapper<B> for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let weights = self.weights.remove::<B, D>(param.id);
        param.map(|average| match weights {
            Some(weights) => average * self.decay + weights * (1.0 - self.decay),
            None => average,
        })
    }
}
