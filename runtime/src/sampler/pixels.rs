//! Modes from pixels of which some are missing, or worse than the others.
//!
//! With K = Q diag(P) Qᵀ the covariance of the clean pixels and R that of their errors, r for most
//! of them and r + d_p for m worse ones (d infinite for a missing one), the precision of what was
//! measured is, by Woodbury's formula,
//!
//! ```text
//! (K + R)⁻¹ = A − A E (S + 1/d)⁻¹ Eᵀ A,   A = (K + r)⁻¹,   S = Eᵀ A E
//! ```
//!
//! where E picks the worse pixels. So a missing pixel is filled by its mean given the others, y ← y
//! − E c with c = (S + 1/d)⁻¹ Eᵀ A y, and what the fill does not tell is t_k = g_kᵀ (S + 1/d)⁻¹ g_k
//! of mode k, whose values at the worse pixels are g_k. What is left for mode k is as if it alone
//! had been measured, with the variance
//!
//! ```text
//! r_k = (r (P + r) + P t)/(P + r − t),   ŷ_k = ŷ (P + r)/(P + r − t)
//! ```
//!
//! which has the mean and the variance that mode k has given all the pixels.

use crate::checked::{self, OrBug, Place, bug};
use crate::{CoarseGrid, Error, Field, Grid, Modes, spectral};

/// What is left of a mode's precision below which the pixels say nothing about it.
const NOTHING: f32 = 1e-5;
/// P + r of a mode is at least this share of the largest: the sums behind it have rounding errors
/// of this size.
const FLOOR: f32 = 1e-7;

/// Values of scratch for [`pixel_measurement`]: m² + 2 m and two fields, m being the number of
/// pixels whose variance is above the smallest one.
pub fn pixel_measurement_scratch_len(grid: &Grid, variances: &[f32]) -> usize {
    let worse = number_of_worse(variances, smallest(variances));
    checked::sum(&[
        checked::product(&[worse, worse]),
        checked::product(&[2, worse]),
        checked::product(&[2, grid.points()]),
        spectral::scratch_len(grid),
    ])
}

/// Turns pixels, each with a variance of its own, into measured modes with theirs: what
/// [`Observation::new`](super::Observation::new) and [`Reading::Varying`](super::Reading) take, on
/// the sensor's grid.
///
/// * `power`: P of the clean pixels' modes, `[y mode][x mode]`: that of a model on a finer grid by
///   [`spectral::coarsen_variances`].
/// * `pixels`: one channel, `[y][x]`, in standard deviations; becomes ŷ, `[y mode][x mode]`. Of a
///   missing pixel any number.
/// * `variances`: of every pixel's error, infinite for a missing one; becomes r of every mode,
///   infinite where the pixels say nothing. [`spectral::refine`] and [`spectral::refine_variances`]
///   bring both to the model's grid.
/// * `scratch`: [`pixel_measurement_scratch_len`] values.
///
/// Exact for each mode of a Gaussian field by itself; that errors of modes belong together where
/// pixels differ is left out. Where all variances are equal, ŷ is the pixels' spectrum and r that
/// variance. Cost: 2 m + n transforms of n points, and n m² multiplications. Relative error ≤ 1e-3
/// of r and of ŷ where r is below 100 P.
///
/// # Errors
/// [`Error::FieldLength`] unless `power`, `pixels` and `variances` are one channel;
/// [`Error::Parameter`] for a power that is not finite or negative, and for a variance that is
/// negative or no number; [`Error::NotFinite`] for a pixel that is no number and not missing;
/// [`Error::ScratchLength`].
pub fn pixel_measurement<'v>(
    grid: &Grid,
    power: &[f32],
    pixels: &'v mut Field<CoarseGrid>,
    variances: &mut [f32],
    scratch: &mut [f32],
) -> Result<&'v mut Modes<CoarseGrid>, Error> {
    let points = grid.points();
    let mut scratch = Filling::new(grid, power, pixels, variances, scratch)?;
    let r = scratch.r;
    if !r.is_finite() {
        // Nothing at all was measured.
        pixels.fill(0.0);
        return Ok(pixels.become_modes());
    }
    scratch.fill(grid, power, pixels, variances)?;
    let Filling { floor, count, matrix, picked, told, field, work, .. } = scratch;
    let (matrix, told) = (&*matrix, told.get_mut(..points).or_bug());
    let total = |power: f32| (power + r).max(floor);
    spectral::forward(grid, pixels, work)?;
    for (k, told) in checked::counted(told.iter_mut()) {
        *told = 0.0;
        if count > 0 {
            unit(field, k);
            spectral::inverse(grid, Modes::from_mut(field), work)?;
            pick(variances, r, field, picked);
            solve_lower(matrix, count, picked);
            *told = picked.iter().map(|value| value * value).sum();
        }
    }
    let modes = checked::zip(pixels.iter_mut(), variances.iter_mut());
    for ((y, variance), (power, told)) in modes.zip(checked::zip(power, told.iter())) {
        let total = total(*power);
        let left = total - told;
        if left > NOTHING * total {
            *y *= total / left;
            *variance = (r * total + power * told) / left;
        } else {
            (*y, *variance) = (0.0, f32::INFINITY);
        }
    }
    Ok(pixels.become_modes())
}

