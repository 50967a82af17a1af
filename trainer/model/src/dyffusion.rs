//! What the description of a DYffusion model adds: an interpolator I(x₀, x_h, i) of the frames of a
//! window and a forecaster F(s, i) of its last one, or one network F(x₀, i) for all of them, which
//! is a control.
//!
//! Fields are standardised: (field − mean)/std of the channel. A network sees fields side by side,
//! and the time i of a frame of the window as [`lambda_features`] of 1000^(i/h − 1).
//!
//! | array | shape | meaning |
//! |---|---|---|
//! | `network.interpolator.…` | | weights of I, which sees x₀ and x_h; none for a control |
//! | `network.forecaster.…` | | weights of F, which sees the state, and its condition where there is one |
//!
//! [`lambda_features`]: crate::reference::lambda_features

use std::collections::BTreeMap;

use finescale_peers::dyffusion::{Conditioning, Window};
use serde::{Deserialize, Serialize};

use crate::{Array, Meta, Model, SystemMeta};

/// What DYffusion adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dyffusion {
    /// What was learned.
    pub method: Method,
    /// The window, and how it is sampled where nobody says otherwise.
    pub window: Window,
    /// Probability with which a value behind an activation is dropped in sampling: of I, or of the
    /// one network of [`Method::Dropout`].
    pub dropout: f64,
    /// Whether networks give what is added to the straight line between the two frames, and to the
    /// state.
    pub residual: bool,
}

/// What is learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// I and F.
    #[default]
    Dyffusion,
    /// One network for all frames of the window, whose dropout is on in sampling: a control.
    Dropout,
    /// One network for all frames of the window, without draws: a control.
    Deterministic,
}

/// A network of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// I.
    Interpolator,
    /// F.
    Forecaster,
}

impl SystemMeta for Dyffusion {
    const NAME: &'static str = "dyffusion";
}

impl Part {
    /// As its arrays have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interpolator => "interpolator",
            Self::Forecaster => "forecaster",
        }
    }
}

impl Dyffusion {
    /// Fields that a network sees of so many channels.
    pub fn input_fields(&self, part: Part, channels: usize) -> usize {
        let two = part == Part::Interpolator || self.window.conditioning != Conditioning::None;
        if two { 2 * channels } else { channels }
    }

    /// What a table calls it.
    pub const fn name(&self) -> &'static str {
        match self.method {
            Method::Dyffusion => "DYffusion",
            Method::Dropout => "dropout",
            Method::Deterministic => "deterministic",
        }
    }
}

impl Meta<Dyffusion> {
    /// Fields that a network sees.
    pub fn input_fields(&self, part: Part) -> usize {
        self.system.input_fields(part, self.channels.len())
    }
}

impl Model<Dyffusion> {
    /// Puts in the weights of a network, `network.…` by its own names.
    pub fn put(&mut self, part: Part, weights: BTreeMap<String, Array>) {
        let named = weights.into_iter().filter_map(|(name, array)| {
            let name = name.strip_prefix("network.")?;
            Some((format!("network.{}.{name}", part.name()), array))
        });
        self.arrays.extend(named);
    }

    /// The weights of a network, `network.…` by its own names; none where it has no such network.
    pub fn weights(&self, part: Part) -> BTreeMap<String, Array> {
        let prefix = format!("network.{}.", part.name());
        let named = self.arrays.iter().filter_map(|(name, array)| {
            Some((format!("network.{}", name.strip_prefix(&prefix)?), array.clone()))
        });
        named.collect()
    }
}
