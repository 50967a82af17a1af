//! The normal equations of one complex mode, in f64.
//!
//! The window x = (û^n, û^{n−1}, …) has the covariance M, Hermitian, with the blocks C²Γ(j − i) +
//! [i = j] Σ; the frame to predict has the covariance with the window c, with the blocks C²Γ(1 +
//! j). The predictor solves A M = c.
//!
//! With the factors M = L D Lᴴ, one pass serves every length of window, since a shorter window's
//! matrix is the leading part of a longer one's: a row u of c L⁻ᴴ comes from the recurrence that
//! makes the rows of L D, the innovation variance is what is left of the diagonal, C²Γ(0) + Σ − Σ
//! |u_k|²/d_k, and A = (u D⁻¹) L⁻¹.

use core::ops::Range;

use super::prepared::pairs;
use crate::checked::{self, OrBug, Place, bug};

/// Most equations, frames × channels.
pub(super) const EQUATIONS_MAX: usize = 16;
/// Entries of L below its diagonal.
pub(super) const BELOW_MAX: usize = EQUATIONS_MAX * (EQUATIONS_MAX - 1) / 2;

/// A pivot below this share of its diagonal is rounding: f32 autocovariances have errors of 6e-8.
const PIVOT_MIN: f64 = 1e-9;

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Complex {
    pub(super) re: f64,
    pub(super) im: f64,
}

impl Complex {
    pub(super) const fn conj(self) -> Self {
        Self { re: self.re, im: -self.im }
    }

    fn scaled(self, factor: f64) -> Self {
        Self { re: self.re * factor, im: self.im * factor }
    }

    /// self − a · b
    fn minus(self, a: Self, b: Self) -> Self {
        Self {
            re: self.re - (a.re * b.re - a.im * b.im),
            im: self.im - (a.re * b.im + a.im * b.re),
        }
    }

    fn square(self) -> f64 {
        self.re * self.re + self.im * self.im
    }
}

/// What `EQUATIONS` equations are solved in. It lies on the stack, so that there is a small one for
/// the models that have few. `BELOW` is `EQUATIONS` · (`EQUATIONS` − 1)/2.
pub(super) struct Room<const EQUATIONS: usize, const BELOW: usize> {
    below: [Complex; BELOW],
    inverse_pivots: [f64; EQUATIONS],
    reduced: [Complex; EQUATIONS],
    solution: [Complex; EQUATIONS],
}

impl<const EQUATIONS: usize, const BELOW: usize> Room<EQUATIONS, BELOW> {
    const FITS: () = assert!(2 * BELOW == EQUATIONS * (EQUATIONS - 1));

    pub(super) const fn new() -> Self {
        let () = Self::FITS;
        let zero = Complex { re: 0.0, im: 0.0 };
        Self {
            below: [zero; BELOW],
            inverse_pivots: [0.0; EQUATIONS],
            reduced: [zero; EQUATIONS],
            solution: [zero; EQUATIONS],
        }
    }

    pub(super) const fn system(&mut self) -> System<'_> {
        let Self { below, inverse_pivots, reduced, solution } = self;
        System { factors: Factors { below, inverse_pivots, count: 0 }, reduced, solution }
    }
}

/// The equations of a mode.
pub(super) struct System<'r> {
    pub(super) factors: Factors<'r>,
    /// A row, and what becomes of it.
    pub(super) reduced: &'r mut [Complex],
    pub(super) solution: &'r mut [Complex],
}

/// The factors of M, row by row.
pub(super) struct Factors<'r> {
    /// L below its unit diagonal, row after row: row c has c entries.
    below: &'r mut [Complex],
    /// 1/d; 0 where the mode has nothing that earlier equations did not have.
    inverse_pivots: &'r mut [f64],
    count: usize,
}

impl Factors<'_> {
    /// Forgets every equation.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// Where row `c` lies.
    fn place(c: usize) -> Range<usize> {
        let start = pairs(c.saturating_sub(1));
        start..start.plus(c)
    }

    fn row(&self, c: usize) -> &[Complex] {
        self.below.get(Self::place(c)).or_bug()
    }

    /// Adds an equation: `row` holds its entries of M left of the diagonal, `diagonal` the one on
    /// it.
    pub(super) fn push(&mut self, row: &mut [Complex], diagonal: f64) {
        self.reduce(row);
        let pivot = diagonal - self.explained(row, self.count);
        let place = self.below.get_mut(Self::place(self.count)).or_bug();
        let entries = place.iter_mut().zip(&*row).zip(&*self.inverse_pivots);
        for ((place, entry), inverse) in entries {
            *place = entry.scaled(*inverse);
        }
        let Some(inverse) = self.inverse_pivots.get_mut(self.count) else { return bug() };
        *inverse = if pivot > PIVOT_MIN * diagonal { 1.0 / pivot } else { 0.0 };
        self.count = self.count.plus(1);
    }

    /// Row ← row · L⁻ᴴ, by the recurrence u_c = m_c − Σ_{k<c} u_k conj(L_ck).
    pub(super) fn reduce(&self, row: &mut [Complex]) {
        for c in 0..self.count {
            let Some((done, [value, ..])) = row.split_at_mut_checked(c) else { return bug() };
            for (u, l) in done.iter().zip(self.row(c)) {
                *value = value.minus(*u, l.conj());
            }
        }
    }

    /// Σ |u_k|²/d_k over the first `equations`: the variance that they explain.
    pub(super) fn explained(&self, reduced: &[Complex], equations: usize) -> f64 {
        let terms = reduced.iter().zip(&*self.inverse_pivots).take(equations);
        terms.map(|(u, inverse)| u.square() * inverse).sum()
    }

    /// The coefficients of a reduced row for the first `equations`: see [`Factors::solve`].
    pub(super) fn solution<'s>(
        &self,
        reduced: &[Complex],
        solution: &'s mut [Complex],
        equations: usize,
    ) -> &'s [Complex] {
        checked::zip(&mut *solution, reduced).for_each(|(to, value)| *to = *value);
        self.solve(solution, equations);
        solution
    }

    /// Reduced row ← (row · D⁻¹) L⁻¹ in its first `equations` entries: the coefficients.
    pub(super) fn solve(&self, reduced: &mut [Complex], equations: usize) {
        for (u, inverse) in reduced.iter_mut().zip(&*self.inverse_pivots).take(equations) {
            *u = u.scaled(*inverse);
        }
        // From the last entry up: a_k is complete when every later entry has been taken off.
        for c in (0..equations).rev() {
            let Some((earlier, [last, ..])) = reduced.split_at_mut_checked(c) else {
                return bug();
            };
            for (a, l) in earlier.iter_mut().zip(self.row(c)) {
                *a = a.minus(*last, *l);
            }
        }
    }
}
