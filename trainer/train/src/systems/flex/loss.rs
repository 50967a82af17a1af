//! What is minimised: errors of the velocity, or of what it says of the field or of its noise.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use finescale_model::flex::{Flex as About, Method};
use finescale_peers::flex::angle;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::base::Base;
use super::settings::Norm;
use crate::config::Config;
use crate::engine::Trainable;
use crate::engine::frames::{seeded_normal, unit};
use crate::engine::kernels::Kernels;
use crate::engine::learner::Loss;
use crate::networks::Network;
use crate::networks::dropout::Dropout;
use crate::systems::windows::batch::{Held, draw};
use crate::systems::windows::fields::{How, column, evaluate, full, per_sample, whole};
use crate::systems::windows::single::Sides;

/// The stream of the times: windows are drawn from others.
const TIMES: u64 = 1 << 63;

/// What is learned, by which settings.
pub(super) struct Objective {
    pub(super) sides: Sides,
    pub(super) about: About,
    pub(super) base: Base,
    pub(super) config: Config,
}

/// What the network sees, and what it has to tell; `[batch, fields, y, x]` both.
pub(super) struct Noised<B: Backend> {
    pub(super) seen: Tensor<B, 4>,
    pub(super) target: Tensor<B, 4>,
}

impl Objective {
    /// Errors of a batch.
    pub(super) fn loss<A: Trainable>(
        &self,
        held: &Held<A>,
        network: &Network<A>,
        number: u64,
    ) -> Loss<A> {
        let draw = draw(&held.train, &self.config, &self.sides.grid, &(0..1), [0, number]);
        let frames = draw.first(&held.train, &self.sides.grid, self.frames());
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(TIMES | number);
        let times: Vec<f64> = self.times(draw.starts.iter().map(|_| unit(&mut rng)));
        let Noised { seen, target } = self.noised(frames, &times, self.config.seed ^ (number << 8));
        let (mut dropout, precision) = (Dropout::OFF, self.config.training.precision);
        let how = How { precision, dropout: &mut dropout };
        let told = evaluate(network, Tensor::from_inner(seen), times.iter().copied(), how);
        whole(per_sample(self.size(told - Tensor::from_inner(target), &times)))
    }

    /// The mean error of windows at a time.
    pub(super) fn at_time<B: Kernels>(
        &self,
        network: &Network<B>,
        frames: Tensor<B, 4>,
        time: f64,
        seed: u64,
    ) -> Tensor<B, 1> {
        let times = self.times(std::iter::repeat_n(time, frames.dims()[0]));
        let Noised { seen, target } = self.noised(frames, &times, seed);
        let mut dropout = Dropout::OFF;
        let told = evaluate(network, seen, times.iter().copied(), full(&mut dropout));
        self.size(told - target, &times).mean()
    }

    /// Frames of a window in training: the known ones and the one that is asked for, or that alone.
    pub(super) fn frames(&self) -> usize {
        self.base.history() + 1
    }

    /// Windows `[batch, frames · channels, y, x]` on their way to noise, at a time each.
    pub(super) fn noised<B: Backend>(
        &self,
        frames: Tensor<B, 4>,
        times: &[f64],
        seed: u64,
    ) -> Noised<B> {
        let (known, field) = self.parts(frames);
        if self.about.method == Method::Regression {
            return Noised { seen: Tensor::cat(vec![field.zeros_like(), known], 1), target: field };
        }
        let device = &field.device();
        let part = |of: fn(f64) -> f64| {
            column(times.iter().map(|time| of(angle(*time)) as f32).collect(), device)
        };
        let (cos, sin) = (part(f64::cos), part(f64::sin));
        let noise = seeded_normal(field.dims(), seed, device);
        let state = field.clone() * cos.clone() + noise.clone() * sin.clone();
        let velocity = noise * cos - field * sin;
        Noised { seen: Tensor::cat(vec![state, known], 1), target: velocity }
    }

    /// The known frames as the network sees them, and the field that is learned, scaled.
    pub(super) fn parts<B: Backend>(&self, frames: Tensor<B, 4>) -> (Tensor<B, 4>, Tensor<B, 4>) {
        let (channels, device) = (self.sides.channels, frames.device());
        let (known, newest, frame) = self.base.parts(frames, &self.sides);
        let field = if self.about.residual { frame - newest } else { frame };
        let scales = self.about.scales.iter().map(|scale| (1.0 / scale) as f32).collect();
        let scales = Tensor::from_data(TensorData::new(scales, [1, channels, 1, 1]), &device);
        (known, field * scales)
    }

    /// What is averaged of an error.
    fn size<B: Backend>(&self, error: Tensor<B, 4>, times: &[f64]) -> Tensor<B, 4> {
        let target = self.config.flex.target;
        let weights = times.iter().map(|time| target.weight(*time) as f32).collect();
        let error = match self.about.method {
            Method::Flex => error.clone() * column(weights, &error.device()),
            Method::Regression => error,
        };
        match self.config.flex.loss {
            Norm::Absolute => error.abs(),
            Norm::Squared => error.clone() * error,
        }
    }

    /// A regression has one time.
    fn times(&self, drawn: impl Iterator<Item = f64>) -> Vec<f64> {
        let only = |time| if self.about.method == Method::Regression { 1.0 } else { time };
        drawn.map(only).collect()
    }
}
