//! What a program sees of a network while it computes.

use core::fmt;

/// Is told of every layer of a network when it is done: it counts instructions or time, feeds a
/// watchdog, or wakes a task. What it does changes no value.
///
/// `Downscaler::with_probe`, `MeanDownscaler::with_probe`, [`Trained::with_probe`] and
/// `ConditionalMean::with_probe` take one. For what stands around whole evaluations see
/// [`Wrapper`]; for a pause between them, `Downscaler::begin`.
///
/// [`Trained::with_probe`]: crate::predictor::Trained::with_probe
/// [`Wrapper`]: crate::predictor::Wrapper
pub trait Probe: Sync {
    /// Layer `layer`, from 0, has done this pass. What precedes layer 0, as transforms of the
    /// inputs, counts for it where times are taken from one call to the next.
    fn layer(&self, pass: Pass, layer: usize);
}

/// What a layer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Pass {
    /// Inputs to outputs.
    Forward,
    /// The same once more, for factors of products that were not kept.
    Again,
    /// A cotangent of the outputs to one of the inputs.
    Backward,
}

/// The probe of a network, or none.
#[derive(Clone, Copy, Default)]
pub(super) struct Probed<'a>(pub(super) Option<&'a dyn Probe>);

impl Probed<'_> {
    pub(super) fn layer(&self, pass: Pass, layer: usize) {
        if let Some(probe) = self.0 {
            probe.layer(pass, layer);
        }
    }
}

impl fmt::Debug for Probed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Probed" } else { "Unprobed" })
    }
}
