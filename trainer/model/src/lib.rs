//! A trained, calibrated model, free of the framework that trained it: what a run folder ends with,
//! what is exported.
//!
//! On disk it is one safetensors file: the arrays by name, and [`Meta`] as JSON in the header's
//! metadata under `finescale`.
//!
//! | array | shape | meaning |
//! |---|---|---|
//! | `autocovariance` | W+1, C, C, y, x | packed second moments of the clean data ([`finescale_field::modes`]) |
//! | `innovation_ratio` | λ, C, shells | S / S of the linear predictor |
//! | `score_power` | λ, C, shells | of the path score: E\|ŝ\|² · V, V = C²P + Σ |
//! | `score_truth` | λ, C, shells | E[ŝ t*] · V, t = −(û − C û₀)/Σ |
//! | `score_drawn_power` | λ, C, shells | E\|ŝ\|² · V on paths that the sampler has drawn |
//! | `score_drawn_state` | λ, C, shells | E[û ŝ*] on the same paths |
//! | `head_power`, `head_truth`, `head_drawn_power`, `head_drawn_state` | λ, C, shells | the same of the score head, where there is one |
//! | `network.…` | | weights; none for `linear` |

pub mod basis;
mod calibration;
pub mod export;
mod file;
pub mod linear;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod reference;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use finescale::{Axis, Boundary, ForwardProcess, Grid, Laplacian};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use calibration::{Calibration, ScoreMoments};

use crate::linear::{LinearBase, PackedAutocovariance};
use finescale_field::scale::Scale;

/// An array of f32, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Lengths of its dimensions.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

/// A channel, with what standardises it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Variable name.
    pub name: String,
    /// Units.
    pub units: String,
    /// Mean of the training data.
    pub mean: f64,
    /// Standard deviation of the training data.
    pub std: f64,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AxisMeta {
    /// Points: see [`Axis::has_transform`].
    pub points: usize,
    /// What lies beyond its ends.
    pub boundary: Boundary,
    /// Length, in the unit of wavenumbers.
    pub length: f32,
}

/// The network's kind and sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NetworkMeta {
    /// The linear base alone.
    Linear,
    /// Residual dilated convolutions.
    Tiny {
        /// Channels of the inner layers.
        channels: usize,
        /// Points of a kernel along each axis.
        kernel: usize,
        /// Dilation of each layer.
        dilations: Vec<usize>,
    },
    /// A network that the runtime lacks: the paper's U-Net, say.
    #[serde(untagged)]
    Other(OtherNetwork),
}

/// A network that only the machine that trains it has, as the configuration of the training has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherNetwork {
    /// Its kind.
    pub kind: String,
    /// Its settings.
    #[serde(flatten)]
    pub settings: serde_json::Map<String, serde_json::Value>,
}

impl NetworkMeta {
    /// A network that the runtime lacks, of its kind and its section of the configuration.
    pub fn other(kind: &str, settings: &impl Serialize) -> Self {
        let settings = match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(settings)) => settings,
            _ => serde_json::Map::new(),
        };
        Self::Other(OtherNetwork { kind: kind.into(), settings })
    }

    /// Whether the runtime has it: only then can the model be exported and sampled from.
    pub fn on_boards(&self) -> bool {
        match self {
            Self::Linear | Self::Tiny { .. } => true,
            Self::Other(_) => false,
        }
    }
}

/// What a system adds to the description of its models.
pub trait SystemMeta: Serialize + DeserializeOwned {
    /// The system's name, as the configuration of a training has it.
    const NAME: &'static str;
}

/// Everything about a model but its arrays: what all models have, and what their system adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta<S = PredictorDriven> {
    /// Name, for people.
    pub name: String,
    /// Version of finescale that trained it.
    pub version: String,
    /// How the file is laid out, [`LAYOUT`].
    #[serde(default = "first_layout")]
    pub layout: u32,
    /// Channels in the order of the fields.
    pub channels: Vec<Channel>,
    /// The y axis; none on a line.
    pub y: Option<AxisMeta>,
    /// The x axis.
    pub x: AxisMeta,
    /// Time between frames, in the data set's unit.
    pub frame_interval: f64,
    /// The network.
    pub network: NetworkMeta,
    /// Content hash of the data set.
    pub data: String,
    /// Seed of the training.
    pub seed: u64,
    /// Steps trained.
    pub steps: usize,
    /// Validation figures at the end, by name.
    pub figures: BTreeMap<String, f64>,
    /// What the system adds.
    #[serde(flatten)]
    pub system: S,
}

