//! Sampling on the host, through the runtime that boards run; networks that it lacks are evaluated
//! by tract.
//!
//! [`InputArgs`] read and check → [`coarse`] makes or reads coarse frames → [`SamplerArgs`] say how
//! → [`generator`] → [`TaskArgs`] draw members on all cores → [`finescale_ensemble`].

pub mod ahead;
mod check;
pub mod coarse;
#[cfg(feature = "onnx")]
mod desktop;
#[cfg(not(feature = "onnx"))]
#[path = "without_onnx.rs"]
mod desktop;
mod domain;
pub mod drawn;
pub mod generator;
mod input;
pub mod lambda;
pub mod mean_error;
mod model;
mod partial;
pub mod recommended;
pub mod residuals;
mod run;
mod settings;
pub mod super_resolution;
mod task;

pub use check::warnings;
pub use domain::{Domain, DomainChannel};
pub use generator::with_predictor;
pub use input::{Fields, InputArgs, Resolution};
pub use model::{HostMean, HostModel, MEAN_FILE, trained};
pub use settings::{Preset, SamplerArgs, Settings};
pub use task::{ReadyTask, TaskArgs};
