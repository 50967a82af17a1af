//! What all four tasks share: options, the run, and the file in the end.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::generator::{self, About, Assignment, Generator};
use super::partial::Partial;
use super::run::Job;
use super::{HostModel, SamplerArgs};
use finescale_data::dataset::Spec;
use finescale_ensemble::{self, CoarseInput, Ensemble, Provenance};
use finescale_host::digest::hex;

/// Options that every task has.
#[derive(Clone, Debug, Args)]
pub struct TaskArgs {
    /// The model: a file for boards, a `model.safetensors`, or a run's folder
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Leave the model's network out: its linear base alone, to compare with
    #[arg(long)]
    pub linear: bool,
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
    /// What draws.
    pub generator: &'a dyn Generator,
    /// What is asked for, and from what.
    pub assignment: Assignment,
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
}

impl TaskArgs {
    /// Opens the model, once the output can be written.
    ///
    /// # Errors
    /// One sentence.
    pub fn open(&self) -> Result<HostModel> {
        self.check()?;
        let model = HostModel::open(&self.model, self.linear)?;
        ensure!(
            !model.is_of_residuals(),
            "--model {} is of the residuals of a conditional mean, which super-resolve alone can \
             draw: use a model of the fields",
            self.model.display()
        );
        Ok(model)
    }

    /// Refuses members and an output that cannot be.
    ///
    /// # Errors
    /// One sentence.
    pub fn check(&self) -> Result<()> {
        ensure!(self.members > 0, "--members is 0: draw at least 1");
        ensure!(
            u32::try_from(self.members).is_ok_and(|n| self.first_member.checked_add(n).is_some()),
            "--first-member and --members name members beyond 2³²: use smaller numbers"
        );
        finescale_ensemble::check_output(&self.out, self.force)
    }

    /// Members of the ensemble.
    pub fn members(&self) -> usize {
        self.members
    }

    /// Seed of everything random.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws the members, writes the file and says what was done.
    ///
    /// # Errors
    /// One sentence; what is finished stays in `OUT.partial`.
    pub fn sample(&self, ready: ReadyTask<'_>) -> Result<()> {
        let ReadyTask { generator, assignment, spec, given, input, truth, options, from } = ready;
        let task = assignment.task();
        generator::check(generator, task)?;
        let About { method, model, hash, mut settings, summary } = generator.about()?;
        settings["task"] = options;
        let identity = json!({
            "task": task,
            "version": env!("CARGO_PKG_VERSION"),
            "model": hash,
            "linear": method == "linear",
            "settings": settings,
            "input": input.as_ref().map(|input| &input.origin),
            "seed": self.seed.to_string(),
            "members": self.members,
            "first_member": self.first_member,
            "spec": spec,
            "data": digest(from),
        });
        let partial = Partial::new(&self.out, &identity, self.resume, self.force)?;
        let job = Job {
            generator,
            assignment: &assignment,
            trajectories: spec.trajectories,
            members: self.members,
            first_member: self.first_member,
            frames: spec.frames(),
            frame_len: spec.frame_len(),
            seed: self.seed,
            partial: &partial,
        };
        let paths = job.run()?;
        let ensemble = Ensemble {
            provenance: Provenance {
                task,
                method,
                model,
                model_hash: hash,
                settings,
                seed: self.seed,
                calls_per_frame: paths.calls_per_frame,
                seconds_per_frame: paths.seconds_per_frame,
            },
            members: self.members,
            given,
            prediction: paths.prediction,
            input,
            truth,
            deviation: None,
            spec,
        };
        ensemble.write(&self.out)?;
        partial.remove()?;
        self.say(&ensemble, &summary);
        Ok(())
    }

    fn say(&self, ensemble: &Ensemble, summary: &str) {
        let (spec, provenance) = (&ensemble.spec, &ensemble.provenance);
        println!("{}: {}", self.out.display(), spec.title);
        println!(
            "  {} {} × {} frames × {} members, {summary}",
            spec.trajectories,
            if spec.trajectories == 1 { "trajectory" } else { "trajectories" },
            spec.frames(),
            ensemble.members
        );
        println!(
            "  {:.1} evaluations and {:.2} ms for each frame of a member, on one thread",
            provenance.calls_per_frame,
            1e3 * provenance.seconds_per_frame
        );
    }
}

/// SHA-256 of numbers.
fn digest(values: &[f32]) -> String {
    let mut sum = Sha256::new();
    for values in values.chunks(1 << 12) {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        sum.update(&bytes);
    }
    hex(&sum.finalize())
}
