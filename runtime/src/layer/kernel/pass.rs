//! One evaluation, row by row: the rows that the taps along y read, then every tile of the row, then the epilogue.

use super::super::epilogue::Epilogue;
use super::super::shape::{ConvShape, LANES};
use super::super::weight::Weight;
use super::CodePath;
use super::boundary::{Sources, neighbour, readers};
use super::slot::{Slot, Source, Taps};
use super::tile::Tiles;

/// Most taps along an axis.
pub(super) const TAPS_MAX: usize = 7;

/// A forward evaluation, or a vector-Jacobian product, on slices of checked lengths.
pub(in super::super) struct Pass<'a, W> {
    pub(in super::super) shape: &'a ConvShape,
    pub(in super::super) weights: &'a [W],
    pub(in super::super) source: Source<'a>,
    pub(in super::super) epilogue: Option<&'a Epilogue<'a>>,
    pub(in super::super) signs: Option<&'a mut [u8]>,
    pub(in super::super) add: Option<&'a [f32]>,
    pub(in super::super) output: &'a mut [f32],
    pub(in super::super) scratch: &'a mut [f32],
}

impl<W: Weight> Pass<'_, W> {
    /// Runs with tiles of P points; see [`row`] for the constants.
    #[inline(always)]
    pub(super) fn run<
        const P: usize,
        const P3: usize,
        const P5: usize,
        const P7: usize,
        const X3: usize,
        const X5: usize,
        const X7: usize,
        const ADJOINT: bool,
    >(
        mut self,
        path: CodePath,
    ) {
        let shape = self.shape;
        let (nx, ny, points) = (shape.grid().nx(), shape.grid().ny(), shape.grid().points());
        let channels = if ADJOINT { shape.outputs() } else { shape.inputs() };
        let taps = Taps::of::<ADJOINT>(shape);
        let slot_len = nx / P * channels * taps.span::<P>(shape.taps());

        let scratch = core::mem::take(&mut self.scratch);
        let Some((padded, scratch)) = scratch.split_at_mut_checked(shape.padded_row_len()) else {
            return;
        };
        let mut parts = scratch.chunks_exact_mut(slot_len.max(1));
        let mut slots: [Slot<'_>; TAPS_MAX] =
            core::array::from_fn(|_| Slot::new(parts.next().unwrap_or_default()));
        let slots = slots.get_mut(..shape.taps_y()).unwrap_or_default();

        // Rows a dilation apart, one after the other, share all but one of the rows that they read.
        for first in 0..shape.dilation().min(ny) {
            for y in (first..ny).step_by(shape.dilation().max(1)) {
                for (tap, slot) in slots.iter_mut().enumerate() {
                    let rows = row_sources::<ADJOINT>(shape, y, tap);
                    slot.fill::<P, P3, P5, P7, ADJOINT>(shape, &self.source, rows, padded);
                }
                let tiles = Tiles { path, shape, weights: self.weights, slots };
                for (group, planes) in self.output.chunks_mut((LANES * points).max(1)).enumerate() {
                    let at = y * nx;
                    match (shape.taps(), taps) {
                        (1, _) => tiles.row::<P, 1, 1, P, ADJOINT>(group, planes, at),
                        (3, Taps::Overlap) => tiles.row::<P, 3, 1, P3, ADJOINT>(group, planes, at),
                        (3, Taps::Apart) => tiles.row::<P, 3, P, X3, ADJOINT>(group, planes, at),
                        (5, Taps::Overlap) => tiles.row::<P, 5, 1, P5, ADJOINT>(group, planes, at),
                        (5, Taps::Apart) => tiles.row::<P, 5, P, X5, ADJOINT>(group, planes, at),
                        (_, Taps::Overlap) => tiles.row::<P, 7, 1, P7, ADJOINT>(group, planes, at),
                        (_, Taps::Apart) => tiles.row::<P, 7, P, X7, ADJOINT>(group, planes, at),
                    }
                }
                self.finish_row(y);
                rotate(slots);
            }
        }
    }

    /// Takes row `y` of every channel through the epilogue and the sum.
    #[inline(always)]
    fn finish_row(&mut self, y: usize) {
        let (points, nx) = (self.shape.grid().points(), self.shape.grid().nx());
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

/// Moves the first to the end.
fn rotate<T>(values: &mut [T]) {
    if let Some((first, rest)) = values.split_first_mut() {
        rest.iter_mut().rev().for_each(|value| core::mem::swap(first, value));
    }
}
