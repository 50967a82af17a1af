//! What a result is compared with.

use anyhow::{Result, bail, ensure};

use finescale_data::dataset::{Reader, Spec, Split};
use finescale_ensemble::{Ensemble, Task};

/// True frames on the grid and with the channels of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// `[trajectory][frame][channel][y][x]`.
    pub values: Vec<f32>,
    /// Number of trajectories.
    pub trajectories: usize,
    /// Frames of each.
    pub frames: usize,
    /// Whether its frames are those that the result predicts. Otherwise only the spectra are
    /// compared.
    pub paired: bool,
    frame_len: usize,
}

impl Truth {
    /// Frames of a data set or elsewhere.
    ///
    /// # Errors
    /// If the lengths do not go together.
    pub fn new(spec: &Spec, values: Vec<f32>, frames: usize, paired: bool) -> Result<Self> {
        let path = frames * spec.frame_len();
        ensure!(
            path > 0 && !values.is_empty() && values.len().is_multiple_of(path),
            "the truth has {} values, no multiple of the {path} of {frames} frames",
            values.len()
        );
        let trajectories = values.len() / path;
        Ok(Self { values, trajectories, frames, paired, frame_len: spec.frame_len() })
    }

    /// The truth that came with a result. Generated fields are not meant to equal it.
    ///
    /// # Errors
    /// If there is none.
    pub fn within(ensemble: &Ensemble) -> Result<Self> {
        let Some(truth) = &ensemble.truth else {
            bail!("the result holds no truth: name a data set, or a result that has one, after it")
        };
        let paired = ensemble.provenance.task != Task::Generate;
        Self::new(&ensemble.spec, truth.clone(), ensemble.frames(), paired)
    }

    /// The truth of another result of the same frames.
    ///
    /// # Errors
    /// If it has none, or other frames.
    pub fn of_other(ensemble: &Ensemble, other: &Ensemble) -> Result<Self> {
        same_fields(&ensemble.spec, &other.spec)?;
        let mut truth = Self::within(other)?;
        let same = other.spec.trajectories == ensemble.spec.trajectories
            && other.spec.time.values == ensemble.spec.time.values;
        truth.paired = same && ensemble.provenance.task != Task::Generate;
        ensure!(
            truth.paired || ensemble.provenance.task == Task::Generate,
            "the truth has other trajectories or times than the result: score it with the truth \
             of the same run"
        );
        Ok(truth)
    }

    /// The test part of a data set, or its whole where nothing was split off: a climate to compare
    /// spectra with.
    ///
    /// # Errors
    /// If it has other fields than the result, or no run of frames of its length.
    pub fn of_data(ensemble: &Ensemble, reader: &Reader) -> Result<Self> {
        same_fields(&ensemble.spec, reader.spec())?;
        let split = if reader.splits().count(Split::Test) > 0 { Split::Test } else { Split::Train };
        let frames = ensemble.frames() - ensemble.given;
        let segments = reader.segments(split);
        let mut values = Vec::new();
        for segment in segments.iter().filter(|s| s.frames.len() >= frames) {
            let whole = segment.frames.len() / frames * frames;
            values.extend(
                reader
                    .read(segment.trajectory, segment.frames.start..segment.frames.start + whole)?,
            );
        }
        ensure!(
            !values.is_empty(),
            "the data set's {} part has no {frames} frames in a row: make the result shorter",
            split.name()
        );
        Self::new(&ensemble.spec, values, frames, false)
    }

    /// A frame `[channel][y][x]`.
    pub fn frame(&self, trajectory: usize, frame: usize) -> &[f32] {
        &self.values[(trajectory * self.frames + frame) * self.frame_len..][..self.frame_len]
    }
}

/// Channels, grid and time step are the same.
fn same_fields(a: &Spec, b: &Spec) -> Result<()> {
    let names =
        |spec: &Spec| -> Vec<String> { spec.channels.iter().map(|c| c.name.clone()).collect() };
    ensure!(
        names(a) == names(b),
        "the truth has the channels {}, the result {}",
        names(b).join(", "),
        names(a).join(", ")
    );
    ensure!(
        a.grid()? == b.grid()?,
        "the truth has another grid ({}×{} points) or other boundaries or lengths than the result \
         ({}×{})",
        b.ny(),
        b.nx(),
        a.ny(),
        a.nx()
    );
    ensure!(
        same_interval(a, b),
        "the truth's frames are {} apart, the result's {}",
        interval(a, b),
        a.time.interval
    );
    Ok(())
}

/// The time between the frames of `b` in the unit of time of `a`, where both have one.
fn interval(a: &Spec, b: &Spec) -> f64 {
    a.time.unit().and_then(|unit| b.time.interval_in(unit)).unwrap_or(b.time.interval)
}

/// Whether frames are equally far apart in time.
pub(crate) fn same_interval(a: &Spec, b: &Spec) -> bool {
    (a.time.interval - interval(a, b)).abs() <= 1e-6 * a.time.interval.abs()
}
