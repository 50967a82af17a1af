//! What the program logs: through defmt, or as text.

use finescale::Error;
#[cfg(not(feature = "defmt"))]
use finescale_board::line;
use finescale_chain::Packet;

/// A frame in a line.
pub(crate) fn frame(packet: &Packet) {
    let Packet { frame, status, hottest, chance, .. } = packet;
    let percent = (100.0 * chance) as u32;
    #[cfg(feature = "defmt")]
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
    #[cfg(not(feature = "defmt"))]
    {
        line(format_args!(
            "frame {frame}: hottest {hottest}/100 °C, chance of alarm {percent} %, status {:#06x}",
            status.0
        ));
        status.names().for_each(|name| line(format_args!("    {name}")));
    }
}

/// The longest time in which the watchdog was not fed.
pub(crate) fn longest_gap(ticks: Option<u32>) {
    let Some(ticks) = ticks else { return };
    #[cfg(feature = "defmt")]
    defmt::info!("longest gap between two feedings: {=u32} ticks of 25 MHz", ticks);
    #[cfg(not(feature = "defmt"))]
    line(format_args!("longest gap between two feedings: {ticks} ticks"));
}

/// The runtime refused.
pub(crate) fn refused(error: Error) {
    #[cfg(feature = "defmt")]
    defmt::error!("FAIL  refused: {}", error);
    #[cfg(not(feature = "defmt"))]
    match error {
        // The error's own sentence prints a float in decimals, which panics deep inside `core`.
        Error::Parameter { name, expected, .. }
        | Error::Count { name, expected, .. }
        | Error::Conflict { name, expected } => {
            line(format_args!("FAIL  refused: {name} must be {expected}"));
        }
        _ => line(format_args!("FAIL  refused; the same chain on the desktop says why")),
    }
}

/// Other bits than the desktop's.
pub(crate) fn differs(found: u32, want: u32) {
    #[cfg(feature = "defmt")]
    defmt::error!("FAIL  digest {=u32:#010x}, want {=u32:#010x}", found, want);
    #[cfg(not(feature = "defmt"))]
    line(format_args!("FAIL  digest {found:#010x}, want {want:#010x}"));
}

/// Other packets than those that should are marked as made without a model.
pub(crate) fn without_model(found: u32, want: u32) {
    #[cfg(feature = "defmt")]
    defmt::error!("{=u32} packets say that there is no model, {=u32} should", found, want);
    #[cfg(not(feature = "defmt"))]
    line(format_args!("{found} packets say that there is no model, {want} should"));
}
