//! The network of a file.

use core::marker::PhantomData;

use super::cursor::{Cursor, product};
use super::header::finite;
use super::{Invalid, LAYERS_MAX, Views};
use crate::Grid;
use crate::checked::{OrBug, sum};
use crate::layer::ConvShape;
use crate::layer::int16::exponent;

/// λ to one factor and one shift for each channel of every layer but the last: two dense layers
/// with a leaky rectifier between them. Weights are `[in][out]`.
#[derive(Clone, Copy, Debug)]
pub struct Film<'a> {
    /// `[5][hidden]`: of t, t², t³, sin πt, cos πt with t = 1 + 2 log₁₀ λ/3.
    pub hidden_weight: &'a [f32],
    /// `[hidden]`.
    pub hidden_bias: &'a [f32],
    /// `[hidden][2 · channels]`: factors less 1 of all layers, then shifts of all layers.
    pub weight: &'a [f32],
    /// `[2 · channels]`.
    pub bias: &'a [f32],
}

/// A convolution of the network.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a, W = Weights<'a>> {
    /// Its sizes.
    pub shape: ConvShape,
    /// `[out]`.
    pub bias: &'a [f32],
    /// Weights, packed for the kernels.
    pub weights: W,
    /// The largest absolute value that the layer's input had on calibration data; 0 where it was
    /// not measured. What int16 activations are scaled by.
    pub input_bound: f32,
    /// The same of the loss's gradient with respect to that input, over the largest absolute value
    /// of the gradient with respect to the network's output.
    pub gradient_bound: f32,
    /// What follows the convolution and its modulation.
    pub activation: Activation,
    /// The largest absolute value of p on the same data, for [`Activation::Product`]; otherwise 0.
    pub factor_bound: f32,
    /// Whether λ modulates it: on all layers but the last.
    pub modulated: bool,
    /// Whether the input is added to the output: on all products, and on all rectifiers but the
    /// first layer.
    pub residual: bool,
}

/// What a layer does with what its convolution gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Activation {
    /// Nothing.
    None,
    /// A leaky rectifier of slope 0.1.
    Rectifier,
    /// The first half of the channels, p, times the second, q, which is held within ±4
    /// ([`crate::layer::FACTOR_MAX`]).
    Product,
}

/// What calibration may have missed: in int16, values beyond 1.25 times the largest that it saw may
/// saturate.
const HEADROOM: f32 = 1.25;

impl<W> Layer<'_, W> {
    /// The int16 exponent of what it reads.
    pub(crate) fn input_exponent(&self) -> i32 {
        exponent(HEADROOM * self.input_bound)
    }

    /// The int16 exponent of the gradient with respect to that, for a cotangent of one.
    pub(crate) fn gradient_exponent(&self) -> i32 {
        exponent(HEADROOM * self.gradient_bound)
    }

    /// The int16 exponent of the first factors of its products.
    pub(crate) fn factor_exponent(&self) -> i32 {
        exponent(HEADROOM * self.factor_bound)
    }

    /// Channels that the next layer gets: half of the convolution's where they are factors of
    /// products.
    pub const fn channels(&self) -> usize {
        match self.activation {
            Activation::Product => self.shape.outputs() / 2,
            Activation::None | Activation::Rectifier => self.shape.outputs(),
        }
    }
}

