//! The layers of a model, evaluated and differentiated.

use super::film;
use super::layout::Scratch;
use crate::Error;
use crate::layer::{Conv, Epilogue, SLOPE};
use crate::model::{Film, Layer, Layers, Model, Weights};

/// A network at one λ.
#[derive(Debug)]
pub(super) struct Network<'a> {
    pub(super) layers: Layers<'a>,
    film: Film<'a>,
    /// Epilogues' scales of all channels, then shifts of all channels: first of the modulated layers, then of the last.
    pub(super) modulated: &'a mut [f32],
    last: &'a mut [f32],
    /// Activations are int16.
    int16: bool,
}

impl<'a> Network<'a> {
    /// Values of memory: a factor and a shift for each output channel of every layer.
    pub(super) fn memory_len(model: &Model<'_>) -> usize {
        model.layers().iter().map(|layer| 2 * layer.shape.outputs()).sum()
    }

    /// `None` without a network.
    pub(super) fn new(model: &Model<'a>, memory: &'a mut [f32]) -> Option<Self> {
        let film = model.film()?;
        let (modulated, last) = memory.split_at_mut_checked(film.bias.len())?;
        Some(Self { layers: model.layers(), film, modulated, last, int16: model.int16() })
    }

    /// Sets the epilogues for λ: bias, modulation and the multipliers of bytes in one factor and one shift.
    pub(super) fn modulate(&mut self, lambda: f32) {
        film::modulate(&self.film, lambda, self.modulated);
        let (factors, shifts) = halves(self.modulated);
        let mut modulation = factors.iter_mut().zip(shifts);
        let (last_factors, last_shifts) = halves(self.last);
        for layer in self.layers.iter() {
            if layer.active {
                let channels = (&mut modulation).take(layer.shape.outputs());
                for (n, ((factor, shift), bias)) in channels.zip(layer.bias).enumerate() {
                    *factor += 1.0;
                    *shift += *factor * bias;
                    *factor *= multiplier(&layer, n);
                }
            } else {
                let channels = last_factors.iter_mut().zip(last_shifts.iter_mut());
                for (n, ((factor, shift), bias)) in channels.zip(layer.bias).enumerate() {
                    *factor = multiplier(&layer, n);
                    *shift = *bias;
                }
            }
        }
    }

    /// `scratch.input` to `scratch.outputs`; keeps signs.
    pub(super) fn forward(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        if self.int16 {
            return self.forward_int16(scratch);
        }
        let Scratch { outputs, signs, input, other, work } = scratch;
        let (mut from, mut to): (&mut [f32], &mut [f32]) = (input, other);
        let mut signs: &mut [u8] = signs;
        let mut channel = 0;
        for layer in self.layers.iter() {
            let (shape, epilogue) = (layer.shape, self.epilogue(&layer, channel));
            let x = from.get(..shape.input_len()).unwrap_or_default();
            if !layer.active {
                return run(&layer, x, &epilogue, None, None, outputs, work);
            }
            let (kept, rest) = signs.split_at_mut_checked(shape.signs_len()).unwrap_or_default();
            let y = to.get_mut(..shape.output_len()).unwrap_or_default();
            run(&layer, x, &epilogue, Some(kept), layer.residual.then_some(x), y, work)?;
            channel += shape.outputs();
            signs = rest;
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }

    /// The cotangent of `scratch.outputs`, there, to that of the inputs, in `scratch.input`.
    pub(super) fn vjp(&self, scratch: &mut Scratch<'_>) -> Result<(), Error> {
        if self.int16 {
            return self.vjp_int16(scratch);
        }
        let Scratch { outputs, signs, input, other, work } = scratch;
        let count = self.layers.len();
        // The first layer, the last one here, must write to `input`.
        let (mut to, mut from): (&mut [f32], &mut [f32]) =
            if count % 2 == 1 { (input, other) } else { (other, input) };
        let mut channel = self.modulated.len() / 2;
        let mut signs: &[u8] = signs;
        // Signs fill whole words; what is behind the last layer's is left.
        let used: usize =
            self.layers.iter().filter(|layer| layer.active).map(|l| l.shape.signs_len()).sum();
        signs = signs.get(..used).unwrap_or_default();
        for n in (0..count).rev() {
            let Some(layer) = self.layers.get(n) else { break };
            let shape = layer.shape;
            let gradient = to.get_mut(..shape.input_len()).unwrap_or_default();
            if layer.active {
                channel = channel.saturating_sub(shape.outputs());
                let behind = signs.len().saturating_sub(shape.signs_len());
                let (rest, kept) = signs.split_at_checked(behind).unwrap_or_default();
                let v = from.get(..shape.output_len()).unwrap_or_default();
                let epilogue = self.epilogue(&layer, channel);
                let add = layer.residual.then_some(v);
                pull_back(&layer, v, &epilogue, Some(kept), add, gradient, work)?;
                signs = rest;
            } else {
                let epilogue = self.epilogue(&layer, 0);
                pull_back(&layer, outputs, &epilogue, None, None, gradient, work)?;
            }
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }

    /// Of a layer whose first channel is `channel` of all.
    pub(super) fn epilogue(&self, layer: &Layer<'_>, channel: usize) -> Epilogue<'_> {
        let (values, slope): (&[f32], f32) =
            if layer.active { (self.modulated, SLOPE) } else { (self.last, 1.0) };
        let (scales, shifts) = values.split_at_checked(values.len() / 2).unwrap_or_default();
        let channel = if layer.active { channel } else { 0 };
        let range = channel..channel.saturating_add(layer.shape.outputs());
        Epilogue {
            scale: scales.get(range.clone()).unwrap_or_default(),
            shift: shifts.get(range).unwrap_or_default(),
            slope,
        }
    }
}

fn halves(values: &mut [f32]) -> (&mut [f32], &mut [f32]) {
    let half = values.len() / 2;
    values.split_at_mut_checked(half).unwrap_or_default()
}

/// What a byte of output channel `n` stands for.
fn multiplier(layer: &Layer<'_>, n: usize) -> f32 {
    match layer.weights {
        Weights::F32(_) => 1.0,
        Weights::I8 { multipliers, .. } | Weights::Int16 { multipliers, .. } => {
            multipliers.get(n).copied().unwrap_or(1.0)
        }
    }
}

fn run(
    layer: &Layer<'_>,
    input: &[f32],
    epilogue: &Epilogue<'_>,
    signs: Option<&mut [u8]>,
    add: Option<&[f32]>,
    output: &mut [f32],
    work: &mut [f32],
) -> Result<(), Error> {
    match layer.weights {
        Weights::F32(weights) => {
            Conv::new(layer.shape, weights)?.forward(input, epilogue, signs, add, output, work)
        }
        Weights::I8 { weights, .. } => {
            Conv::new(layer.shape, weights)?.forward(input, epilogue, signs, add, output, work)
        }
        // No file has both: see `model::parse`.
        Weights::Int16 { .. } => Ok(()),
    }
}

fn pull_back(
    layer: &Layer<'_>,
    cotangent: &[f32],
    epilogue: &Epilogue<'_>,
    signs: Option<&[u8]>,
    add: Option<&[f32]>,
    gradient: &mut [f32],
    work: &mut [f32],
) -> Result<(), Error> {
    match layer.weights {
        Weights::F32(weights) => {
            Conv::new(layer.shape, weights)?.vjp(cotangent, epilogue, signs, add, gradient, work)
        }
        Weights::I8 { weights, .. } => {
            Conv::new(layer.shape, weights)?.vjp(cotangent, epilogue, signs, add, gradient, work)
        }
        Weights::Int16 { .. } => Ok(()),
    }
}
