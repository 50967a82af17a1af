//! Model files: bytes to a view that has been checked whole, used in place.
//!
//! `docs/format.md` has the format byte by byte. [`Model::parse`] reads the bytes once, from front
//! to back, with checked arithmetic; nothing can be taken from bytes that it has refused. Arrays
//! stay where they are, in flash or in a mapped file. Every flip of a single bit and every
//! truncation is refused.
//!
//! ```
//! # fn flash() -> &'static [u8] { &[] }
//! use finescale::model::{Invalid, Model};
//! assert_eq!(Model::parse(flash()).err(), Some(Invalid::Length));
//! ```

mod cursor;
mod footprint;
mod header;
mod include;
mod invalid;
mod layer;
mod mean;
mod parse;
mod recommended;
mod views;

pub use footprint::{Footprint, MeanFootprint, is_model};
pub use header::{CHECKED_FROM, HEADER_LEN, MAGIC};
pub use invalid::Invalid;
pub use layer::{Activation, Film, Layer, Layers, Weights};
pub(crate) use layer::{Activations, Float, Int16, Network, Sight};
pub use mean::{MEAN_MAGIC, MEAN_VERSION, MeanArrays, MeanModel};
pub use recommended::Recommended;
pub use views::{Component, Derivative, View, Views};

use crate::predictor::ScoreTables;
use crate::{ForwardProcess, Grid};

/// Version of the format.
pub const VERSION: u16 = 6;
/// Order of weights: [`crate::layer::ConvShape::pack`]'s.
pub const KERNEL_LAYOUT: u16 = 1;
/// Where the arrays of a file lie in it: at multiples of so many bytes.
pub const ALIGNMENT: usize = 16;
/// Where a file must lie in memory: at a multiple of so many bytes, a word.
pub const ADDRESS_ALIGNMENT: usize = 4;
/// Most layers of a network.
pub const LAYERS_MAX: usize = 32;

/// CRC-32 of IEEE 802.3 (polynomial 0x04C11DB7, reflected, inverted at both ends), as in a file's
/// header.
pub fn checksum(bytes: &[u8]) -> u32 {
    const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    CRC.checksum(bytes)
}

/// Bytes at a multiple of [`ALIGNMENT`]: what a file is put into that is made part of a program.
/// A multiple of [`ADDRESS_ALIGNMENT`] suffices; this one lets vectors of a desktop load in one go.
///
/// ```ignore
/// static MODEL: &Aligned<[u8]> = &Aligned(*include_bytes!("winds.finescale"));
/// ```
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Aligned<T: ?Sized>(pub T);

/// A model whose bytes have been checked.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    grid: Grid,
    process: ForwardProcess,
    channels: usize,
    window: usize,
    frame_interval: f32,
    options: Options,
    sight: Sight,
    segments: usize,
    recommended: Recommended,
    footprint: Footprint,
    name: &'a str,
    descriptions: &'a [u8],
    tables: Tables<'a>,
    autocovariance: &'a [f32],
    network: Option<Network<'a>>,
}

/// How a predictor is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Options {
    /// The network corrects the linear base; otherwise it is all there is.
    pub linear_base: bool,
    /// Corrections are 4 deviations · tanh(network / 4).
    pub bounded: bool,
    /// The network also estimates the newest frame's noise.
    pub score_head: bool,
}

/// What was measured on the trained predictor, `[λ][channel][radial bin]` each; see
/// [`crate::spectral::RadialBins`].
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// λ, rising.
    pub lambdas: &'a [f32],
    /// S over the linear predictor's S.
    pub innovation: &'a [f32],
    /// Moments of the path score.
    pub path: ScoreTables<'a>,
    /// Moments of the score head's, where there is one.
    pub head: Option<ScoreTables<'a>>,
    /// A good λ grid for sampling, falling, the last one 0.
    pub lambda_grid: &'a [f32],
}

/// A channel: field value = mean + std · standardised value.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Channel<'a> {
    /// Name of the variable.
    pub name: &'a str,
    /// Its units.
    pub units: &'a str,
    /// Mean of the training data.
    pub mean: f32,
    /// Standard deviation of the training data.
    pub std: f32,
}

