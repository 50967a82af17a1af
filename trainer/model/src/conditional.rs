//! What the description of a conditional mean adds: a regression from the coarse frames n − a … n +
//! b of a sensor to the fine frame n, and the Gaussian that its errors are taken for.
//!
//! Values are anomalies in standard deviations: (field − mean)/std of the channel, less
//! `climatology`, for coarse values less `coarse_climatology`.
//!
//! | array | shape | meaning |
//! |---|---|---|
//! | `climatology` | C, y, x | mean of the fine field at each point over the training part, standardised |
//! | `coarse_climatology` | C, y′, x′ | the same as the sensor sees it |
//! | `down` | r, F, C, y′, x′ | with [`Base::Ridge`]: coarse frames, oldest first, to r numbers |
//! | `up` | C, y, x, r | and these to the fine frame |
//! | `input_power` | C, y, x | E û² of the modes that the coarse frames make on the fine grid |
//! | `deviation` | C | root mean square of what the base leaves: the unit of the network's output |
//! | `maps` | S, y, x | learned fields that the network sees behind the views |
//! | `network.…` | | weights; none for `linear`. There is no `film`: nothing depends on λ |
//! | `spread` | C, y, x | standard deviation of the errors of the mean at each point, on the validation part |
//! | `autocovariance` | W+1, C, C, y, x | packed second moments of errors / `spread` |

use anyhow::{Result, ensure};
use finescale::model::{View, Views};
use finescale_field::coarsening::SensorKind;
use serde::{Deserialize, Serialize};

use crate::{LayerMeta, Meta, Shown, SystemMeta};

/// What a conditional mean adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConditionalMean {
    /// What gives the coarse frames.
    pub sensor: SensorMeta,
    /// a, the frames before frame n that are seen.
    pub before: usize,
    /// b, those after it: the mean of a frame is known b frames later.
    pub after: usize,
    /// What the mean is without a network.
    pub base: Base,
    /// What the network sees of each frame; nothing without one.
    pub inputs: Vec<View>,
    /// S, learned fields that it sees as well.
    pub maps: usize,
    /// W, frames in the window of the errors' linear predictor.
    pub window: usize,
}

/// A sensor that a model was trained for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorMeta {
    /// What its values are.
    pub kind: SensorKind,
    /// Its points along y; none on a line.
    pub y: Option<usize>,
    /// Its points along x.
    pub x: usize,
    /// Standard deviation of the error of each value, in standard deviations of the channel.
    pub noise: f32,
}

/// What a network corrects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// Spectral interpolation of frame n.
    Interpolation,
    /// A linear map of all coarse values of the window to each fine point, of low rank.
    Ridge,
}

impl SystemMeta for ConditionalMean {
    const NAME: &'static str = "conditional-mean";
}

impl ConditionalMean {
    /// F = a + 1 + b.
    pub fn frames(&self) -> usize {
        self.before + 1 + self.after
    }
}

impl Meta<ConditionalMean> {
    /// The sensor's points along y, 1 on a line, and along x.
    pub fn coarse_points(&self) -> [usize; 2] {
        [self.system.sensor.y.unwrap_or(1), self.system.sensor.x]
    }

    /// From the sensor's values to the field that they show.
    ///
    /// # Errors
    /// If the grid is none of the runtime's.
    pub fn shown(&self) -> Result<Shown> {
        Ok(Shown::new(&self.grid()?, self.coarse_points(), self.system.sensor.kind))
    }

    /// What the network sees of each frame.
    pub fn views(&self) -> Views {
        self.system.inputs.iter().copied().collect()
    }

    /// Fields that the network sees: those of the views of all frames, then the maps.
    ///
    /// # Errors
    /// If the grid is none of the runtime's.
    pub fn input_fields(&self) -> Result<usize> {
        let (grid, frames) = (self.grid()?, self.system.frames());
        Ok(self.views().fields(&grid, frames, self.channels.len()) + self.system.maps)
    }

    /// The network's layers, from first to last; none for the base alone.
    ///
    /// # Errors
    /// As [`crate::NetworkMeta::layers`]; if what the network sees and the network do not go
    /// together.
    pub fn layers(&self) -> Result<Vec<LayerMeta>> {
        let layers = self.network.layers(self.input_fields()?, self.channels.len())?;
        ensure!(
            layers.is_empty() || !self.system.inputs.is_empty(),
            "the model's network sees nothing of the coarse frames"
        );
        Ok(layers)
    }
}
