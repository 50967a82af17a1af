//! Ridge regression (Hoerl and Kennard 1970, doi 10.1080/00401706.1970.10488634): second moments of
//! predictors and targets, the weights that follow from them, and the best map of lower rank.

use std::ops::Range;

use finescale_host::interrupt::{self, Interrupted};
use nalgebra::DMatrix;
use rayon::prelude::*;

/// The penalties that are tried, in units of the predictors' mean variance.
pub const PENALTIES: [f64; 11] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2];

/// Runs of frames are held out in so many parts; where there are fewer than three runs, the last of
/// so many parts of each is.
pub const HELD: usize = 5;

/// How penalties are tried: weights from all other parts of the training frames predict a part.
///
/// From three runs on, a part is whole runs, and each part is predicted: what holds for one run
/// may not hold for another, such as an offset of its sensor. Otherwise the last fifth of
/// every run is predicted by what came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parting {
    /// Frames, each in one part.
    pub parts: Vec<Vec<usize>>,
    /// Parts that are predicted, the last ones.
    tried: usize,
}

impl Parting {
    /// Of the frames of some runs; none if there is nothing that could be held out.
    pub fn of(runs: &[Range<usize>]) -> Option<Self> {
        let runs: Vec<&Range<usize>> = runs.iter().filter(|run| !run.is_empty()).collect();
        if runs.len() >= 3 {
            let tried = runs.len().min(HELD);
            let part = |n: usize| {
                runs.iter().skip(n).step_by(tried).flat_map(|&run| run.clone()).collect()
            };
            return Some(Self { parts: (0..tried).map(part).collect(), tried });
        }
        let (mut early, mut late) = (Vec::new(), Vec::new());
        for run in runs {
            let held = run.end - run.len() / HELD;
            early.extend(run.start..held);
            late.extend(held..run.end);
        }
        (!late.is_empty()).then_some(Self { parts: vec![early, late], tried: 1 })
    }

    /// Frames that are predicted in some trial.
    pub fn predicted(&self) -> usize {
        self.parts[self.parts.len() - self.tried..].iter().map(Vec::len).sum()
    }

    /// Of the moments of all parts, for each trial the number of the part that is predicted, and
    /// the sum of the others.
    pub fn trials(&self, moments: &[Moments]) -> Vec<(usize, Moments)> {
        let first = self.parts.len() - self.tried;
        let others = |part: usize| {
            let others = moments.iter().enumerate().filter(|(n, _)| *n != part);
            (part, Moments::sum(others.map(|(_, moments)| moments)))
        };
        (first..self.parts.len()).map(others).collect()
    }
}

/// Sums of x xᵀ, x yᵀ and yᵀy over samples of predictors x and targets y.
#[derive(Clone, Debug)]
pub struct Moments {
    xx: DMatrix<f64>,
    xy: DMatrix<f64>,
    yy: f64,
    samples: usize,
    /// Predictors at the end whose weights have no penalty.
    free: usize,
}

/// A map of low rank: predictors to a few numbers of about unit variance, and these to the targets.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// Numbers × predictors.
    pub down: DMatrix<f64>,
    /// Targets × numbers.
    pub up: DMatrix<f64>,
}

impl Moments {
    /// Of samples, a column each. The last `free` predictors have weights without penalty: a
    /// predictor that is always 1, whose weight is the mean.
    pub fn of(x: &DMatrix<f64>, y: &DMatrix<f64>, free: usize) -> Self {
        let (xx, xy) = (x * x.transpose(), x * y.transpose());
        Self { xx, xy, yy: y.norm_squared(), samples: x.ncols(), free }
    }

    /// Of the samples of all blocks. So many blocks are worked on together, and they are summed in
    /// an order that no number of threads changes. None if there are no blocks.
    ///
    /// # Errors
    /// After Ctrl-C.
    pub fn over<B: Sync>(
        blocks: &[B],
        of: impl Fn(&B) -> Self + Sync,
    ) -> Result<Option<Self>, Interrupted> {
        const TOGETHER: usize = 8;
        let mut total: Option<Self> = None;
        for group in blocks.chunks(TOGETHER) {
            interrupt::check()?;
            for part in group.par_iter().map(&of).collect::<Vec<_>>() {
                match &mut total {
                    Some(total) => total.add(&part),
                    None => total = Some(part),
                }
            }
        }
        Ok(total)
    }

