//! The register tile: four channels × P points.

use super::super::shape::{ConvShape, LANES};
use super::super::weight::Weight;
use super::CodePath;
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
        let points = self.shape.grid().points();
        for tile in 0..self.shape.grid().nx() / P {
            let sums = if ADJOINT {
                self.adjoint::<P, T, D, SPAN>(group, tile)
            } else {
                self.forward::<P, T, D, SPAN>(group, tile)
            };
            let at = at + tile * P;
            for (plane, sums) in planes.chunks_exact_mut(points).zip(sums) {
                if let Some(to) = plane.get_mut(at..).and_then(|to| to.first_chunk_mut()) {
                    *to = sums;
                }
            }
        }
    }

    /// Sums of four outputs over ky, input, kx.
    #[inline(always)]
    fn forward<const P: usize, const T: usize, const D: usize, const SPAN: usize>(
        &self,
        group: usize,
        tile: usize,
    ) -> [[f32; P]; LANES] {
        let shape = self.shape;
        let mut sums = [[0.0; P]; LANES];
        let at = group * shape.group_len();
        let weights = self.weights.get(at..at + shape.group_len()).unwrap_or_default();
        for (slot, weights) in self.slots.iter().zip(weights.chunks_exact(shape.ky_len().max(1))) {
            let spans = spans::<SPAN>(slot, tile, shape.inputs());
            let weights = weights.as_chunks::<LANES>().0.as_chunks::<T>().0;
            for (span, weights) in spans.iter().zip(weights) {
                for (t, weights) in weights.iter().enumerate() {
                    accumulate(&mut sums, span, t * D, *weights);
                }
            }
        }
        sums
    }

    /// Sums of four inputs over ky from last to first, output, kx from last to first.
    #[inline(always)]
    fn adjoint<const P: usize, const T: usize, const D: usize, const SPAN: usize>(
        &self,
        group: usize,
        tile: usize,
    ) -> [[f32; P]; LANES] {
        let shape = self.shape;
        let mut sums = [[0.0; P]; LANES];
        for (tap, slot) in self.slots.iter().enumerate() {
            let at = (self.slots.len() - 1 - tap) * shape.ky_len();
            let spans = spans::<SPAN>(slot, tile, shape.outputs()).chunks(LANES);
            for (spans, weights) in spans.zip(self.weights.chunks_exact(shape.group_len().max(1))) {
                let weights = weights.get(at..).unwrap_or_default();
                let weights = weights.as_chunks::<LANES>().0.as_chunks::<T>().0;
                let Some([a, b, c, d]) = weights.as_chunks::<LANES>().0.get(group) else { break };
                for (lane, span) in spans.iter().enumerate().take(LANES) {
                    for t in 0..T {
                        let k = T - 1 - t;
                        let weights = [a[k][lane], b[k][lane], c[k][lane], d[k][lane]];
                        accumulate(&mut sums, span, t * D, weights);
                    }
                }
            }
        }
        sums
    }
}

/// What a tile reads of every channel.
#[inline(always)]
fn spans<'a, const SPAN: usize>(
    slot: &'a Slot<'_>,
    tile: usize,
    channels: usize,
) -> &'a [[f32; SPAN]] {
    let spans = slot.values.as_chunks::<SPAN>().0;
    spans.get(tile * channels..(tile + 1) * channels).unwrap_or_default()
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
