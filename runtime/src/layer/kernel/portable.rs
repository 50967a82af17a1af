//! The kernel for every processor: the safe tile, as wide as its registers allow.
//!
//! ```text
//!   32-bit targets: 2 channels × 8 points        64-bit targets: 4 channels × 8 points
//!   16 sums fill half of a Cortex-M's float      32 sums fill eight registers of SSE2 or NEON
//!   registers; more points than channels
//!   share more of what is loaded
//! ```
//!
//! What the sums of a tile are made of is drawn in [`super::tile`].

use super::super::shape::LANES;
use super::super::weight::Weight;
use super::Pass;
use super::dispatch::Kernel;
use super::span::Points;
use super::tile::Channels;

const POINTS: usize = 8;
const CHANNELS: usize = if cfg!(target_pointer_width = "64") { LANES } else { 2 };

/// What every processor of the target has.
pub(super) struct Portable;

impl Kernel for Portable {
    const NAME: &'static str = "portable";
    const RANK: u8 = 1;
    type Narrower = Self;

    // Once for all kernels that fall back on it.
    #[inline(never)]
    fn run<const ADJOINT: bool, W: Weight>(pass: Pass<'_, W>) {
        pass.run::<Points<POINTS>, ADJOINT>(Channels::<CHANNELS>);
    }
}
