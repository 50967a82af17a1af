//! FLEX (Erichson et al., arXiv 2505.17351): diffusion of the residual r of an interpolated frame, by
//! an angle φ from data to noise:
//!
//! ```text
//! z = cos φ r + sin φ ε,    v = dz/dφ = cos φ ε − sin φ r
//! ```
//!
//! The network tells v. Two steps of the reference's sampler give the right mean and at best half of
//! the spread; [`Integrator::Midpoint`] loses far less of it at the same number of calls.

use std::f64::consts::FRAC_PI_2;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// φ at the ends: log SNR is 20 and −20.
fn ends() -> [f64; 2] {
    let first = (-10.0_f64).exp().atan();
    [first, FRAC_PI_2 - first]
}

/// φ at time t in [0, 1].
pub fn angle(t: f64) -> f64 {
    let [first, last] = ends();
    first + t * (last - first)
}

/// ln(cos²φ / sin²φ) at time t.
pub fn log_snr(t: f64) -> f64 {
    -2.0 * angle(t).tan().ln()
}

/// z at time t.
pub fn state(t: f64, residual: f64, noise: f64) -> f64 {
    let (sin, cos) = angle(t).sin_cos();
    cos * residual + sin * noise
}

/// v at time t.
pub fn velocity(t: f64, residual: f64, noise: f64) -> f64 {
    let (sin, cos) = angle(t).sin_cos();
    cos * noise - sin * residual
}

/// The residual of a state with velocity v.
pub fn residual(t: f64, state: f64, velocity: f64) -> f64 {
    let (sin, cos) = angle(t).sin_cos();
    cos * state - sin * velocity
}

/// The noise of a state with velocity v.
pub fn noise(t: f64, state: f64, velocity: f64) -> f64 {
    let (sin, cos) = angle(t).sin_cos();
    cos * velocity + sin * state
}

/// What the loss compares. The network tells v in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// v.
    #[default]
    Velocity,
    /// The noise.
    Noise,
    /// The residual.
    Residual,
}

impl Target {
    /// The difference of two targets is that of their v times this.
    pub fn weight(self, t: f64) -> f64 {
        match self {
            Self::Velocity => 1.0,
            Self::Noise => angle(t).cos(),
            Self::Residual => angle(t).sin(),
        }
    }
}

/// How dz/dφ = v is followed from noise to data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrator {
    /// A rotation by each v; the residual that the last one sees is the result.
    #[default]
    Ddim,
    /// v in the middle of each interval, two calls for each.
    Midpoint,
}

impl Integrator {
    /// Calls of the network for so many intervals.
    pub fn calls(self, intervals: usize) -> usize {
        match self {
            Self::Ddim => intervals,
            Self::Midpoint => 2 * intervals,
        }
    }

    /// Draws a residual: `noise` is standard normal, and `network` gives v of a state at a time.
    ///
    /// # Errors
    /// If there are no intervals; whatever the network says.
    pub fn sample(
        self,
        intervals: usize,
        noise: &[f64],
        mut network: impl FnMut(&[f64], f64) -> Result<Vec<f64>>,
    ) -> Result<Vec<f64>> {
        ensure!(intervals > 0, "the sampler has no steps: use 1 or more");
        let step = 1.0 / intervals as f64;
        let mut z = noise.to_vec();
        for n in (1..=intervals).rev() {
            let t = n as f64 * step;
            let v = network(&z, t)?;
            match self {
                Self::Ddim if n == 1 => z = pairs(&z, &v, |z, v| residual(t, z, v)),
                Self::Ddim => z = turned(&z, &v, angle(t) - angle(t - step)),
                Self::Midpoint => {
                    let (middle, half) = (t - step / 2.0, angle(t) - angle(t - step / 2.0));
                    let v = network(&turned(&z, &v, half), middle)?;
                    z = pairs(&z, &v, |z, v| z - 2.0 * half * v);
                }
            }
        }
        Ok(z)
    }
}

/// States turned back by δ: cos δ z − sin δ v.
fn turned(z: &[f64], v: &[f64], delta: f64) -> Vec<f64> {
    let (sin, cos) = delta.sin_cos();
    pairs(z, v, |z, v| cos * z - sin * v)
}

fn pairs(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
}

/// Where the points of a coarse line lie on the fine one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alignment {
    /// As the reference: every f-th point is kept, and shown in the middle of its f points, which
    /// moves the field by (f − 1)/2 points. Beyond the ends the last values go on.
    #[default]
    Shifted,
    /// Where they were, on a periodic line.
    Periodic,
}

/// A line of which one of f points was kept, interpolated between those that were.
pub fn interpolate(coarse: &[f64], f: usize, alignment: Alignment) -> Vec<f64> {
    let n = coarse.len();
    let between = |at: usize| {
        let place = match alignment {
            Alignment::Shifted => (at as f64 - (f as f64 - 1.0) / 2.0).max(0.0) / f as f64,
            Alignment::Periodic => at as f64 / f as f64,
        };
        let (below, part) = (place as usize, place.fract());
        let above = match alignment {
            Alignment::Shifted => (below + 1).min(n - 1),
            Alignment::Periodic => (below + 1) % n,
        };
        coarse[below] * (1.0 - part) + coarse[above] * part
    };
    (0..n * f).map(between).collect()
}
