//! Models as ONNX graphs; `docs/onnx.md` has their inputs, outputs and metadata.
//!
//! Standard operators of opset 17, exact at every λ > 0: what depends on λ is computed inside the
//! graph in closed form.

mod blocks;
mod boundary;
mod flex;
mod graph;
mod layers;
mod level;
mod mean;
mod metadata;
mod modes;
mod network;
mod ops;
mod predictor;
mod run;
mod score;
mod seen;
mod tape;
mod terms;
mod unet;
mod windows;

use anyhow::{Result, ensure};
use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto, ValueInfoProto,
};

use crate::{Model, NetworkMeta};
use graph::{Dim, Graph, Value, described};
use predictor::Predictor;

pub use mean::mean;
pub use run::{Array, Session};

/// Version of the ONNX operators.
pub(crate) const OPSET: i64 = 17;
/// Version of the file format that goes with them.
const IR: i64 = 8;

/// `predictor.onnx`: `window` and `lambda` to `increment`, and `noise` from a score head; a model
/// that sees companions takes `companions` too.
///
/// # Errors
/// If an array is missing, or the network has no graph.
pub fn predictor(model: &Model) -> Result<Vec<u8>> {
    check(model)?;
    let mut graph = Graph::default();
    let predictor = Predictor::new(&mut graph, model, &Graph::input("lambda"), false)?;
    let frames = predictor.frames(&mut graph, &Graph::input("window"));
    let companions = companions(model, &[Dim::Named("batch")]);
    let seen = companions.as_ref().map(|_| Graph::input("companions"));
    let windows = frames.as_windows(&mut graph, model, seen.as_ref());
    let output = predictor.predict(&mut graph, &windows)?;
    let frame = frame(model, &[Dim::Named("batch")]);
    let mut outputs = Vec::new();
    let mut put = |graph: &mut Graph, modes: &Value, name: &str, text: &str| {
        graph.part(name);
        let fields = predictor.fields(graph, modes);
        let only = graph.integers(&[1]);
        let fields = graph.node("Squeeze", &[&fields, &only], Vec::new());
        graph.output(&fields, name);
        outputs.push(described(name, &frame, text));
    };
    put(&mut graph, &output.increment, "increment", "expected next frame less the newest one");
    if let Some(noise) = &output.noise {
        put(&mut graph, noise, "noise", "expected unit noise in the newest frame");
    }
    let window = described(
        "window",
        &self::frame(model, &[Dim::Named("batch"), Dim::Fixed(model.meta.system.window)]),
        "noised frames in standardised units, oldest first; a frame of zeros is one that is not \
         there",
    );
    let inputs = [window, lambda()].into_iter().chain(companions).collect();
    let graph = graph.finish("predictor", inputs, outputs);
    file(model, graph)
}

/// `score.onnx`: `path` and `lambda` to `score`; a model that sees companions takes `companions` of
/// every frame too.
///
/// # Errors
/// As [`predictor`].
pub fn score(model: &Model) -> Result<Vec<u8>> {
    check(model)?;
    let mut graph = Graph::default();
    let predictor = Predictor::new(&mut graph, model, &Graph::input("lambda"), true)?;
    let companions = companions(model, &[Dim::Named("batch"), Dim::Named("frames")]);
    let (path, seen) = (Graph::input("path"), Graph::input("companions"));
    let seen = companions.as_ref().map(|_| &seen);
    let score = score::path_score(&mut graph, model, &predictor, &path, seen)?;
    graph.output(&score, "score");
    let path = frame(model, &[Dim::Named("batch"), Dim::Named("frames")]);
    let outputs = vec![described("score", &path, "gradient of the log density of the path")];
    let path = described("path", &path, "noised frames in standardised units, at least two");
    let inputs = [path, lambda()].into_iter().chain(companions).collect();
    let graph = graph.finish("score", inputs, outputs);
    file(model, graph)
}

