//! Speciation of coupled variables: dX = A(t) X dt + b dW for any square A(t).
//!
//! With E(t) the propagator of the drift and Σ(t) the covariance of the noise, what is left of data
//! of covariance C₀ stands against the noise as the eigenvalues of Σ^{−½} E C₀ Eᵀ Σ^{−½}. They are
//! those of C₀ against N = E⁻¹ Σ E⁻ᵀ, the noise seen from the data, which only grows: dN/dt = b²
//! E⁻¹ E⁻ᵀ. So each of the eigenvalues, in their order, passes 1 once. That is its speciation time: the
//! reverse process decides there which way the combination goes. Sources: Biroli and others,
//! *Dynamical regimes of diffusion models* (arXiv 2402.18491) for one variable; Albrychiewicz,
//! Franco Valiente and Chen, *Dynamical Regimes of Multimodal Diffusion Models* (arXiv 2602.04780)
//! for the model of two coupled ones. The matrix form is ours. It is computed from E and Σ, since N
//! has no digits left where the rates differ much.

use nalgebra::{Complex, DMatrix, DVector};

use crate::root::falling_from;

/// A coupled linear process.
pub struct Coupled<'a> {
    drift: Drift<'a>,
    noise2: f64,
}

enum Drift<'a> {
    /// −Q diag(κ) Qᵀ.
    Symmetric { rates: DVector<f64>, modes: DMatrix<f64> },
    /// Any constant A.
    Constant(DMatrix<f64>),
    /// A(t), with the step that it is integrated by.
    Scheduled { at: Box<dyn Fn(f64) -> DMatrix<f64> + Sync + 'a>, step: f64 },
    /// One process up to a time, and another from there on.
    Switched { first: Box<Coupled<'a>>, at: f64, second: Box<Coupled<'a>> },
}

/// The process from the data to one time.
#[derive(Clone, Debug)]
pub struct Moment {
    /// E, which takes the data to the state.
    pub propagator: DMatrix<f64>,
    /// Σ, the covariance of the noise.
    pub noise: DMatrix<f64>,
}

impl<'a> Coupled<'a> {
    /// dX = A X dt + b dW with a constant A and b² = `noise2`.
    pub fn constant(a: DMatrix<f64>, noise2: f64) -> Self {
        let symmetric = (&a - a.transpose()).amax() <= 1e-12 * a.amax();
        let drift = if symmetric {
            let eigen = (-a).symmetric_eigen();
            Drift::Symmetric { rates: eigen.eigenvalues, modes: eigen.eigenvectors }
        } else {
            Drift::Constant(a)
        };
        Self { drift, noise2 }
    }

    /// Two variables of damping β that drive each other with `g12` and `g21`: A = [[−β, g₁₂], [g₂₁,
    /// −β]]. It decays if g₁₂ g₂₁ < β².
    pub fn pair(beta: f64, g12: f64, g21: f64, noise2: f64) -> Self {
        Self::constant(pair(beta, g12, g21), noise2)
    }

    /// dX = A(t) X dt + b dW, by Magnus's method of fourth order in steps of `step`. Where A jumps,
    /// a step has to end.
    pub fn scheduled(a: impl Fn(f64) -> DMatrix<f64> + Sync + 'a, step: f64, noise2: f64) -> Self {
        Self { drift: Drift::Scheduled { at: Box::new(a), step }, noise2 }
    }

    /// This process up to the time `at`, and `later` from there on.
    #[must_use]
    pub fn until(self, at: f64, later: Self) -> Self {
        let noise2 = self.noise2;
        Self { drift: Drift::Switched { first: self.into(), at, second: later.into() }, noise2 }
    }

    /// b².
    pub fn noise2(&self) -> f64 {
        self.noise2
    }

    /// A(t).
    pub fn drift(&self, t: f64) -> DMatrix<f64> {
        match &self.drift {
            Drift::Symmetric { rates, modes } => {
                -(modes * DMatrix::from_diagonal(rates) * modes.transpose())
            }
            Drift::Constant(a) => a.clone(),
            Drift::Scheduled { at, .. } => at(t),
            Drift::Switched { first, at, .. } if t < *at => first.drift(t),
            Drift::Switched { at, second, .. } => second.drift(t - at),
        }
    }