    /// The sum of moments.
    ///
    /// # Panics
    /// If there are none.
    pub fn sum<'a>(mut all: impl Iterator<Item = &'a Self>) -> Self {
        let mut total = all.next().expect("there is a first part").clone();
        all.for_each(|moments| total.add(moments));
        total
    }

    /// Adds the moments of other samples.
    pub fn add(&mut self, other: &Self) {
        self.xx += &other.xx;
        self.xy += &other.xy;
        self.yy += other.yy;
        self.samples += other.samples;
    }

    /// W of least Σ ‖y − Wᵀx‖² + λ‖W‖² without the free weights, where λ is `penalty` times the
    /// mean of Σ x². None if rounding has left nothing to solve.
    pub fn solve(&self, penalty: f64) -> Option<DMatrix<f64>> {
        Some(self.normal(penalty).cholesky()?.solve(&self.xy))
    }

    /// The columns of W for some targets, where the weight of each predictor has a penalty of its
    /// own: `penalties` are factors of λ, the unit of [`Moments::solve`]. None as there.
    pub fn solve_each(
        &self,
        penalty: f64,
        penalties: &[f64],
        targets: &[usize],
    ) -> Option<DMatrix<f64>> {
        let lambda = self.lambda(penalty);
        let mut normal = self.xx.clone();
        for (i, factor) in penalties.iter().enumerate() {
            normal[(i, i)] += lambda * factor;
        }
        Some(normal.cholesky()?.solve(&self.xy.select_columns(targets)))
    }

    /// Of all maps of a rank, the one whose values are nearest to those of the map W.
    ///
    /// With L Lᵀ the sum of x xᵀ and the penalty, a map V differs from W by ‖Lᵀ(W − V)‖². So the
    /// best V keeps of LᵀW what lies in its first left singular vectors. None as for
    /// [`Moments::solve`].
    pub fn reduce(&self, weights: &DMatrix<f64>, penalty: f64, rank: usize) -> Option<Reduced> {
        let lower = self.normal(penalty).cholesky()?.unpack();
        let whitened = lower.transpose() * weights;
        let turned = (&whitened * whitened.transpose()).symmetric_eigen();
        let mut order: Vec<usize> = (0..lower.nrows()).collect();
        order.sort_by(|&a, &b| turned.eigenvalues[b].total_cmp(&turned.eigenvalues[a]));
        let kept = turned.eigenvectors.select_columns(order.iter().take(rank));
        // Numbers of unit variance: what follows may be computed in few bits.
        let unit = (self.samples.max(1) as f64).sqrt();
        let up = whitened.transpose() * &kept / unit;
        let down = lower.tr_solve_lower_triangular(&kept)?.transpose() * unit;
        Some(Reduced { down, up })
    }

    /// A penalty in units of the sums: `penalty` times the mean of Σ x².
    fn lambda(&self, penalty: f64) -> f64 {
        let varying = self.xx.nrows() - self.free;
        let squares: f64 = (0..varying).map(|i| self.xx[(i, i)]).sum();
        let variance = squares / varying as f64;
        // Predictors that never change get no weight, whatever the penalty.
        if variance > 0.0 { penalty * variance } else { 1.0 }
    }

    /// The same of the first so many predictors alone.
    pub fn first(&self, predictors: usize) -> Self {
        Self {
            xx: self.xx.view((0, 0), (predictors, predictors)).into_owned(),
            xy: self.xy.rows(0, predictors).into_owned(),
            yy: self.yy,
            samples: self.samples,
            free: 0,
        }
    }

    /// Σ x xᵀ with the penalty.
    fn normal(&self, penalty: f64) -> DMatrix<f64> {
        let lambda = self.lambda(penalty);
        let mut normal = self.xx.clone();
        for i in 0..self.xx.nrows() - self.free {
            normal[(i, i)] += lambda;
        }
        normal
    }

    /// Number of predictors.
    pub fn predictors(&self) -> usize {
        self.xx.nrows()
    }

    /// Number of targets.
    pub fn targets(&self) -> usize {
        self.xy.ncols()
    }

    /// What a penalty of 1 is: see [`Moments::solve`].
    pub fn unit(&self) -> f64 {
        self.lambda(1.0)
    }

    /// Σ ‖y − Wᵀx‖².
    pub fn error(&self, weights: &DMatrix<f64>) -> f64 {
        let gradient = &self.xx * weights - &self.xy * 2.0;
        self.yy + weights.dot(&gradient)
    }
}

/// For every penalty, the error on the samples in `held` of the weights that `solve` gives;
/// infinite where it gives none.
pub fn errors(held: &Moments, solve: impl Fn(f64) -> Option<DMatrix<f64>>) -> Vec<f64> {
    let error = |&penalty: &f64| solve(penalty).map_or(f64::INFINITY, |w| held.error(&w));
    PENALTIES.iter().map(error).collect()
}

