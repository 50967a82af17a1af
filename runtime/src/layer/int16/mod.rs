//! Convolution of int16 activations with int8 weights, in integers: forward and vector-Jacobian
//! product.
//!
//! Four channels of a point lie side by side, `[channel/4][y][x][4]`, so that a processor which
//! multiplies pairs of int16 (SMLAD on Cortex-M) takes them as they are. A tensor's values stand
//! for value · 2^(exponent − 15).

mod pack;
mod pass;
mod product;
mod requantize;
mod rows;

use super::epilogue::Epilogue;
use super::shape::{ConvShape, check_len};
use crate::checked::{Place, product};
use crate::{Boundary, Error};
use pass::{Pass, Sink};
pub(crate) use product::FACTOR_EXCESS_MAX;
pub use product::{multiply16, multiply16_vjp};
use requantize::{Affine, Requantize};
use rows::Source;

/// Four channels of a point as int16.
pub type Point = [u32; 2];

/// Channels of a [`Point`].
const LANES: usize = 4;

/// The exponent of a tensor whose values reach `bound`: the smallest e with 2^e ≥ bound.
pub fn exponent(bound: f32) -> i32 {
    let bits = bound.abs().to_bits();
    let rounded_up = i32::from(bits & 0x007F_FFFF != 0);
    ((bits >> 23) as i32 - 127 + rounded_up).clamp(-100, 100)
}

/// 2^e, exact; e is brought between −126 and 127.
pub(crate) fn power_of_two(e: i32) -> f32 {
    f32::from_bits(((e.clamp(-126, 127) + 127) as u32) << 23)
}

/// Points that hold `channels` channels of `points` points.
pub const fn points_len(channels: usize, points: usize) -> usize {
    product(&[channels.div_ceil(LANES), points])
}

/// What is convolved.
#[derive(Clone, Copy, Debug)]
pub enum Input16<'a> {
    /// Fields `[channel][y][x]`, rounded to a tensor's values as they are read; beyond 2^exponent
    /// they saturate.
    Fields {
        /// The fields.
        values: &'a [f32],
        /// The exponent to round with.
        exponent: i32,
    },
    /// A tensor.
    Points {
        /// The tensor.
        points: &'a [Point],
        /// Its exponent.
        exponent: i32,
    },
}

impl Input16<'_> {
    const fn exponent(&self) -> i32 {
        match self {
            Self::Fields { exponent, .. } | Self::Points { exponent, .. } => *exponent,
        }
    }
}

/// Where results go.
#[derive(Debug)]
pub enum Output16<'a> {
    /// Fields `[channel][y][x]`; nothing is rounded but to `f32`.
    Fields(&'a mut [f32]),
    /// A tensor, rounded to nearest; beyond 2^exponent values saturate.
    Points {
        /// The tensor.
        points: &'a mut [Point],
        /// Its exponent.
        exponent: i32,
    },
}

/// A convolution: sizes, and bytes packed by [`ConvShape::pack_int16`], which are used in place.
///
/// Sums are exact in 32 bits, so no order of additions and no processor changes a bit.
#[derive(Clone, Copy, Debug)]
pub struct Conv16<'a> {
    shape: ConvShape,
    forward: &'a [u32],
    adjoint: &'a [u32],
}

impl<'a> Conv16<'a> {
    /// A convolution from the words of both directions.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are [`ConvShape::int16_words`] of both;
    /// [`Error::Count`] if sums could overflow: see [`ConvShape::fits_int16`].
    pub fn new(shape: ConvShape, forward: &'a [u32], adjoint: &'a [u32]) -> Result<Self, Error> {
        let [forward_len, adjoint_len] = shape.int16_words();
        check_len(forward_len, forward.len())?;
        check_len(adjoint_len, adjoint.len())?;
        let expected = "at most 516, so that sums fit 32 bits";
        Error::count("products", shape.products_max(), shape.fits_int16(), expected)?;
        Ok(Self { shape, forward, adjoint })
    }

    /// Its sizes.
    pub const fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// `output` = epilogue(weights ∗ `input`) + `add`, a tensor with its exponent.
    ///
    /// `epilogue`'s scale holds what a byte stands for. `signs` as in [`super::Conv::forward`].
    /// `scratch`: [`ConvShape::int16_scratch_len`]. Error of an output beside those of its input
    /// and its weights: at most 0.56 of its unit and 2^-20 of the largest output.
    ///
    /// # Errors
    /// As [`super::Conv::forward`]; [`Error::Conflict`] if something is added to fields.
    pub fn forward(
        &self,
        input: Input16<'_>,
        epilogue: &Epilogue<'_>,
        signs: Option<&mut [u8]>,
        add: Option<(&[Point], i32)>,
        output: Output16<'_>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let shape = &self.shape;
        check_epilogue(epilogue, shape)?;
        check_input(shape.inputs(), shape, input)?;
        check_output(shape.outputs(), shape, &output)?;
        if let Some(signs) = &signs {
            check_len(shape.signs_len(), signs.len())?;
        }
        let (affine, scratch) = Affine::split(shape.outputs(), self.scratch(scratch)?);
        let unit = power_of_two(input.exponent().saturating_sub(15));
        let source = match input {
            Input16::Fields { values, .. } => {
                Source::Fields { values, scale: None, unit: 1.0 / unit }
            }
            Input16::Points { points, .. } => Source::Points(points),
        };
        check_added(shape.outputs(), shape, add, &output)?;
        let sink = match output {
            Output16::Fields(values) => Sink::Fields { values, unit, epilogue: Some(epilogue) },
            Output16::Points { points, exponent } => {
                let slope = epilogue.slope;
                Sink::Points(Requantize::new(
                    affine.epilogue(epilogue, input.exponent(), exponent),
                    slope,
                    add,
                    exponent,
                    signs.unwrap_or_default(),
                    points,
                ))
            }
        };
        Pass { shape, adjoint: false, weights: self.forward, source, sink }.run(scratch);
        Ok(())
    }

