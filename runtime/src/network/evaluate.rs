//! The layers of a network, evaluated and differentiated.

use super::film;
use super::layout::{Layout, Scratch};
use super::probe::{Pass, Probe, Probed};
use super::products::Products;
use crate::Error;
use crate::checked::{self, OrBug, Place, bug, product, sum};
use crate::layer::int16::power_of_two;
use crate::layer::{Conv, Epilogue, SLOPE, multiply, multiply_vjp};
use crate::model::{self, Activation, Activations, Film, Float, Layer, Layers};

/// The kinds of weights that the crate is built with. The parser refuses a model of another kind,
/// so that what computes with it need not be linked.
const F32: bool = cfg!(feature = "f32");
const INT8: bool = cfg!(feature = "int8");
const INT16: bool = cfg!(feature = "int16");
/// Kinds whose activations are f32.
const FLOAT: bool = F32 || INT8;

/// What a model of a kind that the parser has refused would do.
fn not_compiled() -> Result<(), Error> {
    bug();
    Ok(())
}

/// A network at one λ.
#[derive(Debug)]
pub(crate) struct Network<'a> {
    activations: Activations<'a>,
    film: Option<Film<'a>>,
    /// Epilogues' scales of all channels, then shifts of all channels: first of the modulated
    /// layers, then of the last.
    pub(super) modulated: &'a mut [f32],
    last: &'a mut [f32],
    /// Bytes of the signs of all activations; words of the scratch hold them, which may be more.
    signs: usize,
    /// The layers that multiply.
    pub(super) products: Products,
    pub(super) probe: Probed<'a>,
}

impl<'a> Network<'a> {
    /// Values of memory: a factor and a shift for each output channel of every layer.
    pub(crate) fn memory_len(network: &model::Network<'_>) -> usize {
        let channels = network.layers().iter().map(|layer| layer.shape.outputs());
        product(&[2, channels.fold(0, |all, outputs| sum(&[all, outputs]))])
    }

    /// `memory`: [`Network::memory_len`] values.
    pub(crate) fn new(
        network: &model::Network<'a>,
        layout: &Layout,
        memory: &'a mut [f32],
    ) -> Self {
        let model::Network { film, activations, .. } = *network;
        let (mut last, mut signs) = (0, 0);
        for layer in network.layers().iter() {
            last = if layer.modulated { 0 } else { product(&[2, layer.shape.outputs()]) };
            signs = sum(&[signs, signs_len(&layer)]);
        }
        let modulated = memory.len().saturating_sub(last);
        let (modulated, last) = memory.split_at_mut_checked(modulated).or_bug();
        let (products, probe) = (layout.products, Probed::default());
        Self { activations, film, modulated, last, signs, products, probe }
    }

    /// Tells `probe` of every layer.
    pub(crate) fn probed(&mut self, probe: &'a dyn Probe) {
        self.probe = Probed(Some(probe));
    }

    /// Sets the epilogues for λ: bias, modulation and the multipliers of bytes in one factor and
    /// one shift.
    pub(crate) fn modulate(&mut self, lambda: f32) {
        match &self.film {
            Some(film) => film::modulate(film, lambda, self.modulated),
            None => self.modulated.fill(0.0),
        }
        let (factors, shifts) = halves(self.modulated);
        let mut modulation = checked::zip(factors, shifts);
        let (last_factors, last_shifts) = halves(self.last);
        for layer in self.activations.layers().iter() {
            let multipliers = layer.weights.multipliers().iter().chain(core::iter::repeat(&1.0));
            let constants = checked::counted(layer.bias.iter().zip(multipliers));
            let p_unit = if layer.weights.int16() { p_unit(&layer) } else { 1.0 };
            if layer.modulated {
                let channels = (&mut modulation).take(layer.shape.outputs());
                for ((factor, shift), (n, (bias, multiplier))) in channels.zip(constants) {
                    *factor += 1.0;
                    *shift += *factor * bias;
                    *factor *= multiplier;
                    if n < layer.channels() {
                        *factor *= p_unit;
                        *shift *= p_unit;
                    }
                }
            } else {
                let channels = checked::zip(&mut *last_factors, &mut *last_shifts);
                for ((factor, shift), (_, (bias, multiplier))) in channels.zip(constants) {
                    *factor = *multiplier;
                    *shift = *bias;
                }
            }
        }
    }

