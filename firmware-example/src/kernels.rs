//! Instructions for each multiply-accumulate of the kernels, held below bounds: such loops spill registers at a touch.

use finescale::layer::{Conv, ConvShape, Epilogue, Weight};
use finescale::{Axis, Boundary, Error, Grid};
use finescale_golden::{FIELD_MAX, SCRATCH_MAX};

use crate::{console, counter};

/// Channels on both sides, as in the shipped networks.
const CHANNELS: usize = 16;
/// Points along both axes: as many as the buffers hold.
const POINTS: usize = 16;
const WEIGHTS: usize = CHANNELS * CHANNELS * 9;

/// Most instructions for a hundred multiply-accumulates.
struct Bounds {
    forward: u64,
    vjp: u64,
}

// Measured on Cortex-M4F and M7, and a few per cent.
const F32: Bounds = Bounds { forward: 160, vjp: 190 };
const I8: Bounds = Bounds { forward: 190, vjp: 240 };

/// Counts every kernel; says how many there are and how many kept their bound.
pub(crate) fn run(field: &mut [f32; FIELD_MAX], output: &mut [f32; SCRATCH_MAX]) -> (usize, usize) {
    let kept = [
        measure(["conv 3×3 16→16 f32", "its vjp"], &[0.25_f32; WEIGHTS], F32, field, output),
        measure(["conv 3×3 16→16 int8", "its vjp"], &[31_i8; WEIGHTS], I8, field, output),
    ];
    let kept = kept.into_iter().map(|kept| kept.unwrap_or(0)).sum();
    (kept, 4)
}

fn measure<W: Weight>(
    [forward, vjp]: [&str; 2],
    weights: &[W],
    bounds: Bounds,
    field: &mut [f32],
    output: &mut [f32],
) -> Result<usize, Error> {
    let axis = Axis::new(POINTS, Boundary::Periodic)?;
    let shape = ConvShape::new(Grid::plane(axis, axis)?, CHANNELS, CHANNELS, 3, 1)?;
    let conv = Conv::new(shape, weights)?;
    let epilogue = Epilogue { scale: &[0.5; CHANNELS], shift: &[0.1; CHANNELS], slope: 0.1 };
    let mut signs = [0; CHANNELS * POINTS * POINTS / 8];
    let mut work = [0.0; 3 * CHANNELS * 3 * POINTS + POINTS + 2];
    let (forward_result, instructions) = counter::count(|| {
        conv.forward(field, &epilogue, Some(&mut signs), None, output, &mut work)
    });
    forward_result?;
    let mut kept = judge(forward, shape.macs(), instructions, bounds.forward);
    let (vjp_result, instructions) =
        counter::count(|| conv.vjp(output, &epilogue, Some(&signs), None, field, &mut work));
    vjp_result?;
    kept += judge(vjp, shape.macs(), instructions, bounds.vjp);
    Ok(kept)
}

/// Reports a kernel; 1 if it keeps its bound.
fn judge(name: &str, macs: usize, instructions: Option<u64>, bound: u64) -> usize {
    let Some(instructions) = instructions else { return 1 };
    let hundredths = instructions * 100 / (macs.max(1) as u64);
    console::kernel(name, hundredths as u32, bound as u32);
    usize::from(hundredths <= bound)
}
