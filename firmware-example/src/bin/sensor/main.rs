//! A program to copy: reads a thermal array over I²C, makes fine frames, raises an alarm, logs, and
//! sends packets. Under an emulator the bus is a recording with faults in it, and the program exits
//! with 0 where its bits are the desktop's.
#![no_std]
#![no_main]

mod console;
mod watchdog;

use finescale::Error;
// Linked for what it does with faults and panics.
use finescale_board as _;
use finescale_chain::replay::{FAULTS, FRAMES, Replay};
use finescale_chain::{Chain, setup, wire};
use semihosting::fs::File;
use semihosting::io::Write as _;
use semihosting::process::ExitCode;
use static_cell::ConstStaticCell;
use watchdog::WATCHDOG;

static MEMORY: ConstStaticCell<[f32; setup::MEMORY]> = ConstStaticCell::new([0.0; setup::MEMORY]);

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let found = MEMORY.try_take().map(|memory| run(memory));
    match found {
        Some(Ok(setup::DIGEST)) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            console::refused(error);
            ExitCode::FAILURE
        }
        other => {
            console::differs(other.and_then(Result::ok).unwrap_or(0), setup::DIGEST);
            ExitCode::FAILURE
        }
    }
    .exit_process()
}

/// Reads, computes, sends; gives the digest of all fine frames.
fn run(memory: &mut [f32]) -> Result<u32, Error> {
    // On a board: the HAL's I²C, and its serial line in place of the file.
    let bus = Replay::new(FAULTS);
    let mut line = File::create(c"packets.bin").ok();
    let mut chain = Chain::new(bus, setup::MODEL, memory, &WATCHDOG)?;
    let mut found = 0;
    WATCHDOG.start();
    for _ in 0..FRAMES {
        let packet = chain.step()?;
        WATCHDOG.feed();
        let Some(packet) = packet else { continue };
        found = wire::digest(found, chain.fine());
        console::frame(&packet);
        if let (Some(line), Some(bytes)) = (&mut line, wire::encode(&packet)) {
            // Who does not listen misses the packet; the field goes on.
            let _ = line.write_all(&bytes);
        }
    }
    console::longest_gap(WATCHDOG.longest_gap());
    Ok(found)
}
