//! Periodic axis: the orthonormal real Fourier transform.

use core::f32::consts::FRAC_1_SQRT_2;

use super::real_fft::real_fft;

/// Line to modes, in place.
pub(super) fn forward(line: &mut [f32]) {
    real_fft(line);
    let single = libm::sqrtf(1.0 / line.len() as f32);
    let paired = libm::sqrtf(2.0 / line.len() as f32);
    if let [zero, nyquist, pairs @ ..] = line {
        *zero *= single;
        *nyquist *= single;
        for value in pairs {
            *value *= paired;
        }
    }
}

/// Modes to line, in place; `work` is as long as `line`.
pub(super) fn inverse(line: &mut [f32], work: &mut [f32]) {
    if let [zero, nyquist, pairs @ ..] = &*line {
        let pairs = pairs.chunks_exact(2).map(|pair| match pair {
            [a, b] => (*a, *b),
            _ => (0.0, 0.0),
        });
        spread(*zero, *nyquist, pairs, work);
    }
    real_fft(work);
    let half = line.len() / 2;
    let Some((low, high)) = line.split_at_mut_checked(half) else { return };
    if let ([first, low @ ..], [middle, high @ ..], [zero, nyquist, pairs @ ..]) = (low, high, work)
    {
        *first = *zero;
        *middle = *nyquist;
        let ends = low.iter_mut().zip(high.iter_mut().rev());
        for ((near, far), pair) in ends.zip(pairs.chunks_exact(2)) {
            if let [re, im] = pair {
                *near = re - im;
                *far = re + im;
            }
        }
    }
}

/// The Hartley coefficients of a real Fourier series.
///
/// microfft has no inverse for real series. The Hartley transform is its own inverse up to a factor, and follows
/// from a forward real FFT: Σ_m v_m (cos + sin)(2πjm/N) = Re V_j − Im V_j. So with v_m = (a_m − b_m)/√2 and
/// v_{N−m} = (a_m + b_m)/√2 the forward transform serves both ways, with no twiddle factors of our own.
/// The factor √(1/N) of the orthonormal transform is taken here.
pub(super) fn spread(
    zero: f32,
    nyquist: f32,
    pairs: impl Iterator<Item = (f32, f32)>,
    work: &mut [f32],
) {
    let single = libm::sqrtf(1.0 / work.len() as f32);
    let paired = single * FRAC_1_SQRT_2;
    let half = work.len() / 2;
    let Some((low, high)) = work.split_at_mut_checked(half) else { return };
    if let ([first, low @ ..], [middle, high @ ..]) = (low, high) {
        *first = zero * single;
        *middle = nyquist * single;
        for ((near, far), (a, b)) in low.iter_mut().zip(high.iter_mut().rev()).zip(pairs) {
            *near = (a - b) * paired;
            *far = (a + b) * paired;
        }
    }
}
