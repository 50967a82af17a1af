//! What is trained: a network, and fields that it sees everywhere and at all times.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::config::{Config, Precision};
use crate::engine::kernels::Kernels;
use crate::networks::initial::within;
use crate::networks::{Fields, Forward, Network};

/// Largest value of a map at first.
const SMALL: f32 = 0.1;

/// A network with its maps.
#[derive(Module, Debug)]
pub struct Mapped<B: Backend> {
    /// The network.
    pub network: Network<B>,
    /// `[map, y, x]`; none if there are none.
    pub maps: Option<Param<Tensor<B, 3>>>,
}

impl<B: Backend> Mapped<B> {
    /// Before the first step, as the seed draws it; none where the base is all there is.
    pub fn fresh(
        config: &Config,
        grid: &Grid,
        channels: usize,
        device: &B::Device,
    ) -> Option<Self> {
        let inputs = config.mean.input_fields(grid, channels);
        let fields = Fields { grid: *grid, inputs, outputs: channels, lambda: false };
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let network = config.network.build(fields, &mut rng, device)?;
        let shape = [config.mean.maps, grid.ny(), grid.nx()];
        let maps = (config.mean.maps > 0).then(|| within(shape, SMALL, &mut rng, device));
        Some(Self { network, maps })
    }
}

impl<B: Kernels> Mapped<B> {
    /// `[batch, fields of all frames, y, x]` to `[batch, channels, y, x]`.
    pub fn forward(&self, fields: Tensor<B, 4>, precision: Precision) -> Tensor<B, 4> {
        let fields = match &self.maps {
            None => fields,
            Some(maps) => {
                let maps = maps.val().unsqueeze::<4>().repeat_dim(0, fields.dims()[0]);
                Tensor::cat(vec![fields, maps], 1)
            }
        };
        self.network.forward(fields, None, precision)
    }
}