/// The penalty of the least error over all maps.
pub fn best(maps: &[Vec<f64>]) -> f64 {
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

    /// If it failed, frames would choose a penalty for themselves, or not be used at all.
    #[test]
    fn parts_are_runs_or_their_ends() {
        let two = Parting::of(&[0..10, 10..25]).unwrap();
        assert_eq!(two.parts[0], (0..8).chain(10..22).collect::<Vec<_>>());
        assert_eq!((two.parts[1].as_slice(), two.predicted()), (&[8, 9, 22, 23, 24][..], 5));
        assert_eq!(Parting::of(&[0..4, 4..8]), None);

        let runs: Vec<Range<usize>> = (0..7).map(|n| 3 * n..3 * n + 3).collect();
        let seven = Parting::of(&runs).unwrap();
        assert_eq!((seven.parts.len(), seven.predicted()), (5, 21));
        assert_eq!(seven.parts[1], [3, 4, 5, 18, 19, 20]);
        let moments: Vec<Moments> = seven
            .parts
            .iter()
            .map(|part| Moments::of(&noise(2, part.len(), 50), &noise(1, part.len(), 51), 0))
            .collect();
        for (part, others) in seven.trials(&moments) {
            assert_eq!(others.samples + seven.parts[part].len(), 21);
        }
    }

    /// The map of a rank of least penalised error.
    fn reduced(moments: &Moments, penalty: f64, rank: usize) -> Reduced {
        moments.reduce(&moments.solve(penalty).unwrap(), penalty, rank).unwrap()
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
        let of = |x: &DMatrix<f64>| Moments::of(x, &(&map * x), 1);
        let chosen =
            |fit: &Moments, held: &Moments| best(&[errors(held, |penalty| fit.solve(penalty))]);
        assert_eq!(chosen(&of(&x), &of(&held)), PENALTIES[0]);
        let weights = of(&x).solve(PENALTIES[0]).unwrap();
        assert!((weights.transpose() - &map).abs().max() < 1e-6);
        // Of so many weights none helps by chance.
        let strangers = |n: usize, draw: u32| {
            Moments::of(&with_one(noise(60, n, draw)), &noise(200, n, draw + 1), 1)
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
        let (penalty, moments) = (0.3, Moments::of(&x, &y, 1));
        let weights = moments.solve(penalty).unwrap();
        let direct = |w: &DMatrix<f64>| (&y - w.transpose() * &x).norm_squared();
        assert!((moments.error(&weights) - direct(&weights)).abs() < 1e-9);
        let lambda = penalty * x.rows(0, 3).norm_squared() / 3.0;
        let penalised = |w: &DMatrix<f64>| direct(w) + lambda * w.rows(0, 3).norm_squared();
        for n in 9..13 {
            let other = &weights + noise(4, 2, n) * 1e-3;
            assert!(penalised(&weights) < penalised(&other));
        }
        let halves = [0, 25].map(|n| {
            Moments::of(&x.columns(n, 25).into_owned(), &y.columns(n, 25).into_owned(), 1)
        });
        let [mut both, other] = halves;
        both.add(&other);
        assert!((both.solve(penalty).unwrap() - weights).abs().max() < 1e-12);
    }

    /// If it failed, a map of low rank would lose more than it must, or be another map at full
    /// rank.
    #[test]
    fn a_reduced_map_is_the_best_of_its_rank() {
        let (x, penalty) = (noise(6, 300, 30), 0.1);
        let map = noise(4, 6, 31);
        // What is a linear map of rank 2 is recovered at rank 2.
        let thin = noise(4, 2, 32) * noise(2, 6, 33);
        let found = reduced(&Moments::of(&x, &(&thin * &x), 0), PENALTIES[0], 2);
        assert!((&found.up * &found.down - &thin).abs().max() < 1e-6);
        let y = &map * &x + noise(4, 300, 34) * 0.1;
        let moments = Moments::of(&x, &y, 0);
        let full = reduced(&moments, penalty, 4);
        let weights = moments.solve(penalty).unwrap();
        assert!((&full.up * &full.down - weights.transpose()).abs().max() < 1e-9);
        let lambda = penalty * x.norm_squared() / 6.0;
        let cost = |up: &DMatrix<f64>, down: &DMatrix<f64>| {
            let map = up * down;
            (&y - &map * &x).norm_squared() + lambda * map.norm_squared()
        };
        let Reduced { down, up } = reduced(&moments, penalty, 2);
        assert_eq!((up.ncols(), down.nrows()), (2, 2));
        assert!(cost(&up, &down) > cost(&full.up, &full.down));
        for n in 40..60 {
            let other = cost(&(&up + noise(4, 2, n) * 1e-3), &(&down + noise(2, 6, n + 20) * 1e-3));
            assert!(cost(&up, &down) < other);
        }
        let scaled = &down * &x;
        let variance = scaled.row(0).norm_squared() / 300.0;
        assert!((0.5..1.0).contains(&variance), "{variance}");
    }
}
