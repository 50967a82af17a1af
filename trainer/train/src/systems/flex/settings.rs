//! The section of the configuration that belongs to FLEX.

use anyhow::{Result, ensure};
use finescale_model::flex::{Assigned, Flex as About, Method, TaskEncoder};
use finescale_peers::flex::{Integrator, Target};

use crate::config::{Config, choice, settings};
use crate::networks::{Kind, TaskFields};

settings!(/// Section `flex`.
Flex {
    method: Method, task: Task, history: usize, residual: bool, scaled: bool, target: Target,
    loss: Norm, task_encoder: TaskEncoder, integrator: Integrator, calls: usize,
});

choice!(/// What a model is for.
    Task { Forecast, SuperResolve });
choice!(/// What is averaged of an error.
    Norm { Absolute, Squared });

/// Most known frames.
const FRAMES_MAX: usize = 64;
/// Most evaluations.
const CALLS_MAX: usize = 10_000;

/// What a model's file says, of fields that were divided by `scales`.
pub(super) fn about(config: &Config, scales: Vec<f64>) -> About {
    let Flex { method, residual, task_encoder, integrator, calls, .. } = config.flex;
    let task = match config.flex.task {
        Task::Forecast => Assigned::Forecast { history: config.flex.history },
        Task::SuperResolve => {
            Assigned::SuperResolve { kind: config.sensor.kind, ratio: config.sensor.ratio }
        }
    };
    About { method, task, residual, scales, task_encoder, integrator, calls }
}

/// Which of the frames that the network sees have an encoder of their own.
pub(super) fn task_fields(about: &About) -> Option<TaskFields> {
    let of = |weak, strong| Some(TaskFields { inputs: about.known(), weak, strong });
    match about.task_encoder {
        TaskEncoder::None => None,
        TaskEncoder::Weak => of(true, false),
        TaskEncoder::Strong => of(false, true),
        TaskEncoder::Both => of(true, true),
    }
}

/// Refuses settings that nothing can be trained with.
pub(crate) fn check(config: &Config) -> Result<()> {
    let Flex { history, calls, integrator, task, task_encoder, .. } = config.flex;
    ensure!(
        (1..=FRAMES_MAX).contains(&history),
        "flex.history is {history}: use 1 to {FRAMES_MAX} frames"
    );
    let per = integrator.calls(1);
    ensure!(
        (1..=CALLS_MAX).contains(&calls) && calls.is_multiple_of(per),
        "flex.calls is {calls}, and the integrator takes {per} for each interval: use a multiple of \
         it, up to {CALLS_MAX}"
    );
    ensure!(
        config.network.kind != Kind::Linear,
        "network.kind is \"linear\", and flex has no closed form: use \"tiny\", \"product\", \
         \"unet\" or \"flex\""
    );
    ensure!(
        task_encoder == TaskEncoder::None || config.network.kind == Kind::Flex,
        "flex.task-encoder asks for an encoder that the network \"flex\" alone has: set it to \
         \"none\", or network.kind to \"flex\""
    );
    let sensor = &config.sensor;
    ensure!(
        task == Task::Forecast || (sensor.noise == 0.0 && sensor.lost == 0.0),
        "sensor.noise and sensor.lost are for conditional means: set them to 0"
    );
    ensure!(
        task == Task::Forecast || (2..=64).contains(&sensor.ratio),
        "sensor.ratio is {}: use 2 to 64",
        sensor.ratio
    );
    Ok(())
}
