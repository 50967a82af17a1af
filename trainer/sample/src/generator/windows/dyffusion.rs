//! Windows of DYffusion, whatever evaluates its networks.

use anyhow::{Result, ensure};
use clap::Args;
use finescale::NoiseStream;
use finescale_model::dyffusion::{Dyffusion, Method};
use finescale_peers::dyffusion::{LastStep, Masks, Networks, Sampling};
use serde::{Deserialize, Serialize};

use super::super::Watch;
use super::{Watched, Windowed, Windows};
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
    /// What there is to choose.
    pub const FLAGS: &str = "--sampling, --masks, --last-step, --refine and --dropout";

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

impl Windowed for Dyffusion {
    fn method(&self) -> String {
        let two = self.method == Method::Dyffusion;
        let naive = if two && self.window.sampling == Sampling::Naive { ", naive" } else { "" };
        format!("{}{naive}", self.name())
    }

    fn summary(&self) -> String {
        format!("windows of {} frames, dropout {}", self.window.horizon, self.dropout)
    }

    fn history(&self) -> usize {
        1
    }

    fn horizon(&self) -> usize {
        self.window.horizon
    }

    fn calls(&self) -> usize {
        match self.method {
            Method::Dyffusion => self.window.calls(),
            Method::Dropout | Method::Deterministic => self.window.horizon,
        }
    }
}

/// The networks of a model on one core.
pub trait Addressed: Networks {
    /// Begins a window of the path that a stream is of: masks and noise are drawn by that address.
    fn begin(&mut self, stream: &NoiseStream, window: u64);
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

/// Windows that networks draw, as `about` says.
pub struct Sampled<'a, N> {
    about: &'a Dyffusion,
    networks: Watched<'a, N>,
}

impl<'a, N: Addressed> Sampled<'a, N> {
    /// With networks whose evaluations are watched.
    pub fn new(about: &'a Dyffusion, inner: N, watch: &'a Watch<'a>) -> Self {
        Self { about, networks: Watched { inner, watch } }
    }
}

impl<N: Addressed> Windows for Sampled<'_, N> {
    fn window(
        &mut self,
        known: &[f64],
        stream: &NoiseStream,
        number: u64,
    ) -> Result<[Vec<f64>; 2]> {
        self.networks.inner.begin(stream, number);
        let (told, next) = window(self.about, known, &mut self.networks)?;
        Ok([told.concat(), next])
    }
}

impl<N: Networks> Networks for Watched<'_, N> {
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
