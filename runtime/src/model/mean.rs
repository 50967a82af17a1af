//! Files of conditional means, as `docs/conditional-mean.md` describes them.

use super::cursor::Cursor;
use super::header::{finite, grid, open, positive};
use super::layer::{Layers, Network, Sight};
use super::parse::{self, Shape, hold};
use super::{Channel, Invalid, LAYERS_MAX, MeanFootprint, Views, footprint};
use crate::checked::{product, sum};
use crate::predictor::Linear;
use crate::{Grid, Values};

/// The first bytes of a file of a conditional mean.
pub const MEAN_MAGIC: [u8; 8] = *b"\x89FSC\r\n\x1a\n";
/// Version of its format.
pub const MEAN_VERSION: u16 = 1;
/// Most frames before the one that is estimated, and most after it.
const FRAMES_MAX: usize = 31;

/// A conditional mean whose bytes have been checked: a regression from the coarse frames n − a … n
/// + b of a sensor to the fine frame n. [`crate::mean::ConditionalMean`] computes it.
///
/// Arrays are of anomalies in standard deviations: (field − mean)/std of the channel, less the
/// climatology of the point.
#[derive(Clone, Copy, Debug)]
pub struct MeanModel<'a> {
    grid: Grid,
    coarse: [usize; 2],
    sensor: Values,
    channels: usize,
    before: usize,
    after: usize,
    frame_interval: f32,
    noise: f32,
    name: &'a str,
    descriptions: &'a [u8],
    arrays: MeanArrays<'a>,
    footprint: MeanFootprint,
    network: Option<Network<'a>>,
}

/// The arrays of a file.
#[derive(Clone, Copy, Debug)]
pub struct MeanArrays<'a> {
    /// `[channel][y][x]`.
    pub climatology: &'a [f32],
    /// The same as the sensor sees it, `[channel][y][x]` at its points.
    pub coarse_climatology: &'a [f32],
    /// From pixels to the field that they show, along y: `[y][sensor's y]`; empty on a line.
    pub shown_y: &'a [f32],
    /// The same along x: `[x][sensor's x]`.
    pub shown_x: &'a [f32],
    /// Coarse frames to r numbers, `[r][frame][channel][y][x]`; empty where spectral interpolation
    /// is the base.
    pub down: &'a [f32],
    /// r numbers to a fine frame, `[channel][y][x][r]`.
    pub up: &'a [f32],
    /// E û² of the modes that coarse frames make on the fine grid, `[channel][mode]`; empty without
    /// a network, as the next two.
    pub input_power: &'a [f32],
    /// The unit of the network's output, `[channel]`.
    pub deviation: &'a [f32],
    /// Fields that the network sees behind the views, `[map][y][x]`.
    pub maps: &'a [f32],
    /// Standard deviation of the errors of the mean, `[channel][y][x]`.
    pub spread: &'a [f32],
    /// Autocovariance of errors over spread, packed as [`super::Model::autocovariance`].
    pub autocovariance: &'a [f32],
}

impl<'a> MeanModel<'a> {
    /// Checks a file.
    ///
    /// # Errors
    /// [`Invalid`] says what is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Invalid> {
        let mut cursor = Cursor::new(bytes);
        open(bytes, &mut cursor, &MEAN_MAGIC, MEAN_VERSION)?;
        let (points, boundaries) = ([cursor.u16()?, cursor.u16()?], [cursor.u8()?, cursor.u8()?]);
        let sensor = match cursor.u8()? {
            0 => Values::Points,
            1 => Values::BlockMeans,
            _ => return Err(Invalid::Field { name: "sensor" }),
        };
        let channels = positive(cursor.u8()?, "channels")?;
        let lengths = [cursor.f32()?, cursor.f32()?];
        let fine = grid(points, boundaries, lengths)?;
        let coarse = coarse_points([cursor.u16()?, cursor.u16()?], &fine)
            .ok_or(Invalid::Field { name: "points of the sensor" })?;
        let [coarse_y, coarse_x] = coarse;
        let pixels = coarse_y.saturating_mul(coarse_x);
        let (before, after) = (usize::from(cursor.u8()?), usize::from(cursor.u8()?));
        hold(before.max(after) <= FRAMES_MAX, "frames")?;
        let frames = sum(&[before, 1, after]);
        let views = cursor.u8()?;
        let views = Views::from_bits(views, &fine).ok_or(Invalid::Field { name: "views" })?;
        let layers = usize::from(cursor.u8()?);
        hold(layers != 1 && layers <= LAYERS_MAX, "layers")?;
        let rank = usize::from(cursor.u16()?);
        let (maps, window) = (usize::from(cursor.u8()?), positive(cursor.u8()?, "window")?);
        hold(window.saturating_mul(channels) <= Linear::EQUATIONS_MAX, "window")?;
        let frame_interval = finite(cursor.f32()?, "frame interval")?;
        let noise = finite(cursor.f32()?, "noise")?;
        hold(noise >= 0.0, "noise")?;
        let (name, segments) = (usize::from(cursor.u16()?), usize::from(cursor.u8()?));
        cursor.zeros(5)?;
        let footprint = MeanFootprint::of(bytes);
        cursor.take(16)?;

