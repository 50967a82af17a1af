//! A whole residual block of a batch: convolution, modulation, activation, residual; forward and
//! backward.

use finescale::layer::{Conv, ConvShape, Epilogue, SLOPE, WeightGradient, multiply, multiply_vjp};
use finescale::model::Activation;
use rayon::prelude::*;

use super::Convolution;

/// y = activation(factor · (weight ∗ x + bias) + shift) + x, the residual only where channels in
/// and out are as many and it is asked for; products always have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// The convolution.
    pub convolution: Convolution,
    /// What follows the modulation.
    pub activation: Activation,
    /// Whether the input is added.
    pub residual: bool,
}

/// What [`Block::forward`] was given.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// `[batch][in][y][x]`.
    pub input: &'a [f32],
    /// `[out][in][ky][kx]`.
    pub weight: &'a [f32],
    /// `[out]`.
    pub bias: &'a [f32],
    /// `[batch][out]`.
    pub factor: &'a [f32],
    /// `[batch][out]`.
    pub shift: &'a [f32],
}

/// What [`Block::forward`] leaves for [`Block::backward`].
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// The sides of zero on which a rectifier was, a bit for each value.
    signs: Vec<u8>,
    /// The factors of products, `[batch][out][y][x]`.
    factors: Vec<f32>,
}

/// What [`Block::backward`] returns, each in the layout of what it is the gradient of.
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    /// Of the input; empty unless it was asked for.
    pub input: Vec<f32>,
    /// Of the weights.
    pub weight: Vec<f32>,
    /// Of the bias.
    pub bias: Vec<f32>,
    /// Of the factors.
    pub factor: Vec<f32>,
    /// Of the shifts.
    pub shift: Vec<f32>,
}

impl Block {
    /// Channels of the output.
    pub fn channels_out(&self) -> usize {
        match self.activation {
            Activation::Product => self.convolution.channels_out / 2,
            Activation::None | Activation::Rectifier => self.convolution.channels_out,
        }
    }

    /// The output, `[batch][channels out][y][x]`, and what is kept for [`Block::backward`].
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(&self, given: &Given<'_>) -> (Vec<f32>, Kept) {
        if self.activation == Activation::Product {
            let plain = Self { activation: Activation::None, residual: false, ..*self };
            let (factors, _) = plain.forward(given);
            let mut output = given.input.to_vec();
            let from = self.convolution.shape().input_len();
            let samples = output.par_chunks_exact_mut(from);
            samples.zip(factors.par_chunks_exact(2 * from)).for_each(|(h, factors)| {
                multiply(factors, h).expect("there are two factors for each value");
            });
            return (output, Kept { signs: Vec::new(), factors });
        }
        let shape = self.convolution.shape();
        let (from, to, out) = (shape.input_len(), shape.output_len(), shape.outputs());
        let batch = given.input.len() / from;
        let packed = self.packed(given.weight);
        let conv = Conv::new(shape, &packed).expect("packed weights have their length");
        let mut output = vec![0.0; batch * to];
        let mut signs = vec![0; batch * shape.signs_len()];
        output
            .par_chunks_exact_mut(to)
            .zip(signs.par_chunks_exact_mut(shape.signs_len()))
            .zip(given.input.par_chunks_exact(from))
            .zip(given.factor.par_chunks_exact(out).zip(given.shift.par_chunks_exact(out)))
            .for_each_init(
                || vec![0.0; shape.scratch_len()],
                |scratch, (((output, signs), input), (factor, shift))| {
                    // factor · (sum + bias) + shift is the epilogue factor · sum + (factor · bias +
                    // shift).
                    let shift: Vec<f32> = factor
                        .iter()
                        .zip(given.bias)
                        .zip(shift)
                        .map(|((f, b), s)| f * b + s)
                        .collect();
                    let epilogue = Epilogue { scale: factor, shift: &shift, slope: self.slope() };
                    let add = self.residual.then_some(input);
                    conv.forward(input, &epilogue, Some(signs), add, output, scratch)
                        .expect("lengths follow from the shape");
                },
            );
        (output, Kept { signs, factors: Vec::new() })
    }

