//! Experiments with the exact score: clones of two clusters and of correlated Gaussian data, and
//! which sample a noised state is nearest to. Theory says what they must come to.

use finescale_field::emergence::Process;
use nalgebra::{DMatrix, DVector};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{ChiSquared, Distribution, StandardNormal};
use rayon::prelude::*;

use crate::clones::TwoClusters;
use crate::collapse::Field;
use crate::coupled::Coupled;

/// How an experiment is run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Experiment {
    /// How often it is repeated.
    pub repeats: usize,
    /// Length of the reverse steps.
    pub step: f64,
    /// Seed of everything random.
    pub seed: u64,
}

/// Repeats that one generator serves: results do not depend on the number of threads.
const BLOCK: usize = 256;

impl Experiment {
    /// The mean of what all repeats return, a column of so many rows.
    fn mean(
        &self,
        rows: usize,
        once: impl Fn(&mut ChaCha8Rng) -> DVector<f64> + Sync,
    ) -> DVector<f64> {
        let blocks = self.repeats.div_ceil(BLOCK);
        let sums: Vec<DVector<f64>> = (0..blocks)
            .into_par_iter()
            .map(|block| {
                let mut random = ChaCha8Rng::seed_from_u64(self.seed);
                random.set_stream(block as u64);
                let count = BLOCK.min(self.repeats - block * BLOCK);
                let zero = DVector::zeros(rows);
                (0..count).fold(zero, |sum, _| sum + once(&mut random))
            })
            .collect();
        // In their order, so that the number of threads changes no bit.
        sums.iter().fold(DVector::zeros(rows), |sum, block| sum + block) / self.repeats as f64
    }

    /// Times from `start` down to `end`, in steps of at most the experiment's.
    fn times(&self, start: f64, end: f64) -> Vec<f64> {
        if start <= end {
            return Vec::new();
        }
        let steps = ((start - end) / self.step).ceil().max(1.0) as usize;
        (0..=steps).map(|i| start + (end - start) * i as f64 / steps as f64).collect()
    }

    /// φ of clones that part at `parting`, by the reverse process along m with the exact score, from
    /// the noised clusters at `start`.
    pub fn two_clusters(&self, clusters: &TwoClusters, start: f64, parting: f64) -> f64 {
        let rate = clusters.process.alpha * clusters.kappa;
        let noise2 = clusters.process.beta2;
        let way = |times: Vec<f64>| -> Vec<(f64, f64, f64)> {
            let steps = times.windows(2);
            steps
                .map(|t| (t[0] - t[1], clusters.noised(t[0])))
                .map(|(h, (m, g))| (h, m, g))
                .collect()
        };
        let (common, apart) = (way(self.times(start, parting)), way(self.times(parting, 0.0)));
        let walk = |way: &[(f64, f64, f64)], mut y: f64, random: &mut ChaCha8Rng| {
            for &(h, distance, variance) in way {
                let score = (distance * (y * distance / variance).tanh() - y) / variance;
                y += h * (rate * y + noise2 * score) + (noise2 * h).sqrt() * normal(random);
            }
            y
        };
        let (from, variance) = clusters.noised(start);
        let same = self.mean(1, |random| {
            // Far above the speciation time nobody could tell that there are two.
            let y = from.copysign(normal(random)) + variance.sqrt() * normal(random);
            let parting = walk(&common, y, random);
            let [first, second] = [0, 1].map(|_| walk(&apart, parting, random) > 0.0);
            DVector::from_element(1, f64::from(u8::from(first == second)))
        });
        same[0]
    }

    /// Covariance of two clones that part at `parting`, of Gaussian data of the covariance `data`:
    /// what was decided by then.
    pub fn gaussian(
        &self,
        coupled: &Coupled<'_>,
        data: &DMatrix<f64>,
        parting: f64,
    ) -> DMatrix<f64> {
        let (n, noise2) = (data.nrows(), coupled.noise2());
        let times = self.times(parting, 0.0);
        // By the middle of each step, where the error of the score is smallest.
        let way: Vec<(f64, DMatrix<f64>)> = times
            .windows(2)
            .map(|t| {
                let middle = 0.5 * (t[0] + t[1]);
                let v = coupled.moment(middle).covariance(data);
                let score = v.try_inverse().expect("noised data have a regular covariance");
                (t[0] - t[1], -coupled.drift(middle) - score * noise2)
            })
            .collect();
        let root =
            coupled.moment(parting).covariance(data).cholesky().expect("it is a covariance").l();
        let draw = |random: &mut ChaCha8Rng| DVector::from_fn(n, |_, _| normal(random));
        let products = self.mean(n * n, |random| {
            let parting = &root * draw(random);
            let [first, second] = [0, 1].map(|_| {
                way.iter().fold(parting.clone(), |y, (h, drift)| {
                    let noise = draw(random) * (noise2 * h).sqrt();
                    &y + drift * &y * *h + noise
                })
            });
            DVector::from_column_slice((first * second.transpose()).as_slice())
        });
        let sum = DMatrix::from_column_slice(n, n, products.as_slice());
        (&sum + sum.transpose()) * 0.5
    }

    /// Of states noised from one of `samples` Gaussian samples: the part whose nearest sample (the
    /// most likely one) is their own, and f/α, the part of ln n that they do not know.
    ///
    /// The distance to another sample depends on the state by its length alone, and is drawn so:
    /// each field costs a chi-squared variate a sample, however many dimensions it has.
    pub fn nearest_sample(
        &self,
        process: Process,
        fields: &[Field],
        samples: usize,
        t: f64,
    ) -> (f64, f64) {
        let fields: Vec<_> = fields
            .iter()
            .map(|field| {
                let squares = ChiSquared::new(field.dimensions as f64 - 1.0);
                (field.signal_to_noise(process, t), squares.expect("a field has two dimensions"))
            })
            .collect();
        let means = self.mean(2, |random| {
            let (mut own, mut lengths) = (0.0, Vec::with_capacity(fields.len()));
            for (ratio, squares) in &fields {
                // The noise, and the sample along it and across.
                let noise2 = normal(random).powi(2) + squares.sample(random);
                own += 0.5 * noise2;
                let along = normal(random) + (noise2 / ratio).sqrt();
                lengths.push((along * along + squares.sample(random)).sqrt());
            }
            let mut least = f64::INFINITY;
            let mut likelihood = 1.0;
            for _ in 1..samples {
                let energy: f64 = fields
                    .iter()
                    .zip(&lengths)
                    .map(|((ratio, squares), length)| {
                        let along = normal(random) - length;
                        0.5 * ratio * (along * along + squares.sample(random))
                    })
                    .sum();
                least = least.min(energy);
                likelihood += (own - energy).exp();
            }
            DVector::from_vec(vec![f64::from(u8::from(own < least)), likelihood.ln()])
        });
        (means[0], means[1] / (samples as f64).ln())
    }
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}
