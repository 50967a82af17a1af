//! Convolution with packed weights: forward and vector-Jacobian product.

use super::epilogue::Epilogue;
use super::kernel::{CodePath, Finish, Pass, PassSink, PassSource};
use super::shape::{ConvShape, check_len};
use super::weight::Weight;
use crate::Error;

/// A convolution: sizes, and weights packed by [`ConvShape::pack`], which are used in place.
///
/// Every output is a sum over ky, input channel, kx in this order, starting at zero, each product
/// rounded before it is added; a gradient is a sum over ky, output channel, kx from last to first.
/// Neither depends on the code path. Weights of eight bits become numbers as they are read; what a
/// byte stands for is part of [`Epilogue::scale`], so both directions have the bits of a
/// convolution with the bytes as `f32`.
#[derive(Clone, Copy, Debug)]
pub struct Conv<'a, W = f32> {
    shape: ConvShape,
    weights: &'a [W],
    path: CodePath,
}

impl<'a, W: Weight> Conv<'a, W> {
    /// A convolution on the fastest code path that this processor has.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are [`ConvShape::packed_len`] weights.
    pub fn new(shape: ConvShape, weights: &'a [W]) -> Result<Self, Error> {
        check_len(shape.packed_len(), weights.len())?;
        Ok(Self { shape, weights, path: CodePath::fastest() })
    }

    /// The same convolution on another code path; every path gives the same bits.
    pub const fn on(self, path: CodePath) -> Self {
        Self { path, ..self }
    }

    /// Its sizes.
    pub const fn shape(&self) -> &ConvShape {
        &self.shape
    }

    /// `output` = epilogue(weights ∗ `input`) + `add`.
    ///
    /// `input`: `[in][y][x]`; `output` and `add`: `[out][y][x]`; `signs`: where given,
    /// [`ConvShape::signs_len`] bytes that keep for [`Conv::vjp`] on which side of zero the
    /// activation was, bit i of byte j for value 8 j + i, set below zero. `scratch`:
    /// [`ConvShape::scratch_len`].
    ///
    /// Error of a sum: at most n · 6e-8 times the sum of the n products' absolute values, n = taps²
    /// · inputs.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`], [`Error::ScratchLength`]; [`Error::Parameter`] if the slope is
    /// not finite.
    pub fn forward(
        &self,
        input: &[f32],
        epilogue: &Epilogue<'_>,
        signs: Option<&mut [u8]>,
        add: Option<&[f32]>,
        output: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let shape = &self.shape;
        epilogue.check(shape)?;
        check_len(shape.input_len(), input.len())?;
        check_len(shape.output_len(), output.len())?;
        if let Some(add) = add {
            check_len(shape.output_len(), add.len())?;
        }
        if let Some(signs) = &signs {
            check_len(shape.signs_len(), signs.len())?;
        }
        let pass = Pass {
            shape,
            weights: self.weights,
            source: PassSource { values: input, epilogue: None, signs: None },
            output: PassSink {
                values: output,
                finish: Finish { epilogue: Some(epilogue), signs, add },
            },
            scratch: self.scratch(scratch)?,
        };
        W::forward(self.path, pass);
        Ok(())
    }

    /// Vector-Jacobian product with respect to the input: `gradient` = weightsᵀ ∗ (epilogue′ ·
    /// `cotangent`) + `add`.
    ///
    /// `cotangent`: `[out][y][x]`; `gradient` and `add`: `[in][y][x]`; `signs`: what
    /// [`Conv::forward`] kept, `None` where the slope is 1. Where the output had the input added to
    /// it, `add` is the cotangent. Error: as that of `forward`.
    ///
    /// # Errors
    /// As [`Conv::forward`]; [`Error::Parameter`] if the slope is not 1 and there are no signs.
    pub fn vjp(
        &self,
        cotangent: &[f32],
        epilogue: &Epilogue<'_>,
        signs: Option<&[u8]>,
        add: Option<&[f32]>,
        gradient: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let shape = &self.shape;
        epilogue.check(shape)?;
        check_len(shape.output_len(), cotangent.len())?;
        check_len(shape.input_len(), gradient.len())?;
        if let Some(add) = add {
            check_len(shape.input_len(), add.len())?;
        }
        match signs {
            Some(signs) => check_len(shape.signs_len(), signs.len())?,
            None => {
                let linear = epilogue.slope == 1.0;
                Error::check("slope", epilogue.slope, linear, "1 where no signs were kept")?;
            }
        }
        let pass = Pass {
            shape,
            weights: self.weights,
            source: PassSource { values: cotangent, epilogue: Some(epilogue), signs },
            output: PassSink {
                values: gradient,
                finish: Finish { epilogue: None, signs: None, add },
            },
            scratch: self.scratch(scratch)?,
        };
        W::vjp(self.path, pass);
        Ok(())
    }

    fn scratch<'s>(&self, scratch: &'s mut [f32]) -> Result<&'s mut [f32], Error> {
        let (values, needed) = (scratch.len(), self.shape.scratch_len());
        scratch.get_mut(..needed).ok_or(Error::ScratchLength { values, needed })
    }
}
