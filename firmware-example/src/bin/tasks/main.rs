//! A program to copy: a frame is drawn by an asynchronous task that yields after each piece, so that
//! other tasks have their turns. It has the bits of the desktop, and the other task is not left out
//! by two yields in a row, or it exits with 1.
#![no_std]
#![no_main]

#[path = "../stream/expected.rs"]
mod expected;

use core::sync::atomic::{AtomicU32, Ordering};

use embassy_executor::{Executor, Spawner};
use embassy_futures::yield_now;
use expected::{DIGESTS, FRAMES, LAG, POINTS, SENSOR, digest, sampler};
use finescale::downscaler::Stream;
use finescale::model::{Footprint, Model};
use finescale::{Downscaler, Error};
// Linked for what it does with faults and panics.
use finescale_board as _;
use semihosting::process::ExitCode;
use static_cell::{ConstStaticCell, StaticCell};

static MODEL: &[u8] =
    finescale::include_model!("../../../../models/kolmogorov-32/kolmogorov-32-int16.finescale");
const MEMORY_LEN: usize = Stream::memory_len(&Footprint::of(MODEL), &SENSOR, LAG);
static MEMORY: ConstStaticCell<[f32; MEMORY_LEN]> = ConstStaticCell::new([0.0; MEMORY_LEN]);
static EXECUTOR: StaticCell<Executor> = StaticCell::new();
/// How often the other task had its turn.
static TURNS: AtomicU32 = AtomicU32::new(0);

#[cortex_m_rt::entry]
fn main() -> ! {
    EXECUTOR.init(Executor::new()).run(|spawner| {
        if start(spawner).is_none() {
            ExitCode::FAILURE.exit_process()
        }
    })
}

fn start(spawner: Spawner) -> Option<()> {
    spawner.spawn(draw(MEMORY.try_take()?).ok()?);
    spawner.spawn(other().ok()?);
    Some(())
}

/// What else a board has to do.
#[embassy_executor::task]
async fn other() {
    loop {
        TURNS.store(TURNS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        yield_now().await;
    }
}

#[embassy_executor::task]
async fn draw(memory: &'static mut [f32]) {
    let [_, _, want] = DIGESTS;
    let passed = frames(memory).await == Ok(Some(want));
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }.exit_process()
}

/// Coarse frames in, fine frames out; gives the digest of all of them, unless the other task was
/// left out.
async fn frames(memory: &mut [f32]) -> Result<Option<u32>, Error> {
    let model = Model::parse(MODEL)?;
    let downscaler = Downscaler::new(&model, SENSOR, memory)?;
    let sampler = sampler(downscaler.sampler());
    let mut stream = downscaler.with_sampler(sampler).stream(LAG)?;
    let (mut coarse, mut found) = ([0.0; POINTS], 0);
    // The executor may take its queue from either end: the other task has its turn after every
    // yield, or twice after every second.
    let (mut seen, mut left_out, mut fair) = (TURNS.load(Ordering::Relaxed), 0_u32, true);
    for bytes in FRAMES.as_chunks::<4>().0.as_chunks::<POINTS>().0 {
        for (value, bytes) in coarse.iter_mut().zip(bytes) {
            *value = f32::from_le_bytes(*bytes); // On a board the sensor's driver is awaited.
        }
        let Some(mut push) = stream.begin(Some(&coarse))? else { continue };
        while !push.advance()? {
            yield_now().await;
            let turns = TURNS.load(Ordering::Relaxed);
            left_out = if turns == seen { left_out.saturating_add(1) } else { 0 };
            (seen, fair) = (turns, fair && left_out < 2);
        }
        found = digest(found, push.finish()?.frames);
    }
    Ok(fair.then_some(found))
}
