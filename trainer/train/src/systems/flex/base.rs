//! What is known of a frame: frames before it, or what a sensor shows of it.

use anyhow::Result;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use finescale::Grid;
use finescale_model::flex::{Assigned, Flex};

use crate::systems::conditional_mean::sensor::Sensor;
use crate::systems::windows::single::Sides;

/// Where known frames come from.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// So many frames before.
    Before(usize),
    /// What a sensor shows of the frame itself, as a matrix along each axis,
    /// `[point that is there][point that is shown]`, y before x.
    Shown(Vec<Vec<f32>>),
}

impl Base {
    /// Of a model on a grid.
    ///
    /// # Errors
    /// If the sensor does not fit the grid.
    pub(super) fn new(about: &Flex, grid: &Grid) -> Result<Self> {
        Ok(match about.task {
            Assigned::Forecast { history } => Self::Before(history),
            Assigned::SuperResolve { kind, ratio } => {
                Self::Shown(Sensor::new(grid, kind, ratio)?.shows()?)
            }
        })
    }

    /// Frames before the one that is asked for.
    pub(super) fn history(&self) -> usize {
        match self {
            Self::Before(history) => *history,
            Self::Shown(_) => 0,
        }
    }

    /// Of windows `[batch, frames · channels, y, x]`: the known frames, the one that a residual is
    /// added to, and the one that is asked for.
    pub(super) fn parts<B: Backend>(&self, frames: Tensor<B, 4>, sides: &Sides) -> Parts<B> {
        let (channels, before) = (sides.channels, self.history() * sides.channels);
        let frame = frames.clone().narrow(1, before, channels);
        match self {
            Self::Before(_) => {
                let newest = frames.clone().narrow(1, before - channels, channels);
                (frames.narrow(1, 0, before), newest, frame)
            }
            Self::Shown(axes) => {
                let shown = along(frame.clone(), axes, &sides.grid);
                (shown.clone(), shown, frame)
            }
        }
    }
}

/// Known, newest known, asked for.
type Parts<B> = (Tensor<B, 4>, Tensor<B, 4>, Tensor<B, 4>);

/// A matrix along each axis.
fn along<B: Backend>(frame: Tensor<B, 4>, axes: &[Vec<f32>], grid: &Grid) -> Tensor<B, 4> {
    let [batch, channels, ny, nx] = frame.dims();
    let device = frame.device();
    let matrix = |values: &Vec<f32>, n: usize| {
        Tensor::<B, 2>::from_data(TensorData::new(values.clone(), [n, n]), &device)
    };
    let x = matrix(&axes[axes.len() - 1], nx);
    let frame = frame.reshape([batch * channels * ny, nx]).matmul(x);
    let frame = frame.reshape([batch, channels, ny, nx]);
    if grid.is_line() {
        return frame;
    }
    let y = matrix(&axes[0], ny);
    let turned = frame.swap_dims(2, 3).reshape([batch * channels * nx, ny]).matmul(y);
    turned.reshape([batch, channels, nx, ny]).swap_dims(2, 3)
}