        let name = cursor.text(name, "name")?;
        cursor.align()?;
        let descriptions = cursor.rest();
        for _ in 0..channels {
            let Channel { std, .. } = parse::channel(&mut cursor)?;
            hold(std > 0.0, "std")?;
        }
        let field = [channels, fine.points()];
        let seen = |n: usize| if layers == 0 { 0 } else { n };
        let arrays = MeanArrays {
            climatology: cursor.f32s(&field, "climatology")?,
            coarse_climatology: cursor.f32s(&[channels, pixels], "climatology")?,
            shown_y: cursor
                .f32s(&[if fine.is_line() { 0 } else { fine.ny() }, coarse_y], "shown")?,
            shown_x: cursor.f32s(&[fine.nx(), coarse_x], "shown")?,
            down: cursor.f32s(&[rank, frames, channels, pixels], "down")?,
            up: cursor.f32s(&[channels, fine.points(), rank], "up")?,
            input_power: cursor.f32s(&[seen(channels), fine.points()], "input power")?,
            deviation: cursor.f32s(&[seen(channels)], "deviation")?,
            maps: cursor.f32s(&[maps, fine.points()], "maps")?,
            spread: cursor.f32s(&field, "spread")?,
            autocovariance: parse::autocovariance(&mut cursor, &fine, channels, window)?,
        };
        hold(arrays.input_power.iter().all(|power| *power >= 0.0), "input power")?;
        hold(arrays.spread.iter().all(|spread| *spread >= 0.0), "spread")?;
        let sight = Sight { grid: fine, channels, views, frames, behind: maps };
        let network = if layers == 0 {
            hold(views.bits() == 0 && segments == 0 && maps == 0, "views")?;
            None
        } else {
            let segments = segments.max(1);
            let shape = Shape { sight, outputs: channels, layers, segments, hidden: 0 };
            Some(parse::network(&shape, bytes, &mut cursor)?)
        };
        cursor.align()?;
        hold(cursor.is_empty(), "length").map_err(|_| Invalid::Length)?;
        Ok(Self {
            grid: fine,
            coarse,
            sensor,
            channels,
            before,
            after,
            frame_interval,
            noise,
            name,
            descriptions,
            arrays,
            footprint,
            network,
        })
    }

    /// Checks a file at the start of a slot, as [`super::Model::parse_prefix`] does.
    ///
    /// # Errors
    /// As [`MeanModel::parse`].
    pub fn parse_prefix(slot: &'a [u8]) -> Result<(Self, &'a [u8]), Invalid> {
        let (file, rest) = footprint::split_slot(slot);
        Ok((Self::parse(file)?, rest))
    }

    /// Its name, for people.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The fine grid.
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The sensor's points along y, 1 on a line, and along x.
    pub const fn coarse_points(&self) -> [usize; 2] {
        self.coarse
    }

    /// Values of a coarse frame, all channels.
    pub const fn coarse_len(&self) -> usize {
        let [y, x] = self.coarse;
        product(&[self.channels, y, x])
    }

    /// Values of a fine frame, all channels.
    pub const fn fine_len(&self) -> usize {
        product(&[self.channels, self.grid.points()])
    }

    /// What the sensor's values are.
    pub const fn sensor(&self) -> Values {
        self.sensor
    }

    /// Standard deviation of the errors of the sensor that it was trained for, in standard
    /// deviations of a channel.
    pub const fn noise(&self) -> f32 {
        self.noise
    }

    /// Number of channels.
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// The channels in the order of the fields.
    pub fn channel_descriptions(&self) -> impl Iterator<Item = Channel<'a>> + use<'a> {
        parse::channels(self.descriptions, self.channels)
    }

    /// a, the frames before the estimated one that are seen.
    pub const fn before(&self) -> usize {
        self.before
    }

    /// b, the frames after it: the mean of a frame is known b frames later.
    pub const fn after(&self) -> usize {
        self.after
    }

    /// a + 1 + b.
    pub const fn frames(&self) -> usize {
        sum(&[self.before, 1, self.after])
    }

    /// Time between frames, in the data set's unit.
    pub const fn frame_interval(&self) -> f32 {
        self.frame_interval
    }

    /// The arrays.
    pub const fn arrays(&self) -> &MeanArrays<'a> {
        &self.arrays
    }

    /// What a mean and its errors take from their caller.
    pub const fn footprint(&self) -> MeanFootprint {
        self.footprint
    }

    /// What the network sees of each frame; none without a network.
    pub const fn views(&self) -> Option<Views> {
        match self.network {
            Some(network) => Some(network.sight.views),
            None => None,
        }
    }

    /// The network's layers; none where the base is all there is.
    pub const fn layers(&self) -> Layers<'a> {
        match self.network {
            Some(network) => network.layers(),
            None => Layers::none(self.grid),
        }
    }

    /// Whether the network's activations are int16.
    pub const fn int16(&self) -> bool {
        match self.network {
            Some(network) => network.int16(),
            None => false,
        }
    }

    pub(crate) const fn network(&self) -> Option<Network<'a>> {
        self.network
    }
}

/// A sensor has at least one point along every axis, and not more than the grid.
fn coarse_points([y, x]: [u16; 2], fine: &Grid) -> Option<[usize; 2]> {
    let (y, x) = (usize::from(y), usize::from(x));
    let y = if fine.is_line() { (y == 0).then_some(1)? } else { y };
    ((1..=fine.ny()).contains(&y) && (1..=fine.nx()).contains(&x)).then_some([y, x])
}
