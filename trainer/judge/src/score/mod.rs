//! How good a result is: every score of an ensemble against the truth, by channel, lead time and
//! wavenumber.
//!
//! | family | file | asks |
//! |---|---|---|
//! | errors | `error` | how far members and their mean are from the truth |
//! | fair CRPS | `crps` | how far the ensemble is, as a distribution |
//! | spread-skill, ranks | `spread`, `rank` | whether the ensemble knows how wrong it is |
//! | correlation | `correlation` | whether patterns are in their place, and for how long |
//! | energy, space-time spectrum | `spectrum`, `space_time` | whether fields look and move as the data |
//! | re-coarsening | `recoarsening` | whether a fine field agrees with its coarse input |
//! | alarms | `alarm` | whether the probability of exceeding a threshold is right |
//! | extremes | `extremes` | whether a path has blown up |
//!
//! Everything is computed on fields in standard deviations from the mean ([`Scale`]); what is given
//! "in the channel's units" is multiplied back. Frames that were given to a forecast are never
//! scored. `docs/scores.md` says what good figures are.

pub mod alarm;
mod bands;
pub mod correlation;
pub mod crps;
pub mod error;
pub mod extremes;
mod pointwise;
pub mod rank;
pub mod recoarsening;
pub mod space_time;
pub mod spectrum;
pub mod spread;
mod summary;
mod table;
mod truth;

use anyhow::{Result, ensure};
use serde::Serialize;

pub use bands::{Band, Bands};
pub use summary::{Figure, Sense};
pub use table::{number, task_name};
pub use truth::Truth;
pub(crate) use truth::same_interval;

use alarm::Alarm;
use correlation::Correlation;
use crps::Crps;
use error::Errors;
use extremes::{Distances, Extremes};
use finescale_data::dataset::{SpatialAxis, Spec};
use finescale_ensemble::{Ensemble, Provenance};
use finescale_field::scale::Scale;
use pointwise::{Pass, Pick};
use rank::RankHistogram;
use recoarsening::Recoarsening;
use space_time::SpaceTimeSpectrum;
use spectrum::EnergySpectrum;
use spread::Spread;

/// All scores of a channel, or over all channels. What does not apply is none: ranks of one member,
/// errors of generated fields, re-coarsening without a coarse input.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelScores {
    /// The channel's name; "all" for all together.
    pub name: String,
    /// Its units; "standard deviations" for all together.
    pub units: String,
    /// Errors.
    pub error: Option<Errors>,
    /// Fair CRPS.
    pub crps: Option<Crps>,
    /// Spread and skill.
    pub spread: Option<Spread>,
    /// Rank histogram.
    pub rank: Option<RankHistogram>,
    /// Correlation.
    pub correlation: Option<Correlation>,
    /// Energy spectrum.
    pub spectrum: Option<EnergySpectrum>,
    /// Space-time spectrum.
    pub space_time: Option<SpaceTimeSpectrum>,
    /// Re-coarsening.
    pub recoarsening: Option<Recoarsening>,
    /// Alarm, where one was asked for.
    pub alarm: Option<Alarm>,
    /// Extremes.
    pub extremes: Extremes,
}

/// All scores of a result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// How the result was made.
    pub provenance: Provenance,
    /// Members.
    pub members: usize,
    /// Trajectories.
    pub trajectories: usize,
    /// Frames that were scored, of each trajectory.
    pub frames: usize,
    /// Frames before them that were given.
    pub given: usize,
    /// Whether the truth is that of the same frames; otherwise only spectra are compared.
    pub paired: bool,
    /// Time of every scored frame after the last given one (or after the first frame, if none was
    /// given).
    pub lead: Vec<f64>,
    /// Low, middle and high wavenumbers.
    pub bands: Vec<Band>,
    /// Over all channels.
    pub overall: ChannelScores,
    /// Of every channel.
    pub channels: Vec<ChannelScores>,
}

/// What scores depend on beside result and truth.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What errors are relative to; the truth's own mean and deviation by default.
    pub scale: Option<Scale>,
    /// Points of the coarse grid that bands are seen from; the input's by default, else a quarter
    /// of the fine points.
    pub coarse: Option<Vec<usize>>,
    /// Values that an alarm is raised above, one for all channels or one for each, in their units;
    /// none for no alarm.
    pub alarm: Vec<f64>,
}

