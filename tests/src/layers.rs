//! Shapes of convolutions, and their definition as a list of products.

use finescale::layer::ConvShape;
use finescale::{Axis, Boundary, Grid};

use crate::BOUNDARIES;

/// A line.
pub fn line(nx: usize, bx: Boundary) -> Grid {
    Grid::line(Axis::new(nx, bx).expect("an axis"))
}

/// A plane.
pub fn plane(ny: usize, by: Boundary, nx: usize, bx: Boundary) -> Grid {
    let axis = |n, b| Axis::new(n, b).expect("an axis");
    Grid::plane(axis(ny, by), axis(nx, bx)).expect("a plane")
}

/// Every tile width, both boundaries of either axis.
pub fn grids() -> Vec<Grid> {
    let mut grids = Vec::new();
    for bx in BOUNDARIES {
        grids.extend([8, 16, 64, 40].map(|nx| line(nx, bx)));
        for by in BOUNDARIES {
            grids.extend(
                [(8, 8), (16, 32), (8, 16), (12, 24)].map(|(ny, nx)| plane(ny, by, nx, bx)),
            );
        }
    }
    grids
}

/// Every kernel with every dilation that reaches no further than an axis, with odd numbers of
/// channels.
pub fn shapes() -> Vec<ConvShape> {
    let mut shapes = Vec::new();
    for grid in grids() {
        for taps in [1, 3, 5, 7] {
            for (dilation, inputs, outputs) in
                [(1, 6, 8), (2, 4, 5), (3, 1, 3), (4, 5, 1), (8, 2, 4)]
            {
                shapes.extend(ConvShape::new(grid, inputs, outputs, taps, dilation));
            }
        }
    }
    shapes
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

/// Calls `visit(output index, input index, weight index)` for every product of the definition.
pub fn products(shape: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let grid = shape.grid();
    let (ny, nx) = (grid.ny(), grid.nx());
    let (by, bx) = (grid.y().map_or(Boundary::Periodic, |y| y.boundary()), grid.x().boundary());
    let offset = |k: usize| k as isize * shape.dilation() as isize - shape.reach() as isize;
    let mut weight = 0;
    for out in 0..shape.outputs() {
        for input in 0..shape.inputs() {
            for ky in 0..shape.taps_y() {
                for kx in 0..shape.taps() {
                    for y in 0..ny {
                        let from =
                            if grid.is_line() { 0 } else { neighbour(y, offset(ky), ny, by) };
                        for x in 0..nx {
                            let at = (input * ny + from) * nx + neighbour(x, offset(kx), nx, bx);
                            visit((out * ny + y) * nx + x, at, weight);
                        }
                    }
                    weight += 1;
                }
            }
        }
    }
}
