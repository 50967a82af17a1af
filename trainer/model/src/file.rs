//! A model's one file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::{Array, LAYOUT, Meta, Model, PredictorDriven, SystemMeta};

const KEY: &str = "finescale";

/// The description with the system's name.
#[derive(Serialize)]
struct Tagged<'a, S> {
    system: &'static str,
    #[serde(flatten)]
    meta: &'a Meta<S>,
}

/// What says whether the rest can be read. The first files have neither: there was one system.
#[derive(Deserialize)]
struct Named {
    #[serde(default = "first_system")]
    system: String,
    #[serde(default = "first_layout")]
    layout: u32,
}

fn first_system() -> String {
    PredictorDriven::NAME.into()
}

fn first_layout() -> u32 {
    1
}

impl<S: SystemMeta> Model<S> {
    /// Writes the file, under a temporary name first.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        finescale_host::write::atomically(path, &self.bytes()?)
    }

    /// The file.
    ///
    /// # Errors
    /// If an array has a wrong shape.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let bytes: BTreeMap<&str, Vec<u8>> = self
            .arrays
            .iter()
            .map(|(name, array)| {
                (name.as_str(), array.values.iter().flat_map(|v| v.to_le_bytes()).collect())
            })
            .collect();
        let views = self
            .arrays
            .iter()
            .map(|(name, array)| {
                let view = TensorView::new(Dtype::F32, array.shape.clone(), &bytes[name.as_str()])
                    .with_context(|| format!("the array `{name}` has a wrong shape"))?;
                Ok((name, view))
            })
            .collect::<Result<Vec<_>>>()?;
        let header = HashMap::from([(
            KEY.to_owned(),
            serde_json::to_string(&Tagged { system: S::NAME, meta: &self.meta })?,
        )]);
        safetensors::serialize(views, Some(header)).context("the model is too large")
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is of another program or another system.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
        Self::parse(&bytes).with_context(|| format!("{shown} is no finescale model"))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let meta = &description(bytes)?;
        let Named { system, layout } =
            serde_json::from_str(meta).context("its description is damaged")?;
        ensure!(
            system == S::NAME,
            "it was trained by the system `{system}`, and only models of `{}` can be used here",
            S::NAME
        );
        ensure!(
            layout == LAYOUT,
            "its layout is {layout}, of another version of finescale: train it again with \
             `finescale train`",
        );
        let meta: Meta<S> = serde_json::from_str(meta).context("its description is damaged")?;
        let mut arrays = BTreeMap::new();
        for (name, view) in SafeTensors::deserialize(bytes)?.tensors() {
            ensure!(view.dtype() == Dtype::F32, "its array `{name}` is not of f32");
            let value = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
            let values = view.data().as_chunks().0.iter().map(value).collect();
            arrays.insert(name, Array { shape: view.shape().to_vec(), values });
        }
        Ok(Self { meta, arrays })
    }
}

/// The description in a file's header, as JSON.
fn description(bytes: &[u8]) -> Result<String> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let entry = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    Ok(entry.context("its header has no entry `finescale`")?.clone())
}

/// The `model.safetensors` of a run's folder, or the file itself.
pub fn model_path(run: &Path) -> PathBuf {
    if run.is_dir() { run.join("model.safetensors") } else { run.to_owned() }
}

/// The system that a model's file was trained by.
///
/// # Errors
/// If it cannot be read, or is no model.
pub fn system(path: &Path) -> Result<String> {
    let shown = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{shown} cannot be read"))?;
    let meta = description(&bytes).with_context(|| format!("{shown} is no finescale model"))?;
    let Named { system, .. } =
        serde_json::from_str(&meta).with_context(|| format!("{shown} is damaged"))?;
    Ok(system)
}
