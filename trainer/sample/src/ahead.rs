//! What forecast and simulation share: given frames, and frames ahead of them.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::Args;
use finescale::Field;

use super::{Domain, Fields, InputArgs, Resolution, warnings};
use finescale_data::dataset::{Spec, TimeAxis};
use finescale_field::scale::Scale;

/// How many frames are given, and how many are wanted.
#[derive(Clone, Debug, Args)]
pub struct AheadArgs {
    /// First frames of the data that are given; by default as many as the model's window has
    #[arg(long, value_name = "N")]
    given: Option<usize>,
    /// Frames to make after them; by default as many as the data have, which are kept as the truth
    #[arg(long, value_name = "N")]
    frames: Option<usize>,
}

/// What paths ahead start from.
pub struct Ahead {
    /// Of the given frames and those after them.
    pub spec: Spec,
    /// Frames that are given.
    pub given: usize,
    /// The given frames as standardised spectra, `[trajectory][frame][channel][mode]`.
    pub spectra: Vec<f32>,
    /// `[trajectory][frame][channel][y][x]`, where the data have all of these frames.
    pub truth: Option<Vec<f32>>,
    /// Everything that was read.
    pub from: Vec<f32>,
}

impl AheadArgs {
    /// Reads the given frames, and the truth if the data have it; `usual` is how many are given
    /// where nobody says it.
    ///
    /// # Errors
    /// One sentence.
    pub fn read(
        &self,
        take: &InputArgs,
        path: &Path,
        (domain, scale): (&Domain, &Scale<f32>),
        usual: usize,
        what: &str,
    ) -> Result<Ahead> {
        let given = self.given.unwrap_or(usual);
        ensure!(given > 0, "--given is 0: give at least 1 frame, or use `finescale generate`");
        ensure!(self.frames != Some(0), "--frames is 0: ask for at least 1");
        let most = self.frames.map(|frames| given + frames);
        let Fields { spec, values } = take.read(path, domain.clone(), Resolution::Full, most)?;
        let there = spec.frames();
        ensure!(
            there >= given,
            "{} has {there} frames, but --given asks for {given}: give fewer",
            path.display()
        );
        let frames = most.unwrap_or(there);
        ensure!(
            frames > given,
            "{} has {there} frames, all of them given: say with --frames how many are wanted \
             after them",
            path.display()
        );
        for warning in warnings(
            &Fields { spec: spec.clone(), values: values.clone() },
            domain.clone(),
            &vec![1.0; domain.channels.len()],
        ) {
            eprintln!("warning: {warning}");
        }
        let (trajectory, known) = (there * spec.frame_len(), given * spec.frame_len());
        let mut spectra: Vec<f32> =
            values.chunks_exact(trajectory).flat_map(|path| &path[..known]).copied().collect();
        scale.spectra(&domain.grid, Field::from_mut(&mut spectra))?;
        let title = format!("{}, {what}", spec.title);
        let spec = Spec { title, time: extended(&spec.time, frames), ..spec };
        let truth = (frames <= there).then(|| values.clone());
        if truth.is_none() {
            eprintln!("note: the data end after {there} frames: no truth is kept");
        }
        Ok(Ahead { spec, given, spectra, truth, from: values })
    }
}

/// As many frames, evenly on beyond the last.
fn extended(time: &TimeAxis, frames: usize) -> TimeAxis {
    let mut values = time.values.clone();
    let last = values.last().copied().unwrap_or(0.0);
    let known = values.len();
    values.truncate(frames);
    values.extend((known..frames).map(|n| last + (n + 1 - known) as f64 * time.interval));
    TimeAxis { values, ..time.clone() }
}
