//! One training step, in the form that Burn's data-parallel learner runs on several devices.

use std::sync::Arc;

use anyhow::Result;
use burn::data::dataloader::{DataLoaderIterator, Progress};
use burn::tensor::{Tensor, backend::AutodiffBackend, backend::Backend};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};

use super::batch::{Batch, Draw, Frames};
use super::config::{Config, Precision};
use super::loss::{increment_loss, training_loss};
use super::network::{Corrected, Kernels};
use super::predictor::{Input, Window};
use super::tables::Tables;
use finescale_data::dataset::SpectralFrames;
use finescale_model::linear::LinearBase;

/// What all steps on one device share.
pub struct Context<A: AutodiffBackend> {
    /// Clean frames.
    pub frames: Frames<A::InnerBackend>,
    /// Tables for making batches.
    pub tables: Tables<A::InnerBackend>,
    /// The same tables for what is differentiated.
    pub lifted: Tables<A>,
    /// The configuration.
    pub config: Config,
    /// Part of a step's gradient that one batch contributes.
    pub share: f64,
}

impl<A: AutodiffBackend> Context<A> {
    /// On one of `devices` devices.
    ///
    /// # Errors
    /// If no segment holds a window and a frame to predict, and as [`Tables::new`].
    pub fn new(
        frames: &SpectralFrames,
        base: &LinearBase,
        config: &Config,
        devices: usize,
        device: &A::Device,
    ) -> Result<Self> {
        let tables = Tables::new(base, config, &config.lambdas(), device)?;
        let share = 1.0 / (config.training.accumulate * devices) as f64;
        let frames = Frames::new(frames, config.predictor.window, device)?;
        Ok(Self { frames, lifted: tables.lift(), tables, config: config.clone(), share })
    }

    /// What a step minimises on a batch, as part of what it minimises altogether, and the increment's loss of every sample.
    pub fn losses(
        &self,
        model: &Corrected<A>,
        precision: Precision,
        batch: Batch<A::InnerBackend>,
    ) -> (Tensor<A, 1>, Tensor<A::InnerBackend, 1>)
    where
        A: Kernels,
        A::InnerBackend: Kernels,
    {
        let Self { tables, lifted, config, share, .. } = self;
        let input = Input::new(&batch.window, tables).lift();
        let output = model.predict_in(precision, input, lifted);
        let batch = batch.lift();
        let loss = training_loss(&output, &batch, lifted, config) * *share;
        (loss, increment_loss(&output, &batch, lifted, config.loss.weight).inner())
    }
}

/// A batch for a device.
pub struct Item<A: AutodiffBackend> {
    context: Arc<Context<A>>,
    draw: Draw,
}

/// The increment's loss of every sample, and the λ it was taken at.
pub struct Losses<B: Backend> {
    /// `[batch]`.
    pub values: Tensor<B, 1>,
    /// Index of λ.
    pub lambdas: Vec<usize>,
}

impl<B: Backend> ItemLazy for Losses<B> {
    type ItemSync = Self;

    fn sync(self) -> Self {
        self
    }
}

impl<A> TrainStep for Corrected<A>
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels,
{
    type Input = Item<A>;
    type Output = Losses<A::InnerBackend>;

    fn step(&self, item: Item<A>) -> TrainOutput<Self::Output> {
        let context = &item.context;
        let batch = context.frames.batch(&item.draw, &context.tables);
        let (loss, values) = context.losses(self, context.config.training.precision, batch);
        TrainOutput::new(self, loss.backward(), Losses { values, lambdas: item.draw.lambdas })
    }
}

impl<B: Kernels> InferenceStep for Corrected<B> {
    type Input = Window<B>;
    type Output = Losses<B>;

    /// Burn's learner asks for this; validation here is [`super::validate`]'s.
    fn step(&self, window: Window<B>) -> Losses<B> {
        let [n, ..] = window.spectra.dims();
        Losses { values: Tensor::zeros([n], &window.spectra.device()), lambdas: Vec::new() }
    }
}

/// The endless stream of one device's batches, from a step on.
pub struct Stream<A: AutodiffBackend> {
    context: Arc<Context<A>>,
    next: u64,
    stride: u64,
}

impl<A: AutodiffBackend> Stream<A> {
    /// Batches `first`, `first + stride`, …: streams of several devices share no batch.
    pub fn new(context: Arc<Context<A>>, first: u64, stride: u64) -> Self {
        Self { context, next: first, stride }
    }
}

impl<A: AutodiffBackend> Iterator for Stream<A> {
    type Item = Item<A>;

    fn next(&mut self) -> Option<Item<A>> {
        let Context { frames, tables, config, .. } = &*self.context;
        let draw = frames.draw(
            config.training.batch,
            tables.lambdas.len(),
            tables.window,
            config.loss.history_drop,
            config.seed,
            self.next,
        );
        self.next += self.stride;
        Some(Item { context: self.context.clone(), draw })
    }
}

impl<A: AutodiffBackend> DataLoaderIterator<Item<A>> for Stream<A> {
    fn progress(&self) -> Progress {
        // The stream has no end; what is done is all there is to report.
        Progress::new(self.next as usize, self.next as usize)
    }
}

impl<B: Backend> Input<B> {
    /// The same input, as constants of what is differentiated.
    fn lift<A: AutodiffBackend<InnerBackend = B>>(self) -> Input<A> {
        Input {
            fields: Tensor::from_inner(self.fields),
            lambda: Tensor::from_inner(self.lambda),
            increment: Tensor::from_inner(self.increment),
            increment_scale: Tensor::from_inner(self.increment_scale),
            noise: Tensor::from_inner(self.noise),
            noise_scale: Tensor::from_inner(self.noise_scale),
        }
    }
}

impl<B: Backend> Batch<B> {
    fn lift<A: AutodiffBackend<InnerBackend = B>>(self) -> Batch<A> {
        Batch {
            window: Window {
                spectra: Tensor::from_inner(self.window.spectra),
                lambda: Tensor::from_inner(self.window.lambda),
                row: Tensor::from_inner(self.window.row),
            },
            increment: Tensor::from_inner(self.increment),
            noise: Tensor::from_inner(self.noise),
        }
    }
}
