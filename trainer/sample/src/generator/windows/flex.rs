//! Frames of FLEX, whatever evaluates its network.

use anyhow::Result;
use finescale::{Grid, NoiseStream};
use finescale_ensemble::Task;
use finescale_model::Shown;
use finescale_model::flex::{Assigned, Flex, Method};
use finescale_peers::flex::Integrator;

use super::super::Watch;
use super::{Evaluator, Watched, Windowed, Windows};

impl Windowed for Flex {
    fn method(&self) -> String {
        match (self.method, self.integrator) {
            (Method::Flex, Integrator::Midpoint) => format!("{}, midpoint", self.name()),
            _ => self.name().into(),
        }
    }

    fn summary(&self) -> String {
        let calls = Windowed::calls(self);
        format!("{calls} evaluations for each frame")
    }

    fn history(&self) -> usize {
        self.known()
    }

    fn horizon(&self) -> usize {
        1
    }

    fn calls(&self) -> usize {
        match self.method {
            Method::Flex => self.calls,
            Method::Regression => 1,
        }
    }

    fn tasks(&self) -> &'static [Task] {
        match self.task {
            Assigned::Forecast { .. } => &[Task::Forecast],
            Assigned::SuperResolve { .. } => &[Task::SuperResolve],
        }
    }

    fn coarse(&self, grid: &Grid) -> [usize; 2] {
        Self::coarse(self, grid)
    }
}

/// How frames are drawn.
pub struct Run<'a> {
    about: &'a Flex,
    /// What a sensor's frame shows; none of forecasts.
    shown: Option<Shown>,
    points: usize,
}

impl<'a> Run<'a> {
    /// On a fine grid.
    pub fn new(about: &'a Flex, grid: &Grid) -> Self {
        let shown = match about.task {
            Assigned::Forecast { .. } => None,
            Assigned::SuperResolve { kind, .. } => Some(Shown::new(grid, about.coarse(grid), kind)),
        };
        Self { about, shown, points: grid.points() }
    }

    /// What the network sees of known frames, `[frame][…][y][x]` both: the frames themselves, or
    /// what a sensor's frame shows.
    pub fn seen(&self, known: &[f64]) -> Vec<f64> {
        self.shown.as_ref().map_or_else(|| known.to_vec(), |shown| shown.field(known))
    }

    /// The next frame of those that are seen, or the fine one, `[window][channel][y][x]`.
    ///
    /// # Errors
    /// Whatever the network says.
    pub fn frame(&self, seen: &[f64], network: &mut impl Evaluator) -> Result<Vec<f64>> {
        let Flex { method, residual, integrator, .. } = *self.about;
        let len = seen.len() / self.about.known();
        let noise = match method {
            Method::Flex => network.noise(len),
            Method::Regression => vec![0.0; len],
        };
        let mut evaluate = |z: &[f64], t: f64| {
            let fields: Vec<&[f64]> = std::iter::once(z).chain(seen.chunks(len)).collect();
            Ok(network.evaluate(&fields, t)?.concat())
        };
        let intervals = self.about.calls / integrator.calls(1);
        let mut frame = match method {
            Method::Flex => integrator.sample(intervals, &noise, evaluate)?,
            Method::Regression => evaluate(&noise, 1.0)?,
        };
        let scales = self.about.scales.iter().cycle();
        for (field, scale) in frame.chunks_mut(self.points).zip(scales) {
            field.iter_mut().for_each(|value| *value *= scale);
        }
        if residual {
            let newest = &seen[seen.len() - len..];
            frame.iter_mut().zip(newest).for_each(|(value, base)| *value += base);
        }
        Ok(frame)
    }
}

/// Frames that a network draws.
pub struct Sampled<'a, E> {
    run: Run<'a>,
    network: Watched<'a, E>,
}

impl<'a, E: Evaluator> Sampled<'a, E> {
    /// With a network whose evaluations are watched.
    pub fn new(about: &'a Flex, grid: &Grid, inner: E, watch: &'a Watch<'a>) -> Self {
        Self { run: Run::new(about, grid), network: Watched { inner, watch } }
    }
}

impl<E: Evaluator> Windows for Sampled<'_, E> {
    fn window(
        &mut self,
        known: &[f64],
        stream: &NoiseStream,
        number: u64,
    ) -> Result<[Vec<f64>; 2]> {
        self.network.begin(stream, number);
        let told = self.run.frame(&self.run.seen(known), &mut self.network)?;
        // Frames of a sensor are known already, all of them.
        let next = match self.run.shown {
            Some(_) => Vec::new(),
            None => [known, &told].concat().split_off(told.len()),
        };
        Ok([told, next])
    }
}
