//! A convolution in f32, and what a cotangent becomes on its way back.

use finescale::Error;
use finescale::layer::{Conv, ConvShape, Epilogue};

use crate::integers::{CHANNELS_MAX, WEIGHTS, words};

/// Most packed weights of a case.
const WEIGHTS_MAX: usize = 640;

/// Most values of an output.
const OUTPUT_MAX: usize = 2048;

/// Convolves `field` with weights made from integers, and takes the result back as its own
/// cotangent.
pub(crate) fn there_and_back(
    shape: ConvShape,
    field: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let too_long = Error::ScratchLength { values: scratch.len(), needed: usize::MAX };
    let mut plain = [0.0; WEIGHTS_MAX];
    let plain = plain.get_mut(..shape.weights_len()).ok_or(too_long)?;
    for (weight, word) in plain.iter_mut().zip(words(WEIGHTS)) {
        // Twenty-four bits: every product is rounded.
        *weight = (word >> 8) as f32 / 16_777_216.0 - 0.5;
    }
    let mut packed = [0.0; WEIGHTS_MAX];
    let packed = packed.get_mut(..shape.packed_len()).ok_or(too_long)?;
    shape.pack(plain, packed)?;
    let conv = Conv::new(shape, packed)?;

    let mut output = [0.0; OUTPUT_MAX];
    let output = output.get_mut(..shape.output_len()).ok_or(too_long)?;
    let mut signs = [0; OUTPUT_MAX / 8];
    let signs = signs.get_mut(..shape.signs_len()).ok_or(too_long)?;
    let scale = [0.3; CHANNELS_MAX];
    let shift = [-0.25; CHANNELS_MAX];
    let epilogue = Epilogue {
        scale: scale.get(..shape.outputs()).ok_or(too_long)?,
        shift: shift.get(..shape.outputs()).ok_or(too_long)?,
        slope: 0.1,
    };
    conv.forward(field, &epilogue, Some(signs), None, output, scratch)?;
    conv.vjp(output, &epilogue, Some(signs), None, field, scratch)
}
