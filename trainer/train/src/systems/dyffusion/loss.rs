//! What both stages minimise, and what a control does.

use std::ops::Range;

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use finescale_model::dyffusion::Method;
use finescale_peers::dyffusion::Conditioning;

use super::shape::Shape;
use crate::config::Config;
use crate::engine::Trainable;
use crate::engine::frames::seeded_normal;
use crate::engine::kernels::Kernels;
use crate::engine::learner::Loss;
use crate::networks::Network;
use crate::networks::dropout::{Address, Dropout};
use crate::systems::windows::batch::{Draw, Held, draw};
use crate::systems::windows::fields::{How, column, per_sample, whole};

/// Which evaluation of a step a mask is of.
#[derive(Clone, Copy)]
enum Call {
    Interpolator,
    State,
    Forecaster,
    Next,
    Ahead,
    Noise,
    NoiseAhead,
}

/// What is learned, by which settings.
pub(super) struct Objective {
    pub(super) shape: Shape,
    pub(super) config: Config,
}

impl Objective {
    /// Squared errors of I at whole times between the two frames.
    pub(super) fn interpolator_loss<A: Trainable>(
        &self,
        held: &Held<A>,
        network: &Network<A>,
        number: u64,
    ) -> Loss<A> {
        let h = self.shape.about.window.horizon;
        let draw = self.draw(held, 1..h, [0, number]);
        let [first, frame, last] =
            draw.frames(&held.train, &self.shape.grid, [&|_| 0, &|step| step, &|_| h]);
        let ends = [first, last].map(Tensor::from_inner);
        let times: Vec<f64> = draw.steps.iter().map(|step| *step as f64).collect();
        let dropout = &mut self.dropout(number, Call::Interpolator);
        let out = self.shape.interpolate(network, ends, &times, self.how(dropout));
        let error = out - Tensor::from_inner(frame);
        whole(per_sample(error.clone() * error))
    }

    /// Squared errors of one network at all times of a window.
    pub(super) fn control_loss<A: Trainable>(
        &self,
        held: &Held<A>,
        network: &Network<A>,
        number: u64,
    ) -> Loss<A> {
        let h = self.shape.about.window.horizon;
        let draw = self.draw(held, 1..h + 1, [1, number]);
        let [first, frame] = draw.frames(&held.train, &self.shape.grid, [&|_| 0, &|step| step]);
        let times: Vec<f64> = draw.steps.iter().map(|step| *step as f64).collect();
        let dropout = &mut self.dropout(number, Call::Forecaster);
        let first = Tensor::from_inner(first);
        let out = self.shape.forecast(network, first, None, &times, self.how(dropout));
        let error = out - Tensor::from_inner(frame);
        whole(per_sample(error.clone() * error))
    }

    /// Absolute errors of F from frames that the frozen I has made, and from those that it makes of
    /// the last frame that F tells.
    pub(super) fn forecaster_loss<A: Trainable>(
        &self,
        held: &Held<A>,
        interpolator: &Network<A>,
        network: &Network<A>,
        number: u64,
    ) -> Loss<A> {
        let (shape, settings) = (&self.shape, &self.config.dyffusion);
        let window = shape.about.window;
        let draw = self.draw(held, 0..window.steps(), [1, number]);
        let ends = draw.frames(&held.train, &shape.grid, [&|_| 0, &|_| window.horizon]);
        // Nothing is differentiated here: neither the frames nor I are learned.
        let state = self.states(&interpolator.valid(), ends.clone(), &draw.steps, number);
        let [first, last] = ends.map(Tensor::<A, 4>::from_inner);
        let calls = [Call::Forecaster, Call::Noise];
        let told =
            self.told(network, Tensor::from_inner(state), &first, &draw.steps, number, calls);
        let error = per_sample((told.clone() - last.clone()).abs());
        if settings.look_ahead == 0.0 {
            return whole(error);
        }
        let final_step = window.steps() - 1;
        let ahead: Vec<usize> = draw.steps.iter().map(|n| (n + 1).min(final_step)).collect();
        let told = if settings.detach { told.detach() } else { told };
        let dropout = &mut self.dropout(number, Call::Next);
        let (ends, times) = ([first.clone(), told], self.times(&ahead));
        let next = shape.interpolate(interpolator, ends, &times, self.how(dropout));
        let calls = [Call::Ahead, Call::NoiseAhead];
        let told = self.told(network, next, &first, &ahead, number, calls);
        let error_ahead = per_sample((told - last).abs());
        // The mean is over the samples that have a next step.
        let has = |n: &usize| f32::from(*n < final_step);
        let count: f32 = draw.steps.iter().map(has).sum();
        let scale = draw.steps.len() as f32 / count.max(1.0);
        let weights: Vec<f32> = draw.steps.iter().map(|n| has(n) * scale).collect();
        let weights = column::<A>(weights, held.train.device()).reshape([draw.steps.len()]);
        let weight = settings.look_ahead;
        whole(error * (1.0 - weight) + error_ahead * weights * weight)
    }