/// Packed weights, in the order of [`ConvShape::pack`].
#[derive(Clone, Copy, Debug)]
pub enum Weights<'a> {
    /// As they are.
    F32(&'a [f32]),
    /// Eight bits each, times one multiplier for each output channel.
    I8 {
        /// The bytes.
        weights: &'a [i8],
        /// `[out]`.
        multipliers: &'a [f32],
    },
    /// The same bytes, packed for int16 activations. Either all layers of a network have them or
    /// none has.
    Int16 {
        /// [`ConvShape::pack_int16`]'s words, forward and adjoint.
        words: [&'a [u32]; 2],
        /// `[out]`.
        multipliers: &'a [f32],
    },
}

impl<'a> Weights<'a> {
    /// What a byte of each output channel stands for; empty where weights are f32.
    pub const fn multipliers(&self) -> &'a [f32] {
        match self {
            Self::F32(_) => &[],
            Self::I8 { multipliers, .. } | Self::Int16 { multipliers, .. } => multipliers,
        }
    }

    /// Whether activations are int16.
    pub const fn int16(&self) -> bool {
        matches!(self, Self::Int16 { .. })
    }

    /// Bytes that they take.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::F32(weights) => size_of_val(*weights),
            Self::I8 { weights, multipliers } => sum(&[weights.len(), size_of_val(*multipliers)]),
            Self::Int16 { words: [forward, adjoint], multipliers } => {
                sum(&[size_of_val(*forward), size_of_val(*adjoint), size_of_val(*multipliers)])
            }
        }
    }
}

/// Weights of a layer whose activations are f32.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Float<'a> {
    /// See [`Weights::F32`].
    F32(&'a [f32]),
    /// See [`Weights::I8`].
    I8 { weights: &'a [i8], multipliers: &'a [f32] },
}

/// Weights of a layer whose activations are int16; see [`Weights::Int16`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Int16<'a> {
    pub(crate) words: [&'a [u32]; 2],
    pub(crate) multipliers: &'a [f32],
}

/// Weights as a file has them.
pub(super) trait Stored<'a>: Copy {
    /// Reads those of the file's kind `kind`; refuses the kinds that are none of these.
    fn read(kind: u8, shape: &ConvShape, cursor: &mut Cursor<'a>) -> Result<Self, Invalid>;
}

/// The file's kind of weights that go with int16 activations.
const INT16: u8 = 2;

/// Refuses a kind of weights that the crate is built without, so that code for it is not linked.
const fn compiled(kind: u8) -> Result<(), Invalid> {
    match kind {
        0 if !cfg!(feature = "f32") => Err(Invalid::Weights { feature: "f32" }),
        1 if !cfg!(feature = "int8") => Err(Invalid::Weights { feature: "int8" }),
        INT16 if !cfg!(feature = "int16") => Err(Invalid::Weights { feature: "int16" }),
        _ => Ok(()),
    }
}

impl<'a> Stored<'a> for Float<'a> {
    fn read(kind: u8, shape: &ConvShape, cursor: &mut Cursor<'a>) -> Result<Self, Invalid> {
        let packed = shape.packed_len();
        compiled(kind)?;
        match kind {
            0 => Ok(Self::F32(cursor.f32s(&[packed], "weights")?)),
            1 => {
                let multipliers = cursor.f32s(&[shape.outputs()], "multipliers")?;
                Ok(Self::I8 { weights: cursor.i8s(packed)?, multipliers })
            }
            _ => Err(Invalid::Field { name: "weights" }),
        }
    }
}

impl<'a> Stored<'a> for Int16<'a> {
    fn read(kind: u8, shape: &ConvShape, cursor: &mut Cursor<'a>) -> Result<Self, Invalid> {
        if kind != INT16 || !shape.fits_int16() {
            return Err(Invalid::Field { name: "weights" });
        }
        let multipliers = cursor.f32s(&[shape.outputs()], "multipliers")?;
        let [forward, adjoint] = shape.int16_words();
        Ok(Self { words: [cursor.words(forward)?, cursor.words(adjoint)?], multipliers })
    }
}

impl<'a> Stored<'a> for Weights<'a> {
    fn read(kind: u8, shape: &ConvShape, cursor: &mut Cursor<'a>) -> Result<Self, Invalid> {
        if kind == INT16 {
            return Int16::read(kind, shape, cursor).map(Self::from);
        }
        Float::read(kind, shape, cursor).map(Self::from)
    }
}

