//! What a model's fields are, whatever it computes with them.

use finescale::Grid;
use finescale::model::{Channel, MeanModel, Model as View};

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