/// `gradient.onnx`: `window`, `lambda` and `cotangent`, a gradient of the increment, to `gradient`,
/// that of the window.
///
/// # Errors
/// As [`predictor`].
pub fn gradient(model: &Model) -> Result<Vec<u8>> {
    check(model)?;
    let mut graph = Graph::default();
    let predictor = Predictor::new(&mut graph, model, &Graph::input("lambda"), true)?;
    let frames = predictor.frames(&mut graph, &Graph::input("window"));
    let companions = companions(model, &[Dim::Named("batch")]);
    let seen = companions.as_ref().map(|_| Graph::input("companions"));
    let windows = frames.as_windows(&mut graph, model, seen.as_ref());
    let output = predictor.predict(&mut graph, &windows)?;
    graph.part("cotangent");
    let cotangent = graph.unsqueeze(&Graph::input("cotangent"), &[1]);
    let cotangent = predictor.modes.forward(&mut graph, &cotangent);
    let cotangent = predictor.modes.flat(&mut graph, &cotangent);
    let cotangent = predictor.modes.apart(&mut graph, &cotangent);
    let (modes, seen) = predictor.vjp(&mut graph, &output, &cotangent);
    graph.part("gradient");
    let [window, c, ny, nx] = {
        let ny = model.meta.y.as_ref().map_or(1, |y| y.points);
        [model.meta.system.window, model.meta.channels.len(), ny, model.meta.x.points]
            .map(|n| n as i64)
    };
    let modes = match modes {
        Some(modes) => graph.reshape(&modes, &[0, window, c, ny * nx]),
        None => graph.scaled(&frames.modes, 0.0),
    };
    let seen: Vec<Value> =
        seen.iter().map(|fields| graph.reshape(fields, &[0, window, c, ny, nx])).collect();
    let gradient = score::on_grid(&mut graph, &predictor, &modes, &seen);
    graph.output(&gradient, "gradient");
    let batch = Dim::Named("batch");
    let shape = frame(model, &[batch, Dim::Fixed(model.meta.system.window)]);
    let inputs = [
        described("window", &shape, "as that of the predictor"),
        lambda(),
        described("cotangent", &frame(model, &[batch]), "gradient of the increment"),
    ];
    let outputs = vec![described("gradient", &shape, "gradient of the window")];
    let graph = graph.finish("gradient", inputs.into_iter().chain(companions).collect(), outputs);
    file(model, graph)
}

fn check(model: &Model) -> Result<()> {
    ensure!(
        model.meta.system.coupling == 0.0,
        "a model of coupled channels has no graph in ONNX: train with process.coupling = 0"
    );
    if model.meta.network.on_boards() {
        // Sizes of all arrays.
        crate::reference::Reference::new(model)?;
    }
    Ok(())
}

fn lambda() -> ValueInfoProto {
    described("lambda", &[Dim::Fixed(1)], "diffusion scale, more than 0")
}

/// The input that a model has beside frames and λ, where its network sees companions.
fn companions(model: &Model, leading: &[Dim]) -> Option<ValueInfoProto> {
    let count = model.meta.companions();
    if count == 0 || model.meta.network == NetworkMeta::Linear {
        return None;
    }
    let text = "what is known of the frame beside the path: means, then shown fields, as anomalies";
    Some(described("companions", &fields(model, leading, count), text))
}

/// Leading dimensions, then channel, y, x.
fn frame(model: &Model, leading: &[Dim]) -> Vec<Dim> {
    fields(model, leading, model.meta.channels.len())
}

/// Leading dimensions, then field, y, x.
fn fields(model: &Model, leading: &[Dim], count: usize) -> Vec<Dim> {
    let meta = &model.meta;
    let ny = meta.y.as_ref().map_or(1, |y| y.points);
    let inner = [count, ny, meta.x.points].map(Dim::Fixed);
    leading.iter().copied().chain(inner).collect()
}

fn file(model: &Model, graph: GraphProto) -> Result<Vec<u8>> {
    let entries = metadata::entries(model)?;
    Ok(encoded(&model.meta.name, entries, graph))
}

/// The file of a graph.
fn encoded(name: &str, entries: Vec<StringStringEntryProto>, graph: GraphProto) -> Vec<u8> {
    let file = ModelProto {
        ir_version: IR,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        producer_name: "finescale".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: format!("{}, by {name}", graph.name),
        metadata_props: entries,
        graph: Some(graph),
        ..ModelProto::default()
    };
    file.encode_to_vec()
}
