//! The networks where nothing is differentiated, with dropout all the same: what sampling asks for.

use anyhow::{Context, Result};
use burn::tensor::Tensor;
use finescale::NoiseStream;
use finescale_model::dyffusion::{Dyffusion, Method, Part};
use finescale_model::{Model, NetworkMeta};
use finescale_peers::dyffusion::Networks;
use finescale_sample::generator::Watch;
use finescale_sample::generator::windows::dyffusion::{Addressed, Sampled};
use finescale_sample::generator::windows::{Evaluators, Windows};
use rand_distr::{Distribution, StandardNormal};

use super::shape::Shape;
use crate::config::Config;
use crate::engine::backend::Cpu;
use crate::engine::kernels::Kernels;
use crate::engine::weights;
use crate::networks::Network;
use crate::networks::dropout::{Dropout, generator};
use crate::systems::windows::fields::{full, tensor, values};

/// Highest bit of the masks of one network alone, and of noise: those of an interpolator count from
/// 0.
const OF_FORECASTER: u64 = 1 << 63;
const OF_NOISE: u64 = 1 << 62;

/// The networks of some windows at once, `[window][channel][y][x]`.
pub struct Evaluated<'a, B: Kernels> {
    pub(super) shape: &'a Shape,
    /// I; none of a control.
    pub(super) interpolator: Option<&'a Network<B>>,
    pub(super) forecaster: &'a Network<B>,
    pub(super) device: B::Device,
    /// A seed, a member and a window, by which masks and noise are drawn.
    pub(super) address: [u64; 3],
    /// Draws of the window beside the interpolator's masks.
    pub(super) drawn: u64,
}

impl<B: Kernels> Evaluated<'_, B> {
    fn tensor(&self, values: &[f64]) -> Tensor<B, 4> {
        tensor(values, self.shape.channels, &self.shape.grid, &self.device)
    }

    fn at(&self, mask: u64) -> [u64; 4] {
        let [seed, member, window] = self.address;
        [seed, member, window, mask]
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn - 1
    }
}

impl<B: Kernels> Networks for Evaluated<'_, B> {
    fn forecast(
        &mut self,
        state: &[f64],
        time: f64,
        condition: Option<&[f64]>,
    ) -> Result<Vec<f64>> {
        // F itself drops nothing: all spread comes from I. A control has nothing else.
        let mut dropout = match self.shape.about.method {
            Method::Dropout => {
                let mask = OF_FORECASTER | self.next();
                Dropout::new(self.shape.about.dropout, self.at(mask))
            }
            Method::Dyffusion | Method::Deterministic => Dropout::OFF,
        };
        let (state, condition) = (self.tensor(state), condition.map(|values| self.tensor(values)));
        let times = vec![time; state.dims()[0]];
        let how = full(&mut dropout);
        Ok(values(self.shape.forecast(self.forecaster, state, condition, &times, how)))
    }

    fn interpolate(
        &mut self,
        first: &[f64],
        last: &[f64],
        time: f64,
        mask: u64,
    ) -> Result<Vec<f64>> {
        let interpolator = self.interpolator.context("a control has no interpolator")?;
        let mut dropout = Dropout::new(self.shape.about.dropout, self.at(mask));
        let ends = [first, last].map(|values| self.tensor(values));
        let times = vec![time; ends[0].dims()[0]];
        Ok(values(self.shape.interpolate(interpolator, ends, &times, full(&mut dropout))))
    }

    fn noise(&mut self, len: usize) -> Vec<f64> {
        let mask = OF_NOISE | self.next();
        let mut rng = generator(self.at(mask));
        (0..len).map(|_| StandardNormal.sample(&mut rng)).collect()
    }
}

impl<B: Kernels> Addressed for Evaluated<'_, B> {
    fn begin(&mut self, stream: &NoiseStream, window: u64) {
        let NoiseStream { seed, member, draw, .. } = *stream;
        self.address = [seed, u64::from(member) | (u64::from(draw) << 32), window];
        self.drawn = 0;
    }
}

/// The networks of a model on the CPU.
pub struct Loaded {
    shape: Shape,
    interpolator: Option<Network<Cpu>>,
    forecaster: Network<Cpu>,
}

impl Loaded {
    /// Takes them out of a model, to be sampled as `about` says.
    ///
    /// # Errors
    /// If one is missing, or is none that there is.
    pub fn of(model: &Model<Dyffusion>, about: Dyffusion) -> Result<Self> {
        let (meta, device) = (&model.meta, Default::default());
        let grid = meta.grid()?;
        let shape = Shape { grid, channels: meta.channels.len(), about };
        let part = |part| network(&shape, part, &meta.network, model, &device);
        let two = shape.about.method == Method::Dyffusion;
        let interpolator = two.then(|| part(Part::Interpolator)).transpose()?;
        let forecaster = part(Part::Forecaster)?;
        Ok(Self { shape, interpolator, forecaster })
    }
}

impl Evaluators for Loaded {
    fn with_windows(
        &self,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Windows) -> Result<()>,
    ) -> Result<()> {
        // Every core has its own: tensors share their numbers.
        let (interpolator, forecaster) = (self.interpolator.clone(), self.forecaster.clone());
        let networks = Evaluated {
            shape: &self.shape,
            interpolator: interpolator.as_ref(),
            forecaster: &forecaster,
            device: Default::default(),
            address: [0; 3],
            drawn: 0,
        };
        work(&mut Sampled::new(&self.shape.about, networks, watch))
    }
}

/// A network with the weights that a model has.
pub(super) fn network<B: Kernels>(
    shape: &Shape,
    part: Part,
    meta: &NetworkMeta,
    model: &Model<Dyffusion>,
    device: &B::Device,
) -> Result<Network<B>> {
    let settings = Config::default().network.with_meta(meta)?;
    let fresh = shape.fresh(part, &settings, 0, device);
    let fresh = fresh.context("the model has no network")?;
    let import = weights::import(fresh, &model.weights(part));
    import.with_context(|| format!("of the {}", part.name()))
}
