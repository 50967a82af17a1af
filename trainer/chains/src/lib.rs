//! Noise processes and sampling loops of the systems beside predictor-driven diffusion. Networks are
//! the caller's: functions of fields in double precision.
//!
//! * [`dyffusion`]: an interpolator in time is the forward process, a forecaster undoes it.
//! * [`dydiff`]: the frames of a path are filtered along time before noise is added.
//! * [`flex`]: the residual of an interpolated frame, by a rotation from noise to data.
//!
//! What the papers' code does is the default of every option; the docs of an option say where ours
//! differs. A field is a slice of values in any order.

pub mod dydiff;
pub mod dyffusion;
pub mod flex;
