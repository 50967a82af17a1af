//! What holds for fields holds for coordinates: packing, fill values and valid ranges, in any type
//! of number.

#[allow(dead_code, reason = "not every test file uses all of it")]
mod common;

use std::path::Path;
use std::sync::Arc;

use common::Home;
use common::files::field;
use finescale_data::dataset::Reader;
use netcdf3::{DataSet, FileWriter, Version};
use serde_json::json;
use zarrs::array::{Array, ArrayBuilder, ArrayMetadataV2, data_type};
use zarrs::filesystem::FilesystemStore;

const FRAMES: usize = 48;
const ROWS: usize = 16;
const COLUMNS: usize = 32;

/// A coordinate stored as 16-bit integers: degrees as eightieths, so that all of them are whole;
/// days as tenths.
struct Packed {
    stored: Vec<i16>,
    scale: f64,
    units: &'static str,
    attributes: Vec<(&'static str, Vec<i16>)>,
}

impl Packed {
    fn new(stored: impl Iterator<Item = i16>, scale: f64, units: &'static str) -> Self {
        Self { stored: stored.collect(), scale, units, attributes: Vec::new() }
    }
}

/// `u(time, level, lat, lon)`, of two levels, the second of which is twice the first.
struct File {
    coordinates: [(&'static str, Packed); 4],
}

impl File {
    fn new() -> Self {
        let time = Packed::new((0..48).map(|n| 10 * n), 0.1, "days since 2000-01-01");
        let level = Packed::new([85, 50].into_iter(), 10.0, "hPa");
        let lat = Packed::new((0..16).map(|j| 900 * j - 6750), 0.0125, "degrees_north");
        let lon = Packed::new((0..32).map(|i| 900 * i), 0.0125, "degrees_east");
        Self { coordinates: [("time", time), ("level", level), ("lat", lat), ("lon", lon)] }
    }

    fn of(&mut self, name: &str) -> &mut Packed {
        &mut self.coordinates.iter_mut().find(|(n, _)| *n == name).unwrap().1
    }

    fn write(&self, path: &Path) {
        let mut set = DataSet::new();
        for (name, packed) in &self.coordinates {
            set.add_fixed_dim(name, packed.stored.len()).unwrap();
            set.add_var_i16(name, &[*name]).unwrap();
            set.add_var_attr_string(name, "units", packed.units).unwrap();
            set.add_var_attr_f64(name, "scale_factor", vec![packed.scale]).unwrap();
            for (attribute, values) in &packed.attributes {
                set.add_var_attr_i16(name, attribute, values.clone()).unwrap();
            }
        }
        set.add_var_f32("u", &["time", "level", "lat", "lon"]).unwrap();
        let mut file = FileWriter::open(path).unwrap();
        file.set_def(&set, Version::Classic, 0).unwrap();
        for (name, packed) in &self.coordinates {
            file.write_var_i16(name, &packed.stored).unwrap();
        }
        let mut u = Vec::new();
        for n in 0..FRAMES {
            for level in [1.0, 2.0] {
                u.extend((0..ROWS * COLUMNS).map(|p| {
                    let (lat, lon) = (11.25 * (p / COLUMNS) as f64 - 84.375, p % COLUMNS);
                    (level * field(n as f64, lat, 11.25 * lon as f64)) as f32
                }));
            }
        }
        file.write_var_f32("u", &u).unwrap();
        file.close().unwrap();
    }
}

const LEVEL: [&str; 2] = ["--sel", "level=500"];

/// The sentence of an import that must fail.
fn refused(file: &File, arguments: &[&str]) -> String {
    let home = Home::empty();
    file.write(&home.path("a.nc"));
    let output = home.import("a.nc", &[&LEVEL, arguments].concat());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.trim().lines().count(), 1, "not one sentence: {error}");
    error
}

fn days(reader: &Reader) -> &[f64] {
    &reader.spec().time.values
}

/// If stored numbers passed for coordinates, daily steps would be ten days apart and a circle of
/// longitude no circle.
#[test]
fn packed_coordinates_are_unpacked() {
    let home = Home::empty();
    File::new().write(&home.path("a.nc"));
    let reader = home.imported("a.nc", &LEVEL);
    let spec = reader.spec();
    assert!((spec.time.interval - 1.0).abs() < 1e-12, "{}", spec.time.interval);
    for (n, day) in days(&reader).iter().enumerate() {
        assert!((day - n as f64).abs() < 1e-9, "{n}: {day}");
    }
    let y = &spec.y.as_ref().unwrap().coordinates;
    assert_eq!((y.len(), spec.nx()), (ROWS, COLUMNS));
    for (n, values) in reader.read(0, 0..FRAMES).unwrap().chunks(spec.points()).enumerate() {
        for (p, value) in values.iter().enumerate() {
            let (lat, lon) = (y[p / COLUMNS], spec.x.coordinates[p % COLUMNS]);
            assert!((lat - 11.25 * (p / COLUMNS) as f64 + 84.375).abs() < 1e-9, "{lat}");
            let expected = 2.0 * field(n as f64, lat, lon);
            assert!((f64::from(*value) - expected).abs() < 2e-6, "{n} {lat} {lon}: {value}");
        }
    }
}

/// Every way to say that a number is missing is heard, on every coordinate, with its name and
/// index.
#[test]
fn missing_coordinates_are_refused() {
    let ways: [(&'static str, Vec<i16>, i16); 5] = [
        ("_FillValue", vec![-9], -9),
        ("missing_value", vec![-9], -9),
        ("valid_min", vec![-8000], -8001),
        ("valid_max", vec![30_000], 30_001),
        ("valid_range", vec![-8000, 30_000], 30_001),
    ];
    for name in ["time", "lat", "lon", "level"] {
        for (attribute, values, hole) in &ways {
            let mut file = File::new();
            let coordinate = file.of(name);
            coordinate.attributes.push((attribute, values.clone()));
            coordinate.stored[1] = *hole;
            let error = refused(&file, &[]);
            assert!(error.contains(&format!("`{name}` is missing at index 1")), "{error}");
        }
    }
    // What the NetCDF library fills 16-bit integers with where nothing was written.
    let mut file = File::new();
    file.of("lat").stored[0] = -32_767;
    assert!(refused(&file, &[]).contains("`lat` is missing at index 0"));
}

/// The way out that the refusal names is one.
#[test]
fn missing_coordinates_can_be_left_out() {
    let mut file = File::new();
    for (name, hole) in [("time", 7), ("lat", 3)] {
        let coordinate = file.of(name);
        coordinate.attributes.push(("_FillValue", vec![-9]));
        coordinate.stored[hole] = -9;
    }
    let error = refused(&file, &["--isel", "lat=4:12"]);
    assert!(error.contains("`time` is missing at index 7") && error.contains("--drop-steps 7"));
    let home = Home::empty();
    file.write(&home.path("a.nc"));
    let arguments = ["--isel", "lat=4:12", "--drop-steps", "7"];
    let reader = home.imported("a.nc", &[&LEVEL[..], &arguments].concat());
    assert_eq!(reader.spec().y.as_ref().unwrap().coordinates[0], -39.375);
    // The step stays on the axis, between its neighbours.
    assert_eq!(reader.spec().frames(), FRAMES);
    assert!((days(&reader)[7] - 7.0).abs() < 1e-9);
    let arguments = ["--isel", "lat=4:12", "--time", "2000-01-10:", "--force"];
    let reader = home.imported("a.nc", &[&LEVEL[..], &arguments].concat());
    assert!((days(&reader)[0] - 9.0).abs() < 1e-9);
}

/// What to do about a dimension too many is said with its name, not with that of latitude.
#[test]
fn a_dimension_too_many_is_named() {
    let home = Home::empty();
    File::new().write(&home.path("a.nc"));
    let error = String::from_utf8(home.import("a.nc", &[]).stderr).unwrap();
    assert!(
        error.contains("3 dimensions in space") && error.contains("--sel level=VALUE"),
        "{error}"
    );
}

/// Rows that are counted in unsigned bytes, which the classic format has only signed.
#[test]
fn unsigned_coordinates_are_unsigned() {
    let home = Home::empty();
    let mut set = DataSet::new();
    for (name, size) in [("time", 40), ("lat", 16), ("lon", 32)] {
        set.add_fixed_dim(name, size).unwrap();
    }
    set.add_var_i8("lat", &["lat"]).unwrap();
    set.add_var_attr_string("lat", "units", "degrees_north").unwrap();
    set.add_var_attr_string("lat", "_Unsigned", "true").unwrap();
    set.add_var_attr_f64("lat", "scale_factor", vec![11.25 / 16.0]).unwrap();
    set.add_var_attr_f64("lat", "add_offset", vec![-84.375]).unwrap();
    set.add_var_attr_i8("lat", "valid_range", vec![0, -2]).unwrap();
    set.add_var_f32("u", &["time", "lat", "lon"]).unwrap();
    let mut file = FileWriter::open(home.path("a.nc")).unwrap();
    file.set_def(&set, Version::Classic, 0).unwrap();
    let rows: Vec<i8> = (0..16).map(|j| (16 * j) as u8 as i8).collect();
    file.write_var_i8("lat", &rows).unwrap();
    let u: Vec<f32> = (0..40 * 512).map(|p| (p as f32 * 0.1).sin()).collect();
    file.write_var_f32("u", &u).unwrap();
    file.close().unwrap();
    let reader = home.imported("a.nc", &[]);
    let y = &reader.spec().y.as_ref().unwrap().coordinates;
    assert_eq!((y[0], y[8], y[15]), (-84.375, 5.625, 84.375));
}

/// A Zarr group of `u(time, x)` whose times are 64-bit integers.
fn zarr(home: &Home, units: &str, times: &[i64], attributes: serde_json::Value) {
    let folder = home.path("a.zarr");
    std::fs::create_dir(&folder).unwrap();
    let store = Arc::new(FilesystemStore::new(&folder).unwrap());
    let root = zarrs::group::GroupBuilder::new().build(store.clone(), "/").unwrap();
    root.store_metadata().unwrap();
    let count = times.len() as u64;
    let mut time = ArrayBuilder::new(vec![count], vec![count], data_type::int64(), 0_i64)
        .dimension_names(Some(["time"]))
        .build(store.clone(), "/time")
        .unwrap();
    time.attributes_mut().insert("units".into(), json!(units));
    time.attributes_mut().extend(attributes.as_object().unwrap().clone());
    time.store_metadata().unwrap();
    time.store_array_subset(&time.subset_all(), times).unwrap();
    let u = ArrayBuilder::new(vec![count, 16], vec![count, 16], data_type::float32(), f32::NAN)
        .dimension_names(Some(["time", "x"]))
        .build(store, "/u")
        .unwrap();
    u.store_metadata().unwrap();
    let values: Vec<f32> = (0..count * 16).map(|p| (p as f32 * 0.37).sin()).collect();
    u.store_array_subset(&u.subset_all(), &values).unwrap();
}

/// Nanoseconds since 1970 have more digits than f64: read as such, every step would be off by up to
/// 128 of them.
#[test]
fn times_of_64_bits_lose_nothing() {
    let nanoseconds = "nanoseconds since 1970-01-01";
    let calendar = json!({"calendar": "proleptic_gregorian"});
    let start = 946_684_800_000_000_000_i64; // 2000-01-01
    for (step, units, first, apart) in [
        (21_600_000_000_000_i64, "hours since 1970-01-01 00:00:00", 262_968.0, 6.0),
        (60_000_000_000, "minutes since 1970-01-01 00:00:00", 15_778_080.0, 1.0),
        (1_000_000, "milliseconds since 1970-01-01 00:00:00", 946_684_800_000.0, 1.0),
        // Microseconds still fit into f64; nanoseconds do from another day on.
        (1_000, "microseconds since 1970-01-01 00:00:00", 946_684_800_000_000.0, 1.0),
        (7, "nanoseconds since 2000-01-01 00:00:00", 0.0, 7.0),
    ] {
        let home = Home::empty();
        let times: Vec<i64> = (0..40).map(|n| start + n * step).collect();
        zarr(&home, nanoseconds, &times, calendar.clone());
        let reader = home.imported("a.zarr", &[]);
        let time = &reader.spec().time;
        assert_eq!(time.attributes["units"], units);
        assert_eq!(time.attributes["calendar"], "proleptic_gregorian");
        let expected: Vec<f64> = (0..40).map(|n| first + f64::from(n) * apart).collect();
        assert_eq!(time.values, expected);
    }
    // Numbers that f64 holds keep their unit.
    let home = Home::empty();
    zarr(
        &home,
        "hours since 1900-01-01",
        &(0..40).map(|n| 876_576 + n).collect::<Vec<_>>(),
        json!({}),
    );
    let reader = home.imported("a.zarr", &[]);
    assert_eq!(reader.spec().time.attributes["units"], "hours since 1900-01-01 00:00:00");
    assert_eq!(reader.spec().time.dates().unwrap()[0], "2000-01-01 00:00:00");
}

/// The missing time of NumPy and xarray.
#[test]
fn not_a_time_is_refused() {
    let home = Home::empty();
    let mut times: Vec<i64> =
        (0..40).map(|n| 946_684_800_000_000_000 + n * 1_000_000_007).collect();
    times[5] = i64::MIN;
    let fill = json!({"_FillValue": i64::MIN});
    zarr(&home, "nanoseconds since 1970-01-01", &times, fill);
    let output = home.import("a.zarr", &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("`time` is missing at index 5"), "{error}");
}

/// The fill value of Zarr 2 is what xarray calls `_FillValue`, but 0, which zarr writes where
/// nobody chose one, is a coordinate like any other.
#[test]
fn fill_values_of_zarr_2() {
    for (fill, hole) in [(json!(0), None), (json!(-9), Some(-9))] {
        let home = Home::empty();
        let folder = home.path("a.zarr");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join(".zgroup"), r#"{"zarr_format":2}"#).unwrap();
        let store = Arc::new(FilesystemStore::new(&folder).unwrap());
        let array = |name: &str, shape: &[u64], dtype: &str, dimensions: &[&str]| {
            let metadata: ArrayMetadataV2 = serde_json::from_value(json!({
                "zarr_format": 2, "shape": shape, "chunks": shape, "dtype": dtype, "order": "C",
                "fill_value": if dtype == "<i4" { fill.clone() } else { json!("NaN") },
                "compressor": null, "filters": null,
            }))
            .unwrap();
            let mut array = Array::new_with_metadata(store.clone(), name, metadata.into()).unwrap();
            array.attributes_mut().insert("_ARRAY_DIMENSIONS".into(), json!(dimensions));
            array.store_metadata().unwrap();
            array
        };
        let x = array("/x", &[16], "<i4", &["x"]);
        let mut points: Vec<i32> = (0..16).map(|i| 3 * i).collect();
        points[4] = hole.unwrap_or(12);
        x.store_array_subset(&x.subset_all(), &points).unwrap();
        let u = array("/u", &[40, 16], "<f4", &["time", "x"]);
        let values: Vec<f32> = (0..640).map(|p| (p as f32 * 0.37).sin()).collect();
        u.store_array_subset(&u.subset_all(), &values).unwrap();
        if hole.is_none() {
            assert_eq!(home.imported("a.zarr", &[]).spec().x.coordinates[0], 0.0);
        } else {
            let error = String::from_utf8(home.import("a.zarr", &[]).stderr).unwrap();
            assert!(error.contains("`x` is missing at index 4"), "{error}");
        }
    }
}
