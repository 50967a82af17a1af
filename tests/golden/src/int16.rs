//! A convolution in integers, and what a cotangent becomes on its way back.

use finescale::Error;
use finescale::layer::int16::{Conv16, Input16, Output16, points_len};
use finescale::layer::{ConvShape, Epilogue};

use crate::integers::{CHANNELS_MAX, WEIGHTS, words};

/// Most weights of a case.
const WEIGHTS_MAX: usize = 512;

/// Convolves `field` with bytes made from integers, and takes the result back as its own cotangent.
pub(crate) fn there_and_back(
    shape: ConvShape,
    field: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let too_long = Error::ScratchLength { values: scratch.len(), needed: usize::MAX };
    let (points, weights) = (shape.grid().points(), shape.weights_len());
    let mut bytes = [0_i8; WEIGHTS_MAX];
    let bytes = bytes.get_mut(..weights).ok_or(too_long)?;
    for (byte, word) in bytes.iter_mut().zip(words(WEIGHTS)) {
        *byte = (word >> 24) as i8 / 2;
    }
    let [forward_len, adjoint_len] = shape.int16_words();
    let mut words = [[0_u32; WEIGHTS_MAX]; 2];
    let [forward, adjoint] = &mut words;
    let forward = forward.get_mut(..forward_len).ok_or(too_long)?;
    let adjoint = adjoint.get_mut(..adjoint_len).ok_or(too_long)?;
    shape.pack_int16(bytes, forward, adjoint)?;
    let conv = Conv16::new(shape, forward, adjoint)?;

    let mut tensor = [[0_u32; 2]; 512];
    let tensor = tensor.get_mut(..points_len(shape.outputs(), points)).ok_or(too_long)?;
    let mut signs = [0; 256];
    let signs = signs.get_mut(..shape.signs_len()).ok_or(too_long)?;
    let scale = [1.5e-3; CHANNELS_MAX];
    let shift = [-0.25; CHANNELS_MAX];
    let epilogue = Epilogue {
        scale: scale.get(..shape.outputs()).ok_or(too_long)?,
        shift: shift.get(..shape.outputs()).ok_or(too_long)?,
        slope: 0.1,
    };
    let from = Input16::Fields { values: field, exponent: 1 };
    let to = Output16::Points { points: tensor, exponent: 2 };
    conv.forward(from, &epilogue, Some(signs), None, to, scratch)?;
    let from = Input16::Points { points: tensor, exponent: 2 };
    let to = Output16::Fields(field);
    conv.vjp(from, &epilogue, Some(signs), None, to, scratch)
}