    /// Vector-Jacobian product: `gradient` = weightsᵀ ∗ (epilogue′ · `cotangent`) + `add`, a tensor
    /// with its exponent; `signs` as [`Conv16::forward`] kept them, `None` where the slope is 1.
    ///
    /// # Errors
    /// As [`Conv16::forward`], and as [`super::Conv::vjp`].
    pub fn vjp(
        &self,
        cotangent: Input16<'_>,
        epilogue: &Epilogue<'_>,
        signs: Option<&[u8]>,
        add: Option<(&[Point], i32)>,
        gradient: Output16<'_>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let shape = &self.shape;
        check_epilogue(epilogue, shape)?;
        check_input(shape.outputs(), shape, cotangent)?;
        check_output(shape.inputs(), shape, &gradient)?;
        match signs {
            Some(signs) => check_len(shape.signs_len(), signs.len())?,
            None => {
                let linear = epilogue.slope == 1.0;
                Error::check("slope", epilogue.slope, linear, "1 where no signs were kept")?;
            }
        }
        let channels = shape.outputs().max(shape.inputs());
        let (affine, scratch) = Affine::split(channels, self.scratch(scratch)?);
        let largest = epilogue.scale.iter().fold(0.0_f32, |most, scale| most.max(scale.abs()));
        // A mirror along y adds rows in pairs before they are multiplied.
        let folded = shape.grid().y().is_some_and(|y| y.boundary() == Boundary::Reflecting);
        let steepest = largest * epilogue.slope.abs().max(1.0);
        let steps = exponent(steepest).plus(i32::from(folded));
        let exponent = cotangent.exponent().saturating_add(steps);
        let unit = power_of_two(exponent.saturating_sub(15));
        let (above, below) = affine.pull_back(epilogue, cotangent.exponent(), exponent);
        let source = match cotangent {
            Input16::Fields { values, .. } => {
                Source::Fields { values, scale: Some(epilogue.scale), unit: 1.0 / unit }
            }
            Input16::Points { points, .. } => {
                Source::Cotangent { points, above, below, signs: signs.unwrap_or_default() }
            }
        };
        check_added(shape.inputs(), shape, add, &gradient)?;
        let sink = match gradient {
            Output16::Fields(values) => Sink::Fields { values, unit, epilogue: None },
            Output16::Points { points, exponent: to } => Sink::Points(Requantize::new(
                Affine::power(exponent.saturating_sub(to)),
                1.0,
                add,
                to,
                &mut [],
                points,
            )),
        };
        Pass { shape, adjoint: true, weights: self.adjoint, source, sink }.run(scratch);
        Ok(())
    }

    fn scratch<'s>(&self, scratch: &'s mut [f32]) -> Result<&'s mut [f32], Error> {
        let (values, needed) = (scratch.len(), self.shape.int16_scratch_len());
        scratch.get_mut(..needed).ok_or(Error::ScratchLength { values, needed })
    }
}

fn check_epilogue(epilogue: &Epilogue<'_>, shape: &ConvShape) -> Result<(), Error> {
    epilogue.check(shape)?;
    let slope = epilogue.slope;
    Error::check(
        "slope",
        slope,
        (0.0..0.5).contains(&slope) || slope == 1.0,
        "from 0 to below 0.5, or 1",
    )?;
    Ok(())
}

/// Refuses what cannot be added to an output.
fn check_added(
    channels: usize,
    shape: &ConvShape,
    add: Option<(&[Point], i32)>,
    output: &Output16<'_>,
) -> Result<(), Error> {
    match (add, output) {
        (None, _) => Ok(()),
        (Some((points, _)), Output16::Points { .. }) => {
            check_len(points_len(channels, shape.grid().points()), points.len())
        }
        (Some(_), Output16::Fields(_)) => {
            Err(Error::Conflict { name: "add", expected: "`None` where the output is fields" })
        }
    }
}

fn check_input(channels: usize, shape: &ConvShape, input: Input16<'_>) -> Result<(), Error> {
    let points = shape.grid().points();
    match input {
        Input16::Fields { values, .. } => check_len(product(&[channels, points]), values.len()),
        Input16::Points { points: values, .. } => {
            check_len(points_len(channels, points), values.len())
        }
    }
}

fn check_output(channels: usize, shape: &ConvShape, output: &Output16<'_>) -> Result<(), Error> {
    let points = shape.grid().points();
    match output {
        Output16::Fields(values) => check_len(product(&[channels, points]), values.len()),
        Output16::Points { points: values, .. } => {
            check_len(points_len(channels, points), values.len())
        }
    }
}
