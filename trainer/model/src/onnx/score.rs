//! The path score as a graph: the vector-Jacobian product is written out, no runtime needs to
//! differentiate.

use anyhow::Result;

use super::graph::{Graph, Value};
use super::predictor::{Frames, Predictor};
use crate::Model;

/// From a path `[batch][frame][channel][y][x]` to its score, of the same shape; `companions`: of
/// every frame, `[batch][frame][field][y][x]`, where there are any.
///
/// s^m = −S⁻¹e^{m−1} + S⁻¹e^m + Σ_n J_{n,m}ᵀ S⁻¹e^n − û⁰/V at m = 0, e^n = û^{n+1} − û^n − F_n.
pub(super) fn path_score(
    graph: &mut Graph,
    model: &Model,
    predictor: &Predictor<'_>,
    path: &Value,
    companions: Option<&Value>,
) -> Result<Value> {
    let window = model.meta.system.window as i64;
    let frames = predictor.frames(graph, path);
    graph.part("windows");
    let windows = Frames {
        modes: windows(graph, &frames.modes, 4, window),
        fields: frames.fields.iter().map(|fields| windows(graph, fields, 5, window)).collect(),
        there: windows(graph, &frames.there, 3, window),
        // Nothing predicts frame 0.
        companions: companions.map(|companions| graph.from(companions, 1, 1)),
    };
    let output = predictor.predict(graph, &windows)?;
    graph.part("score");
    let (later, earlier) = (graph.from(&frames.modes, 1, 1), graph.slice(&frames.modes, 1, 0, -1));
    let change = graph.sub(&later, &earlier);
    let error = graph.sub(&change, &output.increment);
    let innovation = predictor.level.measured_innovation(graph, model)?;
    let innovation = graph.gather_by(&innovation, 0, &output.row);
    let weighted = graph.div(&error, &innovation);
    let before = graph.zeros_around(&weighted, 4, 1, 1, 0);
    let after = graph.zeros_around(&weighted, 4, 1, 0, 1);
    let mut score = graph.sub(&after, &before);
    // Frame 0: −û⁰/V, and as many zero frames after it as there are steps.
    let first = graph.slice(&frames.modes, 1, 0, 1);
    let first = graph.div(&first, &predictor.level.variance);
    let none = graph.scaled(&weighted, 0.0);
    let first = graph.concat(1, &[&first, &none]);
    score = graph.sub(&score, &first);

    let (modes, seen) = predictor.vjp(graph, &output, &weighted);
    graph.part("score");
    if let Some(modes) = modes {
        let gradient = gathered(graph, &modes, 4, window, model.meta.channels.len() as i64);
        score = graph.add(&score, &gradient);
    }
    let seen: Vec<Value> = seen
        .iter()
        .map(|fields| gathered(graph, fields, 5, window, model.meta.channels.len() as i64))
        .collect();
    Ok(on_grid(graph, predictor, &score, &seen))
}

/// Gradients of frames, `[a][frame][channel][…]`: of their modes, turned apart, and of the fields
/// that the network sees of them, to that of their fields.
pub(super) fn on_grid(
    graph: &mut Graph,
    predictor: &Predictor<'_>,
    modes: &Value,
    seen: &[Value],
) -> Value {
    // What came through the filter goes back through it; its modes are not turned apart.
    let mut spectrum = predictor.modes.together(graph, modes);
    let mut raw = None;
    for (seen, fields) in predictor.level.seen.iter().zip(seen) {
        let fields = seen.before(graph, fields);
        match &seen.filter {
            Some(filter) => {
                let filtered = predictor.modes.forward(graph, &fields);
                let filtered = predictor.modes.flat(graph, &filtered);
                let filtered = graph.mul(&filtered, filter);
                spectrum = graph.add(&spectrum, &filtered);
            }
            None => raw = Some(fields),
        }
    }
    let spectrum = predictor.modes.on_grid(graph, &spectrum);
    let gradient = predictor.modes.inverse(graph, &spectrum);
    match raw {
        Some(raw) => graph.add(&gradient, &raw),
        None => gradient,
    }
}

/// Frames `[a][frame][…]` to the windows before every frame but the first, oldest frame first, with
/// zeros before the path.
fn windows(graph: &mut Graph, frames: &Value, rank: usize, window: i64) -> Value {
    let padded = graph.zeros_around(frames, rank, 1, window - 1, 0);
    let parts: Vec<Value> = (0..window).map(|j| graph.slice(&padded, 1, j, j - window)).collect();
    graph.concat(2, &parts.iter().collect::<Vec<_>>())
}

/// The adjoint of [`windows`], of frames with `width` channels.
fn gathered(graph: &mut Graph, windows: &Value, rank: usize, window: i64, width: i64) -> Value {
    let mut sum: Option<Value> = None;
    for j in 0..window {
        let part = graph.slice(windows, 2, j * width, (j + 1) * width);
        let part = graph.zeros_around(&part, rank, 1, j, window - j);
        sum = Some(match sum {
            Some(sum) => graph.add(&sum, &part),
            None => part,
        });
    }
    let sum = sum.expect("a window has a frame");
    graph.from(&sum, 1, window - 1)
}
