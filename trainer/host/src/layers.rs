//! Settings in layers: defaults, a preset, a file, the command line. The last layer that has a
//! setting wins.

use std::marker::PhantomData;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use toml_edit::{Document, DocumentMut, Item, Table};

/// What layers make. It has to refuse keys that it has not (`deny_unknown_fields`).
pub trait Settings: DeserializeOwned {
    /// The lowest layer, in TOML.
    const DEFAULTS: &'static str = "";
    /// What shows all keys, as a part of a sentence.
    const ALL: &'static str;

    /// Refuses settings that are of the right types and yet of no use.
    ///
    /// # Errors
    /// One sentence that names the setting and the mend.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// Settings under construction; the comments of the defaults stay.
#[derive(Clone, Debug)]
pub struct Layers<T> {
    document: DocumentMut,
    settings: PhantomData<T>,
}

impl<T: Settings> Default for Layers<T> {
    fn default() -> Self {
        let document = T::DEFAULTS.parse().expect("the defaults are TOML");
        Self { document, settings: PhantomData }
    }
}

impl<T: Settings> Layers<T> {
    /// Lays a file of TOML, which a flag names, over what is there.
    ///
    /// # Errors
    /// If it cannot be read, and as [`Self::add`].
    pub fn add_file(&mut self, flag: &str, path: &Path) -> Result<()> {
        let name = format!("{flag} {}", path.display());
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
        self.add(&text, &name)
    }

    /// Lays TOML over what is there; errors call it `name`.
    ///
    /// # Errors
    /// One sentence if it is no TOML, has a key that there is not, a value of another type, or a
    /// section in place of a value; or the other way round.
    pub fn add(&mut self, text: &str, name: &str) -> Result<()> {
        let layer = Layer { name, text };
        let over = Document::parse(text).map_err(|error| {
            let place = layer.line(error.span().map_or(0, |span| span.start));
            anyhow!("{place}: {}", error.message().replace('\n', " "))
        })?;
        self.lay(&mut Vec::new(), over.into_mut().as_table(), layer)
    }

    fn lay<'a>(&mut self, path: &mut Vec<&'a str>, over: &'a Table, layer: Layer) -> Result<()> {
        for (key, item) in over {
            path.push(key);
            let under = path.iter().try_fold(self.document.as_item(), |item, key| item.get(key));
            match (under.map(Item::is_table), item.as_table()) {
                (Some(true), Some(over)) => self.lay(path, over, layer)?,
                (Some(true), None) => bail!(
                    "{}: `{}` is set to a value, but it is a section",
                    layer.place(path),
                    path.join(".")
                ),
                (Some(false), Some(_)) => return Err(layer.no_section(path)),
                _ => self.set(path, item, layer)?,
            }
            path.pop();
        }
        Ok(())
    }

    /// A new value where an old one was, under the old one's comment.
    fn set(&mut self, path: &[&str], item: &Item, layer: Layer) -> Result<()> {
        let (key, sections) = path.split_last().expect("a key has a name");
        let section =
            sections.iter().fold(self.document.as_item_mut(), |item, key| &mut item[*key]);
        let mut new = item.clone();
        if let Some(value) = new.as_value_mut() {
            value.decor_mut().clear();
        }
        section[*key] = new;
        // At once, so that the layer is known that a refused setting came from.
        let Err(error) = self.settings() else { return Ok(()) };
        let (message, setting) = (error.message().replace('\n', " "), path.join("."));
        let mut words = message.split('`');
        if words.next() == Some("unknown field ") && words.next() == Some(key) {
            // Between the next quotes are the keys that there are.
            let known = words.skip(1).step_by(2);
            let near = |known: &str| strsim::jaro_winkler(known, key);
            let nearest = known.max_by(|a, b| near(a).total_cmp(&near(b))).unwrap_or_default();
            bail!(
                "{}: the key `{setting}` is unknown: did you mean `{nearest}`? ({})",
                layer.place(path),
                T::ALL
            );
        }
        if item.is_table() {
            return Err(layer.no_section(path));
        }
        let value = item.to_string().trim().replace('\n', " ");
        bail!("{}: the setting `{setting} = {value}` is not valid: {message}", layer.place(path))
    }

    /// The settings so far, whether they are of use or not.
    ///
    /// # Errors
    /// If one is missing.
    pub fn settings(&self) -> Result<T, toml_edit::de::Error> {
        toml_edit::de::from_document(self.document.clone())
    }

    /// All layers as TOML, comments included.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// The finished settings.
    ///
    /// # Errors
    /// As [`Settings::check`].
    pub fn finish(&self) -> Result<T> {
        let settings = self.settings()?;
        settings.check()?;
        Ok(settings)
    }
}

