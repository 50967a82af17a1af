//! Paths by a conditional mean and a predictor of its residuals, through the runtime that boards
//! run.

use anyhow::{Result, bail};
use finescale::mean::ConditionalMean as Evaluator;
use finescale::predictor::Given;
use finescale::{NoiseStream, Path, Predictor};
use finescale_ensemble::Task;
use finescale_field::scale::Scale;

use super::predictor_driven::Watched;
use super::{About, Assignment, Generator, Watch, Worker, with_predictor};
use crate::residuals::MeanPath;
use crate::{HostMean, HostModel, Settings};

/// A conditional mean, a predictor of its residuals and a sampler.
pub struct ResidualPaths<'a> {
    /// The mean.
    pub mean: &'a HostMean,
    /// The predictor.
    pub model: &'a HostModel,
    /// The sampler, which generates residual paths.
    pub settings: &'a Settings,
}

impl Generator for ResidualPaths<'_> {
    fn about(&self) -> Result<About> {
        let mut settings = serde_json::to_value(self.settings)?;
        settings["mean"] = self.mean.hash().into();
        let method = if self.model.is_linear() { "linear residuals" } else { "residuals" };
        Ok(About {
            method: format!("mean and {method}"),
            model: self.model.view()?.name().into(),
            hash: self.model.hash().into(),
            settings,
            summary: format!("residuals from λ = {}", self.settings.lambda()),
        })
    }

    fn tasks(&self) -> &[Task] {
        &[Task::SuperResolve]
    }

    fn evaluations(&self, _: &Assignment, frames: usize) -> u64 {
        self.settings.calls(frames) + 2 * frames as u64
    }

    fn with_worker(
        &self,
        frames: usize,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Worker) -> Result<()>,
    ) -> Result<()> {
        let view = self.mean.view()?;
        let mut memory = vec![0.0; Evaluator::memory_len(&view)];
        let mean = Evaluator::new(&view, &mut memory)?;
        let scale = Scale::of(&self.model.view()?);
        with_predictor(self.model, |predictor| {
            let sampler = &self.settings.sampler;
            let scratch = sampler.scratch_len(predictor.describe(), frames);
            work(&mut ResidualWorker {
                scratch: vec![0.0; scratch.max(Evaluator::scratch_len(&view))],
                predictor: Watched { inner: predictor, watch },
                settings: self.settings,
                mean: &mean,
                scale,
                known: None,
            })
        })
    }
}

/// One core's mean, predictor and memory.
struct ResidualWorker<'a> {
    mean: &'a Evaluator<'a>,
    predictor: Watched<'a>,
    settings: &'a Settings,
    scale: Scale<f32>,
    scratch: Vec<f32>,
    /// The means of the trajectory that was drawn last: they are those of all its members.
    known: Option<(usize, MeanPath)>,
}

impl Worker for ResidualWorker<'_> {
    fn draw(
        &mut self,
        assignment: &Assignment,
        trajectory: usize,
        stream: &NoiseStream,
        path: &mut [f32],
    ) -> Result<()> {
        let Self { mean, predictor, settings, scale, scratch, known } = self;
        let Assignment::Condition { coarse } = assignment else {
            bail!("a conditional mean needs the frames of its sensor")
        };
        let means = match known {
            Some((of, means)) if *of == trajectory => means,
            _ => {
                let len = path.len() / mean.model().fine_len() * mean.model().coarse_len();
                let coarse = &coarse[trajectory * len..][..len];
                let watch = predictor.watch;
                let found = MeanPath::new(mean, coarse, scratch, || Ok(watch.evaluation()?))?;
                &mut known.insert((trajectory, found)).1
            }
        };
        let about = predictor.describe();
        let grid = about.grid;
        // The linear base alone sees none.
        let companions = if about.companions == 0 { &[] } else { &means.companions[..] };
        let mut given = Given { predictor, companions: Path::fields(companions) };
        let path = Path::modes_mut(path);
        let sampler = &settings.sampler;
        sampler.generate(&mut given, settings.start, None, stream, path, scratch)?;
        let fields = scale.fields(&grid, path)?;
        fields.iter_mut().zip(&means.means).for_each(|(value, mean)| *value += mean);
        Ok(())
    }
}
