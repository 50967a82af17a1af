//! Paths that go on window by window from known frames, whatever draws a window.

pub mod chain;
pub mod dydiff;
pub mod dyffusion;
pub mod flex;

use anyhow::{Context, Result, bail};
use finescale::{Grid, Modes, NoiseStream, spectral};
use finescale_ensemble::Task;
use finescale_field::scale::Scale;
use finescale_model::{Meta, Model, SystemMeta};
use serde_json::{Value, json};

use super::{About, Assignment, Generator, Watch, Worker};

/// A system whose paths go on window by window, as it is sampled.
pub trait Windowed: SystemMeta + Sync {
    /// What a table calls it.
    fn method(&self) -> String;

    /// The setting that matters most, in a few words.
    fn summary(&self) -> String;

    /// Known frames that a window sees.
    fn history(&self) -> usize;

    /// Frames of a window after them.
    fn horizon(&self) -> usize;

    /// Evaluations of the networks for a window.
    fn calls(&self) -> usize;

    /// The tasks that its paths are for.
    fn tasks(&self) -> &'static [Task] {
        &[Task::Forecast]
    }

    /// Points of a known frame along y, 1 on a line, and along x, where the fine frames have a grid.
    fn coarse(&self, grid: &Grid) -> [usize; 2] {
        [grid.ny(), grid.nx()]
    }

    /// Everything that its paths depend on.
    fn settings(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Evaluations of the networks for each frame.
    fn calls_per_frame(&self) -> f64 {
        self.calls() as f64 / self.horizon() as f64
    }
}

/// What draws windows on one core.
pub trait Windows {
    /// Draws a window after known frames, `[frame][channel][y][x]`, by the address of a stream and
    /// the window's number: its frames, and the known frames of the next one.
    ///
    /// # Errors
    /// Whatever the networks say.
    fn window(&mut self, known: &[f64], stream: &NoiseStream, number: u64)
    -> Result<[Vec<f64>; 2]>;
}

/// What makes them.
pub trait Evaluators: Sync {
    /// Makes the networks of one core, and gives them to `work`.
    ///
    /// # Errors
    /// Whatever `work` says.
    fn with_windows(
        &self,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Windows) -> Result<()>,
    ) -> Result<()>;
}

/// A network that is evaluated on one core.
pub trait Evaluator {
    /// Begins a window of the path that a stream is of: noise is drawn by that address.
    fn begin(&mut self, stream: &NoiseStream, window: u64);

    /// What the network gives of frames side by side at a time in 0 … 1: as many frames as it has.
    ///
    /// # Errors
    /// If it cannot be evaluated.
    fn evaluate(&mut self, seen: &[&[f64]], time: f64) -> Result<Vec<Vec<f64>>>;

    /// Standard normal noise.
    fn noise(&mut self, len: usize) -> Vec<f64>;
}

/// One whose evaluations are watched.
pub struct Watched<'a, E> {
    /// The network.
    pub inner: E,
    /// What watches.
    pub watch: &'a Watch<'a>,
}

impl<E: Evaluator> Evaluator for Watched<'_, E> {
    fn begin(&mut self, stream: &NoiseStream, window: u64) {
        self.inner.begin(stream, window);
    }

    fn evaluate(&mut self, seen: &[&[f64]], time: f64) -> Result<Vec<Vec<f64>>> {
        self.watch.evaluation()?;
        self.inner.evaluate(seen, time)
    }

    fn noise(&mut self, len: usize) -> Vec<f64> {
        self.inner.noise(len)
    }
}

/// A model, and how its windows are sampled.
pub struct WindowPaths<'a, S> {
    /// The model.
    pub model: &'a Model<S>,
    /// SHA-256 of its file.
    pub hash: &'a str,
    /// How its windows are sampled.
    pub about: S,
    /// What evaluates its networks.
    pub networks: &'a dyn Evaluators,
}

