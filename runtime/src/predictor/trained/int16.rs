//! The layers of a model whose activations are int16.

use super::layout::Scratch;
use super::network::{Kept, Network};
use crate::Error;
use crate::checked::{OrBug, Place};
use crate::layer::int16::{Conv16, Input16, Output16, Point, exponent, points_len};
use crate::model::{Int16, Layer, Layers};

/// What calibration may have missed: values beyond 1.25 times the largest that it saw may saturate.
const HEADROOM: f32 = 1.25;

impl<'a> Network<'a> {
    /// `scratch.input` to `scratch.outputs`; keeps signs.
    pub(super) fn forward_int16(
        &self,
        layers: &Layers<'a, Int16<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, work } = scratch;
        let (mut from, mut to) = tensors(other);
        let mut signs: &mut [u8] = signs;
        let mut channel = 0;
        let mut layers = layers.iter().peekable();
        let mut first = true;
        while let Some(layer) = layers.next() {
            let (shape, points) = (layer.shape, layer.shape.grid().points());
            let scale = exponent(HEADROOM * layer.input_bound);
            let x = if first {
                let values = input.get(..shape.input_len()).or_bug();
                Input16::Fields { values, exponent: scale }
            } else {
                let points = from.get(..points_len(shape.inputs(), points)).or_bug();
                Input16::Points { points, exponent: scale }
            };
            let epilogue = self.epilogue(&layer, channel);
            if let Some(next) = layers.peek() {
                let y = Output16::Points {
                    points: to.get_mut(..points_len(shape.outputs(), points)).or_bug(),
                    exponent: exponent(HEADROOM * next.input_bound),
                };
                let (kept, rest) = signs.split_at_mut_checked(shape.signs_len()).or_bug();
                conv(&layer)?.forward(x, &epilogue, Some(kept), layer.residual, y, work)?;
                signs = rest;
            } else {
                let y = Output16::Fields(outputs);
                conv(&layer)?.forward(x, &epilogue, None, layer.residual, y, work)?;
            }
            channel = channel.plus(shape.outputs());
            core::mem::swap(&mut from, &mut to);
            first = false;
        }
        Ok(())
    }

    /// The cotangent of `scratch.outputs`, there, to that of the inputs, in `scratch.input`.
    pub(super) fn vjp_int16(
        &self,
        layers: &Layers<'a, Int16<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, work } = scratch;
        let largest = outputs.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        if largest == 0.0 {
            input.fill(0.0);
            return Ok(());
        }
        // Bounds are of gradients for a cotangent of one; the product is linear in it.
        let unit = exponent(largest);
        let (mut from, mut to) = tensors(other);
        let mut kept = Kept::new(self, signs);
        let mut scale = unit;
        let mut layers = layers.iter().rev().peekable();
        while let Some(layer) = layers.next() {
            let (shape, points) = (layer.shape, layer.shape.grid().points());
            let v = if layer.active {
                let points = from.get(..points_len(shape.outputs(), points)).or_bug();
                Input16::Points { points, exponent: scale }
            } else {
                Input16::Fields { values: outputs, exponent: scale }
            };
            scale = unit.plus(exponent(HEADROOM * layer.gradient_bound));
            let gradient = if layers.peek().is_some() {
                let points = to.get_mut(..points_len(shape.inputs(), points)).or_bug();
                Output16::Points { points, exponent: scale }
            } else {
                Output16::Fields(input.get_mut(..shape.input_len()).or_bug())
            };
            let (channel, signs) = kept.of(&layer);
            let epilogue = self.epilogue(&layer, channel);
            conv(&layer)?.vjp(v, &epilogue, signs, layer.residual, gradient, work)?;
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }
}

/// Two tensors in the room of the activations.
fn tensors(values: &mut [f32]) -> (&mut [Point], &mut [Point]) {
    let (points, _) = bytemuck::must_cast_slice_mut::<f32, u32>(values).as_chunks_mut();
    let half = points.len() / 2;
    points.split_at_mut_checked(half).or_bug()
}

fn conv<'a>(layer: &Layer<'a, Int16<'a>>) -> Result<Conv16<'a>, Error> {
    let [forward, adjoint] = layer.weights.words;
    Conv16::new(layer.shape, forward, adjoint)
}
