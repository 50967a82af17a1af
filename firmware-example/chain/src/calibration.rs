//! Steps of the array's registers to degrees.

use crate::COARSE;
use crate::thermal::Reading;

/// Degrees of a step of a pixel's register.
pub const STEP: f32 = 0.25;
/// Steps outside which no value of a thermal array of this kind can be right: −20 to 100 °C.
const POSSIBLE: core::ops::RangeInclusive<i16> = -80..=400;
/// Steps at which the array is at the end of its range: 80 °C.
const FULL: i16 = 320;

/// What is known of every pixel.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    /// Degrees that are added.
    pub offset: [f32; COARSE],
    /// Whether its values mean nothing.
    pub dead: [bool; COARSE],
}

impl Calibration {
    /// Writes degrees; those of dead pixels are 0, and read by nobody.
    pub fn degrees(&self, reading: &Reading, celsius: &mut [f32; COARSE]) {
        let pixels = reading.steps.iter().zip(&self.offset).zip(&self.dead);
        for (to, ((steps, offset), dead)) in celsius.iter_mut().zip(pixels) {
            *to = if *dead { 0.0 } else { f32::from(*steps) * STEP + offset };
        }
    }

    /// Whether a pixel that is not dead is at the end of its range, and whether one cannot be right.
    pub fn judge(&self, reading: &Reading) -> (bool, bool) {
        let alive = || reading.steps.iter().zip(&self.dead).filter(|(_, dead)| !**dead);
        let impossible = alive().any(|(steps, _)| !POSSIBLE.contains(steps));
        let full = alive().any(|(steps, _)| *steps >= FULL) || reading.overflow;
        (full, impossible)
    }
}
