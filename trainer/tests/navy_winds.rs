//! The real thing: eleven years of monthly winds (Debian package ferret-datasets) go in, and come out in Python's xarray.
//!
//! The package (28 MB) and a Python environment are fetched once into the target folder. Without apt-get or Python the
//! test says why it was skipped.

#[path = "common/python.rs"]
mod python;

use std::f64::consts::{PI, TAU};
use std::io::Write;
use std::path::{Path, PathBuf};

use python::{folder, last_line, python, run, succeeded};

/// The file, fetched unless it is there already.
fn winds() -> Result<PathBuf, String> {
    let debian = folder("debian");
    let file = debian.join("usr/share/ferret-vis/data/monthly_navy_winds.cdf");
    if file.is_file() {
        return Ok(file);
    }
    let fetch = || run("apt-get", &["download", "ferret-datasets"], &debian);
    let mut fetched = fetch();
    if !succeeded(&fetched) {
        // A new machine has no list of packages yet.
        run("apt-get", &["update"], &debian);
        fetched = fetch();
    }
    if !succeeded(&fetched) {
        return Err(format!("apt-get cannot fetch ferret-datasets: {}", last_line(fetched)));
    }
    let package = std::fs::read_dir(&debian)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "deb"))
        .ok_or("apt-get left no package")?;
    let unpacked = run("dpkg-deb", &["-x", &package.to_string_lossy(), "."], &debian);
    if !succeeded(&unpacked) || !file.is_file() {
        return Err(format!("dpkg-deb cannot unpack it: {}", last_line(unpacked)));
    }
    std::fs::remove_file(package).unwrap();
    Ok(file)
}

/// Printed even though the test passes: the test runner withholds `eprintln!`, not this.
fn say(line: &str) {
    let _unseen = writeln!(std::io::stderr(), "navy winds {line}");
}

#[test]
fn monthly_navy_winds_go_in_and_come_out_in_xarray() {
    let file = match winds() {
        Ok(file) => file,
        Err(reason) => return say(&format!("skipped: {reason}")),
    };
    let home = tempfile::tempdir().unwrap();
    let name = file.to_string_lossy().into_owned();
    let program = env!("CARGO_BIN_EXE_finescale");
    let output =
        run(program, &["data", "import", &name, "--out", "winds.zarr"], home.path()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let reader = finescale_trainer::dataset::Reader::open(&home.path().join("winds.zarr")).unwrap();
    let spec = reader.spec();
    assert_eq!((spec.frames(), spec.ny(), spec.nx(), spec.channels.len()), (132, 64, 128, 2));
    let lengths: Vec<f64> = spec.axes().map(|axis| axis.length).collect();
    assert_eq!(lengths, [PI, TAU]);
    reader.verify().unwrap();

    let packages = ["xarray", "zarr>=3", "netCDF4", "scipy", "cftime", "dask"];
    let modules = "xarray, zarr, netCDF4, scipy, cftime, dask";
    let python = match python("python", modules, &packages) {
        Ok(python) => python,
        Err(reason) => return say(&format!("skipped the part in Python: {reason}")),
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/dataset.py");
    let arguments =
        [&script.to_string_lossy(), program, &name, &home.path().to_string_lossy() as &str];
    let output = run(&python.to_string_lossy(), &arguments, home.path()).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    println!("{text}");
}