    /// The states at steps: the first frames, and behind them what I makes between both ends.
    fn states<B: Kernels>(
        &self,
        interpolator: &Network<B>,
        ends: [Tensor<B, 4>; 2],
        steps: &[usize],
        number: u64,
    ) -> Tensor<B, 4> {
        let first = ends[0].clone();
        let dropout = &mut self.dropout(number, Call::State);
        let made =
            self.shape.interpolate(interpolator, ends, &self.times(steps), self.how(dropout));
        let begun = steps.iter().map(|n| f32::from(*n == 0)).collect();
        let begun = column(begun, &first.device());
        first * begun.clone() + made * (begun.neg() + 1.0)
    }

    /// The last frames that F tells from states at steps.
    fn told<A: Trainable>(
        &self,
        network: &Network<A>,
        state: Tensor<A, 4>,
        first: &Tensor<A, 4>,
        steps: &[usize],
        number: u64,
        [masks, noise]: [Call; 2],
    ) -> Tensor<A, 4> {
        let condition = self.condition(first, steps, number, noise);
        let dropout = &mut self.dropout(number, masks);
        self.shape.forecast(network, state, condition, &self.times(steps), self.how(dropout))
    }

    fn times(&self, steps: &[usize]) -> Vec<f64> {
        steps.iter().map(|n| self.shape.about.window.time(*n)).collect()
    }

    fn draw<A: Trainable>(&self, held: &Held<A>, steps: Range<usize>, address: [u64; 2]) -> Draw {
        draw(&held.train, &self.config, &self.shape.grid, &steps, address)
    }

    fn how<'a>(&self, dropout: &'a mut Dropout) -> How<'a> {
        How { precision: self.config.training.precision, dropout }
    }

    /// The masks of an evaluation.
    fn dropout(&self, number: u64, call: Call) -> Dropout {
        let settings = &self.config.dyffusion;
        let of_control = settings.method == Method::Dropout;
        let rate = match call {
            Call::Interpolator | Call::State | Call::Next => settings.dropout,
            _ if of_control => settings.dropout,
            _ => settings.forecaster_dropout,
        };
        Dropout::new(rate, self.address(number, call))
    }

    fn address(&self, number: u64, call: Call) -> Address {
        [self.config.seed, number, call as u64, 0]
    }

    /// What F sees beside the states.
    fn condition<A: Trainable>(
        &self,
        first: &Tensor<A, 4>,
        steps: &[usize],
        number: u64,
        call: Call,
    ) -> Option<Tensor<A, 4>> {
        let window = &self.shape.about.window;
        match window.conditioning {
            Conditioning::None => None,
            Conditioning::First => Some(first.clone()),
            Conditioning::Noisy => {
                let device = &first.device();
                let known = |n: &usize| *n as f32 / (window.steps() - 1) as f32;
                let known = column(steps.iter().map(known).collect(), device);
                let seed = self.config.seed ^ (number << 8) ^ call as u64;
                let noise = seeded_normal(first.dims(), seed, device);
                Some(first.clone() * known.clone() + noise * (known.neg() + 1.0))
            }
        }
    }
}
