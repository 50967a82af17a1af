//! The predictor of a model file: the linear base, and the network that corrects it.

use super::{Calibration, Description, Dynamics, Linear, Predictor, Prepared};
use crate::checked::{self, OrBug, product, sum};
use crate::model::{Footprint, Model, Options};
use crate::network::{Inputs, Layout, Network, Probe, Scratch};
use crate::spectral::{self, RadialBins};
use crate::{Error, Field, Modes, Path};

/// Standard deviations of the base's error that a bounded correction cannot exceed.
pub const CORRECTION_MAX: f32 = 4.0;

/// A trained predictor; its weights stay where the model's bytes are.
///
/// ```text
/// window û ──▶ fields: its views ──▶ layers ──▶ d · 4 tanh(· / 4) ──▶ modes ─┐
///    │    companions of frame n + 1 ──┘                                      │
///    └──────────────────── linear base ──────────────────────────────────▶ + ──▶ F
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
/// a transform for each field, and the base; of a VJP the same. For it rectifiers are kept as one
/// bit each, and products as their two factors, or as the inputs of some layers from which the
/// factors are computed again ([`Model::segments`]).
#[derive(Debug)]
pub struct Trained<'a> {
    corrected: Corrected<'a>,
}

/// The base and what corrects it.
#[derive(Debug)]
struct Corrected<'a> {
    linear: Linear<'a>,
    options: Options,
    network: Option<Correction<'a>>,
    layout: Layout,
}

/// The network at one λ.
#[derive(Debug)]
struct Correction<'a> {
    inputs: Inputs<'a>,
    network: Network<'a>,
    /// d, `[head][channel]`: see [`Trained`].
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
        let network = model.network().map_or(0, |network| {
            let inputs = Inputs::memory_len(&network.sight);
            let outputs = Layout::of(Some(&network)).outputs;
            sum(&[inputs, outputs, Network::memory_len(&network)])
        });
        sum(&[Linear::memory_len(grid, channels, window), head, network])
    }

    /// What a model's tasks take from their caller, in bytes; what does not fit 32 bits is their
    /// largest number.
    pub fn footprint(model: &Model<'_>) -> Footprint {
        let bytes = |values: usize| u32::try_from(values.saturating_mul(4)).unwrap_or(u32::MAX);
        let points = model.grid().points();
        let frame = product(&[model.channels(), points]);
        let companions = product(&[model.companions(), points]);
        let scratch = Layout::of(model.network().as_ref()).scratch_len();
        Footprint {
            memory: bytes(Self::memory_len(model)),
            predictor: bytes(scratch),
            reverse: bytes(sum(&[frame, scratch])),
            frame: bytes(sum(&[frame, frame, companions])),
            ..model.footprint()
        }
    }

    /// Takes a model and at least [`Trained::memory_len`] values of memory.
    ///
    /// # Errors
    /// As [`Linear::new`] and [`Calibration::new`]; [`Error::MemoryLength`].
    // A call of its own, so that its stack is free again afterwards.
    #[inline(never)]
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
        let layout = Layout::of(model.network().as_ref());
        let linear = linear.below_network(layout.scratch_len(), model.companions());
        let mut network = None;
        if let Some(of) = model.network() {
            let inputs = take(Inputs::memory_len(&of.sight)).ok_or(too_short)?;
            let deviation = take(layout.outputs).ok_or(too_short)?;
            let modulation = take(Network::memory_len(&of)).ok_or(too_short)?;
            network = Some(Correction {
                inputs: Inputs::new(of.sight, inputs),
                network: Network::new(&of, &layout, modulation),
                deviation,
            });
        }
        let options = model.options();
        Ok(Self { corrected: Corrected { linear, options, network, layout } })
    }

    /// What it is at every λ, for a predictor that computes otherwise with the same base.
    pub const fn description(&self) -> Description<'a> {
        self.corrected.linear.description()
    }

    /// The same, which tells `probe` of every layer.
    pub fn with_probe(mut self, probe: &'a dyn Probe) -> Self {
        if let Some(Correction { network, .. }) = &mut self.corrected.network {
            network.probed(probe);
        }
        self
    }
}

