//! Finished paths of a run that is not: kept beside the output, so that an interrupted run goes on where it was.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use finescale_host::digest::hex;
use finescale_host::write;

/// The folder `OUT.partial`.
pub(super) struct Partial {
    folder: PathBuf,
    settings: String,
}

/// A path that was drawn, with what it cost.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawn {
    /// `[frame][channel][y][x]`, physical.
    pub(super) values: Vec<f32>,
    pub(super) seconds: f64,
    pub(super) calls: u64,
}

const SETTINGS: &str = "run.json";
const HEADER: usize = 16;

impl Partial {
    /// For an output, and everything that its bits depend on. With `resume` the folder must be of the same; without it there
    /// must be none, but `force` takes it away.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub(super) fn new(out: &Path, identity: &Value, resume: bool, force: bool) -> Result<Self> {
        let mut name = out.file_name().context("--out names no file")?.to_owned();
        name.push(".partial");
        let folder = out.with_file_name(name);
        let text = identity.to_string();
        let settings = format!(
            "{:#}\n",
            serde_json::json!({
                "hash": hex(&Sha256::digest(text.as_bytes())),
                "run": identity,
            })
        );
        let partial = Self { folder, settings };
        let shown = partial.folder.display();
        match (partial.folder.is_dir(), resume) {
            (true, true) => {
                let begun = fs::read_to_string(partial.folder.join(SETTINGS))
                    .with_context(|| format!("{shown} cannot be read"))?;
                ensure!(
                    begun == partial.settings,
                    "{shown} was begun with other settings, another model or other data: repeat the command that began \
                     it, or start anew with --force and without --resume"
                );
            }
            (false, true) => eprintln!("note: there is no {shown}: starting anew"),
            (true, false) if force => fs::remove_dir_all(&partial.folder)
                .with_context(|| format!("{shown} cannot be removed"))?,
            (true, false) => bail!(
                "{shown} holds an unfinished run: go on with --resume, or start anew with --force"
            ),
            (false, false) => {}
        }
        Ok(partial)
    }

    fn place(&self, trajectory: usize, member: u32) -> PathBuf {
        self.folder.join(format!("{trajectory:06}-{member:06}.path"))
    }

    /// A path that was finished before, of `len` values.
    pub(super) fn load(&self, trajectory: usize, member: u32, len: usize) -> Result<Option<Drawn>> {
        let path = self.place(trajectory, member);
        if !path.is_file() {
            return Ok(None);
        }
        let shown = path.display();
        let bytes = fs::read(&path).with_context(|| format!("{shown} cannot be read"))?;
        ensure!(bytes.len() == HEADER + 4 * len, "{shown} is damaged: remove it");
        let (header, values) = bytes.split_at(HEADER);
        let (words, _) = header.as_chunks::<8>();
        let values = values.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        Ok(Some(Drawn {
            values,
            seconds: f64::from_le_bytes(words[0]),
            calls: u64::from_le_bytes(words[1]),
        }))
    }

    /// Keeps a finished path.
    pub(super) fn store(&self, trajectory: usize, member: u32, path: &Drawn) -> Result<()> {
        let shown = self.folder.display();
        fs::create_dir_all(&self.folder).with_context(|| format!("{shown} cannot be made"))?;
        let settings = self.folder.join(SETTINGS);
        if !settings.is_file() {
            write::atomically(&settings, self.settings.as_bytes())?;
        }
        let mut bytes = Vec::with_capacity(HEADER + 4 * path.values.len());
        bytes.extend(path.seconds.to_le_bytes());
        bytes.extend(path.calls.to_le_bytes());
        bytes.extend(path.values.iter().flat_map(|value| value.to_le_bytes()));
        write::atomically(&self.place(trajectory, member), &bytes)
    }

    /// What to say to the one who interrupts.
    pub(super) fn advice(&self) -> Option<String> {
        let shown = self.folder.display();
        self.folder.is_dir().then(|| format!("{shown} keeps what is finished: go on with --resume"))
    }

    /// Takes the folder away, once the output is there.
    pub(super) fn remove(&self) -> Result<()> {
        if self.folder.is_dir() {
            let shown = self.folder.display();
            fs::remove_dir_all(&self.folder)
                .with_context(|| format!("{shown} cannot be removed"))?;
        }
        Ok(())
    }
}
