//! Predictor-driven diffusion, of fields or of the residuals of a conditional mean.

use std::path::Path;

use anyhow::{Context, Result};
use finescale::model::MAGIC;
use finescale_data::dataset::Reader;
use finescale_ensemble::Task;
use finescale_judge::baseline::Climate;
use finescale_model::export::AlignedBytes;
use finescale_model::{Model, SystemMeta};

use super::Commands;
use crate::commands::{
    CardArgs, ExportArgs, ForecastArgs, GenerateArgs, SimulateArgs, SuperResolveArgs, ValidateArgs,
    model,
};

pub(super) struct DrivenCommands;

impl Commands for DrivenCommands {
    fn name(&self) -> &'static str {
        finescale_model::PredictorDriven::NAME
    }

    fn magic(&self) -> Option<&'static [u8]> {
        Some(&MAGIC)
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Simulate, Task::Forecast, Task::Generate, Task::SuperResolve]
    }

    fn export(&self, arguments: ExportArgs, path: &Path) -> Result<()> {
        arguments.predictor(path)
    }

    fn validate(&self, arguments: &ValidateArgs, path: &Path) -> Result<()> {
        arguments.predictor(path)
    }

    fn card(&self, arguments: &CardArgs, path: &Path) -> Result<()> {
        arguments.write::<finescale_model::PredictorDriven>(path)
    }

    fn forecast(&self, arguments: &ForecastArgs) -> Result<()> {
        arguments.with_predictor()
    }

    fn generate(&self, arguments: &GenerateArgs) -> Result<()> {
        arguments.with_predictor()
    }

    fn simulate(&self, arguments: &SimulateArgs) -> Result<()> {
        arguments.with_predictor()
    }

    fn super_resolve(&self, arguments: &SuperResolveArgs) -> Result<()> {
        arguments.with_predictor()
    }

    fn climate(&self, path: &Path, _: Option<&Reader>) -> Result<Option<Climate>> {
        let named = || format!("--model {}", path.display());
        Climate::of_model(&Model::open(path).with_context(named)?).map(Some)
    }

    fn info(&self, bytes: &AlignedBytes, file: &Path, trained: Option<&Path>) -> Result<()> {
        model::predictor::info(bytes, file, trained)
    }

    fn check(&self, bytes: &AlignedBytes, file: &Path) -> Result<()> {
        model::predictor::check(bytes, file)
    }
}
