//! The main job on the board: coarse frames to fine ones with the shipped model, in flash.

use finescale_board::counter;
use finescale_golden::{DOWNSCALES, Downscale, MEMORY, PATH, SCRATCH};
use static_cell::ConstStaticCell;

use crate::{console, number};

static PATH_CELL: ConstStaticCell<[f32; PATH]> = ConstStaticCell::new([0.0; PATH]);
static MEMORY_CELL: ConstStaticCell<[f32; MEMORY]> = ConstStaticCell::new([0.0; MEMORY]);
static SCRATCH_CELL: ConstStaticCell<[f32; SCRATCH]> = ConstStaticCell::new([0.0; SCRATCH]);

/// Runs the cases that suit the processor; says how many passed and how many there were.
pub(crate) fn run() -> (usize, usize) {
    let cells = (PATH_CELL.try_take(), MEMORY_CELL.try_take(), SCRATCH_CELL.try_take());
    let (Some(path), Some(memory), Some(scratch)) = cells else { return (0, 1) };
    // Without a floating-point unit a frame takes minutes under emulation.
    let suits = |case: &&Downscale| case.quick || cfg!(target_abi = "eabihf");
    let cases = || DOWNSCALES.iter().filter(suits);
    let passed = number(cases().filter(|case| passes(case, path, memory, scratch)));
    (passed, number(cases()))
}

fn passes(
    case: &Downscale,
    path: &mut [f32; PATH],
    memory: &mut [f32; MEMORY],
    scratch: &mut [f32; SCRATCH],
) -> bool {
    let (done, instructions) = counter::count(|| case.run(path, memory, scratch));
    if done.is_err() || !case.is_complete() {
        console::no_frames(case.name);
        return false;
    }
    let result = path.get(..case.values()).unwrap_or_default();
    if let Some((index, got, want)) = case.first_mismatch(result) {
        console::mismatch(case.name, index, got.to_bits(), want.to_bits());
        return false;
    }
    console::pass(case.name, case.values());
    if let Some(instructions) = instructions {
        console::frames(
            case.name,
            case.frames,
            instructions.checked_div(case.frames as u64).unwrap_or(0),
        );
    }
    true
}
