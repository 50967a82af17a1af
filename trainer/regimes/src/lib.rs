//! Dynamical regimes of diffusion: at which λ each mode and each coupled combination of channels is
//! decided, how far apart they are, and whether the data are so few that a perfect score would
//! replay them.
//!
//! The exact theory is in [`coupled`] (speciation), [`clones`] and [`collapse`], and [`experiment`]
//! simulates it with the exact score. [`shells`], [`memory`] and [`steps`] apply it to the linear
//! base of a data set or a model.

pub mod clones;
pub mod collapse;
pub mod coupled;
pub mod experiment;
pub mod memory;
mod root;
pub mod shells;
pub mod steps;
