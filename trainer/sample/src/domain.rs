//! What a model's fields are, whatever it computes with them.

use anyhow::Result;
use finescale::Grid;
use finescale::model::{Channel, MeanModel, Model as View};
use finescale_model::Meta;

/// The fields of a model.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Their grid.
    pub grid: Grid,
    /// Their channels, in order.
    pub channels: Vec<DomainChannel>,
    /// Time between frames, in the data set's unit.
    pub frame_interval: f32,
}

/// A channel of a model.
#[derive(Clone, Debug)]
pub struct DomainChannel {
    /// Name of the variable.
    pub name: String,
    /// Its units.
    pub units: String,
    /// Mean of the training data.
    pub mean: f32,
    /// Standard deviation of the training data.
    pub std: f32,
}

impl Domain {
    fn new<'a>(
        grid: &Grid,
        channels: impl Iterator<Item = Channel<'a>>,
        frame_interval: f32,
    ) -> Self {
        let channels = channels.map(|channel| DomainChannel {
            name: channel.name.to_owned(),
            units: channel.units.to_owned(),
            mean: channel.mean,
            std: channel.std,
        });
        Self { grid: *grid, channels: channels.collect(), frame_interval }
    }

    /// Of a trained model.
    ///
    /// # Errors
    /// If its grid is none of the runtime's.
    pub fn of<S>(meta: &Meta<S>) -> Result<Self> {
        let channels = meta.channels.iter().map(|channel| Channel {
            name: &channel.name,
            units: &channel.units,
            mean: channel.mean as f32,
            std: channel.std as f32,
        });
        Ok(Self::new(&meta.grid()?, channels, meta.frame_interval as f32))
    }

    /// The names of the channels.
    pub fn names(&self) -> Vec<String> {
        self.channels.iter().map(|channel| channel.name.clone()).collect()
    }
}

impl From<&View<'_>> for Domain {
    fn from(view: &View<'_>) -> Self {
        Self::new(view.grid(), view.channel_descriptions(), view.frame_interval())
    }
}

impl From<&MeanModel<'_>> for Domain {
    fn from(view: &MeanModel<'_>) -> Self {
        Self::new(view.grid(), view.channel_descriptions(), view.frame_interval())
    }
}
