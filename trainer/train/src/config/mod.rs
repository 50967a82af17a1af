//! The configuration of a training: what all systems share, and the sections of each.

pub mod presets;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use finescale::Grid;
use finescale::model::View;

use finescale_host::layers::{self, Settings};

use crate::engine::symmetries::Symmetries;
use crate::networks;
use crate::systems;
use crate::systems::conditional_mean::settings as conditional;
use crate::systems::dydiff::settings as dydiff;
use crate::systems::dyffusion::settings as dyffusion;
use crate::systems::flex::settings as flex;
use crate::systems::predictor_driven::settings as driven;

/// A configuration under construction: defaults, a preset, a file and flags.
pub type Layers = layers::Layers<Config>;

/// Every key, its meaning and its default: what `finescale train --print-config` prints.
pub const DEFAULTS: &str = include_str!("default.toml");

/// A section: see `default.toml` for the meaning of every field.
macro_rules! settings {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[allow(missing_docs)]
        pub struct $name { $(pub $field: $kind),* }
    };
}
pub(crate) use settings;

/// A setting that takes one of some words.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[allow(missing_docs)]
        pub enum $name { $($variant),* }
    };
}
pub(crate) use choice;

settings!(/// All settings.
Config {
    seed: u64, system: systems::Name, symmetries: Symmetries, process: driven::Process,
    lambda: driven::Lambda, network: networks::Settings,
    predictor: driven::Predictor, loss: driven::Loss, training: Training,
    report: Report, calibration: driven::Calibration, sampling: driven::Sampling,
    sensor: conditional::Sensor, mean: conditional::Mean, dyffusion: dyffusion::Dyffusion,
    dydiff: dydiff::Dydiff, flex: flex::Flex,
});
settings!(/// Section `training`.
Training {
    steps: usize, batch: usize, accumulate: usize, learning_rate: f64, warmup: usize, decay: Decay,
    weight_decay: f64, clip: f64, ema: f64, keep: Keep, precision: Precision,
});
settings!(/// Section `report`.
    Report { every: usize, windows: usize, rollout: usize });

choice!(/// How the learning rate falls.
    Decay { Cosine, Constant });
choice!(/// Which weights become the model.
    Keep { Last, Best });
choice!(/// Numbers inside the network.
    Precision { Full, Mixed });

impl Default for Config {
    fn default() -> Self {
        toml_edit::de::from_str(DEFAULTS).expect("default.toml is complete")
    }
}

impl Settings for Config {
    const DEFAULTS: &'static str = DEFAULTS;
    const ALL: &'static str = "`finescale train --print-config` shows all";

    fn check(&self) -> Result<()> {
        self.network.check()?;
        self.system.check(self)?;
        self.training.check()?;
        self.report.check()
    }
}

impl Config {
    /// Reads a complete configuration, as a run folder keeps it.
    ///
    /// # Errors
    /// If it cannot be read, or a key is missing or unknown.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        toml_edit::de::from_str(&text).with_context(|| {
            format!("{} is damaged, or was written by another version", path.display())
        })
    }
}

impl Training {
    fn check(&self) -> Result<()> {
        for (name, value) in
            [("steps", self.steps), ("batch", self.batch), ("accumulate", self.accumulate)]
        {
            ensure!(value > 0, "training.{name} is 0: use at least 1");
        }
        for (name, value) in [("learning-rate", self.learning_rate), ("clip", self.clip)] {
            ensure!(
                value > 0.0 && value.is_finite(),
                "training.{name} is {value}: use more than 0"
            );
        }
        // With 1 nothing would be left of the weights.
        fraction("training.weight-decay", self.weight_decay)?;
        // With 1 the average would stay what it was at first.
        fraction("training.ema", self.ema)
    }
}

impl Report {
    fn check(&self) -> Result<()> {
        ensure!(
            self.every > 0 && self.windows > 0 && self.rollout > 0,
            "report.every, report.windows and report.rollout are {}, {} and {}: use at least 1",
            self.every,
            self.windows,
            self.rollout
        );
        Ok(())
    }
}

/// Refuses views that are none, or two the same; `name` is their setting.
pub(crate) fn views(name: &str, views: &[View]) -> Result<()> {
    ensure!(
        !views.is_empty() && views.iter().enumerate().all(|(n, view)| !views[..n].contains(view)),
        "{name} is {:?}: name at least one view, and none twice",
        views.iter().map(|view| view.name()).collect::<Vec<_>>()
    );
    Ok(())
}

/// Refuses views that a grid does not have.
pub(crate) fn views_on(name: &str, views: &[View], grid: &Grid) -> Result<()> {
    ensure!(
        !(grid.is_line() && views.contains(&View::Velocity)),
        "{name} has \"velocity\", which only planes have: use \"gradient\" on a line"
    );
    Ok(())
}

/// Refuses what is no fraction below 1.
pub(crate) fn fraction(name: &str, value: f64) -> Result<()> {
    ensure!((0.0..1.0).contains(&value), "{name} is {value}: use 0 or more and less than 1");
    Ok(())
}
