//! The layers of a model, evaluated and differentiated.

use super::film;
use super::layout::Scratch;
use crate::Error;
use crate::checked::{self, OrBug, Place, product, sum};
use crate::layer::{Conv, Epilogue, SLOPE};
use crate::model::{Activations, Film, Float, Layer, Layers, Model};

/// A network at one λ.
#[derive(Debug)]
pub(super) struct Network<'a> {
    activations: Activations<'a>,
    film: Film<'a>,
    /// Epilogues' scales of all channels, then shifts of all channels: first of the modulated
    /// layers, then of the last.
    pub(super) modulated: &'a mut [f32],
    last: &'a mut [f32],
    /// Bytes of the signs of all activations; words of the scratch hold them, which may be more.
    signs: usize,
}

impl<'a> Network<'a> {
    /// Values of memory: a factor and a shift for each output channel of every layer.
    pub(super) fn memory_len(model: &Model<'_>) -> usize {
        let channels = model.layers().iter().map(|layer| layer.shape.outputs());
        product(&[2, channels.fold(0, |all, outputs| sum(&[all, outputs]))])
    }

    /// `None` without a network. `memory`: [`Network::memory_len`] values.
    pub(super) fn new(model: &Model<'a>, memory: &'a mut [f32]) -> Option<Self> {
        let crate::model::Network { film, activations } = model.network()?;
        let (modulated, last) = memory.split_at_mut_checked(film.bias.len()).or_bug();
        let active = model.layers().iter().filter(|layer| layer.active);
        let signs = active.fold(0, |all, layer| sum(&[all, layer.shape.signs_len()]));
        Some(Self { activations, film, modulated, last, signs })
    }

    /// Sets the epilogues for λ: bias, modulation and the multipliers of bytes in one factor and
    /// one shift.
    pub(super) fn modulate(&mut self, lambda: f32) {
        film::modulate(&self.film, lambda, self.modulated);
        let (factors, shifts) = halves(self.modulated);
        let mut modulation = checked::zip(factors, shifts);
        let (last_factors, last_shifts) = halves(self.last);
        for layer in self.activations.layers().iter() {
            let multipliers = layer.weights.multipliers().iter().chain(core::iter::repeat(&1.0));
            let constants = layer.bias.iter().zip(multipliers);
            if layer.active {
                let channels = (&mut modulation).take(layer.shape.outputs());
                for ((factor, shift), (bias, multiplier)) in channels.zip(constants) {
                    *factor += 1.0;
                    *shift += *factor * bias;
                    *factor *= multiplier;
                }
            } else {
                let channels = checked::zip(&mut *last_factors, &mut *last_shifts);
                for ((factor, shift), (bias, multiplier)) in channels.zip(constants) {
                    *factor = *multiplier;
                    *shift = *bias;
                }
            }
        }
    }

    /// `scratch.input` to `scratch.outputs`; keeps signs.
    pub(super) fn forward(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        match &self.activations {
            Activations::Float(layers) => self.forward_float(layers, scratch),
            Activations::Int16(layers) => self.forward_int16(layers, scratch),
        }
    }

    /// The cotangent of `scratch.outputs`, there, to that of the inputs, in `scratch.input`.
    pub(super) fn vjp(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        match &self.activations {
            Activations::Float(layers) => self.vjp_float(layers, scratch),
            Activations::Int16(layers) => self.vjp_int16(layers, scratch),
        }
    }

    fn forward_float(
        &self,
        layers: &Layers<'a, Float<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, work } = scratch;
        let (mut from, mut to): (&mut [f32], &mut [f32]) = (input, other);
        let mut signs: &mut [u8] = signs;
        let mut channel = 0;
        for layer in layers.iter() {
            let (shape, epilogue) = (layer.shape, self.epilogue(&layer, channel));
            let x = from.get(..shape.input_len()).or_bug();
            if layer.active {
                let (kept, rest) = signs.split_at_mut_checked(shape.signs_len()).or_bug();
                let y = to.get_mut(..shape.output_len()).or_bug();
                run(&layer, x, &epilogue, Some(kept), layer.residual.then_some(x), y, work)?;
                channel = channel.plus(shape.outputs());
                signs = rest;
                core::mem::swap(&mut from, &mut to);
            } else {
                run(&layer, x, &epilogue, None, None, outputs, work)?;
            }
        }
        Ok(())
    }

