//! Noise that is correlated between frames as the linear predictor says.
//!
//! The exact noise of an ancestral step has the covariance (over frames, for one mode)
//!
//! ```text
//! Q = (q + h²/V₁) I − h² H,   H = Lᴴ S⁻¹ L
//! ```
//!
//! with L the rows (1, −A_0, −A_1, …) of the predictor's errors: rule R keeps no more of it than
//! the mean of its diagonal. H couples frames at most W apart, so the factor of Q is as narrow, and
//! is made, used and forgotten frame by frame. Of coupled channels each has its own block of H.

use core::ops::Range;

use crate::checked::{self, OrBug, Place, bug};
use crate::predictor::Prepared;
use crate::spectral::operator::ComplexMode;

/// A complex number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Complex {
    re: f32,
    im: f32,
}

impl Complex {
    /// self − factor · a · b*
    fn minus(self, factor: f32, a: Self, b: Self) -> Self {
        Self {
            re: self.re - factor * (a.re * b.re + a.im * b.im),
            im: self.im - factor * (a.im * b.re - a.re * b.im),
        }
    }
}

/// What couples up to `REACH` frames; it lies on the stack, so that there is a small one for short
/// windows. `ROW` is `REACH` + 1, `FACTORS` the sum of the numbers up to `REACH`.
pub(super) struct Room<const ROW: usize, const FACTORS: usize> {
    factors: [Complex; FACTORS],
    rows: [[Complex; ROW]; 3],
}

impl<const ROW: usize, const FACTORS: usize> Room<ROW, FACTORS> {
    const FITS: () = assert!(2 * FACTORS == ROW * (ROW - 1));

    pub(super) const fn new() -> Self {
        let () = Self::FITS;
        let zero = Complex { re: 0.0, im: 0.0 };
        Self { factors: [zero; FACTORS], rows: [[zero; ROW]; 3] }
    }

    pub(super) const fn work(&mut self) -> Work<'_> {
        let Self { factors, rows: [row, white, taps] } = self;
        Work { factors: Factors { values: factors, reach: ROW - 1 }, row, white, taps }
    }
}

/// What a mode is computed in. Rows are of a frame and those before it, newest first, as many as the
/// longest window has.
pub(super) struct Work<'r> {
    factors: Factors<'r>,
    /// Of Q, and then of its factor.
    row: &'r mut [Complex],
    /// White noise.
    white: &'r mut [Complex],
    /// Of L.
    taps: &'r mut [Complex],
}

/// The rows of the factor for the `reach` frames before, newest first, each without what no later
/// row can need: `reach` entries, one less, and so on.
struct Factors<'r> {
    values: &'r mut [Complex],
    reach: usize,
}

impl Factors<'_> {
    /// So many rows with their ages, newest first.
    fn rows(&self, rows: usize) -> impl DoubleEndedIterator<Item = (usize, &[Complex])> {
        (0..rows.min(self.reach)).map(|age| (age, self.values.get(self.place(age)).or_bug()))
    }

    /// Where the row of this age lies.
    fn place(&self, age: usize) -> Range<usize> {
        // reach + (reach − 1) + …: `age` terms.
        let start = age.times(self.reach.times(2).plus(1).minus(age)) / 2;
        start..start.plus(self.reach.minus(age))
    }

    /// Takes the newest row; every other one of `rows` is a frame older and needs an entry less.
    fn push(&mut self, row: &[Complex], rows: usize) {
        let reach = self.reach;
        for age in (1..rows.min(reach)).rev() {
            let (place, younger) = (self.place(age), self.place(age.minus(1)));
            let (before, rest) = self.values.split_at_mut_checked(place.start).or_bug();
            let younger = before.get(younger).or_bug();
            rest.iter_mut().zip(younger).take(reach.minus(age)).for_each(|(to, from)| *to = *from);
        }
        self.values.iter_mut().zip(row).take(reach).for_each(|(to, from)| *to = *from);
    }
}

/// What one complex mode of one channel needs.
pub(super) struct Coupling<'a> {
    pub(super) predictor: &'a Prepared<'a>,
    pub(super) channel: usize,
    pub(super) mode: ComplexMode,
    /// κ of the grid.
    pub(super) grid_kappa: f32,
    /// q + h²/V₁.
    pub(super) diagonal: f32,
    /// h².
    pub(super) factor: f32,
}

