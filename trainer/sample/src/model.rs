//! Models from files, as the runtime reads them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use finescale::model::{MAGIC, MEAN_MAGIC, MeanModel, Model as View};
use sha2::{Digest, Sha256};

use finescale_field::emergence::generation_start;
use finescale_host::digest::hex;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file, mean_file};
use finescale_model::{
    ConditionalMean, GENERATION_BEFORE, Given, Model, NetworkMeta, SystemMeta, model_path,
};

use super::lambda::power;
use crate::desktop::Graphs;

/// A model in memory, in the form that boards use, whichever file it came from.
pub struct HostModel {
    path: PathBuf,
    bytes: AlignedBytes,
    hash: String,
    linear: bool,
    given: Option<Given>,
    /// As the model has it.
    generation: f32,
    /// A network that the runtime lacks; it has the rest of the model.
    graphs: Option<Graphs>,
}

impl HostModel {
    /// Opens a file for boards, a `model.safetensors` or a run's folder. With `linear`, the network
    /// is left out, and what was measured on it.
    ///
    /// # Errors
    /// One sentence if it cannot be read, or is damaged.
    pub fn open(path: &Path, linear: bool) -> Result<Self> {
        let (path, read, hash) = read(path)?;
        let shown = path.display();
        // A file for boards does not say it.
        let (mut given, mut generation, mut graphs) = (None, GENERATION_BEFORE, None);
        let bytes = if read.starts_with(&MAGIC) {
            AlignedBytes::new(&read)
        } else {
            let model: Model = Model::open(&path).with_context(|| format!("--model {shown}"))?;
            given = model.meta.system.given.clone();
            generation = model.meta.system.generation;
            let parts = parts(model, linear);
            let (bytes, network) =
                parts.with_context(|| format!("--model {shown} cannot be used"))?;
            graphs = network;
            bytes
        };
        let view = bytes.parse().with_context(|| format!("--model {shown} is damaged"))?;
        ensure!(
            view.companions() == 0 || given.is_some(),
            "--model {shown} is of the residuals of a conditional mean, which a file for boards \
             does not have: give the run's folder"
        );
        Ok(Self { path, bytes, hash, linear, given, generation, graphs })
    }

    /// The rest of a model without its network, with what was measured on it.
    #[cfg(test)]
    pub(crate) fn without_network(path: &Path) -> Result<Self> {
        let mut model: Model = Model::open(path)?;
        model.meta.network = NetworkMeta::Linear;
        model.arrays.retain(|name, _| !name.starts_with("network."));
        let (bytes, graphs) = parts(model, false)?;
        let (path, hash) = (path.to_owned(), String::new());
        Ok(Self { path, bytes, hash, linear: false, given: None, generation: 0.0, graphs })
    }

    /// The conditional mean whose residuals it is of, which lies beside it in its run's folder.
    ///
    /// # Errors
    /// If it is not there, or is another one.
    pub fn mean(&self) -> Result<Option<HostMean>> {
        let Some(given) = &self.given else { return Ok(None) };
        let mean = HostMean::open(&self.path.with_file_name(MEAN_FILE))?;
        ensure!(
            mean.hash() == given.hash,
            "{MEAN_FILE} beside --model {} is not the mean that it was trained for: give the run's \
             folder as the training left it",
            self.path.display()
        );
        Ok(Some(mean))
    }

    /// Its network, where the runtime lacks it.
    pub(crate) fn graphs(&self) -> Option<&Graphs> {
        self.graphs.as_ref()
    }

    /// Whether it is of the residuals of a conditional mean.
    pub(crate) fn is_of_residuals(&self) -> bool {
        self.given.is_some()
    }

    /// The model, checked.
    ///
    /// # Errors
    /// Never: it was checked when it was opened.
    pub fn view(&self) -> Result<View<'_>> {
        self.bytes.parse()
    }

    /// SHA-256 of the file that it was read from.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// λ where generation starts: the model's own, or that of the regimes of its data.
    ///
    /// # Errors
    /// If its linear base cannot be used, or its λ is above 1.
    pub fn generation(&self) -> Result<f32> {
        ensure!(
            (0.0..=1.0).contains(&self.generation),
            "--model {} starts generation at λ = {}, which is not from 0 to 1: give --lambda",
            self.path.display(),
            self.generation
        );
        if self.generation > 0.0 {
            return Ok(self.generation);
        }
        let view = self.view()?;
        Ok(generation_start(view.process(), view.grid(), &power(&view)?) as f32)
    }

    /// Whether the network was left out.
    pub(crate) fn is_linear(&self) -> bool {
        self.linear
    }
}

/// A model in the form that boards use, without its network where it is to be left out, or where
/// the runtime lacks it, and that network.
fn parts(mut model: Model, linear: bool) -> Result<(AlignedBytes, Option<Graphs>)> {
    let apart = !linear && !model.meta.network.on_boards();
    let graphs = apart.then(|| Graphs::new(&model)).transpose()?;
    if linear || apart {
        model.meta.network = NetworkMeta::Linear;
        model.meta.system.linear_base = true;
        model.meta.system.score_head &= apart;
        model.arrays.retain(|name, _| !name.starts_with("network."));
    }
    let bytes = file(&model, Precision::F32, &Bounds::default())?;
    Ok((AlignedBytes::new(&bytes), graphs))
}

/// A conditional mean in memory, in the form that boards use.
pub struct HostMean {
    bytes: AlignedBytes,
    hash: String,
}

impl HostMean {
    /// Opens a file for boards, a `model.safetensors` or a run's folder.
    ///
    /// # Errors
    /// As [`HostModel::open`].
    pub fn open(path: &Path) -> Result<Self> {
        let (path, read, hash) = read(path)?;
        let shown = path.display();
        let bytes = if read.starts_with(&MEAN_MAGIC) {
            AlignedBytes::new(&read)
        } else {
            let model: Model<ConditionalMean> =
                Model::open(&path).with_context(|| format!("--model {shown}"))?;
            let bytes = mean_file(&model, Precision::F32, &Bounds::default());
            AlignedBytes::new(&bytes.with_context(|| format!("--model {shown} cannot be used"))?)
        };
        MeanModel::parse(bytes.bytes()).with_context(|| format!("--model {shown} is damaged"))?;
        Ok(Self { bytes, hash })
    }

    /// The model, checked.
    ///
    /// # Errors
    /// Never: it was checked when it was opened.
    pub fn view(&self) -> Result<MeanModel<'_>> {
        Ok(MeanModel::parse(self.bytes.bytes())?)
    }

    /// SHA-256 of the file that it was read from.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// The conditional mean in the folder of a run on its residuals.
pub const MEAN_FILE: &str = "mean.safetensors";

/// A model as its training left it, for what the runtime does not evaluate, with the SHA-256 of its
/// file.
///
/// # Errors
/// One sentence if it cannot be read, is damaged, or is of another system.
pub fn trained<S: SystemMeta>(path: &Path) -> Result<(Model<S>, String)> {
    let (path, _, hash) = read(path)?;
    let model = Model::open(&path).with_context(|| format!("--model {}", path.display()))?;
    Ok((model, hash))
}

/// The file of a model, its bytes and their SHA-256.
fn read(path: &Path) -> Result<(PathBuf, Vec<u8>, String)> {
    let path = model_path(path);
    let shown = path.display();
    let read = std::fs::read(&path).with_context(|| format!("--model {shown} cannot be read"))?;
    let hash = hex(&Sha256::digest(&read));
    Ok((path, read, hash))
}
