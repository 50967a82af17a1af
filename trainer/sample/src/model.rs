//! Models from files, as the runtime reads them.

use std::path::Path;

use anyhow::{Context, Result};
use finescale::model::{MAGIC, Model as View};
use sha2::{Digest, Sha256};

use finescale_host::digest::hex;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file};
use finescale_model::{Model, NetworkMeta};

/// A model in memory, in the form that boards use, whichever file it came from.
pub struct HostModel {
    bytes: AlignedBytes,
    hash: String,
    linear: bool,
}

impl HostModel {
    /// Opens a file for boards, a `model.safetensors` or a run's folder. With `linear`, the network
    /// is left out, and what was measured on it.
    ///
    /// # Errors
    /// One sentence if it cannot be read, is damaged, or has a network that the runtime does not
    /// have.
    pub fn open(path: &Path, linear: bool) -> Result<Self> {
        let path = if path.is_dir() { path.join("model.safetensors") } else { path.to_owned() };
        let shown = path.display();
        let read =
            std::fs::read(&path).with_context(|| format!("--model {shown} cannot be read"))?;
        let hash = hex(&Sha256::digest(&read));
        let bytes = if read.starts_with(&MAGIC) {
            AlignedBytes::new(&read)
        } else {
            let mut model: Model =
                Model::open(&path).with_context(|| format!("--model {shown}"))?;
            if linear {
                model.meta.network = NetworkMeta::Linear;
                model.meta.system.linear_base = true;
                model.meta.system.score_head = false;
                model.arrays.retain(|name, _| !name.starts_with("network."));
            }
            let bytes = file(&model, Precision::F32, &Bounds::default());
            AlignedBytes::new(&bytes.with_context(|| format!("--model {shown} cannot be used"))?)
        };
        bytes.parse().with_context(|| format!("--model {shown} is damaged"))?;
        Ok(Self { bytes, hash, linear })
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

    /// Whether the network was left out.
    pub(crate) fn is_linear(&self) -> bool {
        self.linear
    }
}
