//! Translation-invariant operators: one complex number for every complex Fourier mode.
//!
//! An autocovariance, a predictor's coefficient, a transfer function: whatever commutes with a
//! shift along the periodic axes (and with the mirror of the reflecting ones) multiplies every
//! complex mode by a number.
//!
//! # Packed layout
//!
//! An operator is an array shaped like the spectrum of one channel, `[y mode][x mode]`. Where the
//! spectrum holds the values on the left, the operator holds those on the right:
//!
//! | modes of the spectrum | complex modes | operator |
//! |---|---|---|
//! | a mode without partner: index 0 or 1 of a periodic axis, any of a reflecting one | û = u | its real factor |
//! | (cos, sin) of a wavenumber m on one periodic axis | û_m = (c + i s)/√2 | (re, im) |
//! | (cc, cs, sc, ss) of wavenumbers (p, q) on two periodic axes, first letter y | û(p, q) = ½[(cc − ss) + i(cs + sc)], û(−p, q) = ½[(cc + ss) + i(cs − sc)] | (re₊, im₊, re₋, im₋) |
//!
//! [`complex_modes`] lists where the parts stand; [`pack`] brings a spectrum itself into this
//! layout.

use core::f32::consts::FRAC_1_SQRT_2;

use crate::checked::{self, OrBug, Place};
use crate::{Boundary, Error, Grid, Modes};

/// Where one complex mode stands in a packed array of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComplexMode {
    /// Index of the real part.
    pub re: usize,
    /// Index of the imaginary part; `None` if the mode is real.
    pub im: Option<usize>,
}

/// Every complex mode of one channel, in the order of the real parts.
pub fn complex_modes(grid: &Grid) -> impl Iterator<Item = ComplexMode> + use<> {
    by_value(grid).flatten()
}

/// For every value of one channel in storage order, the complex mode whose real part it is.
pub(crate) fn by_value(grid: &Grid) -> impl Iterator<Item = Option<ComplexMode>> + use<> {
    let (x, y, nx) = (grid.x(), grid.y(), grid.nx());
    (0..grid.ny()).flat_map(move |j| {
        let row = y.map_or(Role::Single, |y| role(y.boundary(), j));
        (0..nx).map(move |i| {
            let re = j.times(nx).plus(i);
            match (role(x.boundary(), i), row) {
                // On a quadruple the two rows are the two signs, and both are pairs along x.
                (Role::Cosine, _) => Some(ComplexMode { re, im: Some(re.plus(1)) }),
                (Role::Single, Role::Cosine) => Some(ComplexMode { re, im: Some(re.plus(nx)) }),
                (Role::Single, Role::Single) => Some(ComplexMode { re, im: None }),
                (Role::Sine, _) | (Role::Single, Role::Sine) => None,
            }
        })
    })
}

/// Output += A · input, for the spectrum of one channel.
///
/// `operator` is packed, `input` and `output` are spectra, all `[y mode][x mode]`. Relative error ≤
/// 3e-7 of a mode's modulus.
///
/// # Errors
/// [`Error::FieldLength`] unless each is one channel.
pub fn apply(
    grid: &Grid,
    operator: &[f32],
    input: &Modes,
    output: &mut Modes,
) -> Result<(), Error> {
    one_channel(grid, [operator.len(), input.len(), output.len()])?;
    accumulate(grid, 1.0, operator, input, output);
    Ok(())
}

/// Brings a spectrum into the packed layout, in place, every channel, and gives it: a pair (re, im)
/// then holds √2 û.
///
/// An orthonormal rotation of every quadruple (nothing else moves), so unit white noise stays unit
/// white noise. Relative error ≤ 2e-7.
///
/// # Errors
/// [`Error::FieldLength`].
pub fn pack<'v>(grid: &Grid, spectrum: &'v mut Modes) -> Result<&'v mut [f32], Error> {
    quadruples(grid, spectrum, |[cc, cs, sc, ss]| {
        [cc - ss, cs + sc, cc + ss, cs - sc].map(|part| part * FRAC_1_SQRT_2)
    })?;
    Ok(spectrum)
}

/// Undoes [`pack`].
///
/// # Errors
/// [`Error::FieldLength`].
pub fn unpack<'v>(grid: &Grid, packed: &'v mut [f32]) -> Result<&'v mut Modes, Error> {
    quadruples(grid, packed, |[rp, ip, rm, im]| {
        [rp + rm, ip + im, ip - im, rm - rp].map(|part| part * FRAC_1_SQRT_2)
    })?;
    Ok(Modes::from_mut(packed))
}

/// Replaces the parts of every quadruple by `turn` of them.
pub(crate) fn quadruples(
    grid: &Grid,
    values: &mut [f32],
    turn: impl Fn([f32; 4]) -> [f32; 4],
) -> Result<(), Error> {
    grid.channels(values.len())?;
    let (nx, single) = (grid.nx(), singles(grid.x().boundary(), grid.nx()));
    for channel in values.chunks_exact_mut(grid.points()) {
        let (_, pairs) = channel.split_at_mut_checked(single_rows(grid).times(nx)).or_bug();
        let mut rows = pairs.chunks_exact_mut(nx);
        while let (Some(first), Some(second)) = (rows.next(), rows.next()) {
            let first = first.get_mut(single..).or_bug().as_chunks_mut().0;
            let second = second.get_mut(single..).or_bug().as_chunks_mut().0;
            for ([a, b], [c, d]) in checked::zip(first, second) {
                [*a, *b, *c, *d] = turn([*a, *b, *c, *d]);
            }
        }
    }
    Ok(())
}

