//! Variables in groups: `group/name`, with what they inherit from the groups around.

#[allow(dead_code, reason = "not every test file uses all of it")]
mod common;

use std::path::Path;
use std::sync::Arc;

use common::Home;
use finescale_data::dataset::Reader;
use serde_json::{Map, Value, json};
use zarrs::array::{Array, ArrayBuilder, ArrayMetadataV2, data_type};
use zarrs::filesystem::FilesystemStore;
use zarrs::group::GroupBuilder;

/// The file that `tests/data/make_groups.py` makes, in a folder.
fn groups() -> Home {
    let home = Home::empty();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/groups.nc");
    std::fs::copy(data, home.path("a.nc")).unwrap();
    home
}

/// Compares with n + j/16 + i/512 + shift, rows counted in the file's order, which is from north to
/// south.
fn check(reader: &Reader, shift: f32) {
    let spec = reader.spec();
    for n in 0..spec.frames() {
        for (p, value) in reader.read(0, n..n + 1).unwrap().iter().enumerate() {
            let (j, i) = (spec.ny() - 1 - p / spec.nx(), p % spec.nx());
            let expected = shift + n as f32 + j as f32 / 16.0 + i as f32 / 512.0;
            assert!((value - expected).abs() < 1e-4, "{n} {j} {i}: {value} {expected}");
        }
    }
}

/// The sentence of an import that must fail.
fn refused(home: &Home, file: &str, arguments: &[&str]) -> String {
    let output = home.import(file, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.trim().lines().count(), 1, "not one sentence: {error}");
    error
}

const WHOLE: [&str; 3] = ["--split", "none", "--force"];

#[test]
fn netcdf_variables_in_groups_inherit_dimensions_and_coordinates() {
    let home = groups();
    for name in ["forecast/t", "/forecast/t"] {
        let reader = home.imported("a.nc", &[&["--var", name][..], &WHOLE].concat());
        let spec = reader.spec();
        assert_eq!(spec.channels[0].name, "t");
        assert_eq!(spec.y.as_ref().unwrap().coordinates[7], 70.0);
        assert_eq!(spec.x.coordinates[15], 150.0);
        assert_eq!(spec.x.attributes["units"], "degrees_east");
        assert_eq!(spec.time.attributes["units"], "days since 2000-01-01 00:00:00");
        assert!((spec.time.interval - 1.0).abs() < 1e-12);
        check(&reader, 0.0);
    }
    // Latitudes of the root, longitudes of its own, and a time that has none: the root's is of
    // another length.
    let reader = home.imported("a.nc", &[&["--var", "forecast/window/t"][..], &WHOLE].concat());
    let spec = reader.spec();
    assert_eq!(spec.y.as_ref().unwrap().coordinates[7], 70.0);
    assert_eq!(spec.x.coordinates[0], 200.0);
    assert_eq!((spec.frames(), spec.time.attributes["units"].as_str()), (10, Some("1")));
    check(&reader, 100.0);
}

/// A file's outermost fields are taken where none are named.
#[test]
fn fields_in_groups_are_found() {
    let home = groups();
    let reader = home.imported("a.nc", &WHOLE);
    assert_eq!(reader.spec().channels.len(), 1);
    check(&reader, 0.0);
}

#[test]
fn refusals_list_variables_in_groups() {
    let home = groups();
    let error = refused(&home, "a.nc", &["--var", "t"]);
    assert!(
        error.contains(
            "there is no variable `t`; there are: forecast/t(time 12, lat 8, lon 16), \
             forecast/window/t(time 10, lat 8, lon 8)"
        ),
        "{error}"
    );
    let error = refused(&home, "a.nc", &["--var", "forecast/t,forecast/window/t"]);
    assert!(error.contains("differ in shape"), "{error}");
    let error = refused(&home, "a.nc", &["--var", "forecast/lat"]);
    assert!(error.contains("there is no variable `forecast/lat`"), "{error}");
}

