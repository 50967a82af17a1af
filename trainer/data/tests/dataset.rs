//! The data-set format: what is written is read back, statistics are right, damage is noticed.

use std::f64::consts::{PI, TAU};
use std::fs;
use std::path::{Path, PathBuf};

use finescale::Boundary;
use finescale_data::dataset::*;
use serde_json::json;

const FRAMES: usize = 40;

fn spec(trajectories: usize, plane: bool) -> Spec {
    let mut u = Channel::new("u", "m s-1", "eastward wind");
    u.standard_name = Some("eastward_wind".into());
    Spec {
        title: "two waves".into(),
        channels: vec![u, Channel::new("v", "1", "a second channel")],
        trajectories,
        time: TimeAxis::model(FRAMES, 0.25),
        y: plane.then(|| SpatialAxis::two_pi("y", 8, Boundary::Reflecting)),
        x: SpatialAxis::two_pi("x", 16, Boundary::Periodic),
    }
}

/// u = 10 + 2 cos(3x − θn) with a phase per trajectory, v = noise from a counter.
fn values(spec: &Spec, trajectory: usize, angle: f64) -> Vec<f32> {
    let mut values = Vec::new();
    for n in 0..spec.frames() {
        for j in 0..spec.ny() * spec.nx() {
            let x = spec.x.coordinates[j % spec.nx()];
            let phase = angle * n as f64 + trajectory as f64;
            values.push((10.0 + 2.0 * (3.0 * x - phase).cos()) as f32);
        }
        for j in 0..spec.ny() * spec.nx() {
            let counter = ((trajectory * spec.frames() + n) * spec.points() + j) as u64;
            let mixed = (counter + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mixed = (mixed ^ (mixed >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            values.push((mixed >> 40) as f32 / 16_777_216.0 - 0.5);
        }
    }
    values
}

fn write(path: &Path, spec: &Spec, angle: f64) -> anyhow::Result<Statistics> {
    let writer = Writer::create(path, spec, false)?;
    for trajectory in 0..spec.trajectories {
        writer.write(trajectory, &values(spec, trajectory, angle))?;
    }
    let rule = SplitRule::by_trajectory(spec.trajectories);
    let mut manifest = Manifest::new(json!({ "angle": angle }));
    manifest.seed = Some(7);
    writer.finish(&rule.apply(spec.trajectories, spec.frames())?, &manifest)
}

fn made(plane: bool) -> (tempfile::TempDir, PathBuf, Spec) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("waves.zarr");
    let spec = spec(5, plane);
    write(&path, &spec, 0.1).unwrap();
    (home, path, spec)
}

#[test]
fn what_is_written_is_read_back() {
    for plane in [false, true] {
        let (_home, path, spec) = made(plane);
        let reader = Reader::open(&path).unwrap();
        assert_eq!(*reader.spec(), spec);
        assert_eq!(reader.manifest().seed, Some(7));
        assert_eq!(reader.read(4, 0..FRAMES).unwrap(), values(&spec, 4, 0.1));
        let all = values(&spec, 2, 0.1);
        assert_eq!(reader.read(2, 3..9).unwrap(), all[3 * spec.frame_len()..9 * spec.frame_len()]);
        assert_eq!(reader.segments(Split::Train).len(), 3);
        assert!(reader.read(5, 0..1).is_err() && reader.read(0, 39..41).is_err());
        reader.verify().unwrap();
    }
}

/// Lengths are part of what a data set means; those from before there were any open as they were
/// made.
#[test]
fn lengths_are_kept_and_hashed_and_default_to_two_pi() {
    let home = tempfile::tempdir().unwrap();
    let make = |name: &str, length: f64| {
        let mut spec = spec(3, true);
        spec.y.as_mut().unwrap().length = length;
        let path = home.path().join(name);
        write(&path, &spec, 0.1).unwrap();
        let reader = Reader::open(&path).unwrap();
        assert_eq!(*reader.spec(), spec);
        reader.verify().unwrap();
        (path, reader)
    };
    let change = |path: &Path, length: Option<f64>| {
        let file = path.join("y/zarr.json");
        let mut metadata: serde_json::Value =
            serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let attributes = metadata["attributes"].as_object_mut().unwrap();
        attributes.remove("length").unwrap();
        attributes.extend(length.map(|length| ("length".to_owned(), json!(length))));
        fs::write(&file, metadata.to_string()).unwrap();
    };
    let (old, square) = make("square.zarr", TAU);
    change(&old, None);
    let opened = Reader::open(&old).unwrap();
    assert_eq!(opened.spec(), square.spec());
    assert_eq!(opened.spec().grid().unwrap().y().unwrap().length(), std::f32::consts::TAU);
    opened.verify().unwrap();
    // The text that is hashed is the one from then.
    assert!(!serde_json::to_string(square.spec()).unwrap().contains("length"));

    // 17 digits, the last of which a quick reader of JSON gets wrong.
    let (path, short) = make("short.zarr", TAU * 5.0 / 11.0);
    assert_ne!(short.hash(), square.hash());
    change(&path, Some(PI * 7.0 / 8.0));
    let error = Reader::open(&path).unwrap().verify().unwrap_err().to_string();
    assert!(error.contains("changed"), "{error}");
}

/// Known answers: mean 10, std √2, all power at k = 3, lag-1 correlation cos θ.
#[test]
fn statistics_of_a_travelling_wave_are_exact() {
    for plane in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let spec = spec(3, plane);
        let statistics = write(&home.path().join("w.zarr"), &spec, 0.3).unwrap();
        let u = &statistics.channels[0];
        assert!((u.mean - 10.0).abs() < 1e-6 && (u.std - 2.0_f64.sqrt()).abs() < 1e-6);
        assert!((u.lag1 - 0.3_f64.cos()).abs() < 1e-6, "{}", u.lag1);
        let total: f64 =
            u.power.iter().zip(&statistics.shells.modes).map(|(p, &n)| p * n as f64).sum();
        assert!((total / spec.points() as f64 - 1.0).abs() < 1e-9);
        let at = u.power[3] * statistics.shells.modes[3] as f64;
        assert!((at / total - 1.0).abs() < 1e-9, "shell 3 has {at} of {total}");
        assert!((u.lag1_spectrum[3] - 0.3_f64.cos()).abs() < 1e-6);
        let v = &statistics.channels[1];
        assert!((v.std - (1.0_f64 / 12.0).sqrt()).abs() < 0.02 && v.lag1.abs() < 0.06);
        // White noise: every shell near 1 (the mean was taken from shell 0).
        assert!(v.power[1..].iter().all(|p| (p - 1.0).abs() < 0.3), "{:?}", v.power);
    }
}

/// If validation or test frames leaked into the statistics, scores would be too good.
#[test]
fn statistics_see_the_training_part_only() {
    let home = tempfile::tempdir().unwrap();
    let spec = spec(3, false);
    let writer = Writer::create(&home.path().join("w.zarr"), &spec, false).unwrap();
    for t in 0..3 {
        let shift = if t == 0 { 0.0 } else { 1e6 };
        let shifted: Vec<f32> = values(&spec, t, 0.1).iter().map(|v| v + shift).collect();
        writer.write(t, &shifted).unwrap();
    }
    let splits = SplitRule::by_trajectory(3).apply(3, FRAMES).unwrap();
    let statistics = writer.finish(&splits, &Manifest::new(json!({}))).unwrap();
    assert!((statistics.channels[0].mean - 10.0).abs() < 1e-6);
    assert_eq!(statistics.frames, FRAMES);
}

/// Blocks of long trajectories must give what whole trajectories give, on any number of threads.
#[test]
fn blocks_and_threads_do_not_change_the_result() {
    let home = tempfile::tempdir().unwrap();
    let mut spec = spec(1, true);
    // 4 MiB of one channel: several blocks.
    spec.time = TimeAxis::model(9000, 0.25);
    let all = values(&spec, 0, 0.1);
    let rule = SplitRule::Time { valid: 0.2, test: 0.2, gap: 3, block: 1 };
    let splits = rule.apply(1, 9000).unwrap();
    let finish = |name: &str, threads, whole: bool| {
        let path = home.path().join(name);
        let writer = Writer::create(&path, &spec, false).unwrap();
        if whole {
            writer.write(0, &all).unwrap();
        } else {
            let blocks: Vec<_> =
                all.chunks(writer.block() * spec.frame_len()).enumerate().collect();
            assert!(blocks.len() > 3);
            blocks.iter().rev().for_each(|(b, values)| writer.write_block(0, *b, values).unwrap());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let statistics =
            pool.install(|| writer.finish(&splits, &Manifest::new(json!({})))).unwrap();
        let reader = Reader::open(&path).unwrap();
        assert_eq!(*reader.statistics(), statistics);
        (statistics, reader.hash().to_owned())
    };
    let (a, b) = (finish("a.zarr", 1, true), finish("b.zarr", 4, false));
    assert_eq!(a, b);
}

fn first_chunk(folder: &Path) -> PathBuf {
    let entry = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| !p.ends_with("zarr.json"));
    let path = entry.unwrap();
    if path.is_dir() { first_chunk(&path) } else { path }
}

fn read_all(reader: &Reader) -> anyhow::Result<()> {
    (0..reader.spec().trajectories).try_for_each(|t| reader.read(t, 0..FRAMES).map(|_| ()))
}

/// If damage were read as numbers, training would go on with them.
#[test]
fn missing_and_truncated_chunks_are_noticed() {
    let (_home, path, _) = made(true);
    let reader = Reader::open(&path).unwrap();
    let chunk = first_chunk(&path.join("u"));
    let bytes = fs::read(&chunk).unwrap();
    fs::write(&chunk, &bytes[..bytes.len() / 2]).unwrap();
    let error = read_all(&reader).unwrap_err().to_string();
    assert!(error.contains("`u`") && error.contains("damaged"), "{error}");
    fs::remove_file(&chunk).unwrap();
    let error = read_all(&reader).unwrap_err().to_string();
    assert!(error.contains("`u` is NaN"), "{error}");
    fs::remove_file(path.join("v/zarr.json")).unwrap();
    let error = format!("{:#}", Reader::open(&path).unwrap_err());
    assert!(error.contains("`v` is missing"), "{error}");
}

#[test]
fn changed_values_are_noticed_by_verify() {
    let (home, path, spec) = made(false);
    let other = home.path().join("other.zarr");
    write(&other, &spec, 0.2).unwrap();
    assert_ne!(Reader::open(&other).unwrap().hash(), Reader::open(&path).unwrap().hash());
    fs::remove_dir_all(path.join("u/c")).unwrap();
    fs::rename(other.join("u/c"), path.join("u/c")).unwrap();
    assert!(Reader::open(&path).unwrap().verify().unwrap_err().to_string().contains("changed"));
}

#[test]
fn bad_values_leave_nothing_behind() {
    let home = tempfile::tempdir().unwrap();
    let spec = spec(3, false);
    let path = home.path().join("w.zarr");
    let empty = || fs::read_dir(home.path()).unwrap().count() == 0;

    let writer = Writer::create(&path, &spec, false).unwrap();
    let mut bad = values(&spec, 0, 0.1);
    bad[5 * spec.frame_len() + 17] = f32::NAN;
    let error = writer.write(0, &bad).unwrap_err().to_string();
    assert_eq!(
        error,
        "`v` is NaN in frame 5 of trajectory 0: a data set holds finite numbers only"
    );
    assert!(
        writer.write(1, &bad[1..]).is_err() && writer.write(3, &values(&spec, 3, 0.1)).is_err()
    );
    let splits = SplitRule::by_trajectory(3).apply(3, FRAMES).unwrap();
    let error = writer.finish(&splits, &Manifest::new(json!({}))).unwrap_err().to_string();
    assert_eq!(error, "trajectory 0 was not written");
    assert!(empty());

    let writer = Writer::create(&path, &spec, false).unwrap();
    for t in 0..3 {
        writer.write(t, &vec![0.1; FRAMES * spec.frame_len()]).unwrap();
    }
    let error = writer.finish(&splits, &Manifest::new(json!({}))).unwrap_err().to_string();
    assert!(error.starts_with("`u` is constant"), "{error}");
    assert!(empty());
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("w.zarr");
    let refused = |change: fn(&mut Spec)| {
        let mut spec = spec(3, true);
        change(&mut spec);
        format!("{:#}", Writer::create(&path, &spec, false).unwrap_err())
    };
    let error = refused(|s| s.x = SpatialAxis::two_pi("x", 98, Boundary::Periodic));
    assert_eq!(
        error,
        "a grid of 98 points along `x` does not fit: use an even product of 2, 3 and 5 from 8 to \
         2048, such as 96"
    );
    assert!(refused(|s| s.x = SpatialAxis::two_pi("x", 4096, Boundary::Periodic)).contains("4096"));
    assert!(refused(|s| s.channels[1].name = "u".into()).contains("`u` is taken"));
    assert!(refused(|s| s.channels[1].name = "time".into()).contains("`time` is taken"));
    assert!(refused(|s| s.x.coordinates[3] = TAU).contains("do not increase"));
    assert!(refused(|s| s.x.length = 0.0).contains("the axis `x` does not fit: length is 0"));
    assert!(refused(|s| s.time = TimeAxis::model(1, 1.0)).contains("at least 2 frames"));
}

#[test]
fn what_is_no_data_set_is_said_so() {
    let home = tempfile::tempdir().unwrap();
    let error = Reader::open(&home.path().join("none")).unwrap_err().to_string();
    assert!(error.ends_with("does not exist"), "{error}");
    assert!(Reader::open(home.path()).unwrap_err().to_string().contains("no data set"));
}
