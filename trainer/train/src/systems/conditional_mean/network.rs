//! What is trained: a network, and fields that it sees everywhere and at all times.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData, backend::Backend};
use finescale::Grid;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::config::{Config, Precision};
use crate::engine::kernels::Kernels;
use crate::networks::initial::values_within;
use crate::networks::{Fields, Forward, Network};

/// Largest value of a map at first that says nothing of a place in a block.
const SMALL: f32 = 0.1;

/// Maps before the first step, `[map, y, x]`: a cosine and a sine along each axis, as long as a
/// coarse cell, as far as there are maps for them; the others are small and random.
///
/// What a sensor mixes depends on where its points lie, and a convolution does not know: without
/// such waves it takes for one what is another at each place in a block.
fn maps<B: Backend>(
    count: usize,
    grid: &Grid,
    ratio: usize,
    rng: &mut ChaCha8Rng,
    device: &B::Device,
) -> Param<Tensor<B, 3>> {
    let (ny, nx) = (grid.ny(), grid.nx());
    let wave = move |map: usize| {
        let along_y = map / 2 == 1;
        (0..ny * nx).map(move |n| {
            let place = if along_y { n / nx } else { n % nx } % ratio;
            let angle = std::f32::consts::TAU * place as f32 / ratio as f32;
            if map.is_multiple_of(2) { angle.cos() } else { angle.sin() }
        })
    };
    let waves = count.min(if grid.is_line() { 2 } else { 4 });
    let mut values: Vec<f32> = (0..waves).flat_map(wave).collect();
    values.extend(values_within((count - waves) * ny * nx, SMALL, rng));
    Param::from_tensor(Tensor::from_data(TensorData::new(values, [count, ny, nx]), device))
}

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
        let fields = Fields { grid: *grid, inputs, outputs: channels, lambda: false, task: None };
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let network = config.network.build(fields, &mut rng, device)?;
        let (count, ratio) = (config.mean.maps, config.sensor.ratio);
        let maps = (count > 0).then(|| maps(count, grid, ratio, &mut rng, device));
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
