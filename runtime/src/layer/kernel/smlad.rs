//! The tile for processors that add two products at once: Cortex-M4 and M7.
//!
//! A word of weights is four channels of a tap; two instructions spread it to two pairs of int16, eight add the products
//! of four points.

use core::arch::asm;

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

/// The products of one tap.
macro_rules! tap {
    ($tap:literal) => {
        concat!(
            "ldr {w}, [{weights}], #4\n",
            "ldrd {x}, {y}, [{points}, #(8*{d}*",
            $tap,
            ")]\n",
            "sxtb16 {v}, {w}\n",
            "sxtb16 {w}, {w}, ror #8\n",
            "smlad {a}, {x}, {v}, {a}\n",
            "smlad {a}, {y}, {w}, {a}\n",
            "ldrd {x}, {y}, [{points}, #(8*{d}*",
            $tap,
            "+8)]\n",
            "smlad {b}, {x}, {v}, {b}\n",
            "smlad {b}, {y}, {w}, {b}\n",
            "ldrd {x}, {y}, [{points}, #(8*{d}*",
            $tap,
            "+16)]\n",
            "smlad {c}, {x}, {v}, {c}\n",
            "smlad {c}, {y}, {w}, {c}\n",
            "ldrd {x}, {y}, [{points}, #(8*{d}*",
            $tap,
            "+24)]\n",
            "smlad {e}, {x}, {v}, {e}\n",
            "smlad {e}, {y}, {w}, {e}\n",
        )
    };
}

/// A function that runs the given taps for every group, for every four points of a row, for every channel.
macro_rules! row {
    ($name:ident, $($tap:literal),+) => {
        #[allow(unsafe_code)]
        fn $name<const D: usize>(
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
                // SAFETY: of each tile it reads the `walk.words()` words of the chunk and, of each group, POINTS points from
                // each tap on: of the row's last tile the last ones end at `last + walk.span()`, which was looked at above.
                // A `Point` lies at a multiple of four bytes, as LDRD needs. It writes `tiles`, of which there is one at
                // least, and the stack, which it gives back.
                unsafe {
                    asm!(
                        // All registers are taken: what a tile begins with waits on the stack.
                        "sub sp, sp, #24",
                        "strd {v}, {w}, [sp]",
                        "strd {weights}, {groups}, [sp, #8]",
                        "str {points}, [sp, #16]",
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
                        "ldrd {v}, {w}, [sp]",
                        "ldr {points}, [sp, #16]",
                        "ldrd {weights}, {groups}, [sp, #8]",
                        "strd {a}, {b}, [{v}], #8",
                        "strd {c}, {e}, [{v}], #8",
                        "add {points}, {points}, #32",
                        "str {points}, [sp, #16]",
                        "subs {w}, {w}, #1",
                        "strd {v}, {w}, [sp]",
                        "bne 2b",
                        "add sp, sp, #24",
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
                        d = const D,
                    );
                }
            }
        }
    };
}

row!(one, 0);
row!(three, 0, 1, 2);
row!(five, 0, 1, 2, 3, 4);
