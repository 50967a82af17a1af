//! The network for boards.

use anyhow::{Result, ensure};
use finescale_model::NetworkMeta;

use super::stack::{Stack, Stacked, check_kernel};
use crate::config::settings;

/// Residual dilated convolutions over the window's fields, modulated by λ.
///
/// Every layer but the last: leaky((1 + γ)(conv(h) + b) + δ), added to h from the second on. The
/// last is a convolution, zero at first.
pub type Tiny<B> = Stack<B>;

settings!(/// Section `network.tiny`.
    Design { channels: usize, kernel: usize, dilations: Vec<usize> });

impl Stacked for Design {
    const NAME: &'static str = "tiny";

    fn check(&self) -> Result<()> {
        check_kernel(Self::NAME, self.kernel)?;
        ensure!(
            self.dilations.len() >= 2 && self.dilations.iter().all(|d| (1..=16).contains(d)),
            "network.tiny.dilations is {:?}: name at least two layers with dilations 1 to 16",
            self.dilations
        );
        ensure!(self.channels > 0, "network.tiny.channels is 0: use at least 1");
        Ok(())
    }

    fn meta(&self) -> NetworkMeta {
        NetworkMeta::Tiny {
            channels: self.channels,
            kernel: self.kernel,
            dilations: self.dilations.clone(),
        }
    }
}
