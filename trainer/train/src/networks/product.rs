//! The network for boards whose blocks multiply fields.

use anyhow::{Result, ensure};
use burn::tensor::backend::Backend;
use finescale::Grid;
use finescale_model::NetworkMeta;
use rand_chacha::ChaCha8Rng;

use super::Fields;
use super::stack::{self, Stack};
use crate::config::settings;

/// A convolution, blocks that add products, and a last layer of one point, zero at first.
///
/// A block is h + p · clamp(q, −4, 4), with p and q the two halves of one convolution of twice the
/// channels. All layers but the last are modulated by λ. The terms that drive a flow are products
/// of fields, which rectifiers have to imitate.
pub type Product<B> = Stack<B>;

settings!(/// Section `network.product`.
    Design { channels: usize, kernel: usize, dilations: Vec<usize>, segments: usize });

impl super::Design for Design {
    type Network<B: Backend> = Product<B>;

    fn check(&self) -> Result<()> {
        stack::check_kernel("product", self.kernel)?;
        ensure!(
            !self.dilations.is_empty() && self.dilations.iter().all(|d| (1..=16).contains(d)),
            "network.product.dilations is {:?}: name at least one block with dilations 1 to 16",
            self.dilations
        );
        ensure!(
            self.channels > 0 && self.channels.is_multiple_of(4),
            "network.product.channels is {}: use a multiple of 4, as int16 takes them in fours",
            self.channels
        );
        ensure!(
            (1..=self.dilations.len()).contains(&self.segments),
            "network.product.segments is {}: use 1 to {}, the number of blocks",
            self.segments,
            self.dilations.len()
        );
        Ok(())
    }

    fn check_on(&self, grid: &Grid) -> Result<()> {
        stack::check_on("product", grid)
    }

    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Product<B> {
        Stack::new(fields, &self.described(), rng, device)
    }

    fn meta(&self) -> Option<NetworkMeta> {
        Some(self.described())
    }
}

impl Design {
    fn described(&self) -> NetworkMeta {
        NetworkMeta::Product {
            channels: self.channels,
            kernel: self.kernel,
            dilations: self.dilations.clone(),
            segments: self.segments,
        }
    }
}
