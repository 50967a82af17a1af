//! The main job in small: a shipped model makes fine frames of coarse ones, the same bits
//! everywhere.

use finescale::model::{Aligned, Model};
use finescale::predictor::Trained;
use finescale::sampler::{Coarse, Observation, Schedule};
use finescale::{Axis, Error, Field, Grid, Modes, NoiseStream, Path, Sampler, spectral};

/// Kolmogorov flow on 32 × 32 points, weights of eight bits.
static INT8: &Aligned<[u8]> =
    &Aligned(*include_bytes!("../../../models/kolmogorov-32/kolmogorov-32-int8.finescale"));
/// The same with activations of sixteen bits.
static INT16: &Aligned<[u8]> =
    &Aligned(*include_bytes!("../../../models/kolmogorov-32/kolmogorov-32-int16.finescale"));
/// Four frames of its vorticity on 8 × 8 points, little-endian f32: every fourth wave is all that
/// is left.
static COARSE: &[u8] = include_bytes!("../vectors/kolmogorov-8x8.f32");

/// Values of a fine frame.
const FINE: usize = 32 * 32;
/// Values of a coarse frame.
const COARSE_POINTS: usize = 8 * 8;
/// Most frames.
pub const FRAMES_MAX: usize = 4;
/// Values of a path.
pub const PATH: usize = FRAMES_MAX * FINE;
/// Values of memory for the predictor: [`Trained::memory_len`].
pub const MEMORY: usize = 11_510;
/// Values of scratch: [`Sampler::scratch_len`] for [`FRAMES_MAX`] frames, and two frames for the
/// measurement.
pub const SCRATCH: usize = 43_240;

/// A super-resolution with a shipped model.
pub struct Downscale {
    /// Its name.
    pub name: &'static str,
    /// Frames of the window.
    pub frames: usize,
    /// Steps in λ.
    pub steps: u32,
    /// Whether it is small enough for a processor without a floating-point unit.
    pub quick: bool,
    model: &'static Aligned<[u8]>,
    bytes: &'static [u8],
}

/// The cases.
pub static DOWNSCALES: &[Downscale] = &[
    Downscale {
        name: "downscale-kolmogorov-quick",
        frames: 2,
        steps: 1,
        quick: true,
        model: INT8,
        bytes: include_bytes!("../vectors/downscale-kolmogorov-quick.f32"),
    },
    Downscale {
        name: "downscale-kolmogorov",
        frames: 4,
        steps: 4,
        quick: false,
        model: INT8,
        bytes: include_bytes!("../vectors/downscale-kolmogorov.f32"),
    },
    Downscale {
        name: "downscale-kolmogorov-int16-quick",
        frames: 2,
        steps: 1,
        quick: true,
        model: INT16,
        bytes: include_bytes!("../vectors/downscale-kolmogorov-int16-quick.f32"),
    },
    Downscale {
        name: "downscale-kolmogorov-int16",
        frames: 4,
        steps: 4,
        quick: false,
        model: INT16,
        bytes: include_bytes!("../vectors/downscale-kolmogorov-int16.f32"),
    },
];

impl Downscale {
    /// Values of the result.
    pub fn values(&self) -> usize {
        self.frames.saturating_mul(FINE)
    }

    /// Super-resolves; fine vorticity is in the first [`Downscale::values`] values of `path`,
    /// `[frame][y][x]`.
    ///
    /// # Errors
    /// Whatever the runtime refuses; no committed case is refused.
    pub fn run(
        &self,
        path: &mut [f32; PATH],
        memory: &mut [f32; MEMORY],
        scratch: &mut [f32; SCRATCH],
    ) -> Result<(), Error> {
        let model = Model::parse(&self.model.0)?;
        let mut predictor = Trained::new(&model, memory)?;
        let (fine, process) = (*model.grid(), *model.process());
        let axis = |axis: Axis| Axis::new(8, axis.boundary())?.with_length(axis.length());
        let coarse = Grid::plane(axis(fine.y().unwrap_or(fine.x()))?, axis(fine.x())?)?;
        let (mean, std) =
            model.channel_descriptions().next().map_or((0.0, 1.0), |c| (c.mean, c.std));

        let path = path.get_mut(..self.values()).unwrap_or_default();
        let (measured, scratch) = cut(scratch, self.values())?;
        let (variances, scratch) = cut(scratch, FINE)?;
        let (pixels, scratch) = cut(scratch, COARSE_POINTS)?;
        let frames = COARSE.as_chunks::<4>().0;
        for (n, measured) in (0..usize::MAX).zip(measured.chunks_exact_mut(FINE)) {
            for (pixel, word) in pixels.iter_mut().zip(frames.iter().skip(n * COARSE_POINTS)) {
                *pixel = (f32::from_le_bytes(*word) - mean) / std;
            }
            spectral::forward(&coarse, Field::from_mut(pixels), scratch)?;
            spectral::refine(&coarse, Modes::coarse(pixels), &fine, Modes::from_mut(measured))?;
        }
        // Waves up to the third were measured, with a noise of a hundredth of a standard deviation.
        for (variance, (ky, kx)) in variances.iter_mut().zip(fine.wavenumbers()) {
            *variance = if ky < 3.5 && kx < 3.5 { 1e-4 } else { f32::INFINITY };
        }
        for (value, measured) in path.iter_mut().zip(measured.iter()) {
            *value = *measured;
        }
        let ours = Sampler::ancestral(0.35);
        let lambdas = Schedule::Geometric { steps: self.steps, smallest: 2e-3 };
        let sampler = Sampler { lambdas, ..ours };
        process.damp(&fine, sampler.lambda, Modes::from_mut(path))?;
        let stream = NoiseStream { seed: 0x5EED_F1E1_D000_0003, member: 0, frame: 0, draw: 0 };
        let observation = Observation::new(&fine, Path::modes(measured), variances)?;
        sampler.super_resolve(
            &mut predictor,
            Coarse::Clean,
            Some(&observation),
            &stream,
            Path::modes_mut(path),
            scratch,
        )?;
        spectral::inverse(&fine, Modes::from_mut(path), scratch)?;
        for value in path.iter_mut() {
            *value = mean + std * *value;
        }
        Ok(())
    }

    /// First index whose bits differ from the golden ones: (index, got, expected).
    pub fn first_mismatch(&self, result: &[f32]) -> Option<(usize, f32, f32)> {
        super::first_mismatch(self.bytes, result)
    }

    /// Whether there are as many golden values as the result has.
    pub fn is_complete(&self) -> bool {
        self.bytes.len() == self.values().saturating_mul(4)
    }
}

/// The first `len` values of `scratch`, and the rest.
fn cut(scratch: &mut [f32], len: usize) -> Result<(&mut [f32], &mut [f32]), Error> {
    let too_short = Error::ScratchLength { values: scratch.len(), needed: len };
    scratch.split_at_mut_checked(len).ok_or(too_short)
}