impl<'a> From<Float<'a>> for Weights<'a> {
    fn from(weights: Float<'a>) -> Self {
        match weights {
            Float::F32(weights) => Self::F32(weights),
            Float::I8 { weights, multipliers } => Self::I8 { weights, multipliers },
        }
    }
}

impl<'a> From<Int16<'a>> for Weights<'a> {
    fn from(Int16 { words, multipliers }: Int16<'a>) -> Self {
        Self::Int16 { words, multipliers }
    }
}

/// The layers, used where they lie in the file.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a, W = Weights<'a>> {
    grid: Grid,
    count: usize,
    /// The whole file.
    file: Cursor<'a>,
    /// Where each layer's record starts in it.
    places: [u32; LAYERS_MAX],
    weights: PhantomData<W>,
}

impl<'a> Layers<'a> {
    /// No layers.
    pub(super) const fn none(grid: Grid) -> Self {
        let file = Cursor::new(&[]);
        Self { grid, count: 0, file, places: [0; LAYERS_MAX], weights: PhantomData }
    }
}

impl<'a, W> Layers<'a, W> {
    /// Number of layers.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no network.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The same layers, whatever their weights are.
    pub(super) const fn of_any_weights(self) -> Layers<'a> {
        let Self { grid, count, file, places, .. } = self;
        Layers { grid, count, file, places, weights: PhantomData }
    }
}

#[expect(private_bounds, reason = "the kinds of weights are the file's, nobody adds one")]
impl<'a, W: Stored<'a>> Layers<'a, W> {
    /// Reads `count` layers, each of which `fits` what came before; `file` holds the whole file.
    pub(super) fn read(
        cursor: &mut Cursor<'a>,
        file: Cursor<'a>,
        grid: Grid,
        count: usize,
        mut fits: impl FnMut(&Layer<'a, W>) -> Result<(), Invalid>,
    ) -> Result<Self, Invalid> {
        let mut places = [0; LAYERS_MAX];
        let room = places.get_mut(..count).ok_or(Invalid::Field { name: "layers" })?;
        for (n, place) in room.iter_mut().enumerate() {
            cursor.align()?;
            *place = u32::try_from(cursor.at()).map_err(|_| Invalid::Length)?;
            fits(&layer(cursor, grid, n, count)?)?;
        }
        Ok(Self { grid, count, file: file.known(), places, weights: PhantomData })
    }

    /// From first to last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Layer<'a, W>> + use<'a, W> {
        let layers = *self;
        (0..layers.count).filter_map(move |n| layers.get(n))
    }

    /// Layer `n`, in a time that does not depend on `n`.
    pub fn get(&self, n: usize) -> Option<Layer<'a, W>> {
        let place = self.places.get(..self.count).or_bug().get(n)?;
        let layer = layer(&mut self.file.from(*place), self.grid, n, self.count);
        debug_assert!(layer.is_ok(), "a layer that was read before is refused");
        layer.ok()
    }
}

/// Layers by what their activations are: all of a network's are f32, or all int16.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activations<'a> {
    /// In f32.
    Float(Layers<'a, Float<'a>>),
    /// In int16.
    Int16(Layers<'a, Int16<'a>>),
}

impl<'a> Activations<'a> {
    /// The same layers, whatever their weights are.
    pub(crate) const fn layers(self) -> Layers<'a> {
        match self {
            Self::Float(layers) => layers.of_any_weights(),
            Self::Int16(layers) => layers.of_any_weights(),
        }
    }
}

/// A network with what it sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network<'a> {
    /// What λ does to its layers; none where nothing depends on λ.
    pub(crate) film: Option<Film<'a>>,
    pub(crate) activations: Activations<'a>,
    pub(crate) sight: Sight,
    /// See [`super::Model::segments`].
    pub(crate) segments: usize,
}

