//! The register tile for Cortex-M4F and M7: four channels × four points in the float registers,
//! their operands loaded several at once, which no safe code is compiled to.
//!
//! ```text
//!                            points of a row
//!                 weights    s20  s21  s22  s23  s24 … s27    span of the input; tap t of DILATION d
//!                                                             reads from s20 + t d on
//!   channel 0      s16       s0   s1   s2   s3
//!   channel 1      s17       s4   s5   s6   s7        += weight × value, by VMLA,
//!   channel 2      s18       s8   s9   s10  s11          or by VMUL into s28 … s31 and VADD
//!   channel 3      s19       s12  s13  s14  s15
//! ```
//!
//! The safe twin is [`super::tile::Channels`]: both add the same rounded products in the same
//! order.

use core::arch::asm;
use core::mem::offset_of;

use super::super::shape::LANES;
use super::super::weight::Weight;
use super::Pass;
use super::dispatch::Kernel;
use super::pass::TAPS_MAX;
use super::portable::Portable;
use super::sink::PassSink;
use super::span::{Points, Reads};
use super::tile::{Operands, Tile};
use crate::checked::{OrBug, Place, bug, product, sum};

/// How a product is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multiply {
    /// VMUL, then VADD: two instructions, two cycles on a Cortex-M4F.
    ThenAdd,
    /// VMLA, which rounds the product as well: one instruction, three cycles on a Cortex-M4F.
    Accumulate,
}

impl Multiply {
    /// Points of a tile.
    const POINTS: usize = 4;
    /// Taps that there are tiles for.
    const TAPS: [usize; 2] = [3, 5];
}

/// The tile by VMUL and VADD.
pub(super) struct ThenAdd;

/// The tile by VMLA.
pub(super) struct Accumulate;

impl Kernel for ThenAdd {
    const NAME: &'static str = "vmul, vadd";
    const RANK: u8 = if cfg!(slow_vmla) { 3 } else { 2 };
    type Narrower = Portable;

    fn run<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
        Portable::run::<ADJOINT, W>(pass);
    }

    fn run_numbers<const ADJOINT: bool>(pass: Pass<'_, f32>) {
        run_numbers::<ADJOINT>(Multiply::ThenAdd, pass);
    }
}

impl Kernel for Accumulate {
    const NAME: &'static str = "vmla";
    const RANK: u8 = if cfg!(slow_vmla) { 2 } else { 3 };
    type Narrower = Portable;

    fn run<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
        Portable::run::<ADJOINT, W>(pass);
    }

    fn run_numbers<const ADJOINT: bool>(pass: Pass<'_, f32>) {
        run_numbers::<ADJOINT>(Multiply::Accumulate, pass);
    }
}

/// Runs the taps that there is a tile for; the others are the safe tile's.
// Once for both ways to add.
#[inline(never)]
fn run_numbers<const ADJOINT: bool>(multiply: Multiply, pass: Pass<'_, f32>) {
    if Multiply::TAPS.contains(&pass.shape.taps()) {
        pass.run::<Points<{ Multiply::POINTS }>, ADJOINT>(multiply);
    } else {
        Portable::run::<ADJOINT, f32>(pass);
    }
}

/// What the assembly reads, by the fields' offsets.
#[repr(C)]
struct Frame {
    /// Of each row that the taps along y read, the next value.
    rows: [*const f32; TAPS_MAX],
    /// Weights of the first tap along y.
    weights: *const f32,
    /// Taps along y.
    rows_len: usize,
    /// Channels of a row.
    channels: usize,
    /// Bytes of weights to skip: after a row (forward), after four channels (adjoint).
    skip: usize,
    /// Bytes from an output channel to the next.
    stride: usize,
    /// Tiles that are left.
    tiles: usize,
    /// Output channels, 1 … 4.
    lanes: usize,
    /// Bytes of weights from a tap along y to the next (adjoint).
    step: usize,
}

