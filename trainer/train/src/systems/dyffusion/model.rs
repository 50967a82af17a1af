//! Networks as a model, and an interpolator that another run has left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use finescale_data::dataset::Reader;
use finescale_model::dyffusion::{Dyffusion as About, Method, Part};
use finescale_model::{Model, model_path};

use super::Dyffusion;
use super::loss::Objective;
use super::shape::Shape;
use crate::config::Config;
use crate::engine::checkpoint::{Checkpoint, Kept};
use crate::engine::{Trainable, weights};
use crate::networks::Network;
use crate::run::TrainingRun;
use crate::systems::described;

/// The interpolator in the folder of a run that was given one.
pub(super) const FILE: &str = "interpolator.safetensors";

/// A model of a run without weights.
pub(super) fn empty(
    name: &str,
    reader: &Reader,
    config: &Config,
    shape: &Shape,
    steps: usize,
) -> Model<About> {
    let meta = described(name, reader, config, shape.grid, steps, shape.about.clone());
    Model { meta, arrays: BTreeMap::new() }
}

impl Dyffusion {
    /// The model of the networks that the stages have left.
    pub(super) fn with<A: Trainable>(&self, networks: &[Kept<Network<A>>]) -> Model<About> {
        let steps = networks.last().map_or(0, |kept| kept.steps);
        let Objective { shape, config } = &self.objective;
        let mut model = empty(&self.name, &self.reader, config, shape, steps);
        for (part, kept) in self.parts().into_iter().zip(networks) {
            model.put(part, weights::export::<A, _>(&kept.network));
        }
        model
    }
}

/// The interpolator that a run is given: of a model, or of the newest checkpoint of a run that has
/// finished its first stage.
///
/// # Errors
/// One sentence if there is none, or it is of other data, another window or another network.
pub(super) fn given<A: Trainable>(
    run: &TrainingRun,
    shape: &Shape,
    device: &A::Device,
) -> Result<Option<Model<About>>> {
    let given = &run.config.dyffusion.interpolator;
    if given.is_empty() {
        return Ok(None);
    }
    let path = match &run.begin {
        Some(_) => PathBuf::from(given),
        // A run that goes on has its copy.
        None => run.folder.join(FILE),
    };
    let named = || format!("dyffusion.interpolator is {}", path.display());
    let mut model = if !path.is_dir() || model_path(&path).exists() {
        Model::<About>::open(&model_path(&path)).with_context(named)?
    } else {
        of_checkpoint::<A>(&path, run, shape, device).with_context(named)?
    };
    let ours = empty(&run.name, &run.reader, &run.config, shape, 0).meta;
    let theirs = &model.meta;
    let window = |about: &About| (about.method, about.window.horizon, about.residual);
    let says = |what: &str| format!("{}, which has {what}: give one that fits", named());
    ensure!(theirs.data == ours.data, says("learned from another data set"));
    ensure!(
        theirs.system.method == Method::Dyffusion && window(&theirs.system) == window(&ours.system),
        says("another dyffusion.method, dyffusion.horizon or dyffusion.residual")
    );
    ensure!(theirs.network == ours.network, says("another network"));
    model.arrays.retain(|name, _| name.starts_with("network.interpolator."));
    ensure!(!model.arrays.is_empty(), says("no interpolator"));
    Ok(Some(model))
}

/// The interpolator of a run that has not left a model yet.
fn of_checkpoint<A: Trainable>(
    folder: &Path,
    run: &TrainingRun,
    ours: &Shape,
    device: &A::Device,
) -> Result<Model<About>> {
    let config = Config::open(&folder.join("config.toml"))?;
    let identity = crate::run::RunIdentity::open(folder)?;
    let shape = Shape { about: config.dyffusion.about(), ..ours.clone() };
    let mut model = empty(&identity.name, &run.reader, &config, &shape, 0);
    model.meta.data = identity.data;
    if model.meta.data != run.reader.hash() {
        // Frames of other data may have another shape, which its checkpoint would not fit.
        return Ok(model);
    }
    let fresh = |stage: usize| {
        let part = [Part::Interpolator, Part::Forecaster][stage.min(1)];
        let network = shape.fresh(part, &config.network, config.seed, device);
        network.expect("a run of dyffusion has networks")
    };
    let found = Checkpoint::<A, Network<A>>::load(folder, fresh, device)?;
    let found = found.context("it has neither a model nor a checkpoint")?;
    let first = found.first(config.training.steps);
    let first = first.context("its first stage has not ended: go on with it by --resume")?;
    model.put(Part::Interpolator, weights::export::<A, _>(&first));
    Ok(model)
}
