//! The two frames of a packet in °C, without what was not measured.

use finescale_chain::setup::CALIBRATION;
use finescale_chain::{Packet, Status};

/// A share of the way by which a range of colours shrinks from frame to frame: at once it would
/// flicker.
const SHRINK: f32 = 0.05;

/// Degrees of a value of a packet.
pub(super) fn celsius(hundredths: i16) -> f32 {
    f32::from(hundredths) / 100.0
}

/// What was measured, as packets have it; `None` for pixels that are dead and where the array gave
/// no frame.
pub(super) fn measured(packet: &Packet) -> impl Iterator<Item = Option<i16>> {
    let none = packet.status.has(Status::NO_ANSWER) || packet.status.has(Status::BROKEN_OFF);
    let pixels = packet.coarse.iter().zip(&CALIBRATION.dead);
    pixels.map(move |(value, dead)| (!none && !dead).then_some(*value))
}

/// Coarse and fine frame in °C; NaN for dead pixels, and for all of a coarse frame that was not
/// used.
pub(super) fn frames(packet: &Packet) -> [Vec<f32>; 2] {
    let used = !packet.status.has(Status::LOST);
    let coarse = measured(packet).map(|value| value.filter(|_| used).map_or(f32::NAN, celsius));
    [coarse.collect(), packet.fine.iter().map(|value| celsius(*value)).collect()]
}

/// A range of temperatures that follows the frames.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span(Option<(f32, f32)>);

impl Span {
    /// Takes in the frames: it widens at once, and narrows slowly.
    pub(super) fn follow(&mut self, frames: &[Vec<f32>; 2]) {
        let known = || frames.iter().flatten().copied().filter(|value| value.is_finite());
        let (low, high) =
            (known().fold(f32::INFINITY, f32::min), known().fold(f32::NEG_INFINITY, f32::max));
        if low <= high {
            let (from, to) = self.0.unwrap_or((low, high));
            let low = low.min(from + SHRINK * (low - from));
            self.0 = Some((low, high.max(to + SHRINK * (high - to))));
        }
    }

    /// Its ends in °C.
    pub(super) fn ends(self) -> (f64, f64) {
        let (low, high) = self.0.unwrap_or((0.0, 1.0));
        (f64::from(low), f64::from(high))
    }
}
