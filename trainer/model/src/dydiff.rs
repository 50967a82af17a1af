//! What the description of a Dynamical Diffusion model adds: one network that tells the noise of
//! all frames of a window, of which the first are known.
//!
//! Fields are standardised: (field − mean)/std of the channel. The network sees, side by side, the
//! frames of the window with noise and then the known ones without; the step j of T as
//! [`lambda_features`] of 1000^((j + 1)/T − 1). It gives the noise of every frame. Its weights are
//! `network.…`.
//!
//! [`lambda_features`]: crate::reference::lambda_features

use anyhow::Result;
use finescale_peers::dydiff::{Chain, Method, Noise, Start};
use serde::{Deserialize, Serialize};

use crate::SystemMeta;

/// What Dynamical Diffusion adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dydiff {
    /// Where the filter is.
    pub method: Method,
    /// Known frames, the first of a window.
    pub history: usize,
    /// Frames of a window after them.
    pub horizon: usize,
    /// What noise is added.
    pub process: Schedule,
    /// Evaluations of the network for a window where nobody says otherwise.
    pub calls: usize,
    /// The step of the first one.
    pub start: Start,
}

/// The steps of the process.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Schedule {
    /// T.
    pub steps: usize,
    /// ρ: how strong the filter gets.
    pub rho: f64,
    /// Whether the noise is filtered.
    pub noise: Noise,
}

impl SystemMeta for Dydiff {
    const NAME: &'static str = "dydiff";
}

impl Dydiff {
    /// Frames of a window.
    pub const fn frames(&self) -> usize {
        self.history + self.horizon
    }

    /// Fields that the network sees of so many channels.
    pub const fn input_fields(&self, channels: usize) -> usize {
        (self.frames() + self.history) * channels
    }

    /// Fields that it gives.
    pub const fn output_fields(&self, channels: usize) -> usize {
        self.frames() * channels
    }

    /// The process.
    ///
    /// # Errors
    /// As [`Chain::new`].
    pub fn chain(&self) -> Result<Chain> {
        let Schedule { steps, rho, noise } = self.process;
        Chain::new(steps, rho, noise, self.method)
    }

    /// A step as the network sees it, above 0 and at most 1.
    pub fn time(&self, step: usize) -> f64 {
        (step + 1) as f64 / self.process.steps as f64
    }

    /// What a table calls it.
    pub fn name(&self) -> String {
        let Schedule { rho, noise, .. } = self.process;
        let noise = if noise == Noise::White { ", white noise" } else { "" };
        let method = match self.method {
            Method::Dydiff if rho == 0.0 => return "ordinary diffusion".into(),
            Method::Dydiff => "Dynamical Diffusion",
            Method::OuterFilter => "outer filter",
            Method::FilteredLoss => "filtered loss",
        };
        format!("{method}{noise}")
    }
}
