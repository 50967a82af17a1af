//! Reflecting axis: the orthonormal DCT-II, by one real FFT of the same length.
//!
//! Source: Makhoul, "A fast cosine transform in one and two dimensions", IEEE Trans. ASSP 28, 1980.
//! The line is reordered (even points ascending, then odd points descending), Fourier transformed,
//! and each pair (a_m, b_m) is reflected by the quarter-wave angle θ = πm/2N into the cosine modes
//! m and N − m: X_m = a cos θ + b sin θ, X_{N−m} = a sin θ − b cos θ. That matrix is its own
//! inverse.

use super::real_fft::real_fft;
use super::{fourier, quarter_wave};
use crate::checked::{self, OrBug, Place, bug};

/// Line to modes, in place; `work` is as long as `line`.
pub(super) fn forward(line: &mut [f32], work: &mut [f32]) {
    let n = line.len();
    let (evens, odds) = work.split_at_mut_checked(n / 2).or_bug();
    let ends = checked::zip(evens, odds.iter_mut().rev());
    for ((even, odd), [first, second]) in checked::zip(ends, line.as_chunks().0) {
        *even = *first;
        *odd = *second;
    }
    fourier::forward(work, line);
    let (low, high) = line.split_at_mut_checked(n / 2).or_bug();
    let ([first, low @ ..], [middle, high @ ..], [zero, nyquist, pairs @ ..]) = (low, high, work)
    else {
        return bug();
    };
    *first = *zero;
    *middle = *nyquist;
    let ends = checked::zip(low, high.iter_mut().rev());
    for (((near, far), [a, b]), m) in checked::zip(ends, pairs.as_chunks().0).zip(1..n) {
        (*near, *far) = reflect(*a, *b, m, n);
    }
}

/// Modes to line, in place; `work` is as long as `line`.
pub(super) fn inverse(line: &mut [f32], work: &mut [f32]) {
    let n = line.len();
    let (low, high) = line.split_at_checked(n / 2).or_bug();
    let ([first, low @ ..], [middle, high @ ..]) = (low, high) else { return bug() };
    let ends = checked::zip(low, high.iter().rev());
    let pairs = ends.zip(1..n).map(|((near, far), m)| reflect(*near, *far, m, n));
    fourier::spread(*first, *middle, pairs, work);
    real_fft(work, line);
    // Point p of the reordered line is Re − Im, point N − p is Re + Im; undo the reordering on the
    // way out.
    let mut put = |p: usize, value: f32| {
        let point = if p < n / 2 { p.times(2) } else { n.minus(1).minus(p).times(2).plus(1) };
        match line.get_mut(point) {
            Some(cell) => *cell = value,
            None => bug(),
        }
    };
    let [zero, nyquist, pairs @ ..] = work else { return bug() };
    put(0, *zero);
    put(n / 2, *nyquist);
    for ([re, im], p) in pairs.as_chunks().0.iter().zip(1..n) {
        put(p, *re - *im);
        put(n.minus(p), *re + *im);
    }
}

fn reflect(a: f32, b: f32, mode: usize, n: usize) -> (f32, f32) {
    let (cos, sin) = quarter_wave::cos_sin(mode, n);
    (a * cos + b * sin, a * sin - b * cos)
}
