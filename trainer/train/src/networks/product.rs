//! The network for boards whose blocks multiply fields.

use anyhow::{Result, ensure};
use finescale_model::NetworkMeta;

use super::stack::{Stack, Stacked, check_kernel};
use crate::config::settings;

/// A convolution, blocks that add products, and a last layer of one point, zero at first.
///
/// A block is h + p · clamp(q, −4, 4), with p and q the two halves of one convolution of twice the
/// channels. All layers but the last are modulated by λ. The terms that drive a flow are products
/// of fields, which rectifiers have to imitate.
pub type Product<B> = Stack<B>;

settings!(/// Section `network.product`.
    Design { channels: usize, kernel: usize, dilations: Vec<usize>, segments: usize });

impl Stacked for Design {
    const NAME: &'static str = "product";

    fn check(&self) -> Result<()> {
        check_kernel(Self::NAME, self.kernel)?;
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

    fn meta(&self) -> NetworkMeta {
        NetworkMeta::Product {
            channels: self.channels,
            kernel: self.kernel,
            dilations: self.dilations.clone(),
            segments: self.segments,
        }
    }
}
