//! The sections of the configuration that belong to predictor-driven diffusion.

use anyhow::{Result, ensure};
use finescale::{ForwardProcess, Laplacian};

use crate::config::{Config, choice, fraction, settings};

settings!(/// Section `process`.
    Process { alpha: f32, beta2: f32, laplacian: Laplacian });
settings!(/// Section `lambda`.
    Lambda { smallest: f64, largest: f64, count: usize, spacing: Spacing });
settings!(/// Section `predictor`.
    Predictor { base: Base, window: usize, inputs: Inputs, bounded: bool, score_head: bool });
settings!(/// Section `loss`.
    Loss { weight: Weight, history_drop: f64, increment: f64, score: f64 });
settings!(/// Section `calibration`.
    Calibration { paths: usize, frames: usize });

choice!(/// Spacing of the values of λ.
    Spacing { Geometric, Linear });
choice!(/// What the network corrects.
    Base { Linear, None });
choice!(/// What the network sees.
    Inputs { FilteredAndRaw, Raw });
choice!(/// Weight of squared errors.
    Weight { Innovation, Noise });

impl Process {
    /// The forward process.
    ///
    /// # Errors
    /// If α or β² is out of range.
    pub fn forward(&self) -> Result<ForwardProcess> {
        Ok(ForwardProcess::new(self.alpha, self.beta2, self.laplacian)?)
    }
}

impl Lambda {
    /// The trained values of λ, rising.
    pub fn values(&self) -> Vec<f64> {
        let Self { smallest, largest, count, spacing } = *self;
        let part = |i: usize| if count > 1 { i as f64 / (count - 1) as f64 } else { 1.0 };
        let at = |i: usize| match spacing {
            Spacing::Geometric => smallest * (largest / smallest).powf(part(i)),
            Spacing::Linear => smallest + (largest - smallest) * part(i),
        };
        (0..count).map(at).collect()
    }
}

impl Predictor {
    /// Fields that the network sees of so many channels.
    pub fn input_fields(&self, channels: usize) -> usize {
        let kinds = match self.inputs {
            Inputs::FilteredAndRaw => 2,
            Inputs::Raw => 1,
        };
        kinds * self.window * channels
    }

    /// Fields that the network gives of so many channels.
    pub fn output_fields(&self, channels: usize) -> usize {
        if self.score_head { 2 * channels } else { channels }
    }
}

/// Refuses settings that nothing can be trained with.
pub(crate) fn check(config: &Config) -> Result<()> {
    config.process.forward()?;
    let Lambda { smallest, largest, count, .. } = config.lambda;
    ensure!(
        smallest > 0.0 && smallest <= largest && largest <= 1.0,
        "lambda.smallest and lambda.largest are {smallest} and {largest}: use 0 < smallest ≤ \
         largest ≤ 1"
    );
    ensure!((2..=1000).contains(&count), "lambda.count is {count}: use 2 to 1000");
    let window = config.predictor.window;
    ensure!((1..=16).contains(&window), "predictor.window is {window}: use 1 to 16");
    // With 1 no sample would have all its frames.
    fraction("loss.history-drop", config.loss.history_drop)?;
    let Calibration { paths, frames } = config.calibration;
    ensure!(
        paths > 0 && frames > 1,
        "calibration.paths and calibration.frames are {paths} and {frames}: use at least 1 and 2"
    );
    Ok(())
}
