//! NUCLEO-H743ZI: a Cortex-M7 at 400 MHz with 512 KB of RAM, and 128 KB for the stack. The array's
//! SDA is at D14 (PB9) and its SCL at D15 (PB8); the serial line goes through the board's debugger.
//!
//! The caches are on, so that nothing here may go by DMA, which does not see them: a frame comes over
//! the bus in 4 ms, in which the core waits, and the serial line has interrupts.
#![no_std]
#![no_main]

use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_executor::Spawner;
use embassy_stm32::i2c::{self, I2c};
use embassy_stm32::peripherals::USART3;
use embassy_stm32::rcc::{
    AHBPrescaler, APBPrescaler, HSIPrescaler, Pll, PllDiv, PllMul, PllPreDiv, PllSource, Sysclk,
    VoltageScale,
};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedUart};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{Config, bind_interrupts};
use sensor_board::{BAUD, BUS_HERTZ, WATCHDOG};

bind_interrupts!(struct Interrupts {
    USART3 => usart::BufferedInterruptHandler<USART3>;
});

#[embassy_executor::main]
async fn main(_spawner: Spawner) -> ! {
    let chip = embassy_stm32::init(clocks());
    if let Some(mut core) = cortex_m::Peripherals::take() {
        core.SCB.enable_icache();
        core.SCB.enable_dcache(&mut core.CPUID);
    }

    let mut settings = i2c::Config::default();
    settings.frequency = Hertz(BUS_HERTZ);
    let bus = BlockingAsync::new(I2c::new_blocking(chip.I2C1, chip.PB8, chip.PB9, settings));

    let mut settings = usart::Config::default();
    settings.baudrate = BAUD;
    let (mut sent, mut received) = ([0; 1024], [0; 1]);
    let (pins, buffers) = ((chip.PD9, chip.PD8), (&mut sent, &mut received));
    let line =
        BufferedUart::new(chip.USART3, pins.0, pins.1, buffers.0, buffers.1, Interrupts, settings)
            .expect("the clock of the serial line is fast enough");

    let mut watchdog = IndependentWatchdog::new(chip.IWDG1, WATCHDOG.as_micros() as u32);
    watchdog.unleash();
    sensor_board::run(bus, line, move || watchdog.pet()).await
}

/// 400 MHz for the core, 200 MHz for the RAM, 100 MHz for what is around it.
fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hsi = Some(HSIPrescaler::DIV1);
    config.rcc.pll1 = Some(Pll {
        source: PllSource::HSI,
        prediv: PllPreDiv::DIV4,
        mul: PllMul::MUL50,
        fracn: None,
        divp: Some(PllDiv::DIV2),
        divq: None,
        divr: None,
    });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.ahb_pre = AHBPrescaler::DIV2;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config.rcc.apb2_pre = APBPrescaler::DIV2;
    config.rcc.apb3_pre = APBPrescaler::DIV2;
    config.rcc.apb4_pre = APBPrescaler::DIV2;
    config.rcc.voltage_scale = VoltageScale::Scale1;
    config
}
