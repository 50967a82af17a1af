//! `finescale data import` on files that are as they should be: numbers, coordinates, splits.

mod common;

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use common::files::{Grid, field};
use common::{Home, finescale};
use finescale::Boundary;
use finescale_data::dataset::{Reader, Split};
use npyz::WriterBuilder;
use serde_json::{Value, json};
use zarrs::array::{Array, ArrayBuilder, ArrayMetadataV2, data_type};
use zarrs::filesystem::FilesystemStore;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Compares every value with the field at the coordinates that the data set claims.
fn check(reader: &Reader, time: impl Fn(usize) -> f64) {
    let spec = reader.spec();
    let y = &spec.y.as_ref().unwrap().coordinates;
    for n in 0..spec.frames() {
        let values = reader.read(0, n..n + 1).unwrap();
        for (p, value) in values.iter().enumerate() {
            let (lat, lon) = (y[p / spec.nx()], spec.x.coordinates[p % spec.nx()]);
            let expected = field(time(n), lat, lon);
            assert!(
                (f64::from(*value) - expected).abs() < 2e-6,
                "{n} {lat} {lon}: {value} {expected}"
            );
        }
    }
}

/// If regridding and coordinates disagreed, every plot and every score would be shifted.
#[test]
fn fields_are_right_at_the_new_coordinates() {
    for (ny, nx, arguments) in [
        (20, 36, vec![]),
        (20, 36, vec!["--grid", "64x8"]),
        (16, 64, vec!["--grid", "16x64"]),
        (50, 100, vec!["--grid", "32x128"]),
    ] {
        let home = Home::empty();
        Grid::new(40, ny, nx).write(&home.path("a.nc"));
        let reader = home.imported("a.nc", &arguments);
        check(&reader, |n| n as f64);
        let spec = reader.spec();
        // Without --grid, the points of the file.
        assert!(!arguments.is_empty() || (spec.ny(), spec.nx()) == (ny, nx));
        assert_eq!(spec.x.boundary, Boundary::Periodic);
        assert_eq!(spec.y.as_ref().unwrap().boundary, Boundary::Reflecting);
        assert_eq!(spec.x.attributes["units"], "degrees_east");
        assert_eq!(spec.y.as_ref().unwrap().attributes["standard_name"], "latitude");
        assert_eq!(spec.channels[0].units, "m s-1");
        assert_eq!(spec.channels[0].standard_name.as_deref(), Some("eastward_wind"));
        assert_eq!(spec.time.attributes["units"], "hours since 2000-01-01 00:00:00");
        assert_eq!((spec.time.interval, spec.time.values[1]), (6.0, 6.0));
        assert!(
            reader.segments(Split::Test).len() == 1 && reader.manifest().command.contains("import")
        );
        reader.verify().unwrap();
    }
}

#[test]
fn descending_latitudes_and_both_poles_are_understood() {
    let home = Home::empty();
    let mut grid = Grid::new(40, 37, 36);
    grid.lat = (0..37).map(|j| 90.0 - 5.0 * f64::from(j)).collect();
    grid.u.clear();
    for n in 0..40 {
        for &y in &grid.lat {
            grid.u.extend(grid.lon.iter().map(|&x| field(f64::from(n), y, x) as f32));
        }
    }
    grid.write(&home.path("a.nc"));
    for size in ["32x32", "64x64"] {
        let reader = home.imported("a.nc", &["--grid", size, "--force"]);
        let y = &reader.spec().y.as_ref().unwrap().coordinates;
        assert!(y[0] > -90.0 && y[0] < -80.0 && y[y.len() - 1] < 90.0);
        check(&reader, |n| n as f64);
    }
}

