//! The register tile: four channels × P points.

use super::super::shape::{ConvShape, LANES};
use super::super::weight::Weight;
use super::CodePath;
use super::pass::TAPS_MAX;
use super::slot::Slot;

/// The inner loops' operands: for each tap along y a row of the input, and all weights.
pub(super) struct Tiles<'a, W> {
    #[cfg_attr(not(vfp), expect(dead_code, reason = "only the tile in assembly asks"))]
    pub(super) path: CodePath,
    pub(super) shape: &'a ConvShape,
    pub(super) weights: &'a [W],
    pub(super) slots: &'a [Slot<'a>],
}

impl<W: Weight> Tiles<'_, W> {
    /// Sums of a row, which starts at point `at`, for the four channels of group `group`, or as many as `planes` has.
    ///
    /// P: points of a tile. T: taps. Tap t of point p is value t · D + p of a span of SPAN = P + (T − 1) · D values.
    #[inline(always)]
    pub(super) fn row<
        const P: usize,
        const T: usize,
        const D: usize,
        const SPAN: usize,
        const ADJOINT: bool,
    >(
        &self,
        group: usize,
        planes: &mut [f32],
        at: usize,
    ) {
        #[cfg(vfp)]
        if let (Some(multiply), Some(weights)) = (self.path.multiply(), W::numbers(self.weights)) {
            let &Self { shape, slots, .. } = self;
            if super::vfp::row::<T, SPAN, ADJOINT>(
                multiply, shape, weights, slots, group, planes, at,
            ) {
                return;
            }
        }
        let shape = self.shape;
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        let mut planes = planes.chunks_exact_mut(points.max(1));
        let mut rows: [&mut [[f32; P]]; LANES] = core::array::from_fn(|_| {
            let row = planes.next().and_then(|plane| plane.get_mut(at..at + nx));
            row.unwrap_or_default().as_chunks_mut().0
        });
        // Found once for a row: it takes as long as some of a tile's products.
        let taps: [Tap<'_, W, T, SPAN>; TAPS_MAX] =
            core::array::from_fn(|ky| self.tap::<T, SPAN, ADJOINT>(group, ky));
        let taps = taps.get(..self.slots.len()).unwrap_or_default();
        let channels = if ADJOINT { shape.outputs() } else { shape.inputs() };
        let stride = shape.group_len() / (T * LANES);
        for tile in 0..nx / P {
            let mut sums = [[0.0; P]; LANES];
            for tap in taps {
                let from = tile * channels;
                let spans = tap.spans.get(from..from + channels).unwrap_or_default();
                if ADJOINT {
                    tap.adjoint::<P, D>(&mut sums, spans, stride);
                } else {
                    tap.forward::<P, D>(&mut sums, spans);
                }
            }
            for (row, sums) in rows.iter_mut().zip(sums) {
                if let Some(to) = row.get_mut(tile) {
                    *to = sums;
                }
            }
        }
    }

    /// What the tiles of a row read for a tap along y; of a gradient the taps go from last to first.
    #[inline(always)]
    fn tap<const T: usize, const SPAN: usize, const ADJOINT: bool>(
        &self,
        group: usize,
        ky: usize,
    ) -> Tap<'_, W, T, SPAN> {
        let (shape, slots) = (self.shape, self.slots);
        let spans = slots.get(ky).map(|slot| slot.values.as_chunks().0).unwrap_or_default();
        let (first, count) = if ADJOINT {
            let ky = slots.len().saturating_sub(ky + 1);
            (ky * shape.ky_len() + group * LANES * T * LANES, usize::MAX)
        } else {
            (group * shape.group_len() + ky * shape.ky_len(), shape.inputs())
        };
        let weights = self.weights.get(first..).unwrap_or_default();
        let weights = weights.as_chunks().0.as_chunks().0;
        Tap { spans, weights: weights.get(..count).unwrap_or(weights) }
    }
}

/// A tap along y: a row of the input, `[tile][channel]`, and weights.
struct Tap<'a, W, const T: usize, const SPAN: usize> {
    spans: &'a [[f32; SPAN]],
    /// Forward `[in][kx][out]` of the four outputs; of a gradient the same from the first of its four inputs on, and so on
    /// for every four outputs.
    weights: &'a [[[W; LANES]; T]],
}

impl<W: Weight, const T: usize, const SPAN: usize> Tap<'_, W, T, SPAN> {
    /// Adds to four outputs the products over input, kx.
    #[inline(always)]
    fn forward<const P: usize, const D: usize>(
        &self,
        sums: &mut [[f32; P]; LANES],
        spans: &[[f32; SPAN]],
    ) {
        let mut inputs = (spans, self.weights);
        if cfg!(target_pointer_width = "32") {
            // Two at a time: the loop would be a twelfth of 48 products. Where these are a few vectors, it costs a tenth instead.
            let pairs = inputs.0.as_chunks::<2>();
            let weights = inputs.1.as_chunks::<2>();
            for ([a, b], [a_weights, b_weights]) in pairs.0.iter().zip(weights.0) {
                accumulate_taps::<W, P, T, D, SPAN>(sums, a, a_weights);
                accumulate_taps::<W, P, T, D, SPAN>(sums, b, b_weights);
            }
            inputs = (pairs.1, weights.1);
        }
        for (span, weights) in inputs.0.iter().zip(inputs.1) {
            accumulate_taps::<W, P, T, D, SPAN>(sums, span, weights);
        }
    }

    /// Adds to four inputs the products over output, kx from last to first.
    #[inline(always)]
    fn adjoint<const P: usize, const D: usize>(
        &self,
        sums: &mut [[f32; P]; LANES],
        spans: &[[f32; SPAN]],
        stride: usize,
    ) {
        for (spans, weights) in spans.chunks(LANES).zip(self.weights.chunks(stride.max(1))) {
            let Some([a, b, c, d]) = weights.first_chunk() else { return };
            for (lane, span) in spans.iter().enumerate().take(LANES) {
                for t in 0..T {
                    let k = T - 1 - t;
                    let weights = [a[k][lane], b[k][lane], c[k][lane], d[k][lane]];
                    accumulate(sums, span, t * D, weights);
                }
            }
        }
    }
}

#[inline(always)]
fn accumulate_taps<W: Weight, const P: usize, const T: usize, const D: usize, const SPAN: usize>(
    sums: &mut [[f32; P]; LANES],
    span: &[f32; SPAN],
    weights: &[[W; LANES]; T],
) {
    for (t, weights) in weights.iter().enumerate() {
        accumulate(sums, span, t * D, *weights);
    }
}

#[inline(always)]
fn accumulate<W: Weight, const P: usize, const SPAN: usize>(
    sums: &mut [[f32; P]; LANES],
    span: &[f32; SPAN],
    at: usize,
    weights: [W; LANES],
) {
    for (sums, weight) in sums.iter_mut().zip(weights) {
        let weight = weight.number();
        for (p, sum) in sums.iter_mut().enumerate() {
            // In bounds by SPAN = P + (T − 1) · D, which the compiler sees.
            *sum += weight * span[at + p];
        }
    }
}
