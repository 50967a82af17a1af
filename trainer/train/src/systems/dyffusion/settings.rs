//! The section of the configuration that belongs to DYffusion.

use anyhow::{Result, ensure};
use finescale_model::dyffusion::{Dyffusion as About, Method};
use finescale_peers::dyffusion::{Conditioning, LastStep, Masks, Sampling, Window};

use crate::config::{Config, fraction, settings};
use crate::networks::Kind;

settings!(/// Section `dyffusion`.
Dyffusion {
    method: Method, horizon: usize, extra: usize, conditioning: Conditioning, residual: bool,
    dropout: f64, forecaster_dropout: f64, look_ahead: f64, detach: bool, interpolator: String,
    sampling: Sampling, masks: Masks, last_step: LastStep, refine: bool,
});

/// Most frames of a window, and most further steps.
const FRAMES_MAX: usize = 512;

impl Dyffusion {
    /// What a model's file says of them.
    pub fn about(&self) -> About {
        About {
            method: self.method,
            window: Window {
                horizon: self.horizon,
                extra: self.extra,
                sampling: self.sampling,
                masks: self.masks,
                last: self.last_step,
                conditioning: self.conditioning,
                refine: self.refine,
            },
            dropout: if self.method == Method::Deterministic { 0.0 } else { self.dropout },
            residual: self.residual,
        }
    }
}

/// Refuses settings that nothing can be trained with.
pub(crate) fn check(config: &Config) -> Result<()> {
    let settings = &config.dyffusion;
    let Dyffusion { horizon, extra, .. } = *settings;
    ensure!(
        (2..=FRAMES_MAX).contains(&horizon),
        "dyffusion.horizon is {horizon}: use 2 to {FRAMES_MAX} frames"
    );
    ensure!(extra <= FRAMES_MAX, "dyffusion.extra is {extra}: use at most {FRAMES_MAX} steps");
    fraction("dyffusion.dropout", settings.dropout)?;
    fraction("dyffusion.forecaster-dropout", settings.forecaster_dropout)?;
    fraction("dyffusion.look-ahead", settings.look_ahead)?;
    ensure!(
        config.network.kind != Kind::Linear,
        "network.kind is \"linear\", and dyffusion has no closed form: use \"tiny\", \"product\" or \
         \"unet\""
    );
    if settings.method != Method::Dyffusion {
        ensure!(
            settings.interpolator.is_empty(),
            "dyffusion.interpolator is for the method \"dyffusion\", and the controls have none: \
             leave it, or --interpolator, out"
        );
        ensure!(
            settings.conditioning == Conditioning::None,
            "dyffusion.conditioning is for the method \"dyffusion\": the controls see the first \
             frame itself, so set it to \"none\""
        );
    }
    Ok(())
}