#[test]
fn areas_and_times_are_cut_out() {
    let home = Home::empty();
    Grid::new(60, 32, 64).write(&home.path("a.nc"));
    // Eight rows and sixteen columns across Greenwich, at the file's own points.
    let arguments = [
        "--area",
        "0:45,-45:40",
        "--time",
        "2000-01-03:2000-01-12",
        "--boundary",
        "reflecting,reflecting",
    ];
    let reader = home.imported("a.nc", &arguments);
    let spec = reader.spec();
    assert_eq!((spec.ny(), spec.nx(), spec.frames()), (8, 16, 40));
    assert_eq!((spec.x.coordinates[0], spec.x.boundary), (-45.0, Boundary::Reflecting));
    check(&reader, |n| (n + 8) as f64);
    let reader =
        home.imported("a.nc", &["--isel", "lat=4:12,lon=0:32", "--time", "20:60", "--force"]);
    check(&reader, |n| (n + 20) as f64);
}

/// The names that a large library of data writes, and times that mean no date.
#[test]
fn calendars_of_libraries_are_taken() {
    let home = Home::empty();
    let mut grid = Grid::new(40, 8, 16);
    grid.time = (0..40).map(|n| f64::from(n) + 0.5).collect();
    grid.write(&home.path("a.nc"));
    for (units, calendar, written, name, first, interval) in [
        ("months since 1960-01-01", "360", "days since 1960-01-01 00:00:00", "360_day", 15.0, 30.0),
        (
            "common_years since 2000-01-01",
            "365",
            "days since 2000-01-01 00:00:00",
            "noleap",
            182.5,
            365.0,
        ),
        (
            "hrs since 2000-01-01 +0530",
            "Gregorian",
            "hours since 1999-12-31 18:30:00",
            "standard",
            0.5,
            1.0,
        ),
        ("d since 2000", " ALL_LEAP ", "days since 2000-01-01 00:00:00", "all_leap", 0.5, 1.0),
        ("days since 0-1-1", "none", "days", "", 0.5, 1.0),
    ] {
        let arguments = ["--time-units", units, "--calendar", calendar, "--force"];
        let reader = home.imported("a.nc", &arguments);
        let time = &reader.spec().time;
        let text = |name: &str| time.attributes.get(name).and_then(Value::as_str);
        assert_eq!((text("units"), text("calendar").unwrap_or_default()), (Some(written), name));
        assert!((time.values[0] - first).abs() < 1e-9, "{units}: {}", time.values[0]);
        assert!((time.interval - interval).abs() < 1e-9, "{units}: {}", time.interval);
        assert_eq!(time.dates().is_some(), calendar != "none");
    }
}

#[test]
fn monthly_anomalies_can_be_added_back() {
    let home = Home::empty();
    let mut grid = Grid::new(120, 8, 16);
    let days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    grid.time = (0..120)
        .map(|n| f64::from(n / 12 * 365 + days[..(n % 12) as usize].iter().sum::<i32>()))
        .collect();
    grid.time_units = Some("days since 1990-01-01");
    grid.write(&home.path("a.nc"));
    let anomalies =
        |kind| home.imported("a.nc", &["--calendar", "noleap", "--anomaly", kind, "--force"]);
    let reader = anomalies("annual-cycle");
    let climatology = reader.climatology().unwrap();
    for p in 0..128 {
        let value = |n: usize| f64::from(reader.read(0, n..n + 1).unwrap()[p]);
        for n in [0_usize, 7, 119] {
            let mean = f64::from(climatology.month((n % 12 + 1) as u8)[p]);
            assert!((value(n) + mean - f64::from(grid.u[n * 128 + p])).abs() < 1e-5);
        }
        // Two harmonics of the year have no third to sixth.
        for harmonic in 3..7 {
            let phase = |m: u8| std::f64::consts::TAU * f64::from(harmonic) * f64::from(m) / 12.0;
            let part = (1..13).map(|m| phase(m).cos() * f64::from(climatology.month(m)[p]));
            assert!(part.sum::<f64>().abs() < 1e-5);
        }
    }
    let reader = anomalies("monthly");
    let climatology = reader.climatology().unwrap();
    let train = reader.segments(Split::Train)[0].frames.clone();
    let mut sum = vec![0.0_f64; 128];
    for n in 0..120 {
        let values = reader.read(0, n..n + 1).unwrap();
        for (p, (value, mean)) in
            values.iter().zip(climatology.month((n % 12 + 1) as u8)).enumerate()
        {
            assert!((value + mean - grid.u[n * 128 + p]).abs() < 1e-5);
            if n % 12 == 3 && train.contains(&n) {
                sum[p] += f64::from(*value);
            }
        }
    }
    // The mean over the training part alone is what was taken away.
    assert!(sum.iter().all(|s| s.abs() < 1e-4));
}

