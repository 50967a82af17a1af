//! The equations of two-scale Lorenz-96 and their time steps.

/// Constants of the equations, Lorenz (1996).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Physics {
    /// K, number of slow variables.
    pub slow: usize,
    /// J, fast variables to each slow one.
    pub fast: usize,
    /// F
    pub forcing: f64,
    /// h
    pub coupling: f64,
    /// c
    pub time_scale_ratio: f64,
    /// b
    pub amplitude_ratio: f64,
}

/// The variables on two rings, X of K and Y of K·J, each stored with copies of its neighbours on
/// either side, so that the equations need no remainders: `x[i + 2]` is X_i, `y[i + 1]` is Y_i.
#[derive(Clone, Debug)]
pub(super) struct State {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl State {
    pub(super) fn zeros(physics: &Physics) -> Self {
        let (k, n) = (physics.slow, physics.slow * physics.fast);
        Self { x: vec![0.0; k + 3], y: vec![0.0; n + 3] }
    }

    pub(super) fn slow(&self) -> &[f64] {
        &self.x[2..self.x.len() - 1]
    }

    pub(super) fn fast(&self) -> &[f64] {
        &self.y[1..self.y.len() - 2]
    }

    pub(super) fn slow_mut(&mut self) -> &mut [f64] {
        let end = self.x.len() - 1;
        &mut self.x[2..end]
    }

    pub(super) fn fast_mut(&mut self) -> &mut [f64] {
        let end = self.y.len() - 2;
        &mut self.y[1..end]
    }

    /// Σ X² + Σ Y²
    pub(super) fn square(&self) -> f64 {
        self.slow().iter().chain(self.fast()).map(|value| value * value).sum()
    }

    /// Copies the ends of each ring beside its beginning, and the reverse.
    pub(super) fn close_rings(&mut self) {
        let (k, n) = (self.x.len() - 3, self.y.len() - 3);
        self.x.copy_within(k..k + 2, 0);
        self.x[k + 2] = self.x[2];
        self.y[0] = self.y[n];
        self.y.copy_within(1..3, n + 1);
    }

    /// self = base + factor · slope
    fn set_sum(&mut self, base: &Self, factor: f64, slope: &Self) {
        let rings = [(&mut self.x, &base.x, &slope.x), (&mut self.y, &base.y, &slope.y)];
        for (sum, base, slope) in rings {
            for ((sum, base), slope) in sum.iter_mut().zip(base).zip(slope) {
                *sum = base + factor * slope;
            }
        }
        self.close_rings();
    }

    /// self += factor · slope, rings left open
    fn add(&mut self, factor: f64, slope: &Self) {
        for (sum, slope) in [(&mut self.x, &slope.x), (&mut self.y, &slope.y)] {
            for (sum, slope) in sum.iter_mut().zip(slope) {
                *sum += factor * slope;
            }
        }
    }
}

/// dX/dt and dY/dt into `slope`:
///
/// ```text
/// dX_k/dt = −X_{k−1}(X_{k−2} − X_{k+1}) − X_k + F − (hc/b) Σ_j Y_{j,k}
/// dY_i/dt = −cb Y_{i+1}(Y_{i+2} − Y_{i−1}) − c Y_i + (hc/b) X_{⌊i/J⌋}
/// ```
pub(super) fn tendency(physics: &Physics, state: &State, slope: &mut State) {
    let c = physics.time_scale_ratio;
    let cb = c * physics.amplitude_ratio;
    let exchange = physics.coupling * c / physics.amplitude_ratio;
    let groups = state.fast().chunks_exact(physics.fast);
    for ((dx, x), group) in slope.slow_mut().iter_mut().zip(state.x.windows(4)).zip(groups) {
        let fast: f64 = group.iter().sum();
        *dx = x[1] * (x[3] - x[0]) - x[2] + physics.forcing - exchange * fast;
    }
    for (dy, y) in slope.fast_mut().iter_mut().zip(state.y.windows(4)) {
        *dy = cb * y[2] * (y[0] - y[3]) - c * y[1];
    }
    for (group, x) in slope.fast_mut().chunks_exact_mut(physics.fast).zip(state.slow()) {
        for dy in group {
            *dy += exchange * x;
        }
    }
}

/// A way to take a time step.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// The classical fourth-order Runge-Kutta scheme.
    Rk4,
    /// Forward Euler, as in the paper.
    Euler,
}

/// Two-scale Lorenz-96 under way; a step allocates nothing.
pub(super) struct Model {
    pub(super) physics: Physics,
    pub(super) state: State,
    scheme: Scheme,
    dt: f64,
    slope: State,
    stage: State,
    sum: State,
}

impl Model {
    pub(super) fn new(physics: Physics, scheme: Scheme, dt: f64, mut state: State) -> Self {
        state.close_rings();
        let zeros = State::zeros(&physics);
        Self { physics, scheme, dt, state, slope: zeros.clone(), stage: zeros.clone(), sum: zeros }
    }

    pub(super) fn step(&mut self) {
        let Self { physics, state, slope, stage, sum, dt, .. } = self;
        tendency(physics, state, slope);
        if self.scheme == Scheme::Euler {
            state.add(*dt, slope);
            state.close_rings();
            return;
        }
        sum.set_sum(state, *dt / 6.0, slope);
        stage.set_sum(state, *dt / 2.0, slope);
        tendency(physics, stage, slope);
        sum.add(*dt / 3.0, slope);
        stage.set_sum(state, *dt / 2.0, slope);
        tendency(physics, stage, slope);
        sum.add(*dt / 3.0, slope);
        stage.set_sum(state, *dt, slope);
        tendency(physics, stage, slope);
        state.set_sum(sum, *dt / 6.0, slope);
    }
}
