//! What a predictor is at every λ.

use super::Calibration;
use crate::process::Kappa;
use crate::{Error, ForwardProcess, Grid, checked};

/// What a predictor is at every λ: its shape, the scratch that it needs, and what was measured.
#[derive(Clone, Copy, Debug)]
pub struct Description<'a> {
    /// The grid of every channel.
    pub grid: Grid,
    /// The forward process that noises the path.
    pub process: ForwardProcess,
    /// Channels of a frame.
    pub channels: usize,
    /// W, the longest window in frames. A window of fewer frames is one that starts at the path's
    /// first frame.
    pub window: usize,
    /// Values of scratch for an evaluation and its vector-Jacobian product.
    pub scratch_len: usize,
    /// P, the power of the clean data, `[channel][y mode][x mode]`: E û_0² of every real mode; of
    /// channels that the process couples, that of their combinations.
    pub power: &'a [f32],
    /// What was measured on the trained predictor.
    pub calibration: Calibration<'a>,
    /// Companions of a frame, fields that it sees beside the path: see
    /// [`Prepared::given`](super::Prepared::given). Most predictors see none.
    pub companions: usize,
    /// Whether there is a score head, so that [`Prepared::noise`](super::Prepared::noise) gives an
    /// estimate.
    pub score_head: bool,
}

impl<'a> Description<'a> {
    /// Values of a frame; never 0, which the compiler sees.
    #[inline]
    pub const fn frame_len(&self) -> usize {
        let values = checked::product(&[self.channels, self.grid.points()]);
        if values == 0 { 1 } else { values }
    }

    /// Values of the companions of a frame.
    pub const fn companions_len(&self) -> usize {
        checked::product(&[self.companions, self.grid.points()])
    }

    /// Refuses a predictor that sees companions, for what has none to give.
    pub(crate) const fn without_companions(&self) -> Result<(), Error> {
        if self.companions == 0 {
            return Ok(());
        }
        let expected = "one that sees no companions: give those of a whole path with `Given`";
        Err(Error::Conflict { name: "predictor", expected })
    }

    /// κ of every mode of a frame, its channel's.
    pub(crate) fn kappas(&self) -> impl Iterator<Item = Kappa> + use<'a> {
        let (grid, process) = (self.grid, self.process);
        (0..self.channels).flat_map(move |channel| process.kappas(&grid, channel))
    }
}
