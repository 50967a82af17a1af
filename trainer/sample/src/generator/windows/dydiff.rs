//! Windows of Dynamical Diffusion, whatever evaluates its network.

use anyhow::Result;
use finescale::NoiseStream;
use finescale_model::Dydiff;
use finescale_peers::dydiff::Chain;

use super::super::Watch;
use super::{Evaluator, Watched, Windowed, Windows};

impl Windowed for Dydiff {
    fn method(&self) -> String {
        self.name()
    }

    fn summary(&self) -> String {
        format!("windows of {} frames, {} evaluations for each", self.horizon, self.calls)
    }

    fn history(&self) -> usize {
        self.history
    }

    fn horizon(&self) -> usize {
        self.horizon
    }

    fn calls(&self) -> usize {
        self.calls
    }
}

/// A chain as it is run.
pub struct Run<'a> {
    about: &'a Dydiff,
    chain: Chain,
    steps: Vec<usize>,
}

impl<'a> Run<'a> {
    /// As a model says.
    ///
    /// # Errors
    /// If it says what cannot be.
    pub fn new(about: &'a Dydiff) -> Result<Self> {
        let chain = about.chain()?;
        let steps = chain.process().steps(about.calls, about.start)?;
        Ok(Self { about, chain, steps })
    }

    /// Frames after the known ones, `[frame][…]` both.
    ///
    /// # Errors
    /// Whatever the network says.
    pub fn window(&self, known: &[f64], network: &mut impl Evaluator) -> Result<Vec<f64>> {
        let Dydiff { history, .. } = *self.about;
        let len = known.len() / history;
        let noise = network.noise(self.about.frames() * len);
        let mut frames = self.chain.sample(&self.steps, &noise, len, |state, step| {
            let seen: Vec<&[f64]> = state.chunks(len).chain(known.chunks(len)).collect();
            Ok(network.evaluate(&seen, self.about.time(step))?.concat())
        })?;
        // The known frames are drawn too, and nobody asks for those.
        frames.drain(..history * len);
        Ok(frames)
    }
}

/// Windows that a network draws.
pub struct Sampled<'a, E> {
    run: Run<'a>,
    network: Watched<'a, E>,
}

impl<'a, E: Evaluator> Sampled<'a, E> {
    /// With a network whose evaluations are watched.
    ///
    /// # Errors
    /// As [`Run::new`].
    pub fn new(about: &'a Dydiff, inner: E, watch: &'a Watch<'a>) -> Result<Self> {
        Ok(Self { run: Run::new(about)?, network: Watched { inner, watch } })
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
        let told = self.run.window(known, &mut self.network)?;
        let next = [known, &told].concat().split_off(told.len());
        Ok([told, next])
    }
}
