//! The runtime's predictor of a model, with memory from the heap.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Context, Result};
use finescale::predictor::{Description, Linear, Prepared, Trained, Wrapper};
use finescale::{Error, Predictor};

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
    watch: Watch<'a>,
}

struct Watch<'a> {
    calls: AtomicU64,
    progress: &'a Progress,
}

impl<'a> Watched<'a> {
    pub(super) fn new(inner: &'a mut dyn Predictor, progress: &'a Progress) -> Self {
        Self { inner, watch: Watch { calls: AtomicU64::new(0), progress } }
    }

    /// Evaluations since the last time; a VJP counts as one more.
    pub(super) fn take_calls(&self) -> u64 {
        self.watch.calls.swap(0, Relaxed)
    }
}

impl Predictor for Watched<'_> {
    fn describe(&self) -> &Description<'_> {
        self.inner.describe()
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        Ok(self.inner.prepare(lambda)?.wrapped(&self.watch))
    }
}

impl Watch<'_> {
    fn call(&self) -> Result<(), Error> {
        self.calls.fetch_add(1, Relaxed);
        self.progress.tick();
        // The one who called looks at the flag itself.
        finescale_host::interrupt::check().map_err(|_| Error::Stopped)
    }
}

impl Wrapper for Watch<'_> {
    fn increment(
        &self,
        inner: &Prepared<'_>,
        window: &[f32],
        increment: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.call()?;
        inner.increment(window, increment, scratch)
    }

    fn vjp(
        &self,
        inner: &Prepared<'_>,
        cotangent: &[f32],
        gradient: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.call()?;
        inner.vjp(cotangent, gradient, scratch)
    }

    fn noise(
        &self,
        inner: &Prepared<'_>,
        window: &[f32],
        noise: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.call()?;
        inner.noise(window, noise, scratch)
    }
}
