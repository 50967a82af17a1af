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
pub mod conditional;
pub mod dydiff;
pub mod dyffusion;
pub mod export;
mod file;
pub mod flex;
pub mod linear;
mod network;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod reference;
pub mod ridge;
mod shown;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use finescale::model::{Recommended, View, Views};
use finescale::{Axis, Boundary, ForwardProcess, Grid, Laplacian};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use calibration::{Calibration, ScoreMoments};
pub use conditional::ConditionalMean;
pub use dydiff::Dydiff;
pub use dyffusion::Dyffusion;
pub use file::{model_path, system};
pub use flex::Flex;
pub use network::{LayerMeta, NetworkMeta, OtherNetwork};
pub use shown::Shown;

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
    /// c, the coupling of two channels: arrays and network are of their combinations then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub coupling: f32,
    /// λ₁, where the coupling ends, or, if it is negative, −λ₁ where it begins; 0 if it holds
    /// everywhere.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub coupling_switch: f32,
    /// Frames in the window.
    pub window: usize,
    /// Whether the network corrects the linear base.
    pub linear_base: bool,
    /// What the network sees of each frame, in any order; nothing without a network.
    pub inputs: Vec<View>,
    /// Whether corrections are bounded.
    pub bounded: bool,
    /// Whether there is a score head.
    pub score_head: bool,
    /// λ of the calibration tables, rising.
    pub lambdas: Vec<f64>,
    /// Suggested λ grid for sampling, falling, the last one 0.
    pub lambda_grid: Vec<f64>,
    /// The sampler that its figures are measured with; in files of earlier versions the default.
    #[serde(default)]
    pub sampler: Recommended,
    /// λ where generation starts; 0 where it is the one of the data's regimes, see
    /// [`finescale_field::emergence::generation_start`].
    #[serde(default = "generation_before")]
    pub generation: f32,
    /// The conditional mean whose residuals the paths are; none where they are the fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

/// What generation started from before models said it.
pub const GENERATION_BEFORE: f32 = 0.1;

fn generation_before() -> f32 {
    GENERATION_BEFORE
}

/// A conditional mean that a model of its residuals was trained for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// SHA-256 of the mean's file.
    pub hash: String,
}

impl SystemMeta for PredictorDriven {
    const NAME: &'static str = "predictor-driven";
}

/// The layout of files. Before it, a network's inputs were a flag.
pub const LAYOUT: u32 = 3;

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
    /// If α, β², the coupling or its switch is out of range, or other than two channels are coupled.
    pub fn process(&self) -> Result<ForwardProcess> {
        let PredictorDriven { alpha, beta2, laplacian, coupling, coupling_switch, .. } =
            self.system;
        let channels = self.channels.len();
        ensure!(
            coupling == 0.0 || channels == 2,
            "process.coupling couples two channels, and there are {channels}: set it to 0"
        );
        let process = ForwardProcess::new(alpha, beta2, laplacian)?.with_coupling(coupling)?;
        Ok(process.with_switch(coupling_switch)?)
    }

    /// What the network sees of each frame.
    pub fn views(&self) -> Views {
        self.system.inputs.iter().copied().collect()
    }

    /// Companions, fields that the network sees beside the path: of residuals the mean and the
    /// shown field of every channel.
    pub fn companions(&self) -> usize {
        if self.system.given.is_some() { 2 * self.channels.len() } else { 0 }
    }

    /// Fields that the network sees: see [`Views::fields`]; the companions are behind them.
    ///
    /// # Errors
    /// If the grid is none of the runtime's.
    pub fn input_fields(&self) -> Result<usize> {
        let viewed = self.views().fields(&self.grid()?, self.system.window, self.channels.len());
        Ok(viewed + self.companions())
    }

    /// The network's layers, from first to last.
    ///
    /// # Errors
    /// As [`NetworkMeta::layers`] and [`Meta::grid`].
    pub fn layers(&self) -> Result<Vec<LayerMeta>> {
        let heads = if self.system.score_head { 2 } else { 1 };
        self.network.layers(self.input_fields()?, heads * self.channels.len())
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