impl<S: Windowed> Generator for WindowPaths<'_, S> {
    fn about(&self) -> Result<About> {
        Ok(About {
            method: self.about.method(),
            model: self.model.meta.name.clone(),
            hash: self.hash.into(),
            settings: json!({ S::NAME: self.about.settings() }),
            summary: self.about.summary(),
        })
    }

    fn tasks(&self) -> &[Task] {
        self.about.tasks()
    }

    fn evaluations(&self, assignment: &Assignment, frames: usize) -> u64 {
        let given = match assignment {
            Assignment::Forecast { given, .. } => *given,
            _ => 0,
        };
        let windows = frames.saturating_sub(given).div_ceil(self.about.horizon());
        (windows * self.about.calls()) as u64
    }

    fn with_worker(
        &self,
        _: usize,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Worker) -> Result<()>,
    ) -> Result<()> {
        self.networks.with_windows(watch, &mut |windows| {
            let (meta, about) = (&self.model.meta, &self.about);
            work(&mut WindowWorker { windows, meta, about })
        })
    }
}

/// One core's networks.
struct WindowWorker<'a, S> {
    windows: &'a mut dyn Windows,
    meta: &'a Meta<S>,
    about: &'a S,
}

impl<S: Windowed> Worker for WindowWorker<'_, S> {
    fn draw(
        &mut self,
        assignment: &Assignment,
        trajectory: usize,
        stream: &NoiseStream,
        path: &mut [f32],
    ) -> Result<()> {
        match assignment {
            Assignment::Forecast { spectra, given } => {
                let len = given * self.frame()?;
                self.ahead(&spectra[trajectory * len..][..len], stream, path)?;
            }
            Assignment::Condition { coarse } => {
                let frames = path.len() / self.frame()?;
                let len = frames * self.coarse_frame()?;
                self.fine(&coarse[trajectory * len..][..len], stream, path)?;
            }
            _ => bail!("what goes on window by window has known frames"),
        }
        let scale: Scale = self.meta.scale();
        scale.restore(self.meta.grid()?.points(), path);
        Ok(())
    }
}

impl<S: Windowed> WindowWorker<'_, S> {
    /// Values of a frame.
    fn frame(&self) -> Result<usize> {
        Ok(self.meta.channels.len() * self.meta.grid()?.points())
    }

    /// Values of a sensor's frame.
    fn coarse_frame(&self) -> Result<usize> {
        let [y, x] = self.about.coarse(&self.meta.grid()?);
        Ok(self.meta.channels.len() * y * x)
    }

    /// What follows given frames, whose spectra are known; all standardised.
    fn ahead(&mut self, spectra: &[f32], stream: &NoiseStream, path: &mut [f32]) -> Result<()> {
        let (history, horizon) = (self.about.history(), self.about.horizon());
        let (grid, frame) = (self.meta.grid()?, self.frame()?);
        let (fixed, ahead) = path.split_at_mut(spectra.len());
        fixed.copy_from_slice(spectra);
        let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
        spectral::inverse(&grid, Modes::from_mut(fixed), &mut scratch)?;
        let last = spectra.len().checked_sub(history * frame).map(|from| &fixed[from..]);
        let last = last.context("fewer frames are given than a window sees")?;
        let mut known: Vec<f64> = last.iter().map(|value| f64::from(*value)).collect();
        for (number, frames) in ahead.chunks_mut(horizon * frame).enumerate() {
            let [told, next] = self.windows.window(&known, stream, number as u64)?;
            put(&told, frames);
            known = next;
        }
        Ok(())
    }

    /// The fine frames, standardised, of a sensor's, in physical units.
    fn fine(&mut self, coarse: &[f32], stream: &NoiseStream, path: &mut [f32]) -> Result<()> {
        let [y, x] = self.about.coarse(&self.meta.grid()?);
        let scale: Scale = self.meta.scale();
        let mut known = coarse.to_vec();
        scale.standardise(y * x, &mut known);
        let known: Vec<f64> = known.into_iter().map(f64::from).collect();
        let frames = path.chunks_mut(self.frame()?).zip(known.chunks(self.coarse_frame()?));
        for (number, (frame, known)) in frames.enumerate() {
            let [told, _] = self.windows.window(known, stream, number as u64)?;
            put(&told, frame);
        }
        Ok(())
    }
}

/// As many as there is room for.
fn put(values: &[f64], into: &mut [f32]) {
    into.iter_mut().zip(values).for_each(|(into, value)| *into = *value as f32);
}
