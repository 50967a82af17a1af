//! Sampling on the host, all of it through the runtime that boards run.
//!
//! [`InputArgs`] read and check → [`coarse`] makes or reads coarse frames → [`SamplerArgs`] say how → [`with_predictor`] →
//! [`TaskArgs`] draw members on all cores → [`finescale_ensemble`].

pub mod ahead;
mod check;
pub mod coarse;
pub mod drawn;
mod input;
pub mod lambda;
mod model;
mod partial;
mod predictor;
mod run;
mod settings;
pub mod super_resolution;
mod task;

use finescale_host::progress;

pub use check::warnings;
pub use input::{Fields, InputArgs, Resolution};
pub use model::HostModel;
pub use predictor::with_predictor;
pub use run::Draw;
pub use settings::{Preset, SamplerArgs, Settings, StartKind};
pub use task::{ReadyTask, TaskArgs};
