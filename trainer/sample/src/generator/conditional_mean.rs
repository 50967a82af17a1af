//! Paths by a conditional mean and draws of its errors, through the runtime that boards run.

use anyhow::{Result, bail};
use finescale::mean::{ConditionalMean as Evaluator, Errors};
use finescale::model::MeanModel;
use finescale::{Field, Modes, NoiseStream, Path};
use finescale_ensemble::Task;
use serde_json::json;

use super::{About, Assignment, Generator, Watch, Worker};
use crate::HostMean;

/// A conditional mean.
pub struct MeanPaths<'a> {
    /// The model.
    pub model: &'a HostMean,
    /// Whether every member is the mean itself, without errors.
    pub alone: bool,
}

impl Generator for MeanPaths<'_> {
    fn about(&self) -> Result<About> {
        let view = self.model.view()?;
        Ok(About {
            method: if self.alone { "conditional mean" } else { "mean and errors" }.into(),
            model: view.name().into(),
            hash: self.model.hash().into(),
            settings: json!({ "mean_alone": self.alone }),
            summary: format!(
                "from {} frames before and {} after each",
                view.before(),
                view.after()
            ),
        })
    }

    fn tasks(&self) -> &[Task] {
        &[Task::SuperResolve]
    }

    fn evaluations(&self, _: &Assignment, frames: usize) -> u64 {
        frames as u64
    }

    fn with_worker(
        &self,
        frames: usize,
        watch: &Watch<'_>,
        work: &mut dyn FnMut(&mut dyn Worker) -> Result<()>,
    ) -> Result<()> {
        let view = self.model.view()?;
        let mut memory = vec![0.0; Evaluator::memory_len(&view)];
        let mut errors_memory = vec![0.0; Errors::memory_len(&view)];
        let scratch = Evaluator::scratch_len(&view).max(Errors::scratch_len(&view));
        work(&mut MeanWorker {
            mean: Evaluator::new(&view, &mut memory)?,
            errors: (!self.alone).then(|| Errors::new(&view, &mut errors_memory)).transpose()?,
            scratch: vec![0.0; scratch],
            modes: vec![0.0; frames * view.fine_len()],
            known: None,
            view,
            watch,
        })
    }
}

/// One core's evaluator and memory.
struct MeanWorker<'a> {
    view: MeanModel<'a>,
    mean: Evaluator<'a>,
    errors: Option<Errors<'a>>,
    scratch: Vec<f32>,
    modes: Vec<f32>,
    /// The mean of the trajectory that was drawn last: it is that of all its members.
    known: Option<(usize, Vec<f32>)>,
    watch: &'a Watch<'a>,
}

impl Worker for MeanWorker<'_> {
    fn draw(
        &mut self,
        assignment: &Assignment,
        trajectory: usize,
        stream: &NoiseStream,
        path: &mut [f32],
    ) -> Result<()> {
        let Assignment::Condition { coarse } = assignment else {
            bail!("a conditional mean needs the frames of its sensor")
        };
        let (fine, frames) = (self.view.fine_len(), path.len() / self.view.fine_len());
        if self.known.as_ref().is_none_or(|(known, _)| *known != trajectory) {
            let len = frames * self.view.coarse_len();
            let coarse = Path::coarse_fields(&coarse[trajectory * len..][..len]);
            for (n, frame) in path.chunks_exact_mut(fine).enumerate() {
                self.watch.evaluation()?;
                self.mean.evaluate(coarse, n, Field::from_mut(frame), &mut self.scratch)?;
            }
            self.known = Some((trajectory, path.to_vec()));
        }
        if let Some((_, mean)) = &self.known {
            path.copy_from_slice(mean);
        }
        if let Some(errors) = &mut self.errors {
            let modes = &mut self.modes[..path.len()];
            errors.draw(0, stream, Path::modes_mut(modes))?;
            for (frame, modes) in path.chunks_exact_mut(fine).zip(modes.chunks_exact(fine)) {
                errors.add(Modes::new(modes), Field::from_mut(frame), &mut self.scratch)?;
            }
        }
        Ok(())
    }
}
