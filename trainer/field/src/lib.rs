//! Modes of fields, in double precision: shells of wavenumber, transforms, operators, emergence.

pub mod emergence;
pub mod modes;
pub mod noise;
pub mod shells;
pub mod transform;