impl Channel<'_> {
    /// A value of the channel in standard deviations from its mean.
    pub fn standard(&self, value: f32) -> f32 {
        (value - self.mean) / self.std
    }

    /// Undoes [`Channel::standard`].
    pub fn physical(&self, standard: f32) -> f32 {
        self.mean + self.std * standard
    }
}

/// The channels, used where they lie in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channels<'a> {
    descriptions: &'a [u8],
    count: usize,
}

impl<'a> Channels<'a> {
    /// How many.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Channel<'a>> + use<'a> {
        parse::channels(self.descriptions, self.count)
    }
}

impl<'a> Model<'a> {
    /// Checks a file.
    ///
    /// # Errors
    /// [`Invalid`] says what is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Invalid> {
        parse::model(bytes)
    }

    /// Checks a file at the start of a slot in flash that may be larger; gives what is behind it.
    ///
    /// So an update over the air needs no length beside the file. Where a slot was written in part,
    /// the checksum is another; then go on with the file in the other slot.
    ///
    /// # Errors
    /// As [`Model::parse`].
    pub fn parse_prefix(slot: &'a [u8]) -> Result<(Self, &'a [u8]), Invalid> {
        let (file, rest) = footprint::split_slot(slot);
        Ok((parse::model(file)?, rest))
    }

    /// Its name, for people.
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The grid.
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The forward process. Where it couples two channels, tables and autocovariance are of their
    /// combinations: see [`ForwardProcess::mix`].
    pub const fn process(&self) -> &ForwardProcess {
        &self.process
    }

    /// Number of channels.
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// The channels in the order of the fields.
    pub fn channel_descriptions(&self) -> impl Iterator<Item = Channel<'a>> + use<'a> {
        self.described().iter()
    }

    /// What [`Model::channel_descriptions`] goes through, without the rest of the model.
    pub(crate) const fn described(&self) -> Channels<'a> {
        Channels { descriptions: self.descriptions, count: self.channels }
    }

    /// W, the longest window in frames.
    pub const fn window(&self) -> usize {
        self.window
    }

    /// Time between frames, in the data set's unit.
    pub const fn frame_interval(&self) -> f32 {
        self.frame_interval
    }

    /// How the predictor is put together.
    pub const fn options(&self) -> Options {
        self.options
    }

    /// What tasks take from their caller.
    pub const fn footprint(&self) -> Footprint {
        self.footprint
    }

    /// The sampler that its figures were measured with.
    pub const fn recommended(&self) -> Recommended {
        self.recommended
    }

    /// What was measured.
    pub const fn tables(&self) -> Tables<'a> {
        self.tables
    }

    /// Autocovariance of the clean data, packed: `[lag 0 … W][channel out][channel in][y mode][x
    /// mode]`. The diagonal of lag 0 is the power spectrum P.
    pub const fn autocovariance(&self) -> &'a [f32] {
        self.autocovariance
    }

    /// λ to factors and shifts of the layers; `None` without a network.
    pub const fn film(&self) -> Option<Film<'a>> {
        match self.network {
            Some(network) => network.film,
            None => None,
        }
    }

    /// The network's layers; none where the linear base is all there is.
    pub const fn layers(&self) -> Layers<'a> {
        match self.network {
            Some(network) => network.layers(),
            None => Layers::none(self.grid),
        }
    }

    /// The network, its layers by their activations.
    pub(crate) const fn network(&self) -> Option<Network<'a>> {
        self.network
    }

    /// Whether the network's activations are int16.
    pub const fn int16(&self) -> bool {
        match self.network {
            Some(network) => network.int16(),
            None => false,
        }
    }

    /// What the network sees of each frame; none without a network.
    pub const fn views(&self) -> Views {
        self.sight.views
    }

    /// Into how many runs the network's product layers are split. The factors of one run are kept
    /// for the vector-Jacobian product; those of the others are computed again. At least 1.
    pub const fn segments(&self) -> usize {
        self.segments
    }

    /// Fields that the network sees: see [`Views::fields`]; the companions are behind them.
    pub fn input_fields(&self) -> usize {
        self.sight.fields()
    }

    /// Companions, fields that the network sees beside the path: see
    /// [`Prepared::given`](crate::predictor::Prepared::given). Most models have none.
    pub const fn companions(&self) -> usize {
        self.sight.behind
    }
}
