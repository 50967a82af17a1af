//! Training batches: windows are drawn on the host, everything else happens on the device.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use burn::tensor::{Distribution, Int, Tensor, TensorData, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::predictor::Window;
use super::tables::Tables;
use finescale_data::dataset::{SpectralFrames, spread, windows};

/// Unit normal noise that depends on the seed alone.
pub fn seeded_normal<B: Backend>(shape: [usize; 4], seed: u64, device: &B::Device) -> Tensor<B, 4> {
    // A backend has one generator for all threads: nobody may draw between the seed and its numbers.
    static GENERATOR: Mutex<()> = Mutex::new(());
    let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    B::seed(device, seed);
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// The clean frames of a part on a device.
#[derive(Clone, Debug)]
pub struct Frames<B: Backend> {
    /// `[frame, channels · modes]`.
    spectra: Tensor<B, 2>,
    /// First frames of all windows with a frame to predict.
    starts: Vec<usize>,
    segments: Vec<Range<usize>>,
    device: B::Device,
}

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
}

/// Noised windows with what there is to predict.
#[derive(Clone, Debug)]
pub struct Batch<B: Backend> {
    /// The windows.
    pub window: Window<B>,
    /// û^{n+1} − û^n of the noised path, `[batch, channels, modes]`.
    pub increment: Tensor<B, 3>,
    /// ε^n, the unit noise of the newest frame, `[batch, channels, modes]`.
    pub noise: Tensor<B, 3>,
}

impl<B: Backend> Frames<B> {
    /// Moves frames to a device; windows of `window` frames and one more are drawn from them.
    ///
    /// # Errors
    /// If no segment is long enough.
    pub fn new(frames: &SpectralFrames, window: usize, device: &B::Device) -> Result<Self> {
        let starts = frames.windows(window + 1)?;
        let width = frames.frame_len();
        let data = TensorData::new(frames.values.clone(), [frames.values.len() / width, width]);
        let (spectra, segments) = (Tensor::from_data(data, device), frames.segments.clone());
        Ok(Self { spectra, starts, segments, device: device.clone() })
    }

    /// Draws a training batch: windows at random, λ stratified over the batch, history dropped from some samples.
    /// The same seed and step give the same draw.
    pub fn draw(
        &self,
        batch: usize,
        lambdas: usize,
        window: usize,
        drop: f64,
        seed: u64,
        step: u64,
    ) -> Draw {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(step);
        let unit = |rng: &mut ChaCha8Rng| (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let below = |rng: &mut ChaCha8Rng, n: usize| (unit(rng) * n as f64) as usize % n;
        let starts = (0..batch).map(|_| self.starts[below(&mut rng, self.starts.len())]).collect();
        let stratum = |rng: &mut ChaCha8Rng, b: usize| (b as f64 + unit(rng)) / batch as f64;
        let lambdas = (0..batch)
            .map(|b| ((stratum(&mut rng, b) * lambdas as f64) as usize).min(lambdas - 1))
            .collect();
        let available = (0..batch)
            .map(|_| {
                let dropped = unit(&mut rng) < drop && window > 1;
                if dropped { 1 + below(&mut rng, window - 1) } else { window }
            })
            .collect();
        Draw { starts, lambdas, available, noise: rng.next_u64() }
    }

    /// Evenly spread windows, all at one λ with their whole history: the same at every validation.
    pub fn fixed(&self, count: usize, lambda: usize, window: usize) -> Draw {
        let n = count.min(self.starts.len());
        let starts = (0..n).map(|i| self.starts[i * self.starts.len() / n]).collect();
        Draw { starts, lambdas: vec![lambda; n], available: vec![window; n], noise: lambda as u64 }
    }

    /// Gathers, damps and noises the windows of a draw.
    pub fn batch(&self, draw: &Draw, tables: &Tables<B>) -> Batch<B> {
        let (batch, w) = (draw.starts.len(), tables.window);
        let shape = [batch, w + 1, tables.channels, tables.grid.points()];
        self.noised(draw, seeded_normal(shape, draw.noise, &self.device), tables)
    }

    /// The same with given unit noise, `[batch, window + 1, channels, modes]`, instead of the draw's.
    pub fn noised(&self, draw: &Draw, noise: Tensor<B, 4>, tables: &Tables<B>) -> Batch<B> {
        let (batch, w) = (draw.starts.len(), tables.window);
        let (channels, modes) = (tables.channels, tables.grid.points());
        let frames =
            draw.starts.iter().flat_map(|&start| (start..=start + w).map(|n| n as i32)).collect();
        let shape = [batch, w + 1, channels, modes];
        let clean =
            self.spectra.clone().select(0, tables.index(frames, &self.device)).reshape(shape);
        let lambda = tables.index(draw.lambdas.iter().map(|&l| l as i32).collect(), &self.device);
        let rows = draw.lambdas.iter().zip(&draw.available).map(|(&l, &a)| tables.row(l, a));
        let row = tables.index(rows.collect(), &self.device);
        let at = |table: &Tensor<B, 2>| {
            table.clone().select(0, lambda.clone()).reshape([batch, 1, 1, modes])
        };
        let path = clean * at(&tables.damping) + noise.clone() * at(&tables.noise);
        let newest = path.clone().narrow(1, w - 1, 1);
        let increment = (path.clone().narrow(1, w, 1) - newest).reshape([batch, channels, modes]);
        let noise = noise.narrow(1, w - 1, 1).reshape([batch, channels, modes]);
        let mut spectra = path.narrow(1, 0, w);
        if draw.available.iter().any(|&a| a < w) {
            let there =
                draw.available.iter().flat_map(|&a| (0..w).map(move |n| f32::from(n + a >= w)));
            let there = TensorData::new(there.collect::<Vec<_>>(), [batch, w, 1, 1]);
            spectra = spectra * Tensor::<B, 4>::from_data(there, &self.device);
        }
        Batch { window: Window { spectra, lambda, row }, increment, noise }
    }

    /// The device.
    pub fn device(&self) -> &B::Device {
        &self.device
    }

    /// Clean frames, `[index, channels · modes]`.
    pub fn at(&self, index: Tensor<B, 1, Int>) -> Tensor<B, 2> {
        self.spectra.clone().select(0, index)
    }

    /// Spectra of at most `count` runs of `frames` frames, evenly spread, `[frame][channel][mode]` each.
    ///
    /// # Errors
    /// As [`Frames::long_windows`].
    pub fn clean_paths(&self, frames: usize, count: usize) -> Result<Vec<Vec<f32>>> {
        let starts = self.long_windows(frames, count)?;
        let path = |start: usize| -> Vec<f32> {
            let data = self.spectra.clone().narrow(0, start, frames).into_data();
            data.convert::<f32>().to_vec().expect("the data were converted to f32")
        };
        Ok(starts.into_iter().map(path).collect())
    }

    /// First frames of at most `count` runs of `frames` frames, evenly spread.
    ///
    /// # Errors
    /// If no segment is that long.
    pub fn long_windows(&self, frames: usize, count: usize) -> Result<Vec<usize>> {
        Ok(spread(&windows(&self.segments, frames)?, count))
    }
}
