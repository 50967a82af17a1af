//! Losses that have not been looked at yet.

use anyhow::{Result, ensure};

use super::metrics::Bands;
use crate::engine::Trainable;
use crate::engine::frames::numbers;
use crate::engine::learner::Losses;

/// Losses of steps that are done, which a GPU may still compute.
pub(super) struct Pending<A: Trainable> {
    losses: Vec<(usize, Losses<A>)>,
    pub(super) bands: Bands,
    symbol: &'static str,
}

impl<A: Trainable> Pending<A> {
    pub(super) fn new(bands: Bands, symbol: &'static str) -> Self {
        Self { losses: Vec::new(), bands, symbol }
    }

    /// The losses of a step.
    pub(super) fn add(&mut self, step: usize, losses: Vec<Losses<A>>) {
        self.losses.extend(losses.into_iter().map(|losses| (step, losses)));
    }

    /// Waits for the pending losses; gives their mean.
    ///
    /// # Errors
    /// If one is not finite: says at which step and level.
    pub(super) fn look(&mut self) -> Result<f64> {
        let (mut sum, mut count) = (0.0, 0_u32);
        for (step, losses) in self.losses.drain(..) {
            for (&level, loss) in losses.levels.iter().zip(numbers(losses.values)) {
                let at = match self.symbol {
                    "" => String::new(),
                    symbol => format!(" at {symbol} = {level:.4}"),
                };
                ensure!(
                    loss.is_finite(),
                    "the training diverged at step {step}: the loss{at} is {loss}. The last checkpoint is kept; use a lower training.learning-rate or \
                     training.clip"
                );
                self.bands.add(level, f64::from(loss));
                sum += f64::from(loss);
                count += 1;
            }
        }
        Ok(sum / f64::from(count.max(1)))
    }
}
