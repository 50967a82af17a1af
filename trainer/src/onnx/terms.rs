//! The linear base in a form that holds at every λ without solving anything.
//!
//! The normal equations of a complex mode are (C²Γ + Σ) Aᴴ = C²γᴴ with clean covariances Γ of the window and γ of the next
//! frame with it. With Γ = Σ_i d_i u_i u_iᴴ,
//!
//! ```text
//! A = Σ_i C²/(C²d_i + Σ) · (γ u_i) u_iᴴ                    S = Σ + C² (S₀ + Σ_i |γu_i|²/d_i · Σ/(C²d_i + Σ))
//! A_ε = Σ_i √Σ/(C²d_i + Σ) · u_i0 u_iᴴ                     S_ε = Σ_i |u_i0|² C²d_i/(C²d_i + Σ)
//! ```
//!
//! where u_i0 is the newest frame's part of u_i and S₀ is S of the clean data. d, the products and S₀ do not depend on λ, and
//! no term cancels another in S.

use anyhow::{Result, ensure};
use nalgebra::{Complex, DMatrix};

use crate::linear::modes::Group;
use crate::linear::{Autocovariance, LinearBase};

/// Terms of every window of 1 … W frames; a shorter window's are zero for frames that it has not. I = F = W · C, frames oldest
/// first; modes are turned apart ([`super::modes`]); Q planes: real parts, imaginary parts with the sign that they are
/// multiplied with.
pub(super) struct Terms {
    /// W, I, modes.
    pub(super) eigenvalues: Vec<f64>,
    /// W, I, C, Q · F, modes.
    pub(super) increment: Vec<f64>,
    /// As `increment`.
    pub(super) noise: Vec<f64>,
    /// S₀: W, C, modes.
    pub(super) clean_innovation: Vec<f64>,
    /// |γu_i|²/d_i: W, I, C, modes.
    pub(super) innovation: Vec<f64>,
    /// |u_i0|² d_i: W, I, C, modes.
    pub(super) noise_residual: Vec<f64>,
}

impl Terms {
    pub(super) fn new(base: &LinearBase, planes: usize) -> Result<Self> {
        let (c, w) = (base.autocovariance.channels, base.autocovariance.window);
        let (n, f) = (base.grid.points(), w * c);
        let mut terms = Self {
            eigenvalues: vec![0.0; w * f * n],
            increment: vec![0.0; w * f * c * planes * f * n],
            noise: vec![0.0; w * f * c * planes * f * n],
            clean_innovation: vec![0.0; w * c * n],
            innovation: vec![0.0; w * f * c * n],
            noise_residual: vec![0.0; w * f * c * n],
        };
        for group in Group::all(&base.grid) {
            for mode in 0..group.complex_modes() {
                let clean = base.autocovariance.of(&group, mode, n)?;
                let place = match group {
                    Group::One(place) => [place, place],
                    Group::Two(pair) => pair,
                    Group::Four([cc, cs, sc, ss]) => [[cc, cs], [sc, ss]][mode],
                };
                for frames in 1..=w {
                    terms.add(&clean, frames, (w, c, n, planes), place)?;
                }
            }
        }
        Ok(terms)
    }

    /// Terms of one complex mode and window.
    fn add(
        &mut self,
        clean: &Autocovariance,
        frames: usize,
        (w, c, n, planes): (usize, usize, usize, usize),
        place: [usize; 2],
    ) -> Result<()> {
        let (f, row) = (w * c, frames - 1);
        let (normal, cross) = clean.window(frames);
        let eigen = normal.symmetric_eigen();
        let power = clean.window(1).0;
        let both = |out: &mut [f64], index: usize, value: f64| {
            for place in place {
                out[index * n + place] = value;
            }
        };
        let largest = eigen.eigenvalues.max();
        // Rounding to f32 may take as much from the smallest.
        ensure!(
            eigen.eigenvalues.min() >= -1e-6 * largest,
            "the model's autocovariance is not positive: train the model again"
        );
        let mut innovation: Vec<f64> = (0..c).map(|a| power[(a, a)].re).collect();
        for i in 0..frames * c {
            let d = eigen.eigenvalues[i];
            // A mode without power tells nothing; nor does a direction that only rounding has given any.
            let d = if d > 1e-13 * largest { d } else { 0.0 };
            let u = eigen.eigenvectors.column(i);
            let gamma = &cross * u;
            both(&mut self.eigenvalues, row * f + i, d);
            for a in 0..c {
                let (newest, term) = (u[a], (row * f + i) * c + a);
                if d > 0.0 {
                    let explained = gamma[a].norm_sqr() / d;
                    innovation[a] -= explained;
                    both(&mut self.innovation, term, explained);
                }
                both(&mut self.noise_residual, term, newest.norm_sqr() * d);
                for j in 0..frames {
                    for b in 0..c {
                        let conj = u[j * c + b].conj();
                        let field = (w - 1 - j) * c + b;
                        let at = term * planes * f + field;
                        let one = |out: &mut [f64], factor: Complex<f64>| {
                            both(out, at, factor.re);
                            if planes == 2 && place[0] != place[1] {
                                out[(at + f) * n + place[0]] = -factor.im;
                                out[(at + f) * n + place[1]] = factor.im;
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
            both(&mut self.clean_innovation, row * c + a, value.max(0.0));
        }
        Ok(())
    }
}

impl Autocovariance {
    /// Γ of a window of `frames` frames, newest first, and γ of the next frame with them.
    fn window(&self, frames: usize) -> (DMatrix<Complex<f64>>, DMatrix<Complex<f64>>) {
        let c = self.channels();
        let mut normal = DMatrix::zeros(frames * c, frames * c);
        let mut cross = DMatrix::zeros(c, frames * c);
        for i in 0..frames {
            for j in 0..frames {
                let block = self.at(j as isize - i as isize);
                normal.view_mut((i * c, j * c), (c, c)).copy_from(&block);
            }
            cross.view_mut((0, i * c), (c, c)).copy_from(&self.at(1 + i as isize));
        }
        (normal, cross)
    }
}
