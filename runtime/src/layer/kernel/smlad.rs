//! The tile for processors that add two products at once: Cortex-M4 and M7.
//!
//! A word of weights is four channels of a tap; two instructions spread it to two pairs of int16, eight add the products
//! of four points.

use core::arch::asm;

use super::super::int16::Point;
use super::dot::{POINTS, Walk};

/// What adds the products of one row to four sums.
pub(super) type Dot = fn(&mut [i32; POINTS], &[Point], &[u32], &Walk);

/// The tile for this many taps so far apart, if there is one.
pub(super) fn kernel(walk: &Walk) -> Option<Dot> {
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

/// A function that runs the given taps for every group of channels.
macro_rules! tile {
    ($name:ident, $($tap:literal),+) => {
        #[allow(unsafe_code)]
        fn $name<const D: usize>(
            sums: &mut [i32; POINTS],
            points: &[Point],
            weights: &[u32],
            walk: &Walk,
        ) {
            if points.len() < walk.span() || weights.len() < walk.words() || walk.groups == 0 {
                return;
            }
            let [mut a, mut b, mut c, mut e] = *sums;
            // SAFETY: it reads `walk.words()` words and, of each group, POINTS points from each tap on: the last ones end
            // at `walk.span()`. Both were looked at above; a `Point` lies at a multiple of four bytes, as LDRD needs.
            unsafe {
                asm!(
                    "2:",
                    concat!($(tap!($tap)),+),
                    "add {points}, {points}, {pitch}",
                    "subs {groups}, {groups}, #1",
                    "bne 2b",
                    a = inout(reg) a,
                    b = inout(reg) b,
                    c = inout(reg) c,
                    e = inout(reg) e,
                    points = inout(reg) points.as_ptr() => _,
                    weights = inout(reg) weights.as_ptr() => _,
                    groups = inout(reg) walk.groups => _,
                    pitch = in(reg) 8 * walk.pitch,
                    v = out(reg) _,
                    w = out(reg) _,
                    x = out(reg) _,
                    y = out(reg) _,
                    d = const D,
                    options(pure, readonly, nostack),
                );
            }
            *sums = [a, b, c, e];
        }
    };
}

tile!(one, 0);
tile!(three, 0, 1, 2);
tile!(five, 0, 1, 2, 3, 4);