impl Tile<f32> for Multiply {
    #[inline(always)]
    fn row<Taps: Reads, const ADJOINT: bool>(
        self,
        operands: &Operands<'_, f32>,
        group: usize,
        output: &mut PassSink<'_>,
        y: usize,
    ) {
        // No row of these taps is ever left without its sums.
        const {
            let taps = Self::TAPS[0] == Taps::TAPS || Self::TAPS[1] == Taps::TAPS;
            let accumulate = kernel::<Taps, ADJOINT>(Self::Accumulate).is_some();
            assert!(!taps || (accumulate && kernel::<Taps, ADJOINT>(Self::ThenAdd).is_some()));
        }
        if let Some(kernel) = kernel::<Taps, ADJOINT>(self) {
            sums::<Taps, ADJOINT>(kernel, operands, group, output.values, y);
        }
        for lane in 0..LANES {
            let (grid, channel) = (operands.shape.grid(), group.times(LANES).plus(lane));
            let at = channel.times(grid.points()).plus(y.times(grid.nx()));
            output.finish_row(channel, at, grid.nx());
        }
    }
}

/// Sums of a row, before what [`PassSink::finish_row`] does to them.
fn sums<Taps: Reads, const ADJOINT: bool>(
    kernel: Assembly,
    operands: &Operands<'_, f32>,
    group: usize,
    output: &mut [f32],
    y: usize,
) {
    let &Operands { shape, weights, slots } = operands;
    let (points, tiles) = (shape.grid().points(), shape.grid().nx() / Multiply::POINTS);
    let lanes = (output.len() / points).saturating_sub(group.times(LANES)).min(LANES);
    let channels = if ADJOINT { shape.outputs() } else { shape.inputs() };

    // The weights of a tap along y, and of a group of output channels: where the kernel starts,
    // where it ends, what it skips.
    let (ky_len, group_len) = (shape.ky_len(), shape.group_len());
    let (start, end, skip) = if ADJOINT {
        let inputs = group.times(LANES * Taps::TAPS * LANES);
        let last = product(&[slots.len().saturating_sub(1), ky_len]);
        // Four input channels lie inside a tap's weights, which a group's end with.
        let inside = sum(&[inputs, LANES * Taps::TAPS * LANES]) <= ky_len
            && sum(&[last, ky_len]) == group_len;
        let groups = channels.div_ceil(LANES);
        let end = if inside { product(&[groups, group_len]) } else { usize::MAX };
        (inputs.plus(last), end, group_len.minus(LANES))
    } else {
        let start = product(&[group, group_len]);
        let end = sum(&[start, product(&[slots.len(), ky_len])]);
        (start, end, ky_len.minus(channels.times(Taps::TAPS * LANES)))
    };
    let row_len = product(&[tiles, channels, Taps::SPAN]);
    let rows_fit = (1..=TAPS_MAX).contains(&slots.len())
        && slots.iter().all(|slot| slot.values.len() >= row_len);
    let lanes_fit = (1..=LANES).contains(&lanes) && tiles > 0 && channels > 0;
    let first = group.times(LANES).times(points).plus(y.times(shape.grid().nx()));
    let planes = output.get_mut(first..).or_bug();
    let planes_len =
        sum(&[product(&[lanes.saturating_sub(1), points]), product(&[tiles, Multiply::POINTS])]);
    let output_fits = lanes_fit && planes_len <= planes.len();
    if !(rows_fit && output_fits && end <= weights.len()) {
        return bug();
    }

    let mut frame = Frame {
        rows: [core::ptr::null(); TAPS_MAX],
        weights: weights.as_ptr().wrapping_add(start),
        rows_len: slots.len(),
        channels,
        skip: skip.times(4),
        stride: points.times(4),
        tiles,
        lanes,
        step: ky_len.times(4),
    };
    frame.rows.iter_mut().zip(slots).for_each(|(to, slot)| *to = slot.values.as_ptr());
    // SAFETY: the kernel reads `tiles` times `channels` spans of `Taps::SPAN` values from the start
    // of each row, and weights from `start` to `end`; it writes `tiles` times [`Multiply::POINTS`]
    // values of `lanes` channels, `points` apart, from `planes` on. All of it was looked at above,
    // and is lent to this function.
    #[allow(unsafe_code)]
    unsafe {
        kernel(&mut frame, planes.as_mut_ptr());
    }
}

