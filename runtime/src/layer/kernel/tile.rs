//! The register tile: four channels × P points.

/// Adds, for one channel of a forward convolution, every tap of `span` to the sums of four outputs.
///
/// Tap t of point p is `span[t · D + p]`: D is 1 where taps overlap, P where each tap has a copy.
#[inline(always)]
pub(super) fn forward<const P: usize, const T: usize, const D: usize, const SPAN: usize>(
    sums: &mut [[f32; P]; 4],
    span: &[f32; SPAN],
    weights: &[[f32; 4]; T],
) {
    for (t, weights) in weights.iter().enumerate() {
        accumulate(sums, span, t * D, *weights);
    }
}

/// Adds, for one channel of a cotangent, every tap of `span` to the sums of four inputs.
///
/// `weights`: `[in][kx][lane]` of the four inputs, of which the channel is lane `lane`; taps run from last to first.
#[inline(always)]
pub(super) fn adjoint<const P: usize, const T: usize, const D: usize, const SPAN: usize>(
    sums: &mut [[f32; P]; 4],
    span: &[f32; SPAN],
    weights: &[[[f32; 4]; T]; 4],
    lane: usize,
) {
    let [a, b, c, d] = weights;
    for t in 0..T {
        let k = T - 1 - t;
        accumulate(sums, span, t * D, [a[k][lane], b[k][lane], c[k][lane], d[k][lane]]);
    }
}

#[inline(always)]
fn accumulate<const P: usize, const SPAN: usize>(
    sums: &mut [[f32; P]; 4],
    span: &[f32; SPAN],
    at: usize,
    weights: [f32; 4],
) {
    for (sums, weight) in sums.iter_mut().zip(weights) {
        for (p, sum) in sums.iter_mut().enumerate() {
            // In bounds by SPAN = P + (T − 1) · D, which the compiler sees.
            *sum += weight * span[at + p];
        }
    }
}