    /// What became of the process by time `t` > 0.
    pub fn moment(&self, t: f64) -> Moment {
        match &self.drift {
            Drift::Symmetric { rates, modes } => {
                let of = |values: DVector<f64>| {
                    modes * DMatrix::from_diagonal(&values) * modes.transpose()
                };
                Moment {
                    propagator: of(rates.map(|kappa| (-kappa * t).exp())),
                    noise: of(rates.map(|kappa| self.noise2 * noise(kappa, t))),
                }
            }
            Drift::Constant(a) => {
                // Small enough for the exponential of a matrix, and then twice as far each time.
                let doublings = (a.norm() * t).log2().ceil().clamp(0.0, 40.0);
                let start = self.step(&(self.generator(a) * (t / doublings.exp2())));
                (0..doublings as usize).fold(start, |moment, _| moment.then(&moment))
            }
            Drift::Switched { first, at, .. } if t <= *at => first.moment(t),
            Drift::Switched { first, at, second } => first.moment(*at).then(&second.moment(t - at)),
            Drift::Scheduled { at, step } => {
                let whole = (t / step).floor();
                let n = at(0.0).nrows();
                let none =
                    Moment { propagator: DMatrix::identity(n, n), noise: DMatrix::zeros(n, n) };
                let steps = (0..whole as usize).map(|i| (i as f64 * step, *step));
                let rest = t - whole * step;
                let rest = (rest > 1e-12 * t).then_some((whole * step, rest));
                steps.chain(rest).fold(none, |moment, (from, h)| {
                    moment.then(&self.step(&self.magnus(at, from, h)))
                })
            }
        }
    }

    /// [[A, b²I], [0, −Aᵀ]], whose exponential has E and Σ (Van Loan 1978).
    fn generator(&self, a: &DMatrix<f64>) -> DMatrix<f64> {
        let n = a.nrows();
        let mut all = DMatrix::zeros(2 * n, 2 * n);
        all.view_mut((0, 0), (n, n)).copy_from(a);
        all.view_mut((0, n), (n, n)).fill_diagonal(self.noise2);
        all.view_mut((n, n), (n, n)).copy_from(&(-a.transpose()));
        all
    }

    /// The exponent of a step, to fourth order in its length.
    fn magnus(&self, at: &dyn Fn(f64) -> DMatrix<f64>, from: f64, h: f64) -> DMatrix<f64> {
        let node = |sign: f64| self.generator(&at(from + h * (0.5 + sign * 3_f64.sqrt() / 6.0)));
        let (first, second) = (node(-1.0), node(1.0));
        let commutator = &second * &first - &first * &second;
        (first + second) * (0.5 * h) + commutator * (3_f64.sqrt() / 12.0 * h * h)
    }

    fn step(&self, exponent: &DMatrix<f64>) -> Moment {
        let n = exponent.nrows() / 2;
        let all = exponent.exp();
        let propagator = all.view((0, 0), (n, n)).into_owned();
        let noise = all.view((0, n), (n, n)) * propagator.transpose();
        Moment { propagator, noise }
    }

    /// Signal over noise of data of the covariance `data` at time `t`, falling: of each combination
    /// of the variables that the noise tells apart.
    pub fn signal_to_noise(&self, data: &DMatrix<f64>, t: f64) -> Vec<f64> {
        self.combinations(data, t).into_iter().map(|(ratio, _)| ratio).collect()
    }

    /// The same with the combination itself: the weights of the variables of the data, of length 1.
    pub fn combinations(&self, data: &DMatrix<f64>, t: f64) -> Vec<(f64, DVector<f64>)> {
        let Moment { propagator, noise } = self.moment(t);
        let Some(cholesky) = ((&noise + noise.transpose()) * 0.5).cholesky() else {
            // Only at t = 0 is there no noise.
            let axis = |i| DVector::from_fn(data.nrows(), |j, _| f64::from(u8::from(i == j)));
            return (0..data.nrows()).map(|i| (f64::INFINITY, axis(i))).collect();
        };
        let lower = cholesky.l();
        let white =
            lower.solve_lower_triangular(&propagator).expect("a Cholesky factor is regular");
        let both = &white * data * white.transpose();
        let eigen = ((&both + both.transpose()) * 0.5).symmetric_eigen();
        let weights = white.transpose() * &eigen.eigenvectors;
        let mut all: Vec<_> = (0..data.nrows())
            .map(|i| (eigen.eigenvalues[i], weights.column(i).normalize()))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        all
    }