/// Writes a row of sums; the frame's pointers must be good for what its numbers say, the output for
/// `lanes` rows of `tiles` tiles.
type Assembly = unsafe fn(&mut Frame, *mut f32);

/// The kernel for these taps.
const fn kernel<Taps: Reads, const ADJOINT: bool>(multiply: Multiply) -> Option<Assembly> {
    use Multiply::{Accumulate, ThenAdd};
    Some(match (ADJOINT, Taps::TAPS, Taps::SPAN, multiply) {
        (false, 3, 6, ThenAdd) => forward_3_add,
        (false, 3, 6, Accumulate) => forward_3_mla,
        (false, 3, 8, ThenAdd) => forward_3_by_2_add,
        (false, 3, 8, Accumulate) => forward_3_by_2_mla,
        (false, 3, 12, ThenAdd) => forward_3_apart_add,
        (false, 3, 12, Accumulate) => forward_3_apart_mla,
        (false, 5, 8, ThenAdd) => forward_5_add,
        (false, 5, 8, Accumulate) => forward_5_mla,
        (false, 5, 12, ThenAdd) => forward_5_by_2_add,
        (false, 5, 12, Accumulate) => forward_5_by_2_mla,
        (false, 5, 20, ThenAdd) => forward_5_apart_add,
        (false, 5, 20, Accumulate) => forward_5_apart_mla,
        (true, 3, 6, ThenAdd) => adjoint_3_add,
        (true, 3, 6, Accumulate) => adjoint_3_mla,
        (true, 3, 8, ThenAdd) => adjoint_3_by_2_add,
        (true, 3, 8, Accumulate) => adjoint_3_by_2_mla,
        (true, 3, 12, ThenAdd) => adjoint_3_apart_add,
        (true, 3, 12, Accumulate) => adjoint_3_apart_mla,
        (true, 5, 8, ThenAdd) => adjoint_5_add,
        (true, 5, 8, Accumulate) => adjoint_5_mla,
        (true, 5, 12, ThenAdd) => adjoint_5_by_2_add,
        (true, 5, 12, Accumulate) => adjoint_5_by_2_mla,
        (true, 5, 20, ThenAdd) => adjoint_5_apart_add,
        (true, 5, 20, Accumulate) => adjoint_5_apart_mla,
        _ => return None,
    })
}

/// Adds the products of a weight and four inputs to the sums of a channel: VMLA.
macro_rules! mla {
    ($w:tt, $a:tt $b:tt $c:tt $d:tt, $x:tt $y:tt $z:tt $u:tt) => {
        concat!(
            "vmla.f32 s",
            $a,
            ", s",
            $w,
            ", s",
            $x,
            "\n",
            "vmla.f32 s",
            $b,
            ", s",
            $w,
            ", s",
            $y,
            "\n",
            "vmla.f32 s",
            $c,
            ", s",
            $w,
            ", s",
            $z,
            "\n",
            "vmla.f32 s",
            $d,
            ", s",
            $w,
            ", s",
            $u,
            "\n",
        )
    };
}

/// The same: VMUL and VADD, no product added right after it is made.
macro_rules! add {
    ($w:tt, $a:tt $b:tt $c:tt $d:tt, $x:tt $y:tt $z:tt $u:tt) => {
        concat!(
            "vmul.f32 s28, s",
            $w,
            ", s",
            $x,
            "\n",
            "vmul.f32 s29, s",
            $w,
            ", s",
            $y,
            "\n",
            "vmul.f32 s30, s",
            $w,
            ", s",
            $z,
            "\n",
            "vmul.f32 s31, s",
            $w,
            ", s",
            $u,
            "\n",
            "vadd.f32 s",
            $a,
            ", s",
            $a,
            ", s28\n",
            "vadd.f32 s",
            $b,
            ", s",
            $b,
            ", s29\n",
            "vadd.f32 s",
            $c,
            ", s",
            $c,
            ", s30\n",
            "vadd.f32 s",
            $d,
            ", s",
            $d,
            ", s31\n",
        )
    };
}

