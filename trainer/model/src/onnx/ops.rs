//! The operations that the graphs are made of.

use super::graph::{Graph, Value, integer, integers, number};

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident $op:literal),* $(,)?) => {
        $($(#[$doc])* pub(super) fn $name(&mut self, a: &Value, b: &Value) -> Value {
            self.node($op, &[a, b], Vec::new())
        })*
    };
}

macro_rules! unary {
    ($($name:ident $op:literal),* $(,)?) => {
        $(pub(super) fn $name(&mut self, a: &Value) -> Value {
            self.node($op, &[a], Vec::new())
        })*
    };
}

/// Operations with broadcasting; axes count from the front.
impl Graph {
    binary!(add "Add", sub "Sub", mul "Mul", div "Div", max "Max", min "Min", matmul "MatMul", less "Less");
    unary!(exp "Exp", ln "Log", tanh "Tanh", sqrt "Sqrt", sin "Sin", cos "Cos", neg "Neg", abs "Abs", shape "Shape", sigmoid "Sigmoid", erf "Erf");

    /// a · number.
    pub(super) fn scaled(&mut self, a: &Value, by: f64) -> Value {
        let by = self.scalar(by);
        self.mul(a, &by)
    }

    /// a + number.
    pub(super) fn shifted(&mut self, a: &Value, by: f64) -> Value {
        let by = self.scalar(by);
        self.add(a, &by)
    }

    /// number / a.
    pub(super) fn inverse_of(&mut self, a: &Value, number: f64) -> Value {
        let number = self.scalar(number);
        self.div(&number, a)
    }

    pub(super) fn sum(&mut self, a: &Value, axis: i64) -> Value {
        let axes = self.integers(&[axis]);
        self.node("ReduceSum", &[a, &axes], vec![integer("keepdims", 0)])
    }

    /// The mean over the last axis, which stays with length 1.
    pub(super) fn mean_last(&mut self, a: &Value) -> Value {
        self.node("ReduceMean", &[a], vec![integers("axes", &[-1]), integer("keepdims", 1)])
    }

    /// The sum over an axis, which stays with length 1.
    pub(super) fn sum_kept(&mut self, a: &Value, axis: i64) -> Value {
        let axes = self.integers(&[axis]);
        self.node("ReduceSum", &[a, &axes], vec![integer("keepdims", 1)])
    }

    pub(super) fn softmax(&mut self, a: &Value, axis: i64) -> Value {
        self.node("Softmax", &[a], vec![integer("axis", axis)])
    }

    /// The axes in another order.
    pub(super) fn transpose(&mut self, a: &Value, order: &[i64]) -> Value {
        self.node("Transpose", &[a], vec![integers("perm", order)])
    }

    /// The largest value over some axes, which are dropped.
    pub(super) fn largest(&mut self, a: &Value, axes: &[i64]) -> Value {
        self.node("ReduceMax", &[a], vec![integers("axes", axes), integer("keepdims", 0)])
    }

    pub(super) fn unsqueeze(&mut self, a: &Value, axes: &[i64]) -> Value {
        let axes = self.integers(axes);
        self.node("Unsqueeze", &[a, &axes], Vec::new())
    }

    /// In `shape`, 0 keeps a dimension and −1 is what is left.
    pub(super) fn reshape(&mut self, a: &Value, shape: &[i64]) -> Value {
        let shape = self.integers(shape);
        self.node("Reshape", &[a, &shape], Vec::new())
    }

    pub(super) fn reshape_to(&mut self, a: &Value, shape: &Value) -> Value {
        self.node("Reshape", &[a, shape], Vec::new())
    }

    /// Indices `start..end` of an axis; a negative end counts from the back.
    pub(super) fn slice(&mut self, a: &Value, axis: i64, start: i64, end: i64) -> Value {
        let [start, end, axis] = [start, end, axis].map(|n| self.integers(&[n]));
        self.node("Slice", &[a, &start, &end, &axis], Vec::new())
    }

    /// From `start` to the end of an axis.
    pub(super) fn from(&mut self, a: &Value, axis: i64, start: i64) -> Value {
        self.slice(a, axis, start, i64::MAX)
    }

    pub(super) fn concat(&mut self, axis: i64, parts: &[&Value]) -> Value {
        match parts {
            [one] => (*one).clone(),
            _ => self.node("Concat", parts, vec![integer("axis", axis)]),
        }
    }

    /// Fixed places of an axis.
    pub(super) fn gather(&mut self, a: &Value, axis: i64, places: &[i64]) -> Value {
        let places = self.integers(places);
        self.gather_by(a, axis, &places)
    }

    pub(super) fn gather_by(&mut self, a: &Value, axis: i64, places: &Value) -> Value {
        self.node("Gather", &[a, places], vec![integer("axis", axis)])
    }

    /// `before` and `after` zeros along one of `rank` axes.
    pub(super) fn zeros_around(
        &mut self,
        a: &Value,
        rank: usize,
        axis: usize,
        before: i64,
        after: i64,
    ) -> Value {
        if before == 0 && after == 0 {
            return a.clone();
        }
        let mut pads = vec![0; 2 * rank];
        (pads[axis], pads[rank + axis]) = (before, after);
        let pads = self.integers(&pads);
        self.node("Pad", &[a, &pads], Vec::new())
    }

    pub(super) fn leaky(&mut self, a: &Value, slope: f64) -> Value {
        self.node("LeakyRelu", &[a], vec![number("alpha", slope)])
    }

    pub(super) fn choose(&mut self, condition: &Value, then: &Value, otherwise: &Value) -> Value {
        self.node("Where", &[condition, then, otherwise], Vec::new())
    }

    /// As integers.
    pub(super) fn whole(&mut self, a: &Value) -> Value {
        let kind = tract_onnx::pb::tensor_proto::DataType::Int64 as i64;
        self.node("Cast", &[a], vec![integer("to", kind)])
    }

    /// As f32.
    pub(super) fn float(&mut self, a: &Value) -> Value {
        let kind = tract_onnx::pb::tensor_proto::DataType::Float as i64;
        self.node("Cast", &[a], vec![integer("to", kind)])
    }
}
