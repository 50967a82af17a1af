//! The register tile: some channels × P points.

use super::super::shape::{ConvShape, LANES};
use super::super::weight::Weight;
use super::pass::TAPS_MAX;
use super::sink::PassSink;
use super::slot::Slot;
use crate::checked::{self, OrBug, Place, bug};

/// How tiles are computed.
pub(super) trait Tile<W>: Copy {
    /// Row `y` of the four channels of group `group`, or of as many as there are.
    ///
    /// P: points of a tile. T: taps. Tap t of point p is value t · D + p of a span of SPAN = P + (T − 1) · D values.
    fn row<const P: usize, const T: usize, const D: usize, const SPAN: usize, const ADJOINT: bool>(
        self,
        operands: &Operands<'_, W>,
        group: usize,
        output: &mut PassSink<'_>,
        y: usize,
    );
}

/// The inner loops' operands: for each tap along y a row of the input, and all weights.
pub(super) struct Operands<'a, W> {
    pub(super) shape: &'a ConvShape,
    pub(super) weights: &'a [W],
    pub(super) slots: &'a [Slot<'a>],
}

/// A tile of L channels in safe code; L divides four.
#[derive(Clone, Copy)]
pub(super) struct Channels<const L: usize>;

impl<W: Weight, const L: usize> Tile<W> for Channels<L> {
    #[inline(always)]
    fn row<
        const P: usize,
        const T: usize,
        const D: usize,
        const SPAN: usize,
        const ADJOINT: bool,
    >(
        self,
        operands: &Operands<'_, W>,
        group: usize,
        output: &mut PassSink<'_>,
        y: usize,
    ) {
        let shape = operands.shape;
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        // Found once for a row: it takes as long as some of a tile's products.
        let taps: [Tap<'_, W, T, SPAN>; TAPS_MAX] =
            core::array::from_fn(|ky| operands.tap::<T, SPAN, ADJOINT>(group, ky));
        let taps = taps.get(..operands.slots.len()).or_bug();
        let channels = if ADJOINT { shape.outputs() } else { shape.inputs() };
        let stride = shape.group_len() / (T * LANES);
        for first in (0..LANES).step_by(L) {
            let channel = group.times(LANES).plus(first);
            let start = channel.times(points).plus(y.times(nx));
            let epilogues: [_; L] =
                core::array::from_fn(|lane| output.epilogue(channel.plus(lane)));
            for tile in 0..nx / P {
                let mut sums = [[0.0; P]; L];
                for tap in taps {
                    let from = tile.times(channels);
                    let spans = tap.spans.get(from..from.plus(channels)).or_bug();
                    if ADJOINT {
                        tap.adjoint::<P, L, D>(&mut sums, spans, stride, first);
                    } else {
                        tap.forward::<P, L, D>(&mut sums, spans, first);
                    }
                }
                for (lane, (epilogue, sums)) in epilogues.into_iter().zip(sums).enumerate() {
                    let at = start.plus(lane.times(points)) / P;
                    output.tile(epilogue, at.plus(tile), sums);
                }
            }
            for lane in 0..L {
                output.row(channel.plus(lane), start.plus(lane.times(points)), nx);
            }
        }
    }
}

impl<W: Weight> Operands<'_, W> {
    /// What the tiles of a row read for a tap along y; of a gradient the taps go from last to first.
    #[inline(always)]
    fn tap<const T: usize, const SPAN: usize, const ADJOINT: bool>(
        &self,
        group: usize,
        ky: usize,
    ) -> Tap<'_, W, T, SPAN> {
        let (shape, slots) = (self.shape, self.slots);
        // A layer of fewer taps than the most leaves places empty.
        let Some(slot) = slots.get(ky) else { return Tap { spans: &[], weights: &[] } };
        let spans = slot.values.as_chunks().0;
        let first = if ADJOINT {
            let ky = slots.len().minus(1).minus(ky);
            ky.times(shape.ky_len()).plus(group.times(LANES * T * LANES))
        } else {
            group.times(shape.group_len()).plus(ky.times(shape.ky_len()))
        };
        let weights = self.weights.get(first..).or_bug().as_chunks().0.as_chunks().0;
        let weights = if ADJOINT { weights } else { weights.get(..shape.inputs()).or_bug() };
        Tap { spans, weights }
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
    /// Adds to L outputs, from `first` on, the products over input, kx.
    #[inline(always)]
    fn forward<const P: usize, const L: usize, const D: usize>(
        &self,
        sums: &mut [[f32; P]; L],
        spans: &[[f32; SPAN]],
        first: usize,
    ) {
        let mut inputs = (spans, self.weights);
        if cfg!(pairs) {
            let (spans, weights) = (inputs.0.as_chunks::<2>(), inputs.1.as_chunks::<2>());
            for ([a, b], [of_a, of_b]) in checked::zip(spans.0, weights.0) {
                accumulate_taps::<W, P, L, T, D, SPAN>(sums, a, of_a, first);
                accumulate_taps::<W, P, L, T, D, SPAN>(sums, b, of_b, first);
            }
            inputs = (spans.1, weights.1);
        }
        for (span, weights) in checked::zip(inputs.0, inputs.1) {
            accumulate_taps::<W, P, L, T, D, SPAN>(sums, span, weights, first);
        }
    }

    /// Adds to L inputs, from `first` on, the products over output, kx from last to first.
    #[inline(always)]
    fn adjoint<const P: usize, const L: usize, const D: usize>(
        &self,
        sums: &mut [[f32; P]; L],
        spans: &[[f32; SPAN]],
        stride: usize,
        first: usize,
    ) {
        let weights = self.weights.chunks(stride.max(1));
        for (spans, weights) in checked::zip(spans.chunks(LANES), weights) {
            let Some::<&[[[W; LANES]; T]; LANES]>(weights) = weights.first_chunk() else {
                return bug();
            };
            for (lane, span) in spans.iter().enumerate().take(LANES) {
                for t in 0..T {
                    let k = T - 1 - t;
                    let weights: [W; L] =
                        core::array::from_fn(|l| weights[(first + l) % LANES][k][lane]);
                    accumulate(sums, span, t * D, weights);
                }
            }
        }
    }
}

#[inline(always)]
fn accumulate_taps<
    W: Weight,
    const P: usize,
    const L: usize,
    const T: usize,
    const D: usize,
    const SPAN: usize,
>(
    sums: &mut [[f32; P]; L],
    span: &[f32; SPAN],
    weights: &[[W; LANES]; T],
    first: usize,
) {
    for (t, weights) in weights.iter().enumerate() {
        let weights = core::array::from_fn(|l| weights[(first + l) % LANES]);
        accumulate(sums, span, t * D, weights);
    }
}

#[inline(always)]
fn accumulate<W: Weight, const P: usize, const L: usize, const SPAN: usize>(
    sums: &mut [[f32; P]; L],
    span: &[f32; SPAN],
    at: usize,
    weights: [W; L],
) {
    for (sums, weight) in sums.iter_mut().zip(weights) {
        let weight = weight.number();
        for (p, sum) in sums.iter_mut().enumerate() {
            // In bounds by SPAN = P + (T − 1) · D, which the compiler sees.
            *sum += weight * span[at + p];
        }
    }
}
