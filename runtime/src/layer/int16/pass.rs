//! One direction of a convolution, row by row: the rows that the taps along y read, then the sums
//! of every channel.

use super::super::epilogue::Epilogue;
use super::super::kernel::{self, Walk, neighbour, readers};
use super::super::shape::ConvShape;
use super::requantize::Requantize;
use super::rows::{Ring, Source};
use super::{LANES, Point, points_len};
use crate::checked::{self, OrBug, Place, bug, product};

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
        let ny = shape.grid().ny();
        // Two copies of each row; a point takes the room of two values.
        let row_len = points_len(from, shape.int16_pitch(self.adjoint));
        let ring_len = product(&[2, row_len, shape.taps_y(), 2]);
        let (ring, rest) = scratch.split_at_mut_checked(ring_len).or_bug();
        let width = shape.int16_width(self.adjoint);
        let sums = rest.get_mut(..to.times(width)).or_bug();
        let sums: &mut [i32] = bytemuck::must_cast_slice_mut(sums);
        let (ring, _) = bytemuck::must_cast_slice_mut::<f32, u32>(ring).as_chunks_mut::<2>();
        let mut ring = Ring::new(shape, self.adjoint, from, ring);
        let walk = Walk {
            groups: shape.taps_y().times(from.div_ceil(LANES)),
            taps: shape.taps(),
            dilation: shape.dilation(),
            pitch: shape.int16_pitch(self.adjoint),
        };

        // Rows a dilation apart, one after the other, share all but one of the rows that they read.
        for first in 0..shape.dilation().min(ny) {
            for y in (first..ny).step_by(shape.dilation().max(1)) {
                for tap in 0..shape.taps_y() {
                    ring.fill(tap, &self.source, self.row_sources(y, tap));
                }
                kernel::row(ring.window(), self.weights, &walk, width, sums);
                self.fold(width, sums);
                self.sink.put(shape, y, width, sums);
                ring.advance();
            }
        }
    }

    /// The rows that tap `tap` along y reads for row `y`.
    fn row_sources(&self, y: usize, tap: usize) -> [Option<usize>; 2] {
        let Some(axis) = self.shape.grid().y() else { return [Some(0), None] };
        let offset = self.shape.offset(tap);
        if self.adjoint {
            // Taps from last to first, as along x.
            readers(&axis, y, offset.wrapping_neg())
        } else {
            [Some(neighbour(&axis, y, offset)), None]
        }
    }

    /// Adds sums beyond the ends of a row to those of the points that they mirror, and puts these
    /// first.
    fn fold(&self, width: usize, sums: &mut [i32]) {
        let (nx, reach) = (self.shape.grid().nx(), self.shape.reach());
        if !self.shape.folds(self.adjoint) {
            return;
        }
        for sums in sums.chunks_exact_mut(width.max(1)) {
            let (left, rest) = sums.split_at_mut_checked(reach).or_bug();
            let (row, right) = rest.split_at_mut_checked(nx).or_bug();
            // A row is at least as long as what lies beyond its ends.
            let add = |(to, from): (&mut i32, &i32)| *to = to.wrapping_add(*from);
            row.iter_mut().zip(left.iter().rev()).for_each(add);
            row.iter_mut().rev().zip(right.iter().take(reach)).for_each(add);
            // `reach` places to the left.
            for at in 0..nx {
                let sum = sums.get(at.plus(reach)).copied().or_bug();
                match sums.get_mut(at) {
                    Some(to) => *to = sum,
                    None => bug(),
                }
            }
        }
    }
}

impl Sink<'_> {
    /// Takes row `y`: of every channel `width` sums, the row's points first.
    fn put(&mut self, shape: &ConvShape, y: usize, width: usize, sums: &[i32]) {
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        match self {
            Self::Fields { values, unit, epilogue } => {
                for (channel, sums) in checked::numbered(sums.chunks_exact(width.max(1))) {
                    let at = channel.times(points).plus(y.times(nx));
                    let (scale, shift) = epilogue.map_or((1.0, 0.0), |epilogue| {
                        let at = |values: &[f32]| values.get(channel).copied().or_bug();
                        (at(epilogue.scale), at(epilogue.shift))
                    });
                    let row = values.get_mut(at..at.plus(nx)).or_bug();
                    // Behind the row's points lie the sums that fill up fours.
                    for (to, sum) in row.iter_mut().zip(sums) {
                        *to = scale * (*unit * *sum as f32) + shift;
                    }
                }
            }
            Self::Points(requantize) => requantize.row(nx, points, y, width, sums),
        }
    }
}

/// Lane `lane` of a point, counted from the first again behind the last.
#[inline(always)]
pub(super) fn lane(point: &mut Point, lane: usize) -> &mut i16 {
    &mut bytemuck::must_cast_mut::<Point, [i16; LANES]>(point)[lane % LANES]
}
