//! Periodic axis: the orthonormal real Fourier transform.

use core::f32::consts::FRAC_1_SQRT_2;

use super::real_fft::real_fft;
use crate::checked::{self, OrBug, bug};

/// Line to modes, in place; `work` is as long as `line`.
pub(super) fn forward(line: &mut [f32], work: &mut [f32]) {
    real_fft(line, work);
    let single = libm::sqrtf(1.0 / line.len() as f32);
    let paired = libm::sqrtf(2.0 / line.len() as f32);
    let [zero, nyquist, pairs @ ..] = line else { return bug() };
    *zero *= single;
    *nyquist *= single;
    for value in pairs {
        *value *= paired;
    }
}

/// Modes to line, in place; `work` is as long as `line`.
pub(super) fn inverse(line: &mut [f32], work: &mut [f32]) {
    let [zero, nyquist, pairs @ ..] = &*line else { return bug() };
    let pairs = pairs.as_chunks().0.iter().map(|[a, b]| (*a, *b));
    spread(*zero, *nyquist, pairs, work);
    real_fft(work, line);
    let half = line.len() / 2;
    let (low, high) = line.split_at_mut_checked(half).or_bug();
    let ([first, low @ ..], [middle, high @ ..], [zero, nyquist, pairs @ ..]) = (low, high, work)
    else {
        return bug();
    };
    *first = *zero;
    *middle = *nyquist;
    let ends = checked::zip(low, high.iter_mut().rev());
    for ((near, far), [re, im]) in checked::zip(ends, pairs.as_chunks().0) {
        *near = re - im;
        *far = re + im;
    }
}

/// The Hartley coefficients of a real Fourier series.
///
/// microfft has no inverse for real series, nor has [`real_fft`]. The Hartley transform is its own
/// inverse up to a factor, and follows from a forward real FFT: Σ_m v_m (cos + sin)(2πjm/N) = Re
/// V_j − Im V_j. So with v_m = (a_m − b_m)/√2 and v_{N−m} = (a_m + b_m)/√2 the forward transform
/// serves both ways, with no twiddle factors of our own. The factor √(1/N) of the orthonormal
/// transform is taken here.
pub(super) fn spread(
    zero: f32,
    nyquist: f32,
    pairs: impl ExactSizeIterator<Item = (f32, f32)>,
    work: &mut [f32],
) {
    let single = libm::sqrtf(1.0 / work.len() as f32);
    let paired = single * FRAC_1_SQRT_2;
    let half = work.len() / 2;
    let (low, high) = work.split_at_mut_checked(half).or_bug();
    let ([first, low @ ..], [middle, high @ ..]) = (low, high) else { return bug() };
    *first = zero * single;
    *middle = nyquist * single;
    let ends = checked::zip(low, high.iter_mut().rev());
    for ((near, far), (a, b)) in checked::zip(ends, pairs) {
        *near = (a - b) * paired;
        *far = (a + b) * paired;
    }
}