#[test]
fn missing_values_are_filled_and_steps_left_out() {
    let home = Home::empty();
    let mut grid = Grid::new(60, 16, 32);
    grid.fill = Some(-99.9);
    let whole = grid.u.clone();
    for n in 0..60 {
        grid.u[n * 512 + 40..n * 512 + 44].fill(-99.9);
    }
    grid.u[20 * 512..21 * 512].fill(-99.9);
    grid.write(&home.path("a.nc"));
    for fill in ["nearest", "zero", "mean", "harmonic"] {
        let reader = home.imported("a.nc", &["--fill", fill, "--drop-steps", "20", "--force"]);
        let values = reader.read(0, 5..6).unwrap();
        let there = (0..512).filter(|p| !(40..44).contains(p));
        for p in there {
            assert_eq!(values[p], whole[5 * 512 + p]);
        }
        // The step left out is on the axis, in no part, and cuts the training part.
        assert_eq!(reader.spec().frames(), 60);
        assert_eq!(reader.splits().of(0, 20), None);
        assert_eq!(reader.segments(Split::Train).len(), 2);
    }
    let reader = home.imported("a.nc", &["--fill", "interpolate,mean", "--force"]);
    let values = reader.read(0, 20..21).unwrap();
    let expected = 0.5 * (whole[19 * 512 + 300] + whole[21 * 512 + 300]);
    assert!((values[300] - expected).abs() < 1e-6);
}

fn line(frames: usize, points: usize) -> Vec<f32> {
    let value = |n: usize, x: usize| (x as f32 * 0.4 - n as f32 * 0.1).sin();
    (0..frames).flat_map(|n| (0..points).map(move |x| value(n, x))).collect()
}

#[test]
fn numpy_arrays_are_imported() {
    let home = Home::empty();
    let values = line(80, 64);
    let npy = |shape: &[u64]| {
        let mut bytes = Vec::new();
        let builder = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes);
        let mut npy = builder.begin_nd().unwrap();
        npy.extend(values.iter().copied()).unwrap();
        npy.finish().unwrap();
        bytes
    };
    std::fs::write(home.path("wave.npy"), npy(&[80, 64])).unwrap();
    let reader = home.imported("wave.npy", &["--interval", "0.5", "--boundary", "periodic"]);
    assert!(reader.spec().y.is_none() && reader.spec().time.interval == 0.5);
    assert_eq!(reader.spec().channels[0].name, "wave");
    assert_eq!(reader.read(0, 0..80).unwrap(), values);

    std::fs::write(home.path("wave.npy"), npy(&[4, 20, 64])).unwrap();
    let reader = home.imported("wave.npy", &["--axes", "trajectory,time,x", "--force"]);
    assert_eq!((reader.spec().trajectories, reader.spec().frames()), (4, 20));
    assert_eq!(reader.read(2, 5..7).unwrap(), values[45 * 64..47 * 64]);
    assert_eq!(reader.segments(Split::Train).len(), 2);

    let mut npz = ZipWriter::new(File::create(home.path("two.npz")).unwrap());
    for (name, method) in [("u", CompressionMethod::Stored), ("v", CompressionMethod::Deflated)] {
        let options = SimpleFileOptions::default().compression_method(method);
        npz.start_file(format!("{name}.npy"), options).unwrap();
        npz.write_all(&npy(&[80, 8, 8])).unwrap();
    }
    npz.finish().unwrap();
    let reader = home.imported("two.npz", &["--var", "v,u", "--force"]);
    assert_eq!(reader.spec().channels[0].name, "v");
    assert_eq!((reader.spec().ny(), reader.spec().nx()), (8, 8));
}

