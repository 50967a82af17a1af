//! Paths by predictor-driven diffusion, through the runtime that boards run.

use anyhow::{Context, Result, bail};
use finescale::predictor::{Description, Linear, Prepared, Trained, Wrapper};
use finescale::sampler::{Coarse, Observation, Score, simulate};
use finescale::{Error, Modes, NoiseStream, Path, Predictor};
use finescale_ensemble::Task;
use finescale_field::scale::Scale;

use super::{About, Assignment, Generator, Watch, Worker};
use crate::coarse::Observe;
use crate::desktop::Desktop;
use crate::{HostModel, Preset, Settings};

/// A model and a sampler.
pub struct DrivenPaths<'a> {
    /// The model.
    pub model: &'a HostModel,
    /// The sampler.
    pub settings: &'a Settings,
}

impl Generator for DrivenPaths<'_> {
    fn about(&self) -> Result<About> {
        let Self { model, settings } = self;
        let method = match (settings.preset, settings.sampler.score) {
            _ if model.is_linear() => "linear",
            (Preset::Ours, Score::Head) => "ours, score head",
            (Preset::Ours, Score::Path(_)) => "ours",
            (Preset::Paper, Score::Head) => "paper, score head",
            (Preset::Paper, Score::Path(_)) => "paper",
        };
        Ok(About {
            method: method.into(),
            model: model.view()?.name().into(),
            hash: model.hash().into(),
            settings: serde_json::to_value(settings)?,
            summary: format!("λ* = {}", settings.lambda()),
        })
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Simulate, Task::Forecast, Task::Generate, Task::SuperResolve]
    }

    fn evaluations(&self, assignment: &Assignment, frames: usize) -> u64 {
        let (down, roll) = (self.settings.calls(frames), frames as u64);
        match assignment {
            Assignment::Simulate { .. } => roll,
            Assignment::Forecast { .. } | Assignment::Generate => down + roll,
            Assignment::SuperResolve { .. } | Assignment::Condition { .. } => down,
        }
    }

    fn with_worker(
        &self,
        frames: usize,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Worker) -> Result<()>,
    ) -> Result<()> {
        let scale = Scale::of(&self.model.view()?);
        with_predictor(self.model, |predictor| {
            let sampler = &self.settings.sampler;
            let scratch = vec![0.0; sampler.scratch_len(predictor.describe(), frames)];
            let predictor = Watched { inner: predictor, watch };
            work(&mut DrivenWorker { predictor, settings: self.settings, scale, scratch })
        })
    }
}

/// One core's predictor and memory.
struct DrivenWorker<'a> {
    predictor: Watched<'a>,
    settings: &'a Settings,
    scale: Scale<f32>,
    scratch: Vec<f32>,
}

impl Worker for DrivenWorker<'_> {
    fn draw(
        &mut self,
        assignment: &Assignment,
        trajectory: usize,
        stream: &NoiseStream,
        path: &mut [f32],
    ) -> Result<()> {
        let Self { predictor, settings, scale, scratch } = self;
        let path = Path::modes_mut(path);
        let about = predictor.describe();
        let (grid, channels, sampler) = (about.grid, about.channels, settings.sampler);
        let given_range = |given: usize| {
            let len = given * channels * grid.points();
            trajectory * len..(trajectory + 1) * len
        };
        match assignment {
            Assignment::Simulate { spectra, given, noise } => {
                let known = &spectra[given_range(*given)];
                path[..known.len()].copy_from_slice(known);
                let lambda = settings.lambda();
                simulate(predictor, lambda, *given, *noise, stream, path, scratch)?;
            }
            Assignment::Forecast { spectra, given } => {
                let known = &spectra[given_range(*given)];
                let known = Observation::known(&grid, channels, Path::modes(known))?;
                sampler.forecast(predictor, &known, stream, path, scratch)?;
            }
            Assignment::Generate => {
                sampler.generate(predictor, settings.start, None, stream, path, scratch)?;
            }
            Assignment::SuperResolve { measurement, observe } => {
                let range = trajectory * path.len()..(trajectory + 1) * path.len();
                path.copy_from_slice(&measurement.start[range.clone()]);
                let values = Path::modes(&measurement.values[range]);
                let seen = match observe {
                    Observe::None => None,
                    _ => Some(Observation::new(&grid, values, &measurement.variances)?),
                };
                let seen = seen.as_ref();
                sampler.super_resolve(predictor, Coarse::Clean, seen, stream, path, scratch)?;
            }
            Assignment::Condition { .. } => bail!("a predictor is conditioned by measured modes"),
        }
        scale.fields(&grid, path)?;
        Ok(())
    }
}

/// Makes the predictor of a model and gives it to `task`: the network on its base, or the base
/// alone where there is no network or it was left out.
///
/// # Errors
/// If the model does not fit the runtime; whatever `task` says.
pub fn with_predictor<T>(
    model: &HostModel,
    task: impl FnOnce(&mut dyn Predictor) -> Result<T>,
) -> Result<T> {
    let view = model.view()?;
    if !model.is_linear() {
        let mut memory = vec![0.0; Trained::memory_len(&view)];
        let mut predictor = Trained::new(&view, &mut memory).context("the model cannot be used")?;
        let Some(graphs) = model.graphs() else { return task(&mut predictor) };
        let mut desktop = Desktop::new(predictor, graphs)?;
        let done = task(&mut desktop);
        return match desktop.failure() {
            Some(failure) => Err(failure),
            None => done,
        };
    }
    // What was measured on a network says nothing of its base alone, which stays uncalibrated.
    let (grid, channels) = (*view.grid(), view.channels());
    let mut memory = vec![0.0; Linear::memory_len(&grid, channels, view.window())];
    let mut predictor =
        Linear::new(&grid, view.process(), channels, view.autocovariance(), &mut memory)
            .context("the linear base of the model cannot be used")?;
    task(&mut predictor)
}

/// A predictor whose evaluations are watched.
pub(super) struct Watched<'a> {
    pub(super) inner: &'a mut dyn Predictor,
    pub(super) watch: &'a Watch<'a>,
}

impl Predictor for Watched<'_> {
    fn describe(&self) -> &Description<'_> {
        self.inner.describe()
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        Ok(self.inner.prepare(lambda)?.wrapped(self.watch))
    }
}

impl Wrapper for Watch<'_> {
    fn increment(
        &self,
        inner: &Prepared<'_>,
        window: &Path<Modes>,
        increment: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.evaluation()?;
        inner.increment(window, increment, scratch)
    }

    fn vjp(
        &self,
        inner: &Prepared<'_>,
        cotangent: &Modes,
        gradient: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.evaluation()?;
        inner.vjp(cotangent, gradient, scratch)
    }

    fn noise(
        &self,
        inner: &Prepared<'_>,
        window: &Path<Modes>,
        noise: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.evaluation()?;
        inner.noise(window, noise, scratch)
    }
}