/// A layer on its way in.
#[derive(Clone, Copy)]
struct Layer<'a> {
    name: &'a str,
    text: &'a str,
}

impl Layer<'_> {
    fn no_section(self, path: &[&str]) -> anyhow::Error {
        anyhow!(
            "{}: `{}` is written as a section, but it is a value",
            self.place(path),
            path.join(".")
        )
    }

    /// Where a key stands.
    fn place(self, path: &[&str]) -> String {
        let start = || {
            let document = Document::parse(self.text).ok()?;
            let (key, sections) = path.split_last()?;
            let section = sections.iter().try_fold(document.as_item(), |item, key| item.get(key));
            Some(section?.as_table()?.key(key)?.span()?.start)
        };
        self.line(start().unwrap_or(0))
    }

    /// The layer's name, and the line of a byte if there are several.
    fn line(self, byte: usize) -> String {
        let ends = |text: &str| text.matches('\n').count();
        match ends(self.text) {
            0 => self.name.to_owned(),
            _ => format!("{}, line {}", self.name, 1 + ends(&self.text[..byte])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Oven {
        degrees: u32,
        fan: Fan,
        note: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fan {
        speed: u32,
        left: bool,
    }

    impl Settings for Oven {
        const DEFAULTS: &'static str =
            "# In Celsius.\ndegrees = 180\n\n[fan]\nspeed = 1 # of 3\n# Turns left.\nleft = true\n";
        const ALL: &'static str = "the manual has all";

        fn check(&self) -> Result<()> {
            anyhow::ensure!(self.degrees < 300, "degrees is {}: use less than 300", self.degrees);
            Ok(())
        }
    }

    fn layers(all: &[(&str, &str)]) -> Result<Layers<Oven>> {
        let mut layers = Layers::default();
        all.iter().try_for_each(|(text, name)| layers.add(text, name))?;
        Ok(layers)
    }

    #[test]
    fn the_last_layer_wins_and_comments_stay() {
        let all = [
            ("degrees = 200\n[fan]\nspeed = 2 # mine\n", "the preset cake"),
            ("note = \"new\"\n[fan]\nleft = false", "--file a.toml"),
            ("fan.speed = 3", "--speed"),
        ];
        let layers = layers(&all).unwrap();
        let fan = Fan { speed: 3, left: false };
        let expected = Oven { degrees: 200, fan, note: Some("new".into()) };
        assert_eq!(layers.finish().unwrap(), expected);
        assert_eq!(
            layers.text(),
            "# In Celsius.\ndegrees = 200\nnote = \"new\"\n\n[fan]\nspeed = 3\n# Turns left.\n\
             left = false\n"
        );
        assert_eq!(Layers::<Oven>::default().text(), Oven::DEFAULTS);
    }

    /// Each is one sentence that begins with the layer, and with the line if there are several.
    #[test]
    fn what_is_wrong_is_said_with_the_layer() {
        let cases = [
            (
                "[fan]\nsped = 2",
                "a file, line 2: the key `fan.sped` is unknown: did you mean `speed`? (the manual \
                 has all)",
            ),
            (
                "\n[fans]\nspeed = 2",
                "a file, line 2: the key `fans` is unknown: did you mean `fan`? (the manual has \
                 all)",
            ),
            (
                "degrees = \"hot\"",
                "a file: the setting `degrees = \"hot\"` is not valid: invalid type: string \
                 \"hot\", expected u32",
            ),
            (
                "note = [\n1]",
                "a file, line 1: the setting `note = [ 1]` is not valid: invalid type: sequence, \
                 expected a string",
            ),
            ("fan = 3", "a file: `fan` is set to a value, but it is a section"),
            (
                "[degrees]\nmany = 2",
                "a file, line 1: `degrees` is written as a section, but it is a value",
            ),
            (
                "[note]\nlong = 2",
                "a file, line 1: `note` is written as a section, but it is a value",
            ),
        ];
        for (text, says) in cases {
            let all = [("degrees = 200", "the preset cake"), (text, "a file")];
            assert_eq!(format!("{:#}", layers(&all).unwrap_err()), says);
        }
        let broken = layers(&[("degrees = 1\nfan =\n", "a file")]).unwrap_err().to_string();
        assert!(broken.starts_with("a file, line 2: ") && !broken.contains('\n'), "{broken}");
        let hot = layers(&[("degrees = 300", "--degrees")]).unwrap().finish().unwrap_err();
        assert_eq!(hot.to_string(), "degrees is 300: use less than 300");
        let none = Layers::<Oven>::default().add_file("--file", "none.toml".as_ref()).unwrap_err();
        assert!(format!("{none:#}").starts_with("--file none.toml cannot be read: "), "{none:#}");
    }
}
