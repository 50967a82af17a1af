//! The runtime's predictor of a model, with memory from the heap.

use std::cell::Cell;

use anyhow::{Context, Result};
use finescale::predictor::{Calibration, Linear, Trained};
use finescale::{Error, ForwardProcess, Grid, Predictor};

use super::HostModel;
use super::progress::Progress;

/// Makes the predictor of a model and gives it to `task`: the network on its base, or the base alone where there is no
/// network or it was left out.
///
/// # Errors
/// If the model does not fit the runtime; whatever `task` says.
pub fn with_predictor<T>(
    model: &HostModel,
    task: impl FnOnce(&mut dyn Predictor) -> Result<T>,
) -> Result<T> {
    let view = model.view()?;
    if !model.is_linear() {
        let mut memory = vec![0.0; Trained::memory_len(&view)];
        let mut predictor = Trained::new(&view, &mut memory).context("the model cannot be used")?;
        return task(&mut predictor);
    }
    // What was measured on a network says nothing of its base alone, which stays uncalibrated.
    let (grid, channels) = (*view.grid(), view.channels());
    let mut memory = vec![0.0; Linear::memory_len(&grid, channels, view.window())];
    let mut predictor =
        Linear::new(&grid, view.process(), channels, view.autocovariance(), &mut memory)
            .context("the linear base of the model cannot be used")?;
    task(&mut predictor)
}

/// A predictor that counts its evaluations, tells the progress, and refuses to go on after Ctrl-C.
pub(super) struct Watched<'a> {
    inner: &'a mut dyn Predictor,
    calls: Cell<u64>,
    progress: &'a Progress,
}

impl<'a> Watched<'a> {
    pub(super) fn new(inner: &'a mut dyn Predictor, progress: &'a Progress) -> Self {
        Self { inner, calls: Cell::new(0), progress }
    }

    /// Evaluations since the last time; a VJP counts as one more.
    pub(super) fn take_calls(&self) -> u64 {
        self.calls.take()
    }

    fn call(&self) -> Result<(), Error> {
        self.calls.set(self.calls.get() + 1);
        self.progress.tick();
        // Any error ends the task; the one who called looks at the flag itself.
        finescale_host::interrupt::check().map_err(|_| Error::NotPrepared)
    }
}

impl Predictor for Watched<'_> {
    fn grid(&self) -> &Grid {
        self.inner.grid()
    }

    fn process(&self) -> &ForwardProcess {
        self.inner.process()
    }

    fn channels(&self) -> usize {
        self.inner.channels()
    }

    fn window(&self) -> usize {
        self.inner.window()
    }

    fn scratch_len(&self) -> usize {
        self.inner.scratch_len()
    }

    fn prepare(&mut self, lambda: f32) -> Result<(), Error> {
        self.inner.prepare(lambda)
    }

    fn lambda(&self) -> f32 {
        self.inner.lambda()
    }

    fn power(&self) -> &[f32] {
        self.inner.power()
    }

    fn innovation(&self, frames: usize) -> &[f32] {
        self.inner.innovation(frames)
    }

    fn coefficient(&self, frames: usize, j: usize) -> &[f32] {
        self.inner.coefficient(frames, j)
    }

    fn calibration(&self) -> &Calibration<'_> {
        self.inner.calibration()
    }

    fn increment(
        &self,
        window: &[f32],
        increment: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.call()?;
        self.inner.increment(window, increment, scratch)
    }

    fn vjp(
        &self,
        cotangent: &[f32],
        gradient: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.call()?;
        self.inner.vjp(cotangent, gradient, scratch)
    }

    fn has_score_head(&self) -> bool {
        self.inner.has_score_head()
    }

    fn noise(&self, window: &[f32], noise: &mut [f32], scratch: &mut [f32]) -> Result<(), Error> {
        self.call()?;
        self.inner.noise(window, noise, scratch)
    }
}
