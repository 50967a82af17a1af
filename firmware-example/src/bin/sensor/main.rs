//! A program to copy: reads a thermal array over I²C, makes fine frames, raises an alarm, logs, and
//! sends packets. Under an emulator the bus is a recording with faults in it, and the program exits
//! with 0 where its bits are the desktop's.
#![no_std]
#![no_main]

mod console;
mod watchdog;

use core::hint::black_box;

use finescale::Error;
// Linked for what it does with faults and panics.
use finescale_board as _;
use finescale_chain::replay::{FAULTS, FRAMES, Replay};
use finescale_chain::{Chain, Status, setup, wire};
use semihosting::fs::File;
use semihosting::io::Write as _;
use semihosting::process::ExitCode;
use static_cell::ConstStaticCell;
use watchdog::WATCHDOG;

static MEMORY: ConstStaticCell<[f32; setup::MEMORY]> = ConstStaticCell::new([0.0; setup::MEMORY]);

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let Some(memory) = MEMORY.try_take() else { ExitCode::FAILURE.exit_process() };
    // Under an emulator the file is first cut short, as an update that broke off leaves it.
    let half = setup::MODEL.get(..setup::MODEL.len() / 2).unwrap_or_default();
    let interpolates = passes(run(half, memory), setup::DAMAGED_DIGEST, FRAMES);
    let computes = passes(run(setup::MODEL, memory), setup::DIGEST, 0);
    if interpolates && computes { ExitCode::SUCCESS } else { ExitCode::FAILURE }.exit_process()
}

/// What came of the recording.
struct Found {
    /// Of all fine frames.
    digest: u32,
    /// Packets that say that there is no model.
    without_model: u32,
}

fn passes(found: Result<Found, Error>, digest: u32, without_model: u32) -> bool {
    match found {
        Ok(found) if found.digest == digest && found.without_model == without_model => true,
        Ok(found) => {
            console::differs(found.digest, digest);
            console::without_model(found.without_model, without_model);
            false
        }
        Err(error) => {
            console::refused(error);
            false
        }
    }
}

/// Reads, computes, sends.
fn run(model: &[u8], memory: &mut [f32]) -> Result<Found, Error> {
    // On a board: the HAL's I²C, and its serial line in place of the file.
    let bus = Replay::new(FAULTS);
    // Not in the proof: what writes to the file has a panic of its own.
    let in_proof = cfg!(feature = "prove-no-panic");
    let mut line = if in_proof { None } else { File::create(c"packets.bin").ok() };
    let mut chain = Chain::new(bus, model, memory, &WATCHDOG)?;
    let mut found = Found { digest: 0, without_model: 0 };
    WATCHDOG.start();
    for _ in 0..FRAMES {
        let packet = chain.step()?;
        WATCHDOG.feed();
        let Some(packet) = packet else { continue };
        found.digest = wire::digest(found.digest, chain.fine());
        let unmodelled = u32::from(packet.status.has(Status::NO_MODEL));
        found.without_model = found.without_model.saturating_add(unmodelled);
        console::frame(&packet);
        // Encoded without a line as well, so that the proof covers it.
        let bytes = black_box(wire::encode(&packet));
        if let (Some(line), Some(bytes)) = (&mut line, bytes) {
            // Who does not listen misses the packet; the field goes on.
            let _ = line.write_all(&bytes);
        }
    }
    console::longest_gap(WATCHDOG.longest_gap());
    Ok(found)
}
