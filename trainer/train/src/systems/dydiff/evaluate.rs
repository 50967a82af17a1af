//! The network of a model, for sampling.

use anyhow::Result;
use finescale::Grid;
use finescale_model::Dydiff;
use finescale_sample::generator::Watch;
use finescale_sample::generator::windows::Windows;
use finescale_sample::generator::windows::dydiff::Sampled;

use crate::engine::backend::Cpu;
use crate::systems::windows::single::{self, Evaluated, Sides, Single};

/// The network of a model on the CPU.
pub type Loaded = single::Loaded<Dydiff>;

impl Single for Dydiff {
    fn sides(&self, grid: Grid, channels: usize) -> Sides {
        let [seen, told] = [self.input_fields(1), self.output_fields(1)];
        Sides { grid, channels, seen, told, task: None }
    }

    fn sample(
        &self,
        _: &Grid,
        network: Evaluated<'_, Cpu>,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Windows) -> Result<()>,
    ) -> Result<()> {
        work(&mut Sampled::new(self, network, watch)?)
    }
}
