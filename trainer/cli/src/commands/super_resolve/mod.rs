//! `finescale super-resolve`: coarse frames into an ensemble of fine ones.

mod mean;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use finescale::model::Model as View;
use finescale::sampler::{NoiseRule, StepRule};
use finescale::{Axis, Grid};
use serde_json::json;

use super::data_import::{Grid as Points, parse_grid};
use super::origin::sensor_noise;
use finescale_data::dataset::Spec;
use finescale_ensemble::{CoarseInput, Origin};
use finescale_sample::coarse::{
    Coarsener, InputKind, Observe, coarse_grid, deviations, fine_axis, measure,
};
use finescale_sample::generator::{Assignment, PredictorDriven};
use finescale_sample::recommended::described;
use finescale_sample::{
    AnyModel, Domain, Fields, HostModel, InputArgs, Preset, ReadyTask, Resolution, TaskArgs,
    lambda, warnings,
};

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
    take: InputArgs,
}

/// Coarse frames with what is known of them.
struct CoarseFields {
    coarse: Fields,
    grid: Grid,
    /// The prediction's.
    spec: Spec,
    truth: Option<Vec<f32>>,
}

impl SuperResolveArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        match self.task.open_any()? {
            AnyModel::Driven(model) => self.by_predictor(&model),
            AnyModel::Mean(model) => self.by_mean(&model),
            AnyModel::Residuals(mean, _) if self.mean_alone => self.by_mean(&mean),
            AnyModel::Residuals(mean, model) => self.by_residuals(&mean, &model),
        }
    }

    fn by_predictor(&self, model: &HostModel) -> Result<()> {
        ensure!(
            !self.mean_alone,
            "--mean-alone needs a conditional mean, and --model is a predictor: leave it out, or \
             train a mean with `finescale train --sensor`"
        );
        let view = model.view()?;
        let coarsens = self.coarsen.is_some() || self.coarse_grid.is_some();
        let (kind, observe) = self.meaning(coarsens)?;
        let noise = sensor_noise(&self.sensor_noise, view.channels())?;
        let resolution = if coarsens { Resolution::Full } else { Resolution::AtMost };
        let fields = self.take.read(&self.coarse, &view, resolution, self.frames)?;
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
        let input = self.input(fields, &view, grid, kind, lambda, &noise, coarsens)?;
        let expected = deviations(&view, &input.grid, kind, lambda)?;
        for warning in warnings(&input.coarse, &view, &expected) {
            eprintln!("warning: {warning}");
        }
        let whole = settings.sampler.step == StepRule::Ancestral(NoiseRule::Linear);
        let measurement = measure(&view, &input.coarse, &input.grid, kind, lambda, &noise, whole)?;
        let CoarseFields { coarse, spec, truth, .. } = input;
        let from: Vec<f32> = [coarse.values.as_slice(), truth.as_deref().unwrap_or(&[])].concat();
        let options = json!({
            "observe": observe,
            "coarse_grid": points,
        });
        let coarsening = kind.coarsening(view.process(), lambda);
        let ready = ReadyTask {
            generator: &PredictorDriven { model, settings: &settings },
            assignment: Assignment::SuperResolve { measurement, observe },
            given: 0,
            truth,
            options,
            from: &from,
            input: Some(CoarseInput {
                spec: Spec { title: spec.title.clone(), ..coarse.spec },
                values: coarse.values,
                origin: Some(Origin { coarsening, sensor_noise: noise }),
            }),
            spec,
        };
        self.task.sample(ready)
    }

    fn meaning(&self, coarsens: bool) -> Result<(InputKind, Observe)> {
        let kind =
            self.input.unwrap_or(if coarsens { InputKind::Damped } else { InputKind::Modes });
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

    /// Points of the coarse grid, y before x.
    fn points(&self, fine: &Grid, spec: &Spec, usable: fn(usize) -> bool) -> Result<Vec<usize>> {
        let axes = || fine.y().into_iter().chain([fine.x()]);
        if let Some(factor) = self.coarsen {
            let leaves = |points: usize| {
                factor > 1 && points.is_multiple_of(factor) && usable(points / factor)
            };
            ensure!(
                axes().all(|axis| leaves(axis.points())),
                "--coarsen is {factor}: use a number above 1 that divides the points of every axis \
                 and leaves an even product of 2, 3 and 5, at least {}",
                Axis::POINTS_MIN
            );
            return Ok(axes().map(|axis| axis.points() / factor).collect());
        }
        Ok(match &self.coarse_grid {
            Some(points) => points.clone(),
            None => spec.axes().map(|axis| axis.points()).collect(),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "all of it is known only here")]
    fn input(
        &self,
        fields: Fields,
        view: &View<'_>,
        grid: Grid,
        kind: InputKind,
        lambda: f32,
        noise: &[f32],
        coarsens: bool,
    ) -> Result<CoarseFields> {
        let title = format!("{}, super-resolved", fields.spec.title);
        if coarsens {
            let coarsener = Coarsener {
                domain: &Domain::from(view),
                points: &self.points(view.grid(), &fields.spec, Axis::has_transform)?,
                kind,
                coarsening: kind.coarsening(view.process(), lambda),
                noise: noise.to_vec(),
                seed: self.task.seed(),
            };
            let coarse = coarsener.coarsen(&fields)?;
            let spec = Spec { title, ..fields.spec };
            return Ok(CoarseFields { coarse, grid, spec, truth: Some(fields.values) });
        }
        let fine = view.grid();
        let mut spec = Spec { title, ..fields.spec.clone() };
        spec.x = fine_axis(&spec.x, fine.nx(), kind);
        spec.y = spec.y.map(|y| fine_axis(&y, fine.ny(), kind));
        Ok(CoarseFields { coarse: fields, grid, spec, truth: None })
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
