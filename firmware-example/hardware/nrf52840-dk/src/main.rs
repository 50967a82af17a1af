//! nRF52840 DK: a Cortex-M4F at 64 MHz with 256 KB of RAM. The array's SDA is at P0.26 and its SCL at
//! P0.27; the serial line goes through the board's debugger.
#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_nrf::config::{Config, HfclkSource, LfclkSource};
use embassy_nrf::peripherals::TWISPI0;
use embassy_nrf::twim::{self, Twim};
use embassy_nrf::uarte::{self, Baudrate, UarteTx};
use embassy_nrf::wdt::{self, HaltConfig, Watchdog};
use embassy_nrf::{bind_interrupts, peripherals};
use sensor_board::{BAUD, BUS_HERTZ, WATCHDOG};

bind_interrupts!(struct Interrupts {
    TWISPI0 => twim::InterruptHandler<TWISPI0>;
    UARTE0 => uarte::InterruptHandler<peripherals::UARTE0>;
});
const _: () = assert!(BAUD == 921_600 && BUS_HERTZ == 400_000);

#[embassy_executor::main]
async fn main(_spawner: Spawner) -> ! {
    // The crystals of the board: the serial line needs a clock that is right to a percent.
    let mut config = Config::default();
    config.hfclk_source = HfclkSource::ExternalXtal;
    config.lfclk_source = LfclkSource::ExternalXtal;
    let chip = embassy_nrf::init(config);

    let mut settings = twim::Config::default();
    settings.frequency = twim::Frequency::K400;
    // What is written goes through RAM: the chip's DMA does not read flash.
    let mut written = [0; 8];
    let bus = Twim::new(chip.TWISPI0, Interrupts, chip.P0_26, chip.P0_27, settings, &mut written);

    let mut settings = uarte::Config::default();
    settings.baudrate = Baudrate::Baud921600;
    let line = UarteTx::new(chip.UARTE0, Interrupts, chip.P0_06, settings);

    let mut settings = wdt::Config::default();
    settings.timeout_ticks = (WATCHDOG.as_micros() * 32_768 / 1_000_000) as u32;
    settings.action_during_debug_halt = HaltConfig::Pause;
    let Ok((_, [mut watchdog])) = Watchdog::try_new(chip.WDT, settings) else {
        panic!("the watchdog runs with other settings: take the board from its power")
    };
    sensor_board::run(bus, line, move || watchdog.pet()).await
}
