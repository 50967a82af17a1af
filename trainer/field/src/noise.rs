//! Streams of noise for every purpose of the program. Two purposes never share a stream, whatever
//! seeds people choose.
//!
//! The seed is all of a stream's key ([`finescale::noise`]), so two generators with one seed are
//! told apart by their counters: each purpose has a part of the step word to itself, the highest
//! byte. Philox takes the counters of one key to different words, one to one.
//!
//! | highest byte | purpose |
//! |---|---|
//! | 0 | [`Purpose::Sampling`]: steps of the sampler, which the runtime counts from 0 |
//! | 1, 2, … | the others, one each |
//! | 255 | [`Purpose::Sensor`] |
//!
//! What calibration, `export` and `validate` measure a model with are members too, of seeds of
//! their own: what they found is in the shipped files.
//!
//! Simulators, and the rest of training, draw from another generator, `ChaCha`.

use finescale::NoiseStream;

/// What normals are drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Members of an ensemble.
    Sampling = 0,
    /// Draws of the Wiener filter's posterior.
    Wiener = 1,
    /// Draws of the climatology.
    Climatology = 2,
    /// The forward process as `finescale damp` shows it.
    Damp = 3,
    /// Errors of coarse frames that a baseline learns from.
    Ridge = 4,
    /// Errors of coarse frames that a conditional mean is trained with.
    Training = 5,
    /// Errors of a sensor, added to coarse frames.
    Sensor = 255,
}

/// Steps that each purpose has; settings with which a sampler could take more are refused.
pub const STEPS: u32 = 1 << 24;

impl Purpose {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::Sampling,
        Self::Wiener,
        Self::Climatology,
        Self::Damp,
        Self::Ridge,
        Self::Training,
        Self::Sensor,
    ];

    /// The stream of a member and a frame at a step, which counts modulo [`STEPS`].
    pub const fn stream(self, seed: u64, member: u32, frame: u32, step: u32) -> NoiseStream {
        let step = (self as u32) * STEPS + step % STEPS;
        NoiseStream { seed, member, frame, draw: step }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If it failed, two generators could draw the same normals.
    #[test]
    fn no_two_purposes_share_a_step() {
        let mut seen = std::collections::BTreeSet::new();
        for purpose in Purpose::ALL {
            let steps = [0, 1, 77, STEPS - 1].map(|step| purpose.stream(5, 1, 2, step).draw);
            for step in steps {
                assert_eq!(step / STEPS, purpose as u32, "{purpose:?}");
                assert!(seen.insert(step), "{purpose:?} shares step {step}");
            }
            // Beyond its last step a purpose comes back to its own first.
            assert_eq!(purpose.stream(5, 1, 2, STEPS).draw, steps[0]);
        }
    }

    /// Shipped results: where members and a sensor's errors always were.
    #[test]
    fn the_models_own_addresses_are_kept() {
        let sampling = Purpose::Sampling.stream(9, 3, 4, 5);
        assert_eq!(sampling, NoiseStream { seed: 9, member: 3, frame: 4, draw: 5 });
        assert_eq!(Purpose::Sensor.stream(9, 3, 4, STEPS - 1).draw, u32::MAX);
    }
}
