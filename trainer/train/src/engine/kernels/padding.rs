//! Circular and reflecting borders from tensor operations, for every backend.

use burn::tensor::{Tensor, backend::Backend};
use finescale::{Axis, Boundary, Grid};

/// Adds `amount` points on every side of `[batch, channels, y, x]`; a line has no y to add to.
pub(super) fn pad<B: Backend>(values: Tensor<B, 4>, grid: &Grid, amount: usize) -> Tensor<B, 4> {
    let values = match grid.y() {
        Some(y) => pad_axis(values, 2, y.boundary(), amount),
        None => values,
    };
    pad_axis(values, 3, grid.x().boundary(), amount)
}

/// v[i+1] − v[i−1] along a dimension of `[batch, channels, y, x]`.
pub fn difference<B: Backend>(values: Tensor<B, 4>, axis: &Axis, dim: usize) -> Tensor<B, 4> {
    let n = axis.points();
    let padded = pad_axis(values, dim, axis.boundary(), 1);
    padded.clone().narrow(dim, 2, n) - padded.narrow(dim, 0, n)
}

fn pad_axis<B: Backend>(
    values: Tensor<B, 4>,
    dim: usize,
    boundary: Boundary,
    amount: usize,
) -> Tensor<B, 4> {
    if amount == 0 {
        return values;
    }
    let n = values.dims()[dim];
    let (first, last) =
        (values.clone().narrow(dim, 0, amount), values.clone().narrow(dim, n - amount, amount));
    let (before, after) = match boundary {
        Boundary::Periodic => (last, first),
        Boundary::Reflecting => (first.flip([dim as isize]), last.flip([dim as isize])),
    };
    Tensor::cat(vec![before, values, after], dim)
}
