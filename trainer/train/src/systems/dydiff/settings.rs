//! The section of the configuration that belongs to Dynamical Diffusion.

use anyhow::{Result, ensure};
use finescale_model::dydiff::{Dydiff as About, Schedule};
use finescale_peers::dydiff::{Method, Noise, Start};

use crate::config::{Config, fraction, settings};
use crate::networks::Kind;

settings!(/// Section `dydiff`.
Dydiff {
    method: Method, history: usize, horizon: usize, steps: usize, rho: f64, noise: Noise,
    calls: usize, start: Start,
});

/// Most frames of a window, known or not.
const FRAMES_MAX: usize = 512;
/// Most steps of the process.
const STEPS_MAX: usize = 100_000;

impl Dydiff {
    /// What a model's file says of them.
    pub fn about(&self) -> About {
        let Self { method, history, horizon, steps, rho, noise, calls, start } = *self;
        let process = Schedule { steps, rho, noise };
        About { method, history, horizon, process, calls, start }
    }
}

/// Refuses settings that nothing can be trained with.
pub(crate) fn check(config: &Config) -> Result<()> {
    let Dydiff { method, history, horizon, steps, rho, noise, calls, .. } = config.dydiff;
    for (name, frames) in [("history", history), ("horizon", horizon)] {
        ensure!(
            (1..=FRAMES_MAX).contains(&frames),
            "dydiff.{name} is {frames}: use 1 to {FRAMES_MAX} frames"
        );
    }
    ensure!(
        (1..=STEPS_MAX).contains(&steps),
        "dydiff.steps is {steps}: use 1 to {STEPS_MAX} steps"
    );
    ensure!(
        (1..=steps).contains(&calls),
        "dydiff.calls is {calls}, and the process has {steps} steps: use 1 to {steps}"
    );
    // With 1 the filter of the last step could not be undone.
    fraction("dydiff.rho", rho)?;
    ensure!(
        method == Method::Dydiff || noise == Noise::Filtered,
        "dydiff.noise is \"white\", which is for the method \"dydiff\": set it to \"filtered\""
    );
    ensure!(
        config.network.kind != Kind::Linear,
        "network.kind is \"linear\", and dydiff has no closed form: use \"tiny\", \"product\", \
         \"unet\" or \"flex\""
    );
    Ok(())
}
