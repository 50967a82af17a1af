//! Convolutions in integers against their definition in f64, for every kernel, boundary and shape.

use finescale::layer::int16::{Conv16, Input16, Output16, Point, exponent, points_len};
use finescale::layer::{ConvShape, Epilogue};
use finescale::{Boundary, Error};
use finescale_tests::field;
use finescale_tests::layers::{plane, products};

const SLOPE: f32 = 0.125;

/// A convolution with random bytes and epilogue.
struct Layer {
    shape: ConvShape,
    bytes: Vec<i8>,
    words: [Vec<u32>; 2],
    scale: Vec<f32>,
    shift: Vec<f32>,
    slope: f32,
}

impl Layer {
    fn new(shape: ConvShape) -> Self {
        let bytes: Vec<i8> =
            field(shape.weights_len(), 1).iter().map(|w| (50.0 * w) as i8).collect();
        let mut words = shape.int16_words().map(|len| vec![u32::MAX; len]);
        let [forward, adjoint] = &mut words;
        shape.pack_int16(&bytes, forward, adjoint).expect("matching slices");
        let scale = field(shape.outputs(), 2).iter().map(|v| 0.001 * v).collect();
        Self { shape, bytes, words, scale, shift: field(shape.outputs(), 3), slope: SLOPE }
    }

    /// The convolution alone.
    fn linear(shape: ConvShape) -> Self {
        let (scale, shift) = (vec![1.0; shape.outputs()], vec![0.0; shape.outputs()]);
        Self { scale, shift, slope: 1.0, ..Self::new(shape) }
    }

    fn conv(&self) -> Conv16<'_> {
        let [forward, adjoint] = &self.words;
        Conv16::new(self.shape, forward, adjoint).expect("matching slices")
    }

    fn epilogue(&self) -> Epilogue<'_> {
        Epilogue { scale: &self.scale, shift: &self.shift, slope: self.slope }
    }

    fn scratch(&self) -> Vec<f32> {
        vec![f32::NAN; self.shape.int16_scratch_len()]
    }

    fn signs(&self) -> Vec<u8> {
        vec![0xA5; self.shape.signs_len()]
    }

    /// Sums of the definition, or of its transpose.
    fn sums(&self, values: &[f64], adjoint: bool) -> Vec<f64> {
        let len = if adjoint { self.shape.input_len() } else { self.shape.output_len() };
        let mut sums = vec![0.0; len];
        products(&self.shape, |o, i, w| {
            let (to, from) = if adjoint { (i, o) } else { (o, i) };
            sums[to] += f64::from(self.bytes[w]) * values[from];
        });
        sums
    }
}

/// The shapes whose sums fit.
fn shapes() -> impl Iterator<Item = ConvShape> {
    finescale_tests::layers::shapes().into_iter().filter(ConvShape::fits_int16)
}

/// Integers that look random, up to `most`.
fn integers(len: usize, seed: u64, most: f32) -> Vec<f32> {
    field(len, seed).iter().map(|v| (0.25 * most * v).clamp(-most, most).round()).collect()
}

/// Numbers of an exponent as a tensor; they are rounded.
fn tensor(values: &[f32], points: usize, exponent: i32) -> Vec<Point> {
    let channels = values.len() / points;
    let mut lanes = vec![0_i16; 4 * points_len(channels, points)];
    let unit = 2.0_f32.powi(exponent - 15);
    for (at, value) in values.iter().enumerate() {
        let (channel, point) = (at / points, at % points);
        lanes[4 * (channel / 4 * points + point) + channel % 4] = (value / unit).round() as i16;
    }
    lanes.chunks(4).map(|lanes| pair([lanes[0], lanes[1], lanes[2], lanes[3]])).collect()
}

fn pair(lanes: [i16; 4]) -> Point {
    let word = |a: i16, b: i16| u32::from(a as u16) | u32::from(b as u16) << 16;
    [word(lanes[0], lanes[1]), word(lanes[2], lanes[3])]
}

