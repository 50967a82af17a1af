//! One direction of a convolution, row by row: the rows that the taps along y read, then the sums of every channel.

use super::super::epilogue::Epilogue;
use super::super::kernel::{self, Walk, neighbour, readers, rotate};
use super::super::shape::ConvShape;
use super::requantize::Requantize;
use super::rows::{Slot, Source};
use super::{LANES, Point, points_len};

/// Most taps along an axis.
const TAPS_MAX: usize = 7;

/// A direction, on slices of checked lengths.
pub(super) struct Pass<'a> {
    pub(super) shape: &'a ConvShape,
    pub(super) adjoint: bool,
    pub(super) weights: &'a [u32],
    pub(super) source: Source<'a>,
    pub(super) sink: Sink<'a>,
}

/// What becomes of a row of sums.
pub(super) enum Sink<'a> {
    /// Numbers: sums times `unit`, and through the epilogue where there is one.
    Fields { values: &'a mut [f32], unit: f32, epilogue: Option<&'a Epilogue<'a>> },
    /// A tensor.
    Points(Requantize<'a>),
}

impl Pass<'_> {
    pub(super) fn run(mut self, scratch: &mut [f32]) {
        let shape = self.shape;
        let (from, to) = if self.adjoint {
            (shape.outputs(), shape.inputs())
        } else {
            (shape.inputs(), shape.outputs())
        };
        let (ny, pitch) = (shape.grid().ny(), shape.int16_pitch(self.adjoint));
        let slot_len = points_len(from, pitch);
        let ring = 2 * slot_len * shape.taps_y();
        let Some((ring, rest)) = scratch.split_at_mut_checked(ring) else { return };
        let Some(sums) = rest.get_mut(..shape.int16_width(self.adjoint)) else { return };
        let sums: &mut [i32] = bytemuck::must_cast_slice_mut(sums);
        let (ring, _) = bytemuck::must_cast_slice_mut::<f32, u32>(ring).as_chunks_mut::<2>();
        let mut parts = ring.chunks_exact_mut(slot_len.max(1));
        let mut slots: [Slot<'_>; TAPS_MAX] =
            core::array::from_fn(|_| Slot::new(parts.next().unwrap_or_default()));
        let slots = slots.get_mut(..shape.taps_y()).unwrap_or_default();
        let walk = Walk {
            groups: from.div_ceil(LANES),
            taps: shape.taps(),
            dilation: shape.dilation(),
            pitch,
        };
        let per_channel = (shape.taps_y() * walk.words()).max(1);

        // Rows a dilation apart, one after the other, share all but one of the rows that they read.
        for first in 0..shape.dilation().min(ny) {
            for y in (first..ny).step_by(shape.dilation().max(1)) {
                for (tap, slot) in slots.iter_mut().enumerate() {
                    let rows = self.row_sources(y, tap);
                    slot.fill(shape, self.adjoint, &self.source, from, rows);
                }
                for (channel, weights) in
                    self.weights.chunks_exact(per_channel).enumerate().take(to)
                {
                    let rows = slots.iter().map(|slot| &*slot.points);
                    kernel::row(rows, weights, &walk, sums);
                    let row = self.folded(sums);
                    self.sink.put(shape, channel, y, row);
                }
                rotate(slots);
            }
        }
    }

    /// The rows that tap `tap` along y reads for row `y`.
    fn row_sources(&self, y: usize, tap: usize) -> [Option<usize>; 2] {
        let Some(axis) = self.shape.grid().y() else { return [Some(0), None] };
        let offset = (tap * self.shape.dilation()) as isize - self.shape.reach() as isize;
        if self.adjoint {
            // Taps from last to first, as along x.
            readers(&axis, y, -offset)
        } else {
            [Some(neighbour(&axis, y, offset)), None]
        }
    }

    /// The sums of the row's points, with those beyond its ends added to the points that they mirror.
    fn folded<'s>(&self, sums: &'s mut [i32]) -> &'s [i32] {
        let (nx, reach) = (self.shape.grid().nx(), self.shape.reach());
        if !self.shape.folds(self.adjoint) {
            return sums;
        }
        let Some((left, rest)) = sums.split_at_mut_checked(reach) else { return &[] };
        let Some((row, right)) = rest.split_at_mut_checked(nx) else { return &[] };
        let add = |(to, from): (&mut i32, &i32)| *to = to.wrapping_add(*from);
        row.iter_mut().zip(left.iter().rev()).for_each(add);
        row.iter_mut().rev().zip(right.iter().take(reach)).for_each(add);
        row
    }
}

impl Sink<'_> {
    /// Takes row `y` of a channel.
    fn put(&mut self, shape: &ConvShape, channel: usize, y: usize, sums: &[i32]) {
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        match self {
            Self::Fields { values, unit, epilogue } => {
                let at = channel * points + y * nx;
                let (scale, shift) = epilogue.map_or((1.0, 0.0), |epilogue| {
                    let at = |values: &[f32]| values.get(channel).copied().unwrap_or(0.0);
                    (at(epilogue.scale), at(epilogue.shift))
                });
                let row = values.get_mut(at..at + nx).unwrap_or_default();
                for (to, sum) in row.iter_mut().zip(sums) {
                    *to = scale * (*unit * *sum as f32) + shift;
                }
            }
            Self::Points(requantize) => requantize.row(shape, channel, y, sums),
        }
    }
}

/// Lane `lane` of a point.
#[inline(always)]
pub(super) fn lane(point: &mut Point, lane: usize) -> Option<&mut i16> {
    bytemuck::must_cast_mut::<Point, [i16; LANES]>(point).get_mut(lane)
}
