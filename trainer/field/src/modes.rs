//! Complex Fourier modes inside the runtime's real spectra, and operators that act on them.
//!
//! A translation-invariant operator multiplies every complex mode by one complex number. It is kept
//! **packed**, as [`finescale::spectral::operator`] has it: in an array shaped like the spectrum
//! that it acts on. The two real modes (c, s) of a pair hold (re, im) of the number for
//! û_m = (c + i s)/√2; the four (cc, cs, sc, ss) of a quadruple, first letter y, hold
//! (re₊, im₊, re₋, im₋) of the numbers for û(p, q) = ½ [(cc − ss) + i (cs + sc)] and
//! û(−p, q) = ½ [(cc + ss) + i (cs − sc)]; a mode without a partner (0, N/2, and every mode of a
//! reflecting axis) holds the real part.

use finescale::{Axis, Boundary, Grid};
use nalgebra::Complex;

/// The places of real modes that translations mix with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Its own complex conjugate: one real number.
    One(usize),
    /// (c, s) along one axis.
    Two([usize; 2]),
    /// (cc, cs, sc, ss), the first letter along y.
    Four([usize; 4]),
}

impl Group {
    /// Every group of a grid, in the order of the first member.
    pub fn all(grid: &Grid) -> Vec<Self> {
        let nx = grid.nx();
        let (rows, columns) = (grid.y().map_or_else(|| vec![(0, None)], pairs), pairs(grid.x()));
        let mut groups = Vec::new();
        for &(cy, sy) in &rows {
            for &(cx, sx) in &columns {
                let at = |y: usize, x: usize| y * nx + x;
                groups.push(match (sy, sx) {
                    (None, None) => Self::One(at(cy, cx)),
                    (None, Some(sx)) => Self::Two([at(cy, cx), at(cy, sx)]),
                    (Some(sy), None) => Self::Two([at(cy, cx), at(sy, cx)]),
                    (Some(sy), Some(sx)) => {
                        Self::Four([at(cy, cx), at(cy, sx), at(sy, cx), at(sy, sx)])
                    }
                });
            }
        }
        groups
    }

    /// Its places in a spectrum.
    pub fn members(&self) -> &[usize] {
        match self {
            Self::One(place) => std::slice::from_ref(place),
            Self::Two(places) => places,
            Self::Four(places) => places,
        }
    }

    /// How many complex numbers it holds: 2 for a quadruple, otherwise 1.
    pub fn complex_modes(&self) -> usize {
        if matches!(self, Self::Four(_)) { 2 } else { 1 }
    }

    /// The complex modes of a spectrum; the second is 0 unless this is a quadruple.
    pub fn of_spectrum(&self, spectrum: &[f32]) -> [Complex<f64>; 2] {
        self.complex(|place| f64::from(spectrum[place]))
    }

    /// As [`Self::of_spectrum`], of the spectrum with value `at(place)`.
    pub fn complex(&self, at: impl Fn(usize) -> f64) -> [Complex<f64>; 2] {
        match *self {
            Self::One(place) => [Complex::from(at(place)), Complex::default()],
            Self::Two([c, s]) => {
                [Complex::new(at(c), at(s)) * std::f64::consts::FRAC_1_SQRT_2, Complex::default()]
            }
            Self::Four([cc, cs, sc, ss]) => [
                Complex::new(at(cc) - at(ss), at(cs) + at(sc)) * 0.5,
                Complex::new(at(cc) + at(ss), at(cs) - at(sc)) * 0.5,
            ],
        }
    }

    /// The real modes of complex ones, to `to(place, value)`: undoes [`Self::complex`].
    pub fn real(&self, [plus, minus]: [Complex<f64>; 2], mut to: impl FnMut(usize, f64)) {
        match *self {
            Self::One(place) => to(place, plus.re),
            Self::Two([c, s]) => {
                to(c, std::f64::consts::SQRT_2 * plus.re);
                to(s, std::f64::consts::SQRT_2 * plus.im);
            }
            Self::Four([cc, cs, sc, ss]) => {
                to(cc, plus.re + minus.re);
                to(cs, plus.im + minus.im);
                to(sc, plus.im - minus.im);
                to(ss, minus.re - plus.re);
            }
        }
    }

