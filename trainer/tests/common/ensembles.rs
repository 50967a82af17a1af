//! Results in memory, made of functions.

use finescale::{Boundary, NoiseStream};
use finescale_trainer::dataset::{Channel, SpatialAxis, Spec, TimeAxis};
use finescale_trainer::ensemble::{CoarseInput, Coarsening, Ensemble, Origin, Provenance, Task};
use serde_json::json;

/// A line, or a plane, of one kind of boundary and length 2π.
pub(crate) fn spec(points: &[usize], boundary: Boundary, channels: usize, frames: usize) -> Spec {
    let x = SpatialAxis::two_pi("x", points[points.len() - 1], boundary);
    let y = (points.len() == 2).then(|| SpatialAxis::two_pi("y", points[0], boundary));
    let channels =
        (0..channels).map(|c| Channel::new(&format!("u{c}"), "m s-1", &format!("speed {c}")));
    Spec {
        title: "a test".into(),
        channels: channels.collect(),
        trajectories: 1,
        time: TimeAxis::model(frames, 0.5),
        y,
        x,
    }
}

/// A path `[frame][channel][y][x]` of a function of time, channel, y and x.
pub(crate) fn path(spec: &Spec, value: impl Fn(f64, usize, f64, f64) -> f64) -> Vec<f32> {
    let rows = spec.y.as_ref().map_or(vec![0.0], |y| y.coordinates.clone());
    let mut values = Vec::new();
    for &t in &spec.time.values {
        for c in 0..spec.channels.len() {
            for &y in &rows {
                values.extend(spec.x.coordinates.iter().map(|&x| value(t, c, y, x) as f32));
            }
        }
    }
    values
}

/// A result from its members' values `[trajectory][frame][member][channel][y][x]`.
pub(crate) fn result(
    spec: Spec,
    task: Task,
    members: usize,
    given: usize,
    prediction: Vec<f32>,
    truth: Option<Vec<f32>>,
) -> Ensemble {
    let provenance = Provenance {
        task,
        method: "test".into(),
        model: String::new(),
        model_hash: String::new(),
        settings: json!({}),
        seed: 0,
        calls_per_frame: 8.0,
        seconds_per_frame: 0.01,
    };
    let ensemble = Ensemble { spec, provenance, members, given, prediction, input: None, truth };
    ensemble.check().unwrap();
    ensemble
}

/// The same result with the input that its truth is coarsened to.
pub(crate) fn with_input(
    mut ensemble: Ensemble,
    points: usize,
    coarsening: Coarsening,
) -> Ensemble {
    let fine = &ensemble.spec;
    let axis =
        |axis: &SpatialAxis| SpatialAxis::of_length(&axis.name, points, axis.boundary, axis.length);
    let spec = Spec { y: fine.y.as_ref().map(axis), x: axis(&fine.x), ..fine.clone() };
    let truth = ensemble.truth.as_ref().unwrap();
    let values = truth
        .chunks_exact(fine.frame_len())
        .flat_map(|frame| coarsening.apply(fine, &spec, frame).unwrap())
        .collect();
    let sensor_noise = vec![0.0; fine.channels.len()];
    let origin = Some(Origin { coarsening, sensor_noise });
    ensemble.input = Some(CoarseInput { spec, values, origin });
    ensemble
}

/// White noise of unit variance.
pub(crate) fn noise(values: usize, seed: u64) -> Vec<f32> {
    let mut field = vec![0.0; values];
    NoiseStream { seed, member: 1, frame: 2, step: 3 }.fill(&mut field);
    field
}

/// A wave of a wavenumber that fits both kinds of axes, at phase φ.
pub(crate) fn wave(boundary: Boundary, k: f64, x: f64, phase: f64) -> f64 {
    match boundary {
        Boundary::Periodic => (k * x + phase).cos(),
        // Only the cosine stands on an axis that is mirrored.
        Boundary::Reflecting => (k * x).cos() * phase.cos(),
    }
}
