//! The predictor of a model file: the linear base, and the network that corrects it.

mod film;
mod int16;
mod layout;
mod network;

use super::linear::Solved;
use super::{Calibration, Description, Dynamics, Linear, Predictor, Prepared};
use crate::Error;
use crate::checked::{self, OrBug, Place, product, sum};
use crate::model::{Footprint, Model, Options};
use crate::spectral::{self, RadialBins};
use layout::{Layout, Scratch};
use network::Network;

/// Standard deviations of the base's error that a bounded correction cannot exceed.
pub const CORRECTION_MAX: f32 = 4.0;

/// A trained predictor; its weights stay where the model's bytes are.
///
/// ```text
/// window û ──filter──▶ fields, Wiener-filtered and raw ──▶ layers ──▶ d · 4 tanh(· / 4) ──▶ modes ─┐
///    └──────────────────── linear base ────────────────────────────────────────────────────────▶ + ──▶ F
/// ```
///
/// d is the root mean square over the modes of the base's error from a whole window; a model
/// without bounds adds the network's output as it is. A frame that the window does not have is zero
/// to the network; the base has coefficients of its own for it.
///
/// With int16 activations (see [`crate::layer::int16`]) the layers compute in integers; transforms,
/// the base and the bound stay f32.
///
/// With weights in f32 relative error ≤ 1e-5 of the largest mode; weights of eight bits are
/// computed with as they are. Cost of an increment: the layers' [`crate::layer::ConvShape::macs`],
/// a transform for each field, and the base; of a VJP the same. Activations are kept for it as one
/// bit each.
#[derive(Debug)]
pub struct Trained<'a> {
    corrected: Corrected<'a>,
}

/// The base and what corrects it.
#[derive(Debug)]
struct Corrected<'a> {
    linear: Linear<'a>,
    options: Options,
    network: Option<Network<'a>>,
    layout: Layout,
    scales: Scales<'a>,
}

/// What scales a network's inputs and outputs at one λ; empty without a network.
#[derive(Debug, Default)]
struct Scales<'a> {
    /// The Wiener filter that gives a field of unit variance, `[channel][mode]`.
    filter: &'a mut [f32],
    /// What scales a raw frame to unit variance, `[channel]`.
    raw: &'a mut [f32],
    /// d, `[head][channel]`.
    deviation: &'a mut [f32],
}

impl<'a> Trained<'a> {
    /// Values of memory for a model: [`Linear::memory_len`], and the filter, scales and modulation
    /// at one λ.
    pub fn memory_len(model: &Model<'_>) -> usize {
        let (grid, channels, window) = (model.grid(), model.channels(), model.window());
        let head = if model.options().score_head {
            Linear::noise_memory_len(grid, channels, window)
        } else {
            0
        };
        let network = match Layout::of(model).outputs {
            0 => 0,
            outputs => {
                let filter = product(&[channels, grid.points()]);
                sum(&[filter, channels, outputs, Network::memory_len(model)])
            }
        };
        sum(&[Linear::memory_len(grid, channels, window), head, network])
    }

    /// What a model's tasks take from their caller, in bytes; what does not fit 32 bits is their
    /// largest number.
    pub fn footprint(model: &Model<'_>) -> Footprint {
        let bytes = |values: usize| u32::try_from(values.saturating_mul(4)).unwrap_or(u32::MAX);
        let frame = product(&[model.channels(), model.grid().points()]);
        let scratch = Layout::of(model).scratch_len();
        Footprint {
            memory: bytes(Self::memory_len(model)),
            predictor: bytes(scratch),
            reverse: bytes(sum(&[frame, scratch])),
            frame: bytes(product(&[2, frame])),
        }
    }

