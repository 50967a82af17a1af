//! The conditional mean of a live sensor, frame by frame.

use super::ConditionalMean;
use crate::checked::{self, OrBug, Place, product};
use crate::model::MeanModel;
use crate::{CoarseGrid, Error, Field};

/// One coarse frame in, one fine frame out, b frames later.
///
/// ```text
///   coarse frames kept, at most a + 1 + b
///   │ n − a … n − 1 │ n │ n + 1 … n + b ◀── push
///                     └─▶ fine frame n
/// ```
///
/// A frame that the sensor has lost is pushed as `None`: the one before stands for it, as in the
/// training. The first b pushes give nothing. The results have the bits of
/// [`ConditionalMean::evaluate`] on the whole path.
#[derive(Debug)]
pub struct Stream<'a> {
    mean: ConditionalMean<'a>,
    frames: &'a mut [f32],
    /// Frames pushed so far, up to b.
    pushed: usize,
    /// Whether any frame has come yet.
    begun: bool,
}

impl<'a> Stream<'a> {
    /// Values of memory beside the mean's own: the frames of a window.
    pub fn memory_len(model: &MeanModel<'_>) -> usize {
        product(&[model.frames(), model.coarse_len()])
    }

    /// An empty window in at least [`Stream::memory_len`] values of memory.
    ///
    /// # Errors
    /// [`Error::MemoryLength`].
    pub fn new(mean: ConditionalMean<'a>, memory: &'a mut [f32]) -> Result<Self, Error> {
        let (values, needed) = (memory.len(), Self::memory_len(mean.model()));
        let frames = memory.get_mut(..needed).ok_or(Error::MemoryLength { values, needed })?;
        Ok(Self { mean, frames, pushed: 0, begun: false })
    }

    /// The mean.
    pub const fn mean(&self) -> &ConditionalMean<'a> {
        &self.mean
    }

    /// The coarse frame that the last fine one belongs to; where it was lost, what stood for it.
    pub fn measured(&self) -> &Field<CoarseGrid> {
        let len = self.mean.coarse_len();
        Field::coarse(checked::rows(self.frames, len).nth(self.mean.model().before()).or_bug())
    }

    /// Makes room for a frame behind the others.
    fn shift(&mut self, len: usize) {
        for n in 0..self.frames.len().saturating_sub(len) {
            let value = self.frames.get(n.plus(len)).copied().or_bug();
            if let Some(place) = self.frames.get_mut(n) {
                *place = value;
            }
        }
    }

    /// Takes a frame, `[channel][y][x]` at the sensor's points in the units of the channels; writes
    /// the fine frame that was measured b frames before to `fine`, and says whether there is one.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless the frame is one of the sensor's, [`Error::NotFinite`] for a
    /// value that is no number: the frame was not taken then. Otherwise as
    /// [`ConditionalMean::evaluate`].
    pub fn push(
        &mut self,
        frame: Option<&Field<CoarseGrid>>,
        fine: &mut Field,
        scratch: &mut [f32],
    ) -> Result<bool, Error> {
        let len = self.mean.coarse_len();
        if let Some(frame) = frame {
            let refused = Error::FieldLength { values: frame.len(), points: len };
            if frame.len() != len {
                return Err(refused);
            }
            Error::finite("frame", frame)?;
        }
        if self.begun {
            self.shift(len);
            if let (Some(frame), Some(newest)) =
                (frame, self.frames.len().checked_sub(len).and_then(|at| self.frames.get_mut(at..)))
            {
                checked::zip(newest, frame).for_each(|(to, value)| *to = *value);
            }
        } else {
            // The first frame stands for all before it.
            let Some(frame) = frame else { return Ok(false) };
            for place in checked::rows_mut(self.frames, len) {
                checked::zip(place, frame).for_each(|(to, value)| *to = *value);
            }
            self.begun = true;
        }
        if self.pushed < self.mean.model().after() {
            self.pushed = self.pushed.saturating_add(1);
            return Ok(false);
        }
        let frames = &*self.frames;
        self.mean.window(|j| checked::rows(frames, len).nth(j).or_bug(), fine, scratch)?;
        Ok(true)
    }
}
