//! A training run: the loop, and the folder that holds all it leaves behind.

mod course;
mod curves;
mod dashboard;
mod display;
mod identity;
mod look;
pub mod metrics;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use finescale_data::dataset::Reader;
use finescale_host::write::atomically;
use finescale_model::{Array, Model};

use crate::config::Config;
use crate::engine::Trainable;
use crate::engine::checkpoint::Kept;
use crate::engine::learner::Seat;
use crate::systems::System;
use course::{Course, Placed};
pub use identity::RunIdentity;

/// Steps between looks at the losses: looking makes a GPU wait.
pub const LOOK: usize = 20;

/// A run on a data set.
pub struct TrainingRun {
    /// The run's folder.
    pub folder: PathBuf,
    /// The configuration.
    pub config: Config,
    /// The data set.
    pub reader: Arc<Reader>,
    /// For people.
    pub name: String,
    /// The settings' text and the identity of a run that begins: written once everything has been
    /// found to fit.
    pub begin: Option<(String, RunIdentity)>,
}

impl TrainingRun {
    /// Trains, writes the model, measures it, and writes it again with what was measured; goes on
    /// from the newest checkpoint if there is one.
    ///
    /// # Errors
    /// One sentence; the newest checkpoint stays.
    pub fn train<A: Trainable>(&self, devices: &[A::Device]) -> Result<()> {
        self.config.system.train::<A>(self, devices)
    }

    /// As [`TrainingRun::train`], by a system.
    ///
    /// # Errors
    /// As there.
    pub fn by<A: Trainable, S: System<A>>(&self, devices: &[A::Device]) -> Result<()> {
        let start = Instant::now();
        devices.first().context("--devices is 0: use at least 1")?;
        let (system, held) = S::prepare(self, devices)?;
        if let Some((settings, identity)) = &self.begin {
            std::fs::create_dir_all(&self.folder)
                .with_context(|| format!("{} cannot be made", self.folder.display()))?;
            atomically(&self.folder.join("config.toml"), settings.as_bytes())?;
            identity.save(&self.folder)?;
            for (name, bytes) in system.files() {
                atomically(&self.folder.join(name), bytes)?;
            }
        }
        let seats = devices.iter().cloned().zip(held).map(|(device, held)| {
            let placed = Placed { held: Arc::new(held), earlier: Vec::new() };
            Seat { device, held: placed }
        });
        let seats: Vec<Seat<A, Placed<A, S>>> = seats.collect();
        let main = seats[0].held.held.clone();
        let networks = Course::train(self, &system, seats)?;
        self.finish(&system, &main, &networks, start)
    }

    /// Saves the model, measures it, saves it with what was measured, prints the figures and keeps
    /// them in `summary.txt`, which a card shows.
    fn finish<A: Trainable, S: System<A>>(
        &self,
        system: &S,
        held: &S::Held,
        networks: &[Kept<S::Network>],
        start: Instant,
    ) -> Result<()> {
        for (stage, kept) in system.stages().iter().zip(networks) {
            if kept.steps < stage.steps {
                println!(
                    "the weights after {} steps are kept: they had the least validation loss",
                    kept.steps
                );
            }
        }
        let mut model = system.model(networks)?;
        let path = self.folder.join("model.safetensors");
        let shown = path.display();
        // Resuming a run that was finished must not take away what was measured.
        if !Model::<S::Meta>::open(&path).is_ok_and(|there| same_network(&there, &model)) {
            model.save(&path)?;
        }
        println!("calibrating on the validation part");
        let summary = system.measure(held, networks, &mut model).with_context(|| {
            format!(
                "{shown} holds the trained model, but not all was measured; --resume measures it"
            )
        })?;
        model.save(&path)?;
        atomically(&self.folder.join("summary.txt"), summary.as_bytes())?;
        println!("{shown}: {} network weights", weights_of(&model));
        summary.lines().for_each(|line| println!("  {line}"));
        println!("  {:.1} s in all", start.elapsed().as_secs_f64());
        Ok(())
    }
}

/// The arrays of a model that are trained.
fn network<S>(model: &Model<S>) -> impl Iterator<Item = (&String, &Array)> {
    model.arrays.iter().filter(|(name, _)| name.starts_with("network.") || *name == "maps")
}

/// Whether two models of one run have the same network.
fn same_network<S>(a: &Model<S>, b: &Model<S>) -> bool {
    a.meta.steps == b.meta.steps && network(a).eq(network(b))
}

fn weights_of<S>(model: &Model<S>) -> usize {
    network(model).map(|(_, array)| array.values.len()).sum()
}
