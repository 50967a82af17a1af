//! A model's network, whichever it is, forward and backward, on `[n][channel][y][x]`.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value as Json;

use super::blocks::{Blocks, Map};
use super::boundary::Domain;
use super::flex::Flex;
use super::graph::{Graph, Value};
use super::layers::{Layers, Slopes};
use super::tape;
use super::unet::Unet;
use crate::reference::LAMBDA_FEATURES;
use crate::{Array, LayerMeta, Model, OtherNetwork};

/// The network of a graph.
pub(super) enum Network<'m> {
    /// Of layers one after the other.
    Layers(Layers),
    /// One that the runtime lacks.
    Other(Other<'m>),
}

/// A network that the runtime lacks.
pub(super) struct Other<'m> {
    design: Design,
    arrays: &'m BTreeMap<String, Array>,
    domain: Domain,
    /// Fields in.
    inputs: usize,
    /// λ's features, if it depends on λ.
    features: Option<Value>,
}

enum Design {
    Unet(Unet),
    Flex(Flex),
}

/// What the gradient of a network's input needs.
pub(super) enum Tape {
    Layers(Vec<Slopes>),
    /// The steps, and the input.
    Other(tape::Tape, Value),
}

impl<'m> Network<'m> {
    /// Of a model whose network has these layers, modulated by λ if there is one; none if there are
    /// no layers. With weights turned over where the adjoint is asked for.
    pub(super) fn new<S>(
        graph: &mut Graph,
        model: &Model<S>,
        metas: &[LayerMeta],
        lambda: Option<&Value>,
        with_adjoint: bool,
    ) -> Result<Option<Self>> {
        graph.part("film");
        let features = lambda.filter(|_| !metas.is_empty()).map(|lambda| features(graph, lambda));
        let layers = Layers::new(graph, model, metas, features.as_ref(), with_adjoint)?;
        Ok(layers.map(Self::Layers))
    }

    /// Of a network that the runtime lacks, from so many fields.
    pub(super) fn other<S>(
        graph: &mut Graph,
        model: &'m Model<S>,
        network: &OtherNetwork,
        inputs: usize,
        lambda: Option<&Value>,
    ) -> Result<Self> {
        let settings = Json::Object(network.settings.clone());
        let design = match &*network.kind {
            "unet" => Design::Unet(serde_json::from_value(settings)?),
            "flex" => Design::Flex(serde_json::from_value(settings)?),
            other => bail!("a network `{other}` has no graph in ONNX"),
        };
        graph.part("film");
        let features = lambda.map(|lambda| features(graph, lambda));
        let domain = Domain::of(&model.meta.grid()?);
        Ok(Self::Other(Other { design, arrays: &model.arrays, domain, inputs, features }))
    }

    /// Fields to what comes out of the last layer.
    ///
    /// # Errors
    /// If an array is missing or of the wrong size.
    pub(super) fn forward(&self, graph: &mut Graph, fields: &Value) -> Result<(Value, Tape)> {
        match self {
            Self::Layers(layers) => {
                let (out, tape) = layers.forward(graph, fields);
                Ok((out, Tape::Layers(tape)))
            }
            Self::Other(other) => other.forward(graph, fields),
        }
    }

    /// Gradient of the fields from that of the outputs.
    pub(super) fn vjp(&self, graph: &mut Graph, cotangent: &Value, tape: &Tape) -> Value {
        match (self, tape) {
            (Self::Layers(layers), Tape::Layers(tape)) => layers.vjp(graph, cotangent, tape),
            (_, Tape::Other(tape, input)) => {
                graph.part("network.vjp");
                tape.pull_back(graph, input, cotangent)
            }
            (Self::Other(_), Tape::Layers(_)) => unreachable!("a tape is its own network's"),
        }
    }
}

impl Other<'_> {
    fn forward(&self, graph: &mut Graph, fields: &Value) -> Result<(Value, Tape)> {
        let mut blocks = Blocks::new(graph, self.arrays);
        let input = Map { value: fields.clone(), channels: self.inputs as i64 };
        let out = match &self.design {
            Design::Unet(unet) => {
                // Without λ the biases of its dense layers are what modulates.
                let none =
                    blocks.graph.constant("none", &[1, LAMBDA_FEATURES], [0.0; LAMBDA_FEATURES]);
                let features = self.features.as_ref().unwrap_or(&none);
                unet.forward(&mut blocks, input, features, &self.domain)?
            }
            Design::Flex(flex) => {
                flex.forward(&mut blocks, input, self.features.as_ref(), &self.domain)?
            }
        };
        Ok((out.value, Tape::Other(blocks.tape, fields.clone())))
    }
}

/// What networks see of λ: `[1][feature]`.
fn features(graph: &mut Graph, lambda: &Value) -> Value {
    // t = 1 + 2 log₁₀ λ / 3.
    let log = graph.ln(lambda);
    let t = graph.scaled(&log, 2.0 / (3.0 * std::f64::consts::LN_10));
    let t = graph.shifted(&t, 1.0);
    let t2 = graph.mul(&t, &t);
    let t3 = graph.mul(&t2, &t);
    let angle = graph.scaled(&t, std::f64::consts::PI);
    let (sin, cos) = (graph.sin(&angle), graph.cos(&angle));
    let features = graph.concat(0, &[&t, &t2, &t3, &sin, &cos]);
    graph.unsqueeze(&features, &[0])
}
