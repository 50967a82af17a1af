//! Rows of the input as a tile reads them: shifted, folded at the ends, one copy for each tap.

use super::super::epilogue::Epilogue;
use super::super::shape::ConvShape;
use super::boundary::Sources;
use crate::Boundary;

/// What a pass convolves: an input, or a cotangent and the epilogue to take it back through.
#[derive(Clone, Copy)]
pub(in super::super) struct Source<'a> {
    pub(in super::super) values: &'a [f32],
    pub(in super::super) epilogue: Option<&'a Epilogue<'a>>,
    pub(in super::super) signs: Option<&'a [u8]>,
}

impl Source<'_> {
    /// Writes the sum of a channel's rows `y`.
    #[inline(always)]
    fn load(&self, shape: &ConvShape, channel: usize, y: Sources, row: &mut [f32]) {
        let nx = shape.grid().nx();
        let mut empty = true;
        for y in y.into_iter().flatten() {
            let at = channel * shape.grid().points() + y * nx;
            let values = self.values.get(at..at + nx).unwrap_or_default();
            let signs = self.signs.and_then(|signs| signs.get(at / 8..)).unwrap_or_default();
            match (self.epilogue, empty) {
                (None, _) => {
                    for (to, from) in row.iter_mut().zip(values) {
                        *to = *from;
                    }
                }
                (Some(e), true) => e.channel(channel).pull_back(values, signs, row),
                (Some(e), false) => e.channel(channel).add_pulled_back(values, signs, row),
            }
            empty = false;
        }
        if empty {
            row.fill(0.0);
        }
    }
}

/// One row of all channels, `[tile][channel][SPAN]`.
pub(super) struct Slot<'a> {
    /// The rows whose sum it holds.
    pub(super) rows: Option<Sources>,
    pub(super) values: &'a mut [f32],
}

impl Slot<'_> {
    /// Fills the slot from `source`; `padded` has [`ConvShape::padded_row_len`] values.
    #[inline(always)]
    pub(super) fn fill<const P: usize, const D: usize, const SPAN: usize, const ADJOINT: bool>(
        &mut self,
        shape: &ConvShape,
        source: &Source<'_>,
        rows: Sources,
        padded: &mut [f32],
    ) {
        if self.rows == Some(rows) {
            return;
        }
        self.rows = Some(rows);
        let channels = if ADJOINT { shape.outputs() } else { shape.inputs() };
        let fold_back = ADJOINT && shape.grid().x().boundary() == Boundary::Reflecting;
        let (nx, reach, dilation) = (shape.grid().nx(), shape.reach(), shape.dilation());
        for channel in 0..channels {
            let Some((left, rest)) = padded.split_at_mut_checked(reach) else { return };
            let Some((middle, right)) = rest.split_at_mut_checked(nx) else { return };
            source.load(shape, channel, rows, middle);
            if fold_back {
                left.fill(0.0);
                right.fill(0.0);
            } else {
                extend(shape.grid().x().boundary(), left, middle, right);
            }
            let tiles = self.values.chunks_exact_mut(channels * SPAN);
            for (tile, x) in tiles.zip((0..nx).step_by(P)) {
                let spans = tile.as_chunks_mut::<SPAN>().0;
                let Some(span) = spans.get_mut(channel) else { return };
                if D == 1 {
                    copy(span, padded.get(x..));
                    continue;
                }
                for (tap, span) in span.as_chunks_mut::<P>().0.iter_mut().enumerate() {
                    copy(span, padded.get(x + tap * dilation..));
                    if fold_back {
                        let middle = padded.get(reach..reach + nx).unwrap_or_default();
                        add_mirrored(span, x, middle, tap * dilation, reach);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn copy<const N: usize>(to: &mut [f32; N], from: Option<&[f32]>) {
    if let Some(from) = from.and_then(|from| from.first_chunk()) {
        *to = *from;
    }
}

/// Fills what lies beyond both ends of a row.
#[inline(always)]
fn extend(boundary: Boundary, left: &mut [f32], row: &[f32], right: &mut [f32]) {
    match boundary {
        Boundary::Periodic => {
            left.iter_mut().rev().zip(row.iter().rev()).for_each(|(to, from)| *to = *from);
            right.iter_mut().zip(row).for_each(|(to, from)| *to = *from);
        }
        Boundary::Reflecting => {
            left.iter_mut().rev().zip(row).for_each(|(to, from)| *to = *from);
            right.iter_mut().zip(row.iter().rev()).for_each(|(to, from)| *to = *from);
        }
    }
}

/// Adds to points x … of a row shifted by `shift` − `reach` what reads them through the mirrors at the ends.
#[inline(always)]
fn add_mirrored(points: &mut [f32], x: usize, row: &[f32], shift: usize, reach: usize) {
    if shift > reach {
        // The first points are also read from as far beyond the first point.
        let image = row.get(..shift - reach).unwrap_or_default().iter().rev();
        points.iter_mut().zip(image.skip(x)).for_each(|(to, from)| *to += from);
    } else {
        let first = row.len() - (reach - shift);
        let image = row.get(first..).unwrap_or_default().iter().rev();
        let points = points.iter_mut().skip(first.saturating_sub(x));
        points.zip(image.skip(x.saturating_sub(first))).for_each(|(to, from)| *to += from);
    }
}
