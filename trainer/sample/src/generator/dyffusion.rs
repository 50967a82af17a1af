//! Forecasts by DYffusion, window by window, whatever evaluates its networks.

use anyhow::{Result, bail, ensure};
use clap::Args;
use finescale::{Modes, NoiseStream, spectral};
use finescale_ensemble::Task;
use finescale_field::scale::Scale;
use finescale_model::dyffusion::{Dyffusion, Method};
use finescale_model::{Meta, Model};
use finescale_peers::dyffusion::{LastStep, Masks, Networks, Sampling};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{About, Assignment, Generator, Watch, Worker};
use crate::settings::words;

/// How windows are sampled; what is not said is as the model was configured.
#[derive(Clone, Debug, Default, PartialEq, Args, Serialize, Deserialize)]
pub struct WindowArgs {
    /// With DYffusion: how a state becomes the next
    #[arg(long, value_parser = words::<Sampling, _>([
        ("cold", "The next interpolation, and what the state differs from its own"),
        ("naive", "The next interpolation alone"),
    ]))]
    sampling: Option<Sampling>,
    /// With DYffusion: which interpolations drop the same values
    #[arg(long, value_parser = words::<Masks, _>([
        ("fresh", "None"),
        ("pair", "The two of a step"),
        ("trajectory", "All of a window"),
    ]))]
    masks: Option<Masks>,
    /// With DYffusion: what becomes of the last forecast of a window
    #[arg(long, value_parser = words::<LastStep, _>([
        ("forecast", "It is the last frame"),
        ("cold", "The last frame is a cold step from it"),
        ("cold-start", "It is the last frame, and the next window begins with a cold step from it"),
    ]))]
    last_step: Option<LastStep>,
    /// With DYffusion: whether the frames between are interpolated again with the last forecast
    #[arg(long, value_name = "true|false")]
    refine: Option<bool>,
    /// With DYffusion: the probability with which a value is dropped
    #[arg(long, value_name = "RATE")]
    dropout: Option<f64>,
}

impl WindowArgs {
    /// Whether nothing was chosen.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Puts what was chosen over what a model says.
    ///
    /// # Errors
    /// If it does not go with what the model is.
    pub fn over(&self, about: &Dyffusion) -> Result<Dyffusion> {
        let mut about = about.clone();
        let windows = Self { dropout: None, ..self.clone() };
        ensure!(
            about.method == Method::Dyffusion || windows.is_empty(),
            "--sampling, --masks, --last-step and --refine are for DYffusion, and the model is a \
             control without an interpolator: leave them out"
        );
        let window = &mut about.window;
        window.sampling = self.sampling.unwrap_or(window.sampling);
        window.masks = self.masks.unwrap_or(window.masks);
        window.last = self.last_step.unwrap_or(window.last);
        window.refine = self.refine.unwrap_or(window.refine);
        if let Some(dropout) = self.dropout {
            ensure!(
                (0.0..1.0).contains(&dropout),
                "--dropout is {dropout}: use 0 or more and less than 1"
            );
            ensure!(
                about.method != Method::Deterministic,
                "--dropout is for networks that were trained with it, and the model is \
                 deterministic: leave it out"
            );
            about.dropout = dropout;
        }
        Ok(about)
    }
}

/// The networks of a model on one core.
pub trait Evaluator: Networks {
    /// Begins a window of the path that a stream is of: masks and noise are drawn by that address.
    fn begin(&mut self, stream: &NoiseStream, window: u64);
}

/// What makes them.
pub trait Evaluators: Sync {
    /// Makes the networks of one core, sampled as `about` says, and gives them to `work`.
    ///
    /// # Errors
    /// Whatever `work` says.
    fn with_evaluator(
        &self,
        about: &Dyffusion,
        work: &mut dyn FnMut(&mut dyn Evaluator) -> Result<()>,
    ) -> Result<()>;
}

/// Frames 1 … h after the first of a window, and the frame that the next window begins with.
///
/// # Errors
/// Whatever the networks say.
pub fn window(
    about: &Dyffusion,
    first: &[f64],
    networks: &mut impl Networks,
) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    if about.method == Method::Dyffusion {
        return about.window.sample(first, networks);
    }
    let times = 1..=about.window.horizon;
    let frames = times.map(|time| networks.forecast(first, time as f64, None));
    let frames: Vec<_> = frames.collect::<Result<_>>()?;
    let last = frames.last().cloned().unwrap_or_default();
    Ok((frames, last))
}

