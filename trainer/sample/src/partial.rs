//! Finished paths of a run that is not: kept beside the output, so that an interrupted run goes on
//! where it was.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
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
const VALUES: &str = "values";
const SECONDS: &str = "seconds";
const CALLS: &str = "calls";

impl Drawn {
    /// A safetensors file, whose header says how long it must be: half of one is seen to be.
    fn bytes(&self) -> Result<Vec<u8>> {
        let values: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let (seconds, calls) = (self.seconds.to_le_bytes(), self.calls.to_le_bytes());
        let arrays = [
            (VALUES, TensorView::new(Dtype::F32, vec![self.values.len()], &values)?),
            (SECONDS, TensorView::new(Dtype::F64, vec![], &seconds)?),
            (CALLS, TensorView::new(Dtype::U64, vec![], &calls)?),
        ];
        Ok(safetensors::serialize(arrays, None)?)
    }

    /// None where the bytes are no such file, or one of another number of values.
    fn read(bytes: &[u8], len: usize) -> Option<Self> {
        let file = SafeTensors::deserialize(bytes).ok()?;
        let array = |name: &str, dtype: Dtype, shape: &[usize]| {
            let array = file.tensor(name).ok()?;
            (array.dtype() == dtype && array.shape() == shape).then(|| array.data())
        };
        let values = array(VALUES, Dtype::F32, &[len])?.as_chunks().0;
        let seconds = array(SECONDS, Dtype::F64, &[])?.try_into().ok()?;
        let calls = array(CALLS, Dtype::U64, &[])?.try_into().ok()?;
        Some(Self {
            values: values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            seconds: f64::from_le_bytes(seconds),
            calls: u64::from_le_bytes(calls),
        })
    }
}

impl Partial {
    /// For an output, and everything that its bits depend on. With `resume` the folder must be of
    /// the same; without it there must be none, but `force` takes it away.
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
        self.folder.join(format!("{trajectory:06}-{member:06}.safetensors"))
    }

    /// A path that was finished before, of `len` values. Where its file is not whole there is
    /// none, so that it is drawn again.
    pub(super) fn load(&self, trajectory: usize, member: u32, len: usize) -> Result<Option<Drawn>> {
        let path = self.place(trajectory, member);
        if !path.is_file() {
            return Ok(None);
        }
        let shown = path.display();
        let bytes = fs::read(&path).with_context(|| format!("{shown} cannot be read"))?;
        let drawn = Drawn::read(&bytes, len);
        if drawn.is_none() {
            eprintln!("note: {shown} is not whole: its path is drawn again");
        }
        Ok(drawn)
    }

    /// Keeps a finished path.
    pub(super) fn store(&self, trajectory: usize, member: u32, path: &Drawn) -> Result<()> {
        let shown = self.folder.display();
        fs::create_dir_all(&self.folder).with_context(|| format!("{shown} cannot be made"))?;
        let settings = self.folder.join(SETTINGS);
        if !settings.is_file() {
            write::atomically(&settings, self.settings.as_bytes())?;
        }
        write::atomically(&self.place(trajectory, member), &path.bytes()?)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that a text would round, and bits of NaN that arithmetic would change.
    fn drawn() -> Drawn {
        let nan = f32::from_bits(0x7fc0_1234);
        Drawn { values: vec![0.1, -0.0, f32::MIN_POSITIVE / 3.0, nan], seconds: 0.1, calls: 7 }
    }

    #[test]
    fn a_path_is_read_to_the_bit() {
        let (kept, read) = (drawn(), Drawn::read(&drawn().bytes().unwrap(), 4).unwrap());
        let bits = |path: &Drawn| path.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read), bits(&kept));
        assert_eq!((read.seconds, read.calls), (kept.seconds, kept.calls));
    }

    /// If it failed, a resumed run would be of something else, or end in a panic.
    #[test]
    fn what_is_not_whole_is_no_path() {
        let bytes = drawn().bytes().unwrap();
        for length in 0..bytes.len() {
            assert_eq!(Drawn::read(&bytes[..length], 4), None, "{length} bytes");
        }
        assert_eq!(Drawn::read(&[&bytes[..], &[0]].concat(), 4), None);
        assert_eq!(Drawn::read(&vec![0; bytes.len()], 4), None);
        assert_eq!(Drawn::read(&bytes, 5), None);
        let other = TensorView::new(Dtype::F64, vec![], &[0; 8]).unwrap();
        let other = safetensors::serialize([(SECONDS, other)], None).unwrap();
        assert_eq!(Drawn::read(&other, 4), None);
    }
}