/// `time` in the root, `x` beside the fields in `a` and in `a/b` whose fields lie apart, and `c` as
/// `a`.
fn zarr(home: &Home, version: u8, consolidated: bool) {
    let folder = home.path("in.zarr");
    std::fs::create_dir(&folder).unwrap();
    let store = Arc::new(FilesystemStore::new(&folder).unwrap());
    let group = |path: &str| {
        if version == 3 {
            let group = GroupBuilder::new().build(store.clone(), path).unwrap();
            group.store_metadata().unwrap();
        } else {
            let file = folder.join(path.trim_start_matches('/')).join(".zgroup");
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, r#"{"zarr_format":2}"#).unwrap();
        }
    };
    let array = |path: &str, dimensions: &[&str], shape: &[u64], units: &str, values: &[f32]| {
        let mut array = if version == 3 {
            ArrayBuilder::new(shape.to_vec(), shape.to_vec(), data_type::float32(), f32::NAN)
                .dimension_names(Some(dimensions.iter().copied()))
                .build(store.clone(), path)
                .unwrap()
        } else {
            let metadata: ArrayMetadataV2 = serde_json::from_value(json!({
                "zarr_format": 2, "shape": shape, "chunks": shape, "dtype": "<f4", "order": "C",
                "fill_value": "NaN", "compressor": null, "filters": null,
            }))
            .unwrap();
            let mut array = Array::new_with_metadata(store.clone(), path, metadata.into()).unwrap();
            array.attributes_mut().insert("_ARRAY_DIMENSIONS".into(), json!(dimensions));
            array
        };
        array.attributes_mut().insert("units".into(), json!(units));
        array.store_metadata().unwrap();
        array.store_array_subset(&array.subset_all(), values).unwrap();
    };
    let line = |shift: f32| -> Vec<f32> {
        (0..40 * 16).map(|p| (0.37 * p as f32).sin() + shift).collect()
    };
    let points = |shift: f32| -> Vec<f32> { (0..16).map(|i| i as f32 + shift).collect() };
    for path in ["/", "/a", "/a/b", "/c"] {
        group(path);
    }
    let days: Vec<f32> = (0..40).map(|n| n as f32).collect();
    array("/time", &["time"], &[40], "days since 2000-01-01", &days);
    for (path, shift) in [("/a", 0.0), ("/a/b", 100.0), ("/c", 0.0)] {
        array(&format!("{path}/u"), &["time", "x"], &[40, 16], "1", &line(shift));
        array(&format!("{path}/x"), &["x"], &[16], "m", &points(shift));
    }
    let read = |path: &str| -> Option<Value> {
        serde_json::from_slice(&std::fs::read(folder.join(path)).ok()?).ok()
    };
    // Metadata of all nodes in one place, as zarr-python gathers them.
    let nodes = ["time", "a", "a/u", "a/x", "a/b", "a/b/u", "a/b/x", "c", "c/u", "c/x"];
    if consolidated && version == 3 {
        let all: Map<String, Value> = nodes
            .iter()
            .map(|node| ((*node).to_owned(), read(&format!("{node}/zarr.json")).unwrap()))
            .collect();
        let mut root = read("zarr.json").unwrap();
        root["consolidated_metadata"] =
            json!({"kind": "inline", "must_understand": false, "metadata": all});
        std::fs::write(folder.join("zarr.json"), root.to_string()).unwrap();
    } else if consolidated {
        let files = nodes.iter().flat_map(|node| {
            [".zgroup", ".zarray", ".zattrs"].map(|file| format!("{node}/{file}"))
        });
        let all: Map<String, Value> =
            files.filter_map(|path| read(&path).map(|value| (path, value))).collect();
        let all = json!({"zarr_consolidated_format": 1, "metadata": all});
        std::fs::write(folder.join(".zmetadata"), all.to_string()).unwrap();
    }
}

#[test]
fn zarr_variables_in_groups() {
    for (version, consolidated) in [(2, false), (2, true), (3, false), (3, true)] {
        let home = Home::empty();
        zarr(&home, version, consolidated);
        for (name, shift) in [("a/u", 0.0), ("a/b/u", 100.0)] {
            let reader = home.imported("in.zarr", &["--var", name, "--force"]);
            let spec = reader.spec();
            assert_eq!(spec.channels[0].name, "u", "version {version}");
            assert_eq!(spec.x.coordinates[0], f64::from(shift));
            assert_eq!(spec.time.attributes["units"], "days since 2000-01-01 00:00:00");
            let first = reader.read(0, 0..1).unwrap();
            assert!((first[3] - (1.11_f32.sin() + shift)).abs() < 1e-4);
        }
        let error = refused(&home, "in.zarr", &["--var", "u"]);
        assert!(error.contains("a/b/u(time 40, x 16)"), "{error}");
        // Which of two groups is meant, only the user can say.
        let error = refused(&home, "in.zarr", &[]);
        assert!(error.contains("choose with --var among") && error.contains("c/u("), "{error}");
        // Two channels of one name are told apart by their groups; the points must be the same.
        let reader = home.imported("in.zarr", &["--var", "a/u,c/u", "--force"]);
        let names: Vec<&str> = reader.spec().channels.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["a_u", "c_u"]);
        let error = refused(&home, "in.zarr", &["--var", "a/u,a/b/u"]);
        assert!(error.contains("differ in their coordinate `x`"), "{error}");
    }
}
