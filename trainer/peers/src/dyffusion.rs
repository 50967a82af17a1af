//! DYffusion (Rühling Cachay et al., arXiv 2306.01984): frames between the first and the last of a
//! window come from an interpolator, whose dropout makes them random; a forecaster sees one of them
//! and tells the last frame.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// The two networks. Times are in frames of the window, from 0.
pub trait Networks {
    /// F: the last frame of the window, from that at `time`. `condition` is what
    /// [`Conditioning`] says.
    ///
    /// # Errors
    /// Whatever the network says.
    fn forecast(&mut self, state: &[f64], time: f64, condition: Option<&[f64]>)
    -> Result<Vec<f64>>;

    /// I: the frame at `time` between the first and the last. Calls with the same `mask` take the
    /// same dropout.
    ///
    /// # Errors
    /// Whatever the network says.
    fn interpolate(
        &mut self,
        first: &[f64],
        last: &[f64],
        time: f64,
        mask: u64,
    ) -> Result<Vec<f64>>;

    /// Standard normal noise of a field, for [`Conditioning::Noisy`].
    fn noise(&mut self, len: usize) -> Vec<f64>;

    /// Puts in what is known at the boundaries of a frame that is reported or goes on.
    fn impose(&mut self, _frame: &mut [f64]) {}
}

/// How a state becomes the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// The interpolation at the next time, plus what the state differs from that at its own.
    #[default]
    Cold,
    /// The interpolation alone.
    Naive,
}

/// Which interpolations take the same dropout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Masks {
    /// None: the difference of two draws enters every cold step.
    #[default]
    Fresh,
    /// The two of a cold step.
    Pair,
    /// All of a window.
    Trajectory,
}

/// What becomes of the last forecast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastStep {
    /// It is the last frame, and the next window begins with it.
    #[default]
    Forecast,
    /// The last frame is the forecast, plus what the state differs from its interpolation.
    Cold,
    /// The forecast is reported, the next window begins with the frame of [`LastStep::Cold`].
    ColdStart,
}

/// What the forecaster sees beside the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// Nothing.
    #[default]
    None,
    /// The first frame.
    First,
    /// The first frame and fresh noise, from noise alone at the first step to none at the last.
    Noisy,
}

/// A window of h + 1 frames and how it is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Window {
    /// h, frames after the first.
    pub horizon: usize,
    /// k, further steps between the first two frames.
    pub extra: usize,
    /// How a state becomes the next.
    pub sampling: Sampling,
    /// Which interpolations take the same dropout.
    pub masks: Masks,
    /// What becomes of the last forecast.
    pub last: LastStep,
    /// What the forecaster sees beside the state.
    pub conditioning: Conditioning,
    /// Whether all frames between are interpolated again with the last forecast.
    pub refine: bool,
}

impl Window {
    /// The reference's sampling of h frames.
    ///
    /// # Errors
    /// If `horizon` is below 2: then nothing lies between.
    pub fn new(horizon: usize, extra: usize) -> Result<Self> {
        ensure!(horizon >= 2, "the horizon is {horizon}: use 2 or more frames");
        Ok(Self {
            horizon,
            extra,
            sampling: Sampling::default(),
            masks: Masks::default(),
            last: LastStep::default(),
            conditioning: Conditioning::default(),
            refine: false,
        })
    }

    /// N = h + k, steps from the first frame to the last.
    pub fn steps(&self) -> usize {
        self.horizon + self.extra
    }

    /// Calls of both networks for a window: N of F, and of I one for every step but the last, one
    /// more for a cold one, and those of the last step and of [`Window::refine`].
    pub fn calls(&self) -> usize {
        let steps = self.steps();
        let cold = if self.sampling == Sampling::Cold { steps - 2 } else { 0 };
        let last = usize::from(self.last != LastStep::Forecast);
        let refined = if self.refine { self.horizon - 1 } else { 0 };
        steps + (steps - 1) + cold + last + refined
    }

    /// i_n, the time of step n < N.
    pub fn time(&self, n: usize) -> f64 {
        if n <= self.extra { n as f64 / (self.extra + 1) as f64 } else { (n - self.extra) as f64 }
    }

    /// Frames 1 … h after the first, and the frame that the next window begins with.
    ///
    /// # Errors
    /// Whatever the networks say.
    pub fn sample(
        &self,
        first: &[f64],
        networks: &mut impl Networks,
    ) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
        let mut masks = Drawn { policy: self.masks, calls: 0 };
        let mut frames = vec![Vec::new(); self.horizon];
        let mut state = first.to_vec();
        let mut begin = Vec::new();
        let final_step = self.steps() - 1;
        for n in 0..self.steps() {
            let condition = self.condition(n, first, networks);
            let last = networks.forecast(&state, self.time(n), condition.as_deref())?;
            let at = |networks: &mut _, n: usize, mask| {
                Networks::interpolate(networks, first, &last, self.time(n), mask)
            };
            if n < final_step {
                let mut next = at(networks, n + 1, masks.next(n))?;
                if n > 0 && self.sampling == Sampling::Cold {
                    let now = at(networks, n, masks.next(n))?;
                    add_difference(&mut next, &state, &now);
                }
                state = next;
                if n >= self.extra {
                    frames[n - self.extra] = self.imposed(&state, networks);
                }
                continue;
            }
            let mut cold = last.clone();
            if self.last != LastStep::Forecast {
                let now = at(networks, n, masks.next(n))?;
                add_difference(&mut cold, &state, &now);
            }
            let told = if self.last == LastStep::Cold { &cold } else { &last };
            frames[self.horizon - 1] = self.imposed(told, networks);
            begin = self.imposed(&cold, networks);
            if self.refine {
                for i in 1..self.horizon {
                    let mask = masks.next(self.steps() + i);
                    let frame = networks.interpolate(first, &last, i as f64, mask)?;
                    frames[i - 1] = self.imposed(&frame, networks);
                }
            }
        }
        Ok((frames, begin))
    }

    fn imposed(&self, frame: &[f64], networks: &mut impl Networks) -> Vec<f64> {
        let mut frame = frame.to_vec();
        networks.impose(&mut frame);
        frame
    }

    fn condition(&self, n: usize, first: &[f64], networks: &mut impl Networks) -> Option<Vec<f64>> {
        match self.conditioning {
            Conditioning::None => None,
            Conditioning::First => Some(first.to_vec()),
            Conditioning::Noisy => {
                let known = n as f64 / (self.steps() - 1) as f64;
                let noise = networks.noise(first.len());
                let mixed = first.iter().zip(noise).map(|(x, e)| known * x + (1.0 - known) * e);
                Some(mixed.collect())
            }
        }
    }
}

/// Adds what a state differs from its interpolation.
fn add_difference(next: &mut [f64], state: &[f64], interpolated: &[f64]) {
    for ((next, state), interpolated) in next.iter_mut().zip(state).zip(interpolated) {
        *next += state - interpolated;
    }
}

/// Numbers of dropout masks.
struct Drawn {
    policy: Masks,
    calls: u64,
}

impl Drawn {
    /// The mask of the next call, in a step.
    fn next(&mut self, step: usize) -> u64 {
        self.calls += 1;
        match self.policy {
            Masks::Fresh => self.calls - 1,
            Masks::Pair => step as u64,
            Masks::Trajectory => 0,
        }
    }
}
