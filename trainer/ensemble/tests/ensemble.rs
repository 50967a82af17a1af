//! Ensembles in files: what is written is read.

use finescale::{Boundary, ForwardProcess, Laplacian};
use finescale_data::dataset::{Channel, SpatialAxis, Spec, TimeAxis};
use finescale_data::import::source;
use finescale_ensemble::{CoarseInput, Ensemble, Origin, Provenance, Task, check_output};
use finescale_field::coarsening::Coarsening;
use serde_json::json;

fn axis(name: &str, points: usize, boundary: Boundary, units: &str) -> SpatialAxis {
    let mut axis = SpatialAxis::of_length(name, points, boundary, 3.25);
    axis.attributes.insert("units".into(), json!(units));
    axis.attributes.insert("standard_name".into(), json!("latitude"));
    axis
}

fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut values = vec![0.0; n];
    finescale::NoiseStream { seed, ..Default::default() }.fill(&mut values);
    values
}

/// Two channels on a line or a plane, everything there or only what must be.
fn ensemble(plane: bool, trajectories: usize, whole: bool) -> Ensemble {
    let space = |points: usize| {
        let y = plane.then(|| axis("lat", points, Boundary::Reflecting, "degrees_north"));
        (y, axis("x", 2 * points, Boundary::Periodic, "m"))
    };
    let (y, x) = space(16);
    let mut time = TimeAxis::model(3, 6.0);
    time.attributes.insert("units".into(), json!("hours since 2000-01-01 00:00:00"));
    time.attributes.insert("calendar".into(), json!("noleap"));
    let mut v = Channel::new("v", "K", "warmth");
    v.standard_name = Some("air_temperature".into());
    let channels = vec![Channel::new("u", "m s-1", "wind"), v];
    let spec = Spec { title: "a test".into(), channels, trajectories, time, y, x };
    let (members, frames) = (4, 3 * trajectories);
    let input = whole.then(|| {
        let (y, x) = space(8);
        let spec = Spec { y, x, ..spec.clone() };
        let process = ForwardProcess::new(0.1, 0.7, Laplacian::FiniteDifference).unwrap();
        let coarsening = Coarsening::Damped { process, lambda: 0.1, noised: false };
        // A plane says how its input was made, a line does not.
        let origin = plane.then(|| Origin { coarsening, sensor_noise: vec![0.1, 2.5] });
        CoarseInput { values: numbers(frames * spec.frame_len(), 2), spec, origin }
    });
    Ensemble {
        provenance: Provenance {
            task: Task::SuperResolve,
            method: "ours".into(),
            model: if whole { "winds".into() } else { String::new() },
            model_hash: "ab12".into(),
            settings: json!({ "steps": 8, "lambda": 0.35, "about": "λ* „as is“" }),
            seed: u64::MAX,
            calls_per_frame: 15.75,
            seconds_per_frame: 0.001,
        },
        members,
        given: 2,
        prediction: numbers(frames * members * spec.frame_len(), 1),
        truth: whole.then(|| numbers(frames * spec.frame_len(), 3)),
        input,
        deviation: None,
        spec,
    }
}

/// If this failed, scores would be of other numbers than those that were sampled.
#[test]
fn what_is_written_is_read_in_every_bit() {
    let home = tempfile::tempdir().unwrap();
    for extension in ["nc", "zarr"] {
        for (plane, trajectories, whole) in
            [(true, 2, true), (true, 1, true), (false, 1, false), (false, 3, true)]
        {
            let written = ensemble(plane, trajectories, whole);
            let path = home.path().join(format!("{plane}-{trajectories}.{extension}"));
            written.write(&path).unwrap();
            let read = Ensemble::read(&path).unwrap();
            assert_eq!(read, written, "{}", path.display());
            // Once more, over the old one.
            written.write(&path).unwrap();
        }
    }
    let mut gaussian = ensemble(true, 2, true);
    gaussian.prediction = numbers(6 * gaussian.spec.frame_len(), 4);
    gaussian.members = 1;
    gaussian.deviation = Some(numbers(gaussian.spec.frame_len(), 5));
    for name in ["true-2.nc", "true-2.zarr"] {
        gaussian.write(&home.path().join(name)).unwrap();
        assert_eq!(Ensemble::read(&home.path().join(name)).unwrap(), gaussian, "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left.len(), 8, "{left:?}");
}

#[test]
fn files_say_what_they_hold() {
    let home = tempfile::tempdir().unwrap();
    for name in ["a.nc", "a.zarr"] {
        let path = home.path().join(name);
        ensemble(true, 2, true).write(&path).unwrap();
        let source = source::open(&path, None).unwrap();
        let shape = |name: &str| source::find(source.as_ref(), name).unwrap().describe();
        assert_eq!(shape("u"), "u(trajectory 2, time 3, member 4, lat 16, x 32)");
        assert_eq!(shape("v_truth"), "v_truth(trajectory 2, time 3, lat 16, x 32)");
        assert_eq!(shape("v_input"), "v_input(trajectory 2, time 3, lat_coarse 8, x_coarse 16)");
        let find = |name: &str| source::find(source.as_ref(), name).unwrap();
        assert_eq!(find("v").text("standard_name"), Some("air_temperature"));
        assert_eq!(find("time").text("calendar"), Some("noleap"));
        assert!(find("u").attributes.contains_key("_FillValue"));
        let about = source.attributes().unwrap();
        assert_eq!(about["method"], "ours");
        assert_eq!(about["Conventions"], "CF-1.11");
    }
}

#[test]
fn what_cannot_be_written_or_read_is_said() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let says = |result: anyhow::Result<()>, text: &str| {
        let error = format!("{:#}", result.unwrap_err());
        assert!(error.contains(text), "{error}");
    };
    says(ensemble(false, 1, false).write(&path("a.grib")), "use .nc for NetCDF or .zarr");
    let mut short = ensemble(false, 1, false);
    short.prediction.pop();
    says(short.write(&path("a.nc")), "the prediction has");
    let mut gaussian = ensemble(false, 1, false);
    gaussian.deviation = Some(Vec::new());
    says(gaussian.write(&path("a.nc")), "a Gaussian has one member");
    let mut twice = ensemble(false, 1, true);
    twice.spec.channels[1].name = "u_truth".into();
    says(twice.write(&path("a.nc")), "two arrays would be named `u_truth`");
    says(ensemble(false, 1, true).write(&path("no/such/a.nc")), "cannot be written");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);

    ensemble(false, 1, true).write(&path("a.nc")).unwrap();
    says(check_output(&path("a.nc"), false), "--force");
    check_output(&path("a.nc"), true).unwrap();
    let bytes = std::fs::read(path("a.nc")).unwrap();
    std::fs::write(path("b.nc"), &bytes[..bytes.len() / 2]).unwrap();
    says(Ensemble::read(&path("b.nc")).map(drop), "damaged");
}
