//! Reverse-mode differentiation: what a graph does forward is recorded, and written out backward.

use std::collections::HashMap;

use super::graph::{Graph, Value};

/// The gradients of a step's inputs from that of its output.
type PullBack = Box<dyn Fn(&mut Graph, &Value) -> Vec<Value>>;

/// The steps from a network's input to its output.
#[derive(Default)]
pub(super) struct Tape(Vec<Step>);

struct Step {
    inputs: Vec<Value>,
    output: Value,
    pull_back: PullBack,
}

impl Tape {
    /// Records that `output` was computed from `inputs`, and gives it. What does not depend on the
    /// network's input is none of them.
    pub(super) fn record(
        &mut self,
        inputs: &[&Value],
        output: Value,
        pull_back: impl Fn(&mut Graph, &Value) -> Vec<Value> + 'static,
    ) -> Value {
        let inputs = inputs.iter().map(|&input| input.clone()).collect();
        self.0.push(Step { inputs, output: output.clone(), pull_back: Box::new(pull_back) });
        output
    }

    /// The gradient of the network's input, `input`, from that of its output, `cotangent`.
    ///
    /// # Panics
    /// If the output does not depend on the input.
    pub(super) fn pull_back(&self, graph: &mut Graph, input: &Value, cotangent: &Value) -> Value {
        let last = self.0.last().map_or(input, |step| &step.output);
        let mut gradients = HashMap::from([(last.clone(), cotangent.clone())]);
        for step in self.0.iter().rev() {
            let Some(gradient) = gradients.remove(&step.output) else { continue };
            for (input, more) in step.inputs.iter().zip((step.pull_back)(graph, &gradient)) {
                let sum = match gradients.get(input) {
                    Some(known) => graph.add(known, &more),
                    None => more,
                };
                gradients.insert(input.clone(), sum);
            }
        }
        gradients.remove(input).expect("a network depends on its input")
    }
}
