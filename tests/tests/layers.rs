//! Layers against their definition in f64, for every kernel, boundary and shape, on every code
//! path.

use finescale::layer::{CodePath, Conv, ConvShape, Epilogue, WeightGradient};
use finescale::{Boundary, Error};
use finescale_tests::field;
use finescale_tests::layers::{plane, products, shapes};

/// A convolution with random weights and epilogue.
struct Layer {
    shape: ConvShape,
    weights: Vec<f32>,
    packed: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
    slope: f32,
}

impl Layer {
    fn new(shape: ConvShape) -> Self {
        let weights = field(shape.weights_len(), 1);
        let mut packed = vec![f32::NAN; shape.packed_len()];
        shape.pack(&weights, &mut packed).expect("matching slices");
        let (scale, shift) = (field(shape.outputs(), 2), field(shape.outputs(), 3));
        Self { shape, weights, packed, scale, shift, slope: 0.125 }
    }

    /// The convolution alone.
    fn linear(shape: ConvShape) -> Self {
        let (scale, shift) = (vec![1.0; shape.outputs()], vec![0.0; shape.outputs()]);
        Self { scale, shift, slope: 1.0, ..Self::new(shape) }
    }

    fn conv(&self, path: CodePath) -> Conv<'_> {
        Conv::new(self.shape, &self.packed).expect("matching slices").on(path)
    }

    fn epilogue(&self) -> Epilogue<'_> {
        Epilogue { scale: &self.scale, shift: &self.shift, slope: self.slope }
    }

    fn forward(&self, path: CodePath, input: &[f32], add: Option<&[f32]>) -> (Vec<f32>, Vec<u8>) {
        let mut output = vec![f32::NAN; self.shape.output_len()];
        let mut signs = vec![0xA5; self.shape.signs_len()];
        let mut scratch = vec![f32::NAN; self.shape.scratch_len()];
        let conv = self.conv(path);
        conv.forward(input, &self.epilogue(), Some(&mut signs), add, &mut output, &mut scratch)
            .expect("matching slices");
        (output, signs)
    }

    fn vjp(
        &self,
        path: CodePath,
        cotangent: &[f32],
        signs: &[u8],
        add: Option<&[f32]>,
    ) -> Vec<f32> {
        let mut gradient = vec![f32::NAN; self.shape.input_len()];
        let mut scratch = vec![f32::NAN; self.shape.scratch_len()];
        let conv = self.conv(path);
        conv.vjp(cotangent, &self.epilogue(), Some(signs), add, &mut gradient, &mut scratch)
            .expect("matching slices");
        gradient
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

#[test]
fn forward_is_the_definition() {
    for shape in shapes() {
        let layer = Layer::linear(shape);
        let input = field(shape.input_len(), 4);
        let (output, _) = layer.forward(CodePath::fastest(), &input, None);
        let mut exact = vec![(0.0_f64, 0.0_f64); output.len()];
        products(&shape, |o, i, w| {
            let product = f64::from(layer.weights[w]) * f64::from(input[i]);
            exact[o].0 += product;
            exact[o].1 += product.abs();
        });
        let terms = (shape.inputs() * shape.taps_y() * shape.taps()) as f64;
        for (got, (exact, size)) in output.iter().zip(exact) {
            assert!((f64::from(*got) - exact).abs() <= terms * 6e-8 * size, "{shape:?}");
        }
    }
}

#[test]
fn vjp_is_the_definition_transposed() {
    for shape in shapes() {
        let layer = Layer::linear(shape);
        let cotangent = field(shape.output_len(), 5);
        let signs = vec![0; shape.signs_len()];
        let gradient = layer.vjp(CodePath::fastest(), &cotangent, &signs, None);
        let mut exact = vec![(0.0_f64, 0.0_f64); gradient.len()];
        products(&shape, |o, i, w| {
            let product = f64::from(layer.weights[w]) * f64::from(cotangent[o]);
            exact[i].0 += product;
            exact[i].1 += product.abs();
        });
        // A reflected point is one more addition on each axis.
        let terms = (shape.outputs() * shape.taps_y() * shape.taps() + 2) as f64;
        for (got, (exact, size)) in gradient.iter().zip(exact) {
            assert!((f64::from(*got) - exact).abs() <= terms * 6e-8 * size, "{shape:?}");
        }
    }
}

/// ⟨v, Conv u⟩ = ⟨Convᵀ v, u⟩: what the path score rests on.
#[test]
fn vjp_is_the_adjoint_of_forward() {
    for shape in shapes() {
        let layer = Layer::linear(shape);
        let (u, v) = (field(shape.input_len(), 6), field(shape.output_len(), 7));
        for path in CodePath::available() {
            let (output, signs) = layer.forward(path, &u, None);
            let gradient = layer.vjp(path, &v, &vec![0; signs.len()], None);
            let (left, right) = (dot(&v, &output), dot(&gradient, &u));
            let size = norm(&v) * norm(&output) + norm(&gradient) * norm(&u);
            assert!((left - right).abs() <= 2e-7 * size, "{shape:?}: {left} {right}");
        }
    }
}

#[test]
fn every_code_path_gives_the_same_bits() {
    let wide = [plane(16, Boundary::Periodic, 64, Boundary::Reflecting)];
    let wide = wide.into_iter().filter_map(|grid| ConvShape::new(grid, 16, 16, 3, 4).ok());
    for shape in shapes().into_iter().chain(wide) {
        let layer = Layer::new(shape);
        let input = field(shape.input_len(), 8);
        let cotangent = field(shape.output_len(), 9);
        let (output, signs) = layer.forward(CodePath::PORTABLE, &input, Some(&cotangent));
        let gradient = layer.vjp(CodePath::PORTABLE, &cotangent, &signs, Some(&input));
        for path in CodePath::available() {
            let got = layer.forward(path, &input, Some(&cotangent));
            assert!(same_bits(&got.0, &output) && got.1 == signs, "{shape:?} {path:?}");
            let got = layer.vjp(path, &cotangent, &signs, Some(&input));
            assert!(same_bits(&got, &gradient), "{shape:?} {path:?}");
        }
    }
}

fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Fails if any point of a periodic grid is treated in another order of operations than its
/// neighbours.
#[test]
fn periodic_layers_commute_with_shifts_bit_for_bit() {
    let shift = |values: &[f32], ny: usize, nx: usize| -> Vec<f32> {
        let row = |y: usize, x: usize| ((y + ny - 3) % ny) * nx + (x + nx - 5) % nx;
        let planes = values.chunks_exact(ny * nx);
        planes.flat_map(|p| (0..ny * nx).map(move |i| p[row(i / nx, i % nx)])).collect()
    };
    for (taps, dilation) in [(3, 1), (3, 2), (3, 4), (5, 1), (5, 2), (7, 1)] {
        let grid = plane(16, Boundary::Periodic, 32, Boundary::Periodic);
        let shape = ConvShape::new(grid, 6, 5, taps, dilation).expect("a shape");
        let layer = Layer::new(shape);
        let (u, v) = (field(shape.input_len(), 10), field(shape.output_len(), 11));
        let bits: Vec<f32> = v.iter().map(|v| v.abs()).collect();
        for path in CodePath::available() {
            let (output, signs) = layer.forward(path, &u, None);
            let (moved, _) = layer.forward(path, &shift(&u, 16, 32), None);
            assert!(same_bits(&moved, &shift(&output, 16, 32)), "{taps} {dilation}");

            let zeros = vec![0; signs.len()];
            let gradient = layer.vjp(path, &bits, &zeros, None);
            let moved = layer.vjp(path, &shift(&bits, 16, 32), &zeros, None);
            assert!(same_bits(&moved, &shift(&gradient, 16, 32)), "{taps} {dilation}");
        }
    }
}

fn weight_gradient(path: CodePath, shape: ConvShape, samples: &[[Vec<f32>; 2]]) -> Vec<f32> {
    let of_weights = WeightGradient::new(shape).on(path);
    let mut sums = vec![0.0; of_weights.sums_len()];
    let mut scratch = vec![f32::NAN; of_weights.scratch_len()];
    for [input, cotangent] in samples {
        of_weights.add(input, cotangent, &mut sums, &mut scratch).expect("matching slices");
    }
    let mut gradient = vec![f32::NAN; shape.weights_len()];
    of_weights.unpack(&sums, &mut gradient).expect("matching slices");
    gradient
}

#[test]
fn weight_gradient_is_its_definition_on_every_code_path() {
    for shape in shapes() {
        let samples = [20, 21]
            .map(|seed| [field(shape.input_len(), seed), field(shape.output_len(), seed + 10)]);
        let gradient = weight_gradient(CodePath::PORTABLE, shape, &samples);
        let mut exact = vec![(0.0_f64, 0.0_f64); gradient.len()];
        for [input, cotangent] in &samples {
            products(&shape, |o, i, w| {
                let product = f64::from(input[i]) * f64::from(cotangent[o]);
                exact[w].0 += product;
                exact[w].1 += product.abs();
            });
        }
        for (got, (exact, size)) in gradient.iter().zip(exact) {
            assert!((f64::from(*got) - exact).abs() <= 3e-6 * size, "{shape:?}");
        }
        for path in CodePath::available() {
            assert!(same_bits(&weight_gradient(path, shape, &samples), &gradient), "{shape:?}");
        }
    }
}

/// The epilogue, the signs that it keeps and the summand, one after the other by hand.
#[test]
fn epilogue_is_affine_then_leaky_then_added() {
    let grid = plane(8, Boundary::Reflecting, 16, Boundary::Periodic);
    let shape = ConvShape::new(grid, 6, 5, 3, 2).expect("a shape");
    let (layer, linear) = (Layer::new(shape), Layer::linear(shape));
    let (input, add) = (field(shape.input_len(), 12), field(shape.output_len(), 13));
    let (sums, _) = linear.forward(CodePath::PORTABLE, &input, None);
    let (output, signs) = layer.forward(CodePath::PORTABLE, &input, Some(&add));

    let cotangent = field(shape.output_len(), 14);
    let mut through = vec![0.0; cotangent.len()];
    let mut below = 0;
    for i in 0..output.len() {
        let channel = i / grid.points();
        let a = layer.scale[channel] * sums[i] + layer.shift[channel];
        let (value, derivative) = if a < 0.0 { (layer.slope * a, layer.slope) } else { (a, 1.0) };
        assert_eq!(output[i].to_bits(), (value + add[i]).to_bits());
        assert_eq!(signs[i / 8] >> (i % 8) & 1 == 1, a < 0.0);
        through[i] = layer.scale[channel] * derivative * cotangent[i];
        below += usize::from(a < 0.0);
    }
    assert!(below > 100 && below < output.len() - 100, "both sides of zero are met");

    let add = field(shape.input_len(), 15);
    let gradient = layer.vjp(CodePath::PORTABLE, &cotangent, &signs, Some(&add));
    let expected = linear.vjp(CodePath::PORTABLE, &through, &signs, Some(&add));
    assert!(same_bits(&gradient, &expected));
}

/// The derivative by definition: a small step changes the output as the vector-Jacobian product
/// says.
#[test]
fn vjp_is_the_derivative() {
    let grid = plane(8, Boundary::Reflecting, 8, Boundary::Reflecting);
    let shape = ConvShape::new(grid, 4, 4, 3, 1).expect("a shape");
    let layer = Layer::new(shape);
    let (u, v) = (field(shape.input_len(), 16), field(shape.output_len(), 17));
    let step = field(shape.input_len(), 18);
    let at = |t: f32| -> Vec<f32> { u.iter().zip(&step).map(|(u, s)| u + t * s).collect() };
    let path = CodePath::fastest();
    let ((ahead, _), (behind, _)) =
        (layer.forward(path, &at(1e-3), None), layer.forward(path, &at(-1e-3), None));
    let (_, signs) = layer.forward(path, &u, None);
    let slope = (dot(&v, &ahead) - dot(&v, &behind)) / 2e-3;
    let gradient = layer.vjp(path, &v, &signs, None);
    let size = norm(&gradient) * norm(&step);
    assert!((slope - dot(&gradient, &step)).abs() < 1e-3 * size, "{slope}");
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let grid = plane(8, Boundary::Periodic, 16, Boundary::Periodic);
    let name = |result: Result<ConvShape, Error>| match result {
        Err(Error::Count { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(ConvShape::new(grid, 0, 4, 3, 1)), "inputs");
    assert_eq!(name(ConvShape::new(grid, 4, 1025, 3, 1)), "outputs");
    assert_eq!(name(ConvShape::new(grid, 4, 4, 2, 1)), "taps");
    assert_eq!(name(ConvShape::new(grid, 4, 4, 3, 0)), "dilation");
    assert_eq!(name(ConvShape::new(grid, 4, 4, 3, 9)), "dilation");
    assert_eq!(name(ConvShape::new(grid, 4, 4, 3, usize::MAX)), "dilation");

    let layer = Layer::new(ConvShape::new(grid, 3, 5, 3, 8).expect("reaches one axis' length"));
    let shape = layer.shape;
    assert!(shape.pack(&layer.weights[1..], &mut layer.packed.clone()).is_err());
    assert!(shape.pack(&layer.weights, &mut layer.packed.clone()[1..]).is_err());
    assert!(Conv::new(shape, &layer.packed[1..]).is_err());

    let (conv, epilogue) = (layer.conv(CodePath::PORTABLE), layer.epilogue());
    let (input, mut output) = (vec![0.0; shape.input_len()], vec![0.0; shape.output_len()]);
    let mut scratch = vec![0.0; shape.scratch_len()];
    let mut signs = vec![0; shape.signs_len()];
    let short = &input[1..];
    let needed = scratch.len();
    assert!(conv.forward(short, &epilogue, None, None, &mut output, &mut scratch).is_err());
    let short = Some(&input[1..]);
    assert!(conv.forward(&input, &epilogue, None, short, &mut output, &mut scratch).is_err());
    let short = Some(&mut signs[1..]);
    assert!(conv.forward(&input, &epilogue, short, None, &mut output, &mut scratch).is_err());
    assert_eq!(
        conv.forward(&input, &epilogue, None, None, &mut output, &mut scratch[1..]),
        Err(Error::ScratchLength { values: needed - 1, needed })
    );
    let unequal = Epilogue { shift: &[], ..epilogue };
    assert!(conv.forward(&input, &unequal, None, None, &mut output, &mut scratch).is_err());
    let mut gradient = vec![0.0; shape.input_len()];
    // Without signs the derivative below zero is unknown.
    assert!(conv.vjp(&output, &epilogue, None, None, &mut gradient, &mut scratch).is_err());
    let of_weights = WeightGradient::new(shape);
    let mut sums = vec![0.0; of_weights.sums_len()];
    assert!(of_weights.add(&input[1..], &output, &mut sums, &mut vec![0.0; 99_999]).is_err());
    assert!(of_weights.add(&input, &output, &mut sums[1..], &mut vec![0.0; 99_999]).is_err());
    let needed = of_weights.scratch_len();
    assert_eq!(
        of_weights.add(&input, &output, &mut sums, &mut []),
        Err(Error::ScratchLength { values: 0, needed })
    );
    assert!(of_weights.unpack(&sums, &mut gradient[1..]).is_err());
    let linear = Epilogue { slope: 1.0, ..epilogue };
    assert_eq!(conv.vjp(&output, &linear, None, None, &mut gradient, &mut scratch), Ok(()));
}

#[test]
fn every_packed_weight_is_where_its_place_says() {
    for shape in shapes() {
        let layer = Layer::new(shape);
        let mut seen = vec![false; shape.packed_len()];
        for (index, weight) in shape.weight_indices().zip(&layer.weights) {
            let place = shape.place(index).expect("a weight of the shape");
            assert_eq!(layer.packed[place], *weight, "{shape:?} {index:?}");
            assert!(!std::mem::replace(&mut seen[place], true), "{shape:?} {index:?}");
        }
        let padding = layer.packed.iter().zip(&seen).filter(|(_, seen)| !**seen);
        assert!(padding.into_iter().all(|(weight, _)| *weight == 0.0), "{shape:?}");
        let sizes = [shape.outputs(), shape.inputs(), shape.taps_y(), shape.taps()];
        for axis in 0..4 {
            let mut index = [0; 4];
            index[axis] = sizes[axis];
            assert_eq!(shape.place(index), None, "{shape:?}");
        }
    }
}
