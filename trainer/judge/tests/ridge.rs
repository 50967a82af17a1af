//! Ridge regressions against maps that are known.

#[allow(dead_code, reason = "not every test file uses all of it")]
#[path = "../../fixtures/ensembles.rs"]
mod ensembles;

use std::f64::consts::PI;
use std::path::Path;

use ensembles::{noise, result, spec, with_input};
use finescale::Boundary::{self, Periodic, Reflecting};
use finescale_data::dataset::{Manifest, Reader, Spec, SplitRule, TimeAxis, Writer};
use finescale_ensemble::{Ensemble, Task};
use finescale_field::coarsening::Coarsening;
use finescale_judge::baseline::{RidgeMap, RidgeTraining, ridge};
use finescale_judge::score::{Scores, Settings, Truth};
use serde_json::json;

const FRAMES: usize = 600;
const TEST: std::ops::Range<usize> = 540..600;
const COARSE: usize = 8;
const RATIO: usize = 4;

/// Fine fields of which every block is a linear map of the 3 × 3 coarse values around it, beside
/// noise that the means over blocks do not see; `[frame][y][x]`, 10 on average.
fn fields(spec: &Spec, boundary: Boundary, deviation: f32) -> Vec<f32> {
    let plane = spec.y.is_some();
    let n = (spec.nx() / RATIO) as isize;
    let (ny, ry) = if plane { ((spec.ny() / RATIO) as isize, RATIO) } else { (1, 1) };
    let coarse = noise(spec.frames() * (n * ny) as usize, 7);
    let unseen = noise(spec.frames() * spec.points(), 8);
    let inside = |j: isize, n: isize| match boundary {
        Periodic => j.rem_euclid(n),
        Reflecting => j.clamp(0, n - 1),
    };
    let mut fields = vec![0.0; spec.frames() * spec.points()];
    for t in 0..spec.frames() {
        for (y, x) in (0..ny).flat_map(|y| (0..n).map(move |x| (y, x))) {
            let at = |dy: isize, dx: isize| {
                let place = inside(y + dy, ny) * n + inside(x + dx, n);
                coarse[t * (ny * n) as usize + place as usize]
            };
            let places = (0..ry).flat_map(|sy| (0..RATIO).map(move |sx| (sy, sx)));
            let place = |(sy, sx): (usize, usize)| {
                let row = y as usize * ry + sy;
                t * spec.points() + row * spec.nx() + x as usize * RATIO + sx
            };
            let mean = places.clone().map(|s| unseen[place(s)]).sum::<f32>() / (ry * RATIO) as f32;
            for (sy, sx) in places {
                let (py, px) = (sy as f32 - (ry - 1) as f32 / 2.0, sx as f32 - 1.5);
                let slope = px * (at(0, 1) - at(0, -1)) + py * (at(1, 0) - at(-1, 1));
                fields[place((sy, sx))] =
                    10.0 + at(0, 0) + 0.1 * slope + deviation * (unseen[place((sy, sx))] - mean);
            }
        }
    }
    fields
}

fn data_set(home: &Path, spec: &Spec, fields: &[f32]) -> Reader {
    let path = home.join("fields.zarr");
    let writer = Writer::create(&path, spec, true).unwrap();
    writer.write(0, fields).unwrap();
    let rule = SplitRule::Time { valid: 0.1, test: 0.1, gap: 2, block: 1 };
    let splits = rule.apply(1, spec.frames()).unwrap();
    writer.finish(&splits, &Manifest::new(json!({}))).unwrap();
    Reader::open(&path).unwrap()
}

/// The last frames, coarsened: what a super-resolution of the test part would begin with.
fn test_part(spec: &Spec, fields: &[f32]) -> Ensemble {
    let truth = fields[TEST.start * spec.points()..].to_vec();
    let spec = Spec { time: TimeAxis::model(TEST.len(), spec.time.interval), ..spec.clone() };
    let ensemble = result(spec, Task::SuperResolve, 1, 0, truth.clone(), Some(truth));
    let coarse = ensemble.spec.nx() / RATIO;
    with_input(ensemble, coarse, Coarsening::BlockMean)
}

fn scores(ensemble: &Ensemble) -> Scores {
    Scores::new(ensemble, &Truth::within(ensemble).unwrap(), &Settings::default()).unwrap()
}

const MAPS: [(RidgeMap, bool); 4] = [
    (RidgeMap::Patch, false),
    (RidgeMap::Patch, true),
    (RidgeMap::Pixel, false),
    (RidgeMap::Pixel, true),
];

/// If it failed, a regression would see the wrong coarse values somewhere, at the borders most
/// likely.
#[test]
fn a_linear_map_of_the_coarse_field_is_found() {
    let home = tempfile::tempdir().unwrap();
    for points in [vec![COARSE * RATIO], vec![COARSE * RATIO; 2], vec![2 * COARSE * RATIO; 2]] {
        for boundary in [Periodic, Reflecting] {
            let spec = spec(&points, boundary, 1, FRAMES);
            let fields = fields(&spec, boundary, 0.0);
            let reader = data_set(home.path(), &spec, &fields);
            let result = test_part(&spec, &fields);
            let training = RidgeTraining::read(&result, &reader).unwrap();
            // On the largest the last map sees a window.
            let maps = if points[0] > COARSE * RATIO { &MAPS[3..] } else { &MAPS[..] };
            for &(map, neighbours) in maps {
                let made = ridge(&result, &training, map, neighbours).unwrap();
                let error = scores(&made).overall.error.unwrap().relative_l2;
                let what = format!("{points:?} {boundary:?} {map:?} {neighbours}");
                assert!(error < 1e-5, "{what}: {error}");
                assert_eq!(made.provenance.settings["penalty"], 1e-8, "{what}");
            }
        }
    }
}

