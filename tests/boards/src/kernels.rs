//! Instructions for each multiply-accumulate of the kernels, held below bounds: such loops spill
//! registers at a touch.

use finescale::layer::int16::{Conv16, Input16, Output16, Point};
use finescale::layer::{CodePath, Conv, ConvShape, Epilogue, Weight};
use finescale::{Axis, Boundary, Error, Grid};
use finescale_board::counter;
use static_cell::ConstStaticCell;

use crate::{console, number};

/// Channels on both sides, as in the shipped networks.
const CHANNELS: usize = 16;
/// Points along both axes.
const POINTS: usize = 32;
const VALUES: usize = CHANNELS * POINTS * POINTS;
const WEIGHTS: usize = CHANNELS * CHANNELS * 9;

static INPUT: ConstStaticCell<[f32; VALUES]> = ConstStaticCell::new([0.0; VALUES]);
static OUTPUT: ConstStaticCell<[f32; VALUES]> = ConstStaticCell::new([0.0; VALUES]);
static POINTS_IN: ConstStaticCell<[Point; VALUES / 4]> = ConstStaticCell::new([[0; 2]; VALUES / 4]);
static POINTS_OUT: ConstStaticCell<[Point; VALUES / 4]> =
    ConstStaticCell::new([[0; 2]; VALUES / 4]);
/// Scratch that suffices for every kernel.
const WORK: usize = 3 * CHANNELS * 3 * POINTS + POINTS + 2;

/// Most instructions of each kernel for a hundred multiply-accumulates, from the board's folder:
/// what was measured, and a few per cent. `NAME|CODE PATH=NUMBER`, with a semicolon between two.
const BOUNDS: Option<&str> = option_env!("FINESCALE_KERNEL_BOUNDS");

/// The bounds by kernel and code path, in bytes: what looks for characters can panic.
fn bounds() -> impl Iterator<Item = ([&'static [u8]; 2], u64)> {
    let parts = BOUNDS.unwrap_or_default().as_bytes().split(|byte| *byte == b';');
    parts.filter_map(|part| {
        let mut words = part.split(|byte| matches!(byte, b'|' | b'='));
        Some(([words.next()?, words.next()?], counter::decimal(words.next()?)))
    })
}

/// Counts every kernel where the board counts; says how many kept their bound, and how many have
/// one or should.
pub(crate) fn run() -> (usize, usize) {
    if !counter::COUNTS {
        // Nothing to hold below a bound: the code stays out of the program.
        return (0, number(bounds()));
    }
    let of_integers = 4;
    let measured = number(CodePath::available()).saturating_mul(2).saturating_add(of_integers);
    let all = number(bounds()).max(measured);
    let (Some(input), Some(output)) = (INPUT.try_take(), OUTPUT.try_take()) else {
        return (0, all);
    };
    let mut kept = 0;
    // The safe code comes first: what the others must equal.
    let mut equal = None;
    for path in CodePath::available() {
        let names = ["conv 3×3 16→16 f32", "vjp 3×3 16→16 f32"];
        let (within, bits) =
            measure(names, path, &[0.3_f32; WEIGHTS], input, output).unwrap_or_default();
        let within = if *equal.get_or_insert(bits) == bits { within } else { 0 };
        kept = within.saturating_add(kept);
    }
    let names = ["conv 3×3 16→16 int8", "vjp 3×3 16→16 int8"];
    let path = CodePath::PORTABLE;
    let int8 = measure(names, path, &[31_i8; WEIGHTS], input, output).unwrap_or_default().0;
    let int16 = measure_int16().unwrap_or_default();
    (kept.saturating_add(int8).saturating_add(int16), all)
}

fn shape() -> Result<ConvShape, Error> {
    let axis = Axis::new(POINTS, Boundary::Periodic)?;
    ConvShape::new(Grid::plane(axis, axis)?, CHANNELS, CHANNELS, 3, 1)
}

/// How many of forward and VJP kept their bound, and a hash of the bits of both results.
fn measure<W: Weight>(
    [forward, vjp]: [&str; 2],
    path: CodePath,
    weights: &[W],
    input: &mut [f32],
    output: &mut [f32],
) -> Result<(usize, u32), Error> {
    let shape = shape()?;
    let conv = Conv::new(shape, weights)?.on(path);
    let epilogue = Epilogue { scale: &[0.5; CHANNELS], shift: &[0.1; CHANNELS], slope: 0.1 };
    let mut signs = [0; CHANNELS * POINTS * POINTS / 8];
    let mut work = [0.0; WORK];
    for (i, value) in input.iter_mut().enumerate() {
        *value = (i % 61) as f32 * 0.03 - 0.9;
    }
    let (result, instructions) = counter::count(|| {
        conv.forward(input, &epilogue, Some(&mut signs), None, output, &mut work)
    });
    result?;
    let mut kept = judge(forward, path.name(), shape.macs(), instructions);
    let bits = hash(0, output);
    let (result, instructions) =
        counter::count(|| conv.vjp(output, &epilogue, Some(&signs), None, input, &mut work));
    result?;
    kept += judge(vjp, path.name(), shape.macs(), instructions);
    Ok((kept, hash(bits, input)))
}

/// Differs when a bit does, but once in four billion times.
fn hash(start: u32, values: &[f32]) -> u32 {
    let step =
        |hash: u32, value: &f32| (hash ^ value.to_bits()).wrapping_mul(0x0100_0193).rotate_left(5);
    values.iter().fold(start, step)
}

fn measure_int16() -> Result<usize, Error> {
    let shape = shape()?;
    let words = [0x1F1F_1F1F_u32; WEIGHTS / 4];
    let conv = Conv16::new(shape, &words, &words)?;
    let epilogue = Epilogue { scale: &[0.001; CHANNELS], shift: &[0.1; CHANNELS], slope: 0.1 };
    let mut signs = [0; CHANNELS * POINTS * POINTS / 8];
    let (Some(points), Some(others)) = (POINTS_IN.try_take(), POINTS_OUT.try_take()) else {
        return Ok(0);
    };
    points.fill([0x0123_F987; 2]);
    let mut work = [0.0; WORK];
    let (result, instructions) = counter::count(|| {
        let from = Input16::Points { points, exponent: 0 };
        let to = Output16::Points { points: others, exponent: 0 };
        conv.forward(from, &epilogue, Some(&mut signs), None, to, &mut work)
    });
    result?;
    let mut kept = judge("conv 3×3 16→16 int8 × int16", "smlad", shape.macs(), instructions);
    let (result, instructions) = counter::count(|| {
        let from = Input16::Points { points: others, exponent: 0 };
        let to = Output16::Points { points, exponent: 0 };
        conv.vjp(from, &epilogue, Some(&signs), None, to, &mut work)
    });
    result?;
    kept += judge("vjp 3×3 16→16 int8 × int16", "smlad", shape.macs(), instructions);
    Ok(kept)
}

/// Reports a kernel; 1 if it keeps its bound.
fn judge(kernel: &str, path: &str, macs: usize, instructions: Option<u64>) -> usize {
    let Some(instructions) = instructions else { return 1 };
    let hundredths = instructions.saturating_mul(100) / (macs.max(1) as u64);
    let name = [kernel.as_bytes(), path.as_bytes()];
    let bound = bounds().find(|(of, _)| *of == name).map_or(0, |(_, bound)| bound);
    console::kernel(kernel, path, hundredths as u32, bound as u32);
    usize::from(hundredths <= bound)
}