    /// Takes a model and at least [`Trained::memory_len`] values of memory.
    ///
    /// # Errors
    /// As [`Linear::new`] and [`Calibration::new`]; [`Error::MemoryLength`].
    pub fn new(model: &Model<'a>, memory: &'a mut [f32]) -> Result<Self, Error> {
        let (grid, channels, window) = (model.grid(), model.channels(), model.window());
        let needed = Self::memory_len(model);
        let too_short = Error::MemoryLength { values: memory.len(), needed };
        if memory.len() < needed {
            return Err(too_short);
        }
        let mut memory = memory;
        let mut take = |values: usize| {
            let (taken, rest) = core::mem::take(&mut memory).split_at_mut_checked(values)?;
            memory = rest;
            Some(taken)
        };
        let base = take(Linear::memory_len(grid, channels, window)).ok_or(too_short)?;
        let tables = model.tables();
        let calibration = match tables.lambdas {
            [] => Calibration::NEUTRAL,
            lambdas => Calibration::new(
                lambdas,
                channels,
                RadialBins::new(grid).count(),
                tables.innovation,
                tables.path,
                tables.head,
            )?,
        };
        let mut linear =
            Linear::new(grid, model.process(), channels, model.autocovariance(), base)?
                .with_calibration(calibration);
        if model.options().score_head {
            let head = take(Linear::noise_memory_len(grid, channels, window)).ok_or(too_short)?;
            linear = linear.with_noise(head)?;
        }
        let layout = Layout::of(model);
        let linear = linear.with_scratch(layout.scratch_len());
        let mut scales = Scales::default();
        let mut network = None;
        if layout.outputs > 0 {
            scales.filter = take(product(&[channels, grid.points()])).ok_or(too_short)?;
            scales.raw = take(channels).ok_or(too_short)?;
            scales.deviation = take(layout.outputs).ok_or(too_short)?;
            let modulation = take(Network::memory_len(model)).ok_or(too_short)?;
            network = Network::new(model, modulation);
        }
        let options = model.options();
        Ok(Self { corrected: Corrected { linear, options, network, layout, scales } })
    }
}

impl Scales<'_> {
    /// Sets filter and scales for λ; S of the base is not calibrated yet.
    fn set(&mut self, description: &Description<'_>, base: &Solved<'_>, lambda: f32) {
        let Description { grid, process, power, .. } = description;
        let points = grid.points();
        let rows = self.filter.chunks_exact_mut(points).zip(power.chunks_exact(points));
        for ((filter, power), raw) in rows.zip(self.raw.iter_mut()) {
            let (mut filtered, mut total) = (0.0_f64, 0.0_f64);
            let modes = filter.iter_mut().zip(power).zip(grid.kappas(process.laplacian()));
            for ((filter, power), kappa) in modes {
                let damping = process.damping(kappa, lambda);
                let signal = damping * damping * power;
                let variance = signal + process.noise_variance(kappa, lambda);
                *filter = if variance > 0.0 { signal / variance } else { 0.0 };
                filtered += f64::from(signal * *filter);
                total += f64::from(variance);
            }
            let unit = |sum: f64| 1.0 / libm::sqrt(sum / points as f64).max(1e-12);
            let scale = unit(filtered) as f32;
            filter.iter_mut().for_each(|filter| *filter *= scale);
            *raw = unit(total) as f32;
        }
        for (deviation, errors) in self.deviation.iter_mut().zip(base.errors()) {
            let sum: f64 = errors.iter().copied().map(f64::from).sum();
            *deviation = libm::sqrt(sum / points as f64) as f32;
        }
    }
}

impl Corrected<'_> {
    /// Evaluates the network; its outputs, fields, are in `scratch.outputs` afterwards.
    fn evaluate(&self, window: &[f32], scratch: &mut Scratch<'_>) -> Result<(), Error> {
        let Some(network) = &self.network else { return Ok(()) };
        let Description { grid, .. } = self.linear.describe();
        let points = grid.points();
        let fields = self.layout.fields(window.len());
        let mut kinds = scratch.input.chunks_exact_mut(self.layout.kind.max(1));
        if self.options.filtered_inputs
            && let Some(kind) = kinds.next()
        {
            let (missing, frames) = kind.split_at_mut_checked(fields.missing).or_bug();
            missing.fill(0.0);
            let frame = self.linear.describe().frame_len();
            for (n, to) in checked::numbered(frames.chunks_exact_mut(frame)) {
                let u = window.get(n.times(frame)..n.plus(1).times(frame)).or_bug();
                for ((to, u), filter) in checked::zip(to, u).zip(self.scales.filter.iter()) {
                    *to = u * filter;
                }
            }
        }
        if let Some(kind) = kinds.next() {
            let (missing, frames) = kind.split_at_mut_checked(fields.missing).or_bug();
            missing.fill(0.0);
            let channels = checked::numbered(frames.chunks_exact_mut(points));
            for ((n, to), raw) in channels.zip(self.scales.raw.iter().cycle()) {
                let u = window.get(n.times(points)..n.plus(1).times(points)).or_bug();
                checked::zip(to, u).for_each(|(to, u)| *to = u * raw);
            }
        }
        let inputs = scratch.input.get_mut(..self.layout.inputs).or_bug();
        spectral::inverse(grid, inputs, scratch.work)?;
        network.forward(scratch)
    }

    /// Adds the correction of head `head` to a spectrum; leaves the slope of its bound where the
    /// head's output was.
    fn correct(
        &self,
        head: usize,
        spectrum: &mut [f32],
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Description { grid, channels, .. } = self.linear.describe();
        let (frame, points) = (self.linear.describe().frame_len(), grid.points());
        let outputs = scratch.outputs.chunks_exact_mut(frame).nth(head).or_bug();
        // A bound would turn what is no number into one.
        Error::finite("network output", outputs)?;
        let correction = scratch.input.get_mut(..frame).or_bug();
        let deviations = self.scales.deviation.chunks_exact((*channels).max(1)).nth(head);
        let fields = outputs.chunks_exact_mut(points).zip(correction.chunks_exact_mut(points));
        for ((outputs, correction), deviation) in fields.zip(deviations.or_bug()) {
            for (output, correction) in checked::zip(outputs, correction) {
                if self.options.bounded {
                    let tanh = libm::tanhf(*output / CORRECTION_MAX);
                    *correction = deviation * (CORRECTION_MAX * tanh);
                    *output = deviation * (1.0 - tanh * tanh);
                } else {
                    *correction = *output;
                    *output = 1.0;
                }
            }
        }
        spectral::forward(grid, correction, scratch.work)?;
        checked::zip(&mut *spectrum, &*correction).for_each(|(to, value)| *to += value);
        Error::finite("network output", spectrum)
    }
}

