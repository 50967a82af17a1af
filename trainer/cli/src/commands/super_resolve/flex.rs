//! Super-resolution by FLEX.

use anyhow::{Result, ensure};
use finescale_ensemble::Task;
use finescale_model::Flex;
use finescale_model::flex::Assigned;
use finescale_sample::generator::windows::Windowed;
use finescale_sample::generator::windows::chain::ChainArgs;
use finescale_sample::generator::{WindowPaths, refuse};
use finescale_sample::{Domain, trained};

use super::super::forecast::{Load, refuse_sampler};
use super::SuperResolveArgs;
use super::sensor::Sensor;

impl SuperResolveArgs {
    /// With a network of FLEX, which `load` evaluates.
    pub(crate) fn with_flex(&self, load: impl Load<Flex>) -> Result<()> {
        refuse_sampler(&self.task, "FLEX", ChainArgs::OF_FLEX)?;
        ensure!(
            !self.mean_alone,
            "--mean-alone needs a conditional mean, and --model is of FLEX: leave it out"
        );
        let (model, hash) = trained::<Flex>(&self.task.model)?;
        let about = self.chain.over_flex(&model.meta.system)?;
        refuse(&model.meta.name, about.tasks(), Task::SuperResolve)?;
        let Assigned::SuperResolve { kind, .. } = about.task else { return Ok(()) };
        let domain = Domain::of(&model.meta)?;
        let points = about.coarse(&domain.grid);
        let sensor = Sensor { name: &model.meta.name, values: kind.into(), points, domain };
        let networks = load(&model, about.clone())?;
        let networks = networks.as_ref();
        self.by_sensor(&sensor, &WindowPaths { model: &model, hash: &hash, about, networks })
    }
}
