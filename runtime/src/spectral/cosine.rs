//! Reflecting axis: the orthonormal DCT-II, by one real FFT of the same length.
//!
//! Source: Makhoul, "A fast cosine transform in one and two dimensions", IEEE Trans. ASSP 28, 1980. The line is
//! reordered (even points ascending, then odd points descending), Fourier transformed, and each pair (a_m, b_m) is
//! reflected by the quarter-wave angle θ = πm/2N into the cosine modes m and N − m:
//! X_m = a cos θ + b sin θ, X_{N−m} = a sin θ − b cos θ. That matrix is its own inverse.

use super::real_fft::real_fft;
use super::{fourier, quarter_wave};

/// Line to modes, in place; `work` is as long as `line`.
pub(super) fn forward(line: &mut [f32], work: &mut [f32]) {
    let n = line.len();
    let Some((evens, odds)) = work.split_at_mut_checked(n / 2) else { return };
    let ends = evens.iter_mut().zip(odds.iter_mut().rev());
    for ((even, odd), pair) in ends.zip(line.chunks_exact(2)) {
        if let [first, second] = pair {
            *even = *first;
            *odd = *second;
        }
    }
    fourier::forward(work);
    let Some((low, high)) = line.split_at_mut_checked(n / 2) else { return };
    if let ([first, low @ ..], [middle, high @ ..], [zero, nyquist, pairs @ ..]) = (low, high, work)
    {
        *first = *zero;
        *middle = *nyquist;
        let ends = low.iter_mut().zip(high.iter_mut().rev());
        for (m, ((near, far), pair)) in (1..).zip(ends.zip(pairs.chunks_exact(2))) {
            if let [a, b] = pair {
                (*near, *far) = reflect(*a, *b, m, n);
            }
        }
    }
}

/// Modes to line, in place; `work` is as long as `line`.
pub(super) fn inverse(line: &mut [f32], work: &mut [f32]) {
    let n = line.len();
    let Some((low, high)) = line.split_at_checked(n / 2) else { return };
    if let ([first, low @ ..], [middle, high @ ..]) = (low, high) {
        let ends = low.iter().zip(high.iter().rev());
        let pairs = (1..).zip(ends).map(|(m, (near, far))| reflect(*near, *far, m, n));
        fourier::spread(*first, *middle, pairs, work);
    }
    real_fft(work);
    // Point p of the reordered line is Re − Im, point N − p is Re + Im; undo the reordering on the way out.
    let mut put = |p: usize, value: f32| {
        let point = if p < n / 2 { 2 * p } else { 2 * (n - 1 - p) + 1 };
        if let Some(cell) = line.get_mut(point) {
            *cell = value;
        }
    };
    if let [zero, nyquist, pairs @ ..] = work {
        put(0, *zero);
        put(n / 2, *nyquist);
        for (p, pair) in (1..).zip(pairs.chunks_exact(2)) {
            if let [re, im] = pair {
                put(p, *re - *im);
                put(n - p, *re + *im);
            }
        }
    }
}

fn reflect(a: f32, b: f32, mode: usize, n: usize) -> (f32, f32) {
    let (cos, sin) = (quarter_wave::cos(mode, n), quarter_wave::sin(mode, n));
    (a * cos + b * sin, a * sin - b * cos)
}