/// Zarr 3 with chunks that do not divide the shape, and Zarr 2 as xarray writes it (names in an
/// attribute).
#[test]
fn zarr_groups_of_both_versions_are_imported() {
    for version in [2, 3] {
        let home = Home::empty();
        let values = line(80, 64);
        let folder = home.path("in.zarr");
        std::fs::create_dir(&folder).unwrap();
        let store = Arc::new(FilesystemStore::new(&folder).unwrap());
        if version == 3 {
            zarrs::group::GroupBuilder::new()
                .build(store.clone(), "/")
                .unwrap()
                .store_metadata()
                .unwrap();
            let array =
                ArrayBuilder::new(vec![80, 64], vec![30, 40], data_type::float32(), f32::NAN)
                    .dimension_names(Some(["time", "x"]))
                    .build(store, "/u")
                    .unwrap();
            array.store_metadata().unwrap();
            array.store_array_subset(&array.subset_all(), &values).unwrap();
        } else {
            std::fs::write(folder.join(".zgroup"), r#"{"zarr_format":2}"#).unwrap();
            let metadata: ArrayMetadataV2 = serde_json::from_value(json!({
                "zarr_format": 2, "shape": [80, 64], "chunks": [30, 40], "dtype": "<f4", "order": "C",
                "fill_value": "NaN", "compressor": {"id": "zlib", "level": 1}, "filters": null,
            }))
            .unwrap();
            let mut array = Array::new_with_metadata(store, "/u", metadata.into()).unwrap();
            array.attributes_mut().insert("_ARRAY_DIMENSIONS".into(), json!(["time", "x"]));
            array.store_metadata().unwrap();
            array.store_array_subset(&array.subset_all(), &values).unwrap();
        }
        let reader = home.imported("in.zarr", &[]);
        assert_eq!(reader.read(0, 0..80).unwrap(), values, "version {version}");
        // A data set is a Zarr group too.
        let again =
            finescale(home.0.path(), &["data", "import", "out.zarr", "--out", "again.zarr"]);
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
        let again = Reader::open(&home.path("again.zarr")).unwrap();
        assert_eq!(again.read(0, 0..80).unwrap(), values);
    }
}

#[test]
fn info_tells_the_same_as_text_and_json() {
    let home = Home::empty();
    Grid::new(60, 16, 32).write(&home.path("a.nc"));
    let reader = home.imported("a.nc", &[]);
    let info = |arguments: &[&str]| {
        let output = finescale(home.0.path(), &[&["data", "info", "out.zarr"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let json: Value =
        serde_json::from_str(&info(&["--json", "--verify", "--coarse", "8x8"])).unwrap();
    let statistics = reader.statistics();
    assert_eq!(json["channels"][0]["mean"], json!(statistics.channels[0].mean));
    assert_eq!(json["splits"]["train"]["frames"], json!(statistics.frames));
    assert_eq!(json["hash"], reader.hash());
    let lambda = json["suggested_lambda"].as_f64().unwrap();
    assert!(lambda >= json["channels"][0]["emergence_scale"][4].as_f64().unwrap());
    let text = info(&["--coarse", "8x8"]);
    assert!(text.contains("eastward") || text.contains("u from a.nc"));
    assert!(
        text.contains(&format!("{lambda:.4}")) && text.contains("2000-01-01 00:00:00"),
        "{text}"
    );
    let refused = finescale(home.0.path(), &["data", "info", "out.zarr", "--beta2", "0"]);
    assert_eq!(
        String::from_utf8(refused.stderr).unwrap(),
        "error: --beta2 is 0: use a positive number up to 1e6\n"
    );
}