    /// Gradients from that of the output, `[batch][out][y][x]`.
    ///
    /// With g the gradient behind the rectifier, a sample's factor of channel o has the gradient Σ
    /// g (weight ∗ x + bias)_o. The sum over points of g times the convolution is the product of
    /// the weights with their own gradient, so the convolution need not be kept or repeated.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn backward(
        &self,
        given: &Given<'_>,
        kept: &Kept,
        cotangent: &[f32],
        input_too: bool,
    ) -> Gradients {
        let shape = self.convolution.shape();
        let (from, to, out) = (shape.input_len(), shape.output_len(), shape.outputs());
        let (points, per_output) = (shape.grid().points(), shape.weights_len() / shape.outputs());
        let batch = given.input.len() / from;
        let packed = self.packed(given.weight);
        let conv = Conv::new(shape, &packed).expect("packed weights have their length");
        let mut input_gradient = vec![0.0; if input_too { batch * from } else { 0 }];
        let zeros = vec![0.0; out];
        let of_weights = WeightGradient::new(shape);
        let sample = |n: usize, gradient: Option<&mut [f32]>, scratch: &mut Vec<f32>| {
            let width = to * self.channels_out() / out;
            let input = &given.input[n * from..][..from];
            let cotangent = &cotangent[n * width..][..width];
            let factor = &given.factor[n * out..][..out];
            let behind = self.behind(&shape, kept, n, cotangent);
            if let Some(gradient) = gradient {
                let epilogue = Epilogue { scale: factor, shift: &zeros, slope: 1.0 };
                let add = self.residual.then_some(cotangent);
                conv.vjp(&behind, &epilogue, None, add, gradient, scratch)
                    .expect("lengths follow from the shape");
            }
            let (mut packed, mut weight) =
                (vec![0.0; of_weights.sums_len()], vec![0.0; shape.weights_len()]);
            of_weights
                .add(input, &behind, &mut packed, scratch)
                .and_then(|()| of_weights.unpack(&packed, &mut weight))
                .expect("lengths follow from the shape");
            let mut sums = plane_sums(&behind, points);
            let mut parts = Gradients { shift: sums.clone(), ..Gradients::default() };
            for (o, row) in weight.chunks_exact_mut(per_output).enumerate() {
                let own = &given.weight[o * per_output..][..per_output];
                let product: f32 = own.iter().zip(&*row).map(|(w, g)| w * g).sum();
                parts.factor.push(product + given.bias[o] * sums[o]);
                row.iter_mut().for_each(|value| *value *= factor[o]);
                sums[o] *= factor[o];
            }
            (parts.weight, parts.bias) = (weight, sums);
            parts
        };
        let scratch = || vec![0.0; shape.scratch_len().max(of_weights.scratch_len())];
        let samples: Vec<Gradients> = if input_too {
            let chunks = input_gradient.par_chunks_exact_mut(from).enumerate();
            chunks
                .map_init(scratch, |scratch, (n, gradient)| sample(n, Some(gradient), scratch))
                .collect()
        } else {
            (0..batch)
                .into_par_iter()
                .map_init(scratch, |scratch, n| sample(n, None, scratch))
                .collect()
        };
        let mut all = Gradients {
            input: input_gradient,
            weight: vec![0.0; shape.weights_len()],
            bias: vec![0.0; out],
            ..Gradients::default()
        };
        // In the order of the samples, however many cores there were.
        for sample in samples {
            all.weight.iter_mut().zip(&sample.weight).for_each(|(sum, value)| *sum += value);
            all.bias.iter_mut().zip(&sample.bias).for_each(|(sum, value)| *sum += value);
            all.factor.extend(sample.factor);
            all.shift.extend(sample.shift);
        }
        all
    }

    /// The cotangent behind the activation of sample `n`.
    fn behind(&self, shape: &ConvShape, kept: &Kept, n: usize, cotangent: &[f32]) -> Vec<f32> {
        match self.activation {
            Activation::None => cotangent.to_vec(),
            Activation::Rectifier => {
                let signs = &kept.signs[n * shape.signs_len()..][..shape.signs_len()];
                let mut behind = cotangent.to_vec();
                for (values, bits) in behind.as_chunks_mut::<8>().0.iter_mut().zip(signs) {
                    for (i, value) in values.iter_mut().enumerate() {
                        *value *= if bits & (1 << i) == 0 { 1.0 } else { SLOPE };
                    }
                }
                behind
            }
            Activation::Product => {
                let to = shape.output_len();
                let mut behind = kept.factors[n * to..][..to].to_vec();
                multiply_vjp(&mut behind, cotangent).expect("there are two factors for each value");
                behind
            }
        }
    }

    fn slope(&self) -> f32 {
        if self.activation == Activation::Rectifier { SLOPE } else { 1.0 }
    }

    fn packed(&self, weight: &[f32]) -> Vec<f32> {
        let shape = self.convolution.shape();
        let mut packed = vec![0.0; shape.packed_len()];
        shape.pack(weight, &mut packed).expect("weights have their length");
        packed
    }
}

/// The sum of every plane, in the order of its points; four at once, since one waits for each of
/// its own additions.
fn plane_sums(values: &[f32], points: usize) -> Vec<f32> {
    let mut sums = Vec::with_capacity(values.len() / points);
    for planes in values.chunks(4 * points) {
        let planes: Vec<&[f32]> = planes.chunks_exact(points).collect();
        if let [a, b, c, d] = planes[..] {
            let mut four = [0.0; 4];
            for (((a, b), c), d) in a.iter().zip(b).zip(c).zip(d) {
                for (sum, value) in four.iter_mut().zip([a, b, c, d]) {
                    *sum += f64::from(*value);
                }
            }
            sums.extend(four.map(|sum| sum as f32));
        } else {
            let sum = |plane: &[f32]| plane.iter().map(|v| f64::from(*v)).sum::<f64>() as f32;
            sums.extend(planes.into_iter().map(sum));
        }
    }
    sums
}
