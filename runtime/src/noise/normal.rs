//! Uniform words to normal variates.

use core::f32::consts::TAU;

const TWO_POW_MINUS_32: f32 = 1.0 / 4_294_967_296.0;

/// Two independent unit normal variates from two uniform 32-bit words, by Box and Muller's
/// transform: radius √(−2 ln u), u = (w₀ + ½)/2³², angle 2π w₁/2³².
///
/// The radius is at most 6.77 (the tail beyond has a probability of 1.2e-10); near the centre it is
/// as fine as f32 resolves 1 − u, 3.5e-4. All transcendentals are libm's, so the bits are the same
/// on every target.
pub fn normal_pair(w0: u32, w1: u32) -> (f32, f32) {
    let u = (w0 as f32 + 0.5) * TWO_POW_MINUS_32;
    let radius = libm::sqrtf(-2.0 * libm::logf(u));
    let (sin, cos) = libm::sincosf(w1 as f32 * TWO_POW_MINUS_32 * TAU);
    (radius * cos, radius * sin)
}
