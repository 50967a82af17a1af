//! `finescale super-resolve`: coarse frames into an ensemble of fine ones.

mod flex;
mod frames;
mod mean;
mod sensor;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use finescale::model::Model as View;
use finescale::sampler::{NoiseRule, StepRule};
use finescale::{Axis, Grid};
use serde_json::json;

use super::data_import::{Grid as Points, parse_grid};
use super::origin::{InputKind, sensor_noise};
use crate::systems;
use finescale_ensemble::Origin;
use finescale_sample::coarse::{Observe, coarse_grid, deviations, measure};
use finescale_sample::generator::windows::chain::ChainArgs;
use finescale_sample::generator::{Assignment, DrivenPaths};
use finescale_sample::recommended::described;
use finescale_sample::{Domain, HostModel, InputArgs, Preset, TaskArgs, lambda};

/// Super-resolve coarse frames: an ensemble of fine paths that agree with them
///
/// COARSE has the model's domain and fewer points; or it has the model's resolution and --coarsen
/// makes it coarse, so that the truth is kept beside the prediction.
#[derive(Debug, Args)]
pub struct SuperResolveArgs {
    /// Coarse frames: a data set, NetCDF, Zarr, .npy or .npz
    coarse: PathBuf,
    /// Make COARSE, which has the model's resolution, coarser by this factor along every axis
    #[arg(long, value_name = "F", conflicts_with = "coarse_grid")]
    coarsen: Option<usize>,
    /// As --coarsen, to so many points, rows x columns, or points on a line
    #[arg(long, value_name = "YxX", value_parser = parse_grid)]
    coarse_grid: Option<Points>,
    /// What coarse values are; `damped` with --coarsen, else `modes`
    #[arg(long, value_enum)]
    input: Option<InputKind>,
    /// What the fine frames must agree with; `pixels` for block means, else `modes`, but nothing
    /// with --preset paper
    #[arg(long, value_enum)]
    observe: Option<Observe>,
    /// Standard deviation of the coarse values' errors, in their units: one for all channels or one
    /// for each; --coarsen adds such noise
    #[arg(long, value_name = "STD,…", value_delimiter = ',')]
    sensor_noise: Vec<f32>,
    /// With a conditional mean: every member is the mean itself, without draws of its errors
    #[arg(long)]
    mean_alone: bool,
    /// Frames of each path, the first ones; by default all
    #[arg(long)]
    frames: Option<usize>,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    chain: ChainArgs,
    #[command(flatten)]
    take: InputArgs,
}

impl SuperResolveArgs {
    /// The model.
    pub(crate) fn model(&self) -> &Path {
        &self.task.model
    }

    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        self.task.check()?;
        systems::of_model(&self.task.model)?.super_resolve(&self)
    }

    /// With a predictor, of the fields or of the residuals of a conditional mean.
    pub(crate) fn with_predictor(&self) -> Result<()> {
        self.refuse_chain()?;
        let model = HostModel::open(&self.task.model, self.task.linear)?;
        match model.mean()? {
            None => self.by_predictor(&model),
            Some(mean) if self.mean_alone => self.by_mean(&mean),
            Some(mean) => self.by_residuals(&mean, &model),
        }
    }

    fn refuse_chain(&self) -> Result<()> {
        ensure!(
            self.chain.is_empty(),
            "{} are for models of FLEX: leave them out",
            ChainArgs::FLAGS
        );
        Ok(())
    }

    fn by_predictor(&self, model: &HostModel) -> Result<()> {
        ensure!(
            !self.mean_alone,
            "--mean-alone needs a conditional mean, and --model is a predictor: leave it out, or \
             train a mean with `finescale train --sensor`"
        );
        let view = model.view()?;
        let (kind, observe) = self.meaning(view.process().is_coupled())?;
        let sensor_noise = sensor_noise(&self.sensor_noise, view.channels())?;
        let domain = Domain::from(&view);
        let fields = self.read(&domain)?;
        let points = self.points(view.grid(), &fields.spec, Axis::has_transform)?;
        let grid =
            coarse_grid(view.grid(), &points).with_context(|| self.coarse.display().to_string())?;
        let sampler = &self.task.sampler;
        let settings = sampler.settings_over_recommended(model, |_| suggested(&view, &grid))?;
        if settings.recommended {
            eprintln!(
                "note: what no option says of the sampler is as the model recommends: {} \
                 (--preset ours: not so)",
                described(view.recommended())
            );
        }
        let lambda = settings.lambda();
        let coarsening = kind.coarsening(view.process(), lambda)?;
        let expected = deviations(&view, &grid, &coarsening)?;
        let origin = Origin { coarsening, sensor_noise };
        let frames = self.frames(&domain, fields, [grid.ny(), grid.nx()], origin, &expected)?;
        let whole = settings.sampler.step == StepRule::Ancestral(NoiseRule::Linear);
        let noise = &frames.origin.sensor_noise;
        let measurement = measure(&view, &frames.coarse, &grid, &coarsening, lambda, noise, whole)?;
        let generator = DrivenPaths { model, settings: &settings };
        let assignment = Assignment::SuperResolve { measurement, observe };
        let options = json!({ "observe": observe, "coarse_grid": points });
        self.draw(&generator, assignment, options, frames)
    }

    fn meaning(&self, coupled: bool) -> Result<(InputKind, Observe)> {
        let damped = self.coarsens() && !coupled;
        let usual = if damped { InputKind::Damped } else { InputKind::Modes };
        let kind = self.input.unwrap_or(usual);
        let usual = match (self.task.sampler.preset()?, kind) {
            (Preset::Paper, _) => Observe::None,
            (Preset::Ours, InputKind::BlockMean) => Observe::Pixels,
            (Preset::Ours, InputKind::Damped | InputKind::Modes) => Observe::Modes,
        };
        let observe = self.observe.unwrap_or(usual);
        match observe {
            Observe::Pixels => ensure!(
                kind == InputKind::BlockMean,
                "--observe pixels needs means over cells: use --input block-mean, or --observe \
                 modes"
            ),
            Observe::Modes => ensure!(
                kind != InputKind::BlockMean,
                "--observe modes does not fit --input block-mean, whose values are no modes: use \
                 --observe pixels"
            ),
            Observe::None => {}
        }
        Ok((kind, observe))
    }
}

fn suggested(view: &View<'_>, grid: &Grid) -> Result<f32> {
    Ok(lambda::suggested(view, grid)?.unwrap_or_else(|| {
        eprintln!(
            "note: some mode beyond the coarse grid is stronger than its noise at any λ: λ* is 1"
        );
        1.0
    }))
}