/// All products of four weights and four inputs.
macro_rules! tap {
    ($add:ident, $($x:tt)+) => {
        concat!(
            $add!(16, 0 1 2 3, $($x)+),
            $add!(17, 4 5 6 7, $($x)+),
            $add!(18, 8 9 10 11, $($x)+),
            $add!(19, 12 13 14 15, $($x)+),
        )
    };
}

/// Four weights of the next tap, one for each output channel.
macro_rules! next {
    () => {
        "vldmia {w}!, {{s16-s19}}\n"
    };
}

/// Weights of tap k of `$taps` that lead back to four input channels.
macro_rules! back {
    ($k:tt of $taps:tt) => {
        concat!(
            "vldr s16, [{w}, #(16*(0*",
            $taps,
            "+",
            $k,
            "))]\n",
            "vldr s17, [{w}, #(16*(1*",
            $taps,
            "+",
            $k,
            "))]\n",
            "vldr s18, [{w}, #(16*(2*",
            $taps,
            "+",
            $k,
            "))]\n",
            "vldr s19, [{w}, #(16*(3*",
            $taps,
            "+",
            $k,
            "))]\n",
        )
    };
}

/// Inputs of all taps side by side, or the four of one tap.
macro_rules! load {
    (6) => {
        "vldmia {x}!, {{s20-s25}}\n"
    };
    (8) => {
        "vldmia {x}!, {{s20-s27}}\n"
    };
    (4) => {
        "vldmia {x}!, {{s20-s23}}\n"
    };
}

/// One input channel.
macro_rules! forward_body {
    ($add:ident, 3, 6) => {
        concat!(
            load!(6),
            next!(), tap!($add, 20 21 22 23),
            next!(), tap!($add, 21 22 23 24),
            next!(), tap!($add, 22 23 24 25),
        )
    };
    ($add:ident, 3, 8) => {
        concat!(
            load!(8),
            next!(), tap!($add, 20 21 22 23),
            next!(), tap!($add, 22 23 24 25),
            next!(), tap!($add, 24 25 26 27),
        )
    };
    ($add:ident, 5, 8) => {
        concat!(
            load!(8),
            next!(), tap!($add, 20 21 22 23),
            next!(), tap!($add, 21 22 23 24),
            next!(), tap!($add, 22 23 24 25),
            next!(), tap!($add, 23 24 25 26),
            next!(), tap!($add, 24 25 26 27),
        )
    };
    ($add:ident, 3, 12) => {
        concat!(
            load!(4), next!(), tap!($add, 20 21 22 23),
            load!(4), next!(), tap!($add, 20 21 22 23),
            load!(4), next!(), tap!($add, 20 21 22 23),
        )
    };
    ($add:ident, 5, 12) => {
        concat!(
            load!(8),
            next!(), tap!($add, 20 21 22 23),
            next!(), tap!($add, 22 23 24 25),
            next!(), tap!($add, 24 25 26 27),
            load!(4),
            next!(), tap!($add, 26 27 20 21),
            next!(), tap!($add, 20 21 22 23),
        )
    };
    ($add:ident, 5, 20) => {
        concat!(forward_body!($add, 3, 12), forward_body!($add, 2, 8))
    };
    ($add:ident, 2, 8) => {
        concat!(
            load!(4), next!(), tap!($add, 20 21 22 23),
            load!(4), next!(), tap!($add, 20 21 22 23),
        )
    };
}

