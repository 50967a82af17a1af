//! Generators: what draws a path for a task, whatever trained it.
//!
//! Members, cores, resuming, progress, Ctrl-C and the file in the end are the driver's
//! ([`crate::TaskArgs::sample`]). A generator only draws paths, and says which tasks it can do.

mod conditional_mean;
mod predictor_driven;
mod residuals;
pub mod windows;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Result, ensure};
use finescale::{Error, NoiseStream};
use finescale_ensemble::Task;
use finescale_host::interrupt;
use finescale_host::progress::Progress;
use serde_json::Value;

pub use conditional_mean::MeanPaths;
pub use predictor_driven::{DrivenPaths, with_predictor};
pub use residuals::ResidualPaths;
pub use windows::WindowPaths;

use crate::coarse::{Measurement, Observe};

/// What is asked of a generator, with all that paths are made from. Spectra are standardised, and
/// have the runtime's orthonormal modes.
pub enum Assignment {
    /// Roll from given frames.
    Simulate {
        /// `[trajectory][frame][channel][mode]`.
        spectra: Vec<f32>,
        /// Frames that are given.
        given: usize,
        /// Whether each step draws its error too, or is the mean.
        noise: bool,
    },
    /// Draw what follows given frames.
    Forecast {
        /// `[trajectory][frame][channel][mode]`.
        spectra: Vec<f32>,
        /// Frames that are given.
        given: usize,
    },
    /// Draw paths from nothing.
    Generate,
    /// Draw fine paths that agree with coarse frames.
    SuperResolve {
        /// What was measured, on the fine grid.
        measurement: Measurement,
        /// What the fine frames must agree with.
        observe: Observe,
    },
    /// Draw fine paths given coarse frames as a sensor gives them.
    Condition {
        /// `[trajectory][frame][channel][y][x]` at the sensor's points, in physical units.
        coarse: Vec<f32>,
    },
}

impl Assignment {
    /// The task.
    pub fn task(&self) -> Task {
        match self {
            Self::Simulate { .. } => Task::Simulate,
            Self::Forecast { .. } => Task::Forecast,
            Self::Generate => Task::Generate,
            Self::SuperResolve { .. } | Self::Condition { .. } => Task::SuperResolve,
        }
    }
}

/// What a generator is, for the file and for people.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// What a table calls the method: "ours", "paper".
    pub method: String,
    /// Name of the model.
    pub model: String,
    /// SHA-256 of the model's file.
    pub hash: String,
    /// Every setting, as JSON; a path is drawn again where one of them has changed.
    pub settings: Value,
    /// The setting that matters most, in a few words.
    pub summary: String,
}

/// What draws paths.
pub trait Generator: Sync {
    /// What it is.
    fn about(&self) -> Result<About>;

    /// The tasks that it can do.
    fn tasks(&self) -> &[Task];

    /// About how many evaluations of its network a path of so many frames needs.
    fn evaluations(&self, assignment: &Assignment, frames: usize) -> u64;

    /// Makes a worker for paths of so many frames, with memory of its own, and gives it to `work`.
    /// Every core asks for one.
    ///
    /// # Errors
    /// If the model cannot be used; whatever `work` says.
    fn with_worker(
        &self,
        frames: usize,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Worker) -> Result<()>,
    ) -> Result<()>;
}

/// What draws one path after the other on one core.
pub trait Worker {
    /// Draws the path of a trajectory: `[frame][channel][y][x]` in physical units. The same stream
    /// gives the same path.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the path has blown up; [`Error::Stopped`] after Ctrl-C.
    fn draw(
        &mut self,
        assignment: &Assignment,
        trajectory: usize,
        stream: &NoiseStream,
        path: &mut [f32],
    ) -> Result<()>;
}

/// Refuses a task that a generator cannot do.
pub(crate) fn check(generator: &dyn Generator, task: Task) -> Result<()> {
    refuse(&generator.about()?.model, generator.tasks(), task)
}

/// Refuses a task that is none of those that a model can do.
///
/// # Errors
/// One sentence that names the model and what it can do.
pub fn refuse(model: &str, able: &[Task], task: Task) -> Result<()> {
    let name = |task: &Task| match task {
        Task::Simulate => "simulate",
        Task::Forecast => "forecast",
        Task::Generate => "generate",
        Task::SuperResolve => "super-resolve",
    };
    ensure!(
        able.contains(&task),
        "the model `{model}` cannot {}: what it can is {}",
        name(&task),
        able.iter().map(name).collect::<Vec<_>>().join(", ")
    );
    Ok(())
}

/// Counts a core's evaluations, tells the progress, and ends the drawing after Ctrl-C.
pub struct Watch<'a> {
    calls: AtomicU64,
    progress: &'a Progress,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self { calls: AtomicU64::new(0), progress }
    }

    /// Before an evaluation.
    ///
    /// # Errors
    /// After Ctrl-C.
    pub fn evaluation(&self) -> Result<(), Error> {
        self.calls.fetch_add(1, Relaxed);
        self.progress.tick();
        // The one who called looks at the flag itself.
        interrupt::check().map_err(|_| Error::Stopped)
    }

    /// Evaluations since the last time.
    pub(crate) fn take(&self) -> u64 {
        self.calls.swap(0, Relaxed)
    }
}
