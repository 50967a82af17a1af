//! Conditional means.

use std::path::Path;

use anyhow::{Result, ensure};
use finescale::model::MEAN_MAGIC;
use finescale_data::dataset::Reader;
use finescale_ensemble::Task;
use finescale_judge::baseline::Climate;
use finescale_model::SystemMeta;
use finescale_model::export::AlignedBytes;

use super::Commands;
use crate::commands::{CardArgs, ExportArgs, SuperResolveArgs, ValidateArgs, model};

pub(super) struct MeanCommands;

impl Commands for MeanCommands {
    fn name(&self) -> &'static str {
        finescale_model::ConditionalMean::NAME
    }

    fn magic(&self) -> Option<&'static [u8]> {
        Some(&MEAN_MAGIC)
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::SuperResolve]
    }

    fn export(&self, arguments: ExportArgs, path: &Path) -> Result<()> {
        arguments.mean(path)
    }

    fn validate(&self, arguments: &ValidateArgs, path: &Path) -> Result<()> {
        arguments.mean(path)
    }

    fn card(&self, arguments: &CardArgs, path: &Path) -> Result<()> {
        arguments.write::<finescale_model::ConditionalMean>(path)
    }

    fn super_resolve(&self, arguments: &SuperResolveArgs) -> Result<()> {
        arguments.with_mean()
    }

    /// It has no spectrum of the fields, so that `data` has to say it.
    fn climate(&self, _: &Path, data: Option<&Reader>) -> Result<Option<Climate>> {
        data.map(Climate::of_data).transpose()
    }

    fn info(&self, bytes: &AlignedBytes, file: &Path, trained: Option<&Path>) -> Result<()> {
        ensure!(
            trained.is_none(),
            "--trained compares predictors, and {} is a conditional mean: leave it out",
            file.display()
        );
        model::mean::info(bytes, file)
    }

    fn check(&self, bytes: &AlignedBytes, file: &Path) -> Result<()> {
        model::mean::check(bytes, file)
    }
}