/// One output channel.
macro_rules! adjoint_body {
    ($add:ident, 3, 6) => {
        concat!(
            load!(6),
            back!(2 of 3), tap!($add, 20 21 22 23),
            back!(1 of 3), tap!($add, 21 22 23 24),
            back!(0 of 3), tap!($add, 22 23 24 25),
        )
    };
    ($add:ident, 3, 8) => {
        concat!(
            load!(8),
            back!(2 of 3), tap!($add, 20 21 22 23),
            back!(1 of 3), tap!($add, 22 23 24 25),
            back!(0 of 3), tap!($add, 24 25 26 27),
        )
    };
    ($add:ident, 5, 8) => {
        concat!(
            load!(8),
            back!(4 of 5), tap!($add, 20 21 22 23),
            back!(3 of 5), tap!($add, 21 22 23 24),
            back!(2 of 5), tap!($add, 22 23 24 25),
            back!(1 of 5), tap!($add, 23 24 25 26),
            back!(0 of 5), tap!($add, 24 25 26 27),
        )
    };
    ($add:ident, 3, 12) => {
        concat!(
            load!(4), back!(2 of 3), tap!($add, 20 21 22 23),
            load!(4), back!(1 of 3), tap!($add, 20 21 22 23),
            load!(4), back!(0 of 3), tap!($add, 20 21 22 23),
        )
    };
    ($add:ident, 5, 12) => {
        concat!(
            load!(8),
            back!(4 of 5), tap!($add, 20 21 22 23),
            back!(3 of 5), tap!($add, 22 23 24 25),
            back!(2 of 5), tap!($add, 24 25 26 27),
            load!(4),
            back!(1 of 5), tap!($add, 26 27 20 21),
            back!(0 of 5), tap!($add, 20 21 22 23),
        )
    };
    ($add:ident, 5, 20) => {
        concat!(
            load!(4), back!(4 of 5), tap!($add, 20 21 22 23),
            load!(4), back!(3 of 5), tap!($add, 20 21 22 23),
            load!(4), back!(2 of 5), tap!($add, 20 21 22 23),
            load!(4), back!(1 of 5), tap!($add, 20 21 22 23),
            load!(4), back!(0 of 5), tap!($add, 20 21 22 23),
        )
    };
}

/// All rows of a tile.
macro_rules! forward_rows {
    ($body:expr) => {
        concat!(
            "ldr {w}, [{f}, #{weights}]\n",
            "ldr {b}, [{f}, #{skip}]\n",
            "3:\n",
            "ldr {x}, [{r}]\n",
            "ldr {n}, [{f}, #{channels}]\n",
            "4:\n",
            $body,
            "subs {n}, {n}, #1\n",
            "bne 4b\n",
            "str {x}, [{r}], #4\n",
            "add {w}, {w}, {b}\n",
            "subs {k}, {k}, #1\n",
            "bne 3b\n",
        )
    };
}
macro_rules! adjoint_rows {
    ($body:expr) => {
        concat!(
            "ldr {b}, [{f}, #{weights}]\n",
            "3:\n",
            "mov {w}, {b}\n",
            "ldr {x}, [{r}]\n",
            "ldr {n}, [{f}, #{channels}]\n",
            // Four channels, or those that are left.
            "4:\n",
            "mov {t}, #4\n",
            "cmp {n}, #4\n",
            "it lt\n",
            "movlt {t}, {n}\n",
            "5:\n",
            $body,
            "add {w}, {w}, #4\n",
            "subs {t}, {t}, #1\n",
            "bne 5b\n",
            "subs {n}, {n}, #4\n",
            "ble 6f\n",
            "ldr {t}, [{f}, #{skip}]\n",
            "add {w}, {w}, {t}\n",
            "b 4b\n",
            "6:\n",
            "str {x}, [{r}], #4\n",
            "ldr {t}, [{f}, #{step}]\n",
            "sub {b}, {b}, {t}\n",
            "subs {k}, {k}, #1\n",
            "bne 3b\n",
        )
    };
}

