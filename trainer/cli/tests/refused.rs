//! Bad input of `finescale data import`: one sentence, a non-zero exit, nothing left behind.

mod common;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::Home;
use common::files::Grid;
use common::home::one_sentence;

/// The sentence of an import that must fail and leave nothing behind.
fn refused(home: &Home, file: &str, arguments: &[&str]) -> String {
    let before = home.entries();
    let error = one_sentence(file, &home.import(file, arguments));
    assert_eq!(home.entries(), before, "something was left behind");
    error
}

/// Changes a good file, imports it and expects the sentence to contain `says`.
fn refuses(change: impl Fn(&mut Grid), arguments: &[&str], says: &str) {
    let home = Home::empty();
    let mut grid = Grid::new(40, 16, 32);
    change(&mut grid);
    grid.write(&home.path("a.nc"));
    let error = refused(&home, "a.nc", arguments);
    assert!(error.contains(says), "{arguments:?}: {error}");
}

#[test]
fn a_missing_file() {
    assert!(refused(&Home::empty(), "none.nc", &[]).contains("none.nc does not exist"));
}

#[test]
fn files_of_another_kind() {
    let home = Home::empty();
    std::fs::write(home.path("a.nc"), "").unwrap();
    assert!(refused(&home, "a.nc", &[]).contains("is empty"));
    std::fs::write(home.path("a.nc"), "latitude,longitude\n").unwrap();
    assert!(refused(&home, "a.nc", &[]).contains("none of NetCDF, Zarr, .npy and .npz"));
    std::fs::create_dir(home.path("folder")).unwrap();
    assert!(refused(&home, "folder", &[]).contains("no Zarr group"));
}

/// A download that broke off must not be imported as far as it goes.
#[test]
fn a_truncated_netcdf() {
    let home = Home::empty();
    Grid::new(40, 16, 32).write(&home.path("whole.nc"));
    let bytes = std::fs::read(home.path("whole.nc")).unwrap();
    for length in [20, 300, bytes.len() / 2, bytes.len() - 8] {
        std::fs::write(home.path("a.nc"), &bytes[..length]).unwrap();
        let error = refused(&home, "a.nc", &[]);
        assert!(error.contains("damaged"), "{length}: {error}");
    }
}

#[test]
fn a_truncated_npy() {
    let home = Home::empty();
    let mut bytes = b"\x93NUMPY\x01\x00\x46\x00".to_vec();
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40, 16), }";
    bytes.extend(format!("{header:69}\n").bytes());
    bytes.extend([0_u8; 400]);
    std::fs::write(home.path("a.npy"), bytes).unwrap();
    assert!(refused(&home, "a.npy", &[]).contains("damaged"));
}

#[test]
fn a_truncated_zarr() {
    let home = Home::empty();
    Grid::new(40, 16, 32).write(&home.path("a.nc"));
    home.imported("a.nc", &[]);
    std::fs::rename(home.path("out.zarr"), home.path("in.zarr")).unwrap();
    let chunk = home.path("in.zarr/u/c/0/0/0/0");
    let bytes = std::fs::read(&chunk).unwrap();
    std::fs::write(&chunk, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused(&home, "in.zarr", &[]).contains("damaged"));
    std::fs::remove_file(&chunk).unwrap();
    assert!(refused(&home, "in.zarr", &[]).contains("`u` misses 20480 of 20480 values"));
    std::fs::write(home.path("in.zarr/zarr.json"), "{").unwrap();
    assert!(refused(&home, "in.zarr", &[]).contains("cannot be read as Zarr"));
}

#[test]
fn absent_names() {
    refuses(
        |_| (),
        &["--var", "w"],
        "there is no variable `w`; there are: u(time 40, lat 16, lon 32)",
    );
    refuses(|_| (), &["--isel", "level=3"], "has no dimension `level`");
    refuses(|_| (), &["--sel", "lat=3"], "there is no such value");
    refuses(|_| (), &["--trajectory-axis", "lat", "--isel", "lon=0"], "0 dimensions in space");
}

#[test]
fn times_out_of_order() {
    refuses(|g| g.time.swap(7, 8), &[], "time does not increase: step 8");
    refuses(|g| g.time[9] = g.time[8], &[], "time does not increase: step 9");
    refuses(|g| g.time[39] += 30.0, &[], "time is irregular: from step 38");
    refuses(|g| g.time_units = Some("moons since 2000-01-01"), &[], "`moons since 2000-01-01`");
    refuses(|g| g.time[9] = f64::NAN, &[], "`time` is missing at index 9");
}

#[test]
fn times_that_are_not_there() {
    refuses(|_| (), &["--time", "30:50"], "ends beyond the 40 steps");
    refuses(|_| (), &["--time", "1999-01:1999-12"], "chooses no step");
    refuses(|_| (), &["--drop-steps", "40"], "steps 0 to 39");
    refuses(|_| (), &["--time", "3:4"], "at least 2");
    refuses(|g| g.time_units = None, &["--anomaly", "monthly"], "needs dates");
    refuses(|_| (), &["--calendar", "mayan"], "`mayan`");
}

