//! The recordings of sensors that ship with the project (`tests/data/real`), imported as
//! `docs/real-data.md` says.

#[allow(dead_code, reason = "nothing is made here but folders")]
mod common;

use std::path::PathBuf;

use common::Home;
use finescale_data::dataset::Reader;

/// Imports a file of the folder.
fn imported(home: &Home, name: &str, arguments: &[&str]) -> Reader {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/real");
    let arguments = [&["--split", "none"], arguments].concat();
    home.imported(folder.join(name).to_str().unwrap(), &arguments)
}

/// The numbers of a data set of one trajectory, `[frame][y][x]`.
fn values(reader: &Reader) -> Vec<f32> {
    reader.read(0, 0..reader.spec().frames()).unwrap()
}

/// If it failed, rain would be read as codes, or with times and units of something else.
#[test]
fn radar_is_read_in_its_units() {
    for (name, units, minutes, some) in
        [("fmi-radar.nc", "dBZ", 5.0, 21.5), ("mrms-radar.nc", "mm h-1", 2.0, 1.2)]
    {
        let home = Home::empty();
        let reader = imported(&home, name, &[]);
        let spec = reader.spec();
        assert_eq!((spec.frames(), spec.ny(), spec.nx()), (12, 96, 96));
        assert_eq!((spec.channels[0].units.as_str(), spec.time.interval), (units, minutes));
        // The y axis of a data set rises, as that of the file does.
        assert!((values(&reader)[(3 * 96 + 40) * 96 + 50] - some).abs() < 1e-5);
    }
}

/// If it failed, edges that move would look like a comb: every record renews half of the pixels.
#[test]
fn records_of_a_thermal_array_are_renewed_in_halves() {
    let home = Home::empty();
    let log = std::fs::read(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/real/mlx90640.raw"),
    )
    .unwrap();
    let numbers = log.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()));
    let log: Vec<f32> = numbers.collect();
    let at = |frame: usize, pixel: usize| log[frame * 768 + pixel];
    let reader = imported(
        &home,
        "mlx90640.raw",
        &[
            "--raw",
            "24x32",
            "--drop-repeats",
            "--fill",
            "interpolate,nearest",
            "--interval",
            "0.0625",
            "--time-units",
            "seconds",
        ],
    );
    assert_eq!(reader.spec().frames(), 48);
    let values = values(&reader);
    let (mut renewed, mut between) = (0, 0);
    for frame in 2..46 {
        for pixel in 0..768 {
            let is_new = |n: usize| at(n, pixel) != at(n - 1, pixel);
            let found = values[frame * 768 + pixel];
            if is_new(frame) {
                renewed += 1;
                assert_eq!(found, at(frame, pixel));
            } else if is_new(frame - 1) && is_new(frame + 1) {
                between += 1;
                let mean = 0.5 * (at(frame - 1, pixel) + at(frame + 1, pixel));
                assert!((found - mean).abs() < 1e-4, "{found} {mean}");
            }
        }
    }
    // A chess board: half and half.
    let all = 44 * 768;
    assert!(renewed * 10 > all * 4 && between * 10 > all * 4, "{renewed} {between} of {all}");
}

/// If it failed, the longest line that a sensor of the docs has would be refused.
#[test]
fn a_fibre_of_three_thousand_points_is_a_line() {
    let home = Home::empty();
    let arguments = ["--isel", "x=0:3000", "--interval", "257", "--time-units", "seconds"];
    let reader = imported(&home, "forge.npy", &arguments);
    assert_eq!((reader.spec().frames(), reader.spec().nx()), (24, 3000));
    assert!(reader.spec().y.is_none());
    assert!((values(&reader)[2 * 3000 + 1000] - 215.51).abs() < 1e-3);
}
