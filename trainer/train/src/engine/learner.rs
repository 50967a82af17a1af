//! What a training step changes, and the step itself, over one device or several.

use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{Adam, AdamConfig, GradientsAccumulator, GradientsParams, Optimizer};
use burn::tensor::Tensor;

use super::Trainable;
use super::optimizer::{average, clip, decayed, learning_rate};
use crate::config::Training;

/// What a step minimises on one batch, and what is shown of it.
pub struct Loss<A: Trainable> {
    /// What is minimised.
    pub total: Tensor<A, 1>,
    /// The loss of every sample, `[batch]`.
    pub samples: Losses<A>,
}

/// Losses of samples that nobody has waited for yet.
pub struct Losses<A: Trainable> {
    /// `[batch]`.
    pub values: Tensor<A::InnerBackend, 1>,
    /// The level that each sample was taken at, by which losses are averaged in bands.
    pub levels: Vec<f64>,
}

/// A device, and what it holds.
pub struct Seat<A: Trainable, H> {
    /// The device.
    pub device: A::Device,
    /// Frames, tables and the like.
    pub held: H,
}

/// Adam over all weights.
pub type Moments<A, M> = OptimizerAdaptor<Adam, M, A>;

/// What the next step depends on.
#[derive(Clone)]
pub struct Learner<A: Trainable, M: AutodiffModule<A>> {
    /// Weights.
    pub weights: M,
    /// Their moving average.
    pub average: M,
    /// Adam's moments.
    pub optimizer: Moments<A, M>,
}

impl<A: Trainable, M: AutodiffModule<A>> Learner<A, M> {
    /// Before the first step.
    pub fn new(weights: M) -> Self {
        Self { average: weights.clone(), weights, optimizer: AdamConfig::new().init() }
    }

    /// One step, the gradients of `training.accumulate` batches of every device added up; and the
    /// losses of those batches.
    ///
    /// `loss` computes a batch by its number: numbers count through all steps, batches and devices,
    /// so that devices share no batch and a resumed training goes on with the next one.
    pub fn step<H: Send + Sync>(
        self,
        seats: &[Seat<A, H>],
        training: &Training,
        step: usize,
        loss: &(impl Fn(&M, &H, u64) -> Loss<A> + Sync),
    ) -> (Self, Vec<Losses<A>>) {
        let share = 1.0 / (training.accumulate * seats.len()) as f64;
        let mut accumulator = GradientsAccumulator::new();
        let mut all = Vec::new();
        for part in 0..training.accumulate {
            let first = ((step * training.accumulate + part) * seats.len()) as u64;
            for (gradients, losses) in gradients(&self.weights, seats, first, share, loss) {
                accumulator.accumulate(&self.weights, gradients);
                all.push(losses);
            }
        }
        (self.apply(accumulator.grads(), training, step), all)
    }

    /// Clips the gradients, lets Adam take its step, and moves the average after the weights.
    pub fn apply(mut self, gradients: GradientsParams, training: &Training, step: usize) -> Self {
        let gradients = clip(&self.weights, gradients, training.clip);
        let rate = learning_rate(training, step);
        let weights = decayed(self.weights, 1.0 - rate * training.weight_decay);
        self.weights = self.optimizer.step(rate, weights, gradients);
        self.average = average(self.average, &self.weights, training.ema, step);
        self
    }
}

/// Gradients of one batch per device, on the first one, in the order of the devices.
fn gradients<A: Trainable, M: AutodiffModule<A>, H: Send + Sync>(
    weights: &M,
    seats: &[Seat<A, H>],
    first: u64,
    share: f64,
    loss: &(impl Fn(&M, &H, u64) -> Loss<A> + Sync),
) -> Vec<(GradientsParams, Losses<A>)> {
    let batch = |model: &M, held: &H, number: u64| {
        let Loss { total, samples } = loss(model, held, number);
        let gradients = (total * share).backward();
        (GradientsParams::from_grads(gradients, model), samples)
    };
    if let [seat] = seats {
        return vec![batch(weights, &seat.held, first)];
    }
    let answers: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = seats
            .iter()
            .zip(first..)
            .map(|(seat, number)| {
                let model = weights.clone().fork(&seat.device);
                let held = &seat.held;
                scope.spawn(move || batch(&model, held, number))
            })
            .collect();
        workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
    });
    // A worker that panicked has said so; the training cannot go on without its gradients.
    let answer = |answer| match answer {
        Ok((gradients, losses)) => {
            let gradients: GradientsParams = gradients;
            (gradients.to_device(&seats[0].device, weights), losses)
        }
        Err(panic) => std::panic::resume_unwind(panic),
    };
    answers.into_iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::tensor::backend::Backend;

    use super::*;
    use crate::config::{Config, Decay};
    use crate::engine::backend::{Cpu, Differentiable};
    use crate::engine::frames::numbers;

    type A = Differentiable<Cpu>;

    #[derive(Module, Debug)]
    struct One<B: Backend> {
        value: Param<Tensor<B, 1>>,
    }

    /// Adam's step for a gradient that is always the same is the learning rate, whatever its size;
    /// the decay comes on top, and not into the moments.
    #[test]
    fn weights_decay_beside_the_steps_of_adam() {
        let (rate, weight_decay) = (0.1, 0.5);
        let training = Training {
            learning_rate: rate,
            weight_decay,
            decay: Decay::Constant,
            warmup: 0,
            ema: 0.0,
            ..Config::default().training
        };
        for slope in [0.0, 3.0] {
            let value = Param::from_tensor(Tensor::from_data([2.0], &Default::default()));
            let mut learner = Learner::<A, One<A>>::new(One { value });
            let mut expected = 2.0;
            for step in 0..4 {
                let loss = learner.weights.value.val() * slope;
                let gradients = GradientsParams::from_grads(loss.backward(), &learner.weights);
                learner = learner.apply(gradients, &training, step);
                expected *= 1.0 - rate * weight_decay;
                expected -= if slope > 0.0 { rate } else { 0.0 };
                let found = f64::from(numbers(learner.weights.value.val())[0]);
                assert!((found - expected).abs() < 1e-4, "{slope} {step}: {found} {expected}");
            }
        }
    }
}
