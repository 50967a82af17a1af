//! How the taps of a tile read a row, and the spans that this takes.
//!
//! A tile computes some neighbouring points of a row. Its taps along x read a span of the input:
//!
//! ```text
//!   TAPS = 3, DILATION = 1, POINTS = 4        a span is SPAN = POINTS + (TAPS − 1) · DILATION values
//!
//!   values   0 1 2 3 4 5
//!   tap 0    ■ ■ ■ ■                          tap t of point p is value t · DILATION + p
//!   tap 1      ■ ■ ■ ■
//!   tap 2        ■ ■ ■ ■
//! ```
//!
//! Taps that stand apart have a copy of the points each: DILATION = POINTS.

use super::super::weight::Weight;
use super::sink::PassSink;
use super::slot::{Columns, PassSource};
use super::tile::Operands;
use crate::layer::ConvShape;

/// Tiles of POINTS points whose TAPS taps lie DILATION values apart in SPAN values.
pub(super) struct Span<
    const POINTS: usize,
    const TAPS: usize,
    const DILATION: usize,
    const SPAN: usize,
>;

/// A [`Span`] by what can be done with it, so that functions need one name for its four numbers.
pub(super) trait Reads {
    /// Taps along x.
    #[cfg(vfp)]
    const TAPS: usize;
    /// Values that a tile reads of a channel.
    #[cfg(vfp)]
    const SPAN: usize;

    /// Sums of row `y` of the four channels of group `group`, CHANNELS of them at a time: see
    /// [`super::tile`].
    fn sums<W: Weight, const CHANNELS: usize, const ADJOINT: bool>(
        operands: &Operands<'_, W>,
        group: usize,
        sink: &mut PassSink<'_>,
        y: usize,
    );

    /// Writes the spans of row `y` of every channel, and what the boundary puts beyond its ends:
    /// see [`super::slot`].
    fn direct(values: &mut [f32], source: &PassSource<'_>, shape: &ConvShape, y: usize);

    /// Writes a channel's spans from a padded row of `nx` points: see [`super::slot`].
    fn overlapping(columns: Columns<'_>, padded: &[f32], nx: usize);
}

/// Tiles of as many points, with a [`Span`] for every shape of taps.
pub(super) struct Points<const POINTS: usize>;

/// [`Points`] by the spans that there are for it.
pub(super) trait Width {
    /// Points of a tile.
    const POINTS: usize;
    type One: Reads;
    type Three: Reads;
    type ThreeBy2: Reads;
    type ThreeBy4: Reads;
    type ThreeApart: Reads;
    type Five: Reads;
    type FiveBy2: Reads;
    type FiveBy4: Reads;
    type FiveApart: Reads;
    type Seven: Reads;
    type SevenApart: Reads;

    /// Writes a channel's spans where every tap has a copy of the points: see [`super::slot`].
    fn apart(columns: Columns<'_>, padded: &[f32], nx: usize, dilation: usize);

    /// Adds to a channel's spans what is read through mirrors: see [`super::slot`].
    fn fold_back(columns: Columns<'_>, padded: &[f32], shape: &ConvShape);
}

macro_rules! widths {
    ($($points:literal),+) => {$(
        impl Width for Points<$points> {
            const POINTS: usize = $points;
            type One = Span<$points, 1, 1, $points>;
            type Three = Span<$points, 3, 1, { $points + 2 }>;
            type ThreeBy2 = Span<$points, 3, 2, { $points + 4 }>;
            type ThreeBy4 = Span<$points, 3, 4, { $points + 8 }>;
            type ThreeApart = Span<$points, 3, $points, { 3 * $points }>;
            type Five = Span<$points, 5, 1, { $points + 4 }>;
            type FiveBy2 = Span<$points, 5, 2, { $points + 8 }>;
            type FiveBy4 = Span<$points, 5, 4, { $points + 16 }>;
            type FiveApart = Span<$points, 5, $points, { 5 * $points }>;
            type Seven = Span<$points, 7, 1, { $points + 6 }>;
            type SevenApart = Span<$points, 7, $points, { 7 * $points }>;

            #[inline(always)]
            fn apart(columns: Columns<'_>, padded: &[f32], nx: usize, dilation: usize) {
                columns.apart::<$points>(padded, nx, dilation);
            }

            #[inline(always)]
            fn fold_back(columns: Columns<'_>, padded: &[f32], shape: &ConvShape) {
                columns.fold_back::<$points>(padded, shape);
            }
        }
    )+};
}

// Wider ones than boards have registers for are those of AVX2 and AVX-512.
widths!(4, 8, 16, 32);

impl<const POINTS: usize, const TAPS: usize, const DILATION: usize, const SPAN: usize> Reads
    for Span<POINTS, TAPS, DILATION, SPAN>
{
    #[cfg(vfp)]
    const TAPS: usize = TAPS;
    #[cfg(vfp)]
    const SPAN: usize = SPAN;

    #[inline(always)]
    fn sums<W: Weight, const CHANNELS: usize, const ADJOINT: bool>(
        operands: &Operands<'_, W>,
        group: usize,
        sink: &mut PassSink<'_>,
        y: usize,
    ) {
        Self::row::<W, CHANNELS, ADJOINT>(operands, group, sink, y);
    }

    #[inline(always)]
    fn direct(values: &mut [f32], source: &PassSource<'_>, shape: &ConvShape, y: usize) {
        super::slot::direct::<POINTS, SPAN>(values, source, shape, y);
    }

    #[inline(always)]
    fn overlapping(columns: Columns<'_>, padded: &[f32], nx: usize) {
        columns.overlapping::<POINTS, SPAN>(padded, nx);
    }
}