impl Coupling<'_> {
    /// Adds noise of covariance Q, given the frames that are known: those for which `known` holds.
    ///
    /// `path` and `noise` are packed. Of a free frame, `noise` holds unit white noise w and `path`
    /// the mean; of a known one, `noise` holds its distance from its mean, and `path` is left as it
    /// is.
    pub(super) fn add(
        &self,
        work: &mut Work<'_>,
        known: impl Fn(u32) -> bool,
        noise: &[f32],
        path: &mut [f32],
    ) {
        let Work { factors, row, white, taps } = work;
        factors.values.fill(Complex::default());
        white.fill(Complex::default());

        let points = self.predictor.grid.points();
        let (frame, start) = (self.predictor.frame_len(), self.channel.times(points));
        let (re, im) = (start.plus(self.mode.re), self.mode.im.map(|im| start.plus(im)));
        let frames = noise.len() / frame;
        let values = checked::zip(noise.chunks_exact(frame), path.chunks_exact_mut(frame));
        for (n, (noise, u)) in checked::counted(values) {
            self.row(n, frames, row, taps);
            factorise(row, factors, self.predictor.window);
            age(white);
            let ([newest, past @ ..], [pivot, coupled @ ..]) = (&mut **white, &**row) else {
                return bug();
            };
            let mut sum = Complex::default();
            for (l, w) in coupled.iter().zip(past.iter()) {
                sum.re += l.re * w.re - l.im * w.im;
                sum.im += l.re * w.im + l.im * w.re;
            }
            let part = |index: usize| noise.get(index).copied().or_bug();
            let given = Complex { re: part(re), im: im.map_or(0.0, part) };
            if known(n as u32) {
                let inverse = if pivot.re > 0.0 { 1.0 / pivot.re } else { 0.0 };
                newest.re = (given.re - sum.re) * inverse;
                newest.im = (given.im - sum.im) * inverse;
            } else {
                *newest = given;
                for (place, value) in
                    [(Some(re), sum.re + pivot.re * given.re), (im, sum.im + pivot.re * given.im)]
                {
                    let Some(place) = place else { continue };
                    let value_there = u.get_mut(place);
                    debug_assert!(value_there.is_some(), "a mode beyond its frame");
                    if let Some(there) = value_there {
                        *there += value;
                    }
                }
            }
            factors.push(row, self.predictor.window);
        }
    }

    /// Row n of Q, from its diagonal back in time.
    fn row(&self, n: usize, frames: usize, row: &mut [Complex], taps: &mut [Complex]) {
        row.fill(Complex::default());
        let [diagonal, ..] = row else { return bug() };
        diagonal.re = self.diagonal;
        for ahead in 0..=self.predictor.window {
            let predicted = n.plus(ahead);
            if predicted >= frames {
                break;
            }
            let past = predicted.min(self.predictor.window);
            if ahead > past {
                break;
            }
            for other in 0..self.predictor.channels {
                let innovation = self.error_row(past, other, taps);
                let own = taps.get(ahead).copied().or_bug();
                for (entry, tap) in row.iter_mut().zip(taps.iter().skip(ahead)) {
                    // H has conj(t) of its row and t of its column; `minus` conjugates the last.
                    let conjugate = |t: Complex| Complex { re: t.re, im: -t.im };
                    *entry = entry.minus(self.factor / innovation, conjugate(own), conjugate(*tap));
                }
            }
        }
    }

    /// The part of this channel in the error of channel `other` from `past` frames, newest first;
    /// gives that error's S.
    fn error_row(&self, past: usize, other: usize, taps: &mut [Complex]) -> f32 {
        let points = self.predictor.grid.points();
        taps.fill(Complex::default());
        let mut places = taps.iter_mut();
        if let (Some(newest), true) = (places.next(), other == self.channel) {
            newest.re = 1.0;
        }
        let block = other.times(self.predictor.channels).plus(self.channel);
        for (j, tap) in checked::counted(places).take(past) {
            let operator = self.predictor.coefficient(past, j).get(block.times(points)..).or_bug();
            tap.re = -operator.get(self.mode.re).copied().or_bug();
            // A real mode has no imaginary part.
            tap.im = -self.mode.im.map_or(0.0, |im| operator.get(im).copied().or_bug());
        }
        if past == 0 {
            // Frame 0 has the variance of the data.
            let (process, lambda) = (self.predictor.process, self.predictor.lambda());
            let power = self.predictor.power.get(other.times(points).plus(self.mode.re));
            let kappa = process.kappa(other, self.grid_kappa);
            process.variance(kappa, lambda, power.copied().or_bug())
        } else {
            let place = other.times(points).plus(self.mode.re);
            let innovation = self.predictor.innovation(past).get(place).copied();
            debug_assert!(innovation.is_some(), "a mode without innovation");
            innovation.unwrap_or(f32::INFINITY)
        }
    }
}

/// Every entry becomes one frame older, and the newest place is free.
fn age(row: &mut [Complex]) {
    let mut younger = Complex::default();
    for entry in row {
        core::mem::swap(entry, &mut younger);
    }
}

/// Turns a row of Q into the row of its Cholesky factor, given the factor's rows before it, newest
/// first.
fn factorise(row: &mut [Complex], factors: &Factors<'_>, window: usize) {
    // Entry d is of the frame d before; from the oldest on, each takes off what those before it
    // explain.
    for (d, earlier) in factors.rows(window).rev() {
        // A row has one entry more than there are rows before it.
        let Some((_, [entry, later @ ..])) = row.split_at_mut_checked(d.plus(1)) else {
            return bug();
        };
        let [pivot, earlier @ ..] = earlier else { return bug() };
        let mut value = *entry;
        for (l, e) in later.iter().zip(earlier) {
            value = value.minus(1.0, *l, *e);
        }
        let inverse = if pivot.re > 0.0 { 1.0 / pivot.re } else { 0.0 };
        *entry = Complex { re: value.re * inverse, im: value.im * inverse };
    }
    let [diagonal, before @ ..] = row else { return bug() };
    let explained: f32 = before.iter().map(|l| l.re * l.re + l.im * l.im).sum();
    // What is left can be zero but for rounding, where a step takes all noise away.
    *diagonal = Complex { re: libm::sqrtf((diagonal.re - explained).max(0.0)), im: 0.0 };
}
