//! What the description of a FLEX model adds: one network that tells, from noise on the way to a
//! field, how it moves on. The field is what is to be added to a known frame: to the newest of some
//! frames, so that it tells the next one, or to what a sensor's frame shows.
//!
//! Fields are standardised: (field − mean)/std of the channel. The network sees z and then the
//! known frames side by side, the time t as [`lambda_features`] of 1000^(t − 1), and gives v, a
//! field. Its weights are `network.…`.
//!
//! [`lambda_features`]: crate::reference::lambda_features

use finescale::Grid;
use finescale_field::coarsening::SensorKind;
use finescale_peers::flex::Integrator;
use serde::{Deserialize, Serialize};

use crate::SystemMeta;

/// What FLEX adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flex {
    /// What is learned.
    pub method: Method,
    /// What of.
    pub task: Assigned,
    /// Whether the field is added to a known frame; else it is the frame itself.
    pub residual: bool,
    /// By what a field was divided before it was learned, for each channel.
    pub scales: Vec<f64>,
    /// Where the network sees the known frames.
    pub task_encoder: TaskEncoder,
    /// How noise becomes a field where nobody says otherwise.
    pub integrator: Integrator,
    /// Evaluations of the network for it.
    pub calls: usize,
}

/// What is learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Diffusion.
    #[default]
    Flex,
    /// The field itself from the known frames, without noise: a control.
    Regression,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assigned {
    /// The next frame from known ones.
    Forecast {
        /// How many are known.
        history: usize,
    },
    /// A frame from that of a sensor.
    SuperResolve {
        /// What a coarse value is.
        kind: SensorKind,
        /// Fine points for each coarse one along every axis.
        ratio: usize,
    },
}

/// Where a network sees the known frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskEncoder {
    /// Beside z, in the same encoder.
    None,
    /// In an encoder of their own, whose features are added to those of z.
    Weak,
    /// In an encoder of their own, whose features are added to what the decoder sees.
    Strong,
    /// Both.
    #[default]
    Both,
}

impl SystemMeta for Flex {
    const NAME: &'static str = "flex";
}

impl Flex {
    /// Known fields of the fine grid.
    pub const fn known(&self) -> usize {
        match self.task {
            Assigned::Forecast { history } => history,
            Assigned::SuperResolve { .. } => 1,
        }
    }

    /// Points of the sensor, along y, 1 on a line, and along x; of the grid itself without one.
    pub fn coarse(&self, grid: &Grid) -> [usize; 2] {
        let ratio = match self.task {
            Assigned::Forecast { .. } => 1,
            Assigned::SuperResolve { ratio, .. } => ratio,
        };
        [if grid.is_line() { 1 } else { grid.ny() / ratio }, grid.nx() / ratio]
    }

    /// What a table calls it.
    pub const fn name(&self) -> &'static str {
        match self.method {
            Method::Flex => "FLEX",
            Method::Regression => "regression",
        }
    }
}
