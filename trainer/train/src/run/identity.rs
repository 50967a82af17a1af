//! What a run folder belongs to.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use finescale_data::dataset::Reader;
use serde::{Deserialize, Serialize};

/// What identifies a run: resuming needs all of it to be the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunIdentity {
    /// For people; resuming takes it from here.
    #[serde(default)]
    pub name: String,
    /// Version of finescale.
    pub version: String,
    /// Content hash of the data set.
    pub data: String,
    /// Shape of a frame, channels × y × x, and its channels' names.
    pub shape: Vec<usize>,
    /// As in the data set.
    pub channels: Vec<String>,
    /// Backend.
    pub backend: String,
    /// Number of devices.
    pub devices: usize,
}

impl RunIdentity {
    /// Of a run to be.
    pub fn new(name: &str, reader: &Reader, backend: &str, devices: usize) -> Self {
        let spec = reader.spec();
        Self {
            name: name.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            data: reader.hash().into(),
            shape: vec![spec.channels.len(), spec.ny(), spec.nx()],
            channels: spec.channels.iter().map(|channel| channel.name.clone()).collect(),
            backend: backend.into(),
            devices,
        }
    }

    const FILE: &str = "run.json";

    /// Writes it into a run folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        finescale_host::write::atomically(&folder.join(Self::FILE), text.as_bytes())
    }

    /// Of a run folder.
    ///
    /// # Errors
    /// If it is none, or damaged.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join(Self::FILE);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{} is no run folder (it has no {})", folder.display(), Self::FILE)
        })?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Whether a run folder is this one's; returns the run's name.
    ///
    /// # Errors
    /// A sentence that says what differs.
    pub fn check(&self, folder: &Path) -> Result<String> {
        let there = Self::open(folder)?;
        let shown = folder.display();
        ensure!(
            there.shape == self.shape && there.channels == self.channels,
            "the run in {shown} was trained on frames of {:?} (channels, y, x: {}), this data set \
             has {:?} ({}): resume with the data set it began with",
            there.shape,
            there.channels.join(", "),
            self.shape,
            self.channels.join(", ")
        );
        ensure!(
            there.data == self.data,
            "the data set is not the one that the run in {shown} began with: its content differs"
        );
        if there.backend != self.backend || there.devices != self.devices {
            bail!(
                "the run in {shown} began with --backend {} --devices {}: resume it with the same",
                there.backend,
                there.devices
            );
        }
        ensure!(
            there.version == self.version,
            "the run in {shown} began with finescale {}, this is {}",
            there.version,
            self.version
        );
        Ok(if there.name.is_empty() { self.name.clone() } else { there.name })
    }
}