/// What the coarse field does not tell is left as the Gaussian's variance, and the Gaussian is
/// right.
#[test]
fn the_errors_that_are_left_are_known() {
    let home = tempfile::tempdir().unwrap();
    let spec = spec(&[COARSE * RATIO; 2], Periodic, 1, FRAMES);
    let fields = fields(&spec, Periodic, 0.5);
    let reader = data_set(home.path(), &spec, &fields);
    let result = test_part(&spec, &fields);
    let training = RidgeTraining::read(&result, &reader).unwrap();
    let expected = 0.5 * (1.0 - 1.0 / (RATIO * RATIO) as f64).sqrt();
    for (map, neighbours) in MAPS {
        let made = ridge(&result, &training, map, neighbours).unwrap();
        let scores = scores(&made).channels.remove(0);
        // Weights of a map for every point are known less well.
        let slack = if map == RidgeMap::Patch { 0.01 } else { 0.25 };
        let error = scores.error.unwrap().rmse / expected;
        assert!((0.99..1.01 + slack).contains(&error), "{map:?} {neighbours}: {error}");
        let ratio = scores.spread.unwrap().ratio;
        // Held-out errors are those of weights from fewer frames.
        assert!((0.98..1.1).contains(&ratio), "{map:?} {neighbours}: {ratio}");
        // The Gaussian's CRPS at every point, by its closed form: E|N(e, σ²)| − σ/√π.
        let deviation = made.deviation.as_ref().unwrap();
        let truth = made.truth.as_ref().unwrap();
        let sum: f64 = made
            .prediction
            .iter()
            .zip(truth)
            .zip(deviation.iter().cycle())
            .map(|((x, u), &s)| {
                let (error, s) = (f64::from(x - u), f64::from(s));
                let folded = s * (2.0 / PI).sqrt() * (-error * error / (2.0 * s * s)).exp()
                    + error * erf(error / (s * 2.0_f64.sqrt()));
                folded - s / PI.sqrt()
            })
            .sum();
        let (found, closed) = (scores.crps.unwrap().value, sum / truth.len() as f64);
        assert!((found / closed - 1.0).abs() < 1e-5, "{found}, expected {closed}");
        // A right Gaussian scores σ/√π.
        let right = error * expected / PI.sqrt();
        assert!((found / right - 1.0).abs() < 0.01, "{found}, expected {right}");
    }
}

/// By its series, exact here.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        let n = f64::from(n);
        term *= -x * x / n;
        sum += term / (2.0 * n + 1.0);
    }
    2.0 / PI.sqrt() * sum
}

/// If it failed, a baseline would know what it is scored with.
#[test]
fn only_the_training_part_is_learned_from() {
    let home = tempfile::tempdir().unwrap();
    let spec = spec(&[COARSE * RATIO], Reflecting, 1, FRAMES);
    let fields = fields(&spec, Reflecting, 0.5);
    let result = test_part(&spec, &fields);
    let made = |fields: &[f32]| {
        let reader = data_set(home.path(), &spec, fields);
        let training = RidgeTraining::read(&result, &reader).unwrap();
        MAPS.map(|(map, neighbours)| {
            let made = ridge(&result, &training, map, neighbours).unwrap();
            (made.prediction, made.deviation)
        })
    };
    let reader = data_set(home.path(), &spec, &fields);
    let used = reader.segments(finescale_data::dataset::Split::Train);
    assert_eq!(used.len(), 1);
    let first_unused = used[0].frames.end;
    let as_it_is = made(&fields);
    let mut others = fields.clone();
    others[first_unused * spec.points()..].iter_mut().for_each(|v| *v = 3.0 - 2.0 * *v);
    assert!(made(&others) == as_it_is);
    others[(first_unused - 1) * spec.points()] += 1.0;
    assert!(made(&others) != as_it_is);
}

/// The errors of a sensor are in what is learned from: where they hide everything, a large penalty
/// is chosen, and the mean is predicted.
#[test]
fn what_tells_nothing_is_penalised() {
    let home = tempfile::tempdir().unwrap();
    let spec = spec(&[COARSE * RATIO], Periodic, 1, FRAMES);
    let fields = fields(&spec, Periodic, 0.5);
    let reader = data_set(home.path(), &spec, &fields);
    let mut result = test_part(&spec, &fields);
    result.input.as_mut().unwrap().origin.as_mut().unwrap().sensor_noise = vec![1e3];
    let training = RidgeTraining::read(&result, &reader).unwrap();
    for (map, neighbours) in MAPS {
        let made = ridge(&result, &training, map, neighbours).unwrap();
        let penalty = made.provenance.settings["penalty"].as_f64().unwrap();
        assert!(penalty >= 1.0, "{map:?} {neighbours}: {penalty}");
        assert!(made.prediction.iter().all(|v| (v - 10.0).abs() < 0.3));
    }
}

/// Another data set is refused by name.
#[test]
fn other_fields_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let short = spec(&[16], Periodic, 1, FRAMES);
    let reader = data_set(home.path(), &short, &noise(16 * FRAMES, 3));
    let spec = spec(&[COARSE * RATIO], Periodic, 1, FRAMES);
    let result = test_part(&spec, &fields(&spec, Periodic, 0.5));
    let refused = RidgeTraining::read(&result, &reader).unwrap_err().to_string();
    assert!(refused.contains("--data has other fields"), "{refused}");
}
