//! What all steps on one device share.

use anyhow::Result;
use burn::tensor::{Tensor, backend::AutodiffBackend, backend::Backend};
use finescale_data::dataset::SpectralFrames;
use finescale_model::linear::LinearBase;

use super::batch::{Batch, Draw, draw, noised_windows};
use super::loss::{increment_loss, training_loss};
use super::predictor::{Corrected, NetworkInput, NoisedWindow};
use super::tables::Tables;
use crate::config::{Config, Precision};
use crate::engine::Trainable;
use crate::engine::frames::Frames;
use crate::engine::learner::{Loss, Losses};
use crate::networks::Network;

/// Frames and tables on one device.
pub struct Held<A: AutodiffBackend> {
    /// Clean frames of the training part.
    pub frames: Frames<A::InnerBackend>,
    /// Those of the validation part.
    pub valid: Frames<A::InnerBackend>,
    /// Tables for making batches.
    pub tables: Tables<A::InnerBackend>,
    /// The same tables for what is differentiated.
    pub lifted: Tables<A>,
    /// The configuration.
    pub config: Config,
}

impl<A: Trainable> Held<A> {
    /// On a device.
    ///
    /// # Errors
    /// If no segment holds a window and a frame to predict, and as [`Tables::new`].
    pub fn new(
        train: &SpectralFrames,
        valid: &SpectralFrames,
        base: &LinearBase,
        config: &Config,
        device: &A::Device,
    ) -> Result<Self> {
        let tables = Tables::new(base, config, &config.lambda.values(), device)?;
        let frames = Frames::new(train, config.predictor.window, device)?;
        let valid = Frames::new(valid, config.predictor.window, device)?;
        Ok(Self { frames, valid, lifted: tables.lift(), tables, config: config.clone() })
    }

    /// The same with companions of every frame of both parts, `[frame][field][y][x]`.
    pub fn with_companions(self, train: &[f32], valid: &[f32]) -> Self {
        let frames = self.frames.with_companions(train.to_vec());
        Self { frames, valid: self.valid.with_companions(valid.to_vec()), ..self }
    }

    /// The windows of a training batch.
    pub fn draw(&self, batch: u64) -> Draw {
        draw(&self.frames, &self.config, self.tables.lambdas.len(), &self.tables.grid, batch)
    }

    /// What a step minimises on the windows of a draw.
    pub fn loss(&self, network: &Network<A>, precision: Precision, draw: &Draw) -> Loss<A> {
        self.loss_of(network, precision, noised_windows(&self.frames, draw, &self.tables), draw)
    }

    /// As [`Held::loss`], of a batch that was made of the draw.
    pub fn loss_of(
        &self,
        network: &Network<A>,
        precision: Precision,
        batch: Batch<A::InnerBackend>,
        draw: &Draw,
    ) -> Loss<A> {
        let Self { tables, lifted, config, .. } = self;
        let input = NetworkInput::new(&batch.window, tables).lift();
        let predictor = Corrected::new(network, &config.predictor);
        let prediction = predictor.predict_in(precision, input, lifted);
        let batch = batch.lift();
        let increment = increment_loss(&prediction, &batch, lifted, config.loss.weight);
        let total = training_loss(increment.clone(), &prediction, &batch, config);
        let levels = draw.lambdas.iter().map(|&lambda| tables.lambdas[lambda]).collect();
        Loss { total, samples: Losses { values: increment.inner(), levels } }
    }
}

impl<B: Backend> NetworkInput<B> {
    /// The same input, as constants of what is differentiated.
    fn lift<A: AutodiffBackend<InnerBackend = B>>(self) -> NetworkInput<A> {
        NetworkInput {
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
            window: NoisedWindow {
                spectra: Tensor::from_inner(self.window.spectra),
                lambda: Tensor::from_inner(self.window.lambda),
                row: Tensor::from_inner(self.window.row),
                companions: self.window.companions.map(Tensor::from_inner),
            },
            increment: Tensor::from_inner(self.increment),
            noise: Tensor::from_inner(self.noise),
        }
    }
}
