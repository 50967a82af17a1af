//! One evaluation, row by row: the rows that the taps along y read, then every tile of the row,
//! then the epilogue.

use super::super::shape::{ConvShape, LANES};
use super::super::weight::Weight;
use super::boundary::{Sources, neighbour, readers};
use super::sink::PassSink;
use super::slot::{FAR, PassSource, Slot, Taps};
use super::span::Width;
use super::tile::{Operands, Tile};
use crate::checked::{OrBug, Place};

/// Most taps along an axis.
pub(super) const TAPS_MAX: usize = 7;

/// A forward evaluation, or a vector-Jacobian product, on slices of checked lengths.
pub struct Pass<'a, W> {
    pub(in super::super) shape: &'a ConvShape,
    pub(in super::super) weights: &'a [W],
    pub(in super::super) source: PassSource<'a>,
    pub(in super::super) output: PassSink<'a>,
    pub(in super::super) scratch: &'a mut [f32],
}

impl<W: Weight> Pass<'_, W> {
    /// Runs with tiles of this width.
    #[inline(always)]
    pub(super) fn run<Points: Width, const ADJOINT: bool>(mut self, tile: impl Tile<W>) {
        let shape = self.shape;
        let (nx, ny) = (shape.grid().nx(), shape.grid().ny());
        let (channels, written) = if ADJOINT {
            (shape.outputs(), shape.inputs())
        } else {
            (shape.inputs(), shape.outputs())
        };
        let taps = Taps::of::<ADJOINT>(shape);
        let slot_len =
            (nx / Points::POINTS).times(channels).times(taps.span(Points::POINTS, shape));

        let scratch = core::mem::take(&mut self.scratch);
        let (padded, scratch) = scratch.split_at_mut_checked(shape.padded_row_len()).or_bug();
        // Fewer taps than the most leave slots empty.
        let mut parts = scratch.chunks_exact_mut(slot_len.max(1));
        let mut slots: [Slot<'_>; TAPS_MAX] =
            core::array::from_fn(|_| Slot::new(parts.next().unwrap_or_default()));
        let slots = slots.get_mut(..shape.taps_y()).or_bug();

        // Rows a dilation apart, one after the other, share all but one of the rows that they read.
        for first in 0..shape.dilation().min(ny) {
            for y in (first..ny).step_by(shape.dilation().max(1)) {
                for (tap, slot) in slots.iter_mut().enumerate() {
                    let rows = row_sources::<ADJOINT>(shape, y, tap);
                    slot.fill::<Points, ADJOINT>(shape, &self.source, rows, padded);
                }
                let from = &Operands { shape, weights: self.weights, slots };
                for group in 0..written.div_ceil(LANES) {
                    let to = &mut self.output;
                    use Taps::{Apart, Overlap};
                    let reads = (shape.taps(), taps, shape.dilation());
                    match reads {
                        (1, _, _) => tile.row::<Points::One, ADJOINT>(from, group, to, y),
                        (3, Overlap, 1) => tile.row::<Points::Three, ADJOINT>(from, group, to, y),
                        (3, Overlap, 2) => {
                            tile.row::<Points::ThreeBy2, ADJOINT>(from, group, to, y)
                        }
                        (3, Overlap, _) => {
                            tile.row::<Points::ThreeBy4, ADJOINT>(from, group, to, y)
                        }
                        (3, Apart, _) => {
                            tile.row::<Points::ThreeApart, ADJOINT>(from, group, to, y)
                        }
                        (5, Overlap, 1) => tile.row::<Points::Five, ADJOINT>(from, group, to, y),
                        (5, Overlap, 4) if FAR => {
                            tile.row::<Points::FiveBy4, ADJOINT>(from, group, to, y)
                        }
                        (5, Overlap, _) => tile.row::<Points::FiveBy2, ADJOINT>(from, group, to, y),
                        (5, Apart, _) => tile.row::<Points::FiveApart, ADJOINT>(from, group, to, y),
                        (_, Overlap, _) => tile.row::<Points::Seven, ADJOINT>(from, group, to, y),
                        (_, Apart, _) => {
                            tile.row::<Points::SevenApart, ADJOINT>(from, group, to, y)
                        }
                    }
                }
                rotate(slots);
            }
        }
    }
}

/// The rows that tap `tap` along y reads for row `y` of the output.
fn row_sources<const ADJOINT: bool>(shape: &ConvShape, y: usize, tap: usize) -> Sources {
    let Some(axis) = shape.grid().y() else { return [Some(0), None] };
    let offset = shape.offset(tap);
    if ADJOINT {
        // Taps from last to first, as along x.
        readers(&axis, y, offset.wrapping_neg())
    } else {
        [Some(neighbour(&axis, y, offset)), None]
    }
}

/// Moves the first to the end.
fn rotate<T>(values: &mut [T]) {
    if let Some((first, rest)) = values.split_first_mut() {
        rest.iter_mut().rev().for_each(|value| core::mem::swap(first, value));
    }
}
