//! What all four tasks share: options, the run, and the file in the end.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use finescale::sampler::Score;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::partial::Partial;
use super::run::{Draw, Job};
use super::{HostModel, Preset, SamplerArgs, Settings};
use finescale_data::dataset::Spec;
use finescale_ensemble::{self, CoarseInput, Ensemble, Provenance, Task};
use finescale_host::digest::hex;

/// Options that every task has.
#[derive(Clone, Debug, Args)]
pub struct TaskArgs {
    /// The model: a file for boards, a `model.safetensors`, or a run's folder
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Leave the model's network out: its linear base alone, to compare with
    #[arg(long)]
    linear: bool,
    /// Members of the ensemble
    #[arg(long, default_value_t = 20)]
    members: usize,
    /// Number of the first member; a member has the same bits whichever others are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    first_member: u32,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// File to write: .nc (NetCDF) or .zarr
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Replace what is at --out
    #[arg(long)]
    force: bool,
    /// Go on with an interrupted run, whose finished members OUT.partial keeps
    #[arg(long)]
    resume: bool,
    /// The sampler.
    #[command(flatten)]
    pub sampler: SamplerArgs,
}

/// A task whose input is ready.
pub struct ReadyTask<'a> {
    /// What was asked for.
    pub task: Task,
    /// The model.
    pub model: &'a HostModel,
    /// The sampler.
    pub settings: &'a Settings,
    /// Channels, times, axes and number of trajectories of the prediction.
    pub spec: Spec,
    /// First frames that are given.
    pub given: usize,
    /// Coarse input.
    pub input: Option<CoarseInput>,
    /// Truth, where it is known.
    pub truth: Option<Vec<f32>>,
    /// The task's own settings.
    pub options: Value,
    /// All other values that the prediction is made from.
    pub from: &'a [f32],
    /// About how many evaluations of the predictor a path needs.
    pub calls: u64,
}

impl TaskArgs {
    /// Opens the model, once the output can be written.
    ///
    /// # Errors
    /// One sentence.
    pub fn open(&self) -> Result<HostModel> {
        ensure!(self.members > 0, "--members is 0: draw at least 1");
        ensure!(
            u32::try_from(self.members).is_ok_and(|n| self.first_member.checked_add(n).is_some()),
            "--first-member and --members name members beyond 2³²: use smaller numbers"
        );
        finescale_ensemble::check_output(&self.out, self.force)?;
        HostModel::open(&self.model, self.linear)
    }

    /// Seed of everything random.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws the members, writes the file and says what was done.
    ///
    /// # Errors
    /// One sentence; what is finished stays in `OUT.partial`.
    pub fn sample(&self, prepared: ReadyTask<'_>, draw: &Draw<'_>) -> Result<()> {
        let ReadyTask { task, model, settings, spec, given, input, truth, options, from, calls } =
            prepared;
        let view = model.view()?;
        let mut all = serde_json::to_value(settings)?;
        all["task"] = options;
        let identity = json!({
            "task": task,
            "version": env!("CARGO_PKG_VERSION"),
            "model": model.hash(),
            "linear": model.is_linear(),
            "settings": all,
            "input": input.as_ref().map(|input| &input.origin),
            "seed": self.seed.to_string(),
            "members": self.members,
            "first_member": self.first_member,
            "spec": spec,
            "data": hash(from),
        });
        let partial = Partial::new(&self.out, &identity, self.resume, self.force)?;
        let job = Job {
            model,
            sampler: &settings.sampler,
            trajectories: spec.trajectories,
            members: self.members,
            first_member: self.first_member,
            frames: spec.frames(),
            seed: self.seed,
            calls,
            partial: &partial,
        };
        let paths = job.run(draw)?;
        let method = match (settings.preset, settings.sampler.score) {
            _ if model.is_linear() => "linear",
            (Preset::Ours, Score::Head) => "ours, score head",
            (Preset::Ours, Score::Path(_)) => "ours",
            (Preset::Paper, Score::Head) => "paper, score head",
            (Preset::Paper, Score::Path(_)) => "paper",
        };
        let ensemble = Ensemble {
            provenance: Provenance {
                task,
                method: method.into(),
                model: view.name().into(),
                model_hash: model.hash().into(),
                settings: all,
                seed: self.seed,
                calls_per_frame: paths.calls_per_frame,
                seconds_per_frame: paths.seconds_per_frame,
            },
            members: self.members,
            given,
            prediction: paths.prediction,
            input,
            truth,
            spec,
        };
        ensemble.write(&self.out)?;
        partial.remove()?;
        self.say(&ensemble, settings);
        Ok(())
    }

    fn say(&self, ensemble: &Ensemble, settings: &Settings) {
        let (spec, provenance) = (&ensemble.spec, &ensemble.provenance);
        println!("{}: {}", self.out.display(), spec.title);
        println!(
            "  {} {} × {} frames × {} members, λ* = {}",
            spec.trajectories,
            if spec.trajectories == 1 { "trajectory" } else { "trajectories" },
            spec.frames(),
            ensemble.members,
            settings.lambda()
        );
        println!(
            "  {:.1} evaluations and {:.2} ms for each frame of a member, on one thread",
            provenance.calls_per_frame,
            1e3 * provenance.seconds_per_frame
        );
    }
}

fn hash(values: &[f32]) -> String {
    let mut digest = Sha256::new();
    for values in values.chunks(1 << 12) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        digest.update(&bytes);
    }
    hex(&digest.finalize())
}
