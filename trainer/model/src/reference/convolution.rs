//! A dilated convolution, point by point.

use finescale::{Axis, Boundary, Grid};

/// Weights `[out][in][ky][kx]`; beyond the ends lies what the grid's boundaries say.
pub(super) struct Convolution {
    pub(super) grid: Grid,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) kernel: usize,
    pub(super) dilation: usize,
    pub(super) weight: Vec<f64>,
}

impl Convolution {
    /// `[in][y][x]` to `[out][y][x]`.
    pub(super) fn forward(&self, input: &[f64]) -> Vec<f64> {
        let points = self.grid.points();
        let mut output = vec![0.0; self.outputs * points];
        self.terms(|to, from, weight| output[to] += weight * input[from]);
        output
    }

    /// Its adjoint.
    pub(super) fn adjoint(&self, cotangent: &[f64]) -> Vec<f64> {
        let points = self.grid.points();
        let mut gradient = vec![0.0; self.inputs * points];
        self.terms(|to, from, weight| gradient[from] += weight * cotangent[to]);
        gradient
    }

    /// Every (index of an output, index of an input, weight).
    fn terms(&self, mut term: impl FnMut(usize, usize, f64)) {
        let (ny, nx, points) = (self.grid.ny(), self.grid.nx(), self.grid.points());
        let taps_y = if self.grid.is_line() { 1 } else { self.kernel };
        let offset =
            |tap: usize, taps: usize| (tap as isize - (taps / 2) as isize) * self.dilation as isize;
        let mut weights = self.weight.iter();
        for out in 0..self.outputs {
            for from in 0..self.inputs {
                for ky in 0..taps_y {
                    for kx in 0..self.kernel {
                        let weight = *weights.next().expect("weights have their length");
                        for y in 0..ny {
                            let row = self
                                .grid
                                .y()
                                .map_or(0, |axis| neighbour(&axis, y, offset(ky, taps_y)));
                            for x in 0..nx {
                                let column = neighbour(&self.grid.x(), x, offset(kx, self.kernel));
                                let (to, from) =
                                    (out * points + y * nx + x, from * points + row * nx + column);
                                term(to, from, weight);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The point that stands for the one `offset` away.
fn neighbour(axis: &Axis, at: usize, offset: isize) -> usize {
    let n = axis.points() as isize;
    let index = (at as isize + offset).rem_euclid(2 * n);
    (match axis.boundary() {
        Boundary::Periodic => index % n,
        Boundary::Reflecting if index >= n => 2 * n - 1 - index,
        Boundary::Reflecting => index,
    }) as usize
}
