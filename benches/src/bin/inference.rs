//! Times evaluations of a shipped model on one thread; `benches/inference.py` calls it and
//! compares.
//!
//! `inference FOLDER NETWORK` reads lines `WHAT BACKEND COUNT` and answers each once it has
//! evaluated so often, so that its processor time can be read from outside. WHAT is `prepare` (what
//! depends on λ), `network` (its layers alone, whose graph is NETWORK), `increment` (of a window)
//! or `score` (of a path); BACKEND is `f32`, `int8` (the boards' runtime, on this processor's
//! instructions) or `tract`. Fields go in and come out, so the runtime's times include its
//! transforms.

use std::collections::BTreeMap;
use std::io::stdin;
use std::path::Path;

use anyhow::{Context, Result, bail};
use finescale::layer::{Conv, Epilogue, SLOPE, multiply};
use finescale::model::{Activation, Weights};
use finescale::predictor::{PathDensity, Trained, path_score, path_score_scratch_len};
use finescale::{Field, Modes, NoiseStream, Predictor as _, layout, spectral};
use finescale_model::Model;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file};
use finescale_model::onnx::{Array, Session};

const LAMBDA: f32 = 0.1;
/// Frames of a path beyond a window.
const BEYOND: usize = 3;

/// Calls so often.
fn repeat(count: usize, mut call: impl FnMut() -> Result<()>) -> Result<()> {
    (0..count).try_for_each(|_| call())
}

/// The boards' runtime.
fn runtime(bytes: &AlignedBytes, what: &str, count: usize) -> Result<()> {
    let view = bytes.parse()?;
    let mut memory = vec![0.0; Trained::memory_len(&view)];
    let mut predictor = Trained::new(&view, &mut memory)?;
    if what == "prepare" {
        // Two λ in turn: what is prepared already is not solved again.
        let mut lambdas = [LAMBDA, 1.01 * LAMBDA].into_iter().cycle();
        return repeat(count, || {
            lambdas.next().map(|lambda| predictor.prepare(lambda)).transpose()?;
            Ok(())
        });
    }
    let predictor = predictor.prepare(LAMBDA)?;
    let (grid, frame) = (predictor.grid, predictor.frame_len());
    let mut transform = vec![0.0; spectral::scratch_len(&grid)];
    let mut scratch = vec![0.0; path_score_scratch_len(&predictor)];
    let window = what == "increment";
    let frames = predictor.window + if window { 0 } else { BEYOND };
    let mut fields = vec![0.0; frames * frame];
    NoiseStream { seed: 0, member: 0, frame: 0, draw: 0 }.fill(&mut fields);
    let mut path = fields.clone();
    let mut output = vec![0.0; if window { frame } else { frames * frame }];
    repeat(count, || {
        path.copy_from_slice(&fields);
        spectral::forward(&grid, Field::from_mut(&mut path), &mut transform)?;
        if window {
            predictor.increment(
                layout::Path::modes(&path),
                Modes::from_mut(&mut output),
                &mut scratch,
            )?;
        } else {
            path_score(
                &predictor,
                PathDensity::FULL,
                layout::Path::modes(&path),
                layout::Path::modes_mut(&mut output),
                &mut scratch,
            )?;
        }
        spectral::inverse(&grid, Modes::from_mut(&mut output), &mut transform)?;
        Ok(())
    })
}

/// The layers alone; their modulation does nothing.
fn network(bytes: &AlignedBytes, count: usize) -> Result<()> {
    let view = bytes.parse()?;
    let layers = || view.layers().iter();
    let wide = layers().map(|layer| layer.shape.input_len().max(layer.shape.output_len()));
    let wide = wide.max().context("a model without a network")?;
    let work = layers().map(|layer| layer.shape.scratch_len()).max().unwrap_or(0);
    let signs = layers().map(|layer| layer.shape.signs_len()).max().unwrap_or(0);
    let (mut from, mut to) = (vec![0.1; wide], vec![0.0; wide]);
    let (mut work, mut signs, ones) = (vec![0.0; work], vec![0; signs], vec![1.0; 1024]);
    repeat(count, || {
        for layer in layers() {
            let shape = layer.shape;
            let rectifier = layer.activation == Activation::Rectifier;
            let slope = if rectifier { SLOPE } else { 1.0 };
            let epilogue = Epilogue { scale: &ones[..shape.outputs()], shift: layer.bias, slope };
            let product = layer.activation == Activation::Product;
            let x = &from[..shape.input_len()];
            let kept = rectifier.then_some(&mut signs[..shape.signs_len()]);
            let add = (layer.residual && !product).then_some(x);
            let y = &mut to[..shape.output_len()];
            match layer.weights {
                Weights::F32(weights) => {
                    Conv::new(shape, weights)?.forward(x, &epilogue, kept, add, y, &mut work)?
                }
                Weights::I8 { weights, .. } => {
                    Conv::new(shape, weights)?.forward(x, &epilogue, kept, add, y, &mut work)?
                }
                Weights::Int16 { .. } => bail!("a network alone is timed in f32 and int8"),
            }
            if product {
                multiply(y, &mut from[..shape.input_len()])?;
            } else {
                std::mem::swap(&mut from, &mut to);
            }
        }
        from.fill(0.1);
        Ok(())
    })
}

/// A graph in tract, and inputs for it.
fn tract(files: [&Path; 2], model: &Model, what: &str) -> Result<(Session, [Array; 2])> {
    let [folder, network] = files;
    let (meta, grid) = (&model.meta, model.meta.grid()?);
    let fields = |frames: usize| vec![1, frames, meta.channels.len(), grid.ny(), grid.nx()];
    let (file, shape) = match what {
        "network" => (network.to_owned(), vec![1, meta.input_fields()?, grid.ny(), grid.nx()]),
        "increment" => (folder.join("predictor.onnx"), fields(meta.system.window)),
        _ => (folder.join("score.onnx"), fields(meta.system.window + BEYOND)),
    };
    let session = Session::new(&std::fs::read(file)?, &[&shape, &[1]])?;
    let mut values = vec![0.0; shape.iter().product()];
    NoiseStream { seed: 0, member: 0, frame: 0, draw: 0 }.fill(&mut values);
    let field = Array { shape, values };
    Ok((session, [field, Array { shape: vec![1], values: vec![LAMBDA] }]))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, network_file] = &arguments[..] else { bail!("usage: inference FOLDER NETWORK") };
    let (folder, network_file) = (Path::new(folder), Path::new(network_file));
    let model = Model::open(&folder.join("model.safetensors"))?;
    let mut files = BTreeMap::new();
    for (name, precision) in [("f32", Precision::F32), ("int8", Precision::Int8)] {
        files.insert(
            name,
            AlignedBytes::new(&file(&model, precision, &Bounds::ones(model.meta.layers()?.len()))?),
        );
    }
    let mut sessions = BTreeMap::new();
    for line in stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let [what, backend, count] = words[..] else { bail!("a line is WHAT BACKEND COUNT") };
        let count = count.parse()?;
        match files.get(backend) {
            Some(file) if what == "network" => network(file, count)?,
            Some(file) => runtime(file, what, count)?,
            None => {
                if !sessions.contains_key(what) {
                    sessions.insert(what.to_owned(), tract([folder, network_file], &model, what)?);
                }
                let (session, inputs) = &sessions[what];
                repeat(count, || session.run(inputs).map(drop))?;
            }
        }
        println!("done");
    }
    Ok(())
}
