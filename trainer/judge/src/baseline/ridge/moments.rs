//! Second moments, and the weights that follow from them.

use nalgebra::DMatrix;

/// The penalties that are tried, in units of the predictors' mean variance.
pub(super) const PENALTIES: [f64; 11] =
    [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2];

/// Sums of x xᵀ, x yᵀ and yᵀy over samples of predictors x and targets y. The last predictor is 1:
/// its weight is the mean, and has no penalty.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    xx: DMatrix<f64>,
    xy: DMatrix<f64>,
    yy: f64,
}

impl Moments {
    /// Of samples, a column each.
    pub(super) fn of(x: &DMatrix<f64>, y: &DMatrix<f64>) -> Self {
        Self { xx: x * x.transpose(), xy: x * y.transpose(), yy: y.norm_squared() }
    }

    /// Of both.
    pub(super) fn add(&mut self, other: &Self) {
        self.xx += &other.xx;
        self.xy += &other.xy;
        self.yy += other.yy;
    }

    /// W of least Σ ‖y − Wᵀx‖² + λ‖W‖² without the means, where λ is `penalty` times the mean of
    /// Σ x². None if rounding has left nothing to solve.
    pub(super) fn solve(&self, penalty: f64) -> Option<DMatrix<f64>> {
        let varying = self.xx.nrows() - 1;
        let squares: f64 = (0..varying).map(|i| self.xx[(i, i)]).sum();
        let variance = squares / varying as f64;
        // Predictors that never change get no weight, whatever the penalty.
        let lambda = if variance > 0.0 { penalty * variance } else { 1.0 };
        let mut normal = self.xx.clone();
        for i in 0..varying {
            normal[(i, i)] += lambda;
        }
        Some(normal.cholesky()?.solve(&self.xy))
    }

    /// Σ ‖y − Wᵀx‖².
    pub(super) fn error(&self, weights: &DMatrix<f64>) -> f64 {
        let gradient = &self.xx * weights - &self.xy * 2.0;
        self.yy + weights.dot(&gradient)
    }
}

/// For every penalty, the error on the samples in `held` of the weights from those in `fit`;
/// infinite where there are none.
pub(super) fn errors(fit: &Moments, held: &Moments) -> Vec<f64> {
    let error = |&penalty: &f64| fit.solve(penalty).map_or(f64::INFINITY, |w| held.error(&w));
    PENALTIES.iter().map(error).collect()
}

/// The penalty of the least error over all maps.
pub(super) fn best(maps: &[Vec<f64>]) -> f64 {
    let total = |n: usize| maps.iter().map(|errors| errors[n]).sum::<f64>();
    let tried = PENALTIES.iter().enumerate().map(|(n, &penalty)| (total(n), penalty));
    tried.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(PENALTIES[0], |(_, penalty)| penalty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::NoiseStream;

    fn noise(rows: usize, columns: usize, draw: u32) -> DMatrix<f64> {
        let mut values = vec![0.0_f32; rows * columns];
        NoiseStream { seed: 5, member: 0, frame: 0, draw }.fill(&mut values);
        DMatrix::from_iterator(rows, columns, values.into_iter().map(f64::from))
    }

    fn with_one(x: DMatrix<f64>) -> DMatrix<f64> {
        let rows = x.nrows();
        x.insert_row(rows, 1.0)
    }

    /// On what is a linear map the least penalty finds it; on noise that has nothing to do with the
    /// predictors, the largest is the best.
    #[test]
    fn the_penalty_fits_the_data() {
        let map = noise(4, 7, 1);
        let (x, held) = (with_one(noise(6, 200, 2)), with_one(noise(6, 80, 3)));
        let of = |x: &DMatrix<f64>| Moments::of(x, &(&map * x));
        let chosen = |fit: &Moments, held: &Moments| best(&[errors(fit, held)]);
        assert_eq!(chosen(&of(&x), &of(&held)), PENALTIES[0]);
        let weights = of(&x).solve(PENALTIES[0]).unwrap();
        assert!((weights.transpose() - &map).abs().max() < 1e-6);
        // Of so many weights none helps by chance.
        let strangers = |n: usize, draw: u32| {
            Moments::of(&with_one(noise(60, n, draw)), &noise(200, n, draw + 1))
        };
        let (fit, held) = (strangers(200, 20), strangers(80, 22));
        assert_eq!(chosen(&fit, &held), PENALTIES[PENALTIES.len() - 1]);
        // Two maps have one penalty, that of the larger error.
        let [small, large] =
            [[1.0, 2.0, 3.0], [9.0, 5.0, 7.0]].map(|e| [vec![8.0; 8], e.to_vec()].concat());
        assert_eq!(best(&[small, large]), PENALTIES[9]);
    }

    /// The error from moments is that of the samples, and the weights are where it is least.
    #[test]
    fn moments_know_the_error_and_its_least() {
        let x = with_one(noise(3, 50, 6));
        let y = noise(2, 50, 7) + noise(2, 4, 8) * &x;
        let (penalty, moments) = (0.3, Moments::of(&x, &y));
        let weights = moments.solve(penalty).unwrap();
        let direct = |w: &DMatrix<f64>| (&y - w.transpose() * &x).norm_squared();
        assert!((moments.error(&weights) - direct(&weights)).abs() < 1e-9);
        let lambda = penalty * x.rows(0, 3).norm_squared() / 3.0;
        let penalised = |w: &DMatrix<f64>| direct(w) + lambda * w.rows(0, 3).norm_squared();
        for n in 9..13 {
            let other = &weights + noise(4, 2, n) * 1e-3;
            assert!(penalised(&weights) < penalised(&other));
        }
        let halves = [0, 25]
            .map(|n| Moments::of(&x.columns(n, 25).into_owned(), &y.columns(n, 25).into_owned()));
        let [mut both, other] = halves;
        both.add(&other);
        assert!((both.solve(penalty).unwrap() - weights).abs().max() < 1e-12);
    }
}
