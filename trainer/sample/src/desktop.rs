//! Predictors whose networks the runtime lacks, evaluated by tract.
//!
//! The linear base and all tables are the runtime's, so that every sampler takes them as any other.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use finescale::predictor::{Description, Dynamics, Prepared, Trained};
use finescale::{Error, Field, Grid, Modes, Path, Predictor, spectral};
use finescale_model::Model;
use finescale_model::onnx::{self, Array, Session};

/// The smallest λ of a graph, which has a logarithm of it; the noise of so small a λ is nothing.
const SMALLEST: f32 = 1e-6;

/// A network in ONNX: increments, and their gradients.
pub(crate) struct Graphs {
    increment: Vec<u8>,
    gradient: Vec<u8>,
    companions: usize,
}

impl Graphs {
    /// # Errors
    /// If the network has no graph.
    pub(crate) fn new(model: &Model) -> Result<Self> {
        Ok(Self {
            increment: onnx::predictor(model)?,
            gradient: onnx::gradient(model)?,
            companions: model.meta.companions(),
        })
    }
}

/// A predictor with a network in tract on its linear base.
pub(crate) struct Desktop<'a> {
    base: Trained<'a>,
    description: Description<'a>,
    network: Network,
}

impl<'a> Desktop<'a> {
    /// `base`: without a network, and with what was measured on it.
    ///
    /// # Errors
    /// If tract cannot run the graphs.
    pub(crate) fn new(base: Trained<'a>, graphs: &Graphs) -> Result<Self> {
        let Graphs { increment, gradient, companions } = graphs;
        let Description { grid, channels, window, .. } = base.description();
        let of = |leading: &[usize], fields| [leading, &[fields, grid.ny(), grid.nx()]].concat();
        let shapes = Shapes {
            window: of(&[1, window], channels),
            frame: of(&[1], channels),
            companions: of(&[1], *companions),
        };
        let beside = (*companions > 0).then_some(&shapes.companions[..]);
        let of_increment = [&shapes.window[..], &[1]].into_iter().chain(beside);
        let of_gradient = [&shapes.window[..], &[1], &shapes.frame].into_iter().chain(beside);
        let increment = Session::new(increment, &of_increment.collect::<Vec<_>>())?;
        let gradient = Session::new(gradient, &of_gradient.collect::<Vec<_>>())?;
        let scratch_len = shapes.scratch_len();
        let description =
            Description { scratch_len, companions: *companions, ..base.description() };
        let (lambda, failure) = (SMALLEST, Mutex::default());
        let network = Network { grid, shapes, increment, gradient, lambda, failure };
        Ok(Self { base, description, network })
    }

    /// What tract said where a task has ended because of it.
    pub(crate) fn failure(&self) -> Option<anyhow::Error> {
        self.network.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Predictor for Desktop<'_> {
    fn describe(&self) -> &Description<'_> {
        &self.description
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        let Self { base, description, network } = self;
        network.lambda = lambda.max(SMALLEST);
        Prepared::new(description, base.prepare(lambda)?.tables(), network)
    }
}

/// The shapes of a graph's arrays for one sample.
struct Shapes {
    window: Vec<usize>,
    frame: Vec<usize>,
    companions: Vec<usize>,
}

impl Shapes {
    /// Values that a gradient needs of its increment: the window and its companions.
    fn scratch_len(&self) -> usize {
        self.window.iter().product::<usize>() + self.companions.iter().product::<usize>()
    }
}

/// The network at one λ.
struct Network {
    grid: Grid,
    shapes: Shapes,
    increment: Session,
    gradient: Session,
    lambda: f32,
    failure: Mutex<Option<anyhow::Error>>,
}

impl Network {
    /// Lays the fields of a window, with frames of zeros for those that are not there, and its
    /// companions into scratch.
    fn lay(
        &self,
        window: &Path<Modes>,
        companions: &Field,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let (windows, behind) = scratch.split_at_mut(self.shapes.window.iter().product());
        let (missing, there) = windows.split_at_mut(windows.len() - window.len());
        missing.fill(0.0);
        there.copy_from_slice(&self.fields(window)?);
        behind[..companions.len()].copy_from_slice(companions);
        Ok(())
    }

