//! The network of a model, for sampling.

use anyhow::Result;
use finescale::Grid;
use finescale_model::Flex;
use finescale_sample::generator::Watch;
use finescale_sample::generator::windows::Windows;
use finescale_sample::generator::windows::flex::Sampled;

use super::settings::task_fields;
use crate::engine::backend::Cpu;
use crate::systems::windows::single::{self, Evaluated, Sides, Single};

/// The network of a model on the CPU.
pub type Loaded = single::Loaded<Flex>;

impl Single for Flex {
    fn sides(&self, grid: Grid, channels: usize) -> Sides {
        Sides { grid, channels, seen: 1 + self.known(), told: 1, task: task_fields(self) }
    }

    fn sample(
        &self,
        grid: &Grid,
        network: Evaluated<'_, Cpu>,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Windows) -> Result<()>,
    ) -> Result<()> {
        work(&mut Sampled::new(self, grid, network, watch))
    }
}
