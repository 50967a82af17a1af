//! What a training step changes, and the step itself, over one device or several.

use std::sync::Arc;

use burn::data::dataloader::DataLoaderIterator;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{Adam, AdamConfig, GradientsAccumulator, GradientsParams, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use burn::train::train::MultiDevicesTrainStep;
use burn::train::{LearningComponentsMarker, TrainStep};

use super::config::Training;
use super::network::{Corrected, Kernels};
use super::optimizer::{average, clip, learning_rate};
use super::step::{Context, Item, Losses, Stream};

/// Adam over all weights.
pub type Moments<A> = OptimizerAdaptor<Adam, Corrected<A>, A>;

/// What the next step depends on.
#[derive(Clone)]
pub struct Learner<A: AutodiffBackend> {
    /// Weights.
    pub weights: Corrected<A>,
    /// Their moving average.
    pub average: Corrected<A>,
    /// Adam's moments.
    pub optimizer: Moments<A>,
}

impl<A> Learner<A>
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels,
{
    /// Before the first step.
    pub fn new(weights: Corrected<A>) -> Self {
        Self { average: weights.clone(), weights, optimizer: AdamConfig::new().init() }
    }

    /// One step, the gradients of `training.accumulate` batches of every device added up; and the losses of those batches, which
    /// nobody has waited for yet.
    pub fn step(
        self,
        batches: &mut Batches<A>,
        training: &Training,
        step: usize,
        main: &A::Device,
    ) -> (Self, Vec<Losses<A::InnerBackend>>) {
        let mut accumulator = GradientsAccumulator::new();
        let mut all = Vec::new();
        for _ in 0..training.accumulate {
            for (gradients, losses) in batches.next(&self.weights, main) {
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
        self.weights = self.optimizer.step(rate, self.weights, gradients);
        self.average = average(self.average, &self.weights, training.ema, step);
        self
    }
}

type Gradients<A> = (GradientsParams, Losses<<A as AutodiffBackend>::InnerBackend>);
type Components<A> = LearningComponentsMarker<A, f64, Corrected<A>, Moments<A>>;

/// The batches of all devices, without end.
pub struct Batches<A>(Source<A>)
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels;

enum Source<A>
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels,
{
    One(Stream<A>),
    Many {
        streams: Vec<Box<dyn DataLoaderIterator<Item<A>>>>,
        step: MultiDevicesTrainStep<Components<A>>,
    },
}

impl<A> Batches<A>
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels,
{
    /// Of contexts on as many devices, after `done` batches of each.
    pub fn new(contexts: &[Arc<Context<A>>], devices: &[A::Device], done: usize) -> Self {
        let stride = devices.len() as u64;
        let mut streams = contexts.iter().enumerate().map(|(n, context)| {
            Stream::new(context.clone(), done as u64 * stride + n as u64, stride)
        });
        Self(if devices.len() == 1 {
            Source::One(streams.next().expect("one device has one context"))
        } else {
            let boxed = |stream| Box::new(stream) as Box<dyn DataLoaderIterator<Item<A>>>;
            Source::Many {
                streams: streams.map(boxed).collect(),
                step: MultiDevicesTrainStep::new(devices),
            }
        })
    }

    /// Gradients of one batch per device, on the first one.
    fn next(&mut self, model: &Corrected<A>, main: &A::Device) -> Vec<Gradients<A>> {
        match &mut self.0 {
            Source::One(stream) => {
                let item = stream.next().expect("streams have no end");
                let output = TrainStep::step(model, item);
                vec![(output.grads, output.item)]
            }
            Source::Many { streams, step } => {
                let (mut outputs, _) = step.step(streams, model);
                // Workers answer in any order; sums of floats must not depend on it.
                outputs.sort_by_key(|output| output.device);
                let gather = |output: burn::train::TrainOutput<_>| {
                    (output.grads.to_device(main, model), output.item)
                };
                outputs.into_iter().map(|output| gather(output.output)).collect()
            }
        }
    }
}
