//! The modulated convolution on the CPU: our own kernels as an operation of Burn's, with its
//! gradient.

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Register;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData, TensorPrimitive};

use super::convolution::{self, Convolution, Given, Kept};
use super::{Block, Kernels, composed};
use crate::config::Precision;
use crate::engine::backend::Cpu;

/// The block's five inputs, contiguous.
#[derive(Clone, Debug)]
struct Inputs([FlexTensor; 5]);

impl Inputs {
    fn given(&self) -> Given<'_> {
        let [input, weight, bias, factor, shift] = &self.0;
        Given {
            input: input.storage(),
            weight: weight.storage(),
            bias: bias.storage(),
            factor: factor.storage(),
            shift: shift.storage(),
        }
    }

    fn dims(&self) -> [Vec<usize>; 5] {
        self.0.each_ref().map(|tensor| tensor.layout().shape().to_vec())
    }
}

fn tensor(values: Vec<f32>, shape: Vec<usize>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

fn block(inputs: &Inputs, block: &Block) -> convolution::Block {
    let [_, weight, ..] = inputs.dims();
    let convolution = Convolution {
        grid: block.grid,
        channels_in: weight[1],
        channels_out: weight[0],
        kernel: weight[3],
        dilation: block.dilation,
    };
    convolution::Block { convolution, activation: block.activation, residual: block.residual }
}

fn forward(inputs: &Inputs, options: &Block) -> (FlexTensor, Kept) {
    let block = block(inputs, options);
    let (output, kept) = block.forward(&inputs.given());
    let [mut shape, ..] = inputs.dims();
    shape[1] = block.channels_out();
    (tensor(output, shape), kept)
}

/// Without modulation the factors are 1 and the shifts 0.
fn modulation<B: Backend>(
    given: Option<[Tensor<B, 2>; 2]>,
    input: &Tensor<B, 4>,
    weight: &Tensor<B, 4>,
) -> [Tensor<B, 2>; 2] {
    given.unwrap_or_else(|| {
        let shape = [input.dims()[0], weight.dims()[0]];
        [Tensor::ones(shape, &input.device()), Tensor::zeros(shape, &input.device())]
    })
}

/// The five inputs of a block as its backend has them.
fn primitives<B: Backend>(
    input: Tensor<B, 4>,
    weight: Tensor<B, 4>,
    bias: Tensor<B, 1>,
    given: Option<[Tensor<B, 2>; 2]>,
) -> [B::FloatTensorPrimitive; 5] {
    let [factor, shift] = modulation(given, &input, &weight);
    [
        input.into_primitive().tensor(),
        weight.into_primitive().tensor(),
        bias.into_primitive().tensor(),
        factor.into_primitive().tensor(),
        shift.into_primitive().tensor(),
    ]
}

impl Kernels for Cpu {
    fn block(
        input: Tensor<Self, 4>,
        weight: Tensor<Self, 4>,
        bias: Tensor<Self, 1>,
        given: Option<[Tensor<Self, 2>; 2]>,
        options: &Block,
    ) -> Tensor<Self, 4> {
        if options.precision == Precision::Mixed {
            return composed(input, weight, bias, given, options);
        }
        let inputs = primitives(input, weight, bias, given);
        let inputs = Inputs(inputs.map(|tensor| tensor.to_contiguous()));
        Tensor::from_primitive(TensorPrimitive::Float(forward(&inputs, options).0))
    }
}

/// The gradient of a block.
#[derive(Debug)]
struct BlockBackward;

#[derive(Clone, Debug)]
struct State {
    inputs: Inputs,
    options: Block,
    kept: Kept,
}

impl Backward<Cpu, 5> for BlockBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 5>, grads: &mut Register, _: &mut Checkpointer) {
        let State { inputs, options, kept } = ops.state;
        let cotangent = grads.consume::<Cpu>(&ops.node).to_contiguous();
        let input_too = ops.parents[0].is_some();
        let found = block(&inputs, &options).backward(
            &inputs.given(),
            &kept,
            cotangent.storage(),
            input_too,
        );
        let found = [found.input, found.weight, found.bias, found.factor, found.shift];
        for ((parent, values), shape) in ops.parents.iter().zip(found).zip(inputs.dims()) {
            if let Some(parent) = parent {
                grads.register::<Cpu>(parent.id, tensor(values, shape));
            }
        }
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Cpu, C> {
    fn block(
        input: Tensor<Self, 4>,
        weight: Tensor<Self, 4>,
        bias: Tensor<Self, 1>,
        given: Option<[Tensor<Self, 2>; 2]>,
        options: &Block,
    ) -> Tensor<Self, 4> {
        if options.precision == Precision::Mixed {
            return composed(input, weight, bias, given, options);
        }
        let given = primitives(input, weight, bias, given);
        let nodes = given.each_ref().map(|tensor| tensor.node.clone());
        let inputs = Inputs(given.map(|tensor| tensor.primitive.to_contiguous()));
        let (output, kept) = forward(&inputs, options);
        let output = match BlockBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                prep.finish(State { inputs, options: *options, kept }, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        };
        Tensor::from_primitive(TensorPrimitive::Float(output))
    }
}
