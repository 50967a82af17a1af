//! The sections of the configuration that belong to predictor-driven diffusion.

use anyhow::{Result, ensure};
use finescale::model::{View, Views};
use finescale::{ForwardProcess, Grid, Laplacian};

use crate::config::{Config, choice, fraction, settings, views, views_on};

settings!(/// Section `process`.
    Process { alpha: f32, beta2: f32, laplacian: Laplacian, coupling: f32, coupling_switch: f32 });
settings!(/// Section `lambda`.
    Lambda { smallest: f64, largest: f64, count: usize, spacing: Spacing, clean: f64 });
settings!(/// Section `predictor`.
Predictor {
    base: Base, window: usize, inputs: Vec<View>, bounded: bool, score_head: bool, given: String,
});
settings!(/// Section `loss`.
    Loss { weight: Weight, history_drop: f64, increment: f64, score: f64 });
settings!(/// Section `calibration`.
    Calibration { paths: usize, frames: usize });
settings!(/// Section `sampling`.
    Sampling { generation: f32 });

choice!(/// Spacing of the values of λ.
    Spacing { Geometric, Linear });
choice!(/// What the network corrects.
    Base { Linear, None });
choice!(/// Weight of squared errors.
    Weight { Innovation, Noise });

impl Process {
    /// The forward process.
    ///
    /// # Errors
    /// If α, β², the coupling or its switch is out of range.
    pub fn forward(&self) -> Result<ForwardProcess> {
        let coupling = self.coupling;
        ensure!(
            coupling > -1.0 && coupling < 1.0,
            "process.coupling is {coupling}: it must be above -1 and below 1"
        );
        let switch = self.coupling_switch;
        ensure!(
            (-1.0..=1.0).contains(&switch),
            "process.coupling-switch is {switch}: it must be from -1 to 1"
        );
        ensure!(
            switch == 0.0 || coupling != 0.0,
            "process.coupling-switch is {switch}, and nothing is coupled: set process.coupling, or \
             leave the switch 0"
        );
        let process = ForwardProcess::new(self.alpha, self.beta2, self.laplacian)?;
        Ok(process.with_coupling(coupling)?.with_switch(switch)?)
    }
}

/// λ of clean samples: the noise is 0.4 % of a standardised field at β² = 2. At 0 exactly the
/// linear base would have modes without any variance.
pub const CLEAN: f64 = 1e-5;

impl Lambda {
    /// The trained values of λ, rising: first that of clean samples, if there are any.
    pub fn values(&self) -> Vec<f64> {
        let Self { smallest, largest, count, spacing, clean } = *self;
        let part = |i: usize| if count > 1 { i as f64 / (count - 1) as f64 } else { 1.0 };
        let at = |i: usize| match spacing {
            Spacing::Geometric => smallest * (largest / smallest).powf(part(i)),
            Spacing::Linear => smallest + (largest - smallest) * part(i),
        };
        let clean = (clean > 0.0 && smallest > CLEAN).then_some(CLEAN);
        clean.into_iter().chain((0..count).map(at)).collect()
    }
}

impl Predictor {
    /// What the network sees of a frame.
    pub fn views(&self) -> Views {
        self.inputs.iter().copied().collect()
    }

    /// Fields that the network sees of so many channels; of residuals the mean and the shown field
    /// of each as well.
    pub fn input_fields(&self, grid: &Grid, channels: usize) -> usize {
        let companions = if self.given.is_empty() { 0 } else { 2 * channels };
        self.views().fields(grid, self.window, channels) + companions
    }

    /// Fields that the network gives of so many channels.
    pub fn output_fields(&self, channels: usize) -> usize {
        if self.score_head { 2 * channels } else { channels }
    }
}

/// Refuses views that a grid does not have.
pub(crate) fn check_on(predictor: &Predictor, grid: &Grid) -> Result<()> {
    views_on("predictor.inputs", &predictor.inputs, grid)
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
    fraction("lambda.clean", config.lambda.clean)?;
    ensure!((2..=1000).contains(&count), "lambda.count is {count}: use 2 to 1000");
    let window = config.predictor.window;
    ensure!((1..=16).contains(&window), "predictor.window is {window}: use 1 to 16");
    views("predictor.inputs", &config.predictor.inputs)?;
    ensure!(
        config.predictor.given.is_empty() || !config.predictor.score_head,
        "predictor.given and predictor.score-head do not go together: a score head looks at a frame, \
         and the mean is that of the next one"
    );
    // With 1 no sample would have all its frames.
    fraction("loss.history-drop", config.loss.history_drop)?;
    let generation = config.sampling.generation;
    ensure!(
        (0.0..=1.0).contains(&generation),
        "sampling.generation is {generation}: use a λ up to 1, or 0 for that of the regimes"
    );
    let Calibration { paths, frames } = config.calibration;
    ensure!(
        paths > 0 && frames > 1,
        "calibration.paths and calibration.frames are {paths} and {frames}: use at least 1 and 2"
    );
    Ok(())
}