    /// Speciation times of the combinations, falling; `None` for one that stands out of the noise
    /// even at `horizon`, and for one without power, which never does.
    pub fn speciation(&self, data: &DMatrix<f64>, horizon: f64) -> Vec<Option<f64>> {
        let loudest = data.diagonal().amax();
        let start = 1e-12_f64.max(1e-6 * loudest / self.noise2).min(horizon);
        let silent = self.signal_to_noise(data, horizon.min(1e-3));
        (0..data.nrows())
            .map(|i| {
                let ratio = |t: f64| self.signal_to_noise(data, t)[i];
                let heard = silent[i] > 1e-12 * silent[0];
                heard.then(|| falling_from(1.0, start, horizon, ratio)).flatten()
            })
            .collect()
    }

    /// The information that a state at time `t` has of Gaussian data of this covariance, ½ ln det(1 +
    /// Σ⁻¹ E C₀ Eᵀ), in nats.
    pub fn information(&self, data: &DMatrix<f64>, t: f64) -> f64 {
        self.signal_to_noise(data, t).iter().map(|ratio| 0.5 * ratio.max(0.0).ln_1p()).sum()
    }

    /// The same of a window of frames, each of which goes through this process by itself; its
    /// covariance is that of `[frame][variable]`.
    pub fn window_information(&self, window: &DMatrix<Complex<f64>>, t: f64) -> f64 {
        let Moment { propagator, noise } = self.moment(t);
        let Some(cholesky) = ((&noise + noise.transpose()) * 0.5).cholesky() else {
            return f64::INFINITY;
        };
        let white = cholesky.l().solve_lower_triangular(&propagator).expect("a factor is regular");
        let n = white.nrows();
        let all = DMatrix::from_fn(window.nrows(), window.nrows(), |i, j| {
            let alike = i / n == j / n;
            Complex::from(if alike { white[(i % n, j % n)] } else { 0.0 })
        });
        let seen = &all * window * all.adjoint();
        let ratios = ((&seen + seen.adjoint()) * Complex::from(0.5)).symmetric_eigenvalues();
        ratios.iter().map(|ratio| 0.5 * ratio.max(0.0).ln_1p()).sum()
    }
}

/// [[−β, g₁₂], [g₂₁, −β]].
pub fn pair(beta: f64, g12: f64, g21: f64) -> DMatrix<f64> {
    DMatrix::from_row_slice(2, 2, &[-beta, g12, g21, -beta])
}

/// (1 − e^{−2κt})/(2κ), which is t at κ = 0.
fn noise(kappa: f64, t: f64) -> f64 {
    let z = -2.0 * kappa * t;
    if z.abs() < 1e-300 { t } else { z.exp_m1() / z * t }
}

impl Moment {
    /// This one, and then `later` from there on.
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        let noise = &later.propagator * &self.noise * later.propagator.transpose() + &later.noise;
        Self { propagator: &later.propagator * &self.propagator, noise }
    }

    /// C₀Eᵀ(E C₀ Eᵀ + Σ)⁻¹ E C₀, what is known of Gaussian data of the covariance C₀ here: the
    /// covariance that clones share which part here.
    pub fn known(&self, data: &DMatrix<f64>) -> Option<DMatrix<f64>> {
        let seen = &self.propagator * data;
        Some(seen.transpose() * self.covariance(data).try_inverse()? * seen)
    }

    /// E C₀ Eᵀ + Σ, the covariance of the states of data of covariance C₀.
    pub fn covariance(&self, data: &DMatrix<f64>) -> DMatrix<f64> {
        &self.propagator * data * self.propagator.transpose() + &self.noise
    }
}
