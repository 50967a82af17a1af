//! What the program does, and the bits that come of it; the desktop's tests read this file too.

use finescale::sampler::Schedule;
use finescale::{Instrument, Sampler, Values};

/// Every fourth wave of the flow, on 8 × 8 points, right to a hundredth.
pub(crate) const SENSOR: Instrument<'static> =
    Instrument::new([8, 8], Values::Points).with_noise(&[0.01]);
/// Coarse frames, little-endian f32.
pub(crate) static FRAMES: &[u8] =
    include_bytes!("../../../../tests/golden/vectors/kolmogorov-8x8.f32");
/// Values of one of them.
pub(crate) const POINTS: usize = 8 * 8;
/// Frames that a fine one is behind.
pub(crate) const LAG: usize = 1;
/// The digests of all fine frames with weights in f32, in int8, and in int8 with activations in
/// int16.
pub(crate) const DIGESTS: [u32; 3] = [0xCB42_C6F8, 0x3AC9_3AE8, 0x74A9_F0F8];

/// The model's own sampler with fewer steps: an example is to be quick.
pub(crate) fn sampler(recommended: &Sampler) -> Sampler {
    Sampler { lambdas: Schedule::Power { steps: 2, exponent: 2 }, ..*recommended }
}

/// A digest of the bits of values, which goes on from that of those before.
pub(crate) fn digest(before: u32, values: &[f32]) -> u32 {
    values.iter().fold(before, |digest, value| digest.rotate_left(5) ^ value.to_bits())
}
