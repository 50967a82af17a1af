//! How a network's values share the caller's scratch.

use super::evaluate::signs_len;
use super::products::Products;
use crate::checked::{product, sum};
use crate::layer::int16::points_len;
use crate::model;
use crate::{Error, spectral};

/// Lengths of everything in the scratch, in values.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    /// Fields that the network sees.
    pub(crate) inputs: usize,
    /// Output channels; 0 without a network.
    pub(crate) outputs: usize,
    /// Fields of the last layer.
    output_len: usize,
    /// Signs of all activations, one bit each.
    signs: usize,
    /// Fields that the network sees, or the widest activation; or the factors of products.
    first: usize,
    /// The widest activation; two of them where they are int16 or where there are products.
    second: usize,
    /// Inputs of product layers whose factors are computed again.
    checkpoints: usize,
    /// Which layers multiply.
    pub(super) products: Products,
    /// What transforms and convolutions need.
    work: usize,
}

/// The scratch, in parts.
pub(crate) struct Scratch<'s> {
    /// Outputs of the last layer; between [`increment`](crate::predictor::Prepared::increment)
    /// and [`vjp`](crate::predictor::Prepared::vjp) the slopes of their bounds.
    pub(crate) outputs: &'s mut [f32],
    /// Which activations were below zero, layer after layer.
    pub(crate) signs: &'s mut [u8],
    /// Inputs of the network, and then every second activation in f32, or the factors of products.
    pub(crate) input: &'s mut [f32],
    /// The other activations; all of them where they are int16 or where there are products. Free
    /// before a forward pass and after it, at least for a frame.
    pub(crate) other: &'s mut [f32],
    /// See [`Products`].
    pub(crate) checkpoints: &'s mut [f32],
    /// For transforms and convolutions.
    pub(crate) work: &'s mut [f32],
}

impl Layout {
    /// Of a network; all zero without one.
    pub(crate) fn of(network: Option<&model::Network<'_>>) -> Self {
        let mut layout = Self::default();
        let Some(network) = network else { return layout };
        let (grid, int16) = (&network.sight.grid, network.int16());
        let (mut bytes, mut wide, mut points) = (0, 0, 0);
        for layer in network.layers().iter() {
            let shape = layer.shape;
            let output_len = product(&[layer.channels(), grid.points()]);
            wide = wide.max(shape.input_len()).max(output_len);
            let work = if int16 { shape.int16_scratch_len() } else { shape.scratch_len() };
            layout.work = layout.work.max(work);
            if layer.modulated {
                bytes = sum(&[bytes, signs_len(&layer)]);
                points = points.max(points_len(layer.channels(), grid.points()));
            } else {
                layout.outputs = shape.outputs();
                layout.output_len = shape.output_len();
            }
        }
        // A point of four int16 takes the room of two values.
        layout.products = Products::of(network, |channels| {
            let n = grid.points();
            if int16 { product(&[2, points_len(channels, n)]) } else { product(&[channels, n]) }
        });
        let frame = product(&[network.sight.channels, grid.points()]);
        layout.inputs = product(&[network.sight.fields(), grid.points()]);
        layout.signs = bytes.div_ceil(4);
        layout.work = layout.work.max(spectral::scratch_len(grid));
        (layout.first, layout.second) = if int16 {
            (layout.inputs, product(&[2, 2, points]))
        } else if layout.products.count > 0 {
            let inner = network.layers().iter().skip(1).map(|layer| layer.shape.input_len());
            (layout.inputs, product(&[2, inner.max().unwrap_or(0)]))
        } else {
            (wide, wide)
        };
        layout.first = layout.first.max(layout.products.factors_len());
        layout.second = layout.second.max(frame);
        layout.checkpoints = layout.products.checkpoints_len();
        layout
    }

    /// Values of scratch.
    pub(crate) const fn scratch_len(&self) -> usize {
        let kept = sum(&[self.signs, self.checkpoints]);
        sum(&[self.output_len, kept, self.first, self.second, self.work])
    }

    /// Takes the scratch apart.
    pub(crate) fn split<'s>(&self, scratch: &'s mut [f32]) -> Result<Scratch<'s>, Error> {
        let too_short = Error::ScratchLength { values: scratch.len(), needed: self.scratch_len() };
        let split = |scratch: &'s mut [f32], at| scratch.split_at_mut_checked(at).ok_or(too_short);
        let (outputs, rest) = split(scratch, self.output_len)?;
        let (signs, rest) = split(rest, self.signs)?;
        let (input, rest) = split(rest, self.first)?;
        let (other, rest) = split(rest, self.second)?;
        let (checkpoints, rest) = split(rest, self.checkpoints)?;
        let (work, _) = split(rest, self.work)?;
        // Bytes lie at any address and every word is four of them.
        let signs = bytemuck::try_cast_slice_mut(signs).map_err(|_| too_short)?;
        Ok(Scratch { outputs, signs, input, other, checkpoints, work })
    }
}
