//! Weight gradient of one sample: every weight is the product of an output gradient with a shifted input, summed over the
//! grid. A tile is four output channels × two shifts of eight input channels, which lie side by side in memory.

use finescale::layer::ConvShape;

use super::padded::Padded;

/// Input channels of a tile: what AVX2 adds at once.
pub(super) const LANES: usize = 8;
const OUTPUTS: usize = 4;
const SHIFTS: usize = 2;
/// Points whose products are summed in registers before they are added to the gradient: few enough for the
/// first-level cache, and for the rounding errors of a long sum not to add up.
const BLOCK: usize = 256;

type Lanes = [f32; LANES];
/// Sums of a tile.
pub(super) type Sums = [[Lanes; SHIFTS]; OUTPUTS];

/// Gradient, to be unpacked, from `[in][y][x]` and `[out][y][x]`.
pub(super) fn gradient(shape: &ConvShape, input: &[f32], grad_output: &[f32]) -> Vec<Sums> {
    pulp::Arch::new().dispatch(Gradient { shape, input, grad_output })
}

/// A closure that is sure to be inlined, so that it is compiled for the processor's instructions.
struct Gradient<'a> {
    shape: &'a ConvShape,
    input: &'a [f32],
    grad_output: &'a [f32],
}

impl pulp::NullaryFnOnce for Gradient<'_> {
    type Output = Vec<Sums>;

    #[inline(always)]
    fn call(self) -> Vec<Sums> {
        let Self { shape, input, grad_output } = self;
        let padded = Padded::new(shape, input);
        let shifts = shifts(shape, &padded);
        let tiles = shifts.len().div_ceil(SHIFTS);
        let mut sums = vec![Sums::default(); shape.outputs().div_ceil(OUTPUTS) * tiles];

        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        let rows = (BLOCK / nx).max(1);
        for y in (0..shape.grid().ny()).step_by(rows) {
            let planes = grad_output.chunks(OUTPUTS * points);
            for (planes, sums) in planes.zip(sums.chunks_exact_mut(tiles)) {
                // Beyond the last channel, and the last shift, a tile repeats the last.
                let last = planes.len() / points - 1;
                let grads = std::array::from_fn(|o| {
                    let plane = &planes[o.min(last) * points..][..points];
                    &plane[y * nx..][..(rows * nx).min(points)]
                });
                for (shifts, sums) in shifts.chunks(SHIFTS).zip(sums) {
                    let inputs = std::array::from_fn(|s| {
                        &padded.values[shifts[s.min(shifts.len() - 1)] + y * padded.stride..]
                    });
                    let products = tile(nx, padded.stride, inputs, grads);
                    add(sums, &products);
                }
            }
        }
        sums
    }
}

/// Adds one tile's sums to another's.
#[inline(always)]
pub(super) fn add(sums: &mut Sums, others: &Sums) {
    for (sums, others) in sums.as_flattened_mut().iter_mut().zip(others.as_flattened()) {
        sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
    }
}

/// Where in the padded input each tap of eight channels starts to read: `[in/8][ky][kx]`.
fn shifts(shape: &ConvShape, padded: &Padded) -> Vec<usize> {
    let mut shifts = Vec::new();
    for group in 0..shape.inputs().div_ceil(LANES) {
        for ky in 0..shape.taps_y() {
            for kx in 0..shape.taps() {
                let offset = (ky * padded.stride + kx) * shape.dilation();
                shifts.push(group * padded.plane + offset);
            }
        }
    }
    shifts
}

/// Sums over some rows of the products of all inputs with all gradients.
#[inline(always)]
fn tile(nx: usize, stride: usize, inputs: [&[Lanes]; SHIFTS], grads: [&[f32]; OUTPUTS]) -> Sums {
    let mut sums = Sums::default();
    for y in 0..grads[0].len() / nx {
        let [i, j] = inputs.map(|input| &input[y * stride..][..nx]);
        let [a, b, c, d] = grads.map(|grad| &grad[y * nx..][..nx]);
        let inputs = i.iter().zip(j);
        let grads = a.iter().zip(b).zip(c).zip(d);
        for ((i, j), (((a, b), c), d)) in inputs.zip(grads) {
            let (inputs, grads) = ([*i, *j], [*a, *b, *c, *d]);
            for (sums, grad) in sums.iter_mut().zip(&grads) {
                for (sums, input) in sums.iter_mut().zip(&inputs) {
                    for (sum, input) in sums.iter_mut().zip(input) {
                        *sum += input * grad;
                    }
                }
            }
        }
    }
    sums
}

/// `[out][in][ky][kx]` from sums `[out/4][shift/2]`.
pub(super) fn unpack(shape: &ConvShape, sums: &[Sums]) -> Vec<f32> {
    let taps = shape.taps_y() * shape.taps();
    let tiles = sums.len() / shape.outputs().div_ceil(OUTPUTS);
    let mut weights = Vec::with_capacity(shape.weights_len());
    for output in 0..shape.outputs() {
        for input in 0..shape.inputs() {
            for tap in 0..taps {
                let shift = input / LANES * taps + tap;
                let sums = &sums[output / OUTPUTS * tiles + shift / SHIFTS];
                weights.push(sums[output % OUTPUTS][shift % SHIFTS][input % LANES]);
            }
        }
    }
    weights
}
