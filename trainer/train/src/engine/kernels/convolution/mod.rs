//! Convolutions of batches, forward and backward, for training: plain slices, every core, the same bits however many.
//!
//! Fields are `[batch][channel][y][x]`, weights `[out][in][ky][kx]` (on a line `[out][in][kx]`). The arithmetic
//! is the runtime's, so a network is trained on the numbers that it will compute when it is used.

mod block;

use finescale::Grid;
use finescale::layer::{Conv, ConvShape, Epilogue, WeightGradient};
use rayon::prelude::*;

pub use block::{Block, Given, Gradients};

/// Sizes of a convolution; [`ConvShape`] says which there are and what lies beyond the ends of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convolution {
    /// Grid of input and output.
    pub grid: Grid,
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Taps along an axis.
    pub kernel: usize,
    /// Distance between taps, in points.
    pub dilation: usize,
}

impl Convolution {
    /// The runtime's description of one sample.
    ///
    /// # Panics
    /// If [`ConvShape::new`] refuses the sizes.
    pub fn shape(&self) -> ConvShape {
        let Self { grid, channels_in, channels_out, kernel, dilation } = *self;
        ConvShape::new(grid, channels_in, channels_out, kernel, dilation)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// weight ∗ `input` + `bias`: `[batch][out][y][x]`. `input`: `[batch][in][y][x]`; `bias`: one value an output channel.
    ///
    /// # Panics
    /// If the sizes are refused or a slice has another length.
    pub fn forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: Option<&[f32]>,
        batch: usize,
    ) -> Vec<f32> {
        let zeros = vec![0.0; self.channels_out];
        self.samples(Direction::Forward, input, weight, bias.unwrap_or(&zeros), batch)
    }

    /// Gradient with respect to the input, `[batch][in][y][x]`, from that with respect to the output, `[batch][out][y][x]`.
    ///
    /// # Panics
    /// As [`Convolution::forward`].
    pub fn input_gradient(&self, grad_output: &[f32], weight: &[f32], batch: usize) -> Vec<f32> {
        let zeros = vec![0.0; self.channels_out];
        self.samples(Direction::Backward, grad_output, weight, &zeros, batch)
    }

    /// Gradient with respect to the weights, `[out][in][ky][kx]`, summed over the batch.
    ///
    /// Each sample's sums are those of [`WeightGradient`]; they are summed in the order of the samples.
    ///
    /// # Panics
    /// As [`Convolution::forward`].
    pub fn weight_gradient(&self, input: &[f32], grad_output: &[f32], batch: usize) -> Vec<f32> {
        let shape = self.shape();
        check("input", input, batch * shape.input_len());
        check("grad_output", grad_output, batch * shape.output_len());
        let of_weights = WeightGradient::new(shape);
        let samples: Vec<Vec<f32>> = input
            .par_chunks_exact(shape.input_len())
            .zip(grad_output.par_chunks_exact(shape.output_len()))
            .map_init(
                || vec![0.0; of_weights.scratch_len()],
                |scratch, (input, grad_output)| {
                    let mut sums = vec![0.0; of_weights.sums_len()];
                    of_weights
                        .add(input, grad_output, &mut sums, scratch)
                        .expect("lengths were checked");
                    sums
                },
            )
            .collect();
        let mut sums = vec![0.0; of_weights.sums_len()];
        for sample in samples {
            sums.iter_mut().zip(sample).for_each(|(sum, value)| *sum += value);
        }
        let mut gradient = vec![0.0; shape.weights_len()];
        of_weights.unpack(&sums, &mut gradient).expect("lengths were checked");
        gradient
    }

    /// Gradient with respect to the bias: the sum over batch and points for each output channel, in f64, rounded once.
    ///
    /// # Panics
    /// If there are not `batch` · out · ny · nx values.
    pub fn bias_gradient(&self, grad_output: &[f32], batch: usize) -> Vec<f32> {
        let points = self.grid.points();
        check("grad_output", grad_output, batch * self.channels_out * points);
        let sums: Vec<f64> = grad_output
            .par_chunks_exact(points)
            .map(|plane| plane.iter().map(|value| f64::from(*value)).sum())
            .collect();
        let channel = |c: usize| sums.iter().skip(c).step_by(self.channels_out).sum::<f64>() as f32;
        (0..self.channels_out).map(channel).collect()
    }

    fn samples(
        &self,
        direction: Direction,
        from: &[f32],
        weight: &[f32],
        shift: &[f32],
        batch: usize,
    ) -> Vec<f32> {
        let shape = self.shape();
        let (from_len, to_len) = match direction {
            Direction::Forward => (shape.input_len(), shape.output_len()),
            Direction::Backward => (shape.output_len(), shape.input_len()),
        };
        check(direction.source(), from, batch * from_len);
        check("weight", weight, shape.weights_len());
        check("bias", shift, self.channels_out);
        let mut packed = vec![0.0; shape.packed_len()];
        shape.pack(weight, &mut packed).expect("lengths were checked");
        let conv = Conv::new(shape, &packed).expect("lengths were checked");
        let epilogue = Epilogue { scale: &vec![1.0; self.channels_out], shift, slope: 1.0 };
        let mut to = vec![0.0; batch * to_len];
        to.par_chunks_exact_mut(to_len).zip(from.par_chunks_exact(from_len)).for_each_init(
            || vec![0.0; shape.scratch_len()],
            |scratch, (to, from)| {
                let result = match direction {
                    Direction::Forward => conv.forward(from, &epilogue, None, None, to, scratch),
                    Direction::Backward => conv.vjp(from, &epilogue, None, None, to, scratch),
                };
                result.expect("lengths were checked");
            },
        );
        to
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
}

impl Direction {
    fn source(self) -> &'static str {
        match self {
            Self::Forward => "input",
            Self::Backward => "grad_output",
        }
    }
}

fn check(name: &str, values: &[f32], needed: usize) {
    assert_eq!(values.len(), needed, "{name} has {} values: give it {needed}", values.len());
}
