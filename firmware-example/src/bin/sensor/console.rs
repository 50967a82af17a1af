//! What the program logs: defmt on Cortex-M, plain text elsewhere.

#[cfg(target_arch = "arm")]
use defmt_semihosting as _;
use finescale::Error;
use finescale_chain::Packet;

/// A frame in a line.
pub(crate) fn frame(packet: &Packet) {
    let Packet { frame, status, hottest, chance, .. } = packet;
    let percent = (100.0 * chance) as u32;
    #[cfg(target_arch = "arm")]
    {
        defmt::info!(
            "frame {=u32}: hottest {=i16}/100 °C, chance of alarm {=u32} %, {}",
            *frame,
            *hottest,
            percent,
            *status
        );
        for name in status.names() {
            defmt::info!("    {=str}", name);
        }
    }
    #[cfg(not(target_arch = "arm"))]
    semihosting::println!(
        "frame {frame}: hottest {hottest}/100 °C, chance of alarm {percent} %, status {:#06x}",
        status.0
    );
}

/// The longest time in which the watchdog was not fed.
pub(crate) fn longest_gap(ticks: Option<u32>) {
    let Some(ticks) = ticks else { return };
    #[cfg(target_arch = "arm")]
    defmt::info!("longest gap between two feedings: {=u32} ticks of 25 MHz", ticks);
    #[cfg(not(target_arch = "arm"))]
    semihosting::println!("longest gap between two feedings: {ticks} ticks");
}

/// The runtime refused.
pub(crate) fn refused(error: Error) {
    #[cfg(target_arch = "arm")]
    defmt::error!("FAIL  refused: {}", error);
    #[cfg(not(target_arch = "arm"))]
    semihosting::println!("FAIL  refused: {error:?}");
}

/// Other bits than the desktop's.
pub(crate) fn differs(found: u32, want: u32) {
    #[cfg(target_arch = "arm")]
    defmt::error!("FAIL  digest {=u32:#010x}, want {=u32:#010x}", found, want);
    #[cfg(not(target_arch = "arm"))]
    semihosting::println!("FAIL  digest {found:#010x}, want {want:#010x}");
}

/// A fault of the processor.
#[cfg(target_arch = "arm")]
pub(crate) fn fault(cause: u32, address: u32) {
    defmt::error!("FAULT cause {=u32:#010x} at {=u32:#010x}", cause, address);
}

/// A broken invariant.
pub(crate) fn panicked(info: &core::panic::PanicInfo<'_>) {
    #[cfg(target_arch = "arm")]
    defmt::error!("PANIC {}", defmt::Display2Format(info));
    #[cfg(not(target_arch = "arm"))]
    semihosting::println!("PANIC {info}");
}
