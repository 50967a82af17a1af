//! Continuous ranked probability score: how far an ensemble is from the truth as a distribution.
//!
//! For members x_1 … x_M and truth y, at every point,
//!
//! ```text
//! CRPS = 1/M Σ_i |x_i − y| − 1/(2 M (M − 1)) Σ_i Σ_j |x_i − x_j|
//! ```
//!
//! the *fair* score (Ferro 2014, doi 10.1002/qj.2270; Zamo and Naveau 2018, doi
//! 10.1007/s11004-017-9709-7): its expectation does not depend on M, and is least when members and
//! truth are draws of one distribution. Of one member it is the absolute error. In the field's
//! units; 0 is perfect, and a prediction N(m, σ²) that is right scores σ/√π.
//!
//! Of a Gaussian N(m, σ²), with z = (y − m)/σ, in closed form (Gneiting and Raftery 2007, doi
//! 10.1198/016214506000001437, equation 21):
//!
//! ```text
//! CRPS = σ (z erf(z/√2) + √(2/π) e^(−z²/2) − 1/√π)
//! ```

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use serde::Serialize;

use super::pointwise::{Pass, Pick};

/// Fair CRPS of an ensemble at one point. Sorts `members`, whose order is lost; 0 members score
/// NaN.
pub fn fair_crps(members: &mut [f32], truth: f32) -> f64 {
    let m = members.len() as f64;
    let skill = members.iter().map(|x| f64::from((x - truth).abs())).sum::<f64>() / m;
    if members.len() < 2 {
        return skill;
    }
    members.sort_unstable_by(f32::total_cmp);
    // Σ_i Σ_j |x_i − x_j| of sorted values: x_i stands above i of them and below the other M − 1 −
    // i.
    let pairs =
        members.iter().zip(0..).map(|(&x, i)| f64::from(x) * (2.0 * f64::from(i) - m + 1.0));
    skill - pairs.sum::<f64>() / (m * (m - 1.0))
}

/// CRPS of a Gaussian whose mean is `error` away from the truth.
pub fn gaussian_crps(error: f64, deviation: f64) -> f64 {
    if deviation <= 0.0 {
        return error.abs();
    }
    let z = error / deviation;
    let density = (2.0 / PI).sqrt() * (-0.5 * z * z).exp();
    deviation * (z * libm::erf(z * FRAC_1_SQRT_2) + density - 1.0 / PI.sqrt())
}

/// CRPS of a result, averaged over trajectories, frames and points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Crps {
    /// In the channel's units.
    pub value: f64,
    /// Over the channel's standard deviation.
    pub relative: f64,
    /// The same by lead time.
    pub relative_by_lead: Vec<f64>,
    /// Of the fields' parts in a band, over the standard deviation of the truth's part; empty for a
    /// Gaussian, which says nothing of them.
    pub relative_by_band: Vec<f64>,
}

impl Crps {
    pub(super) fn new(pass: &Pass, pick: Pick) -> Self {
        let all = pass.total(pick, 0);
        let relative = all.crps / all.values;
        let band = |band: usize| {
            let sums = pass.total(pick, band + 1);
            sums.crps / sums.values / (sums.truth / sums.values).sqrt()
        };
        Self {
            value: relative * pass.unit(pick),
            relative,
            relative_by_lead: pass.by_lead(pick, |sums| sums.crps / sums.values),
            relative_by_band: pass.bands().filter(|_| !pass.gaussian).map(band).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// E|X − y| − ½ E|X − X'| by quadrature of the integral of (F(x) − [x ≥ y])², its definition.
    #[test]
    fn a_gaussian_has_its_integral() {
        for (error, deviation) in [(0.0, 1.0), (0.7, 0.5), (-3.0, 2.0), (5.0, 0.3)] {
            let steps = 400_000;
            let (low, width) = (-30.0, 60.0 / f64::from(steps));
            let integral: f64 = (0..steps)
                .map(|n| {
                    let x = low + (f64::from(n) + 0.5) * width;
                    let below = 0.5 * libm::erfc(-x / deviation * FRAC_1_SQRT_2);
                    let truth = if x >= error { 1.0 } else { 0.0 };
                    (below - truth).powi(2) * width
                })
                .sum();
            let found = gaussian_crps(error, deviation);
            assert!((found - integral).abs() < 2e-4, "{error} {deviation}: {found} {integral}");
        }
        assert_eq!(gaussian_crps(-2.0, 0.0), 2.0);
    }

    /// Closed forms: a wrong weight of the pairs would favour ensembles that are too narrow or too
    /// wide.
    #[test]
    fn small_ensembles_by_hand() {
        let cases: [(&[f32], f32, f64); 6] = [
            (&[3.0], 1.0, 2.0),
            (&[0.0, 0.0], 1.0, 1.0),
            // Mean distance 1, mean of |x_1 − x_2| over the pair 2, half of it 1.
            (&[0.0, 2.0], 1.0, 0.0),
            (&[0.0, 2.0], 5.0, 3.0),
            // Mean distance 4/3, pairs 1, 2, 3 with mean 2, half of it 1.
            (&[3.0, 0.0, 1.0], 0.0, 1.0 / 3.0),
            (&[1.0, 2.0, 4.0, 8.0], 4.0, 9.0 / 4.0 - (1.0 + 3.0 + 7.0 + 2.0 + 6.0 + 4.0) / 12.0),
        ];
        for (members, truth, expected) in cases {
            let found = fair_crps(&mut members.to_vec(), truth);
            assert!((found - expected).abs() < 1e-12, "{members:?} against {truth}: {found}");
        }
    }
}