impl Scores {
    /// Scores a result.
    ///
    /// # Errors
    /// If its arrays, the truth or the settings do not go together, or a value is not finite.
    pub fn new(ensemble: &Ensemble, truth: &Truth, settings: &Settings) -> Result<Self> {
        ensemble.check()?;
        let spec = &ensemble.spec;
        ensure!(ensemble.members > 0, "the result has no members: nothing can be scored");
        ensure!(
            ensemble.given < ensemble.frames(),
            "all {} frames were given: there is nothing to score",
            ensemble.frames()
        );
        let fits = truth.trajectories == spec.trajectories && truth.frames == ensemble.frames();
        ensure!(
            !truth.paired || fits,
            "the truth has other trajectories or frames than the result"
        );
        let scale = match &settings.scale {
            Some(scale) => scale.clone(),
            None => scale_of(spec, &truth.values)?,
        };
        ensure!(
            scale.mean.len() == spec.channels.len(),
            "the scale has {} channels, the result {}",
            scale.mean.len(),
            spec.channels.len()
        );
        let input = ensemble
            .input
            .as_ref()
            .map(|input| -> Vec<usize> { input.spec.axes().map(SpatialAxis::points).collect() });
        let bands = Bands::new(spec, settings.coarse.as_deref().or(input.as_deref()))?;
        let lead = lead_times(ensemble);
        let pass = match truth.paired {
            true => Some(Pass::new(ensemble, truth, &scale, &bands, &lead)?),
            false => None,
        };
        let spectra = spectrum::energy_spectra(ensemble, truth, &scale, &bands)?;
        let space_time = space_time::space_time_spectra(ensemble, truth, &scale)?;
        let of_truth = truth.paired.then_some(truth.values.as_slice());
        let recoarsening = recoarsening::recoarsening(ensemble, of_truth, &scale)?;
        let alarms = match truth.paired && !settings.alarm.is_empty() {
            true => Some(alarm::alarms(ensemble, truth, &settings.alarm)?),
            false => None,
        };
        let distances = Distances::new(ensemble, truth, &scale);
        let scores = |pick: Pick, name: &str, units: &str| {
            let pass = pass.as_ref();
            ChannelScores {
                name: name.into(),
                units: units.into(),
                error: pass.map(|pass| Errors::new(pass, pick)),
                crps: pass.map(|pass| Crps::new(pass, pick)),
                spread: pass.and_then(|pass| Spread::new(pass, pick)),
                rank: pass.and_then(|pass| RankHistogram::new(pass, pick)),
                correlation: pass.map(|pass| Correlation::new(pass, pick)),
                spectrum: match pick {
                    Pick::Channel(c) => spectra.get(c).cloned(),
                    Pick::All => EnergySpectrum::overall(&spectra, &scale),
                },
                space_time: space_time.as_ref().map(|(each, all)| picked(each, all, pick)),
                recoarsening: recoarsening.as_ref().map(|(each, all)| picked(each, all, pick)),
                alarm: alarms.as_ref().map(|(each, all)| picked(each, all, pick)),
                extremes: distances.extremes(pick),
            }
        };
        let channels = spec.channels.iter().enumerate();
        Ok(Self {
            provenance: ensemble.provenance.clone(),
            members: ensemble.members,
            trajectories: spec.trajectories,
            frames: lead.len(),
            given: ensemble.given,
            paired: truth.paired,
            overall: scores(Pick::All, "all", "standard deviations"),
            channels: channels
                .map(|(c, channel)| scores(Pick::Channel(c), &channel.name, &channel.units))
                .collect(),
            lead,
            bands: bands.bands,
        })
    }
}

/// Mean and deviation of the truth's own channels.
fn scale_of(spec: &Spec, values: &[f32]) -> Result<Scale> {
    let scale = Scale::of_values(spec.channels.len(), spec.points(), values);
    for (channel, (mean, std)) in spec.channels.iter().zip(scale.mean.iter().zip(&scale.std)) {
        ensure!(
            *std > 1e-7 * mean.abs(),
            "the truth's channel `{}` is constant: its errors have no scale",
            channel.name
        );
    }
    Ok(scale)
}

fn picked<T: Clone>(each: &[T], all: &T, pick: Pick) -> T {
    match pick {
        Pick::Channel(c) => each[c].clone(),
        Pick::All => all.clone(),
    }
}

fn lead_times(ensemble: &Ensemble) -> Vec<f64> {
    let times = &ensemble.spec.time.values;
    let origin = times[ensemble.given.saturating_sub(1)];
    times[ensemble.given..].iter().map(|time| time - origin).collect()
}