/// The numbers in a tensor.
fn values(tensor: &[Point], channels: usize, points: usize, exponent: i32) -> Vec<f64> {
    let unit = 2.0_f64.powi(exponent - 15);
    let at = |at: usize| {
        let (channel, point) = (at / points, at % points);
        let word = tensor[channel / 4 * points + point][channel % 4 / 2];
        unit * f64::from((word >> (16 * (channel % 2))) as i16)
    };
    (0..channels * points).map(at).collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

#[test]
fn sums_are_exact_both_ways() {
    for shape in shapes() {
        let layer = Layer::linear(shape);
        for adjoint in [false, true] {
            let (from, to) = if adjoint {
                (shape.output_len(), shape.input_len())
            } else {
                (shape.input_len(), shape.output_len())
            };
            // Even, and in the lower half: a mirror takes one bit.
            let input: Vec<f32> = integers(from, 4, 8000.0).iter().map(|v| 2.0 * v).collect();
            let mut output = vec![f32::NAN; to];
            let mut scratch = layer.scratch();
            let read = Input16::Fields { values: &input, exponent: 15 };
            let write = Output16::Fields(&mut output);
            let (conv, epilogue) = (layer.conv(), layer.epilogue());
            if adjoint {
                conv.vjp(read, &epilogue, None, None, write, &mut scratch)
            } else {
                conv.forward(read, &epilogue, None, None, write, &mut scratch)
            }
            .expect("matching slices");
            let input: Vec<f64> = input.iter().copied().map(f64::from).collect();
            let sums: Vec<f32> = layer.sums(&input, adjoint).iter().map(|v| *v as f32).collect();
            assert_eq!(output, sums, "{shape:?}, adjoint {adjoint}");
        }
    }
}

#[test]
fn forward_is_the_definition_within_half_a_unit() {
    for shape in shapes() {
        let layer = Layer::new(shape);
        let points = shape.grid().points();
        let residual = shape.inputs() == shape.outputs();
        let input = integers(shape.input_len(), 4, 30_000.0);
        // Three units of exponent 1.
        let input: Vec<f32> = input.iter().map(|v| v * 2.0_f32.powi(-14)).collect();
        let exact: Vec<f64> = input.iter().copied().map(f64::from).collect();
        let mut signs = layer.signs();
        let mut expected = layer.sums(&exact, false);
        let mut largest_sum = 0.0_f64;
        for (at, value) in expected.iter_mut().enumerate() {
            let channel = at / points;
            *value = f64::from(layer.scale[channel]) * *value + f64::from(layer.shift[channel]);
            largest_sum = largest_sum.max(value.abs());
            if *value < 0.0 {
                *value *= f64::from(SLOPE);
            }
            if residual {
                *value += exact[at];
            }
        }
        let to = exponent(largest(&expected) as f32);
        let mut output = vec![[0; 2]; points_len(shape.outputs(), points)];
        let tensor = tensor(&input, points, 1);
        layer
            .conv()
            .forward(
                Input16::Points { points: &tensor, exponent: 1 },
                &layer.epilogue(),
                Some(&mut signs),
                residual.then_some((&*tensor, 1)),
                Output16::Points { points: &mut output, exponent: to },
                &mut layer.scratch(),
            )
            .expect("matching slices");
        let unit = 2.0_f64.powi(to - 15);
        let got = values(&output, shape.outputs(), points, to);
        for (at, (got, expected)) in got.iter().zip(&expected).enumerate() {
            // Half a unit, and what is rounded down before it.
            let allowed = 0.56 * unit + largest_sum * 2.0_f64.powi(-20);
            // The largest value of a tensor is a unit below 2^exponent.
            let allowed = if expected.abs() > 32767.0 * unit { allowed + unit } else { allowed };
            assert!((got - expected).abs() <= allowed, "{shape:?} at {at}: {got}, not {expected}");
        }
        let negative = (0..shape.output_len()).filter(|at| signs[at / 8] >> (at % 8) & 1 == 1);
        let below = layer.sums(&exact, false).into_iter().enumerate().filter(|(at, sum)| {
            f64::from(layer.scale[at / points]) * sum + f64::from(layer.shift[at / points]) < 0.0
        });
        let (negative, below) = (negative.count(), below.count());
        assert!(negative.abs_diff(below) <= 1, "{shape:?}: {negative} signs, not {below}");
    }
}

#[test]
fn vjp_is_the_definition_transposed() {
    for shape in shapes() {
        let layer = Layer::new(shape);
        let points = shape.grid().points();
        let residual = shape.inputs() == shape.outputs();
        let cotangent: Vec<f32> =
            integers(shape.output_len(), 5, 30_000.0).iter().map(|v| v / 32768.0).collect();
        let signs: Vec<u8> = (0..shape.signs_len()).map(|n| (n * 37 + 11) as u8).collect();
        let exact: Vec<f64> = cotangent.iter().copied().map(f64::from).collect();
        let pulled: Vec<f64> = (exact.iter().enumerate())
            .map(|(at, v)| {
                let below = signs[at / 8] >> (at % 8) & 1 == 1;
                v * f64::from(layer.scale[at / points]) * if below { f64::from(SLOPE) } else { 1.0 }
            })
            .collect();
        let mut expected = layer.sums(&pulled, true);
        if residual {
            expected.iter_mut().zip(&exact).for_each(|(sum, v)| *sum += v);
        }
        let to = exponent(1.01 * largest(&expected) as f32);
        let mut gradient = vec![[0; 2]; points_len(shape.inputs(), points)];
        let tensor = tensor(&cotangent, points, 0);
        layer
            .conv()
            .vjp(
                Input16::Points { points: &tensor, exponent: 0 },
                &layer.epilogue(),
                Some(&signs),
                residual.then_some((&*tensor, 0)),
                Output16::Points { points: &mut gradient, exponent: to },
                &mut layer.scratch(),
            )
            .expect("matching slices");
        let got = values(&gradient, shape.inputs(), points, to);
        // Each product has the error of a rounded cotangent; they are independent.
        let steepest = layer.scale.iter().fold(0.0_f32, |most, scale| most.max(scale.abs()));
        let products = shape.products_max() as f64;
        let allowed = 2.0_f64.powi(to - 15)
            + 2.0 * f64::from(steepest) * 2.0_f64.powi(-15) * 127.0 * products.sqrt();
        for (at, (got, expected)) in got.iter().zip(&expected).enumerate() {
            assert!((got - expected).abs() <= allowed, "{shape:?} at {at}: {got}, not {expected}");
        }
    }
}

#[test]
fn what_is_too_large_saturates() {
    let shape = ConvShape::new(plane(8, Boundary::Periodic, 8, Boundary::Periodic), 1, 1, 1, 1)
        .expect("a shape");
    let mut layer = Layer::linear(shape);
    layer.bytes = vec![100];
    let [forward, adjoint] = &mut layer.words;
    shape.pack_int16(&[100], forward, adjoint).expect("matching slices");
    let input: Vec<f32> = (0..64).map(|n| if n % 2 == 0 { 3.0 } else { -3.0 }).collect();
    let mut output = vec![[0; 2]; 64];
    layer
        .conv()
        .forward(
            Input16::Fields { values: &input, exponent: 1 },
            &layer.epilogue(),
            None,
            None,
            Output16::Points { points: &mut output, exponent: 3 },
            &mut layer.scratch(),
        )
        .expect("matching slices");
    let got = values(&output, 1, 64, 3);
    assert_eq!(got[..2], [8.0 * 32767.0 / 32768.0, -8.0]);
}

#[test]
fn a_slope_of_zero_is_a_rectifier() {
    let shape = ConvShape::new(plane(8, Boundary::Periodic, 8, Boundary::Periodic), 1, 1, 1, 1)
        .expect("a shape");
    let mut layer = Layer::linear(shape);
    let [forward, adjoint] = &mut layer.words;
    shape.pack_int16(&[100], forward, adjoint).expect("matching slices");
    (layer.scale, layer.slope) = (vec![0.01], 0.0);
    let input: Vec<f32> = (0..64).map(|n| if n % 2 == 0 { 0.5 } else { -0.5 }).collect();
    let (mut output, mut signs) = (vec![[0; 2]; 64], layer.signs());
    layer
        .conv()
        .forward(
            Input16::Fields { values: &input, exponent: 1 },
            &layer.epilogue(),
            Some(&mut signs),
            None,
            Output16::Points { points: &mut output, exponent: 1 },
            &mut layer.scratch(),
        )
        .expect("matching slices");
    assert_eq!(values(&output, 1, 64, 1)[..2], [0.5, 0.0]);
    assert_eq!(signs, [0b1010_1010; 8]);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let grid = plane(8, Boundary::Periodic, 8, Boundary::Periodic);
    let shape = ConvShape::new(grid, 64, 4, 3, 1).expect("a shape");
    let words = shape.int16_words().map(|len| vec![0; len]);
    let refused = Conv16::new(shape, &words[0], &words[1]);
    assert!(matches!(refused, Err(Error::Count { name: "products", .. })), "{refused:?}");
    let layer = Layer::new(ConvShape::new(grid, 2, 2, 3, 1).expect("a shape"));
    let short = Conv16::new(layer.shape, &layer.words[0][1..], &layer.words[1]);
    assert!(matches!(short, Err(Error::LengthMismatch { .. })), "{short:?}");
    let values = vec![0.0; 128];
    let output = vec![[0; 2]; 64];
    let refused = layer.conv().forward(
        Input16::Fields { values: &values, exponent: 0 },
        &layer.epilogue(),
        None,
        Some((&output, 0)),
        Output16::Fields(&mut [0.0; 128]),
        &mut layer.scratch(),
    );
    assert!(matches!(refused, Err(Error::Conflict { name: "add", .. })), "{refused:?}");
}
