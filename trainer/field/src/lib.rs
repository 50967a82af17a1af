//! Modes of fields, in double precision: grids, standardisation, shells of wavenumber, transforms,
//! operators, emergence, coarsening.

pub mod coarsening;
pub mod emergence;
pub mod grid;
pub mod modes;
pub mod noise;
pub mod scale;
pub mod shells;
pub mod transform;
