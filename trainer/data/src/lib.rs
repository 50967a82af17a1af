//! Data sets: where they come from, how they are kept, what they are like.

pub mod calendar;
pub mod dataset;
pub mod import;
pub mod simulate;
