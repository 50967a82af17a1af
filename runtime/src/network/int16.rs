//! The layers of a model whose activations are int16.

use super::evaluate::{Kept, Network, signs_len};
use super::layout::Scratch;
use super::probe::Pass;
use super::products::Products;
use crate::Error;
use crate::checked::{self, OrBug, Place};
use crate::layer::int16::{
    Conv16, Input16, Output16, Point, exponent, multiply16, multiply16_vjp, points_len,
};
use crate::model::{Activation, Int16, Layer, Layers};

impl<'a> Network<'a> {
    /// `scratch.input` to `scratch.outputs`; keeps signs and factors.
    pub(super) fn forward_int16(
        &self,
        layers: &Layers<'a, Int16<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, checkpoints, work } = scratch;
        let products = &self.products;
        let (mut from, mut to) = tensors(other);
        let mut signs: &mut [u8] = signs;
        let mut channel = 0;
        let mut layers = checked::counted(layers.iter()).peekable();
        while let Some((n, layer)) = layers.next() {
            let (shape, points) = (layer.shape, layer.shape.grid().points());
            let scale = layer.input_exponent();
            let epilogue = self.epilogue(&layer, channel);
            channel = channel.plus(shape.outputs());
            let next = layers.peek().map(|(_, next)| next.input_exponent());
            let h = from.get_mut(..points_len(shape.inputs(), points)).unwrap_or_default();
            if let (Activation::Product, Some(next)) = (layer.activation, next) {
                if let Some(place) = products.checkpoint(n) {
                    let kept = as_points(checkpoints.get_mut(place).or_bug());
                    checked::zip(kept, &*h).for_each(|(to, from)| *to = *from);
                }
                let factors = as_points(input.get_mut(products.factors(n)).or_bug());
                self.factors(&layer, channel, h, factors, work)?;
                multiply16(factors, layer.factor_exponent(), h, scale, next)?;
                self.probe.layer(Pass::Forward, n);
                continue;
            }
            let x = if n == 0 {
                let values = input.get(..shape.input_len()).or_bug();
                Input16::Fields { values, exponent: scale }
            } else {
                Input16::Points { points: h, exponent: scale }
            };
            let (kept, rest) = signs.split_at_mut_checked(signs_len(&layer)).or_bug();
            signs = rest;
            let kept = (!kept.is_empty()).then_some(kept);
            if let Some(exponent) = next {
                let y = to.get_mut(..points_len(shape.outputs(), points)).or_bug();
                let y = Output16::Points { points: y, exponent };
                let add = layer.residual.then_some((&*h, scale));
                conv(&layer)?.forward(x, &epilogue, kept, add, y, work)?;
            } else {
                conv(&layer)?.forward(x, &epilogue, None, None, Output16::Fields(outputs), work)?;
            }
            self.probe.layer(Pass::Forward, n);
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }

    /// The cotangent of `scratch.outputs`, there, to that of the inputs, in `scratch.input`.
    pub(super) fn vjp_int16(
        &self,
        layers: &Layers<'a, Int16<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, checkpoints, work } = scratch;
        let largest = outputs.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        if largest == 0.0 {
            input.fill(0.0);
            return Ok(());
        }
        let products = &self.products;
        // Bounds are of gradients for a cotangent of one; the product is linear in it.
        let unit = exponent(largest);
        let (mut from, mut to) = tensors(other);
        let mut kept = Kept::new(self, signs);
        let mut scale = unit;
        for n in (0..layers.len()).rev() {
            let Some(layer) = layers.get(n) else { break };
            let (shape, points) = (layer.shape, layer.shape.grid().points());
            let (channel, signs) = kept.of(&layer);
            let epilogue = self.epilogue(&layer, channel);
            let came = scale;
            scale = unit.plus(layer.gradient_exponent());
            if layer.activation == Activation::Product
                && let Some(lost) = products.lost(n)
            {
                self.recompute_int16(layers, lost, to, input, checkpoints, work)?;
            }
            if layer.activation == Activation::Product {
                let v = from.get(..points_len(shape.inputs(), points)).or_bug();
                let factors = as_points(input.get_mut(products.factors(n)).or_bug());
                multiply16_vjp(factors, v)?;
                let exponent = came.plus(layer.factor_exponent());
                let cotangent = Input16::Points { points: factors, exponent };
                let gradient = Output16::Points {
                    points: to.get_mut(..points_len(shape.inputs(), points)).or_bug(),
                    exponent: scale,
                };
                let add = Some((v, came));
                conv(&layer)?.vjp(cotangent, &epilogue, None, add, gradient, work)?;
            } else {
                let v = from.get(..points_len(shape.outputs(), points)).unwrap_or_default();
                let cotangent = if layer.modulated {
                    Input16::Points { points: v, exponent: came }
                } else {
                    Input16::Fields { values: outputs, exponent: came }
                };
                let gradient = if n > 0 {
                    let points = to.get_mut(..points_len(shape.inputs(), points)).or_bug();
                    Output16::Points { points, exponent: scale }
                } else {
                    Output16::Fields(input.get_mut(..shape.input_len()).or_bug())
                };
                let add = layer.residual.then_some((v, came));
                conv(&layer)?.vjp(cotangent, &epilogue, signs, add, gradient, work)?;
            }
            self.probe.layer(Pass::Backward, n);
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }

    /// Computes the factors of a run of products again.
    fn recompute_int16(
        &self,
        layers: &Layers<'a, Int16<'a>>,
        run: core::ops::Range<usize>,
        values: &mut [Point],
        factors: &mut [f32],
        checkpoints: &mut [f32],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let products = &self.products;
        let checkpoint = products.checkpoint(run.start).or_bug();
        let checkpoint = as_points(checkpoints.get_mut(checkpoint).or_bug());
        let values = values.get_mut(..checkpoint.len()).or_bug();
        checked::zip(&mut *values, &*checkpoint).for_each(|(to, from)| *to = *from);
        let last = run.end.minus(1);
        for n in run {
            let (Some(layer), next) = (layers.get(n), layers.get(n.plus(1))) else { break };
            let factors = as_points(factors.get_mut(products.factors(n)).or_bug());
            self.factors(&layer, products.channel_behind(n), values, factors, work)?;
            if let Some(next) = next.filter(|_| n < last) {
                let (from, to) = (layer.input_exponent(), next.input_exponent());
                multiply16(factors, layer.factor_exponent(), values, from, to)?;
            }
            self.probe.layer(Pass::Again, n);
        }
        Ok(())
    }

    /// The factors of a layer's products; `behind` is the first channel of the next layer.
    fn factors(
        &self,
        layer: &Layer<'a, Int16<'a>>,
        behind: usize,
        values: &[Point],
        factors: &mut [Point],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let epilogue = self.epilogue(layer, behind.minus(layer.shape.outputs()));
        let x = Input16::Points { points: values, exponent: layer.input_exponent() };
        let y = Output16::Points { points: factors, exponent: Products::EXPONENT };
        conv(layer)?.forward(x, &epilogue, None, None, y, work)
    }
}

/// Two tensors in the room of the activations.
fn tensors(values: &mut [f32]) -> (&mut [Point], &mut [Point]) {
    let points = as_points(values);
    let half = points.len() / 2;
    points.split_at_mut_checked(half).or_bug()
}

fn as_points(values: &mut [f32]) -> &mut [Point] {
    bytemuck::must_cast_slice_mut::<f32, u32>(values).as_chunks_mut().0
}

fn conv<'a>(layer: &Layer<'a, Int16<'a>>) -> Result<Conv16<'a>, Error> {
    let [forward, adjoint] = layer.weights.words;
    Conv16::new(layer.shape, forward, adjoint)
}
