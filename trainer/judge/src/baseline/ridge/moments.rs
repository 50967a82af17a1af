//! Second moments, and the weights that follow from them.

use nalgebra::DMatrix;

/// The penalties that are tried, in units of the predictors' mean variance.
pub(super) const PENALTIES: [f64; 11] =
    [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2];

/// Sums of x xᵀ, x yᵀ and yᵀy over samples of predictors x and targets y.
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

    /// W of least Σ ‖y − Wᵀx‖² + λ‖W‖², where λ is `penalty` times the mean of Σ x². None if
    /// rounding has left nothing to solve.
    pub(super) fn solve(&self, penalty: f64) -> Option<DMatrix<f64>> {
        let variance = self.xx.trace() / self.xx.nrows() as f64;
        // Predictors that never change get no weight, whatever the penalty.
        let lambda = if variance > 0.0 { penalty * variance } else { 1.0 };
        let mut normal = self.xx.clone();
        for i in 0..normal.nrows() {
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

/// The penalty whose weights, from the samples in `fit`, have the least error on those in `held`;
/// with these weights.
pub(super) fn choose(fit: &Moments, held: &Moments) -> Option<(f64, DMatrix<f64>)> {
    let tried = PENALTIES.iter().filter_map(|&penalty| {
        let weights = fit.solve(penalty)?;
        Some((held.error(&weights), penalty, weights))
    });
    let best = tried.min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some((best.1, best.2))
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

    /// On what is a linear map the least penalty finds it; on noise that has nothing to do with the
    /// predictors, the largest is the best.
    #[test]
    fn the_penalty_fits_the_data() {
        let map = noise(4, 6, 1);
        let (x, held) = (noise(6, 200, 2), noise(6, 80, 3));
        let of = |x: &DMatrix<f64>| Moments::of(x, &(&map * x));
        let (penalty, weights) = choose(&of(&x), &of(&held)).unwrap();
        assert_eq!(penalty, PENALTIES[0]);
        assert!((weights.transpose() - &map).abs().max() < 1e-6);
        // Of so many weights none helps by chance.
        let strangers =
            |n: usize, draw: u32| Moments::of(&noise(60, n, draw), &noise(200, n, draw + 1));
        let (fit, held) = (strangers(200, 20), strangers(80, 22));
        assert_eq!(choose(&fit, &held).unwrap().0, PENALTIES[PENALTIES.len() - 1]);
    }

    /// The error from moments is that of the samples, and the weights are where it is least.
    #[test]
    fn moments_know_the_error_and_its_least() {
        let (x, y) = (noise(3, 50, 6), noise(2, 50, 7) + noise(2, 3, 8) * noise(3, 50, 6));
        let (penalty, moments) = (0.3, Moments::of(&x, &y));
        let weights = moments.solve(penalty).unwrap();
        let direct = |w: &DMatrix<f64>| (&y - w.transpose() * &x).norm_squared();
        assert!((moments.error(&weights) - direct(&weights)).abs() < 1e-9);
        let lambda = penalty * x.norm_squared() / 3.0;
        let penalised = |w: &DMatrix<f64>| direct(w) + lambda * w.norm_squared();
        for n in 9..13 {
            let other = &weights + noise(3, 2, n) * 1e-3;
            assert!(penalised(&weights) < penalised(&other));
        }
        let halves = [0, 25]
            .map(|n| Moments::of(&x.columns(n, 25).into_owned(), &y.columns(n, 25).into_owned()));
        let [mut both, other] = halves;
        both.add(&other);
        assert!((both.solve(penalty).unwrap() - weights).abs().max() < 1e-12);
    }
}
