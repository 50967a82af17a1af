//! What a task gives: an ensemble of predicted paths, with the input that it was made from and the
//! truth where it is known.

mod layout;
mod netcdf;
mod origin;
mod read;
mod write;
mod zarr;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

pub use origin::Origin;
pub use write::check_output;

use finescale_data::dataset::Spec;

/// What was asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Rolled at one λ from given frames.
    Simulate,
    /// Given frames, then as many as asked for.
    Forecast,
    /// Nothing given.
    Generate,
    /// Coarse frames to fine ones.
    SuperResolve,
}

/// How the ensemble was made, for people and for tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The task.
    pub task: Task,
    /// What a table calls the method: "ours", "paper", "bicubic".
    pub method: String,
    /// Name of the model, empty without one.
    pub model: String,
    /// SHA-256 of the model's file, empty without one.
    pub model_hash: String,
    /// Every setting of the sampler, as JSON.
    pub settings: serde_json::Value,
    /// Seed.
    pub seed: u64,
    /// Evaluations of the predictor for each frame of a member: a VJP counts as one more.
    pub calls_per_frame: f64,
    /// Seconds for each frame of a member, on one thread.
    pub seconds_per_frame: f64,
}

/// Coarse frames that a prediction was made from, in physical units.
#[derive(Clone, Debug, PartialEq)]
pub struct CoarseInput {
    /// The prediction's, with the same axes of fewer points.
    pub spec: Spec,
    /// `[trajectory][frame][channel][y][x]`.
    pub values: Vec<f32>,
    /// How they were made, where that is known.
    pub origin: Option<Origin>,
}

impl CoarseInput {
    /// How the frames were made.
    ///
    /// # Errors
    /// If that is not known: nobody guesses it.
    pub fn origin(&self) -> Result<&Origin> {
        self.origin.as_ref().context(
            "the result does not say how its coarse input was made: say it with --input modes, \
             --input block-mean or --input damped",
        )
    }
}

/// Predictions of all members, in physical units.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// Channels, times, axes and number of trajectories of prediction and truth.
    pub spec: Spec,
    /// How it was made.
    pub provenance: Provenance,
    /// Members.
    pub members: usize,
    /// First frames that were given, so that skill counts from the frame after them.
    pub given: usize,
    /// `[trajectory][frame][member][channel][y][x]`.
    pub prediction: Vec<f32>,
    /// Coarse input of a super-resolution.
    pub input: Option<CoarseInput>,
    /// `[trajectory][frame][channel][y][x]`.
    pub truth: Option<Vec<f32>>,
    /// Where the only member is the mean of a Gaussian: the standard deviation at every point and
    /// at all times, `[channel][y][x]`.
    pub deviation: Option<Vec<f32>>,
}

impl Ensemble {
    /// Values of a frame of one member.
    pub fn frame_len(&self) -> usize {
        self.spec.frame_len()
    }

    /// Frames of a path.
    pub fn frames(&self) -> usize {
        self.spec.frames()
    }

    /// One member's frame, `[channel][y][x]`.
    pub fn frame(&self, trajectory: usize, frame: usize, member: usize) -> &[f32] {
        let index = (trajectory * self.frames() + frame) * self.members + member;
        &self.prediction[index * self.frame_len()..][..self.frame_len()]
    }

    /// The true frame, `[channel][y][x]`.
    pub fn true_frame(&self, trajectory: usize, frame: usize) -> Option<&[f32]> {
        let index = trajectory * self.frames() + frame;
        self.truth.as_ref().map(|truth| &truth[index * self.frame_len()..][..self.frame_len()])
    }

    /// Whether all arrays have the lengths that go together.
    ///
    /// # Errors
    /// If one has not.
    pub fn check(&self) -> Result<()> {
        let frames = self.spec.trajectories * self.frames();
        let values = frames * self.frame_len();
        ensure!(
            self.prediction.len() == values * self.members,
            "the prediction has {} values, not the {} of {frames} frames and {} members",
            self.prediction.len(),
            values * self.members,
            self.members
        );
        if let Some(truth) = &self.truth {
            ensure!(truth.len() == values, "the truth has {} values, not {values}", truth.len());
        }
        if let Some(deviation) = &self.deviation {
            ensure!(
                self.members == 1 && deviation.len() == self.frame_len(),
                "a Gaussian has one member and {} deviations, not {} and {}",
                self.frame_len(),
                self.members,
                deviation.len()
            );
        }
        if let Some(CoarseInput { spec, values, origin }) = &self.input {
            let expected = frames * spec.frame_len();
            ensure!(
                values.len() == expected,
                "the coarse input has {} values, not {expected}",
                values.len()
            );
            let (noises, channels) =
                (origin.as_ref().map(|origin| origin.sensor_noise.len()), spec.channels.len());
            ensure!(
                noises.is_none_or(|noises| noises == channels),
                "the coarse input has {} deviations of a sensor's noise for {channels} channels: \
                 give one for each",
                noises.unwrap_or_default()
            );
        }
        Ok(())
    }
}
