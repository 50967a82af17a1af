//! The sections of the configuration that belong to conditional means.

use anyhow::{Result, ensure};
use finescale::Grid;
use finescale::model::{View, Views};
use finescale::predictor::Linear;
use finescale_field::coarsening::SensorKind;
use finescale_model::conditional::Base;

use crate::config::{Config, fraction, settings, views, views_on};
use crate::networks::Kind;

settings!(/// Section `sensor`.
    Sensor { kind: SensorKind, ratio: usize, noise: f32, lost: f64 });
settings!(/// Section `mean`.
Mean {
    before: usize, after: usize, base: Base, rank: usize, inputs: Vec<View>, maps: usize,
    climatology: bool, window: usize, ends: f64,
});

/// Most frames before or after.
const FRAMES_MAX: usize = 16;
/// Most learned maps.
const MAPS_MAX: usize = 32;
/// Most predictors of a ridge: its normal equations are solved for every fine point.
const PREDICTORS_MAX: usize = 768;

impl Mean {
    /// F, the frames that are seen.
    pub fn frames(&self) -> usize {
        self.before + 1 + self.after
    }

    /// Whether nothing but a network and its learned maps tells one place from another.
    pub fn is_the_same_everywhere(&self) -> bool {
        self.base == Base::Interpolation && !self.climatology
    }

    /// What the network sees of a frame.
    pub fn views(&self) -> Views {
        self.inputs.iter().copied().collect()
    }

    /// Fields that the network sees of so many channels.
    pub fn input_fields(&self, grid: &Grid, channels: usize) -> usize {
        self.views().fields(grid, self.frames(), channels) + self.maps
    }

    /// Numbers between coarse and fine values, of a ridge between so many of each.
    pub fn rank_of(&self, predictors: usize, targets: usize) -> usize {
        if self.rank == 0 { predictors.min(targets) } else { self.rank }
    }

    /// Refuses what does not go together with data of so many channels on a fine grid, and a sensor
    /// of so many points.
    pub(super) fn check_on(
        &self,
        kind: Kind,
        fine: &Grid,
        coarse: usize,
        channels: usize,
    ) -> Result<()> {
        if kind != Kind::Linear {
            views_on("mean.inputs", &self.inputs, fine)?;
        }
        let most = Linear::EQUATIONS_MAX / channels;
        ensure!(
            self.window <= most,
            "mean.window is {}, and boards have no room for so many frames of {channels} channels: \
             use at most {most}",
            self.window
        );
        if self.base == Base::Ridge {
            let predictors = self.frames() * channels * coarse;
            let most = predictors.min(channels * fine.points());
            ensure!(
                predictors <= PREDICTORS_MAX,
                "mean.base is \"ridge\", and a window has {predictors} coarse values where {PREDICTORS_MAX} are the \
                 most: set mean.before and mean.after lower, or mean.base to \"interpolation\""
            );
            ensure!(
                self.rank <= most,
                "mean.rank is {}, and a map from {predictors} coarse values has at most {most}: use at most \
                 that, or 0 for all",
                self.rank
            );
        }
        Ok(())
    }
}

/// Refuses settings that nothing can be trained with.
pub(crate) fn check(config: &Config) -> Result<()> {
    let Sensor { ratio, noise, lost, .. } = config.sensor;
    ensure!((2..=64).contains(&ratio), "sensor.ratio is {ratio}: use 2 to 64");
    ensure!(
        noise >= 0.0 && noise.is_finite(),
        "sensor.noise is {noise}: use 0 or more, in standard deviations of a channel"
    );
    fraction("sensor.lost", lost)?;
    let Mean { before, after, inputs, maps, window, ends, .. } = &config.mean;
    ensure!((0.0..=1.0).contains(ends), "mean.ends is {ends}: use a share from 0 to 1");
    for (name, frames) in [("before", before), ("after", after)] {
        ensure!(*frames <= FRAMES_MAX, "mean.{name} is {frames}: use at most {FRAMES_MAX}");
    }
    ensure!(*maps <= MAPS_MAX, "mean.maps is {maps}: use at most {MAPS_MAX}");
    ensure!((1..=16).contains(window), "mean.window is {window}: use 1 to 16");
    views("mean.inputs", inputs)
}