    /// The numbers of a packed operator.
    pub fn unpack(&self, packed: &[f32]) -> [Complex<f64>; 2] {
        let at = |place: usize| f64::from(packed[place]);
        match *self {
            Self::One(place) => [Complex::from(at(place)), Complex::default()],
            Self::Two([re, im]) => [Complex::new(at(re), at(im)), Complex::default()],
            Self::Four([re, im, re_minus, im_minus]) => {
                [Complex::new(at(re), at(im)), Complex::new(at(re_minus), at(im_minus))]
            }
        }
    }

    /// Writes the numbers of an operator into a packed array.
    pub fn pack(&self, values: [Complex<f64>; 2], packed: &mut [f32]) {
        let [plus, minus] = values;
        match *self {
            Self::One(place) => packed[place] = plus.re as f32,
            Self::Two([re, im]) => (packed[re], packed[im]) = (plus.re as f32, plus.im as f32),
            Self::Four([re, im, re_minus, im_minus]) => {
                (packed[re], packed[im]) = (plus.re as f32, plus.im as f32);
                (packed[re_minus], packed[im_minus]) = (minus.re as f32, minus.im as f32);
            }
        }
    }
}

/// (index of cos, index of sin if it has one) along an axis.
fn pairs(axis: Axis) -> Vec<(usize, Option<usize>)> {
    let n = axis.points();
    match axis.boundary() {
        Boundary::Reflecting => (0..n).map(|index| (index, None)).collect(),
        Boundary::Periodic => {
            let single = [(0, None), (1, None)];
            single.into_iter().chain((1..n / 2).map(|m| (2 * m, Some(2 * m + 1)))).collect()
        }
    }
}

/// Which real mode an operator's plane takes its input from: cos and sin exchanged along y, along
/// x, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partner {
    /// Exchanged along y.
    pub y: bool,
    /// Exchanged along x.
    pub x: bool,
}

impl Partner {
    /// The partners that exist on a grid; the mode itself comes first.
    pub fn all(grid: &Grid) -> Vec<Self> {
        let periodic = |axis: Axis| axis.boundary() == Boundary::Periodic;
        let (y, x) = (grid.y().is_some_and(periodic), periodic(grid.x()));
        [(false, false), (false, true), (true, false), (true, true)]
            .into_iter()
            .filter(|&(in_y, in_x)| (y || !in_y) && (x || !in_x))
            .map(|(y, x)| Self { y, x })
            .collect()
    }
}

/// A packed operator as real planes, `[partner][mode]` in the order of [`Partner::all`]: output
/// mode m is the sum over partners of `plane[m]` × `input[partner of m]`. What an accelerator
/// without complex numbers multiplies with.
pub fn planes(grid: &Grid, packed: &[f32]) -> Vec<f32> {
    let partners = Partner::all(grid);
    let points = grid.points();
    let place = |y, x| partners.iter().position(|p| *p == Partner { y, x });
    let mut planes = vec![0.0; partners.len() * points];
    let mut set = |partner: Option<usize>, mode: usize, value: f64| {
        let partner = partner.expect("a pair lies along a periodic axis");
        planes[partner * points + mode] = value as f32;
    };
    let (itself, along_x, along_y, both) =
        (place(false, false), place(false, true), place(true, false), place(true, true));
    for group in Group::all(grid) {
        let [plus, minus] = group.unpack(packed);
        match group {
            Group::One(mode) => set(itself, mode, plus.re),
            Group::Two([c, s]) => {
                let partner = if s == c + 1 { along_x } else { along_y };
                set(itself, c, plus.re);
                set(itself, s, plus.re);
                set(partner, c, -plus.im);
                set(partner, s, plus.im);
            }
            Group::Four([cc, cs, sc, ss]) => {
                let (even, odd) = ((plus + minus) * 0.5, (plus - minus) * 0.5);
                for mode in [cc, cs, sc, ss] {
                    set(itself, mode, even.re);
                }
                for (mode, sign) in [(cc, -1.0), (cs, 1.0), (sc, -1.0), (ss, 1.0)] {
                    set(along_x, mode, sign * even.im);
                }
                for (mode, sign) in [(cc, -1.0), (cs, -1.0), (sc, 1.0), (ss, 1.0)] {
                    set(along_y, mode, sign * odd.im);
                }
                for (mode, sign) in [(cc, -1.0), (cs, 1.0), (sc, 1.0), (ss, -1.0)] {
                    set(both, mode, sign * odd.re);
                }
            }
        }
    }
    planes
}