/// What predictor-driven diffusion adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictorDriven {
    /// α.
    pub alpha: f32,
    /// β².
    pub beta2: f32,
    /// κ.
    pub laplacian: Laplacian,
    /// Frames in the window.
    pub window: usize,
    /// Whether the network corrects the linear base.
    pub linear_base: bool,
    /// Whether the network sees Wiener-filtered frames before the raw ones.
    pub filtered_inputs: bool,
    /// Whether corrections are bounded.
    pub bounded: bool,
    /// Whether there is a score head.
    pub score_head: bool,
    /// λ of the calibration tables, rising.
    pub lambdas: Vec<f64>,
    /// Suggested λ grid for sampling, falling, the last one 0.
    pub lambda_grid: Vec<f64>,
}

impl SystemMeta for PredictorDriven {
    const NAME: &'static str = "predictor-driven";
}

/// The layout of files. Before it, the second complex mode of planes that are periodic both ways
/// was the other one of the two conjugates.
pub const LAYOUT: u32 = 2;

fn first_layout() -> u32 {
    1
}

/// A model of a system. What boards, ONNX and the judge use is of predictor-driven diffusion: a
/// file of another system is refused when it is opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Model<S = PredictorDriven> {
    /// What it is.
    pub meta: Meta<S>,
    /// Arrays by name.
    pub arrays: BTreeMap<String, Array>,
}

impl AxisMeta {
    /// Of an axis.
    pub fn of(axis: Axis) -> Self {
        Self { points: axis.points(), boundary: axis.boundary(), length: axis.length() }
    }

    fn axis(&self) -> Result<Axis> {
        Ok(Axis::new(self.points, self.boundary)?.with_length(self.length)?)
    }
}

impl<S> Meta<S> {
    /// The grid.
    ///
    /// # Errors
    /// If it is none of the runtime's.
    pub fn grid(&self) -> Result<Grid> {
        let x = self.x.axis()?;
        Ok(match &self.y {
            Some(y) => Grid::plane(y.axis()?, x)?,
            None => Grid::line(x),
        })
    }

    /// What standardises the channels.
    pub fn scale(&self) -> Scale {
        self.channels.iter().map(|c| (c.mean, c.std)).collect()
    }
}

impl Meta {
    /// The forward process.
    ///
    /// # Errors
    /// If α or β² is out of range.
    pub fn process(&self) -> Result<ForwardProcess> {
        Ok(ForwardProcess::new(self.system.alpha, self.system.beta2, self.system.laplacian)?)
    }

    /// Fields that the network sees: every channel of every frame, filtered and raw or raw alone.
    pub fn input_fields(&self) -> usize {
        let kinds = if self.system.filtered_inputs { 2 } else { 1 };
        kinds * self.system.window * self.channels.len()
    }
}

impl<S> Model<S> {
    /// An array that must be there.
    ///
    /// # Errors
    /// If it is not.
    pub fn array(&self, name: &str) -> Result<&Array> {
        self.arrays.get(name).with_context(|| format!("the model has no array `{name}`"))
    }
}

impl Model {
    /// The linear base.
    ///
    /// # Errors
    /// If the autocovariance is missing or of the wrong size.
    pub fn base(&self) -> Result<LinearBase> {
        let (grid, channels, window) =
            (self.meta.grid()?, self.meta.channels.len(), self.meta.system.window);
        let values = self.array("autocovariance")?.values.clone();
        ensure!(
            values.len() == (window + 1) * channels * channels * grid.points(),
            "the model's autocovariance does not fit its grid, channels and window"
        );
        let autocovariance = PackedAutocovariance { window, channels, values };
        Ok(LinearBase { grid, process: self.meta.process()?, autocovariance })
    }
}
