//! Files that netCDF4, h5netcdf and xarray write, as climate centres have them: the numbers that
//! xarray reads.
//!
//! `cargo xtask setup` gets Python's packages; `cargo xtask test` names them to this test.

#[path = "common/home.rs"]
mod home;
#[path = "common/packets.rs"]
mod packets;

use std::path::Path;
use std::process::Command;

use home::Home;
use packets::{SENT, bytes};

#[test]
#[ignore = "needs Python: `cargo xtask test` runs it"]
fn files_of_python_libraries_are_read_as_xarray_reads_them() {
    let python = std::env::var_os("FINESCALE_PYTHON").expect("FINESCALE_PYTHON is not set");
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/files.py");
    let mut compare = Command::new(python);
    compare.arg(script).arg(env!("CARGO_BIN_EXE_finescale")).arg(home.path());
    assert!(compare.current_dir(home.path()).status().unwrap().success());
}

/// If this failed, who records a board could not read it where most people read NetCDF.
#[test]
#[ignore = "needs Python: `cargo xtask test` runs it"]
fn a_recording_of_a_board_opens_in_xarray() {
    let python = std::env::var_os("FINESCALE_PYTHON").expect("FINESCALE_PYTHON is not set");
    let home = Home::empty();
    std::fs::write(home.path("board.bin"), bytes(0..SENT.len())).unwrap();
    home.succeeds("listen board.bin --out a.nc");
    let fine = SENT.iter().flat_map(|(packet, _)| &packet.fine).flat_map(|v| v.to_le_bytes());
    std::fs::write(home.path("fine.raw"), fine.collect::<Vec<u8>>()).unwrap();
    let status = SENT.iter().flat_map(|(packet, _)| packet.status.0.to_le_bytes());
    std::fs::write(home.path("status.raw"), status.collect::<Vec<u8>>()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/recording.py");
    let mut compare = Command::new(python);
    assert!(compare.arg(script).current_dir(home.path("")).status().unwrap().success());
}