    /// One output of a session for what lies in scratch, as modes.
    fn run(
        &self,
        session: &Session,
        output: usize,
        cotangent: Option<Vec<f32>>,
        scratch: &[f32],
    ) -> Result<Vec<f32>, Error> {
        let array = |shape: &[usize], values: &[f32]| Array {
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        let shapes = &self.shapes;
        let (window, behind) = scratch.split_at(shapes.window.iter().product());
        let mut inputs = vec![array(&shapes.window, window), array(&[1], &[self.lambda])];
        inputs.extend(cotangent.map(|values| array(&shapes.frame, &values)));
        if shapes.companions[1] > 0 {
            let companions = &behind[..shapes.companions.iter().product()];
            inputs.push(array(&shapes.companions, companions));
        }
        let mut values = match session.run(&inputs) {
            Ok(mut outputs) => outputs.swap_remove(output).values,
            Err(failure) => {
                let failure = failure.context("tract cannot run the network of the model");
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                return Err(Error::Stopped);
            }
        };
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { name: "network output", index });
        }
        let mut scratch = vec![0.0; spectral::scratch_len(&self.grid)];
        spectral::forward(&self.grid, Field::from_mut(&mut values), &mut scratch)?;
        Ok(values)
    }

    fn fields(&self, modes: &[f32]) -> Result<Vec<f32>, Error> {
        let mut fields = modes.to_vec();
        let mut scratch = vec![0.0; spectral::scratch_len(&self.grid)];
        spectral::inverse(&self.grid, Modes::from_mut(&mut fields), &mut scratch)?;
        Ok(fields)
    }
}

impl Dynamics for Network {
    fn increment(
        &self,
        window: &Path<Modes>,
        companions: &Field,
        increment: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.lay(window, companions, scratch)?;
        increment.copy_from_slice(&self.run(&self.increment, 0, None, scratch)?);
        Ok(())
    }

    fn vjp(
        &self,
        cotangent: &Modes,
        gradient: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let cotangent = self.fields(cotangent)?;
        let whole = self.run(&self.gradient, 0, Some(cotangent), scratch)?;
        let there = &whole[whole.len() - gradient.len()..];
        gradient.iter_mut().zip(there).for_each(|(to, value)| *to += value);
        Ok(())
    }

    fn noise(
        &self,
        window: &Path<Modes>,
        noise: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        // A predictor with a score head sees no companions.
        self.lay(window, Field::new(&[]), scratch)?;
        noise.copy_from_slice(&self.run(&self.increment, 1, None, scratch)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use finescale::NoiseStream;
    use finescale::predictor::{PathDensity, path_score, path_score_scratch_len};

    use super::*;
    use crate::HostModel;

    /// Increments from 1 … W frames, and the score of a path.
    fn outputs(predictor: &mut dyn Predictor, lambda: f32) -> Vec<Vec<f32>> {
        let prepared = predictor.prepare(lambda).unwrap();
        let (frame, window) = (prepared.frame_len(), prepared.window);
        let mut path = vec![0.0; (window + 2) * frame];
        NoiseStream::default().fill(&mut path);
        let mut scratch = vec![0.0; path_score_scratch_len(&prepared)];
        let mut all = Vec::new();
        for frames in 1..=window {
            let mut increment = vec![0.0; frame];
            let (window, to) =
                (Path::modes(&path[..frames * frame]), Modes::from_mut(&mut increment));
            prepared.increment(window, to, &mut scratch).unwrap();
            all.push(increment);
        }
        let mut score = vec![0.0; path.len()];
        let (path, to) = (Path::modes(&path), Path::modes_mut(&mut score));
        path_score(&prepared, PathDensity::FULL, path, to, &mut scratch).unwrap();
        all.push(score);
        all
    }

    /// If it failed, what tract computes would be another predictor than the one that was trained:
    /// of a network that the runtime has, both must say the same.
    #[test]
    fn a_network_in_tract_is_that_of_the_runtime() {
        let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        for name in ["kuramoto-sivashinsky", "winds"] {
            let file = models.join(name).join("model.safetensors");
            let graphs = Graphs::new(&Model::open(&file).unwrap()).unwrap();
            let whole = HostModel::open(&file, false).unwrap();
            let view = whole.view().unwrap();
            let mut memory = vec![0.0; Trained::memory_len(&view)];
            let mut trained = Trained::new(&view, &mut memory).unwrap();
            let base = HostModel::without_network(&file).unwrap();
            let base = base.view().unwrap();
            let mut memory = vec![0.0; Trained::memory_len(&base)];
            let base = Trained::new(&base, &mut memory).unwrap();
            let mut desktop = Desktop::new(base, &graphs).unwrap();
            for lambda in [0.3, 0.01] {
                let expected = outputs(&mut trained, lambda);
                for (n, (got, expected)) in
                    outputs(&mut desktop, lambda).iter().zip(&expected).enumerate()
                {
                    let size = expected.iter().map(|e| e * e).sum::<f32>().sqrt();
                    let pairs = got.iter().zip(expected);
                    let error = pairs.map(|(g, e)| (g - e).powi(2)).sum::<f32>().sqrt();
                    assert!(error < 2e-5 * size, "{name} λ {lambda} {n}: {error} of {size}");
                }
            }
        }
    }
}
