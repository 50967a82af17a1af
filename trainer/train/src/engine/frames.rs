//! Clean frames on a device, and where runs of frames begin in them.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use burn::tensor::{Distribution, Int, Tensor, TensorData, backend::Backend};
use finescale_data::dataset::{SpectralFrames, spread, windows};
use rand_chacha::rand_core::Rng;

/// Unit normal noise that depends on the seed alone.
pub fn seeded_normal<B: Backend>(shape: [usize; 4], seed: u64, device: &B::Device) -> Tensor<B, 4> {
    // A backend has one generator for all threads: nobody may draw between the seed and its
    // numbers.
    static GENERATOR: Mutex<()> = Mutex::new(());
    let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    B::seed(device, seed);
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Uniform in 0 … 1.
pub fn unit(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// One of 0 … n − 1.
pub fn below(rng: &mut impl Rng, n: usize) -> usize {
    (unit(rng) * n as f64) as usize % n
}

/// Indices as a tensor.
pub fn index<B: Backend>(indices: Vec<i32>, device: &B::Device) -> Tensor<B, 1, Int> {
    let n = indices.len();
    Tensor::from_data(TensorData::new(indices, [n]), device)
}

/// A tensor's numbers.
pub fn numbers<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().convert::<f32>().to_vec().expect("the data were converted to f32")
}

/// The clean frames of a part on a device.
#[derive(Clone, Debug)]
pub struct Frames<B: Backend> {
    /// `[frame, channels · modes]`.
    spectra: Tensor<B, 2>,
    /// First frames of all windows with a frame to predict.
    starts: Vec<usize>,
    segments: Vec<Range<usize>>,
    /// What is known beside every frame, `[frame, field · point]`.
    companions: Option<Tensor<B, 2>>,
    device: B::Device,
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
        Ok(Self { spectra, starts, segments, companions: None, device: device.clone() })
    }

    /// The same with companions of every frame, `[frame][field][y][x]`; none where there are none.
    pub fn with_companions(self, companions: Vec<f32>) -> Self {
        let frames = self.spectra.dims()[0];
        let width = companions.len() / frames;
        let tensor = |data| Tensor::from_data(TensorData::new(data, [frames, width]), &self.device);
        let companions = (width > 0).then(|| tensor(companions));
        Self { companions, ..self }
    }

    /// Companions of frames, `[index, field · point]`.
    pub fn companions_at(&self, index: Tensor<B, 1, Int>) -> Option<Tensor<B, 2>> {
        Some(self.companions.clone()?.select(0, index))
    }

    /// First frames of all windows with a frame to predict.
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The device.
    pub fn device(&self) -> &B::Device {
        &self.device
    }

    /// Clean frames, `[index, channels · modes]`.
    pub fn at(&self, index: Tensor<B, 1, Int>) -> Tensor<B, 2> {
        self.spectra.clone().select(0, index)
    }

    /// Spectra of at most `count` runs of `frames` frames, evenly spread, `[frame][channel][mode]`
    /// each.
    ///
    /// # Errors
    /// As [`Frames::long_windows`].
    pub fn clean_paths(&self, frames: usize, count: usize) -> Result<Vec<Vec<f32>>> {
        self.paths_of(&self.spectra, frames, count)
    }

    /// Their companions, `[frame][field][y][x]` each; no paths where there are none.
    ///
    /// # Errors
    /// As [`Frames::long_windows`].
    pub fn companion_paths(&self, frames: usize, count: usize) -> Result<Vec<Vec<f32>>> {
        match &self.companions {
            Some(companions) => self.paths_of(companions, frames, count),
            None => Ok(Vec::new()),
        }
    }

    fn paths_of(&self, of: &Tensor<B, 2>, frames: usize, count: usize) -> Result<Vec<Vec<f32>>> {
        let starts = self.long_windows(frames, count)?;
        let path = |start: usize| numbers(of.clone().narrow(0, start, frames));
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