impl Corrected<'_> {
    /// Evaluates the network; its outputs, fields, are in `scratch.outputs` afterwards.
    fn evaluate(
        &self,
        window: &[f32],
        companions: &[f32],
        scratch: &mut Scratch<'_>,
    ) -> Result<(), Error> {
        let Some(Correction { inputs, network, .. }) = &self.network else { return Ok(()) };
        let fields = scratch.input.get_mut(..self.layout.inputs).or_bug();
        inputs.fields(window, companions, fields, scratch.work)?;
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
        let Some(Correction { deviation, .. }) = &self.network else { return Ok(()) };
        let Description { grid, channels, .. } = self.linear.describe();
        let (frame, points) = (self.linear.describe().frame_len(), grid.points());
        let outputs = scratch.outputs.chunks_exact_mut(frame).nth(head).or_bug();
        // A bound would turn what is no number into one.
        Error::finite("network output", outputs)?;
        // The factors of products, among the inputs, are still needed.
        let correction = scratch.other.get_mut(..frame).or_bug();
        let deviations = deviation.chunks_exact((*channels).max(1)).nth(head);
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
        spectral::forward(grid, Field::from_mut(correction), scratch.work)?;
        checked::zip(&mut *spectrum, &*correction).for_each(|(to, value)| *to += value);
        Error::finite("network output", spectrum)
    }
}

impl Predictor for Trained<'_> {
    fn describe(&self) -> &Description<'_> {
        self.corrected.linear.describe()
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        let Corrected { linear, network, .. } = &mut self.corrected;
        linear.solve_with(lambda, |description, base| {
            if let Some(Correction { inputs, network, deviation }) = network {
                inputs.set(&description.process, description.power, lambda);
                // S of the base is not calibrated yet.
                for (deviation, errors) in deviation.iter_mut().zip(base.errors()) {
                    let sum: f64 = errors.iter().copied().map(f64::from).sum();
                    *deviation = libm::sqrt(sum / description.grid.points() as f64) as f32;
                }
                network.modulate(lambda);
            }
        })?;
        self.corrected.linear.prepared(&self.corrected)
    }
}

impl Dynamics for Corrected<'_> {
    fn increment(
        &self,
        window: &Path<Modes>,
        companions: &Field,
        increment: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let mut scratch = self.layout.split(scratch)?;
        if self.options.linear_base {
            self.linear.solved().increment(window, Field::new(&[]), increment, &mut [])?;
        } else {
            increment.fill(0.0);
        }
        if self.network.is_some() {
            self.evaluate(window, companions, &mut scratch)?;
            self.correct(0, increment, &mut scratch)?;
        }
        Ok(())
    }

    fn vjp(
        &self,
        cotangent: &Modes,
        gradient: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let mut scratch = self.layout.split(scratch)?;
        if self.options.linear_base {
            self.linear.solved().vjp(cotangent, gradient, &mut [])?;
        }
        let Some(Correction { inputs, network, .. }) = &self.network else { return Ok(()) };
        let Description { grid, .. } = self.linear.describe();
        let frame = self.linear.describe().frame_len();
        // The transforms are orthonormal: the transpose of one is the other.
        let field = scratch.other.get_mut(..frame).or_bug();
        checked::zip(&mut *field, cotangent).for_each(|(to, v)| *to = *v);
        spectral::inverse(grid, Modes::from_mut(field), scratch.work)?;
        let mut outputs = scratch.outputs.chunks_exact_mut(frame);
        for (slope, v) in outputs.next().or_bug().iter_mut().zip(field.iter()) {
            *slope *= v;
        }
        outputs.for_each(|other| other.fill(0.0));
        network.vjp(&mut scratch)?;
        let fields = scratch.input.get_mut(..self.layout.inputs).or_bug();
        inputs.pull_back(fields, gradient, scratch.work)
    }

    fn noise(
        &self,
        window: &Path<Modes>,
        noise: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let mut scratch = self.layout.split(scratch)?;
        if self.options.linear_base {
            self.linear.solved().noise(window, noise, &mut [])?;
        } else {
            noise.fill(0.0);
        }
        if self.network.is_some() {
            // A predictor with a score head sees no companions.
            self.evaluate(window, &[], &mut scratch)?;
            self.correct(1, noise, &mut scratch)?;
        }
        Ok(())
    }
}
