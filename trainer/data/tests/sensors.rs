//! Files as sensors write them, in the layout of a thermal array (MLX90640), of rain radar and of a
//! fibre.

use std::fs;
use std::path::Path;

use finescale_data::dataset::Reader;
use finescale_data::import::{self, Fill, Options, TimeOptions};

const ROWS: usize = 24;
const COLUMNS: usize = 32;

/// What the array sees: every pixel warms at its own rate.
fn scene(t: usize, y: usize, x: usize) -> f32 {
    20.0 + 0.25 * y as f32 + 0.5 * x as f32 + t as f32 * (1.0 + ((y * 7 + x * 3) % 5) as f32) / 8.0
}

/// Records as the array gives them: each renews the pixels of one colour of the chess board and
/// keeps the others; before the first two there is nothing. What record 9 renews is broken.
fn records(count: usize) -> Vec<f32> {
    let mut seen = vec![0.0; ROWS * COLUMNS];
    let mut records = Vec::new();
    for t in 0..count {
        for (p, value) in seen.iter_mut().enumerate() {
            let (y, x) = (p / COLUMNS, p % COLUMNS);
            if (y + x) % 2 == t % 2 {
                *value = if t == 9 { f32::NAN } else { scene(t, y, x) };
            }
        }
        records.extend(&seen);
    }
    records
}

fn write(path: &Path, values: &[f32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    fs::write(path, bytes).unwrap();
}

fn options(home: &Path) -> Options {
    Options {
        output: home.join("made.zarr"),
        raw: Some(vec![ROWS, COLUMNS]),
        force: true,
        isel: vec!["y=0:16".into()],
        ..Options::of(&home.join("seen.raw"))
    }
}

fn imported(options: &Options) -> Reader {
    import::run(options).unwrap();
    Reader::open(&options.output).unwrap()
}

/// If it failed, half of the pixels would be a record late, in a chess pattern that no field has.
#[test]
fn an_interlaced_array_is_taken_apart_in_time() {
    let home = tempfile::tempdir().unwrap();
    write(&home.path().join("seen.raw"), &records(40));
    let options = Options {
        drop_repeats: true,
        fill: vec![Fill::Interpolate],
        time: TimeOptions {
            range: Some("2:".into()),
            interval: Some(0.0625),
            ..TimeOptions::default()
        },
        ..options(home.path())
    };
    let reader = imported(&options);
    assert_eq!((reader.spec().frames(), reader.spec().ny(), reader.spec().nx()), (38, 16, 32));
    assert_eq!(reader.spec().time.interval, 0.0625);
    let values = reader.read(0, 0..38).unwrap();
    for (n, frame) in values.chunks_exact(16 * COLUMNS).enumerate() {
        for (p, &value) in frame.iter().enumerate() {
            let (y, x) = (p / COLUMNS, p % COLUMNS);
            // At the ends the only neighbour in time stands for both.
            let t = match n {
                0 if (y + x) % 2 == 1 => 3,
                37 if (y + x) % 2 == 0 => 38,
                _ => n + 2,
            };
            let expected = scene(t, y, x);
            assert!((value - expected).abs() < 1e-5, "{n} {y} {x}: {value} {expected}");
        }
    }
    // As the records are, the other colour is one late.
    let as_they_are = Options {
        fill: vec![Fill::Interpolate],
        time: TimeOptions { range: Some("2:".into()), ..TimeOptions::default() },
        ..self::options(home.path())
    };
    let late = imported(&as_they_are).read(0, 4..5).unwrap();
    assert_eq!((late[0], late[1]), (scene(6, 0, 0), scene(5, 0, 1)));
}

#[test]
fn what_cannot_be_taken_apart_is_said() {
    let home = tempfile::tempdir().unwrap();
    let refused = |options: &Options| format!("{:#}", import::run(options).unwrap_err());
    write(&home.path().join("seen.raw"), &records(12));
    let options = options(home.path());
    let error = refused(&Options { drop_repeats: true, ..options.clone() });
    assert!(error.contains("--fill interpolate"), "{error}");
    let error = refused(&Options { raw: Some(vec![25, 32]), ..options.clone() });
    assert!(error.contains("36864 bytes") && error.contains("3200 each"), "{error}");
    let error = refused(&Options { raw: Some(vec![2, 3, 4]), ..options.clone() });
    assert!(error.contains("rows x columns"), "{error}");
    let error = refused(&Options { raw: None, ..options.clone() });
    assert!(error.contains("--raw 24x32"), "{error}");
    // What is broken stays so until it is renewed, and is said to be missing.
    let error = refused(&options);
    assert!(error.contains("steps 9 to 10"), "{error}");
}

/// A line of points without a header; and rain, most of which is exactly zero and stays it where
/// nothing is regridded.
#[test]
fn lines_and_rain_are_read_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let line: Vec<f32> = (0..30 * 64).map(|n| (n % 64) as f32 + (n / 64) as f32 * 0.5).collect();
    write(&home.path().join("seen.raw"), &line);
    let options = Options { raw: Some(vec![64]), isel: Vec::new(), ..self::options(home.path()) };
    let reader = imported(&options);
    assert_eq!((reader.spec().frames(), reader.spec().nx()), (30, 64));
    assert!(reader.spec().y.is_none());
    assert_eq!(reader.read(0, 0..30).unwrap(), line);
    let rain: Vec<f32> =
        (0..20 * 32 * 32).map(|n| if n % 7 < 5 { 0.0 } else { (n % 31) as f32 / 10.0 }).collect();
    write(&home.path().join("seen.raw"), &rain);
    let options =
        Options { raw: Some(vec![32, 32]), isel: Vec::new(), ..self::options(home.path()) };
    assert_eq!(imported(&options).read(0, 0..20).unwrap(), rain);
}
