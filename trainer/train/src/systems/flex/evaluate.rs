//! The network of a model, for sampling.

use anyhow::Result;
use finescale::Grid;
use finescale_model::{Flex, Model};
use finescale_sample::generator::Watch;
use finescale_sample::generator::windows::flex::Sampled;
use finescale_sample::generator::windows::{Evaluators, Windows};

use super::settings::task_fields;
use crate::engine::backend::Cpu;
use crate::networks::Network;
use crate::systems::windows::single::{Evaluated, Sides};

/// What goes into the network and comes out.
pub(super) fn sides(about: &Flex, grid: Grid, channels: usize) -> Sides {
    Sides { grid, channels, seen: 1 + about.known(), told: 1, task: task_fields(about) }
}

/// The network of a model on the CPU.
pub struct Loaded {
    sides: Sides,
    about: Flex,
    network: Network<Cpu>,
}

impl Loaded {
    /// Takes it out of a model, to be sampled as `about` says.
    ///
    /// # Errors
    /// If there is none, or it is none that there is.
    pub fn of(model: &Model<Flex>, about: Flex) -> Result<Self> {
        let meta = &model.meta;
        let sides = sides(&about, meta.grid()?, meta.channels.len());
        Ok(Self { network: sides.load(model)?, sides, about })
    }
}

impl Evaluators for Loaded {
    fn with_windows(
        &self,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Windows) -> Result<()>,
    ) -> Result<()> {
        // Every core has its own: tensors share their numbers.
        let network = self.network.clone();
        let evaluated = Evaluated::new(&self.sides, &network, Default::default());
        work(&mut Sampled::new(&self.about, &self.sides.grid, evaluated, watch))
    }
}
