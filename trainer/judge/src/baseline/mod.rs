//! What anyone would try first: interpolation, a Wiener filter, a ridge regression, persistence,
//! climatology.
//!
//! Every baseline is an [`Ensemble`] over the trajectories, frames and truth of a result, so that
//! it is scored as the result is. None evaluates a network.
//!
//! | method | file | task | members |
//! |---|---|---|---|
//! | nearest | `nearest` | super-resolution | 1 |
//! | bicubic | `bicubic` | super-resolution | 1 |
//! | Fourier | `fourier` | super-resolution of frames whose grid has modes | 1 |
//! | Wiener | `wiener` | the same | 1; draws of its posterior: many |
//! | ridge | `ridge` | super-resolution | 1, the mean of a Gaussian |
//! | persistence | `persistence` | forecast, simulation | 1 |
//! | climatology | `climatology` | all | 1, the mean; draws: many |

mod bicubic;
mod climate;
mod climatology;
mod fourier;
mod nearest;
mod persistence;
mod ridge;
mod wiener;

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::json;

pub use bicubic::bicubic;
pub use climate::Climate;
pub use climatology::{climatology_draws, climatology_mean};
pub use fourier::fourier;
pub use nearest::nearest;
pub use persistence::persistence;
pub use ridge::{RidgeMap, RidgeTraining, ridge};
pub use wiener::{wiener, wiener_draws};

use finescale::Boundary;

use finescale_data::dataset::Reader;
use finescale_ensemble::{CoarseInput, Ensemble, Provenance, Task};

/// What baselines know beside a result's input and truth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knowledge<'a> {
    /// Mean, deviation and spectrum of the data: from a model or a data set.
    pub climate: Option<&'a Climate>,
    /// The data set, whose training part ridges learn from and climatology draws from.
    pub data: Option<&'a Reader>,
    /// Members of draws.
    pub members: usize,
    /// Seed of draws.
    pub seed: u64,
}

/// All baselines that fit a result and what is known, in the order in which tables show them.
///
/// # Errors
/// If the result's arrays, or the climate and the result, do not go together.
pub fn all(result: &Ensemble, knowledge: Knowledge) -> Result<Vec<Ensemble>> {
    result.check()?;
    let mut baselines = Vec::new();
    if let Some(input) = &result.input {
        baselines.extend([nearest(result)?, bicubic(result)?]);
        // A sensor may have any number of pixels; these two need its modes.
        let modes = input.spec.grid().is_ok();
        if modes {
            baselines.push(fourier(result)?);
        }
        if let Some(climate) = knowledge.climate.filter(|_| modes) {
            baselines.push(wiener(result, climate)?);
            baselines.push(wiener_draws(result, climate, knowledge.members, knowledge.seed)?);
        }
        if let Some(data) = knowledge.data {
            baselines.extend(ridge::all(result, data)?);
        }
    }
    if result.given > 0 && matches!(result.provenance.task, Task::Simulate | Task::Forecast) {
        baselines.push(persistence(result)?);
    }
    if let Some(climate) = knowledge.climate {
        baselines.push(climatology_mean(result, climate)?);
        baselines.push(climatology_draws(result, climate, knowledge)?);
    }
    Ok(baselines)
}

/// Makes an ensemble like `result`, path by path: `fill(trajectory, member, path)` with `path`
/// `[frame][channel][y][x]`, which holds the true frames as far as they were given.
fn ensemble(
    result: &Ensemble,
    method: &str,
    members: usize,
    seed: u64,
    mut fill: impl FnMut(usize, usize, &mut [f32]) -> Result<()>,
) -> Result<Ensemble> {
    ensure!(members > 0, "the baseline `{method}` has 0 members: take at least 1");
    let (len, frames) = (result.frame_len(), result.frames());
    let mut prediction = vec![0.0; result.spec.trajectories * frames * members * len];
    let mut path = vec![0.0; frames * len];
    let begun = Instant::now();
    for trajectory in 0..result.spec.trajectories {
        finescale_host::interrupt::check()?;
        for member in 0..members {
            for (n, frame) in path.chunks_exact_mut(len).take(result.given).enumerate() {
                // Without a truth, what the result holds is what was given to it.
                let given = result.true_frame(trajectory, n);
                frame.copy_from_slice(given.unwrap_or_else(|| result.frame(trajectory, n, 0)));
            }
            fill(trajectory, member, &mut path)?;
            for (n, frame) in path.chunks_exact(len).enumerate() {
                let place = ((trajectory * frames + n) * members + member) * len;
                prediction[place..][..len].copy_from_slice(frame);
            }
        }
    }
    let made = result.spec.trajectories * members * (frames - result.given).max(1);
    Ok(Ensemble {
        spec: result.spec.clone(),
        provenance: Provenance {
            task: result.provenance.task,
            method: method.into(),
            model: String::new(),
            model_hash: String::new(),
            settings: json!({ "baseline": method }),
            seed,
            calls_per_frame: 0.0,
            seconds_per_frame: begun.elapsed().as_secs_f64() / made as f64,
        },
        members,
        given: result.given,
        prediction,
        input: result.input.clone(),
        truth: result.truth.clone(),
        deviation: None,
    })
}

/// Makes an ensemble of one member from each coarse frame: `fill(coarse frame, fine frame)`, both
/// `[channel][y][x]`.
fn from_coarse(
    result: &Ensemble,
    method: &str,
    mut fill: impl FnMut(&[f32], &mut [f32]) -> Result<()>,
) -> Result<Ensemble> {
    let input = input(result)?;
    let (len, coarse_len) = (result.frame_len(), input.spec.frame_len());
    ensemble(result, method, 1, 0, |trajectory, _, path| {
        for (n, frame) in path.chunks_exact_mut(len).enumerate() {
            let place = (trajectory * result.frames() + n) * coarse_len;
            fill(&input.values[place..][..coarse_len], frame)?;
        }
        Ok(())
    })
}

fn input(result: &Ensemble) -> Result<&CoarseInput> {
    let Some(input) = &result.input else {
        anyhow::bail!("the result has no coarse input: only a super-resolution can be interpolated")
    };
    Ok(input)
}

/// The coarse point of `n` that stands for the `j`-th, which may be beyond an end.
fn beyond(j: isize, n: usize, boundary: Boundary) -> usize {
    let n = n as isize;
    let inside = match boundary {
        Boundary::Periodic => j.rem_euclid(n),
        Boundary::Reflecting if j < 0 => -1 - j,
        Boundary::Reflecting if j >= n => 2 * n - 1 - j,
        Boundary::Reflecting => j,
    };
    inside as usize
}
