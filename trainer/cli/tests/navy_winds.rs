//! The real thing: eleven years of monthly winds (Debian package ferret-datasets) go in, and come
//! out in Python's xarray.
//!
//! `cargo xtask setup` gets the package and Python's packages; `cargo xtask test` names them to
//! this test.

use std::f64::consts::{PI, TAU};
use std::path::{Path, PathBuf};
use std::process::Command;

fn named(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set")).into()
}

#[test]
#[ignore = "needs Debian's ferret-datasets and Python: `cargo xtask test` runs it"]
fn monthly_navy_winds_go_in_and_come_out_in_xarray() {
    let (file, python) = (named("FINESCALE_WINDS"), named("FINESCALE_PYTHON"));
    let home = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_finescale");
    let mut import = Command::new(program);
    import.args(["data", "import"]).arg(&file).args(["--grid", "64x128", "--out", "winds.zarr"]);
    assert!(import.current_dir(home.path()).status().unwrap().success());
    let reader = finescale_data::dataset::Reader::open(&home.path().join("winds.zarr")).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.frames(), spec.ny(), spec.nx(), spec.channels.len()), (132, 64, 128, 2));
    let lengths: Vec<f64> = spec.axes().map(|axis| axis.length).collect();
    assert_eq!(lengths, [PI, TAU]);
    reader.verify().unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/dataset.py");
    let mut compare = Command::new(python);
    compare.arg(script).arg(program).arg(&file).arg(home.path());
    assert!(compare.current_dir(home.path()).status().unwrap().success());
}
