//! Re-coarsening error: whether a fine result still says what its coarse input said.
//!
//! Every predicted frame x is coarsened by the same operator A that made the input y (damping,
//! truncation, pixels; never noise), and
//!
//! ```text
//! error = √(Σ (A x − y)² / Σ (y − m)²),   m the channel's mean
//! ```
//!
//! over trajectories, frames, members and coarse points. 0 means that the result agrees with what
//! was measured. Input that has noise cannot be met exactly by a right result: the truth's own
//! error, given beside it, is what to compare with.

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;

use finescale_ensemble::Ensemble;
use finescale_field::coarsening::Coarsening;
use finescale_field::scale::Scale;

/// Re-coarsening errors of one channel, or over all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recoarsening {
    /// How the input was made.
    pub coarsening: Coarsening,
    /// Of a member.
    pub error: f64,
    /// Of the ensemble mean.
    pub error_of_mean: f64,
    /// Of the truth, where it is known.
    pub error_of_truth: Option<f64>,
}

/// Squared differences of a member, of the mean, of the truth; squares of the input; by channel.
type Squares = Vec<[f64; 4]>;

/// Of every channel, and over all; none without an input.
pub(super) fn recoarsening(
    ensemble: &Ensemble,
    truth: Option<&[f32]>,
    scale: &Scale,
) -> Result<Option<(Vec<Recoarsening>, Recoarsening)>> {
    let Some(input) = &ensemble.input else { return Ok(None) };
    let coarsening = input.origin()?.coarsening;
    let (grid, size) = (ensemble.spec.grid()?, [input.spec.ny(), input.spec.nx()]);
    let frames = ensemble.frames();
    let (len, coarse_len) = (ensemble.frame_len(), input.spec.frame_len());
    let channels = ensemble.spec.channels.len();
    let points = coarse_len / channels;
    let parts = (0..ensemble.spec.trajectories * frames)
        .into_par_iter()
        .map(|n| -> Result<Squares> {
            finescale_host::interrupt::check()?;
            let given = &input.values[n * coarse_len..][..coarse_len];
            let mut squares = vec![[0.0; 4]; channels];
            let coarse = |frame: &[f32]| coarsening.apply(&grid, size, frame);
            let mut add = |values: &[f32], place: usize, weight: f64| {
                for (c, squares) in squares.iter_mut().enumerate() {
                    let pairs = values.iter().zip(given).skip(c * points).take(points);
                    let sum: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
                    squares[place] += weight * sum / scale.std[c].powi(2);
                }
            };
            let mut mean = vec![0.0; len];
            for m in 0..ensemble.members {
                let member = ensemble.frame(n / frames, n % frames, m);
                add(&coarse(member)?, 0, 1.0 / ensemble.members as f64);
                for (mean, x) in mean.iter_mut().zip(member) {
                    *mean += x / ensemble.members as f32;
                }
            }
            add(&coarse(&mean)?, 1, 1.0);
            if let Some(truth) = truth {
                add(&coarse(&truth[n * len..][..len])?, 2, 1.0);
            }
            for (c, squares) in squares.iter_mut().enumerate() {
                let values = given[c * points..][..points].iter();
                let square = |v: &f32| ((f64::from(*v) - scale.mean[c]) / scale.std[c]).powi(2);
                squares[3] = values.map(square).sum();
            }
            Ok(squares)
        })
        .collect::<Result<Vec<_>>>()?;
    let mut sums = vec![[0.0; 4]; channels];
    for part in &parts {
        for (sums, part) in sums.iter_mut().zip(part) {
            sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    let of = |squares: [f64; 4]| {
        let error = |place: usize| (squares[place] / squares[3]).sqrt();
        Recoarsening {
            coarsening,
            error: error(0),
            error_of_mean: error(1),
            error_of_truth: truth.map(|_| error(2)),
        }
    };
    let all = sums.iter().fold([0.0; 4], |all, c| std::array::from_fn(|i| all[i] + c[i]));
    Ok(Some((sums.iter().copied().map(of).collect(), of(all))))
}
