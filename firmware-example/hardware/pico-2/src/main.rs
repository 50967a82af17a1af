//! Raspberry Pi Pico 2: an RP2350 with Cortex-M33 at 150 MHz and 520 KB of RAM. The array's SDA is at
//! GP4 and its SCL at GP5; the serial line leaves at GP0, for a debug probe.
#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_rp::bind_interrupts;
use embassy_rp::config::Config;
use embassy_rp::i2c::{self, I2c};
use embassy_rp::peripherals::{I2C0, UART0};
use embassy_rp::uart::{self, BufferedUartTx};
use embassy_rp::watchdog::Watchdog;
use sensor_board::{BAUD, BUS_HERTZ, WATCHDOG};

bind_interrupts!(struct Interrupts {
    I2C0_IRQ => i2c::InterruptHandler<I2C0>;
    UART0_IRQ => uart::BufferedInterruptHandler<UART0>;
});

#[embassy_executor::main]
async fn main(_spawner: Spawner) -> ! {
    let chip = embassy_rp::init(Config::default());

    let mut settings = i2c::Config::default();
    settings.frequency = BUS_HERTZ;
    let bus = I2c::new_async(chip.I2C0, chip.PIN_5, chip.PIN_4, Interrupts, settings);

    let mut settings = uart::Config::default();
    settings.baudrate = BAUD;
    let mut sent = [0; 1024];
    let line = BufferedUartTx::new(chip.UART0, Interrupts, chip.PIN_0, &mut sent, settings);

    let mut watchdog = Watchdog::new(chip.WATCHDOG);
    watchdog.pause_on_debug(true);
    watchdog.start(WATCHDOG);
    sensor_board::run(bus, line, move || watchdog.feed(WATCHDOG)).await
}
