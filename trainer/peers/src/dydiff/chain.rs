//! Where the filter of Dynamical Diffusion is: in the process, or elsewhere.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::{Noise, Process};

/// Where the filter is: in the reference's place, or in one of two that tell what of it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// In the process.
    #[default]
    Dydiff,
    /// Around the network of ordinary diffusion: what goes in is filtered, what comes out is
    /// unfiltered. But for rounding this is [`Method::Dydiff`].
    OuterFilter,
    /// In the loss of ordinary diffusion alone: errors are weighted as there, and the network sees
    /// the frames as they are.
    FilteredLoss,
}

/// A process, and where its filter is.
#[derive(Clone, Debug)]
pub struct Chain {
    method: Method,
    /// Whose filters there are.
    filtered: Process,
    /// Whose states are met.
    met: Process,
}

impl Chain {
    /// As [`Process::new`].
    ///
    /// # Errors
    /// As there, or if a control has white noise, which only the process can have.
    pub fn new(steps: usize, rho: f64, noise: Noise, method: Method) -> Result<Self> {
        ensure!(
            method == Method::Dydiff || noise == Noise::Filtered,
            "white noise is for the method \"dydiff\": leave it out with a control"
        );
        let filtered = Process::new(steps, rho, noise)?;
        let met = match method {
            Method::Dydiff => filtered.clone(),
            Method::OuterFilter | Method::FilteredLoss => Process::new(steps, 0.0, noise)?,
        };
        Ok(Self { method, filtered, met })
    }

    /// Where the filter is.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The process whose filters there are.
    pub fn process(&self) -> &Process {
        &self.filtered
    }

    /// What the network sees of frames with noise at a step, and what its output is compared with.
    pub fn pair(
        &self,
        step: usize,
        frames: &[f64],
        noise: &[f64],
        len: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let mut pair =
            (self.met.state(step, frames, noise, len), self.met.target(step, noise, len));
        if self.method == Method::OuterFilter {
            let filter = self.filtered.filter(step);
            filter.apply(&mut pair.0, len);
            filter.apply(&mut pair.1, len);
        }
        pair
    }

    /// What is squared in the loss: an error of the network's output, in place.
    pub fn weigh(&self, step: usize, error: &mut [f64], len: usize) {
        if self.method == Method::FilteredLoss {
            self.filtered.filter(step).apply(error, len);
        }
    }

    /// As [`Process::sample`].
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
        if self.method != Method::OuterFilter {
            return self.met.sample(steps, noise, len, network);
        }
        self.met.sample(steps, noise, len, |state, step| {
            let filter = self.filtered.filter(step);
            let mut seen = state.to_vec();
            filter.apply(&mut seen, len);
            let mut told = network(&seen, step)?;
            filter.undo(&mut told, len);
            Ok(told)
        })
    }
}
