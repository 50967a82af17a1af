//! One evaluation, row by row: the rows that the taps along y read, then every tile of the row, then the epilogue.

use super::super::epilogue::Epilogue;
use super::super::shape::{ConvShape, LANES};
use super::boundary::{Sources, neighbour, readers};
use super::slot::{Slot, Source};
use super::tile;

/// A forward evaluation, or a vector-Jacobian product, on slices of checked lengths.
pub(in super::super) struct Pass<'a> {
    pub(in super::super) shape: &'a ConvShape,
    pub(in super::super) weights: &'a [f32],
    pub(in super::super) source: Source<'a>,
    pub(in super::super) epilogue: Option<&'a Epilogue<'a>>,
    pub(in super::super) signs: Option<&'a mut [u8]>,
    pub(in super::super) add: Option<&'a [f32]>,
    pub(in super::super) output: &'a mut [f32],
    pub(in super::super) scratch: &'a mut [f32],
}

impl Pass<'_> {
    /// P: points of a tile. T: taps. D: distance of taps in a span of SPAN = P + (T − 1) · D values.
    #[inline(always)]
    pub(super) fn rows<
        const P: usize,
        const T: usize,
        const D: usize,
        const SPAN: usize,
        const ADJOINT: bool,
    >(
        mut self,
    ) {
        let shape = self.shape;
        let (ny, channels) = (shape.grid().ny(), self.channels::<ADJOINT>());
        let scratch = core::mem::take(&mut self.scratch);
        let Some((padded, scratch)) = scratch.split_at_mut_checked(shape.padded_row_len()) else {
            return;
        };
        let mut parts = scratch.chunks_exact_mut(shape.grid().nx() / P * channels * SPAN);
        let mut slots: [Slot<'_>; T] =
            core::array::from_fn(|_| Slot { rows: None, values: parts.next().unwrap_or_default() });
        // Rows a dilation apart, one after the other, share all but one of the rows that they read.
        for first in 0..shape.dilation().min(ny) {
            for y in (first..ny).step_by(shape.dilation()) {
                for (tap, slot) in slots.iter_mut().take(shape.taps_y()).enumerate() {
                    let rows = row_sources::<ADJOINT>(shape, y, tap);
                    slot.fill::<P, D, SPAN, ADJOINT>(shape, &self.source, rows, padded);
                }
                self.row::<P, T, D, SPAN, ADJOINT>(y, &slots);
                for i in 1..T {
                    slots.swap(i - 1, i);
                }
            }
        }
    }

    /// Row `y` of every channel of the output.
    #[inline(always)]
    fn row<
        const P: usize,
        const T: usize,
        const D: usize,
        const SPAN: usize,
        const ADJOINT: bool,
    >(
        &mut self,
        y: usize,
        slots: &[Slot<'_>; T],
    ) {
        let (points, nx) = (self.shape.grid().points(), self.shape.grid().nx());
        let tile_len = self.channels::<ADJOINT>() * SPAN;
        for (group, planes) in self.output.chunks_mut(LANES * points).enumerate() {
            for (tile, x) in (0..nx).step_by(P).enumerate() {
                let spans = slots.each_ref().map(|slot| {
                    let at = tile * tile_len;
                    slot.values.get(at..at + tile_len).unwrap_or_default().as_chunks().0
                });
                let sums = if ADJOINT {
                    adjoint::<P, T, D, SPAN>(self.shape, self.weights, group, &spans)
                } else {
                    forward::<P, T, D, SPAN>(self.shape, self.weights, group, &spans)
                };
                for (plane, sums) in planes.chunks_exact_mut(points).zip(sums) {
                    let at = y * nx + x;
                    if let Some(to) = plane.get_mut(at..at + P) {
                        to.copy_from_slice(&sums);
                    }
                }
            }
        }
        for (channel, plane) in self.output.chunks_exact_mut(points).enumerate() {
            let Some(row) = plane.get_mut(y * nx..(y + 1) * nx) else { return };
            let at = channel * points + y * nx;
            if let Some(epilogue) = self.epilogue {
                let signs = self.signs.as_deref_mut().unwrap_or_default();
                let signs = signs.get_mut(at / 8..).unwrap_or_default();
                epilogue.channel(channel).apply(row, signs);
            }
            if let Some(add) = self.add.and_then(|add| add.get(at..at + nx)) {
                row.iter_mut().zip(add).for_each(|(to, add)| *to += add);
            }
        }
    }

    /// Channels that are summed over.
    fn channels<const ADJOINT: bool>(&self) -> usize {
        if ADJOINT { self.shape.outputs() } else { self.shape.inputs() }
    }
}

/// The rows that tap `tap` along y reads for row `y` of the output.
fn row_sources<const ADJOINT: bool>(shape: &ConvShape, y: usize, tap: usize) -> Sources {
    let Some(axis) = shape.grid().y() else { return [Some(0), None] };
    let offset = (tap * shape.dilation()) as isize - shape.reach() as isize;
    if ADJOINT {
        // Taps from last to first, as along x.
        readers(&axis, y, -offset)
    } else {
        [Some(neighbour(&axis, y, offset)), None]
    }
}

/// Sums of a tile of four outputs.
#[inline(always)]
fn forward<const P: usize, const T: usize, const D: usize, const SPAN: usize>(
    shape: &ConvShape,
    weights: &[f32],
    group: usize,
    slots: &[&[[f32; SPAN]]; T],
) -> [[f32; P]; LANES] {
    let mut sums = [[0.0; P]; LANES];
    let at = group * shape.group_len();
    let weights = weights.get(at..at + shape.group_len()).unwrap_or_default();
    for (spans, weights) in slots.iter().zip(weights.chunks_exact(shape.ky_len())) {
        let weights = weights.as_chunks::<LANES>().0.as_chunks::<T>().0;
        for (span, weights) in spans.iter().zip(weights) {
            tile::forward::<P, T, D, SPAN>(&mut sums, span, weights);
        }
    }
    sums
}

/// Sums of a tile of four inputs.
#[inline(always)]
fn adjoint<const P: usize, const T: usize, const D: usize, const SPAN: usize>(
    shape: &ConvShape,
    weights: &[f32],
    group: usize,
    slots: &[&[[f32; SPAN]]; T],
) -> [[f32; P]; LANES] {
    let mut sums = [[0.0; P]; LANES];
    let taps_y = shape.taps_y();
    for (tap, spans) in slots.iter().take(taps_y).enumerate() {
        // Taps from last to first.
        let at = (taps_y - 1 - tap) * shape.ky_len();
        let weights = weights.chunks_exact(shape.group_len());
        for (spans, weights) in spans.chunks(LANES).zip(weights) {
            let weights = weights.get(at..).unwrap_or_default();
            let weights = weights.as_chunks::<LANES>().0.as_chunks::<T>().0.as_chunks::<LANES>().0;
            let Some(weights) = weights.get(group) else { continue };
            for lane in 0..LANES {
                let Some(span) = spans.get(lane) else { break };
                tile::adjoint::<P, T, D, SPAN>(&mut sums, span, weights, lane);
            }
        }
    }
    sums
}
