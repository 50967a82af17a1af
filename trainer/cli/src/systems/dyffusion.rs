//! DYffusion and its controls, whose networks stay on the machine that trains them.

use std::path::Path;

use anyhow::{Result, bail};
use finescale_data::dataset::Reader;
use finescale_ensemble::Task;
use finescale_judge::baseline::Climate;
use finescale_model::export::AlignedBytes;
use finescale_model::{Dyffusion, SystemMeta};
#[cfg(feature = "train")]
use finescale_train::systems::dyffusion::evaluate::Loaded;

use super::Commands;
use crate::commands::{CardArgs, ExportArgs, ForecastArgs, ValidateArgs};

pub(super) struct WindowCommands;

/// Refuses what needs a runtime.
fn no_runtime<T>(path: &Path) -> Result<T> {
    bail!(
        "{} is a model of DYffusion, which no other runtime has: use it with `finescale forecast`",
        path.display()
    )
}

impl Commands for WindowCommands {
    fn name(&self) -> &'static str {
        Dyffusion::NAME
    }

    fn magic(&self) -> Option<&'static [u8]> {
        None
    }

    fn tasks(&self) -> &'static [Task] {
        &[Task::Forecast]
    }

    fn export(&self, _: ExportArgs, path: &Path) -> Result<()> {
        no_runtime(path)
    }

    fn validate(&self, _: &ValidateArgs, path: &Path) -> Result<()> {
        no_runtime(path)
    }

    fn card(&self, arguments: &CardArgs, path: &Path) -> Result<()> {
        arguments.write::<Dyffusion>(path)
    }

    #[cfg(feature = "train")]
    fn forecast(&self, arguments: &ForecastArgs) -> Result<()> {
        arguments.with_windows(|model| Ok(Box::new(Loaded::of(model)?)))
    }

    #[cfg(not(feature = "train"))]
    fn forecast(&self, arguments: &ForecastArgs) -> Result<()> {
        arguments.with_windows(|_| {
            bail!(
                "this program was built without training, which evaluates the networks of \
                 DYffusion: build it with the feature `train`"
            )
        })
    }

    /// It has no spectrum of the fields, so that `data` has to say it.
    fn climate(&self, _: &Path, data: Option<&Reader>) -> Result<Option<Climate>> {
        data.map(Climate::of_data).transpose()
    }

    fn info(&self, _: &AlignedBytes, file: &Path, _: Option<&Path>) -> Result<()> {
        no_runtime(file)
    }

    fn check(&self, _: &AlignedBytes, file: &Path) -> Result<()> {
        no_runtime(file)
    }
}
