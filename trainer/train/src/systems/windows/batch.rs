//! Windows of frames: which ones a batch has, and their frames on a device.

use std::ops::Range;

use anyhow::Result;
use burn::tensor::{Tensor, backend::AutodiffBackend, backend::Backend};
use finescale::{Grid, Modes, spectral};
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::config::Config;
use crate::engine::frames::{Frames, below, index};
use crate::engine::symmetries::{Drawn, moved};

/// Both parts on a device, as standardised fields.
pub struct Held<A: AutodiffBackend> {
    /// The training part.
    pub train: Frames<A::InnerBackend>,
    /// The validation part.
    pub valid: Frames<A::InnerBackend>,
}

/// Which windows a batch has, and a step in each.
pub struct Draw {
    /// First frames.
    pub starts: Vec<usize>,
    /// A frame or a step of each window.
    pub steps: Vec<usize>,
    /// The symmetry of each window; none if the data have none.
    pub symmetries: Vec<Drawn>,
}

/// A part's frames as standardised fields.
///
/// # Errors
/// As [`SpectralFrames::read`].
pub fn fields(reader: &Reader, split: Split) -> Result<SpectralFrames> {
    let mut frames = SpectralFrames::read(reader, split)?;
    let mut scratch = vec![0.0; spectral::scratch_len(&frames.grid)];
    spectral::inverse(&frames.grid, Modes::from_mut(&mut frames.values), &mut scratch)?;
    Ok(frames)
}

/// Draws a batch with steps of a range. The same seed, stage and number give the same draw.
pub fn draw<B: Backend>(
    frames: &Frames<B>,
    config: &Config,
    grid: &Grid,
    steps: &Range<usize>,
    [stage, number]: [u64; 2],
) -> Draw {
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    rng.set_stream((stage << 48) + number);
    let (batch, all) = (config.training.batch, frames.starts());
    let starts = (0..batch).map(|_| all[below(&mut rng, all.len())]).collect();
    let steps = (0..batch).map(|_| steps.start + below(&mut rng, steps.len())).collect();
    let mut symmetries = Vec::new();
    if !config.symmetries.is_empty() {
        symmetries = (0..batch).map(|_| config.symmetries.draw(grid, &mut rng)).collect();
    }
    Draw { starts, steps, symmetries }
}

impl Draw {
    /// Frames of every window, `[batch, channels, y, x]` for each of `places`, which gives a frame's
    /// place in a window from the window's step.
    pub fn frames<B: Backend, const N: usize>(
        &self,
        frames: &Frames<B>,
        grid: &Grid,
        places: [&dyn Fn(usize) -> usize; N],
    ) -> [Tensor<B, 4>; N] {
        let all = self.side_by_side(frames, grid, &places);
        let channels = all.dims()[1] / N;
        std::array::from_fn(|n| all.clone().narrow(1, n * channels, channels))
    }

    /// The first frames of every window, `[batch, frames · channels, y, x]`.
    pub fn first<B: Backend>(&self, frames: &Frames<B>, grid: &Grid, count: usize) -> Tensor<B, 4> {
        let places: Vec<_> = (0..count).map(|place| move |_| place).collect();
        let places: Vec<&dyn Fn(usize) -> usize> = places.iter().map(|place| place as _).collect();
        self.side_by_side(frames, grid, &places)
    }

    fn side_by_side<B: Backend>(
        &self,
        frames: &Frames<B>,
        grid: &Grid,
        places: &[&dyn Fn(usize) -> usize],
    ) -> Tensor<B, 4> {
        let windows = self.starts.iter().zip(&self.steps);
        let at = windows.flat_map(|(start, step)| {
            places.iter().map(move |place| (start + place(*step)) as i32)
        });
        let (batch, points, count) = (self.starts.len(), grid.points(), places.len());
        let all = frames.at(index(at.collect(), frames.device()));
        let channels = all.dims()[1] / points;
        let mut all = all.reshape([batch, count * channels, points]);
        if !self.symmetries.is_empty() {
            all = moved(all, grid, &self.symmetries);
        }
        all.reshape([batch, count * channels, grid.ny(), grid.nx()])
    }
}
