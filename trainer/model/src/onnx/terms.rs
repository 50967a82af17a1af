//! The linear base in a form that holds at every λ without solving anything.
//!
//! The normal equations of a complex mode are (C²Γ + Σ) Aᴴ = C²γᴴ with clean covariances Γ of the
//! window and γ of the next frame with it. With Γ = Σ_i d_i u_i u_iᴴ,
//!
//! ```text
//! A = Σ_i C²/(C²d_i + Σ) · (γ u_i) u_iᴴ                    S = Σ + C² (S₀ + Σ_i |γu_i|²/d_i · Σ/(C²d_i + Σ))
//! A_ε = Σ_i √Σ/(C²d_i + Σ) · u_i0 u_iᴴ                     S_ε = Σ_i |u_i0|² C²d_i/(C²d_i + Σ)
//! ```
//!
//! where u_i0 is the newest frame's part of u_i and S₀ is S of the clean data. d, the products and
//! S₀ do not depend on λ, and no term cancels another in S.

use anyhow::{Result, ensure};
use nalgebra::Complex;

use crate::linear::{Autocovariance, LinearBase};
use finescale_field::modes::Group;

/// Terms of every complex mode, with a window of 1 … W frames each. Modes are turned apart
/// ([`super::modes`]): the real and the imaginary part of a complex mode have a place each, a real
/// mode has one.
pub(super) struct Terms {
    /// Of each complex mode the place of its real part.
    pub(super) places: Vec<i64>,
    /// The complex mode of each place.
    pub(super) modes: Vec<i64>,
    /// What imaginary parts of an operator are multiplied with at each place.
    pub(super) signs: Vec<f64>,
    /// Windows of 1 … W frames.
    pub(super) windows: Vec<Window>,
}

/// I = F = frames · C, frames oldest first; Q planes: real parts, and imaginary parts where any
/// mode has one; M complex modes.
pub(super) struct Window {
    pub(super) frames: usize,
    /// I, M.
    pub(super) eigenvalues: Vec<f64>,
    /// I, C, Q, F, M.
    pub(super) increment: Vec<f64>,
    /// As `increment`.
    pub(super) noise: Vec<f64>,
    /// S₀: C, M.
    pub(super) clean_innovation: Vec<f64>,
    /// |γu_i|²/d_i: I, C, M.
    pub(super) innovation: Vec<f64>,
    /// |u_i0|² d_i: I, C, M.
    pub(super) noise_residual: Vec<f64>,
}

impl Terms {
    pub(super) fn new(base: &LinearBase, planes: usize) -> Result<Self> {
        let (c, n) = (base.autocovariance.channels, base.grid.points());
        let (mut places, mut covariances) = (Vec::new(), Vec::new());
        let (mut modes, mut signs) = (vec![0; n], vec![0.0; n]);
        for group in Group::all(&base.grid) {
            for mode in 0..group.complex_modes() {
                let [real, imaginary] = match group {
                    Group::One(place) => [place, place],
                    Group::Two(pair) => pair,
                    Group::Four([cc, cs, sc, ss]) => [[cc, cs], [sc, ss]][mode],
                };
                (modes[real], modes[imaginary]) = (places.len() as i64, places.len() as i64);
                if real != imaginary {
                    (signs[real], signs[imaginary]) = (-1.0, 1.0);
                }
                places.push(real as i64);
                covariances.push(base.autocovariance.of(&group, mode, n)?);
            }
        }
        let mut windows = Vec::new();
        for frames in 1..=base.autocovariance.window {
            let mut window = Window::zeros(frames, c, planes, places.len());
            for (mode, clean) in covariances.iter().enumerate() {
                window.add(clean, mode, planes, places.len())?;
            }
            windows.push(window);
        }
        Ok(Self { places, modes, signs, windows })
    }
}

impl Window {
    fn zeros(frames: usize, c: usize, planes: usize, m: usize) -> Self {
        let f = frames * c;
        let zeros = |n: usize| vec![0.0; n * m];
        Self {
            frames,
            eigenvalues: zeros(f),
            increment: zeros(f * c * planes * f),
            noise: zeros(f * c * planes * f),
            clean_innovation: zeros(c),
            innovation: zeros(f * c),
            noise_residual: zeros(f * c),
        }
    }

    /// Terms of one complex mode of `m`.
    fn add(&mut self, clean: &Autocovariance, mode: usize, planes: usize, m: usize) -> Result<()> {
        let (c, frames) = (clean.channels(), self.frames);
        let f = frames * c;
        let cross = clean.with_next(frames);
        let eigen = clean.of_window(frames).symmetric_eigen();
        let power = &clean.lags()[0];
        let largest = eigen.eigenvalues.max();
        // Rounding to f32 may take as much from the smallest.
        ensure!(
            eigen.eigenvalues.min() >= -1e-6 * largest,
            "the model's autocovariance is not positive: train the model again"
        );
        let mut innovation: Vec<f64> = (0..c).map(|a| power[(a, a)].re).collect();
        for i in 0..f {
            let d = eigen.eigenvalues[i];
            // A mode without power tells nothing; nor does a direction that only rounding has given
            // any.
            let d = if d > 1e-13 * largest { d } else { 0.0 };
            let u = eigen.eigenvectors.column(i);
            let gamma = &cross * u;
            self.eigenvalues[i * m + mode] = d;
            for a in 0..c {
                let (newest, term) = (u[a], i * c + a);
                if d > 0.0 {
                    let explained = gamma[a].norm_sqr() / d;
                    innovation[a] -= explained;
                    self.innovation[term * m + mode] = explained;
                }
                self.noise_residual[term * m + mode] = newest.norm_sqr() * d;
                for j in 0..frames {
                    for b in 0..c {
                        let conj = u[j * c + b].conj();
                        let at = term * planes * f + (frames - 1 - j) * c + b;
                        let one = |out: &mut [f64], factor: Complex<f64>| {
                            out[at * m + mode] = factor.re;
                            if planes == 2 {
                                out[(at + f) * m + mode] = factor.im;
                            }
                        };
                        if d > 0.0 {
                            one(&mut self.increment, gamma[a] * conj);
                        }
                        one(&mut self.noise, newest * conj);
                    }
                }
            }
        }
        for (a, value) in innovation.iter().enumerate() {
            self.clean_innovation[a * m + mode] = value.max(0.0);
        }
        Ok(())
    }
}
