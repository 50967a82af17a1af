//! A frame in words, for lines and for the terminal.

use finescale_chain::Packet;

use super::line::{Received, Totals};
use super::temperatures::celsius;

/// A temperature.
pub(super) fn degrees(hundredths: i16) -> String {
    format!("{:.2} °C", celsius(hundredths))
}

/// The hottest point, and the fine frame as a whole.
pub(super) fn heat(packet: &Packet) -> String {
    let (y, x) = packet.at;
    let spread = match packet.spread {
        0 => "errors unknown".to_owned(),
        spread => format!("± {}", degrees(spread)),
    };
    format!(
        "hottest {} at row {y}, column {x}   mean {} {spread}",
        degrees(packet.hottest),
        degrees(packet.mean)
    )
}

/// The chance of the alarm, χ², and the names of the flags.
pub(super) fn judgement(packet: &Packet) -> String {
    let names: Vec<&str> = packet.status.names().collect();
    let chi2 = if packet.chi2 > 0.0 { format!("{:.2}", packet.chi2) } else { "–".into() };
    let status = if names.is_empty() { "nothing wrong".into() } else { names.join(", ") };
    format!("alarm {:.0} %   χ² {chi2}   {status}", 100.0 * packet.chance)
}

/// A frame as one line.
pub(crate) fn line(received: &Received) -> String {
    let Received { packet, lost, garbled, .. } = received;
    let mut line = format!("frame {}   {}   {}", packet.frame, heat(packet), judgement(packet));
    if lost + garbled > 0 {
        line += &format!("   before it: {lost} lost, {garbled} garbled");
    }
    line
}

/// What came in all.
pub(crate) fn totals(totals: &Totals) -> String {
    let Totals { frames, lost, garbled, restarts } = totals;
    let mut text = format!(
        "{}, {} lost, {} garbled",
        count(*frames, "frame"),
        count(*lost, "packet"),
        count(*garbled, "piece")
    );
    if *restarts > 0 {
        text += &format!(", {} of the board", count(*restarts, "restart"));
    }
    text
}

fn count(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
