//! The network of a model, for sampling.

use anyhow::Result;
use finescale::Grid;
use finescale_model::{Dydiff, Model};
use finescale_sample::generator::Watch;
use finescale_sample::generator::windows::dydiff::Sampled;
use finescale_sample::generator::windows::{Evaluators, Windows};

use crate::engine::backend::Cpu;
use crate::networks::Network;
use crate::systems::windows::single::{Evaluated, Sides};

/// What goes into the network and comes out.
pub(super) fn sides(about: &Dydiff, grid: Grid, channels: usize) -> Sides {
    let [seen, told] = [about.input_fields(1), about.output_fields(1)];
    Sides { grid, channels, seen, told, task: None }
}

/// The network of a model on the CPU.
pub struct Loaded {
    sides: Sides,
    about: Dydiff,
    network: Network<Cpu>,
}

impl Loaded {
    /// Takes it out of a model, to be sampled as `about` says.
    ///
    /// # Errors
    /// If there is none, or it is none that there is.
    pub fn of(model: &Model<Dydiff>, about: Dydiff) -> Result<Self> {
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
        work(&mut Sampled::new(&self.about, evaluated, watch)?)
    }
}
