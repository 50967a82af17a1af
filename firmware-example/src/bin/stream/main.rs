//! A program to copy: fine frames of a stream of coarse ones, with a shipped model, in static
//! memory whose size nobody has typed. It has the bits of the desktop, or exits with 1.
#![no_std]
#![no_main]

mod expected;

use expected::{DIGESTS, FRAMES, LAG, POINTS, SENSOR, digest, sampler};
use finescale::downscaler::Stream;
use finescale::model::{Footprint, Model};
use finescale::{Downscaler, Error};
// Linked for what it does with faults and panics.
use finescale_board as _;
use semihosting::process::ExitCode;
use static_cell::ConstStaticCell;

/// The model whose kind of weights the program is built for, which is int16 unless it is said.
static MODEL: &[u8] = if cfg!(feature = "f32") {
    finescale::include_model!("../../../../models/kolmogorov-32/kolmogorov-32.finescale")
} else if cfg!(feature = "int8") {
    finescale::include_model!("../../../../models/kolmogorov-32/kolmogorov-32-int8.finescale")
} else {
    finescale::include_model!("../../../../models/kolmogorov-32/kolmogorov-32-int16.finescale")
};
/// What comes out of it.
const DIGEST: u32 = {
    let [float, int8, int16] = DIGESTS;
    if cfg!(feature = "f32") {
        float
    } else if cfg!(feature = "int8") {
        int8
    } else {
        int16
    }
};

const MEMORY_LEN: usize = Stream::memory_len(&Footprint::of(MODEL), &SENSOR, LAG);
const _: () = assert!(4 * MEMORY_LEN <= 512 * 1024, "the model needs more RAM than 512 KiB");
static MEMORY: ConstStaticCell<[f32; MEMORY_LEN]> = ConstStaticCell::new([0.0; MEMORY_LEN]);

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let found = MEMORY.try_take().map(|memory| run(memory));
    if found == Some(Ok(DIGEST)) { ExitCode::SUCCESS } else { ExitCode::FAILURE }.exit_process()
}

/// Coarse frames in, fine frames out; gives the digest of all of them.
fn run(memory: &mut [f32]) -> Result<u32, Error> {
    let model = Model::parse(MODEL)?;
    let downscaler = Downscaler::new(&model, SENSOR, memory)?;
    let sampler = sampler(downscaler.sampler());
    let mut stream = downscaler.with_sampler(sampler).stream(LAG)?;
    let (mut coarse, mut found) = ([0.0; POINTS], 0);
    for bytes in FRAMES.as_chunks::<4>().0.as_chunks::<POINTS>().0 {
        for (value, bytes) in coarse.iter_mut().zip(bytes) {
            *value = f32::from_le_bytes(*bytes); // On a board the sensor's driver gives it.
        }
        if let Some(fine) = stream.push(Some(&coarse))? {
            found = digest(found, fine.frames);
        }
    }
    Ok(found)
}
