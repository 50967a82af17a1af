//! The configuration of a training: defaults, a preset, a file, flags, one over the other.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use finescale::{ForwardProcess, Laplacian};
use serde::{Deserialize, Serialize};
use toml_edit::{DocumentMut, Item, Table};

/// Every key, its meaning and its default: what `finescale train --print-config` prints.
pub const DEFAULTS: &str = include_str!("default.toml");

/// See `default.toml` for the meaning of every field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Config {
    pub seed: u64,
    pub process: Process,
    pub lambda: Lambda,
    pub predictor: Predictor,
    pub loss: Loss,
    pub training: Training,
    pub report: Report,
    pub calibration: Calibration,
}

macro_rules! settings {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[allow(missing_docs)]
        pub struct $name { $(pub $field: $kind),* }
    };
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[allow(missing_docs)]
        pub enum $name { $($variant),* }
    };
}

settings!(/// Section `process`.
    Process { alpha: f32, beta2: f32, laplacian: Laplacian });
settings!(/// Section `lambda`.
    Lambda { smallest: f64, largest: f64, count: usize, spacing: Spacing });
settings!(/// Section `predictor`.
Predictor {
    network: Network, base: Base, window: usize, inputs: Inputs, bounded: bool, score_head: bool,
    tiny: Tiny, unet: Unet,
});
settings!(/// Section `predictor.tiny`.
    Tiny { channels: usize, kernel: usize, dilations: Vec<usize> });
settings!(/// Section `predictor.unet`.
    Unet { dim: usize, multipliers: Vec<usize> });
settings!(/// Section `loss`.
    Loss { weight: Weight, history_drop: f64, increment: f64, score: f64 });
settings!(/// Section `training`.
Training {
    steps: usize, batch: usize, accumulate: usize, learning_rate: f64, warmup: usize, decay: Decay,
    clip: f64, ema: f64, keep: Keep, precision: Precision,
});
settings!(/// Section `report`.
    Report { every: usize, windows: usize, rollout: usize });
settings!(/// Section `calibration`.
    Calibration { paths: usize, frames: usize });

choice!(/// Spacing of the values of λ.
    Spacing { Geometric, Linear });
choice!(/// Which network.
    Network { Tiny, Unet, Linear });
choice!(/// What the network corrects.
    Base { Linear, None });
choice!(/// What the network sees.
    Inputs { FilteredAndRaw, Raw });
choice!(/// Weight of squared errors.
    Weight { Innovation, Noise });
choice!(/// How the learning rate falls.
    Decay { Cosine, Constant });
choice!(/// Which weights become the model.
    Keep { Last, Best });
choice!(/// Numbers inside the network.
    Precision { Full, Mixed });

impl Default for Config {
    fn default() -> Self {
        toml_edit::de::from_str(DEFAULTS).expect("default.toml is complete")
    }
}

impl Config {
    /// Reads a complete configuration, as a run folder keeps it.
    ///
    /// # Errors
    /// If it cannot be read, or a key is missing or unknown.
    pub fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        toml_edit::de::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// The forward process.
    ///
    /// # Errors
    /// If α or β² is out of range.
    pub fn forward_process(&self) -> Result<ForwardProcess> {
        let Process { alpha, beta2, laplacian } = self.process;
        Ok(ForwardProcess::new(alpha, beta2, laplacian)?)
    }

    /// The trained values of λ, rising.
    pub fn lambdas(&self) -> Vec<f64> {
        let Lambda { smallest, largest, count, spacing } = self.lambda;
        let part = |i: usize| if count > 1 { i as f64 / (count - 1) as f64 } else { 1.0 };
        let at = |i: usize| match spacing {
            Spacing::Geometric => smallest * (largest / smallest).powf(part(i)),
            Spacing::Linear => smallest + (largest - smallest) * part(i),
        };
        (0..count).map(at).collect()
    }

