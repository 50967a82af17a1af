//! A linear predictor of which some answers are changed.

use finescale::predictor::{Calibration, Linear};
use finescale::{Error, ForwardProcess, Grid, Predictor};

/// Changes an increment after it was computed.
type Increment<'a> = Box<dyn Fn(&Linear<'_>, &mut [f32]) + 'a>;
/// Computes the noise of a window's newest frame.
type Noise<'a> = Box<dyn Fn(&Linear<'_>, &[f32], &mut [f32]) + 'a>;

/// A linear predictor whose increments are changed, or that has another score head.
pub struct Changed<'a> {
    /// What computes.
    pub linear: Linear<'a>,
    /// What happens to its increments.
    pub increment: Increment<'a>,
    /// Its score head.
    pub noise: Option<Noise<'a>>,
}

impl Predictor for Changed<'_> {
    fn grid(&self) -> &Grid {
        self.linear.grid()
    }
    fn process(&self) -> &ForwardProcess {
        self.linear.process()
    }
    fn channels(&self) -> usize {
        self.linear.channels()
    }
    fn window(&self) -> usize {
        self.linear.window()
    }
    fn scratch_len(&self) -> usize {
        self.linear.scratch_len()
    }
    fn prepare(&mut self, lambda: f32) -> Result<(), Error> {
        self.linear.prepare(lambda)
    }
    fn lambda(&self) -> f32 {
        self.linear.lambda()
    }
    fn power(&self) -> &[f32] {
        self.linear.power()
    }
    fn innovation(&self, frames: usize) -> &[f32] {
        self.linear.innovation(frames)
    }
    fn coefficient(&self, frames: usize, j: usize) -> &[f32] {
        self.linear.coefficient(frames, j)
    }
    fn calibration(&self) -> &Calibration<'_> {
        self.linear.calibration()
    }
    fn increment(&self, w: &[f32], f: &mut [f32], scratch: &mut [f32]) -> Result<(), Error> {
        self.linear.increment(w, f, scratch)?;
        (self.increment)(&self.linear, f);
        Ok(())
    }
    fn vjp(&self, v: &[f32], g: &mut [f32], scratch: &mut [f32]) -> Result<(), Error> {
        self.linear.vjp(v, g, scratch)
    }
    fn has_score_head(&self) -> bool {
        self.noise.is_some()
    }
    fn noise(&self, window: &[f32], noise: &mut [f32], _: &mut [f32]) -> Result<(), Error> {
        let head = self.noise.as_ref().ok_or(Error::NoScoreHead)?;
        head(&self.linear, window, noise);
        Ok(())
    }
}
