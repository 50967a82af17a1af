//! The layers of a model whose activations are int16.

use super::layout::Scratch;
use super::network::Network;
use crate::Error;
use crate::layer::int16::{Conv16, Input, Output, Point, exponent, points_len};
use crate::model::{Layer, Weights};

/// What calibration may have missed: values beyond 1.25 times the largest that it saw may saturate.
const HEADROOM: f32 = 1.25;

impl Network<'_> {
    /// `scratch.input` to `scratch.outputs`; keeps signs.
    pub(super) fn forward_int16(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, work } = scratch;
        let (mut from, mut to) = tensors(other);
        let mut signs: &mut [u8] = signs;
        let mut channel = 0;
        let mut layers = self.layers.iter().peekable();
        let mut first = true;
        while let Some(layer) = layers.next() {
            let (shape, points) = (layer.shape, layer.shape.grid().points());
            let scale = exponent(HEADROOM * layer.input_bound);
            let values = input.get(..shape.input_len()).unwrap_or_default();
            let x = if first {
                Input::Fields { values, exponent: scale }
            } else {
                let points = from.get(..points_len(shape.inputs(), points)).unwrap_or_default();
                Input::Points { points, exponent: scale }
            };
            let epilogue = self.epilogue(&layer, channel);
            let Some(next) = layers.peek() else {
                let y = Output::Fields(outputs);
                return conv(&layer)?.forward(x, &epilogue, None, false, y, work);
            };
            let y = Output::Points {
                points: to.get_mut(..points_len(shape.outputs(), points)).unwrap_or_default(),
                exponent: exponent(HEADROOM * next.input_bound),
            };
            let (kept, rest) = signs.split_at_mut_checked(shape.signs_len()).unwrap_or_default();
            conv(&layer)?.forward(x, &epilogue, Some(kept), layer.residual, y, work)?;
            channel += shape.outputs();
            signs = rest;
            core::mem::swap(&mut from, &mut to);
            first = false;
        }
        Ok(())
    }

    /// The cotangent of `scratch.outputs`, there, to that of the inputs, in `scratch.input`.
    pub(super) fn vjp_int16(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, work } = scratch;
        let largest = outputs.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        if largest == 0.0 {
            input.fill(0.0);
            return Ok(());
        }
        // Bounds are of gradients for a cotangent of one; the product is linear in it.
        let unit = exponent(largest);
        let (mut from, mut to) = tensors(other);
        let used: usize =
            self.layers.iter().filter(|layer| layer.active).map(|l| l.shape.signs_len()).sum();
        let mut signs: &[u8] = signs.get(..used).unwrap_or_default();
        let mut channel = self.modulated.len() / 2;
        let mut scale = unit;
        for n in (0..self.layers.len()).rev() {
            let Some(layer) = self.layers.get(n) else { break };
            let (shape, points) = (layer.shape, layer.shape.grid().points());
            let v = if layer.active {
                let points = from.get(..points_len(shape.outputs(), points)).unwrap_or_default();
                Input::Points { points, exponent: scale }
            } else {
                Input::Fields { values: outputs, exponent: scale }
            };
            scale = unit + exponent(HEADROOM * layer.gradient_bound);
            let gradient = if n == 0 {
                Output::Fields(input.get_mut(..shape.input_len()).unwrap_or_default())
            } else {
                let points = to.get_mut(..points_len(shape.inputs(), points)).unwrap_or_default();
                Output::Points { points, exponent: scale }
            };
            let kept = if layer.active {
                channel = channel.saturating_sub(shape.outputs());
                let behind = signs.len().saturating_sub(shape.signs_len());
                let (rest, kept) = signs.split_at_checked(behind).unwrap_or_default();
                signs = rest;
                Some(kept)
            } else {
                None
            };
            let epilogue = self.epilogue(&layer, channel);
            conv(&layer)?.vjp(v, &epilogue, kept, layer.residual, gradient, work)?;
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }
}

/// Two tensors in the room of the activations.
fn tensors(values: &mut [f32]) -> (&mut [Point], &mut [Point]) {
    let (points, _) = bytemuck::must_cast_slice_mut::<f32, u32>(values).as_chunks_mut();
    let half = points.len() / 2;
    points.split_at_mut_checked(half).unwrap_or_default()
}

fn conv<'a>(layer: &Layer<'a>) -> Result<Conv16<'a>, Error> {
    match layer.weights {
        Weights::Int16 { words: [forward, adjoint], .. } => {
            Conv16::new(layer.shape, forward, adjoint)
        }
        // No file has both: see `model::parse`.
        _ => Conv16::new(layer.shape, &[], &[]),
    }
}