    fn check(&self) -> Result<()> {
        self.forward_process()?;
        let Lambda { smallest, largest, count, .. } = self.lambda;
        ensure!(
            smallest > 0.0 && smallest <= largest && largest <= 1.0,
            "lambda.smallest and lambda.largest are {smallest} and {largest}: use 0 < smallest ≤ largest ≤ 1"
        );
        ensure!((2..=1000).contains(&count), "lambda.count is {count}: use 2 to 1000");
        let p = &self.predictor;
        ensure!((1..=16).contains(&p.window), "predictor.window is {}: use 1 to 16", p.window);
        ensure!(
            [3, 5, 7].contains(&p.tiny.kernel),
            "predictor.tiny.kernel is {}: use 3, 5 or 7",
            p.tiny.kernel
        );
        ensure!(
            p.tiny.dilations.len() >= 2 && p.tiny.dilations.iter().all(|d| (1..=16).contains(d)),
            "predictor.tiny.dilations is {:?}: name at least two layers with dilations 1 to 16",
            p.tiny.dilations
        );
        ensure!(p.tiny.channels > 0, "predictor.tiny.channels is 0: use at least 1");
        ensure!(
            p.unet.dim.is_multiple_of(8) && p.unet.dim > 0 && !p.unet.multipliers.is_empty(),
            "predictor.unet.dim is {}: use a multiple of 8, and at least one multiplier",
            p.unet.dim
        );
        let t = &self.training;
        for (name, value) in [("steps", t.steps), ("batch", t.batch), ("accumulate", t.accumulate)]
        {
            ensure!(value > 0, "training.{name} is 0: use at least 1");
        }
        for (name, value) in [("learning-rate", t.learning_rate), ("clip", t.clip)] {
            ensure!(
                value > 0.0 && value.is_finite(),
                "training.{name} is {value}: use more than 0"
            );
        }
        // With 1 no sample would have all its frames, and the average would stay what it was at
        // first.
        for (name, value) in
            [("loss.history-drop", self.loss.history_drop), ("training.ema", t.ema)]
        {
            ensure!(
                (0.0..1.0).contains(&value),
                "{name} is {value}: use 0 or more and less than 1"
            );
        }
        let r = &self.report;
        ensure!(
            r.every > 0 && r.windows > 0 && r.rollout > 0,
            "report.every, report.windows and report.rollout are {}, {} and {}: use at least 1",
            r.every,
            r.windows,
            r.rollout
        );
        ensure!(
            self.calibration.paths > 0 && self.calibration.frames > 1,
            "calibration.paths and calibration.frames are {} and {}: use at least 1 and 2",
            self.calibration.paths,
            self.calibration.frames
        );
        Ok(())
    }
}

impl Predictor {
    /// Fields that the network sees of so many channels.
    pub fn input_fields(&self, channels: usize) -> usize {
        let kinds = match self.inputs {
            Inputs::FilteredAndRaw => 2,
            Inputs::Raw => 1,
        };
        kinds * self.window * channels
    }
}

/// A configuration under construction; keeps the defaults' comments.
#[derive(Clone, Debug)]
pub struct Layers {
    document: DocumentMut,
}

impl Default for Layers {
    fn default() -> Self {
        Self { document: DEFAULTS.parse().expect("default.toml is TOML") }
    }
}

impl Layers {
    /// Lays TOML text over what is there; `origin` names it in errors.
    ///
    /// # Errors
    /// If it is no TOML, or has a key that the defaults have not: the nearest one is named.
    pub fn add(&mut self, text: &str, origin: &str) -> Result<()> {
        let over: DocumentMut =
            text.parse().with_context(|| format!("{origin} is not valid TOML"))?;
        lay(self.document.as_table_mut(), over.as_table(), "", origin)
    }

    /// Sets one value.
    pub fn set(&mut self, section: Option<&str>, key: &str, value: impl Into<toml_edit::Value>) {
        let table = match section {
            Some(section) => self.document[section].as_table_mut().expect("sections are tables"),
            None => self.document.as_table_mut(),
        };
        replace(table, key, &Item::Value(value.into()));
    }

    /// The configuration as TOML, comments included.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// The finished configuration.
    ///
    /// # Errors
    /// One sentence that names the key with the wrong type or value.
    pub fn finish(&self) -> Result<Config> {
        let text = self.text();
        let config: Config = toml_edit::de::from_str(&text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start);
            let line = text[place..].lines().next().unwrap_or("");
            let start = text[..place].rfind('\n').map_or(0, |end| end + 1);
            let before = &text[start..place];
            anyhow::anyhow!("the setting `{before}{line}` is not valid: {}", error.message().trim())
        })?;
        config.check()?;
        Ok(config)
    }
}

fn lay(under: &mut Table, over: &Table, path: &str, origin: &str) -> Result<()> {
    for (key, item) in over {
        let name = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        if !under.contains_key(key) {
            let nearest = under
                .iter()
                .map(|(known, _)| (strsim::jaro_winkler(known, key), known))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map_or("", |(_, known)| known);
            bail!(
                "{origin} has the unknown key `{name}`: did you mean `{nearest}`? (`finescale train --print-config` shows all)"
            );
        }
        match (under[key].as_table_mut(), item.as_table()) {
            (Some(under), Some(over)) => lay(under, over, &name, origin)?,
            (None, None) => replace(under, key, item),
            (Some(_), None) => bail!("{origin} sets `{name}` to a value, but it is a section"),
            (None, Some(_)) => bail!("{origin} has a section `{name}`, but it is a value"),
        }
    }
    Ok(())
}

/// A new value where an old one was, under the old one's comment.
fn replace(table: &mut Table, key: &str, item: &Item) {
    let mut item = item.clone();
    if let Some(value) = item.as_value_mut() {
        value.decor_mut().clear();
    }
    table[key] = item;
}
