//! Defaults, a preset, a file and flags, laid one over the other.

use anyhow::{Context, Result, bail};
use toml_edit::{DocumentMut, Item, Table};

use super::{Config, DEFAULTS};

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
                "{origin} has the unknown key `{name}`: did you mean `{nearest}`? (`finescale \
                 train --print-config` shows all)"
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
