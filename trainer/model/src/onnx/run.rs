//! Exported models in tract.

use anyhow::{Context, Result, ensure};
use tract_onnx::prelude::*;

/// An array of f32, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Lengths of its dimensions.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

/// A model made ready for inputs of one shape.
pub struct Session {
    plan: Arc<TypedRunnableModel>,
}

impl Session {
    /// From a file's bytes and the shapes of its inputs.
    ///
    /// # Errors
    /// If tract cannot run it.
    pub fn new(file: &[u8], shapes: &[&[usize]]) -> Result<Self> {
        let mut model = tract_onnx::onnx().model_for_read(&mut &file[..])?;
        for (input, shape) in shapes.iter().enumerate() {
            model.set_input_fact(input, f32::fact(*shape).into())?;
        }
        let plan = model.into_optimized()?.into_runnable()?;
        Ok(Self { plan })
    }

    /// Outputs in the file's order.
    ///
    /// # Errors
    /// If an input has another shape.
    pub fn run(&self, inputs: &[Array]) -> Result<Vec<Array>> {
        let inputs = inputs.iter().map(|array| {
            ensure!(
                array.values.len() == array.shape.iter().product::<usize>(),
                "an input's values do not fill its shape"
            );
            Ok(Tensor::from_shape(&array.shape, &array.values)?.into())
        });
        let outputs = self.plan.run(inputs.collect::<Result<_>>()?)?;
        let array = |tensor: TValue| {
            let view = tensor.to_plain_array_view::<f32>()?;
            Ok(Array { shape: view.shape().to_vec(), values: view.iter().copied().collect() })
        };
        outputs.into_iter().map(array).collect::<Result<_>>().context("an output is not of f32")
    }
}
