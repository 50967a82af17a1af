//! Windowed prediction by normal equations, in f64.

use anyhow::{Context, Result, ensure};
use nalgebra::{Cholesky, Complex, DMatrix, Dyn};

/// Autocovariance of one mode of the clean data: `lags[l]` is E[û^{n+l} (û^n)ᴴ], a channels ×
/// channels matrix.
#[derive(Clone, Debug)]
pub struct Autocovariance {
    lags: Vec<DMatrix<Complex<f64>>>,
}

impl Autocovariance {
    /// From the matrices of lags 0, 1, 2, ….
    ///
    /// # Errors
    /// If there is no lag, or the matrices are not square and of one size.
    pub fn new(lags: Vec<DMatrix<Complex<f64>>>) -> Result<Self> {
        let channels = lags.first().context("an autocovariance needs lag 0")?.nrows();
        ensure!(
            channels > 0 && lags.iter().all(|lag| lag.shape() == (channels, channels)),
            "every lag of an autocovariance must be a {channels} × {channels} matrix"
        );
        Ok(Self { lags })
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.lags[0].nrows()
    }

    /// The largest lag, which is the longest window.
    pub(crate) fn longest_window(&self) -> usize {
        self.lags.len() - 1
    }

    /// The matrices of lags 0, 1, 2, ….
    pub fn lags(&self) -> &[DMatrix<Complex<f64>>] {
        &self.lags
    }

    /// E[û^{n+l} (û^n)ᴴ] for l of either sign.
    fn at(&self, lag: isize) -> DMatrix<Complex<f64>> {
        let matrix = &self.lags[lag.unsigned_abs()];
        if lag < 0 { matrix.adjoint() } else { matrix.clone() }
    }

    /// Γ, the covariance of a window of `frames` frames, newest first.
    pub fn of_window(&self, frames: usize) -> DMatrix<Complex<f64>> {
        let c = self.channels();
        let mut all = DMatrix::zeros(frames * c, frames * c);
        for i in 0..frames {
            for j in 0..frames {
                let block = self.at(j as isize - i as isize);
                all.view_mut((i * c, j * c), (c, c)).copy_from(&block);
            }
        }
        all
    }

    /// γ, the covariance of the frame after a window with the window.
    pub(crate) fn with_next(&self, frames: usize) -> DMatrix<Complex<f64>> {
        let c = self.channels();
        let mut all = DMatrix::zeros(c, frames * c);
        for i in 0..frames {
            all.view_mut((0, i * c), (c, c)).copy_from(&self.lags[1 + i]);
        }
        all
    }
}

/// The Cholesky factors of a Hermitian matrix; `None` unless it is positive definite. (nalgebra's
/// own gives complex matrices an imaginary root where a real one does not exist.)
pub(super) fn positive(matrix: DMatrix<Complex<f64>>) -> Option<Cholesky<Complex<f64>, Dyn>> {
    let factors = matrix.cholesky()?;
    let real = |root: Complex<f64>| root.re > 0.0 && root.im.abs() <= 1e-6 * root.re;
    factors.l_dirty().diagonal().iter().all(|&root| real(root)).then_some(factors)
}

/// The best linear predictor of û^{n+1} from û^n, û^{n−1}, …, û^{n−W+1} at one λ.
#[derive(Clone, Debug)]
pub struct LinearPredictor {
    /// `coefficients[j]` multiplies û^{n−j}.
    coefficients: Vec<DMatrix<Complex<f64>>>,
    innovation: DMatrix<Complex<f64>>,
    noise_coefficients: Vec<DMatrix<Complex<f64>>>,
    noise_residual: DMatrix<Complex<f64>>,
}

impl LinearPredictor {
    /// Solves the normal equations for a mode with damping C and noise variance Σ.
    ///
    /// # Errors
    /// If the window is longer than the known lags, or the equations are singular (Σ = 0 and a mode
    /// without power).
    pub fn fit(
        clean: &Autocovariance,
        damping: f64,
        noise_variance: f64,
        window: usize,
    ) -> Result<Self> {
        Self::fit_channels(clean, &vec![(damping, noise_variance); clean.channels()], window)
    }

    /// As [`LinearPredictor::fit`] with a C and a Σ for each channel.
    ///
    /// # Errors
    /// As [`LinearPredictor::fit`].
    pub fn fit_channels(
        clean: &Autocovariance,
        noised: &[(f64, f64)],
        window: usize,
    ) -> Result<Self> {
        let longest = clean.longest_window();
        ensure!(
            (1..=longest).contains(&window),
            "a window of {window} frames cannot be fitted from {longest} lags: use 1 to {longest}"
        );
        let channels = clean.channels();
        ensure!(
            noised.len() == channels,
            "there are {} dampings for {channels} channels: give one for each",
            noised.len()
        );
        let damped = |matrix: DMatrix<Complex<f64>>| {
            let (rows, columns) = matrix.shape();
            let factor = |i: usize, j: usize| noised[i % channels].0 * noised[j % channels].0;
            matrix.component_mul(&DMatrix::from_fn(rows, columns, |i, j| factor(i, j).into()))
        };
        let mut normal = damped(clean.of_window(window));
        for i in 0..normal.nrows() {
            normal[(i, i)] += noised[i % channels].1;
        }
        let cross = damped(clean.with_next(window));
        let normal = positive(normal)
            .context("the autocovariance is not positive: the mode has neither power nor noise")?;
        let solved = normal.solve(&cross.adjoint()).adjoint();
        let mut innovation = damped(clean.at(0)) - &solved * cross.adjoint();
        for (i, (_, noise_variance)) in noised.iter().enumerate() {
            innovation[(i, i)] += noise_variance;
        }
        // Of the window, only its newest frame shares noise with ε: E[ε û_jᴴ] = √Σ [j = 0].
        let newest = DMatrix::from_fn(window * channels, channels, |i, j| {
            Complex::from(if i == j { noised[i].1.sqrt() } else { 0.0 })
        });
        let noise_solved = normal.solve(&newest).adjoint();
        let noise_residual = DMatrix::identity(channels, channels) - &noise_solved * newest;
        let blocks = |all: &DMatrix<_>| -> Vec<_> {
            (0..window).map(|j| all.columns(j * channels, channels).into_owned()).collect()
        };
        Ok(Self {
            coefficients: blocks(&solved),
            innovation,
            noise_coefficients: blocks(&noise_solved),
            noise_residual,
        })
    }

    /// Frames in the window.
    pub fn window(&self) -> usize {
        self.coefficients.len()
    }

    /// `coefficients()[j]` multiplies û^{n−j}; channels × channels.
    pub fn coefficients(&self) -> &[DMatrix<Complex<f64>>] {
        &self.coefficients
    }

    /// The best linear estimate of ε^n, the unit noise of the newest frame, is the sum of these
    /// times û^{n−j}.
    pub fn noise_coefficients(&self) -> &[DMatrix<Complex<f64>>] {
        &self.noise_coefficients
    }

    /// Covariance of that estimate's error; channels × channels.
    pub fn noise_residual(&self) -> &DMatrix<Complex<f64>> {
        &self.noise_residual
    }

    /// S, the covariance of the one-step error û^{n+1} − û^n − F; channels × channels.
    pub fn innovation(&self) -> &DMatrix<Complex<f64>> {
        &self.innovation
    }
}
