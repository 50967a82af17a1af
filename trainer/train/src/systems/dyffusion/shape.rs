//! The two networks as functions of fields and times.

use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use finescale_model::dyffusion::{Dyffusion, Part};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::engine::kernels::Kernels;
use crate::networks::{Fields, Network, Settings};
use crate::systems::windows::fields::{How, column, evaluate};

/// What fields there are, and what is learned of them.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The grid.
    pub grid: Grid,
    /// Channels of a frame.
    pub channels: usize,
    /// What is learned.
    pub about: Dyffusion,
}

impl Shape {
    /// A network before its first step, as the seed draws it; none where the settings have none.
    pub fn fresh<B: Backend>(
        &self,
        part: Part,
        settings: &Settings,
        seed: u64,
        device: &B::Device,
    ) -> Option<Network<B>> {
        let fields = Fields {
            grid: self.grid,
            inputs: self.about.input_fields(part, self.channels),
            outputs: self.channels,
            lambda: true,
            task: None,
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // The two networks begin with different numbers.
        rng.set_stream(part as u64);
        settings.build(fields, &mut rng, device)
    }

    /// I: frames at `times` between the first and the last, `[batch, channels, y, x]` each.
    pub fn interpolate<B: Kernels>(
        &self,
        network: &Network<B>,
        [first, last]: [Tensor<B, 4>; 2],
        times: &[f64],
        how: How<'_>,
    ) -> Tensor<B, 4> {
        let seen = Tensor::cat(vec![first.clone(), last.clone()], 1);
        let out = evaluate(network, seen, self.fractions(times), how);
        if !self.about.residual {
            return out;
        }
        let share = times.iter().map(|time| (time / self.horizon()) as f32).collect();
        let share = column(share, &out.device());
        out + first.clone() + (last - first) * share
    }

    /// F: last frames of the windows, from the states at `times`; of a control the frames at
    /// `times`, from the first ones.
    pub fn forecast<B: Kernels>(
        &self,
        network: &Network<B>,
        state: Tensor<B, 4>,
        condition: Option<Tensor<B, 4>>,
        times: &[f64],
        how: How<'_>,
    ) -> Tensor<B, 4> {
        let seen = std::iter::once(state.clone()).chain(condition).collect();
        let out = evaluate(network, Tensor::cat(seen, 1), self.fractions(times), how);
        if self.about.residual { out + state } else { out }
    }

    /// Times as parts of a window.
    fn fractions(&self, times: &[f64]) -> impl Iterator<Item = f64> {
        let horizon = self.horizon();
        times.iter().map(move |time| time / horizon)
    }

    fn horizon(&self) -> f64 {
        self.about.window.horizon as f64
    }
}
