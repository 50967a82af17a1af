//! Rows of the input as tiles read them: shifted, and folded at the ends of the grid.

use super::super::epilogue::Epilogue;
use super::super::shape::ConvShape;
use super::boundary::Sources;
use super::span::{Reads, Width};
use crate::Boundary;
use crate::checked::{self, OrBug, Place, bug, product, sum};

/// What a pass convolves: an input, or a cotangent and the epilogue to take it back through.
#[derive(Clone, Copy)]
pub(in super::super) struct PassSource<'a> {
    pub(in super::super) values: &'a [f32],
    pub(in super::super) epilogue: Option<&'a Epilogue<'a>>,
    pub(in super::super) signs: Option<&'a [u8]>,
}

impl PassSource<'_> {
    /// Writes the sum of a channel's rows `y`.
    #[inline(always)]
    fn load(&self, shape: &ConvShape, channel: usize, y: Sources, row: &mut [f32]) {
        let nx = shape.grid().nx();
        let mut empty = true;
        for y in y.into_iter().flatten() {
            let at = channel.times(shape.grid().points()).plus(y.times(nx));
            let values = self.values.get(at..at.plus(nx)).or_bug();
            // Where the slope is 1 there are no signs.
            let signs = self.signs.map_or(&[][..], |signs| signs.get(at / 8..).or_bug());
            match (self.epilogue, empty) {
                (None, _) => copy_row(row, values),
                (Some(epilogue), true) => {
                    let epilogue = epilogue.channel(channel);
                    epilogue.pull_back(values, signs, row, |row, values| *row = values);
                }
                (Some(epilogue), false) => {
                    let epilogue = epilogue.channel(channel);
                    epilogue.pull_back(values, signs, row, |row, values| {
                        row.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                    });
                }
            }
            empty = false;
        }
        if empty {
            row.fill(0.0);
        }
    }
}

/// Whether the widest taps, five of them four points apart, overlap as well; one more kind of tile,
/// which boards have no flash for.
pub(super) const FAR: bool = cfg!(target_pointer_width = "64");

/// How the taps of a tile lie in memory.
#[derive(Clone, Copy)]
pub(super) enum Taps {
    /// points + (taps − 1) · dilation values of a row: tap t of point p is value t · dilation + p.
    Overlap,
    /// taps · points values: tap t of point p is value t · points + p. For taps that lie far from
    /// each other, and for a cotangent whose values beyond the ends are folded back, which differs
    /// from tap to tap.
    Apart,
}

impl Taps {
    pub(super) fn of<const ADJOINT: bool>(shape: &ConvShape) -> Self {
        let near = matches!((shape.taps(), shape.dilation()), (_, 1) | (3 | 5, 2) | (3, 4));
        let far = FAR && matches!((shape.taps(), shape.dilation()), (5, 4));
        if (near || far) && !folds::<ADJOINT>(shape) { Self::Overlap } else { Self::Apart }
    }

    /// Values that a tile of `points` points reads of a channel.
    #[inline(always)]
    pub(super) const fn span(self, points: usize, shape: &ConvShape) -> usize {
        match self {
            Self::Overlap => sum(&[points, shape.reach(), shape.reach()]),
            Self::Apart => product(&[points, shape.taps()]),
        }
    }
}

/// Whether values beyond the ends of a row are folded back instead of filled in.
fn folds<const ADJOINT: bool>(shape: &ConvShape) -> bool {
    ADJOINT && shape.grid().x().boundary() == Boundary::Reflecting
}

/// One row of all channels: `[tile][channel][span]`.
#[derive(Default)]
pub(super) struct Slot<'a> {
    /// The rows whose sum it holds.
    rows: Option<Sources>,
    pub(super) values: &'a mut [f32],
}

impl<'a> Slot<'a> {
    pub(super) fn new(values: &'a mut [f32]) -> Self {
        Self { rows: None, values }
    }

