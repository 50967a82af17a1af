//! Where a data set comes from: enough to make it again.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Attributes;
use crate::calendar::Calendar;

/// The file that was imported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its path as given.
    pub path: String,
    /// SHA-256 of its content in hexadecimal digits; of a folder, see `docs/dataset.md`.
    pub sha256: String,
}

/// The exact command with all that it depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The command line, quoted for a shell.
    pub command: String,
    /// Version of finescale.
    pub version: String,
    /// Seed of the random numbers, where there are any.
    pub seed: Option<u64>,
    /// Every parameter, defaults included.
    pub parameters: Value,
    /// The imported file, where there is one.
    pub source: Option<SourceFile>,
    /// When, in UTC, as `2026-11-22T01:30:00Z`.
    pub created: String,
}

impl Manifest {
    /// The manifest of this process.
    pub fn new(parameters: Value) -> Self {
        let command: Vec<String> = std::env::args().map(|a| quote(&a)).collect();
        Self {
            command: command.join(" "),
            version: env!("CARGO_PKG_VERSION").into(),
            seed: None,
            parameters,
            source: None,
            created: now(),
        }
    }

    /// As attributes of the group. The parameters are JSON text, which NetCDF can hold too.
    pub(super) fn to_attributes(&self) -> Attributes {
        let mut attributes = Attributes::from_iter([
            ("command".into(), json!(self.command)),
            ("finescale_version".into(), json!(self.version)),
            ("parameters".into(), json!(self.parameters.to_string())),
            ("date_created".into(), json!(self.created)),
            ("history".into(), json!(format!("{}: {}", self.created, self.command))),
        ]);
        if let Some(seed) = self.seed {
            // As text: JSON readers in double precision lose digits above 2⁵³.
            attributes.insert("seed".into(), json!(seed.to_string()));
        }
        if let Some(source) = &self.source {
            attributes.insert("source".into(), json!(source.path));
            attributes.insert("source_sha256".into(), json!(source.sha256));
        }
        attributes
    }

    pub(super) fn from_attributes(attributes: &Attributes) -> Result<Self> {
        let text = |name: &str| attributes.get(name).and_then(Value::as_str).map(str::to_owned);
        let need =
            |name: &str| text(name).with_context(|| format!("the attribute `{name}` is missing"));
        Ok(Self {
            command: need("command")?,
            version: need("finescale_version")?,
            seed: text("seed").map(|s| s.parse()).transpose().context("`seed` is no number")?,
            parameters: serde_json::from_str(&need("parameters")?)
                .context("the attribute `parameters` is not JSON")?,
            source: text("source")
                .zip(text("source_sha256"))
                .map(|(path, sha256)| SourceFile { path, sha256 }),
            created: need("date_created")?,
        })
    }
}

/// A shell word.
fn quote(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

fn now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()) as i64;
    let date = Calendar::ProlepticGregorian.date(seconds.div_euclid(86_400));
    let time = seconds.rem_euclid(86_400);
    format!("{date}T{:02}:{:02}:{:02}Z", time / 3600, time / 60 % 60, time % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If this failed, a data set could not be made again from what it says about itself.
    #[test]
    fn survives_a_round_trip_through_attributes() {
        let mut manifest = Manifest::new(json!({ "dt": 0.05 }));
        manifest.seed = Some(u64::MAX);
        manifest.source = Some(SourceFile { path: "a b.nc".into(), sha256: "00".into() });
        assert_eq!(Manifest::from_attributes(&manifest.to_attributes()).unwrap(), manifest);
    }

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("--grid=64x128"), "--grid=64x128");
    }
}