/// Fills missing pixels by their means given the others, and moves worse ones to what a good one
/// would have to show: what follows then takes all of them for equally good ones.
///
/// Arguments and errors as for [`pixel_measurement`], of which this is the first half; `pixels`
/// stay pixels, and `variances` are only read. Where nothing at all was measured, pixels become 0.
/// Cost: 2 m transforms.
///
/// # Errors
/// As [`pixel_measurement`].
pub fn fill_pixels(
    grid: &Grid,
    power: &[f32],
    pixels: &mut Field<CoarseGrid>,
    variances: &[f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let mut scratch = Filling::new(grid, power, pixels, variances, scratch)?;
    if scratch.r.is_finite() {
        scratch.fill(grid, power, pixels, variances)
    } else {
        pixels.fill(0.0);
        Ok(())
    }
}

/// Scratch of what fills pixels, once everything fits.
struct Filling<'s> {
    /// The smallest variance.
    r: f32,
    /// P + r of a mode is at least this.
    floor: f32,
    /// m.
    count: usize,
    /// S + 1/d, column by column; then its factor.
    matrix: &'s mut [f32],
    right: &'s mut [f32],
    picked: &'s mut [f32],
    told: &'s mut [f32],
    field: &'s mut [f32],
    work: &'s mut [f32],
}

impl<'s> Filling<'s> {
    fn new(
        grid: &Grid,
        power: &[f32],
        pixels: &[f32],
        variances: &[f32],
        scratch: &'s mut [f32],
    ) -> Result<Self, Error> {
        let points = grid.points();
        for values in [power.len(), pixels.len(), variances.len()] {
            if values != points {
                return Err(Error::FieldLength { values, points });
            }
        }
        for power in power {
            Error::check("power", *power, *power >= 0.0, "finite and not negative")?;
        }
        for r in variances {
            if r.is_nan() || *r < 0.0 {
                let expected = "not negative, and infinite where a pixel is missing";
                return Err(Error::Parameter { name: "variances", value: *r, expected });
            }
        }
        let variance = |n: u32, index: usize| match n {
            0 => variances.get(index).copied().unwrap_or(f32::INFINITY),
            _ => f32::INFINITY,
        };
        super::observation::measured_are_finite("pixels", pixels, points, variance)?;
        let (values, needed) = (scratch.len(), pixel_measurement_scratch_len(grid, variances));
        let scratch = scratch.get_mut(..needed).ok_or(Error::ScratchLength { values, needed })?;
        let r = smallest(variances);
        let count = number_of_worse(variances, r);
        let (matrix, rest) = scratch.split_at_mut_checked(count.times(count)).or_bug();
        let (right, rest) = rest.split_at_mut_checked(count).or_bug();
        let (picked, rest) = rest.split_at_mut_checked(count).or_bug();
        let (told, rest) = rest.split_at_mut_checked(points).or_bug();
        let (field, work) = rest.split_at_mut_checked(points).or_bug();
        let floor = FLOOR * power.iter().fold(0.0_f32, |most, power| most.max(power + r));
        Ok(Self { r, floor, count, matrix, right, picked, told, field, work })
    }

