//! How good an ensemble is, and what it is compared with.

pub mod baseline;
pub mod card;
pub mod report;
pub mod score;
