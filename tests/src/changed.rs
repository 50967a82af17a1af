//! A linear predictor of which some answers are changed.

use finescale::predictor::{Description, Linear, Prepared, Wrapper};
use finescale::{Error, Modes, Path, Predictor};

/// Changes an increment after it was computed.
type Increment<'a> = Box<dyn Fn(&Prepared<'_>, &mut [f32]) + Sync + 'a>;
/// Computes the noise of a window's newest frame.
type Noise<'a> = Box<dyn Fn(&Prepared<'_>, &[f32], &mut [f32]) + Sync + 'a>;

/// A linear predictor some of whose answers are changed.
pub struct Changed<'a> {
    /// What computes.
    pub linear: Linear<'a>,
    /// What happens to its answers.
    pub changes: Changes<'a>,
}

/// What happens to a predictor's answers.
pub struct Changes<'a> {
    /// What happens to increments.
    pub increment: Increment<'a>,
    /// The score head in place of the predictor's.
    pub noise: Option<Noise<'a>>,
}

impl Predictor for Changed<'_> {
    fn describe(&self) -> &Description<'_> {
        self.linear.describe()
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        Ok(self.linear.prepare(lambda)?.wrapped(&self.changes))
    }
}

impl Wrapper for Changes<'_> {
    fn increment(
        &self,
        inner: &Prepared<'_>,
        window: &Path<Modes>,
        increment: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        inner.increment(Path::modes(window), Modes::from_mut(increment), scratch)?;
        (self.increment)(inner, increment);
        Ok(())
    }

    fn noise(
        &self,
        inner: &Prepared<'_>,
        window: &Path<Modes>,
        noise: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let Some(head) = &self.noise else {
            return inner.noise(Path::modes(window), Modes::from_mut(noise), scratch);
        };
        head(inner, window, noise);
        Ok(())
    }
}
