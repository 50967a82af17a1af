//! A push into a window whose drawing is done in small pieces.

use super::drawing::Drawing;
use super::online::{FineFrame, Online};
use super::{Health, Sensor, Workspace};
use crate::checked::OrBug;
use crate::predictor::Description;
use crate::{Error, Modes, Predictor};

/// A reading that was taken, and whose frame is being drawn: see [`Online::begin`] and
/// [`Drawing`], whose pieces these are.
///
/// Dropped before [`Pushing::finish`], it leaves the window as if the reading had never come.
#[derive(Debug)]
pub struct Pushing<'o, 'a> {
    online: &'o mut Online<'a>,
    drawing: Drawing,
    /// Of a sensor that measures modes; that of coarse frames comes with the drawing.
    health: Option<Health>,
}

impl<'o, 'a> Pushing<'o, 'a> {
    pub(super) fn new(
        online: &'o mut Online<'a>,
        description: &Description<'_>,
    ) -> Result<Self, Error> {
        let health = match online.sensor() {
            Sensor::Coarse(_) | Sensor::CoarseVarying => {
                online.lay_readings();
                None
            }
            Sensor::Measured(_) | Sensor::MeasuredVarying => {
                let oldest = online.oldest() as u32;
                let (origin, _) = online.window(description)?;
                let mut health = Health::default();
                if let Some(seen) = origin.observation {
                    health.observe(description, &seen.with_known(0), oldest);
                }
                Some(health)
            }
        };
        let drawing = Drawing::new(*online.sampler(), online.noise());
        Ok(Self { online, drawing, health })
    }

    /// Draws the next piece; gives whether it was the last one. `predictor` and `scratch`: see
    /// [`Drawing::advance`].
    ///
    /// # Errors
    /// As [`Online::push`].
    pub fn advance(
        &mut self,
        predictor: &mut dyn Predictor,
        scratch: &mut [f32],
    ) -> Result<bool, Error> {
        let (origin, path) = self.online.window(predictor.describe())?;
        self.drawing.advance(predictor, &origin, path, scratch)
    }

    /// The same with scratch in two parts: see [`Drawing::advance_in`].
    ///
    /// # Errors
    /// As [`Online::push`].
    pub fn advance_in(
        &mut self,
        predictor: &mut dyn Predictor,
        workspace: &mut Workspace<'_>,
    ) -> Result<bool, Error> {
        let (origin, path) = self.online.window(predictor.describe())?;
        self.drawing.advance_in(predictor, &origin, path, workspace)
    }

    /// Gives the fine frame and moves the window. Before the last piece it gives the best that there
    /// is, marked as [`FineFrame::unfinished`]; later frames take it for what was there.
    ///
    /// # Errors
    /// As [`Online::push`].
    pub fn finish(self, description: &Description<'_>) -> Result<FineFrame<'o>, Error> {
        let Self { online, drawing, health } = self;
        let (origin, path) = online.window(description)?;
        let unfinished = drawing.estimate(description, &origin, path)?;
        let drawn = drawing.health();
        let health = health.map_or(drawn, |health| Health { clipped: drawn.clipped, ..health });
        let done = online.close(description);
        Ok(FineFrame { values: Modes::new(online.path().get(done).or_bug()), health, unfinished })
    }
}
