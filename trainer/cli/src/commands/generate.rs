//! `finescale generate`: paths from nothing but the model.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;
use finescale::Axis;
use finescale::model::Model as View;
use serde_json::json;

use crate::systems;
use finescale_data::dataset::{Channel, SpatialAxis, Spec, TimeAxis};
use finescale_sample::generator::{Assignment, DrivenPaths};
use finescale_sample::{InputArgs, Preset, ReadyTask, Resolution, TaskArgs};

/// Generate paths from nothing: an ensemble that looks like the model's data; without --lambda from
/// the λ that the model has for it
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Data to take coordinates and times from, and to keep as the truth: it is as a set that they
    /// compare
    #[arg(long, value_name = "DATA")]
    like: Option<PathBuf>,
    /// Frames of each path; by default as many as --like has, else 40
    #[arg(long)]
    frames: Option<usize>,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    take: InputArgs,
}

impl GenerateArgs {
    /// The model.
    pub(crate) fn model(&self) -> &Path {
        &self.task.model
    }

    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        self.task.check()?;
        systems::of_model(&self.task.model)?.generate(&self)
    }

    /// With a predictor.
    pub(crate) fn with_predictor(&self) -> Result<()> {
        ensure!(self.frames.is_none_or(|n| n >= 2), "--frames is below 2: a path has at least 2");
        let model = self.task.open()?;
        let view = model.view()?;
        let settings = self.task.sampler.settings(&model, |preset| match preset {
            Preset::Ours => model.generation(),
            Preset::Paper => Ok(1.0),
        })?;
        let (spec, truth) = match &self.like {
            Some(path) => {
                let like = self.take.read(path, &view, Resolution::Full, self.frames)?;
                ensure!(
                    self.frames.is_none_or(|n| n == like.spec.frames()),
                    "--frames is more than the {} frames that {} has: ask for fewer",
                    like.spec.frames(),
                    path.display()
                );
                let title = format!("{}, generated", like.spec.title);
                (Spec { title, ..like.spec }, Some(like.values))
            }
            None => {
                let trajectories = self.take.trajectories().unwrap_or(1);
                (plain(&view, trajectories, self.frames.unwrap_or(40)), None)
            }
        };
        let from = truth.clone().unwrap_or_default();
        let ready = ReadyTask {
            generator: &DrivenPaths { model: &model, settings: &settings },
            assignment: Assignment::Generate,
            given: 0,
            input: None,
            truth,
            options: json!({ "like": self.like }),
            from: &from,
            spec,
        };
        self.task.sample(ready)
    }
}

/// The model's own domain: its file says where nothing lies, but how long everything is.
fn plain(view: &View<'_>, trajectories: usize, frames: usize) -> Spec {
    let axis = |name: &str, axis: Axis| {
        let length = f64::from(axis.length());
        // Of single precision it is meant.
        let length = if (length - std::f64::consts::TAU).abs() < 1e-6 {
            std::f64::consts::TAU
        } else {
            length
        };
        SpatialAxis::of_length(name, axis.points(), axis.boundary(), length)
    };
    let channel = |c: finescale::model::Channel<'_>| {
        Channel::new(c.name, if c.units.is_empty() { "1" } else { c.units }, c.name)
    };
    // The shortest decimal is what it was before it was rounded to f32.
    let interval = view.frame_interval().to_string().parse().unwrap_or(1.0);
    Spec {
        title: format!("{}, generated", view.name()),
        channels: view.channel_descriptions().map(channel).collect(),
        trajectories,
        time: TimeAxis::model(frames, interval),
        y: view.grid().y().map(|y| axis("y", y)),
        x: axis("x", view.grid().x()),
    }
}
