//! Random numbers that depend on (seed, trajectory) alone.
//!
//! ChaCha with 8 rounds is counter-based: the seed is its key and the trajectory its stream, so any
//! trajectory can be made alone, on any thread, with the same bits.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal, StandardUniform};

/// The generator of one trajectory.
pub(crate) struct Noise(ChaCha8Rng);

impl Noise {
    /// Stream `trajectory` of the generator keyed by `seed`.
    pub(crate) fn new(seed: u64, trajectory: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(trajectory);
        Self(generator)
    }

    /// One standard normal number.
    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// One number that is uniform from 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        StandardUniform.sample(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, trajectory| {
            let mut noise = Noise::new(seed, trajectory);
            std::array::from_fn::<f64, 4, _>(|_| noise.normal())
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn numbers_are_standard_normal() {
        // Fails if a uniform or badly scaled source slips in; 5 standard errors of each moment.
        let mut noise = Noise::new(7, 0);
        let count = 100_000;
        let (mut mean, mut square, mut fourth) = (0.0, 0.0, 0.0);
        for _ in 0..count {
            let z = noise.normal();
            mean += z / count as f64;
            square += z * z / count as f64;
            fourth += z.powi(4) / count as f64;
        }
        assert!(mean.abs() < 5.0 / (count as f64).sqrt());
        assert!((square - 1.0).abs() < 5.0 * (2.0 / count as f64).sqrt());
        assert!((fourth - 3.0).abs() < 5.0 * (96.0 / count as f64).sqrt());
    }
}
