//! What boards have no room for, told where it is set.

use anyhow::{Result, ensure};
use finescale::Grid;
use finescale::layer::ConvShape;
use finescale::model::LAYERS_MAX;

use super::{Kind, Settings};

impl Settings {
    /// Refuses a network that does not fit a grid, or that boards could not use; a network that
    /// is for desktops has no such limits.
    pub(crate) fn check_on_board(&self, grid: &Grid, inputs: usize) -> Result<()> {
        self.check_on(grid)?;
        // How many layers there are beside those with a dilation, and channels of a layer for each
        // of the setting.
        let (section, channels, kernel, dilations, more, times) = match self.kind {
            Kind::Tiny => {
                let of = &self.tiny;
                ("tiny", of.channels, of.kernel, &of.dilations, 0, 1)
            }
            Kind::Product => {
                let of = &self.product;
                ("product", of.channels, of.kernel, &of.dilations, 2, 2)
            }
            Kind::Unet | Kind::Flex | Kind::Linear => return Ok(()),
        };
        let (layers, most) = (dilations.len(), LAYERS_MAX - more);
        ensure!(
            layers <= most,
            "network.{section}.dilations names {layers} layers: name at most {most}"
        );
        let shortest = grid.y().map_or(grid.nx(), |y| y.points().min(grid.nx()));
        let most = shortest / (kernel / 2);
        ensure!(
            dilations.iter().all(|dilation| *dilation <= most),
            "network.{section}.dilations is {dilations:?}, and with {kernel} taps the largest \
             reaches further than an axis of {shortest} points: use at most {most}"
        );
        let most = ConvShape::CHANNELS_MAX / times;
        ensure!(channels <= most, "network.{section}.channels is {channels}: use at most {most}");
        ensure!(
            inputs <= ConvShape::CHANNELS_MAX,
            "the network would see {inputs} fields, and boards have room for {}: show it fewer \
             frames or views",
            ConvShape::CHANNELS_MAX
        );
        Ok(())
    }
}