    /// y ← y − E c, where anything was measured; leaves the factor of S + 1/d.
    fn fill(
        &mut self,
        grid: &Grid,
        power: &[f32],
        pixels: &mut [f32],
        variances: &[f32],
    ) -> Result<(), Error> {
        let Self { r, floor, count, matrix, right, field, work, .. } = self;
        let (r, floor, count) = (*r, *floor, *count);
        let total = |power: f32| (power + r).max(floor);
        for (pixel, variance) in checked::zip(pixels.iter_mut(), variances.iter()) {
            if variance.is_infinite() {
                *pixel = 0.0;
            }
        }
        if count == 0 {
            return Ok(());
        }
        for (n, (at, extra)) in checked::counted(worse(variances, r)) {
            unit(field, at);
            weigh(grid, power, total, field, work)?;
            let column = matrix.chunks_exact_mut(count).nth(n).or_bug();
            pick(variances, r, field, column);
            if let Some(diagonal) = column.get_mut(n) {
                *diagonal += 1.0 / extra;
            }
        }
        factorise(matrix, count);
        for (to, pixel) in checked::zip(field.iter_mut(), pixels.iter()) {
            *to = *pixel;
        }
        weigh(grid, power, total, field, work)?;
        pick(variances, r, field, right);
        solve_lower(matrix, count, right);
        solve_upper(matrix, count, right);
        for ((at, _), c) in worse(variances, r).zip(right.iter()) {
            if let Some(pixel) = pixels.get_mut(at) {
                *pixel -= c;
            }
        }
        Ok(())
    }
}

fn smallest(variances: &[f32]) -> f32 {
    variances.iter().copied().fold(f32::INFINITY, f32::min)
}

/// Where pixels are worse than the best ones, and by how much.
fn worse(variances: &[f32], r: f32) -> impl Iterator<Item = (usize, f32)> {
    let extra = checked::counted(variances.iter().map(move |variance| variance - r));
    extra.filter(|(_, extra)| *extra > 0.0)
}

/// How many there are. Not `count`, which panics in builds with overflow checks where there are too
/// many.
fn number_of_worse(variances: &[f32], r: f32) -> usize {
    worse(variances, r).fold(0, |all: usize, _| all.saturating_add(1))
}

/// The values of a field at the worse pixels.
fn pick(variances: &[f32], r: f32, field: &[f32], picked: &mut [f32]) {
    for ((at, _), to) in worse(variances, r).zip(picked) {
        *to = field.get(at).copied().or_bug();
    }
}

/// 1 at one place, 0 elsewhere.
fn unit(field: &mut [f32], at: usize) {
    field.fill(0.0);
    if let Some(value) = field.get_mut(at) {
        *value = 1.0;
    }
}

/// A field times A: every mode divided by P + r.
fn weigh(
    grid: &Grid,
    power: &[f32],
    total: impl Fn(f32) -> f32,
    field: &mut [f32],
    work: &mut [f32],
) -> Result<(), Error> {
    let modes = spectral::forward(grid, Field::from_mut(field), work)?;
    for (u, power) in checked::zip(&mut *modes, power) {
        *u /= total(*power);
    }
    spectral::inverse(grid, modes, work)?;
    Ok(())
}

/// Cholesky's factor L of a symmetric matrix of `n` rows, in place: row by row, below the diagonal
/// and on it.
fn factorise(matrix: &mut [f32], n: usize) {
    for i in 0..n {
        for j in 0..=i {
            let (row, other) = (row(matrix, n, i).or_bug(), row(matrix, n, j).or_bug());
            let shared: f32 = row.iter().zip(other).take(j).map(|(a, b)| a * b).sum();
            let left = row.get(j).copied().or_bug() - shared;
            let pivot = other.get(j).copied().or_bug();
            let value = match i == j {
                true => libm::sqrtf(left.max(f32::MIN_POSITIVE)),
                false => left / pivot,
            };
            if let Some(place) = matrix.get_mut(i.times(n).plus(j)) {
                *place = value;
            }
        }
    }
}

fn row(matrix: &[f32], n: usize, i: usize) -> Option<&[f32]> {
    matrix.get(i.times(n)..i.plus(1).times(n))
}

/// x ← L⁻¹ x.
fn solve_lower(matrix: &[f32], n: usize, x: &mut [f32]) {
    for (i, row) in checked::counted(matrix.chunks_exact(n.max(1))) {
        let Some((done, [value, ..])) = x.split_at_mut_checked(i) else { return bug() };
        let shared: f32 = row.iter().zip(done.iter()).map(|(l, x)| l * x).sum();
        *value = (*value - shared) / row.get(i).copied().or_bug();
    }
}

/// x ← L⁻ᵀ x.
fn solve_upper(matrix: &[f32], n: usize, x: &mut [f32]) {
    for (i, row) in checked::numbered(matrix.chunks_exact(n.max(1))).rev() {
        let Some((earlier, [value, ..])) = x.split_at_mut_checked(i) else { return bug() };
        *value /= row.get(i).copied().or_bug();
        for (x, l) in earlier.iter_mut().zip(row) {
            *x -= l * *value;
        }
    }
}