    /// `scratch.input` to `scratch.outputs`; keeps signs and factors.
    pub(crate) fn forward(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        match &self.activations {
            Activations::Float(layers) if FLOAT => self.forward_float(layers, scratch),
            Activations::Int16(layers) if INT16 => self.forward_int16(layers, scratch),
            _ => not_compiled(),
        }
    }

    /// The cotangent of `scratch.outputs`, there, to that of the inputs, in `scratch.input`.
    pub(crate) fn vjp(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        match &self.activations {
            Activations::Float(layers) if FLOAT => self.vjp_float(layers, scratch),
            Activations::Int16(layers) if INT16 => self.vjp_int16(layers, scratch),
            _ => not_compiled(),
        }
    }

    fn forward_float(
        &self,
        layers: &Layers<'a, Float<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, checkpoints, work } = scratch;
        let products = &self.products;
        let mut signs: &mut [u8] = signs;
        let mut channel = 0;
        let mut layers = checked::counted(layers.iter());
        let Some((_, first)) = layers.next() else { return Ok(()) };
        // The first layer reads `input`, which is then free: for every second activation, or for
        // the factors of products.
        let (mut from, spare) = rooms(products, other);
        {
            let x = input.get(..first.shape.input_len()).or_bug();
            let y = from.get_mut(..first.shape.output_len()).or_bug();
            let (kept, rest) = signs.split_at_mut_checked(signs_len(&first)).or_bug();
            run(&first, x, &self.epilogue(&first, channel), Some(kept), None, y, work)?;
            (signs, channel) = (rest, channel.plus(first.shape.outputs()));
            self.probe.layer(Pass::Forward, 0);
        }
        let (mut to, factors): (&mut [f32], &mut [f32]) =
            if products.count > 0 { (spare, input) } else { (input, &mut []) };
        for (n, layer) in layers {
            let (shape, epilogue) = (layer.shape, self.epilogue(&layer, channel));
            let x = from.get_mut(..shape.input_len()).or_bug();
            if layer.activation == Activation::Product {
                if let Some(place) = products.checkpoint(n) {
                    let checkpoint = checkpoints.get_mut(place).or_bug();
                    checked::zip(checkpoint, &*x).for_each(|(to, from)| *to = *from);
                }
                let factors = factors.get_mut(products.factors(n)).or_bug();
                run(&layer, x, &epilogue, None, None, factors, work)?;
                multiply(factors, x)?;
            } else if layer.modulated {
                let (kept, rest) = signs.split_at_mut_checked(signs_len(&layer)).or_bug();
                let y = to.get_mut(..shape.output_len()).or_bug();
                let add = layer.residual.then_some(&*x);
                run(&layer, x, &epilogue, Some(kept), add, y, work)?;
                signs = rest;
                core::mem::swap(&mut from, &mut to);
            } else {
                run(&layer, x, &epilogue, None, None, outputs, work)?;
            }
            self.probe.layer(Pass::Forward, n);
            channel = channel.plus(shape.outputs());
        }
        Ok(())
    }