impl Predictor for Trained<'_> {
    fn describe(&self) -> &Description<'_> {
        self.corrected.linear.describe()
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        let Corrected { linear, network, scales, .. } = &mut self.corrected;
        linear.solve_with(lambda, |description, base| {
            scales.set(description, base, lambda);
            if let Some(network) = network {
                network.modulate(lambda);
            }
        })?;
        self.corrected.linear.prepared(&self.corrected)
    }
}

impl Dynamics for Corrected<'_> {
    fn increment(
        &self,
        window: &[f32],
        increment: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let mut scratch = self.layout.split(scratch)?;
        if self.options.linear_base {
            self.linear.solved().increment(window, increment, &mut [])?;
        } else {
            increment.fill(0.0);
        }
        if self.network.is_some() {
            self.evaluate(window, &mut scratch)?;
            self.correct(0, increment, &mut scratch)?;
        }
        Ok(())
    }

    fn vjp(
        &self,
        cotangent: &[f32],
        gradient: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let mut scratch = self.layout.split(scratch)?;
        if self.options.linear_base {
            self.linear.solved().vjp(cotangent, gradient, &mut [])?;
        }
        let Some(network) = &self.network else { return Ok(()) };
        let Description { grid, .. } = self.linear.describe();
        let frame = self.linear.describe().frame_len();
        let points = grid.points();
        // The transforms are orthonormal: the transpose of one is the other.
        let field = scratch.input.get_mut(..frame).or_bug();
        checked::zip(&mut *field, cotangent).for_each(|(to, v)| *to = *v);
        spectral::inverse(grid, field, scratch.work)?;
        let mut outputs = scratch.outputs.chunks_exact_mut(frame);
        for (slope, v) in outputs.next().or_bug().iter_mut().zip(field.iter()) {
            *slope *= v;
        }
        outputs.for_each(|other| other.fill(0.0));
        network.vjp(&mut scratch)?;
        let inputs = scratch.input.get_mut(..self.layout.inputs).or_bug();
        spectral::forward(grid, inputs, scratch.work)?;
        let missing = self.layout.fields(gradient.len()).missing;
        let mut kinds = inputs.chunks_exact(self.layout.kind.max(1));
        if self.options.filtered_inputs
            && let Some(kind) = kinds.next()
        {
            let frames = kind.get(missing..).or_bug();
            for (n, gradient) in checked::numbered(gradient.chunks_exact_mut(frame)) {
                let v = frames.get(n.times(frame)..n.plus(1).times(frame)).or_bug();
                for ((g, v), filter) in checked::zip(gradient, v).zip(self.scales.filter.iter()) {
                    *g += v * filter;
                }
            }
        }
        if let Some(kind) = kinds.next() {
            let frames = kind.get(missing..).or_bug();
            let channels = checked::numbered(gradient.chunks_exact_mut(points));
            for ((n, gradient), raw) in channels.zip(self.scales.raw.iter().cycle()) {
                let v = frames.get(n.times(points)..n.plus(1).times(points)).or_bug();
                checked::zip(gradient, v).for_each(|(g, v)| *g += v * raw);
            }
        }
        Ok(())
    }

    fn noise(&self, window: &[f32], noise: &mut [f32], scratch: &mut [f32]) -> Result<(), Error> {
        let mut scratch = self.layout.split(scratch)?;
        if self.options.linear_base {
            self.linear.solved().noise(window, noise, &mut [])?;
        } else {
            noise.fill(0.0);
        }
        if self.network.is_some() {
            self.evaluate(window, &mut scratch)?;
            self.correct(1, noise, &mut scratch)?;
        }
        Ok(())
    }
}
