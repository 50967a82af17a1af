//! The network of a file.

use super::Invalid;
use super::cursor::{Cursor, product};
use super::header::finite;
use crate::Grid;
use crate::layer::ConvShape;

/// λ to one factor and one shift for each channel of every layer but the last: two dense layers with a leaky rectifier
/// between them. Weights are `[in][out]`.
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
pub struct Layer<'a> {
    /// Its sizes.
    pub shape: ConvShape,
    /// `[out]`.
    pub bias: &'a [f32],
    /// Weights, packed for the kernels.
    pub weights: Weights<'a>,
    /// The largest absolute value that the layer's input had on calibration data; 0 where it was not measured. What int16
    /// activations are scaled by.
    pub input_bound: f32,
    /// The same of the loss's gradient with respect to that input, over the largest absolute value of the gradient with
    /// respect to the network's output.
    pub gradient_bound: f32,
    /// Whether modulation and a leaky rectifier of slope 0.1 follow: on all layers but the last.
    pub active: bool,
    /// Whether the input is added to the output: on all layers but the first and the last.
    pub residual: bool,
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
    /// The same bytes, packed for int16 activations. Either all layers of a network have them or none has.
    Int16 {
        /// [`ConvShape::pack_int16`]'s words, forward and adjoint.
        words: [&'a [u32]; 2],
        /// `[out]`.
        multipliers: &'a [f32],
    },
}

impl Weights<'_> {
    /// Whether activations are int16.
    pub const fn int16(&self) -> bool {
        matches!(self, Self::Int16 { .. })
    }

    /// Bytes that they take.
    pub const fn bytes(&self) -> usize {
        match self {
            Self::F32(weights) => 4 * weights.len(),
            Self::I8 { weights, multipliers } => weights.len() + 4 * multipliers.len(),
            Self::Int16 { words: [forward, adjoint], multipliers } => {
                4 * (forward.len() + adjoint.len() + multipliers.len())
            }
        }
    }
}

/// The layers, each found by walking over those before it.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a> {
    pub(super) grid: Grid,
    pub(super) count: usize,
    /// From the first layer's record on.
    pub(super) cursor: Cursor<'a>,
}

impl<'a> Layers<'a> {
    /// Number of layers.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no network.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// From first to last.
    pub fn iter(&self) -> impl Iterator<Item = Layer<'a>> + use<'a> {
        let Self { grid, count, mut cursor } = *self;
        // Read once before, so no layer is refused here.
        (0..count).map_while(move |n| layer(&mut cursor, grid, n, count).ok())
    }

    /// Layer `n`.
    pub fn get(&self, n: usize) -> Option<Layer<'a>> {
        self.iter().nth(n)
    }
}

/// Reads one layer.
pub(super) fn layer<'a>(
    cursor: &mut Cursor<'a>,
    grid: Grid,
    n: usize,
    count: usize,
) -> Result<Layer<'a>, Invalid> {
    cursor.align()?;
    let (inputs, outputs) = (usize::from(cursor.u16()?), usize::from(cursor.u16()?));
    let (taps, dilation) = (usize::from(cursor.u8()?), usize::from(cursor.u8()?));
    let kind = cursor.u8()?;
    cursor.zeros(1)?;
    // With int16 activations both bounds are needed.
    let mut bound = |name| match finite(cursor.f32()?, name)? {
        bound if bound > 0.0 || (bound == 0.0 && kind != 2) => Ok(bound),
        _ => Err(Invalid::Field { name }),
    };
    let (input_bound, gradient_bound) = (bound("input bound")?, bound("gradient bound")?);
    let shape = ConvShape::new(grid, inputs, outputs, taps, dilation)
        .map_err(|_| Invalid::Field { name: "layer" })?;
    let bias = cursor.f32s(&[outputs], "bias")?;
    let packed = shape.packed_len();
    let weights = match kind {
        0 => Weights::F32(cursor.f32s(&[packed], "weights")?),
        1 => {
            let multipliers = cursor.f32s(&[outputs], "multipliers")?;
            Weights::I8 { weights: cursor.i8s(packed)?, multipliers }
        }
        2 if shape.fits_int16() => {
            let multipliers = cursor.f32s(&[outputs], "multipliers")?;
            let [forward, adjoint] = shape.int16_words();
            Weights::Int16 { words: [cursor.words(forward)?, cursor.words(adjoint)?], multipliers }
        }
        _ => return Err(Invalid::Field { name: "weights" }),
    };
    let last = n + 1 == count;
    let (active, residual) = (!last, n > 0 && !last);
    Ok(Layer { shape, bias, weights, input_bound, gradient_bound, active, residual })
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