/// A model, and how its windows are sampled.
pub struct WindowPaths<'a> {
    /// The model.
    pub model: &'a Model<Dyffusion>,
    /// SHA-256 of its file.
    pub hash: &'a str,
    /// How its windows are sampled.
    pub about: Dyffusion,
    /// What evaluates its networks.
    pub networks: &'a dyn Evaluators,
}

impl Generator for WindowPaths<'_> {
    fn about(&self) -> Result<About> {
        let Dyffusion { window, dropout, .. } = &self.about;
        let method = self.about.name();
        let two = self.about.method == Method::Dyffusion;
        let naive = if two && window.sampling == Sampling::Naive { ", naive" } else { "" };
        Ok(About {
            method: format!("{method}{naive}"),
            model: self.model.meta.name.clone(),
            hash: self.hash.into(),
            settings: json!({ "dyffusion": self.about }),
            summary: format!("windows of {} frames, dropout {dropout}", window.horizon),
        })
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Forecast]
    }

    fn evaluations(&self, assignment: &Assignment, frames: usize) -> u64 {
        let given = match assignment {
            Assignment::Forecast { given, .. } => *given,
            _ => 0,
        };
        let horizon = self.about.window.horizon;
        let windows = frames.saturating_sub(given).div_ceil(horizon);
        (self.about.calls_per_frame() * (windows * horizon) as f64).round() as u64
    }

    fn with_worker(
        &self,
        _: usize,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Worker) -> Result<()>,
    ) -> Result<()> {
        self.networks.with_evaluator(&self.about, &mut |networks| {
            let (meta, about) = (&self.model.meta, &self.about);
            work(&mut WindowWorker { networks: Watched { inner: networks, watch }, meta, about })
        })
    }
}

/// One core's networks.
struct WindowWorker<'a> {
    networks: Watched<'a>,
    meta: &'a Meta<Dyffusion>,
    about: &'a Dyffusion,
}

impl Worker for WindowWorker<'_> {
    fn draw(
        &mut self,
        assignment: &Assignment,
        trajectory: usize,
        stream: &NoiseStream,
        path: &mut [f32],
    ) -> Result<()> {
        let Assignment::Forecast { spectra, given } = assignment else {
            bail!("DYffusion forecasts from given frames")
        };
        let (grid, channels) = (self.meta.grid()?, self.meta.channels.len());
        let frame = channels * grid.points();
        let known = &spectra[trajectory * given * frame..][..given * frame];
        let (fixed, ahead) = path.split_at_mut(known.len());
        fixed.copy_from_slice(known);
        let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
        spectral::inverse(&grid, Modes::from_mut(fixed), &mut scratch)?;
        let mut first: Vec<f64> =
            fixed[known.len() - frame..].iter().map(|value| f64::from(*value)).collect();
        for (number, frames) in ahead.chunks_mut(self.about.window.horizon * frame).enumerate() {
            self.networks.inner.begin(stream, number as u64);
            let (told, next) = window(self.about, &first, &mut self.networks)?;
            for (value, told) in frames.iter_mut().zip(told.iter().flatten()) {
                *value = *told as f32;
            }
            first = next;
        }
        let scale: Scale = self.meta.scale();
        scale.restore(grid.points(), path);
        Ok(())
    }
}

/// Networks whose evaluations are watched.
struct Watched<'a> {
    inner: &'a mut dyn Evaluator,
    watch: &'a Watch<'a>,
}

impl Networks for Watched<'_> {
    fn forecast(
        &mut self,
        state: &[f64],
        time: f64,
        condition: Option<&[f64]>,
    ) -> Result<Vec<f64>> {
        self.watch.evaluation()?;
        self.inner.forecast(state, time, condition)
    }

    fn interpolate(
        &mut self,
        first: &[f64],
        last: &[f64],
        time: f64,
        mask: u64,
    ) -> Result<Vec<f64>> {
        self.watch.evaluation()?;
        self.inner.interpolate(first, last, time, mask)
    }

    fn noise(&mut self, len: usize) -> Vec<f64> {
        self.inner.noise(len)
    }
}
