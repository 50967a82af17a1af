//! Convolutions of batches, forward and backward, for training: plain slices, every core, the same
//! bits however many.
//!
//! Fields are `[batch][channel][y][x]`, weights `[out][in][ky][kx]` (on a line `[out][in][kx]`).
//! The arithmetic is the runtime's, so a network is trained on the numbers that it will compute
//! when it is used.

mod block;

use finescale::Grid;
use finescale::layer::ConvShape;

pub use block::{Block, Given, Gradients, Kept};

/// Sizes of a convolution; [`ConvShape`] says which there are and what lies beyond the ends of the
/// grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convolution {
    /// Grid of input and output.
    pub grid: Grid,
    /// Input channels.
    pub channels_in: usize,
    /// Output channels.
    pub channels_out: usize,
    /// Taps along an axis.
    pub kernel: usize,
    /// Distance between taps, in points.
    pub dilation: usize,
}

impl Convolution {
    /// The runtime's description of one sample.
    ///
    /// # Panics
    /// If [`ConvShape::new`] refuses the sizes.
    pub fn shape(&self) -> ConvShape {
        let Self { grid, channels_in, channels_out, kernel, dilation } = *self;
        ConvShape::new(grid, channels_in, channels_out, kernel, dilation)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
