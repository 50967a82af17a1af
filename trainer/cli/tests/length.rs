//! Axes of different length: lengths follow the coordinates; damping and spectra are those of the
//! true wavenumbers.

mod common;

use std::f64::consts::{PI, TAU};

use common::files::{Grid, field};
use common::{Home, finescale};
use finescale::spectral::{forward, inverse, scratch_len};
use finescale::{Field, ForwardProcess, Laplacian, Modes};
use finescale_data::dataset::Reader;
use serde_json::{Value, json};

fn lengths(reader: &Reader) -> Vec<f64> {
    reader.spec().axes().map(|axis| axis.length).collect()
}

fn globe(ny: usize, nx: usize) -> Home {
    let home = Home::empty();
    Grid::new(40, ny, nx).write(&home.path("a.nc"));
    home
}

#[test]
fn a_globe_is_half_as_far_from_pole_to_pole_as_around() {
    for (ny, nx, arguments) in
        [(32, 64, vec![]), (20, 36, vec!["--grid", "64x8"]), (50, 100, vec!["--grid", "16x128"])]
    {
        let reader = globe(ny, nx).imported("a.nc", &arguments);
        assert_eq!(lengths(&reader), [PI, TAU]);
        assert_eq!(reader.manifest().parameters["length"], json!([PI, TAU]));
    }
    // Points on both poles.
    let home = Home::empty();
    let mut grid = Grid::new(40, 37, 36);
    grid.lat = (0..37).map(|j| 5.0 * f64::from(j) - 90.0).collect();
    grid.write(&home.path("a.nc"));
    assert_eq!(lengths(&home.imported("a.nc", &["--grid", "36x36"])), [PI, TAU]);
}

#[test]
fn an_area_has_the_lengths_of_its_own_sides() {
    let home = globe(32, 64);
    for (area, expected) in [
        (vec!["--isel", "lon=0:32"], [TAU, TAU]),
        (vec!["--isel", "lon=0:16"], [TAU, PI]),
        (vec!["--isel", "lon=0:16", "--grid", "8x16"], [TAU, PI]),
        (vec!["--isel", "lat=0:8"], [PI / 4.0, TAU]),
        (vec!["--area", "0:45,-45:40"], [PI, TAU]),
    ] {
        let reader = home.imported("a.nc", &[&area[..], &["--force"]].concat());
        assert_eq!(lengths(&reader), expected, "{area:?}");
    }
}

/// The field is 3 + cos(2x − 0.3n) cos y + ½ sin(0.7n) cos 3y: κ is 0, 5 and 9.
#[test]
fn a_global_field_is_damped_by_its_true_wavenumbers() {
    let home = globe(32, 64);
    let reader = home.imported("a.nc", &[]);
    let (spec, grid) = (reader.spec(), reader.spec().grid().unwrap());
    let process = ForwardProcess::new(0.3, 2.0, Laplacian::Spectral).unwrap();
    let (frame, lambda) = (7, 0.25_f32);
    let mut values = reader.read(0, frame..frame + 1).unwrap();
    let mut scratch = vec![0.0; scratch_len(&grid)];
    forward(&grid, Field::from_mut(&mut values), &mut scratch).unwrap();
    process.damp(&grid, lambda, Modes::from_mut(&mut values)).unwrap();
    inverse(&grid, Modes::from_mut(&mut values), &mut scratch).unwrap();
    let damping = |kappa: f64| (-0.3 * kappa * f64::from(lambda)).exp();
    let n = frame as f64;
    let latitudes = &spec.y.as_ref().unwrap().coordinates;
    for (p, value) in values.iter().enumerate() {
        let (lat, lon) = (latitudes[p / spec.nx()], spec.x.coordinates[p % spec.nx()]);
        let zonal = 0.5 * (3.0 * (lat + 90.0).to_radians()).cos() * (0.7 * n).sin();
        let wave = field(n, lat, lon) - 3.0 - zonal;
        let expected = 3.0 + damping(5.0) * wave + damping(9.0) * zonal;
        assert!((f64::from(*value) - expected).abs() < 2e-6, "{lat} {lon}: {value} {expected}");
    }
}

/// Waves of |k| = √5 and 3, with a variance of ¼ and of ⅛ sin²(0.7n).
#[test]
fn power_lies_in_the_shells_of_the_true_wavenumbers() {
    let reader = globe(32, 64).imported("a.nc", &["--split", "none"]);
    let statistics = reader.statistics();
    let (channel, shells) = (&statistics.channels[0], &statistics.shells);
    assert_eq!(shells.unit, 1.0);
    let zonal = (0..40).map(|n| (0.7 * f64::from(n)).sin().powi(2)).sum::<f64>() / 40.0 / 8.0;
    let points = reader.spec().points() as f64;
    for (shell, (power, &modes)) in channel.power.iter().zip(&shells.modes).enumerate() {
        let variance = power * modes as f64 / points * channel.std.powi(2);
        let expected = [0.0, 0.0, 0.25, zonal].get(shell).copied().unwrap_or(0.0);
        assert!((variance - expected).abs() < 1e-7, "shell {shell}: {variance} {expected}");
    }
}

#[test]
fn info_tells_the_lengths_and_cuts_off_at_the_true_wavenumber() {
    let home = globe(32, 64);
    let info = |arguments: &[&str]| {
        let output = finescale(home.0.path(), &[&["data", "info", "out.zarr"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    home.imported("a.nc", &[]);
    let text = info(&[]);
    assert!(text.contains("length 3.1415927") && text.contains("length 6.2831855"), "{text}");
    let json = |coarse: &str| -> Value {
        serde_json::from_str(&info(&["--json", "--beta2", "1000", "--coarse", coarse])).unwrap()
    };
    // A coarse grid of 4 × 6 carries |k| < 3 along x and < 4 along y; one of 3 × 8, the other way
    // round.
    for (coarse, cutoff) in [("4x6", 3), ("3x8", 3), ("2x8", 2), ("8x4", 2)] {
        let json = json(coarse);
        assert_eq!(json["axes"][0]["length"], json!(PI));
        let scales = json["channels"][0]["emergence_scale"].as_array().unwrap();
        let beyond = scales[cutoff..].iter().filter_map(Value::as_f64).fold(0.0, f64::max);
        assert_eq!(json["suggested_lambda"], json!(beyond), "{coarse}");
    }
}

#[test]
fn lengths_are_equal_without_a_common_unit_and_as_asked_for_otherwise() {
    let home = Home::empty();
    let line =
        "data simulate linear --dimensions 2 --grid 16 --frames 20 --trajectories 3 --out in.zarr";
    let arguments: Vec<&str> = line.split(' ').collect();
    assert!(finescale(home.0.path(), &arguments).status.success());
    let output = home.import("in.zarr", &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("`y` and `x` have no unit in common"), "{said}");
    let reader = Reader::open(&home.path("out.zarr")).unwrap();
    assert_eq!(lengths(&reader), [TAU, TAU]);

    let output = home.import("in.zarr", &["--length", "1.5,6", "--force"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("in common") && said.contains("length 1.5"), "{said}");
    let reader = Reader::open(&home.path("out.zarr")).unwrap();
    assert_eq!(lengths(&reader), [1.5, 6.0]);
    assert_eq!(reader.manifest().parameters["length"], json!([1.5, 6.0]));
}
