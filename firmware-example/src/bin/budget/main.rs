//! Measures what the program `stream` needs beside flash: the stack, and the instructions of a frame
//! and of its longest piece. `cargo xtask size` reads what it prints.
#![no_std]
#![no_main]

#[path = "../stream/expected.rs"]
#[expect(dead_code, reason = "the digests are those of `stream`")]
mod expected;
mod stack;

use expected::{FRAMES, LAG, POINTS, SENSOR, sampler};
use finescale::downscaler::Stream;
use finescale::model::{Footprint, Model};
use finescale::{Downscaler, Error};
use finescale_board::counter;
use semihosting::process::ExitCode;
use static_cell::ConstStaticCell;

static MODEL: &[u8] = if cfg!(feature = "f32") {
    finescale::include_model!("../../../../models/kolmogorov-32/kolmogorov-32.finescale")
} else if cfg!(feature = "int8") {
    finescale::include_model!("../../../../models/kolmogorov-32/kolmogorov-32-int8.finescale")
} else {
    finescale::include_model!("../../../../models/kolmogorov-32/kolmogorov-32-int16.finescale")
};

const MEMORY_LEN: usize = Stream::memory_len(&Footprint::of(MODEL), &SENSOR, LAG);
static MEMORY: ConstStaticCell<[f32; MEMORY_LEN]> = ConstStaticCell::new([0.0; MEMORY_LEN]);

/// Instructions.
#[derive(Default)]
struct Cost {
    /// Of the last frame, for which the window is full, and of its longest piece.
    frame: u64,
    piece: u64,
}

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    counter::start();
    stack::paint();
    let Some(Ok(cost)) = MEMORY.try_take().map(|memory| run(memory)) else {
        ExitCode::FAILURE.exit_process()
    };
    semihosting::println!("budget {} {} {}", stack::used(), cost.frame, cost.piece);
    ExitCode::SUCCESS.exit_process()
}

/// Away from `main`, whose printing needs stack too.
#[inline(never)]
fn run(memory: &mut [f32]) -> Result<Cost, Error> {
    let model = Model::parse(MODEL)?;
    let downscaler = Downscaler::new(&model, SENSOR, memory)?;
    let sampler = sampler(downscaler.sampler());
    let mut stream = downscaler.with_sampler(sampler).stream(LAG)?;
    let (mut coarse, mut cost) = ([0.0; POINTS], Cost::default());
    for bytes in FRAMES.as_chunks::<4>().0.as_chunks::<POINTS>().0 {
        for (value, bytes) in coarse.iter_mut().zip(bytes) {
            *value = f32::from_le_bytes(*bytes);
        }
        cost = Cost::default();
        let (push, took) = counter::count(|| stream.begin(Some(&coarse)));
        cost.add(took);
        let Some(mut push) = push? else { continue };
        loop {
            let (done, took) = counter::count(|| push.advance());
            cost.add(took);
            if done? {
                break;
            }
        }
        let (fine, took) = counter::count(|| push.finish());
        cost.add(took);
        fine?;
    }
    Ok(cost)
}

impl Cost {
    fn add(&mut self, piece: Option<u64>) {
        let piece = piece.unwrap_or(0);
        self.frame = self.frame.saturating_add(piece);
        self.piece = self.piece.max(piece);
    }
}
