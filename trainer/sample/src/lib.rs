//! Sampling on the host, all of it through the runtime that boards run.
//!
//! [`InputArgs`] read and check → [`coarse`] makes or reads coarse frames → [`SamplerArgs`] say how
//! → [`generator`] → [`TaskArgs`] draw members on all cores → [`finescale_ensemble`].

pub mod ahead;
mod check;
pub mod coarse;
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
