//! How well a frame fits the model that it was drawn with.

use super::observation::Observation;
use crate::checked;
use crate::predictor::{Description, Prepared};

/// What the samplers noticed about their input.
///
/// **When to raise an alarm.** [`Health::chi2_per_mode`] is near 1 for fields like those that the
/// model was trained on, with a standard deviation of √(2/`measured`) if they are Gaussian, and a
/// larger one if they are not. A value above [`Health::ALARM`] says that the input is not what the
/// model knows: other units (kelvins for degrees Celsius give thousands), a broken pixel, another
/// season. The fine frame then still agrees with what was measured, but what the model adds to it
/// is worth little. Values near 0 say that the input has stopped to vary, as that of a frozen
/// sensor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Health {
    /// χ² of the measured modes under the model's climate: Σ ŷ²/(P + r). Of coarse frames, which
    /// have the noise of λ_max, Σ û²/(C²P + Σ) over all their modes. At most `f32::MAX`.
    pub chi2: f32,
    /// Real modes that were measured: the degrees of freedom of `chi2`.
    pub measured: u32,
    /// How often a bound moved a value that was not measured: [`Clip::state`](super::Clip) and
    /// [`Sampler::clamp`](super::Sampler), over all steps. The published sampler, which bounds
    /// every field at three standard deviations, does so all the time; our own, at five, hardly
    /// ever, unless something is wrong.
    pub clipped: u32,
}

impl Health {
    /// χ² for each degree of freedom above which an input should be taken for a fault: it varies
    /// twice as much as the training data do.
    pub const ALARM: f32 = 4.0;

    /// χ² for each degree of freedom; `None` where nothing was measured.
    pub fn chi2_per_mode(&self) -> Option<f32> {
        (self.measured > 0).then(|| self.chi2 / self.measured as f32)
    }

    /// Whether the measured modes are stronger than the model's by more than [`Health::ALARM`]
    /// allows.
    pub fn is_alarming(&self) -> bool {
        self.chi2_per_mode().is_some_and(|chi2| chi2 > Self::ALARM)
    }

    /// Adds what was measured of frame `n`.
    pub(super) fn observe(
        &mut self,
        description: &Description<'_>,
        observation: &Observation<'_>,
        n: u32,
    ) {
        let frame = description.frame_len();
        let Some(values) = observation.frame(frame, n) else { return };
        for (index, (y, power)) in checked::counted(checked::zip(values, description.power)) {
            let r = observation.variance(frame, n, index);
            if r.is_finite() {
                self.add(*y, power + r);
            }
        }
    }

    /// Adds a frame that is at the λ of the predictor.
    pub(super) fn observe_noised(&mut self, predictor: &Prepared<'_>, frame: &[f32]) {
        let modes = frame.iter().zip(predictor.power).zip(predictor.kappas());
        for ((u, power), kappa) in modes {
            self.add(*u, predictor.process.variance(kappa, predictor.lambda(), *power));
        }
    }

    /// Adds a value of so much variance.
    pub(crate) fn add(&mut self, value: f32, variance: f32) {
        // 0/0: a mode that the data do not have, and the measurement neither.
        let share = if value == 0.0 { 0.0 } else { value * (value / variance) };
        self.chi2 = (self.chi2 + share).min(f32::MAX);
        self.measured = self.measured.saturating_add(1);
    }
}
