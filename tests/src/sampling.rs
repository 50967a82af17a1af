//! What samplers draw, measured.

use finescale::predictor::Linear;
use finescale::sampler::Start;
use finescale::spectral::operator::pack;
use finescale::{Modes, NoiseStream, Path, Predictor, Sampler};

use crate::linear::{System, mode_of};
use crate::moments::{Tables, process};

/// Mean power of every complex mode over frames of `members` generated paths, over P.
pub fn generated_power(
    system: &System,
    sampler: &Sampler,
    tables: Option<&Tables>,
    window: usize,
    start: Start,
    (frames, members): (usize, u32),
) -> Vec<f64> {
    let n = system.grid.points();
    let autocovariance = system.autocovariance(window);
    let mut memory = vec![0.0; Linear::memory_len(&system.grid, 1, window)];
    let mut linear =
        Linear::new(&system.grid, &process(system), 1, &autocovariance, &mut memory).expect("fits");
    if let Some(tables) = tables {
        linear = linear.with_calibration(tables.calibration());
    }
    let mut scratch = vec![0.0; sampler.scratch_len(linear.describe(), frames)];
    let mut power = vec![0.0; system.modes().len()];
    for member in 0..members {
        let stream = NoiseStream { seed: 2026, member, frame: 0, draw: 0 };
        let mut path = vec![f32::NAN; frames * n];
        sampler
            .generate(&mut linear, start, None, &stream, Path::modes_mut(&mut path), &mut scratch)
            .expect("a path");
        for frame in path.chunks_exact_mut(n) {
            pack(&system.grid, Modes::from_mut(frame)).expect("a spectrum");
        }
        for (power, mode) in power.iter_mut().zip(system.modes()) {
            // A packed pair holds √2 û.
            let share = if mode.place.im.is_some() { 0.5 } else { 1.0 };
            let sum: f64 = mode_of(&path, n, mode.place).iter().map(|u| u.norm_sqr()).sum();
            *power += share * sum / (f64::from(members) * frames as f64 * mode.power);
        }
    }
    power
}
