//! Dynamical Diffusion (Guo et al., arXiv 2503.00951): a filter along time goes over the frames of a
//! path before noise is added, and over the noise too. The filter is stronger at larger steps.
//!
//! As the filter can be undone, the chain is that of ordinary diffusion in other coordinates: with a
//! perfect network the samples are the same. What differs is what the network sees, and its loss.

mod chain;

use std::f64::consts::FRAC_PI_2;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

pub use chain::{Chain, Method};

/// Largest part of the variance that one step may add.
const MOST: f64 = 0.999;

/// The filter D_γ: frame 1 stays, D_s = √γ x_s + √(1 − γ) D_{s−1}.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filter {
    own: f64,
    carried: f64,
}

impl Filter {
    /// γ in (0, 1]; 1 changes nothing.
    pub fn new(gamma: f64) -> Self {
        Self { own: gamma.sqrt(), carried: (1.0 - gamma).sqrt() }
    }

    /// √γ and √(1 − γ): the shares of a frame itself and of the filtered one before it.
    pub fn shares(&self) -> [f64; 2] {
        [self.own, self.carried]
    }

    /// Filters frames of `len` values in place.
    pub fn apply(&self, frames: &mut [f64], len: usize) {
        for at in len..frames.len() {
            frames[at] = self.own * frames[at] + self.carried * frames[at - len];
        }
    }

    /// Undoes [`Filter::apply`].
    pub fn undo(&self, frames: &mut [f64], len: usize) {
        for at in (len..frames.len()).rev() {
            frames[at] = (frames[at] - self.carried * frames[at - len]) / self.own;
        }
    }
}

/// Which noise is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// Filtered as the frames are.
    #[default]
    Filtered,
    /// White: this is another process.
    White,
}

/// At which steps a chain calls its network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// As the reference: the chain begins a stride below the last step, where a part of the signal
    /// is left that sampling leaves out.
    #[default]
    Reference,
    /// With the last step. Its state is noise alone, to one part in 20 000: what the network says
    /// there of the frames is its error, many times over.
    Noisiest,
}

/// The steps 0 … T − 1 of the process.
#[derive(Clone, Debug)]
pub struct Process {
    /// ᾱ and γ̄ of each step.
    levels: Vec<(f64, f64)>,
    noise: Noise,
}

/// A step and its levels.
#[derive(Clone, Copy, Debug)]
struct Level {
    signal: f64,
    noise: f64,
    filter: Filter,
}

/// The cosine schedule, 1 at 0 and 0 at 1.
fn cosine(u: f64) -> f64 {
    let c = |u: f64| (FRAC_PI_2 * (u + 0.008) / 1.008).cos().powi(2);
    c(u) / c(0.0)
}

impl Process {
    /// T steps; ρ = 0 filters nothing, and ρ = 1 filters all away at the last step.
    ///
    /// # Errors
    /// If there are no steps, or ρ is not in [0, 1].
    pub fn new(steps: usize, rho: f64, noise: Noise) -> Result<Self> {
        ensure!(steps > 0, "the process has no steps: use 1 or more");
        ensure!((0.0..=1.0).contains(&rho), "rho is {rho}: use 0 to 1");
        let mut alpha = 1.0;
        let levels = (0..steps).map(|j| {
            let (before, u) = (j as f64 / steps as f64, (j + 1) as f64 / steps as f64);
            alpha *= 1.0 - (1.0 - cosine(u) / cosine(before)).min(MOST);
            (alpha, rho * cosine(u) + 1.0 - rho)
        });
        Ok(Self { levels: levels.collect(), noise })
    }

    /// ᾱ of a step, what is left of the variance of the frames.
    pub fn alpha(&self, step: usize) -> f64 {
        self.levels[step].0
    }

    /// γ̄ of a step.
    pub fn gamma(&self, step: usize) -> f64 {
        self.levels[step].1
    }

    /// The state at a step: √ᾱ D(frames) + √(1 − ᾱ) [`Process::target`].
    pub fn state(&self, step: usize, frames: &[f64], noise: &[f64], len: usize) -> Vec<f64> {
        self.compose(self.level(step), frames, noise, len)
    }

    /// What the network has to tell of a state: its noise, as it was added.
    pub fn target(&self, step: usize, noise: &[f64], len: usize) -> Vec<f64> {
        self.added(self.level(step), noise, len)
    }

    /// The steps of a chain with so many calls, the largest first.
    ///
    /// # Errors
    /// If there are more calls than steps, or none.
    pub fn steps(&self, calls: usize, start: Start) -> Result<Vec<usize>> {
        let steps = self.levels.len();
        ensure!(
            (1..=steps).contains(&calls),
            "{calls} calls of a process with {steps} steps: use 1 to {steps}"
        );
        let stride = steps / calls;
        Ok(match start {
            Start::Reference if stride > 1 => (0..calls).rev().map(|n| 1 + n * stride).collect(),
            _ => (0..calls).map(|n| steps - 1 - n * stride).collect(),
        })
    }

    /// Draws frames: `noise` is white, and `network` gives the noise that it sees in the state at a
    /// step.
    ///
    /// # Errors
    /// Whatever the network says.
    pub fn sample(
        &self,
        steps: &[usize],
        noise: &[f64],
        len: usize,
        mut network: impl FnMut(&[f64], usize) -> Result<Vec<f64>>,
    ) -> Result<Vec<f64>> {
        let Some(first) = steps.first() else { return Ok(noise.to_vec()) };
        let mut state = self.added(self.level(*first), noise, len);
        for (n, step) in steps.iter().enumerate() {
            let now = self.level(*step);
            let mut noise = network(&state, *step)?;
            let mut frames = state.clone();
            for (frame, noise) in frames.iter_mut().zip(&noise) {
                *frame = (*frame - now.noise * noise) / now.signal;
            }
            now.filter.undo(&mut frames, len);
            if self.noise == Noise::Filtered {
                now.filter.undo(&mut noise, len);
            }
            state = match steps.get(n + 1) {
                Some(next) => self.compose(self.level(*next), &frames, &noise, len),
                None => frames,
            };
        }
        Ok(state)
    }

    /// The filter of a step.
    pub fn filter(&self, step: usize) -> Filter {
        Filter::new(self.gamma(step))
    }

    fn level(&self, step: usize) -> Level {
        let (alpha, gamma) = self.levels[step];
        Level { signal: alpha.sqrt(), noise: (1.0 - alpha).sqrt(), filter: Filter::new(gamma) }
    }

    fn added(&self, level: Level, noise: &[f64], len: usize) -> Vec<f64> {
        let mut added = noise.to_vec();
        if self.noise == Noise::Filtered {
            level.filter.apply(&mut added, len);
        }
        added
    }

    fn compose(&self, level: Level, frames: &[f64], noise: &[f64], len: usize) -> Vec<f64> {
        let mut state = frames.to_vec();
        level.filter.apply(&mut state, len);
        for (state, noise) in state.iter_mut().zip(self.added(level, noise, len)) {
            *state = level.signal * *state + level.noise * noise;
        }
        state
    }
}
