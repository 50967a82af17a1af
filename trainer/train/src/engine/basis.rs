//! The runtime's transforms as matrices on the device.

use anyhow::Result;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use finescale::{Axis, Grid, Modes, spectral};

/// The orthonormal matrices Q of both axes: a spectrum is Q_y u Q_xᵀ, a field Q_yᵀ û Q_x.
#[derive(Clone, Debug)]
pub struct Basis<B: Backend> {
    ny: usize,
    nx: usize,
    y: Option<Tensor<B, 2>>,
    x: Tensor<B, 2>,
}

impl<B: Backend> Basis<B> {
    /// The transforms of a grid, exactly the runtime's.
    ///
    /// # Errors
    /// Never for a grid that exists.
    pub fn new(grid: &Grid, device: &B::Device) -> Result<Self> {
        let y = grid.y().map(|axis| matrix(axis, device)).transpose()?;
        Ok(Self { ny: grid.ny(), nx: grid.nx(), y, x: matrix(grid.x(), device)? })
    }

    /// Spectra `[n, modes]` to fields `[n, y, x]`.
    pub fn inverse(&self, spectra: Tensor<B, 2>) -> Tensor<B, 3> {
        self.apply(spectra.reshape([-1, self.ny as i32, self.nx as i32]), false)
    }

    /// Fields `[n, y, x]` to spectra `[n, modes]`.
    pub fn forward(&self, fields: Tensor<B, 3>) -> Tensor<B, 2> {
        let [n, ..] = fields.dims();
        self.apply(fields, true).reshape([n, self.ny * self.nx])
    }

    /// The same matrices, as constants of what is differentiated.
    pub fn lift<A: AutodiffBackend<InnerBackend = B>>(&self) -> Basis<A> {
        let lift = |q: &Tensor<B, 2>| Tensor::from_inner(q.clone());
        Basis { ny: self.ny, nx: self.nx, y: self.y.as_ref().map(lift), x: lift(&self.x) }
    }

    fn apply(&self, values: Tensor<B, 3>, forward: bool) -> Tensor<B, 3> {
        let turn = |q: &Tensor<B, 2>| if forward { q.clone().transpose() } else { q.clone() };
        along_axes(values, self.y.as_ref().map(turn), turn(&self.x))
    }
}

/// Fields `[n, y, x]` times a matrix along each axis, `[from, to]`; none along y of a line.
pub fn along_axes<B: Backend>(
    values: Tensor<B, 3>,
    y: Option<Tensor<B, 2>>,
    x: Tensor<B, 2>,
) -> Tensor<B, 3> {
    let [n, ny, nx] = values.dims();
    let to = x.dims()[1];
    // One large product over all rows is faster than many small ones.
    let values = values.reshape([n * ny, nx]).matmul(x).reshape([n, ny, to]);
    match y {
        None => values,
        Some(y) => {
            let rows = y.dims()[1];
            let columns = values.swap_dims(1, 2).reshape([n * to, ny]);
            columns.matmul(y).reshape([n, to, rows]).swap_dims(1, 2)
        }
    }
}

/// Q of one axis, `[mode][point]`.
fn matrix<B: Backend>(axis: Axis, device: &B::Device) -> Result<Tensor<B, 2>> {
    let n = axis.points();
    let grid = Grid::line(axis);
    let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
    let mut inverse = vec![0.0; n * n];
    for (mode, row) in inverse.chunks_exact_mut(n).enumerate() {
        row[mode] = 1.0;
        spectral::inverse(&grid, Modes::from_mut(row), &mut scratch)?;
    }
    Ok(Tensor::from_data(TensorData::new(inverse, [n, n]), device))
}