    /// Fills the slot from `source`, unless it holds these rows already; `padded` has
    /// [`ConvShape::padded_row_len`] values.
    #[inline(always)]
    pub(super) fn fill<Tile: Width, const ADJOINT: bool>(
        &mut self,
        shape: &ConvShape,
        source: &PassSource<'_>,
        rows: Sources,
        padded: &mut [f32],
    ) {
        if self.rows == Some(rows) {
            return;
        }
        self.rows = Some(rows);
        let channels = if ADJOINT { shape.outputs() } else { shape.inputs() };
        let (nx, reach) = (shape.grid().nx(), shape.reach());
        let taps = Taps::of::<ADJOINT>(shape);
        let span = taps.span(Tile::POINTS, shape).max(1);
        let near = reach <= HALO;
        if let (false, Taps::Overlap, true, [Some(y), None]) = (ADJOINT, taps, near, rows) {
            // Forward, a row is what the taps read; spans of much more than a tile are copied
            // faster from one that is padded.
            return match reach {
                0 => Tile::One::direct(self.values, source, shape, y),
                1 => Tile::Three::direct(self.values, source, shape, y),
                2 => Tile::Five::direct(self.values, source, shape, y),
                3 => Tile::Seven::direct(self.values, source, shape, y),
                _ => Tile::ThreeBy4::direct(self.values, source, shape, y),
            };
        }
        for channel in 0..channels {
            let (left, rest) = padded.split_at_mut_checked(reach).or_bug();
            let (row, right) = rest.split_at_mut_checked(nx).or_bug();
            source.load(shape, channel, rows, row);
            if folds::<ADJOINT>(shape) {
                left.fill(0.0);
                right.fill(0.0);
            } else {
                extend(shape.grid().x().boundary(), left, row, right);
            }
            let columns = Columns { values: self.values, span, channel, channels };
            match (taps, reach) {
                (Taps::Overlap, 0) => Tile::One::overlapping(columns, padded, nx),
                (Taps::Overlap, 1) => Tile::Three::overlapping(columns, padded, nx),
                (Taps::Overlap, 2) => Tile::Five::overlapping(columns, padded, nx),
                (Taps::Overlap, 3) => Tile::Seven::overlapping(columns, padded, nx),
                (Taps::Overlap, 8) if FAR => Tile::FiveBy4::overlapping(columns, padded, nx),
                (Taps::Overlap, _) => Tile::ThreeBy4::overlapping(columns, padded, nx),
                (Taps::Apart, _) => Tile::apart(columns, padded, nx, shape.dilation()),
            }
            if folds::<ADJOINT>(shape) {
                let columns = Columns { values: self.values, span, channel, channels };
                Tile::fold_back(columns, padded, shape);
            }
        }
    }
}

/// A channel's spans of a slot: one for each tile, those of the other channels between them.
pub(super) struct Columns<'s> {
    values: &'s mut [f32],
    span: usize,
    channel: usize,
    channels: usize,
}

impl Columns<'_> {
    /// SPAN neighbours each.
    #[inline(always)]
    pub(super) fn overlapping<const POINTS: usize, const SPAN: usize>(
        self,
        padded: &[f32],
        nx: usize,
    ) {
        let values = self.values.get_mut(self.channel.times(SPAN)..).or_bug();
        let mut rest = padded.get(..nx.plus(SPAN - POINTS)).or_bug();
        for values in values.chunks_mut(self.channels.times(SPAN).max(1)) {
            let (Some(to), Some(from)) = (values.first_chunk_mut(), rest.first_chunk()) else {
                return bug();
            };
            copy::<SPAN>(to, from);
            rest = rest.get(POINTS..).or_bug();
        }
    }

    /// POINTS neighbours for each tap.
    #[inline(always)]
    pub(super) fn apart<const POINTS: usize>(self, padded: &[f32], nx: usize, dilation: usize) {
        let mut at = self.channel.times(self.span);
        for x in (0..nx).step_by(POINTS) {
            let span = self.values.get_mut(at..at.plus(self.span)).or_bug();
            let mut first = x;
            for to in span.as_chunks_mut::<POINTS>().0 {
                let from = padded.get(first..).or_bug();
                let Some(from) = from.first_chunk() else { return bug() };
                copy(to, from);
                first = first.plus(dilation);
            }
            at = at.plus(self.channels.times(self.span));
        }
    }

    /// Adds to the points near the ends what reads them through the mirrors there.
    #[inline(always)]
    pub(super) fn fold_back<const POINTS: usize>(self, padded: &[f32], shape: &ConvShape) {
        let Self { values, span, channel, channels } = self;
        let spans = values.chunks_exact_mut(span.max(1)).skip(channel).step_by(channels.max(1));
        let (nx, reach) = (shape.grid().nx(), shape.reach());
        let row = padded.get(reach..reach.plus(nx)).or_bug();
        for (span, x) in spans.zip((0..nx).step_by(POINTS)) {
            for (tap, points) in checked::numbered(span.as_chunks_mut::<POINTS>().0.iter_mut()) {
                // What is read through a mirror ends somewhere: points and image are cut off there.
                let shift = tap.times(shape.dilation());
                if shift > reach {
                    // The first points are also read from as far beyond the first point.
                    let image = row.get(..shift.minus(reach)).or_bug().iter().rev();
                    points.iter_mut().zip(image.skip(x)).for_each(|(to, from)| *to += from);
                } else {
                    let first = nx.minus(reach.minus(shift));
                    let image = row.get(first..).or_bug().iter().rev();
                    let image = image.skip(x.saturating_sub(first));
                    let points = points.iter_mut().skip(first.saturating_sub(x));
                    points.zip(image).for_each(|(to, from)| *to += from);
                }
            }
        }
    }
}

