//! Files that netCDF4, h5netcdf and xarray write, as climate centres have them: the numbers that
//! xarray reads.
//!
//! A Python environment is made once in the target folder. Without Python the test says why it was
//! skipped.

#[path = "common/python.rs"]
mod python;

use std::io::Write;
use std::path::Path;

use python::{python, run};

#[test]
fn files_of_python_libraries_are_read_as_xarray_reads_them() {
    let packages = ["xarray", "zarr>=3", "netCDF4", "h5netcdf", "h5py", "dask"];
    let modules = "xarray, zarr, netCDF4, h5netcdf, h5py, dask";
    let python = match python("python", modules, &packages) {
        Ok(python) => python,
        Err(reason) => {
            // Printed even though the test passes: the test runner withholds `eprintln!`, not this.
            let _unseen = writeln!(std::io::stderr(), "files of Python skipped: {reason}");
            return;
        }
    };
    let home = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/files.py");
    let arguments = [
        &script.to_string_lossy() as &str,
        env!("CARGO_BIN_EXE_finescale"),
        &home.path().to_string_lossy(),
    ];
    let output = run(&python.to_string_lossy(), &arguments, home.path()).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    println!("{text}");
}
