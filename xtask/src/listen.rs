//! What the program `sensor` has sent under QEMU, shown as a desktop shows a real board's line.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::{command, demo, paths};

/// Where the program leaves its packets.
fn packets() -> PathBuf {
    paths::firmware_target().join("packets.bin")
}

/// Takes the packets of an earlier run away.
pub(crate) fn forget() {
    // There may be none.
    let _ = fs::remove_file(packets());
}

/// Shows the packets of the last board that was run, and draws their last frame.
///
/// # Errors
/// If the program `finescale` cannot be built, or finds no packet.
pub(crate) fn show() -> Result<()> {
    let packets = packets();
    if !packets.is_file() {
        println!("no packets were sent: no board was run");
        return Ok(());
    }
    let mut listen = Command::new(demo::build(&paths::root())?);
    listen.arg("listen").arg(&packets).arg("--picture").arg(packets.with_extension("png"));
    command::run(&mut listen)
}