/// Writes spans of SPAN neighbours of row `y` of every channel, and what the boundary puts beyond
/// its ends.
#[inline(always)]
pub(super) fn direct<const POINTS: usize, const SPAN: usize>(
    values: &mut [f32],
    source: &PassSource<'_>,
    shape: &ConvShape,
    y: usize,
) {
    let reach = (SPAN - POINTS) / 2;
    let (nx, channels) = (shape.grid().nx(), shape.inputs());
    let periodic = shape.grid().x().boundary() == Boundary::Periodic;
    let spans = values.as_chunks_mut::<SPAN>().0;
    let planes = source.values.as_chunks::<POINTS>().0;
    let planes = planes.chunks_exact((shape.grid().points() / POINTS).max(1));
    let row = y.times(nx / POINTS)..y.plus(1).times(nx / POINTS);
    for (channel, plane) in checked::numbered(planes) {
        let Some([first, rest @ ..]) = plane.get(row.clone()) else { return bug() };
        let last = rest.last().unwrap_or(first);
        let (mut before, beyond) = if periodic {
            (tail(last), head(first))
        } else {
            (reversed(head(first)), reversed(tail(last)))
        };
        let mut tile = first;
        let mut at = channel;
        for next in rest.iter().map(Some).chain([None]) {
            let after = next.map_or(beyond, head);
            let Some(to) = spans.get_mut(at) else { return bug() };
            for (i, to) in to.iter_mut().enumerate() {
                *to = if i < reach {
                    before[HALO - reach + i]
                } else if i < reach + POINTS {
                    tile[i - reach]
                } else {
                    after[i - reach - POINTS]
                };
            }
            before = tail(tile);
            tile = next.unwrap_or(tile);
            at = at.plus(channels);
        }
    }
}

/// Most points that a tap may read beyond a tile for [`direct`].
const HALO: usize = 4;

/// The first points of a tile.
#[inline(always)]
fn head<const POINTS: usize>(tile: &[f32; POINTS]) -> [f32; HALO] {
    core::array::from_fn(|i| tile[i])
}

/// The last points of a tile.
#[inline(always)]
fn tail<const POINTS: usize>(tile: &[f32; POINTS]) -> [f32; HALO] {
    core::array::from_fn(|i| tile[POINTS - HALO + i])
}

#[inline(always)]
fn reversed([a, b, c, d]: [f32; HALO]) -> [f32; HALO] {
    [d, c, b, a]
}

/// Fills what lies beyond both ends of a row, which is no longer than the row.
#[inline(always)]
pub(in super::super) fn extend<T: Copy>(
    boundary: Boundary,
    left: &mut [T],
    row: &[T],
    right: &mut [T],
) {
    let (first, last) = (row.iter(), row.iter().rev());
    let outwards = left.iter_mut().rev();
    match boundary {
        Boundary::Periodic => {
            outwards.zip(last).for_each(|(to, from)| *to = *from);
            right.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
        }
        Boundary::Reflecting => {
            outwards.zip(first).for_each(|(to, from)| *to = *from);
            right.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
        }
    }
}

/// A row is a multiple of eight points, which are short enough for no call of `memmove`.
#[inline(always)]
fn copy_row(to: &mut [f32], from: &[f32]) {
    for (to, from) in checked::zip(to.as_chunks_mut::<8>().0, from.as_chunks().0) {
        *to = *from;
    }
}

/// Value by value: whole arrays become calls of `memmove`, which take longer than the values.
#[inline(always)]
fn copy<const N: usize>(to: &mut [f32; N], from: &[f32; N]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}