    fn vjp_float(
        &self,
        layers: &Layers<'a, Float<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, work } = scratch;
        // The first layer, the last one here, must write to `input`.
        let (mut to, mut from): (&mut [f32], &mut [f32]) =
            if layers.len() % 2 == 1 { (input, other) } else { (other, input) };
        let mut kept = Kept::new(self, signs);
        for layer in layers.iter().rev() {
            let shape = layer.shape;
            let gradient = to.get_mut(..shape.input_len()).or_bug();
            let (channel, signs) = kept.of(&layer);
            let epilogue = self.epilogue(&layer, channel);
            if layer.active {
                let v = from.get(..shape.output_len()).or_bug();
                let add = layer.residual.then_some(v);
                pull_back(&layer, v, &epilogue, signs, add, gradient, work)?;
            } else {
                pull_back(&layer, outputs, &epilogue, signs, None, gradient, work)?;
            }
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }

    /// Of a layer whose first channel is `channel` of all that are modulated.
    pub(super) fn epilogue<W>(&self, layer: &Layer<'_, W>, channel: usize) -> Epilogue<'_> {
        let (values, slope, channel): (&[f32], f32, usize) =
            if layer.active { (self.modulated, SLOPE, channel) } else { (self.last, 1.0, 0) };
        let (scales, shifts) = values.split_at_checked(values.len() / 2).or_bug();
        let range = channel..channel.plus(layer.shape.outputs());
        let (scale, shift) = (scales.get(range.clone()).or_bug(), shifts.get(range).or_bug());
        Epilogue { scale, shift, slope }
    }
}

/// What the layers have kept, handed out from the last layer to the first.
pub(super) struct Kept<'s> {
    channel: usize,
    signs: &'s [u8],
}

impl<'s> Kept<'s> {
    pub(super) fn new(network: &Network<'_>, signs: &'s [u8]) -> Self {
        let signs = signs.get(..network.signs).or_bug();
        Self { channel: network.modulated.len() / 2, signs }
    }

    /// The first channel of the layer before those of the last call, and its signs where it has
    /// kept them.
    pub(super) fn of<W>(&mut self, layer: &Layer<'_, W>) -> (usize, Option<&'s [u8]>) {
        if !layer.active {
            return (self.channel, None);
        }
        self.channel = self.channel.minus(layer.shape.outputs());
        let behind = self.signs.len().minus(layer.shape.signs_len());
        let (rest, signs) = self.signs.split_at_checked(behind).or_bug();
        self.signs = rest;
        (self.channel, Some(signs))
    }
}

fn halves(values: &mut [f32]) -> (&mut [f32], &mut [f32]) {
    let half = values.len() / 2;
    values.split_at_mut_checked(half).or_bug()
}

fn run(
    layer: &Layer<'_, Float<'_>>,
    input: &[f32],
    epilogue: &Epilogue<'_>,
    signs: Option<&mut [u8]>,
    add: Option<&[f32]>,
    output: &mut [f32],
    work: &mut [f32],
) -> Result<(), Error> {
    match layer.weights {
        Float::F32(weights) => {
            Conv::new(layer.shape, weights)?.forward(input, epilogue, signs, add, output, work)
        }
        Float::I8 { weights, .. } => {
            Conv::new(layer.shape, weights)?.forward(input, epilogue, signs, add, output, work)
        }
    }
}

fn pull_back(
    layer: &Layer<'_, Float<'_>>,
    cotangent: &[f32],
    epilogue: &Epilogue<'_>,
    signs: Option<&[u8]>,
    add: Option<&[f32]>,
    gradient: &mut [f32],
    work: &mut [f32],
) -> Result<(), Error> {
    match layer.weights {
        Float::F32(weights) => {
            Conv::new(layer.shape, weights)?.vjp(cotangent, epilogue, signs, add, gradient, work)
        }
        Float::I8 { weights, .. } => {
            Conv::new(layer.shape, weights)?.vjp(cotangent, epilogue, signs, add, gradient, work)
        }
    }
}
