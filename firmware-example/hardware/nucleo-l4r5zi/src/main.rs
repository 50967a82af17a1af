//! NUCLEO-L4R5ZI: a Cortex-M4F at 80 MHz with 640 KB of RAM. The array's SDA is at D14 (PB9) and its
//! SCL at D15 (PB8); the serial line goes through the board's debugger.
#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_stm32::i2c::{self, I2c};
use embassy_stm32::peripherals::{DMA1_CH1, DMA1_CH2, DMA1_CH3, I2C1};
use embassy_stm32::rcc::{Pll, PllMul, PllPreDiv, PllRDiv, PllSource, Sysclk};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, UartTx};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{Config, bind_interrupts, dma};
use sensor_board::{BAUD, BUS_HERTZ, WATCHDOG};

bind_interrupts!(struct Interrupts {
    I2C1_EV => i2c::EventInterruptHandler<I2C1>;
    I2C1_ER => i2c::ErrorInterruptHandler<I2C1>;
    DMA1_CHANNEL1 => dma::InterruptHandler<DMA1_CH1>;
    DMA1_CHANNEL2 => dma::InterruptHandler<DMA1_CH2>;
    DMA1_CHANNEL3 => dma::InterruptHandler<DMA1_CH3>;
});

#[embassy_executor::main]
async fn main(_spawner: Spawner) -> ! {
    let chip = embassy_stm32::init(clocks());

    let mut settings = i2c::Config::default();
    settings.frequency = Hertz(BUS_HERTZ);
    let (tx, rx) = (chip.DMA1_CH1, chip.DMA1_CH2);
    let bus = I2c::new(chip.I2C1, chip.PB8, chip.PB9, tx, rx, Interrupts, settings);

    let mut settings = usart::Config::default();
    settings.baudrate = BAUD;
    let line = UartTx::new(chip.LPUART1, chip.PG7, chip.DMA1_CH3, Interrupts, settings)
        .expect("the clock of the serial line is fast enough");

    let mut watchdog = IndependentWatchdog::new(chip.IWDG, WATCHDOG.as_micros() as u32);
    watchdog.unleash();
    sensor_board::run(bus, line, move || watchdog.pet()).await
}

/// 80 MHz, the most without the core's boost, which the HAL leaves off.
fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hsi = true;
    config.rcc.pll = Some(Pll {
        source: PllSource::HSI,
        prediv: PllPreDiv::DIV1,
        mul: PllMul::MUL10,
        divp: None,
        divq: None,
        divr: Some(PllRDiv::DIV2),
    });
    config.rcc.sys = Sysclk::PLL1_R;
    config
}