/// Output += A · input (`sign` 1) or Aᵀ · input (`sign` −1); all three are one channel.
pub(crate) fn accumulate(
    grid: &Grid,
    sign: f32,
    operator: &[f32],
    input: &[f32],
    output: &mut [f32],
) {
    let nx = grid.nx();
    let split = single_rows(grid).times(nx);
    let (a, a_pairs) = operator.split_at_checked(split).or_bug();
    let (u, u_pairs) = input.split_at_checked(split).or_bug();
    let (v, v_pairs) = output.split_at_mut_checked(split).or_bug();
    let boundary = grid.x().boundary();
    let inputs = checked::zip(a.chunks_exact(nx), u.chunks_exact(nx));
    for ((a, u), v) in checked::zip(inputs, v.chunks_exact_mut(nx)) {
        single_row(boundary, sign, a, u, v);
    }
    let inputs = checked::zip(a_pairs.chunks_exact(nx), u_pairs.chunks_exact(nx));
    let mut rows = checked::zip(inputs, v_pairs.chunks_exact_mut(nx));
    while let (Some(((a, u), v)), Some(((b, w), x))) = (rows.next(), rows.next()) {
        row_pair(boundary, sign, (a, b), (u, w), (v, x));
    }
}

/// A row whose y mode has no partner.
fn single_row(boundary: Boundary, sign: f32, a: &[f32], u: &[f32], v: &mut [f32]) {
    let split = singles(boundary, a.len());
    let (a, a_pairs) = a.split_at_checked(split).or_bug();
    let (u, u_pairs) = u.split_at_checked(split).or_bug();
    let (v, v_pairs) = v.split_at_mut_checked(split).or_bug();
    for ((a, u), v) in checked::zip(checked::zip(a, u), v) {
        *v += a * u;
    }
    let pairs = checked::zip(a_pairs.as_chunks().0, u_pairs.as_chunks().0);
    for ((&[a, b], &[c, s]), [v_c, v_s]) in checked::zip(pairs, v_pairs.as_chunks_mut().0) {
        let b = sign * b;
        *v_c += a * c - b * s;
        *v_s += a * s + b * c;
    }
}

/// The cosine row and the sine row of a y mode: pairs along y where x has none, else quadruples.
fn row_pair<'v>(
    boundary: Boundary,
    sign: f32,
    (a, b): (&'v [f32], &'v [f32]),
    (c, s): (&'v [f32], &'v [f32]),
    (v_c, v_s): (&'v mut [f32], &'v mut [f32]),
) {
    let split = singles(boundary, a.len());
    let inputs = checked::zip(checked::zip(a, b), checked::zip(c, s));
    let values = checked::zip(inputs, checked::zip(&mut *v_c, &mut *v_s));
    for (((a, b), (c, s)), (v_c, v_s)) in values.take(split) {
        let b = sign * b;
        *v_c += a * c - b * s;
        *v_s += a * s + b * c;
    }
    let tail = |row: &'v [f32]| row.get(split..).or_bug().as_chunks::<2>().0;
    let tail_mut = |row: &'v mut [f32]| row.get_mut(split..).or_bug().as_chunks_mut::<2>().0;
    let inputs = checked::zip(checked::zip(tail(a), tail(b)), checked::zip(tail(c), tail(s)));
    let outputs = checked::zip(tail_mut(v_c), tail_mut(v_s));
    for (((plus, minus), (c, s)), (v_c, v_s)) in checked::zip(inputs, outputs) {
        let (&[ap, bp], &[am, bm], &[cc, cs], &[sc, ss]) = (plus, minus, c, s);
        let ([v_cc, v_cs], [v_sc, v_ss]) = (v_c, v_s);
        let (bp, bm) = (sign * bp, sign * bm);
        let (p_re, p_im) = (0.5 * (cc - ss), 0.5 * (cs + sc));
        let (m_re, m_im) = (0.5 * (cc + ss), 0.5 * (cs - sc));
        let (q_re, q_im) = (ap * p_re - bp * p_im, ap * p_im + bp * p_re);
        let (r_re, r_im) = (am * m_re - bm * m_im, am * m_im + bm * m_re);
        *v_cc += q_re + r_re;
        *v_cs += q_im + r_im;
        *v_sc += q_im - r_im;
        *v_ss += r_re - q_re;
    }
}

#[derive(Clone, Copy)]
enum Role {
    Single,
    Cosine,
    Sine,
}

fn role(boundary: Boundary, index: usize) -> Role {
    match (boundary, index) {
        (Boundary::Reflecting, _) | (_, 0 | 1) => Role::Single,
        (Boundary::Periodic, even) if even & 1 == 0 => Role::Cosine,
        (Boundary::Periodic, _) => Role::Sine,
    }
}

/// How many modes at the start of an axis have no partner.
fn singles(boundary: Boundary, points: usize) -> usize {
    match boundary {
        Boundary::Periodic => 2,
        Boundary::Reflecting => points,
    }
}

fn single_rows(grid: &Grid) -> usize {
    grid.y().map_or(1, |y| singles(y.boundary(), y.points()))
}

fn one_channel(grid: &Grid, lengths: [usize; 3]) -> Result<(), Error> {
    let points = grid.points();
    match lengths.into_iter().find(|values| *values != points) {
        Some(values) => Err(Error::FieldLength { values, points }),
        None => Ok(()),
    }
}
