//! What a frame says of itself.

use serde::{Deserialize, Serialize};

/// Flags of a frame, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Status(pub u16);

impl Status {
    /// The array did not acknowledge its address.
    pub const NO_ANSWER: Self = Self(1);
    /// The transfer broke off.
    pub const BROKEN_OFF: Self = Self(1 << 1);
    /// Every value is that of the frames before: the array has stopped to measure.
    pub const FROZEN: Self = Self(1 << 2);
    /// A pixel is at the end of its range: it may be hotter than it says.
    pub const SATURATED: Self = Self(1 << 3);
    /// A pixel says what cannot be.
    pub const IMPOSSIBLE: Self = Self(1 << 4);
    /// The frame was not used: the one before stands for it.
    pub const LOST: Self = Self(1 << 5);
    /// The first frame that was used after one or more were not.
    pub const RECOVERED: Self = Self(1 << 6);
    /// The values do not look like what the model was trained on.
    pub const UNUSUAL: Self = Self(1 << 7);
    /// The model is damaged: the fine frame is interpolated.
    pub const NO_MODEL: Self = Self(1 << 8);
    /// Somewhere it is too hot.
    pub const ALARM: Self = Self(1 << 9);

    /// All flags with their names.
    pub const NAMES: [(Self, &'static str); 10] = [
        (Self::NO_ANSWER, "no answer"),
        (Self::BROKEN_OFF, "broken off"),
        (Self::FROZEN, "frozen"),
        (Self::SATURATED, "saturated"),
        (Self::IMPOSSIBLE, "impossible"),
        (Self::LOST, "lost"),
        (Self::RECOVERED, "recovered"),
        (Self::UNUSUAL, "unusual"),
        (Self::NO_MODEL, "no model"),
        (Self::ALARM, "alarm"),
    ];

    /// Raises a flag.
    pub fn raise(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    /// Whether a flag is raised.
    pub const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    /// The names of what is raised.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }
}