#[test]
fn missing_values() {
    let hole = |g: &mut Grid| {
        g.fill = Some(-1.0);
        g.u[5 * 512 + 33] = -1.0;
    };
    refuses(
        hole,
        &[],
        "misses 1 of 20480 values (0.005 %: in step 5 within lat -73.125 to -73.125, lon 11.25 to \
         11.25)",
    );
    refuses(|g| g.u[700] = f32::NAN, &[], "in step 1 within");
    let blank = |g: &mut Grid| g.u[5 * 512..6 * 512].fill(f32::NAN);
    refuses(blank, &[], "all of step 5");
    refuses(blank, &["--fill", "harmonic"], "step 5 cannot be filled");
}

#[test]
fn constant_fields() {
    refuses(|g| g.u.fill(4.5), &[], "`u` is constant (4.5) over the training part: leave it out");
}

#[test]
fn grids_that_do_not_fit() {
    refuses(
        |_| (),
        &["--grid", "22x32"],
        "22 points along `lat` does not fit: use an even product of 2, 3 and 5 from 8 to 2048, \
         such as 20",
    );
    let home = Home::empty();
    Grid::new(40, 37, 34).write(&home.path("a.nc"));
    let said = refused(&home, "a.nc", &[]);
    let nearest = "a grid of 37x34 points has no transform: give --grid 36x32, the nearest that";
    assert!(said.contains(nearest), "{said}");
    refuses(|_| (), &["--grid", "16x4096"], "4096 points along `lon`");
    refuses(|_| (), &["--grid", "4x4"], "4 points along `lat`");
    refuses(|_| (), &["--grid", "64"], "--grid names 1 axes where the field has 2");
    refuses(|_| (), &["--boundary", "periodic"], "--boundary names 1 boundaries");
    refuses(|_| (), &["--length", "2"], "--length names 1 lengths where the field has 2 axes");
    refuses(|_| (), &["--length=-1,2"], "the axis `lat` does not fit: length is -1: it must be");
    refuses(|_| (), &["--area", "10:20"], "write south:north,west:east");
    refuses(|_| (), &["--area", "10:12,0:90"], "fewer than 2 points of `lat`");
    refuses(|g| g.lat.swap(3, 4), &[], "`lat` goes up and down");
    refuses(|_| (), &["--time", "0:10"], "10 frames are too few to split by time");
    refuses(|_| (), &["--split", "trajectory"], "1 trajectories cannot be split");
}

/// What clap refuses is refused before anything is read: exit code 2, the usual one for usage.
#[test]
fn arguments_that_make_no_sense() {
    let home = Home::empty();
    Grid::new(40, 16, 32).write(&home.path("a.nc"));
    for arguments in [
        ["--fill", "interpolate,median"],
        ["--grid", "big"],
        ["--boundary", "open"],
        ["--anomaly", "weekly"],
        ["--split", "random"],
    ] {
        let output = home.import("a.nc", &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(home.entries(), ["a.nc"]);
    }
}

#[test]
fn an_output_that_exists() {
    let home = Home::empty();
    Grid::new(40, 16, 32).write(&home.path("a.nc"));
    home.imported("a.nc", &[]);
    assert!(
        refused(&home, "a.nc", &[])
            .contains("out.zarr exists: choose another --out, or pass --force")
    );
    home.imported("a.nc", &["--force"]);
    std::fs::remove_dir_all(home.path("out.zarr")).unwrap();
    std::fs::create_dir(home.path("out.zarr")).unwrap();
    std::fs::write(home.path("out.zarr/thesis.tex"), "").unwrap();
    assert!(refused(&home, "a.nc", &["--force"]).contains("is no data set"));
}

#[test]
fn a_folder_that_does_not_exist() {
    let home = Home::empty();
    Grid::new(40, 16, 32).write(&home.path("a.nc"));
    let output = home.import("a.nc", &["--out", "no/such/place.zarr"]);
    // The later --out counts.
    assert!(!output.status.success());
    assert_eq!(home.entries(), ["a.nc"]);
}

/// A full disk, as a limit on the size of files: writing fails half-way and leaves nothing.
#[test]
#[cfg(unix)]
fn a_disk_that_is_full() {
    let home = Home::empty();
    Grid::new(400, 16, 32).write(&home.path("a.nc"));
    // 16 blocks of 512 or 1024 bytes are less than a chunk. Ignored, the signal becomes the error
    // that disks give.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" data import a.nc --out out.zarr";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_finescale")])
        .current_dir(home.0.path())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("cannot write `u` of trajectory 0") && error.lines().count() == 1,
        "{error}"
    );
    assert_eq!(home.entries(), ["a.nc"]);
}

/// Ctrl-C in the middle of the work: exit code 130 and no temporary folder.
#[test]
#[cfg(unix)]
fn an_interruption() {
    let home = Home::empty();
    Grid::new(6000, 16, 16).write(&home.path("a.nc"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_finescale"))
        .args(["data", "import", "a.nc", "--out", "out.zarr", "--grid", "256x256"])
        .current_dir(home.0.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !home.entries().iter().any(|name| name.contains("partial")) {
        assert!(start.elapsed() < Duration::from_secs(60), "the import never began");
        assert!(
            child.try_wait().unwrap().is_none(),
            "the import ended before it could be interrupted"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8(output.stderr).unwrap().contains("interrupted"));
    assert_eq!(home.entries(), ["a.nc"]);
}