/// What a network sees: views of the frames of a window, and other fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sight {
    pub(crate) grid: Grid,
    pub(crate) channels: usize,
    pub(crate) views: Views,
    /// Frames of the window.
    pub(crate) frames: usize,
    /// Fields behind those of the views: maps that are always the same, or companions.
    pub(crate) behind: usize,
}

impl<'a> Network<'a> {
    pub(crate) const fn layers(&self) -> Layers<'a> {
        self.activations.layers()
    }

    /// Whether its activations are int16.
    pub(crate) const fn int16(&self) -> bool {
        matches!(self.activations, Activations::Int16(_))
    }
}

impl Sight {
    /// Fields of all views of all frames.
    pub(crate) fn viewed(&self) -> usize {
        self.views.fields(&self.grid, self.frames, self.channels)
    }

    /// All fields.
    pub(crate) fn fields(&self) -> usize {
        sum(&[self.viewed(), self.behind])
    }
}

/// Whether the layer that comes next in a file has weights for int16 activations; refuses weights
/// of a kind that the crate is built without.
pub(super) fn int16_next(mut cursor: Cursor<'_>) -> Result<bool, Invalid> {
    cursor.align()?;
    let [.., kind] = cursor.array::<KIND_END>()?;
    compiled(kind)?;
    Ok(cfg!(feature = "int16") && kind == INT16)
}

/// Bytes of a layer's record to its kind of weights: two numbers of channels, taps, dilation, kind.
const KIND_END: usize = 2 + 2 + 1 + 1 + 1;

/// Reads one layer, whose record starts here.
fn layer<'a, W: Stored<'a>>(
    cursor: &mut Cursor<'a>,
    grid: Grid,
    n: usize,
    count: usize,
) -> Result<Layer<'a, W>, Invalid> {
    let (inputs, outputs) = (usize::from(cursor.u16()?), usize::from(cursor.u16()?));
    let (taps, dilation) = (usize::from(cursor.u8()?), usize::from(cursor.u8()?));
    let kind = cursor.u8()?;
    let activation = match cursor.u8()? {
        0 => Activation::None,
        1 => Activation::Rectifier,
        2 => Activation::Product,
        _ => return Err(Invalid::Field { name: "activation" }),
    };
    // With int16 activations both bounds are needed.
    let mut bound = |name| match finite(cursor.f32()?, name)? {
        bound if bound > 0.0 || (bound == 0.0 && kind != INT16) => Ok(bound),
        _ => Err(Invalid::Field { name }),
    };
    let (input_bound, gradient_bound) = (bound("input bound")?, bound("gradient bound")?);
    let product = activation == Activation::Product;
    let factor_bound = if product {
        bound("factor bound")?
    } else {
        cursor.zeros(4)?;
        0.0
    };
    let shape = ConvShape::new(grid, inputs, outputs, taps, dilation)
        .map_err(|_| Invalid::Field { name: "layer" })?;
    let bias = cursor.f32s(&[outputs], "bias")?;
    let weights = W::read(kind, &shape, cursor)?;
    let (first, last) = (n == 0, n.saturating_add(1) == count);
    if last && activation != Activation::None {
        return Err(Invalid::Field { name: "activation" });
    }
    let residual = !first && activation != Activation::None;
    Ok(Layer {
        shape,
        bias,
        weights,
        input_bound,
        gradient_bound,
        activation,
        factor_bound,
        modulated: !last,
        residual,
    })
}

/// Reads the modulation of `channels` channels in all.
pub(super) fn film<'a>(
    cursor: &mut Cursor<'a>,
    hidden: usize,
    channels: usize,
) -> Result<Film<'a>, Invalid> {
    let modulated = product(&[2, channels])?;
    Ok(Film {
        hidden_weight: cursor.f32s(&[5, hidden], "film")?,
        hidden_bias: cursor.f32s(&[hidden], "film")?,
        weight: cursor.f32s(&[hidden, modulated], "film")?,
        bias: cursor.f32s(&[modulated], "film")?,
    })
}
