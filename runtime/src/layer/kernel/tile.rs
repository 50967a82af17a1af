//! The register tile in safe code: some channels × some points, whose sums stay in registers.
//!
//! ```text
//!   PORTABLE on a board: 2 channels × 8 points           AVX2: 4 × 16, AVX-512: 4 × 32
//!
//!                    points of a row
//!                0  1  2  3  4  5  6  7       span of the input, loaded once for each input channel:
//!   channel 0    Σ  Σ  Σ  Σ  Σ  Σ  Σ  Σ   += weight of channel 0 × values t · DILATION + (0 … 7)
//!   channel 1    Σ  Σ  Σ  Σ  Σ  Σ  Σ  Σ   += weight of channel 1 × the same values
//! ```
//!
//! For every tap along y, for every input channel, for every tap t along x: in this order every
//! kernel adds, whatever its width.

use super::super::shape::{ConvShape, LANES};
use super::super::weight::Weight;
use super::pass::TAPS_MAX;
use super::sink::PassSink;
use super::slot::Slot;
use super::span::{Reads, Span};
use crate::checked::{self, OrBug, Place, bug};

/// How tiles are computed.
pub(super) trait Tile<W>: Copy {
    /// Row `y` of the four channels of group `group`, or of as many as there are.
    fn row<Taps: Reads, const ADJOINT: bool>(
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

/// A tile of CHANNELS channels in safe code, a number that divides four.
#[derive(Clone, Copy)]
pub(super) struct Channels<const CHANNELS: usize>;

impl<W: Weight, const CHANNELS: usize> Tile<W> for Channels<CHANNELS> {
    #[inline(always)]
    fn row<Taps: Reads, const ADJOINT: bool>(
        self,
        operands: &Operands<'_, W>,
        group: usize,
        output: &mut PassSink<'_>,
        y: usize,
    ) {
        Taps::sums::<W, CHANNELS, ADJOINT>(operands, group, output, y);
    }
}

impl<const POINTS: usize, const TAPS: usize, const DILATION: usize, const SPAN: usize>
    Span<POINTS, TAPS, DILATION, SPAN>
{
    /// Row `y` of the four channels of group `group`, CHANNELS of them at a time.
    #[inline(always)]
    pub(super) fn row<W: Weight, const CHANNELS: usize, const ADJOINT: bool>(
        operands: &Operands<'_, W>,
        group: usize,
        output: &mut PassSink<'_>,
        y: usize,
    ) {
        const {
            assert!(SPAN == POINTS + (TAPS - 1) * DILATION, "a span that its taps do not fill");
        }
        let shape = operands.shape;
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        // Found once for a row: it takes as long as some of a tile's products.
        let taps: [Tap<'_, W, TAPS, SPAN>; TAPS_MAX] =
            core::array::from_fn(|ky| operands.tap::<TAPS, SPAN, ADJOINT>(group, ky));
        let taps = taps.get(..operands.slots.len()).or_bug();
        let channels = if ADJOINT { shape.outputs() } else { shape.inputs() };
        let stride = shape.group_len() / (TAPS * LANES);
        for first in (0..LANES).step_by(CHANNELS) {
            let channel = group.times(LANES).plus(first);
            let start = channel.times(points).plus(y.times(nx));
            let epilogues: [_; CHANNELS] =
                core::array::from_fn(|lane| output.epilogue(channel.plus(lane)));
            for tile in 0..nx / POINTS {
                let mut sums = [[0.0; POINTS]; CHANNELS];
                for tap in taps {
                    let from = tile.times(channels);
                    let spans = tap.spans.get(from..from.plus(channels)).or_bug();
                    if ADJOINT {
                        Self::add_back(&mut sums, spans, tap.weights, stride, first);
                    } else {
                        Self::add(&mut sums, spans, tap.weights, first);
                    }
                }
                for (lane, (epilogue, sums)) in epilogues.into_iter().zip(sums).enumerate() {
                    let at = start.plus(lane.times(points)) / POINTS;
                    output.tile(epilogue, at.plus(tile), sums);
                }
            }
            for lane in 0..CHANNELS {
                output.row(channel.plus(lane), start.plus(lane.times(points)), nx);
            }
        }
    }

    /// Adds to CHANNELS outputs, from `first` on, the products over input, kx.
    #[inline(always)]
    fn add<W: Weight, const CHANNELS: usize>(
        sums: &mut [[f32; POINTS]; CHANNELS],
        spans: &[[f32; SPAN]],
        weights: &[[[W; LANES]; TAPS]],
        first: usize,
    ) {
        let mut inputs = (spans, weights);
        if cfg!(pairs) {
            let (spans, weights) = (inputs.0.as_chunks::<2>(), inputs.1.as_chunks::<2>());
            for ([a, b], [of_a, of_b]) in checked::zip(spans.0, weights.0) {
                Self::add_taps(sums, a, of_a, first);
                Self::add_taps(sums, b, of_b, first);
            }
            inputs = (spans.1, weights.1);
        }
        for (span, weights) in checked::zip(inputs.0, inputs.1) {
            Self::add_taps(sums, span, weights, first);
        }
    }

    /// Adds to CHANNELS inputs, from `first` on, the products over output, kx from last to first.
    #[inline(always)]
    fn add_back<W: Weight, const CHANNELS: usize>(
        sums: &mut [[f32; POINTS]; CHANNELS],
        spans: &[[f32; SPAN]],
        weights: &[[[W; LANES]; TAPS]],
        stride: usize,
        first: usize,
    ) {
        let weights = weights.chunks(stride.max(1));
        for (spans, weights) in checked::zip(spans.chunks(LANES), weights) {
            let Some::<&[[[W; LANES]; TAPS]; LANES]>(weights) = weights.first_chunk() else {
                return bug();
            };
            for (lane, span) in spans.iter().enumerate().take(LANES) {
                for t in 0..TAPS {
                    let k = TAPS - 1 - t;
                    let weights: [W; CHANNELS] =
                        core::array::from_fn(|l| weights[(first + l) % LANES][k][lane]);
                    Self::add_tap(sums, span, t, weights);
                }
            }
        }
    }

    /// Adds the products of all taps of one input.
    #[inline(always)]
    fn add_taps<W: Weight, const CHANNELS: usize>(
        sums: &mut [[f32; POINTS]; CHANNELS],
        span: &[f32; SPAN],
        weights: &[[W; LANES]; TAPS],
        first: usize,
    ) {
        for (t, weights) in weights.iter().enumerate() {
            let weights = core::array::from_fn(|l| weights[(first + l) % LANES]);
            Self::add_tap(sums, span, t, weights);
        }
    }

    /// Adds the products of tap `t` of one input.
    #[inline(always)]
    fn add_tap<W: Weight, const CHANNELS: usize>(
        sums: &mut [[f32; POINTS]; CHANNELS],
        span: &[f32; SPAN],
        t: usize,
        weights: [W; CHANNELS],
    ) {
        for (sums, weight) in sums.iter_mut().zip(weights) {
            let weight = weight.number();
            for (p, sum) in sums.iter_mut().enumerate() {
                // In bounds by SPAN = POINTS + (TAPS − 1) · DILATION, which the compiler sees.
                *sum += weight * span[t * DILATION + p];
            }
        }
    }
}

impl<W: Weight> Operands<'_, W> {
    /// What the tiles of a row read for a tap along y; of a gradient the taps go from last to
    /// first.
    #[inline(always)]
    fn tap<const TAPS: usize, const SPAN: usize, const ADJOINT: bool>(
        &self,
        group: usize,
        ky: usize,
    ) -> Tap<'_, W, TAPS, SPAN> {
        let (shape, slots) = (self.shape, self.slots);
        // A layer of fewer taps than the most leaves places empty.
        let Some(slot) = slots.get(ky) else { return Tap { spans: &[], weights: &[] } };
        let spans = slot.values.as_chunks().0;
        let first = if ADJOINT {
            let ky = slots.len().minus(1).minus(ky);
            ky.times(shape.ky_len()).plus(group.times(LANES * TAPS * LANES))
        } else {
            group.times(shape.group_len()).plus(ky.times(shape.ky_len()))
        };
        let weights = self.weights.get(first..).or_bug().as_chunks().0.as_chunks().0;
        let weights = if ADJOINT { weights } else { weights.get(..shape.inputs()).or_bug() };
        Tap { spans, weights }
    }
}

/// A tap along y: a row of the input, `[tile][channel]`, and weights.
struct Tap<'a, W, const TAPS: usize, const SPAN: usize> {
    spans: &'a [[f32; SPAN]],
    /// Forward `[in][kx][out]` of the four outputs; of a gradient the same from the first of its
    /// four inputs on, and so on for every four outputs.
    weights: &'a [[[W; LANES]; TAPS]],
}
