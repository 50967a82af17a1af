//! Files that netCDF4, h5netcdf and xarray write, as climate centres have them: the numbers that
//! xarray reads.
//!
//! `cargo xtask setup` gets Python's packages; `cargo xtask test` names them to this test.

use std::path::Path;
use std::process::Command;

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