    fn vjp_float(
        &self,
        layers: &Layers<'a, Float<'a>>,
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Scratch { outputs, signs, input, other, checkpoints, work } = scratch;
        let products = &self.products;
        let mut kept = Kept::new(self, signs);
        let (one, spare) = rooms(products, other);
        // The first layer, the last one here, must write to `input`.
        let (mut to, mut from, factors): (&mut [f32], &mut [f32], &mut [f32]) =
            if products.count > 0 {
                (one, spare, input)
            } else if layers.len() % 2 == 1 {
                (input, one, &mut [])
            } else {
                (one, input, &mut [])
            };
        for n in (0..layers.len()).rev() {
            let Some(layer) = layers.get(n) else { break };
            let shape = layer.shape;
            let (channel, signs) = kept.of(&layer);
            let epilogue = self.epilogue(&layer, channel);
            if layer.activation == Activation::Product
                && let Some(lost) = products.lost(n)
            {
                self.recompute(layers, lost, to, factors, checkpoints, work)?;
            }
            let v: &[f32] = if layer.modulated {
                from.get(..shape.grid().points().times(layer.channels())).or_bug()
            } else {
                outputs
            };
            if layer.activation == Activation::Product {
                let factors = factors.get_mut(products.factors(n)).or_bug();
                multiply_vjp(factors, v)?;
                let gradient = to.get_mut(..shape.input_len()).or_bug();
                pull_back(&layer, factors, &epilogue, None, Some(v), gradient, work)?;
            } else {
                // Once no product is left, the room of the factors is the inputs' again.
                let inputs = n == 0 && products.count > 0;
                let to = if inputs { &mut *factors } else { &mut *to };
                let gradient = to.get_mut(..shape.input_len()).or_bug();
                let add = layer.residual.then_some(v);
                pull_back(&layer, v, &epilogue, signs, add, gradient, work)?;
            }
            self.probe.layer(Pass::Backward, n);
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }

    /// Computes the factors of a run of products again.
    fn recompute(
        &self,
        layers: &Layers<'a, Float<'a>>,
        run_of: core::ops::Range<usize>,
        values: &mut [f32],
        factors: &mut [f32],
        checkpoints: &[f32],
        work: &mut [f32],
    ) -> Result<(), Error> {
        let products = &self.products;
        let checkpoint = products.checkpoint(run_of.start).or_bug();
        let checkpoint = checkpoints.get(checkpoint).or_bug();
        let values = values.get_mut(..checkpoint.len()).or_bug();
        checked::zip(&mut *values, checkpoint).for_each(|(to, from)| *to = *from);
        let last = run_of.end.minus(1);
        for n in run_of {
            let Some(layer) = layers.get(n) else { break };
            let channel = products.channel_behind(n).minus(layer.shape.outputs());
            let factors = factors.get_mut(products.factors(n)).or_bug();
            run(&layer, values, &self.epilogue(&layer, channel), None, None, factors, work)?;
            if n < last {
                multiply(factors, values)?;
            }
            self.probe.layer(Pass::Again, n);
        }
        Ok(())
    }

    /// Of a layer whose first channel is `channel` of all that are modulated.
    pub(super) fn epilogue<W>(&self, layer: &Layer<'_, W>, channel: usize) -> Epilogue<'_> {
        let (values, channel): (&[f32], usize) =
            if layer.modulated { (self.modulated, channel) } else { (self.last, 0) };
        let slope = if layer.activation == Activation::Rectifier { SLOPE } else { 1.0 };
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
        if !layer.modulated {
            return (self.channel, None);
        }
        self.channel = self.channel.minus(layer.shape.outputs());
        if layer.activation != Activation::Rectifier {
            return (self.channel, None);
        }
        let behind = self.signs.len().minus(signs_len(layer));
        let (rest, signs) = self.signs.split_at_checked(behind).or_bug();
        self.signs = rest;
        (self.channel, Some(signs))
    }
}

/// Bytes of the signs that a layer keeps.
pub(super) fn signs_len<W>(layer: &Layer<'_, W>) -> usize {
    if layer.activation == Activation::Rectifier { layer.shape.signs_len() } else { 0 }
}

/// The room beside the inputs: two activations where the inputs' own room holds factors.
fn rooms<'s>(products: &Products, other: &'s mut [f32]) -> (&'s mut [f32], &'s mut [f32]) {
    if products.count > 0 { halves(other) } else { (other, &mut []) }
}

/// In which unit the integers of int16 activations count p of a layer's products; a power of two.
///
/// Both factors are one tensor, whose exponent is that of the bound of q, so that saturating holds
/// q where it must be held. With p in this unit it takes the same range.
fn p_unit<W>(layer: &Layer<'_, W>) -> f32 {
    if layer.activation != Activation::Product {
        return 1.0;
    }
    power_of_two(Products::EXPONENT.minus(layer.factor_exponent()))
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
    let signs = signs.filter(|signs| !signs.is_empty());
    match layer.weights {
        Float::F32(weights) if F32 => {
            Conv::new(layer.shape, weights)?.forward(input, epilogue, signs, add, output, work)
        }
        Float::I8 { weights, .. } if INT8 => {
            Conv::new(layer.shape, weights)?.forward(input, epilogue, signs, add, output, work)
        }
        _ => not_compiled(),
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
        Float::F32(weights) if F32 => {
            Conv::new(layer.shape, weights)?.vjp(cotangent, epilogue, signs, add, gradient, work)
        }
        Float::I8 { weights, .. } if INT8 => {
            Conv::new(layer.shape, weights)?.vjp(cotangent, epilogue, signs, add, gradient, work)
        }
        _ => not_compiled(),
    }
}
