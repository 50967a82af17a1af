//! One network of windows where nothing is differentiated: what sampling asks for.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use burn::tensor::Tensor;
use finescale::{Grid, NoiseStream};
use finescale_data::dataset::Reader;
use finescale_model::{Model, SystemMeta};
use finescale_sample::generator::Watch;
use finescale_sample::generator::windows::{Evaluator, Evaluators, Windows};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::fields::{evaluate, full, tensor, values};
use crate::config::Config;
use crate::engine::backend::Cpu;
use crate::engine::checkpoint::Kept;
use crate::engine::kernels::Kernels;
use crate::engine::{Trainable, weights};
use crate::networks::dropout::{Dropout, generator};
use crate::networks::{Fields, Network, Settings, TaskFields};
use crate::systems::described;

/// What goes into the network and comes out, in frames.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
    /// The grid.
    pub grid: Grid,
    /// Channels of a frame.
    pub channels: usize,
    /// Frames that the network sees.
    pub seen: usize,
    /// Frames that it gives.
    pub told: usize,
    /// Which of the frames that it sees, the last ones, have an encoder of their own.
    pub task: Option<TaskFields>,
}

impl Sides {
    /// A network before its first step, as the seed draws it; none where the settings have none.
    pub fn fresh<B: Kernels>(
        &self,
        settings: &Settings,
        seed: u64,
        device: &B::Device,
    ) -> Option<Network<B>> {
        let fields = Fields {
            grid: self.grid,
            inputs: self.seen * self.channels,
            outputs: self.told * self.channels,
            lambda: true,
            task: self.task.map(|task| TaskFields { inputs: task.inputs * self.channels, ..task }),
        };
        settings.build(fields, &mut ChaCha8Rng::seed_from_u64(seed), device)
    }

    /// The network of a model on the CPU.
    ///
    /// # Errors
    /// If the model has none, or another one.
    pub fn load<S>(&self, model: &Model<S>) -> Result<Network<Cpu>> {
        let settings = Config::default().network.with_meta(&model.meta.network)?;
        let fresh = self.fresh(&settings, 0, &Default::default());
        weights::import(fresh.context("the model has no network")?, &model.arrays)
    }
}

/// What a model says of a system that has one network.
pub trait Single: SystemMeta + Sync {
    /// What goes into the network and comes out.
    fn sides(&self, grid: Grid, channels: usize) -> Sides;

    /// Gives `work` what samples windows by a network.
    ///
    /// # Errors
    /// What `work` says.
    fn sample(
        &self,
        grid: &Grid,
        network: Evaluated<'_, Cpu>,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Windows) -> Result<()>,
    ) -> Result<()>;
}

/// The model of a network that was trained by these settings on these data.
pub(crate) fn model<A: Trainable, S: SystemMeta>(
    (name, reader, config): (&str, &Reader, &Config),
    grid: Grid,
    about: S,
    networks: &[Kept<Network<A>>],
) -> Model<S> {
    let steps = networks.last().map_or(0, |kept| kept.steps);
    let meta = described(name, reader, config, grid, steps, about);
    let arrays = networks.iter().flat_map(|kept| weights::export::<A, _>(&kept.network));
    Model { meta, arrays: arrays.collect::<BTreeMap<_, _>>() }
}

/// The network of a model on the CPU, for sampling.
pub struct Loaded<S> {
    sides: Sides,
    about: S,
    network: Network<Cpu>,
}

impl<S: Single> Loaded<S> {
    /// Takes it out of a model, to be sampled as `about` says.
    ///
    /// # Errors
    /// If there is none, or it is none that there is.
    pub fn of(model: &Model<S>, about: S) -> Result<Self> {
        let sides = about.sides(model.meta.grid()?, model.meta.channels.len());
        Ok(Self { network: sides.load(model)?, sides, about })
    }
}

impl<S: Single> Evaluators for Loaded<S> {
    fn with_windows(
        &self,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Windows) -> Result<()>,
    ) -> Result<()> {
        // Every core has its own: tensors share their numbers.
        let network = self.network.clone();
        let evaluated = Evaluated::new(&self.sides, &network, Default::default());
        self.about.sample(&self.sides.grid, evaluated, watch, work)
    }
}

/// The network of some windows at once, `[window][channel][y][x]` for each frame.
pub struct Evaluated<'a, B: Kernels> {
    /// The grid.
    pub grid: &'a Grid,
    /// Channels of a frame.
    pub channels: usize,
    /// The network.
    pub network: &'a Network<B>,
    /// Where it is.
    pub device: B::Device,
    /// A seed, a member and a window, by which noise is drawn.
    pub address: [u64; 3],
    /// Draws of the window.
    pub drawn: u64,
}

impl<'a, B: Kernels> Evaluated<'a, B> {
    /// At the first window of member 0.
    pub fn new(sides: &'a Sides, network: &'a Network<B>, device: B::Device) -> Self {
        let Sides { grid, channels, .. } = sides;
        Self { grid, channels: *channels, network, device, address: [0; 3], drawn: 0 }
    }

    /// The same of another member.
    pub fn of_member(self, member: usize) -> Self {
        Self { address: [0, member as u64, 0], ..self }
    }
}

impl<B: Kernels> Evaluator for Evaluated<'_, B> {
    fn begin(&mut self, stream: &NoiseStream, window: u64) {
        let NoiseStream { seed, member, draw, .. } = *stream;
        self.address = [seed, u64::from(member) | (u64::from(draw) << 32), window];
        self.drawn = 0;
    }

    fn evaluate(&mut self, seen: &[&[f64]], time: f64) -> Result<Vec<Vec<f64>>> {
        let frames = seen.iter().map(|frame| tensor(frame, self.channels, self.grid, &self.device));
        let seen: Tensor<B, 4> = Tensor::cat(frames.collect(), 1);
        let times = std::iter::repeat_n(time, seen.dims()[0]);
        let mut dropout = Dropout::OFF;
        let told = evaluate(self.network, seen, times, full(&mut dropout));
        let frames = told.dims()[1] / self.channels;
        let frame = |n: usize| told.clone().narrow(1, n * self.channels, self.channels);
        Ok((0..frames).map(|n| values(frame(n))).collect())
    }

    fn noise(&mut self, len: usize) -> Vec<f64> {
        let [seed, member, window] = self.address;
        let mut rng = generator([seed, member, window, self.drawn]);
        self.drawn += 1;
        (0..len).map(|_| StandardNormal.sample(&mut rng)).collect()
    }
}
