//! Systems whose paths go on window by window, DYffusion, Dynamical Diffusion and FLEX, with their
//! controls: their networks stay on the machine that trains them.

use std::marker::PhantomData;
use std::path::Path;

use anyhow::{Result, bail};
use finescale_data::dataset::Reader;
use finescale_ensemble::Task;
use finescale_judge::baseline::Climate;
use finescale_judge::card::OnCard;
use finescale_model::export::AlignedBytes;
use finescale_model::{Dydiff, Dyffusion, Flex};
use finescale_sample::generator::refuse;
#[cfg(feature = "train")]
use finescale_train::systems::{dydiff, dyffusion, flex};

use super::Commands;
use crate::commands::{CardArgs, ExportArgs, ForecastArgs, SuperResolveArgs, ValidateArgs};

/// The commands of a system.
pub(super) struct WindowCommands<S>(pub(super) PhantomData<S>);

/// What differs between the systems.
pub(super) trait Forecasts: OnCard + Sync {
    /// For people.
    const SYSTEM: &'static str;
    /// The tasks that its models can do, each one of them.
    const TASKS: &'static [Task] = &[Task::Forecast];

    fn forecast(arguments: &ForecastArgs) -> Result<()>;

    fn super_resolve(arguments: &SuperResolveArgs) -> Result<()> {
        let model = arguments.model().display().to_string();
        refuse(&model, Self::TASKS, Task::SuperResolve)
    }
}

impl Forecasts for Dyffusion {
    const SYSTEM: &'static str = "DYffusion";

    #[cfg(feature = "train")]
    fn forecast(arguments: &ForecastArgs) -> Result<()> {
        arguments.with_dyffusion(|model: &_, about| {
            Ok(Box::new(dyffusion::evaluate::Loaded::of(model, about)?))
        })
    }

    #[cfg(not(feature = "train"))]
    fn forecast(arguments: &ForecastArgs) -> Result<()> {
        arguments.with_dyffusion(|_: &_, _| no_networks::<Self, _>())
    }
}

impl Forecasts for Dydiff {
    const SYSTEM: &'static str = "Dynamical Diffusion";

    #[cfg(feature = "train")]
    fn forecast(arguments: &ForecastArgs) -> Result<()> {
        arguments.with_dydiff(|model: &_, about| {
            Ok(Box::new(dydiff::evaluate::Loaded::of(model, about)?))
        })
    }

    #[cfg(not(feature = "train"))]
    fn forecast(arguments: &ForecastArgs) -> Result<()> {
        arguments.with_dydiff(|_: &_, _| no_networks::<Self, _>())
    }
}

impl Forecasts for Flex {
    const SYSTEM: &'static str = "FLEX";
    const TASKS: &'static [Task] = &[Task::Forecast, Task::SuperResolve];

    #[cfg(feature = "train")]
    fn forecast(arguments: &ForecastArgs) -> Result<()> {
        arguments
            .with_flex(|model: &_, about| Ok(Box::new(flex::evaluate::Loaded::of(model, about)?)))
    }

    #[cfg(not(feature = "train"))]
    fn forecast(arguments: &ForecastArgs) -> Result<()> {
        arguments.with_flex(|_: &_, _| no_networks::<Self, _>())
    }

    #[cfg(feature = "train")]
    fn super_resolve(arguments: &SuperResolveArgs) -> Result<()> {
        arguments
            .with_flex(|model: &_, about| Ok(Box::new(flex::evaluate::Loaded::of(model, about)?)))
    }

    #[cfg(not(feature = "train"))]
    fn super_resolve(arguments: &SuperResolveArgs) -> Result<()> {
        arguments.with_flex(|_: &_, _| no_networks::<Self, _>())
    }
}

/// Refuses what needs networks.
#[cfg(not(feature = "train"))]
fn no_networks<S: Forecasts, T>() -> Result<T> {
    bail!(
        "this program was built without training, which evaluates the networks of {}: build it \
         with the feature `train`",
        S::SYSTEM
    )
}

/// Refuses what needs a runtime.
fn no_runtime<S: Forecasts, T>(path: &Path) -> Result<T> {
    bail!(
        "{} is a model of {}, which no other runtime has: use it with {}",
        path.display(),
        S::SYSTEM,
        if S::TASKS.contains(&Task::SuperResolve) {
            "`finescale forecast` or `finescale super-resolve`, whichever it was trained for"
        } else {
            "`finescale forecast`"
        }
    )
}

impl<S: Forecasts> Commands for WindowCommands<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn magic(&self) -> Option<&'static [u8]> {
        None
    }

    fn tasks(&self) -> &'static [Task] {
        S::TASKS
    }

    fn export(&self, _: ExportArgs, path: &Path) -> Result<()> {
        no_runtime::<S, _>(path)
    }

    fn validate(&self, _: &ValidateArgs, path: &Path) -> Result<()> {
        no_runtime::<S, _>(path)
    }

    fn card(&self, arguments: &CardArgs, path: &Path) -> Result<()> {
        arguments.write::<S>(path)
    }

    fn forecast(&self, arguments: &ForecastArgs) -> Result<()> {
        S::forecast(arguments)
    }

    fn super_resolve(&self, arguments: &SuperResolveArgs) -> Result<()> {
        S::super_resolve(arguments)
    }

    /// It has no spectrum of the fields, so that `data` has to say it.
    fn climate(&self, _: &Path, data: Option<&Reader>) -> Result<Option<Climate>> {
        data.map(Climate::of_data).transpose()
    }

    fn info(&self, _: &AlignedBytes, file: &Path, _: Option<&Path>) -> Result<()> {
        no_runtime::<S, _>(file)
    }

    fn check(&self, _: &AlignedBytes, file: &Path) -> Result<()> {
        no_runtime::<S, _>(file)
    }
}
