//! What every sensor board does, whatever its chip: it reads the array, computes, sends, logs, and
//! feeds the watchdog. A board's own program gives it a bus, a serial line and a watchdog.
//!
//! ```text
//! I²C ─▶ chain ─▶ packet ─▶ serial line     the desktop: `finescale listen`
//!          │         └────▶ defmt over RTT  the debugger: `probe-rs run`
//!          └─ a layer is done ─▶ watchdog
//! ```
#![no_std]

mod faults;
mod watchdog;

use defmt_rtt as _;
use embassy_time::{Duration, Instant, Timer};
use embedded_hal_async::i2c::I2c;
use embedded_io_async::Write;
use finescale::Error;
use finescale_chain::{Chain, Packet, setup, wire};
use static_cell::ConstStaticCell;
use watchdog::Watchdog;

/// The bus's clock: the array takes up to 400 kHz.
pub const BUS_HERTZ: u32 = 400_000;
/// The serial line's symbols in a second. Ten packets of 2.3 KB, ten bits a byte, need 230 000.
pub const BAUD: u32 = 921_600;
/// The longest that the watchdog may stay unfed: longer than any layer, and than a packet takes.
pub const WATCHDOG: Duration = Duration::from_secs(4);
/// Time between two frames of the array.
const PERIOD: Duration = Duration::from_millis(100);

static MEMORY: ConstStaticCell<[f32; setup::MEMORY]> = ConstStaticCell::new([0.0; setup::MEMORY]);

/// The program, once the chip is set up. `feed` feeds the watchdog, which was started with
/// [`WATCHDOG`]; a bus that nobody releases ends by it.
pub async fn run(bus: impl I2c, mut line: impl Write, feed: impl FnMut() + Send) -> ! {
    if let Err(fault) = finescale::self_test() {
        defmt::error!("the floating-point unit gives other bits: {}", fault);
        faults::reset();
    }
    let watchdog = Watchdog::new(feed);
    let mut chain = match Chain::new(bus, setup::MODEL, MEMORY.take(), &watchdog) {
        Ok(chain) => chain,
        Err(error) => refused(error),
    };
    let mut next = Instant::now();
    loop {
        Timer::at(next).await;
        watchdog.feed();
        let began = Instant::now();
        let packet = chain.step_async().await.unwrap_or_else(|error| refused(error));
        if let Some(packet) = packet {
            log(&packet, began.elapsed());
            let sent = match wire::encode(&packet) {
                Some(bytes) => line.write_all(&bytes).await.is_ok(),
                None => false,
            };
            if !sent {
                defmt::warn!("frame {=u32} was not sent", packet.frame);
            }
        }
        // Where it took longer, the frames that were missed are gone: the next reading is of now.
        next = (next + PERIOD).max(Instant::now());
    }
}

/// A frame in a line, and each of its flags in one.
fn log(packet: &Packet, took: Duration) {
    defmt::info!(
        "frame {=u32}: hottest {=i16}/100 °C, chance of alarm {=u32} %, {=u64} ms",
        packet.frame,
        packet.hottest,
        (100.0 * packet.chance) as u32,
        took.as_millis()
    );
    for name in packet.status.names() {
        defmt::info!("    {=str}", name);
    }
}

/// The runtime refused what it was given, which no later frame mends.
fn refused(error: Error) -> ! {
    defmt::error!("refused: {}", error);
    faults::reset()
}
