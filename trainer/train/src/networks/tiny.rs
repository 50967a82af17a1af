//! The network for boards.

use anyhow::{Result, ensure};
use burn::tensor::backend::Backend;
use finescale::Grid;
use finescale_model::NetworkMeta;
use rand_chacha::ChaCha8Rng;

use super::Fields;
use super::stack::{self, Stack};
use crate::config::settings;

/// Residual dilated convolutions over the window's fields, modulated by λ.
///
/// Every layer but the last: leaky((1 + γ)(conv(h) + b) + δ), added to h from the second on. The
/// last is a convolution, zero at first.
pub type Tiny<B> = Stack<B>;

settings!(/// Section `network.tiny`.
    Design { channels: usize, kernel: usize, dilations: Vec<usize> });

impl super::Design for Design {
    type Network<B: Backend> = Tiny<B>;

    fn check(&self) -> Result<()> {
        stack::check_kernel("tiny", self.kernel)?;
        ensure!(
            self.dilations.len() >= 2 && self.dilations.iter().all(|d| (1..=16).contains(d)),
            "network.tiny.dilations is {:?}: name at least two layers with dilations 1 to 16",
            self.dilations
        );
        ensure!(self.channels > 0, "network.tiny.channels is 0: use at least 1");
        Ok(())
    }

    fn check_on(&self, grid: &Grid) -> Result<()> {
        stack::check_on("tiny", grid)
    }

    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Tiny<B> {
        Stack::new(fields, &self.described(), rng, device)
    }

    fn meta(&self) -> Option<NetworkMeta> {
        Some(self.described())
    }
}

impl Design {
    fn described(&self) -> NetworkMeta {
        NetworkMeta::Tiny {
            channels: self.channels,
            kernel: self.kernel,
            dilations: self.dilations.clone(),
        }
    }
}
