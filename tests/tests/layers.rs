//! Layers against their definition in f64, for every kernel, boundary and shape.

use finescale::layer::{Conv, Kernel, Padded};
use finescale::{Axis, Boundary, Grid};
use finescale_tests::{BOUNDARIES, field};

fn grids() -> Vec<Grid> {
    let axis = |n, b| Axis::new(n, b).expect("an axis");
    let mut grids = Vec::new();
    for bx in BOUNDARIES {
        grids.extend([8, 64].map(|n| Grid::line(axis(n, bx))));
        for by in BOUNDARIES {
            for (ny, nx) in [(8, 8), (16, 32)] {
                grids.push(Grid::plane(axis(ny, by), axis(nx, bx)).expect("a plane"));
            }
        }
    }
    grids
}

fn kernels(line: bool) -> Vec<Kernel> {
    let mut kernels = Vec::new();
    for taps_y in if line { vec![1] } else { vec![1, 3] } {
        for taps_x in [3, 5] {
            for dilation in [1, 2, 4] {
                kernels.push(Kernel { taps_y, taps_x, dilation });
            }
        }
    }
    kernels
}

/// Index on an axis of the point `offset` beyond `at`, by the definition of the boundary.
fn neighbour(at: usize, offset: isize, n: usize, boundary: Boundary) -> usize {
    let (at, n) = (at as isize + offset, n as isize);
    let index = match boundary {
        Boundary::Periodic => at.rem_euclid(n),
        Boundary::Reflecting => {
            let at = at.rem_euclid(2 * n);
            if at < n { at } else { 2 * n - 1 - at }
        }
    };
    index as usize
}

struct Case {
    grid: Grid,
    kernel: Kernel,
    inputs: usize,
    outputs: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Case {
    fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for grid in grids() {
            for kernel in kernels(grid.is_line()) {
                for (inputs, outputs) in [(1, 4), (6, 16), (3, 8)] {
                    let values = outputs * inputs * kernel.taps_y * kernel.taps_x;
                    let weights = field(values, values as u64);
                    let bias = field(outputs, 5);
                    cases.push(Self { grid, kernel, inputs, outputs, weights, bias });
                }
            }
        }
        cases
    }

    /// Calls `visit(output index, input index, weight index)` for every product.
    fn products(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let Kernel { taps_y, taps_x, dilation } = self.kernel;
        let (ny, nx) = (self.grid.ny(), self.grid.nx());
        let boundary_y = self.grid.y().map_or(Boundary::Periodic, |y| y.boundary());
        let tap = |k: usize, taps: usize| (k as isize - (taps / 2) as isize) * dilation as isize;
        for out in 0..self.outputs {
            for input in 0..self.inputs {
                for ky in 0..taps_y {
                    for kx in 0..taps_x {
                        let weight = ((out * self.inputs + input) * taps_y + ky) * taps_x + kx;
                        for y in 0..ny {
                            let from_y = neighbour(y, tap(ky, taps_y), ny, boundary_y);
                            for x in 0..nx {
                                let from_x =
                                    neighbour(x, tap(kx, taps_x), nx, self.grid.x().boundary());
                                visit(
                                    (out * ny + y) * nx + x,
                                    (input * ny + from_y) * nx + from_x,
                                    weight,
                                );
                            }
                        }
                    }
                }
            }
        }
    }

    fn forward(&self, input: &[f32]) -> Vec<f32> {
        let mut packed = vec![0.0; self.weights.len()];
        Conv::pack(self.kernel, self.inputs, &self.weights, &mut packed).expect("weights");
        let conv = Conv::new(self.kernel, self.inputs, &packed, &self.bias).expect("a layer");
        let layout = Padded::new(self.grid, self.kernel.reach()).expect("a layout");
        let mut padded = vec![f32::NAN; self.inputs * layout.plane_len()];
        layout.pad(input, &mut padded).expect("a field");
        let mut output = vec![f32::NAN; self.outputs * layout.plane_len()];
        conv.forward(&layout, &padded, &mut output).expect("matching slices");
        assert!(output.iter().all(|value| value.is_finite()), "the halo is filled too");
        let mut cropped = vec![0.0; self.outputs * self.grid.points()];
        layout.crop(&output, &mut cropped).expect("a field");
        cropped
    }
}

#[test]
fn convolution_is_its_definition() {
    for case in Case::all() {
        let input = field(case.inputs * case.grid.points(), 1);
        let output = case.forward(&input);
        let points = case.grid.points();
        let mut exact: Vec<f64> =
            (0..output.len()).map(|i| f64::from(case.bias[i / points])).collect();
        let mut size = vec![0.0_f64; output.len()];
        case.products(|o, i, w| {
            let product = f64::from(case.weights[w]) * f64::from(input[i]);
            exact[o] += product;
            size[o] += product.abs();
        });
        let terms = (case.inputs * case.kernel.taps_y * case.kernel.taps_x + 1) as f64;
        for ((got, exact), size) in output.iter().zip(&exact).zip(&size) {
            let error = (f64::from(*got) - exact).abs();
            assert!(error <= terms * 6e-8 * (size + 1.0), "{:?} {:?}", case.grid, case.kernel);
        }
    }
}
