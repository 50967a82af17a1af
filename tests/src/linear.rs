//! The linear Gaussian system whose every statistic is known: AR(1) in each complex mode, in f64.

use finescale::predictor::Linear;
use finescale::spectral::operator::{ComplexMode, complex_modes, unpack};
use finescale::{Grid, Laplacian, NoiseStream};
use nalgebra::{Complex, DMatrix};

/// A square matrix over the frames of one complex mode.
pub type Matrix = DMatrix<Complex<f64>>;

/// û^{n+1} = ρ û^n + √(P (1 − |ρ|²)) w in every complex mode, with the forward process of α, β² and
/// κ = |k|².
pub struct System {
    /// The grid.
    pub grid: Grid,
    /// α.
    pub alpha: f64,
    /// β².
    pub beta2: f64,
    modes: Vec<Mode>,
}

/// One complex mode.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// Where it stands.
    pub place: ComplexMode,
    /// |k|².
    pub kappa: f64,
    /// P.
    pub power: f64,
    /// ρ.
    pub rho: Complex<f64>,
}

impl System {
    /// P = 4/(1 + (k/4)⁴), ρ = exp(−0.05 (1 + k/4) + 0.045 i k_x); ρ is real where the mode is, or
    /// stands still.
    pub fn new(grid: &Grid, alpha: f64, beta2: f64) -> Self {
        let wavenumbers: Vec<(f32, f32)> = grid.wavenumbers().collect();
        let kappas: Vec<f32> = grid.kappas(Laplacian::Spectral).collect();
        let modes = complex_modes(grid)
            .map(|place| {
                let (ky, kx) = wavenumbers[place.re];
                let k = f64::from(ky).hypot(f64::from(kx));
                let advances = place.im == Some(place.re + 1);
                let phase = if advances { 0.045 * f64::from(kx) } else { 0.0 };
                Mode {
                    place,
                    kappa: f64::from(kappas[place.re]),
                    power: 4.0 / (1.0 + (k / 4.0).powi(4)),
                    rho: Complex::new(-0.05 * (1.0 + k / 4.0), phase).exp(),
                }
            })
            .collect();
        Self { grid: *grid, alpha, beta2, modes }
    }

    /// The same system with P scaled so that the field has variance 1.
    pub fn with_unit_variance(mut self) -> Self {
        let values = |mode: &Mode| 1.0 + f64::from(u8::from(mode.place.im.is_some()));
        let sum: f64 = self.modes.iter().map(|mode| mode.power * values(mode)).sum();
        let scale = self.grid.points() as f64 / sum;
        self.modes.iter_mut().for_each(|mode| mode.power *= scale);
        self
    }

    /// Every complex mode.
    pub fn modes(&self) -> &[Mode] {
        &self.modes
    }

    /// Γ, packed, of lags 0 … `window`: what `Linear` takes.
    pub fn autocovariance(&self, window: usize) -> Vec<f32> {
        let n = self.grid.points();
        let mut packed = vec![0.0; (window + 1) * n];
        for mode in &self.modes {
            for (lag, packed) in packed.chunks_exact_mut(n).enumerate() {
                let value = mode.rho.powi(lag as i32) * mode.power;
                packed[mode.place.re] = value.re as f32;
                if let Some(im) = mode.place.im {
                    packed[im] = value.im as f32;
                }
            }
        }
        packed
    }

    /// (C, Σ).
    pub fn forward(&self, mode: &Mode, lambda: f64) -> (f64, f64) {
        let x = 2.0 * self.alpha * mode.kappa * lambda;
        let shape = if x > 0.0 { -(-x).exp_m1() / x } else { 1.0 };
        ((-0.5 * x).exp(), self.beta2 * lambda * shape)
    }

    /// G_λ = C²P [ρ^{i−j}; conjugate above the diagonal] + Σ I.
    pub fn path_covariance(&self, mode: &Mode, lambda: f64, frames: usize) -> Matrix {
        let (c, sigma2) = self.forward(mode, lambda);
        DMatrix::from_fn(frames, frames, |i, j| {
            let lag = mode.rho.powi(i.abs_diff(j) as i32) * (c * c * mode.power);
            let lag = if i < j { lag.conj() } else { lag };
            if i == j { lag + sigma2 } else { lag }
        })
    }
}

