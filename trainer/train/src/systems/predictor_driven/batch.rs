//! Training batches: windows are drawn on the host, everything else happens on the device.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use finescale::Grid;
use finescale_data::dataset::spread;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::predictor::NoisedWindow;
use super::tables::Tables;
use crate::config::Config;
use crate::engine::frames::{Frames, below, index, seeded_normal, unit};
use crate::engine::symmetries::{Drawn, moved};

/// Which windows a batch is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// First frame of each window.
    pub starts: Vec<usize>,
    /// Index of λ.
    pub lambdas: Vec<usize>,
    /// Frames available, 1 to W.
    pub available: Vec<usize>,
    /// Seed of the noise.
    pub noise: u64,
    /// The symmetry of each sample; none if the data have none.
    pub symmetries: Vec<Drawn>,
}

/// Noised windows with what there is to predict.
#[derive(Clone, Debug)]
pub struct Batch<B: Backend> {
    /// The windows.
    pub window: NoisedWindow<B>,
    /// û^{n+1} − û^n of the noised path, `[batch, channels, modes]`.
    pub increment: Tensor<B, 3>,
    /// ε^n, the unit noise of the newest frame, `[batch, channels, modes]`.
    pub noise: Tensor<B, 3>,
}

/// Draws a training batch: windows at random, λ stratified over the batch, history dropped from
/// some samples. The same seed and number give the same draw.
pub fn draw<B: Backend>(
    frames: &Frames<B>,
    config: &Config,
    lambdas: usize,
    grid: &Grid,
    number: u64,
) -> Draw {
    let (batch, window) = (config.training.batch, config.predictor.window);
    let (drop, starts) = (config.loss.history_drop, frames.starts());
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    rng.set_stream(number);
    let chosen = (0..batch).map(|_| starts[below(&mut rng, starts.len())]).collect();
    let stratum = |rng: &mut ChaCha8Rng, b: usize| (b as f64 + unit(rng)) / batch as f64;
    // The first samples of the strata are the clean ones; λ is as before without them.
    let share = config.lambda.clean;
    let first = usize::from(share > 0.0);
    let noised = (lambdas - first) as f64;
    let lambdas = (0..batch)
        .map(|b| {
            let place = (stratum(&mut rng, b) - share) / (1.0 - share);
            if place < 0.0 { 0 } else { (first + (place * noised) as usize).min(lambdas - 1) }
        })
        .collect();
    let available = (0..batch)
        .map(|_| {
            let dropped = unit(&mut rng) < drop && window > 1;
            if dropped { 1 + below(&mut rng, window - 1) } else { window }
        })
        .collect();
    let noise = rng.next_u64();
    let mut symmetries = Vec::new();
    if !config.symmetries.is_empty() {
        symmetries = (0..batch).map(|_| config.symmetries.draw(grid, &mut rng)).collect();
    }
    Draw { starts: chosen, lambdas, available, noise, symmetries }
}

/// Evenly spread windows, all at one λ with their whole history: the same at every validation.
pub fn fixed<B: Backend>(frames: &Frames<B>, count: usize, lambda: usize, window: usize) -> Draw {
    let starts = spread(frames.starts(), count);
    let n = starts.len();
    let (lambdas, available) = (vec![lambda; n], vec![window; n]);
    Draw { starts, lambdas, available, noise: lambda as u64, symmetries: Vec::new() }
}

/// Gathers, damps and noises the windows of a draw.
pub fn noised_windows<B: Backend>(frames: &Frames<B>, draw: &Draw, tables: &Tables<B>) -> Batch<B> {
    let shape = [draw.starts.len(), tables.window + 1, tables.channels, tables.grid.points()];
    noised_by(frames, draw, seeded_normal(shape, draw.noise, frames.device()), tables)
}

/// As [`noised_windows`] with given unit noise, `[batch, window + 1, channels, modes]`, instead of
/// the draw's.
pub fn noised_by<B: Backend>(
    clean: &Frames<B>,
    draw: &Draw,
    noise: Tensor<B, 4>,
    tables: &Tables<B>,
) -> Batch<B> {
    let (batch, w, device) = (draw.starts.len(), tables.window, clean.device());
    let (channels, modes) = (tables.channels, tables.grid.points());
    let frames =
        draw.starts.iter().flat_map(|&start| (start..=start + w).map(|n| n as i32)).collect();
    let shape = [batch, w + 1, channels, modes];
    let next = draw.starts.iter().map(|&start| (start + w) as i32).collect();
    let mut companions = clean.companions_at(index(next, device));
    let mut clean = clean.at(index(frames, device)).reshape(shape);
    if !draw.symmetries.is_empty() {
        let moved = |fields: Tensor<B, 2>| {
            let fields = fields.reshape([batch as i32, -1, modes as i32]);
            moved(fields, &tables.grid, &draw.symmetries)
        };
        let (ny, nx) = (tables.grid.ny() as i32, tables.grid.nx() as i32);
        let fields = tables.basis.inverse(clean.reshape([-1, modes as i32]));
        let fields = moved(fields.reshape([-1, modes as i32]));
        clean = tables.basis.forward(fields.reshape([-1, ny, nx])).reshape(shape);
        companions = companions.map(|fields| moved(fields).reshape([batch as i32, -1]));
    }
    let lambda = index(draw.lambdas.iter().map(|&l| l as i32).collect(), device);
    let rows = draw.lambdas.iter().zip(&draw.available).map(|(&l, &a)| tables.row(l, a));
    let row = index(rows.collect(), device);
    let at = |table: &Tensor<B, 2>| {
        table.clone().select(0, lambda.clone()).reshape([batch, 1, channels, modes])
    };
    let path = clean * at(&tables.damping) + noise.clone() * at(&tables.noise);
    let newest = path.clone().narrow(1, w - 1, 1);
    let increment = (path.clone().narrow(1, w, 1) - newest).reshape([batch, channels, modes]);
    let noise = noise.narrow(1, w - 1, 1).reshape([batch, channels, modes]);
    let mut spectra = path.narrow(1, 0, w);
    if draw.available.iter().any(|&a| a < w) {
        let there = draw.available.iter().flat_map(|&a| (0..w).map(move |n| f32::from(n + a >= w)));
        let there = TensorData::new(there.collect::<Vec<_>>(), [batch, w, 1, 1]);
        spectra = spectra * Tensor::<B, 4>::from_data(there, device);
    }
    Batch { window: NoisedWindow { spectra, lambda, row, companions }, increment, noise }
}
