//! What the commands do with a trained model, for each system that trains models. A new system is a
//! file here and a line in [`ALL`].

mod conditional_mean;
mod predictor_driven;
mod windows;

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use finescale_data::dataset::Reader;
use finescale_ensemble::Task;
use finescale_judge::baseline::Climate;
use finescale_model::export::AlignedBytes;
use finescale_model::{Dydiff, Dyffusion, Flex, model_path};
use windows::WindowCommands;

use crate::commands::{
    CardArgs, ExportArgs, ForecastArgs, GenerateArgs, SimulateArgs, SuperResolveArgs, ValidateArgs,
};

/// All systems.
const ALL: [&dyn Commands; 5] = [
    &predictor_driven::DrivenCommands,
    &conditional_mean::MeanCommands,
    &WindowCommands::<Dyffusion>(PhantomData),
    &WindowCommands::<Dydiff>(PhantomData),
    &WindowCommands::<Flex>(PhantomData),
];

/// What the commands do with the models of a system. `path` is a `model.safetensors`.
pub(crate) trait Commands: Sync {
    /// Its name in a `model.safetensors`.
    fn name(&self) -> &'static str;

    /// The first bytes of its file for boards; none where it has no such file.
    fn magic(&self) -> Option<&'static [u8]>;

    /// The tasks that its models can do.
    fn tasks(&self) -> &'static [Task];

    /// `finescale export`.
    fn export(&self, arguments: ExportArgs, path: &Path) -> Result<()>;

    /// `finescale validate`.
    fn validate(&self, arguments: &ValidateArgs, path: &Path) -> Result<()>;

    /// `finescale card`.
    fn card(&self, arguments: &CardArgs, path: &Path) -> Result<()>;

    /// `finescale forecast`, with a model in any form.
    fn forecast(&self, arguments: &ForecastArgs) -> Result<()> {
        self.refuse(arguments.model(), Task::Forecast)
    }

    /// `finescale generate`, with a model in any form.
    fn generate(&self, arguments: &GenerateArgs) -> Result<()> {
        self.refuse(arguments.model(), Task::Generate)
    }

    /// `finescale simulate`, with a model in any form.
    fn simulate(&self, arguments: &SimulateArgs) -> Result<()> {
        self.refuse(arguments.model(), Task::Simulate)
    }

    /// `finescale super-resolve`, with a model in any form.
    fn super_resolve(&self, arguments: &SuperResolveArgs) -> Result<()> {
        self.refuse(arguments.model(), Task::SuperResolve)
    }

    /// Says that its models cannot do a task, and which they can.
    fn refuse(&self, model: &Path, task: Task) -> Result<()> {
        finescale_sample::generator::refuse(&model.display().to_string(), self.tasks(), task)
    }

    /// What a model knows of the data, for baselines; of `data` where it knows nothing itself.
    fn climate(&self, path: &Path, data: Option<&Reader>) -> Result<Option<Climate>>;

    /// `finescale model info`, and the comparison with the model that the file was made from.
    fn info(&self, bytes: &AlignedBytes, file: &Path, trained: Option<&Path>) -> Result<()>;

    /// `finescale model check`.
    fn check(&self, bytes: &AlignedBytes, file: &Path) -> Result<()>;
}

/// The system that trained a run's model, and the model's file.
pub(crate) fn of_run(run: &Path) -> Result<(&'static dyn Commands, PathBuf)> {
    let path = model_path(run);
    let name = finescale_model::system(&path)?;
    let system = ALL.into_iter().find(|system| system.name() == name);
    let system = system.with_context(|| {
        let known: Vec<&str> = ALL.iter().map(|system| system.name()).collect();
        format!(
            "{} is a model of the system `{name}`, which this program does not know: it knows {}",
            path.display(),
            known.join(", ")
        )
    })?;
    Ok((system, path))
}

/// The system whose file for boards begins with such bytes; the first one if none is, which says
/// what is wrong with them.
pub(crate) fn of_bytes(bytes: &[u8]) -> &'static dyn Commands {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    ALL.into_iter().find(|system| system.magic().is_some_and(begins)).unwrap_or(ALL[0])
}

/// The system of a model in any form; the first one if it is in none, which says what is wrong.
pub(crate) fn of_model(path: &Path) -> Result<&'static dyn Commands> {
    let file = model_path(path);
    let bytes = std::fs::read(&file)
        .with_context(|| format!("--model {} cannot be read", file.display()))?;
    Ok(of_run(&file).map_or_else(|_| of_bytes(&bytes), |(system, _)| system))
}
