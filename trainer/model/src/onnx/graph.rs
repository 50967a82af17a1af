//! A graph under construction.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, type_proto,
};

/// A tensor of a graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Value(String);

/// A dimension of an input or output.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dim {
    /// Of this length.
    Fixed(usize),
    /// Of any length, the same wherever it has this name.
    Named(&'static str),
}

/// Nodes and constants; every node is named after the part of the graph that it belongs to.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    integers: HashMap<Vec<i64>, Value>,
    scalars: HashMap<u32, Value>,
    part: String,
}

impl Graph {
    /// Names the part that the next nodes belong to.
    pub(super) fn part(&mut self, name: impl Into<String>) {
        self.part = name.into();
    }

    /// A graph's input of f32.
    pub(super) fn input(name: &str) -> Value {
        Value(name.into())
    }

    /// A constant array, rounded to f32.
    pub(super) fn constant(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl IntoIterator<Item = f64>,
    ) -> Value {
        let raw: Vec<u8> = values.into_iter().flat_map(|v| (v as f32).to_le_bytes()).collect();
        debug_assert_eq!(raw.len(), 4 * shape.iter().product::<usize>(), "{name}");
        self.add_constant(name, DataType::Float, shape.iter().map(|n| *n as i64).collect(), raw)
    }

    /// One number, as an array without dimensions.
    pub(super) fn scalar(&mut self, value: f64) -> Value {
        let bits = (value as f32).to_bits();
        if let Some(known) = self.scalars.get(&bits) {
            return known.clone();
        }
        let made = self.constant("number", &[], [value]);
        self.scalars.insert(bits, made.clone());
        made
    }

    /// A list of integers: indices, axes, a shape.
    pub(super) fn integers(&mut self, values: &[i64]) -> Value {
        if let Some(known) = self.integers.get(values) {
            return known.clone();
        }
        let raw = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let made = self.add_constant("integers", DataType::Int64, vec![values.len() as i64], raw);
        self.integers.insert(values.to_vec(), made.clone());
        made
    }

    fn add_constant(&mut self, name: &str, kind: DataType, dims: Vec<i64>, raw: Vec<u8>) -> Value {
        let taken = self.constants.iter().any(|constant| constant.name == name);
        let count = self.constants.len();
        let name = if taken { format!("{name}.{count}") } else { name.to_owned() };
        self.constants.push(TensorProto {
            dims,
            data_type: kind as i32,
            name: name.clone(),
            raw_data: raw,
            ..TensorProto::default()
        });
        Value(name)
    }

    /// A node with one output.
    pub(super) fn node(
        &mut self,
        op: &str,
        inputs: &[&Value],
        attributes: Vec<AttributeProto>,
    ) -> Value {
        let name = format!("{}/{op}.{}", self.part, self.nodes.len());
        self.push(op, inputs, attributes, name)
    }

    /// The output of a graph: a value under the name that users know.
    pub(super) fn output(&mut self, value: &Value, name: &str) {
        self.push("Identity", &[value], Vec::new(), name.into());
    }

    fn push(
        &mut self,
        op: &str,
        inputs: &[&Value],
        attribute: Vec<AttributeProto>,
        name: String,
    ) -> Value {
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.into(),
            attribute,
            ..NodeProto::default()
        });
        Value(name)
    }

    /// The finished graph, without what no output needs.
    pub(super) fn finish(
        self,
        name: &str,
        inputs: Vec<ValueInfoProto>,
        outputs: Vec<ValueInfoProto>,
    ) -> GraphProto {
        let mut needed: HashSet<String> =
            outputs.iter().map(|output| output.name.clone()).collect();
        let mut nodes = Vec::new();
        for node in self.nodes.into_iter().rev() {
            if node.output.iter().any(|output| needed.contains(output)) {
                needed.extend(node.input.iter().cloned());
                nodes.push(node);
            }
        }
        nodes.reverse();
        GraphProto {
            name: name.into(),
            node: nodes,
            initializer: self
                .constants
                .into_iter()
                .filter(|constant| needed.contains(&constant.name))
                .collect(),
            input: inputs,
            output: outputs,
            ..GraphProto::default()
        }
    }
}

/// An attribute of integers.
pub(super) fn integers(name: &str, values: &[i64]) -> AttributeProto {
    let ints = values.to_vec();
    AttributeProto { ints, ..attribute(name, AttributeType::Ints) }
}

/// An attribute of one integer.
pub(super) fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: value, ..attribute(name, AttributeType::Int) }
}

/// An attribute of one number.
pub(super) fn number(name: &str, value: f64) -> AttributeProto {
    AttributeProto { f: value as f32, ..attribute(name, AttributeType::Float) }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: kind as i32, ..AttributeProto::default() }
}

/// The description of an input or output of f32.
pub(super) fn described(name: &str, shape: &[Dim], text: &str) -> ValueInfoProto {
    let dim = shape.iter().map(|dim| Dimension {
        value: Some(match dim {
            Dim::Fixed(n) => dimension::Value::DimValue(*n as i64),
            Dim::Named(name) => dimension::Value::DimParam((*name).into()),
        }),
        ..Dimension::default()
    });
    let tensor = type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim: dim.collect() }),
    };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        doc_string: text.into(),
    }
}