macro_rules! kernels {
    ($($name:ident = $rows:ident $body:ident $add:ident $taps:tt $span:tt;)+) => {$(
        #[allow(unsafe_code)]
        unsafe fn $name(frame: &mut Frame, output: *mut f32) {
            // SAFETY: the caller's.
            unsafe {
                asm!(
                    // Forward there is no step, and what is given must be named.
                    "// step: {step}",
                    "2:",
                    "mov {t}, #0",
                    "vmov d0, {t}, {t}",
                    "vmov d1, {t}, {t}",
                    "vmov d2, {t}, {t}",
                    "vmov d3, {t}, {t}",
                    "vmov d4, {t}, {t}",
                    "vmov d5, {t}, {t}",
                    "vmov d6, {t}, {t}",
                    "vmov d7, {t}, {t}",
                    "add {r}, {f}, #{rows}",
                    "ldr {k}, [{f}, #{rows_len}]",
                    $rows!($body!($add, $taps, $span)),
                    // One row of each channel that is there.
                    "ldr {k}, [{f}, #{lanes}]",
                    "ldr {n}, [{f}, #{stride}]",
                    "mov {x}, {o}",
                    "vstmia {o}!, {{s0-s3}}",
                    "cmp {k}, #2",
                    "blt 7f",
                    "add {x}, {x}, {n}",
                    "vstmia {x}, {{s4-s7}}",
                    "beq 7f",
                    "add {x}, {x}, {n}",
                    "vstmia {x}, {{s8-s11}}",
                    "cmp {k}, #4",
                    "blt 7f",
                    "add {x}, {x}, {n}",
                    "vstmia {x}, {{s12-s15}}",
                    "7:",
                    "ldr {t}, [{f}, #{tiles}]",
                    "subs {t}, {t}, #1",
                    "str {t}, [{f}, #{tiles}]",
                    "bne 2b",
                    rows = const offset_of!(Frame, rows),
                    weights = const offset_of!(Frame, weights),
                    rows_len = const offset_of!(Frame, rows_len),
                    channels = const offset_of!(Frame, channels),
                    skip = const offset_of!(Frame, skip),
                    stride = const offset_of!(Frame, stride),
                    tiles = const offset_of!(Frame, tiles),
                    lanes = const offset_of!(Frame, lanes),
                    step = const offset_of!(Frame, step),
                    f = in(reg) frame,
                    o = inout(reg) output => _,
                    x = out(reg) _,
                    w = out(reg) _,
                    b = out(reg) _,
                    r = out(reg) _,
                    k = out(reg) _,
                    n = out(reg) _,
                    t = out(reg) _,
                    out("s0") _, out("s1") _, out("s2") _, out("s3") _,
                    out("s4") _, out("s5") _, out("s6") _, out("s7") _,
                    out("s8") _, out("s9") _, out("s10") _, out("s11") _,
                    out("s12") _, out("s13") _, out("s14") _, out("s15") _,
                    out("s16") _, out("s17") _, out("s18") _, out("s19") _,
                    out("s20") _, out("s21") _, out("s22") _, out("s23") _,
                    out("s24") _, out("s25") _, out("s26") _, out("s27") _,
                    out("s28") _, out("s29") _, out("s30") _, out("s31") _,
                );
            }
        }
    )+};
}

kernels! {
    forward_3_add = forward_rows forward_body add 3 6;
    forward_3_mla = forward_rows forward_body mla 3 6;
    forward_3_by_2_add = forward_rows forward_body add 3 8;
    forward_3_apart_add = forward_rows forward_body add 3 12;
    forward_3_by_2_mla = forward_rows forward_body mla 3 8;
    forward_3_apart_mla = forward_rows forward_body mla 3 12;
    forward_5_add = forward_rows forward_body add 5 8;
    forward_5_mla = forward_rows forward_body mla 5 8;
    forward_5_by_2_add = forward_rows forward_body add 5 12;
    forward_5_apart_add = forward_rows forward_body add 5 20;
    forward_5_by_2_mla = forward_rows forward_body mla 5 12;
    forward_5_apart_mla = forward_rows forward_body mla 5 20;
    adjoint_3_add = adjoint_rows adjoint_body add 3 6;
    adjoint_3_mla = adjoint_rows adjoint_body mla 3 6;
    adjoint_3_by_2_add = adjoint_rows adjoint_body add 3 8;
    adjoint_3_apart_add = adjoint_rows adjoint_body add 3 12;
    adjoint_3_by_2_mla = adjoint_rows adjoint_body mla 3 8;
    adjoint_3_apart_mla = adjoint_rows adjoint_body mla 3 12;
    adjoint_5_add = adjoint_rows adjoint_body add 5 8;
    adjoint_5_mla = adjoint_rows adjoint_body mla 5 8;
    adjoint_5_by_2_add = adjoint_rows adjoint_body add 5 12;
    adjoint_5_apart_add = adjoint_rows adjoint_body add 5 20;
    adjoint_5_by_2_mla = adjoint_rows adjoint_body mla 5 12;
    adjoint_5_apart_mla = adjoint_rows adjoint_body mla 5 20;
}
