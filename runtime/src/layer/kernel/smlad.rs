//! The tile for processors that add two products at once: Cortex-M4 and M7.
//!
//! ```text
//!                       four points, each of four input channels 0 2 1 3 in two words x, y
//!                              p0        p1        p2        p3
//!   one output channel         a         b         c         e        sums, i32
//!
//!   v = (weight 0, weight 1)   += v · x, then += w · y, by SMLAD: two products each
//!   w = (weight 2, weight 3)
//! ```
//!
//! A word of weights is four channels of a tap; two instructions spread it to two pairs of int16,
//! eight add the products of four points.

use core::arch::asm;
use core::mem::offset_of;

use super::super::int16::Point;
use super::dot::{POINTS, Walk};
use crate::checked::{self, Place, bug, sum};

/// What computes the sums of a row: see [`super::row`].
type Row = fn(&[Point], &[u32], &Walk, usize, &mut [i32]);

/// The kernel for this many taps so far apart, if there is one.
pub(super) fn row(walk: &Walk) -> Option<Row> {
    Some(match (walk.taps, walk.dilation) {
        (1, _) => one::<1>,
        (3, 1) => three::<1>,
        (3, 2) => three::<2>,
        (3, 4) => three::<4>,
        (5, 1) => five::<1>,
        (5, 2) => five::<2>,
        (5, 4) => five::<4>,
        _ => return None,
    })
}

/// What a tile begins with, which waits on the stack: pairs that one instruction loads.
#[repr(C, align(8))]
struct Saved {
    /// Where the next tile's sums go, and how many tiles are left.
    sums: [u32; 2],
    /// Where the weights begin, and their groups.
    weights: [u32; 2],
    /// What the tile's first point's first tap reads.
    points: u32,
}

/// The products of one tap.
macro_rules! tap {
    ($tap:literal) => {
        concat!(
            "ldr {w}, [{weights}], #4\n",
            "ldrd {x}, {y}, [{points}, #({point}*({d}*",
            $tap,
            "))]\n",
            "sxtb16 {v}, {w}\n",
            "sxtb16 {w}, {w}, ror #8\n",
            "smlad {a}, {x}, {v}, {a}\n",
            "smlad {a}, {y}, {w}, {a}\n",
            "ldrd {x}, {y}, [{points}, #({point}*({d}*",
            $tap,
            "+1))]\n",
            "smlad {b}, {x}, {v}, {b}\n",
            "smlad {b}, {y}, {w}, {b}\n",
            "ldrd {x}, {y}, [{points}, #({point}*({d}*",
            $tap,
            "+2))]\n",
            "smlad {c}, {x}, {v}, {c}\n",
            "smlad {c}, {y}, {w}, {c}\n",
            "ldrd {x}, {y}, [{points}, #({point}*({d}*",
            $tap,
            "+3))]\n",
            "smlad {e}, {x}, {v}, {e}\n",
            "smlad {e}, {y}, {w}, {e}\n",
        )
    };
}

/// A function that runs the given taps for every group, for every four points of a row, for every
/// channel.
macro_rules! row {
    ($name:ident, $($tap:literal),+) => {
        #[allow(unsafe_code)]
        fn $name<const DILATION: usize>(
            points: &[Point],
            weights: &[u32],
            walk: &Walk,
            width: usize,
            sums: &mut [i32],
        ) {
            let &Walk { groups, pitch, .. } = walk;
            let last = width.saturating_sub(POINTS);
            if groups == 0 || points.len() < sum(&[last, walk.span()]) {
                return bug();
            }
            let weights = weights.chunks_exact(walk.words().max(1));
            for (weights, sums) in checked::zip(weights, sums.chunks_exact_mut(width.max(1))) {
                let tiles = sums.as_chunks_mut::<POINTS>().0;
                if tiles.is_empty() {
                    return bug();
                }
                // SAFETY: of each tile it reads the `walk.words()` words of the chunk and, of each
                // group, POINTS points from each tap on: of the row's last tile the last ones end
                // at `last + walk.span()`, which was looked at above. A `Point` lies at a multiple
                // of four bytes, as LDRD needs. It writes `tiles`, of which there is one at least,
                // and the stack, which it gives back.
                unsafe {
                    asm!(
                        // All registers are taken: see [`Saved`].
                        "sub sp, sp, #{saved}",
                        "strd {v}, {w}, [sp, #{saved_sums}]",
                        "strd {weights}, {groups}, [sp, #{saved_weights}]",
                        "str {points}, [sp, #{saved_points}]",
                        "2:",
                        "mov {a}, #0",
                        "mov {b}, #0",
                        "mov {c}, #0",
                        "mov {e}, #0",
                        "3:",
                        concat!($(tap!($tap)),+),
                        "add {points}, {points}, {pitch}",
                        "subs {groups}, {groups}, #1",
                        "bne 3b",
                        "ldrd {v}, {w}, [sp, #{saved_sums}]",
                        "ldr {points}, [sp, #{saved_points}]",
                        "ldrd {weights}, {groups}, [sp, #{saved_weights}]",
                        "strd {a}, {b}, [{v}], #8",
                        "strd {c}, {e}, [{v}], #8",
                        "add {points}, {points}, #({point}*{tile})",
                        "str {points}, [sp, #{saved_points}]",
                        "subs {w}, {w}, #1",
                        "strd {v}, {w}, [sp, #{saved_sums}]",
                        "bne 2b",
                        "add sp, sp, #{saved}",
                        saved = const size_of::<Saved>(),
                        saved_sums = const offset_of!(Saved, sums),
                        saved_weights = const offset_of!(Saved, weights),
                        saved_points = const offset_of!(Saved, points),
                        point = const size_of::<Point>(),
                        tile = const POINTS,
                        a = out(reg) _,
                        b = out(reg) _,
                        c = out(reg) _,
                        e = out(reg) _,
                        points = inout(reg) points.as_ptr() => _,
                        weights = inout(reg) weights.as_ptr() => _,
                        groups = inout(reg) groups => _,
                        pitch = in(reg) pitch.times(size_of::<Point>()),
                        v = inout(reg) tiles.as_mut_ptr() => _,
                        w = inout(reg) tiles.len() => _,
                        x = out(reg) _,
                        y = out(reg) _,
                        d = const DILATION,
                    );
                }
            }
        }
    };
}

row!(one, 0);
row!(three, 0, 1, 2);
row!(five, 0, 1, 2, 3, 4);
