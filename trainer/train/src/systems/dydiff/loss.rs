//! What is minimised: the squared error of the noise of all frames.

use burn::tensor::{Tensor, backend::Backend};
use finescale_model::Dydiff as About;
use finescale_peers::dydiff::{Chain, Method, Noise};

use crate::config::Config;
use crate::engine::Trainable;
use crate::engine::frames::seeded_normal;
use crate::engine::kernels::Kernels;
use crate::engine::learner::Loss;
use crate::networks::Network;
use crate::networks::dropout::Dropout;
use crate::systems::windows::batch::{Held, draw};
use crate::systems::windows::fields::{How, column, evaluate, full, per_sample, whole};
use crate::systems::windows::single::Sides;

/// What is learned, by which settings.
pub(super) struct Objective {
    pub(super) sides: Sides,
    pub(super) about: About,
    pub(super) chain: Chain,
    pub(super) config: Config,
}

/// Windows with noise.
pub(super) struct Noised<B: Backend> {
    /// What the network sees, `[batch, fields, y, x]`.
    pub(super) seen: Tensor<B, 4>,
    /// The noise as the network has to tell it, `[batch, frames · channels, y, x]`.
    pub(super) target: Tensor<B, 4>,
}

impl Objective {
    /// Squared errors of a batch.
    pub(super) fn loss<A: Trainable>(
        &self,
        held: &Held<A>,
        network: &Network<A>,
        number: u64,
    ) -> Loss<A> {
        let steps = 0..self.about.process.steps;
        let draw = draw(&held.train, &self.config, &self.sides.grid, &steps, [0, number]);
        let frames = draw.first(&held.train, &self.sides.grid, self.about.frames());
        let Noised { seen, target } =
            self.noised(frames, &draw.steps, self.config.seed ^ (number << 8));
        let precision = self.config.training.precision;
        let mut dropout = Dropout::OFF;
        let how = How { precision, dropout: &mut dropout };
        let told = evaluate(network, Tensor::from_inner(seen), self.times(&draw.steps), how);
        let error = self.weighed(told - Tensor::from_inner(target), &draw.steps);
        whole(per_sample(error.clone() * error))
    }

    /// The mean squared error of windows at a step.
    pub(super) fn at_step<B: Kernels>(
        &self,
        network: &Network<B>,
        frames: Tensor<B, 4>,
        step: usize,
    ) -> Tensor<B, 1> {
        let steps = vec![step; frames.dims()[0]];
        let Noised { seen, target } = self.noised(frames, &steps, step as u64);
        let mut dropout = Dropout::OFF;
        let told = evaluate(network, seen, self.times(&steps), full(&mut dropout));
        let error = self.weighed(told - target, &steps);
        (error.clone() * error).mean()
    }

    /// Windows `[batch, frames · channels, y, x]` with the noise of a seed, at a step each.
    pub(super) fn noised<B: Backend>(
        &self,
        frames: Tensor<B, 4>,
        steps: &[usize],
        seed: u64,
    ) -> Noised<B> {
        let channels = self.sides.channels;
        let device = &frames.device();
        let noise = seeded_normal(frames.dims(), seed, device);
        let known = frames.clone().narrow(1, 0, self.about.history * channels);
        let (state, target) = self.pair(frames, noise, steps);
        Noised { seen: Tensor::cat(vec![state, known], 1), target }
    }

    /// As [`Chain::pair`], of a batch.
    pub(super) fn pair<B: Backend>(
        &self,
        frames: Tensor<B, 4>,
        noise: Tensor<B, 4>,
        steps: &[usize],
    ) -> (Tensor<B, 4>, Tensor<B, 4>) {
        let filters = self.filters(steps, &frames.device());
        let alphas = || steps.iter().map(|step| self.chain.process().alpha(*step));
        let device = &frames.device();
        let signal = column(alphas().map(|alpha| alpha.sqrt() as f32).collect(), device);
        let spread = column(alphas().map(|alpha| (1.0 - alpha).sqrt() as f32).collect(), device);
        let state = |frames, noise| frames * signal + noise * spread;
        match (self.about.method, self.about.process.noise) {
            (Method::Dydiff, Noise::Filtered) => {
                let noise = filters.apply(noise);
                (state(filters.apply(frames), noise.clone()), noise)
            }
            (Method::Dydiff, Noise::White) => (state(filters.apply(frames), noise.clone()), noise),
            (Method::OuterFilter, _) => {
                (filters.apply(state(frames, noise.clone())), filters.apply(noise))
            }
            (Method::FilteredLoss, _) => (state(frames, noise.clone()), noise),
        }
    }

    /// As [`Chain::weigh`], of a batch.
    pub(super) fn weighed<B: Backend>(&self, error: Tensor<B, 4>, steps: &[usize]) -> Tensor<B, 4> {
        match self.about.method {
            Method::FilteredLoss => self.filters(steps, &error.device()).apply(error),
            Method::Dydiff | Method::OuterFilter => error,
        }
    }

    fn times(&self, steps: &[usize]) -> impl Iterator<Item = f64> {
        steps.iter().map(|step| self.about.time(*step))
    }

    fn filters<B: Backend>(&self, steps: &[usize], device: &B::Device) -> Filters<B> {
        let shares = steps.iter().map(|step| self.chain.process().filter(*step).shares());
        let (own, carried) = shares.map(|[own, carried]| (own as f32, carried as f32)).unzip();
        let [own, carried] = [own, carried].map(|shares| column(shares, device));
        Filters { own, carried, channels: self.sides.channels }
    }
}

/// The filter of each sample.
struct Filters<B: Backend> {
    own: Tensor<B, 4>,
    carried: Tensor<B, 4>,
    channels: usize,
}

impl<B: Backend> Filters<B> {
    /// Of `[batch, frames · channels, y, x]`.
    fn apply(&self, frames: Tensor<B, 4>) -> Tensor<B, 4> {
        let count = frames.dims()[1] / self.channels;
        let frame = |n: usize| frames.clone().narrow(1, n * self.channels, self.channels);
        let mut filtered = vec![frame(0)];
        for n in 1..count {
            let before = filtered[n - 1].clone() * self.carried.clone();
            filtered.push(frame(n) * self.own.clone() + before);
        }
        Tensor::cat(filtered, 1)
    }
}