/// Takes the values of one complex mode out of packed frames of `points` values.
pub fn mode_of(packed: &[f32], points: usize, place: ComplexMode) -> Vec<Complex<f64>> {
    let value = |frame: &[f32]| {
        let im = place.im.map_or(0.0, |im| f64::from(frame[im]));
        Complex::new(f64::from(frame[place.re]), im)
    };
    packed.chunks_exact(points).map(value).collect()
}

impl System {
    /// H, the precision of the path density with a window of `window` frames and a Gaussian frame
    /// 0: ŝ = −H û.
    pub fn path_precision(&self, mode: &Mode, lambda: f64, frames: usize, window: usize) -> Matrix {
        let covariance = self.path_covariance(mode, lambda, window + 1);
        let mut precision = Matrix::zeros(frames, frames);
        for n in 0..frames {
            let past = n.min(window);
            // The best predictor of the last of `past` + 1 frames from those before it.
            let normal = covariance.view((0, 0), (past, past)).into_owned();
            let cross = covariance.view((past, 0), (1, past)).into_owned();
            let factors = normal.cholesky();
            let solved = match &factors {
                Some(factors) => factors.solve(&cross.adjoint()).adjoint(),
                None => cross.clone(),
            };
            let innovation = covariance[(past, past)] - (&solved * cross.adjoint()).sum();
            let mut error = Matrix::zeros(1, frames);
            error[(0, n)] = Complex::from(1.0);
            error.view_mut((0, n - past), (1, past)).copy_from(&-solved);
            precision += error.adjoint() * &error / innovation;
        }
        precision
    }
}

impl System {
    /// A path of the system, stationary from its first frame: `[frame][y mode][x mode]`, clean.
    pub fn trajectory(&self, frames: usize, seed: u64) -> Vec<f32> {
        let n = self.grid.points();
        let mut path = vec![0.0_f32; frames * n];
        for (frame, noise) in (0..).zip(path.chunks_exact_mut(n)) {
            NoiseStream { seed, member: 77, frame, draw: 0 }.fill(noise);
        }
        // White noise is as white packed: pairs hold √2 û.
        for mode in &self.modes {
            let rho = mode.rho;
            let kick = (mode.power * (1.0 - rho.norm_sqr())).sqrt();
            let mut state: Option<Complex<f64>> = None;
            for frame in path.chunks_exact_mut(n) {
                let im = mode.place.im.map_or(0.0, |im| f64::from(frame[im]));
                let w = Complex::new(f64::from(frame[mode.place.re]), im);
                let next = state.map_or(w * mode.power.sqrt(), |u| rho * u + w * kick);
                frame[mode.place.re] = next.re as f32;
                if let Some(im) = mode.place.im {
                    frame[im] = next.im as f32;
                }
                state = Some(next);
            }
        }
        unpack(&self.grid, &mut path).expect("packed");
        path
    }
}

impl System {
    /// Uses the linear predictor of the system with a window of `window` frames.
    ///
    /// # Panics
    /// If the runtime refuses it.
    pub fn with_predictor<T>(&self, window: usize, use_it: impl FnOnce(&mut Linear<'_>) -> T) -> T {
        let autocovariance = self.autocovariance(window);
        let mut memory = vec![f32::NAN; Linear::memory_len(&self.grid, 1, window)];
        let process = crate::moments::process(self);
        let linear = Linear::new(&self.grid, &process, 1, &autocovariance, &mut memory);
        use_it(&mut linear.expect("a predictor"))
    }

    /// Variances of measured modes: `r` up to wavenumber 4, infinite beyond.
    pub fn low_modes(&self, r: f32) -> Vec<f32> {
        let kappas = self.grid.kappas(Laplacian::Spectral);
        kappas.map(|kappa| if kappa <= 16.0 { r } else { f32::INFINITY }).collect()
    }
}
