//! Checkpoints: everything that the next step depends on, in one file that is there whole or not at
//! all.
//!
//! The file is a safetensors file. Each tensor holds the bytes of one of Burn's own records, whose
//! identities of weights tie the optimiser's moments to them. The header has the numbers, and a
//! digest of everything else.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::module::AutodiffModule;
use burn::optim::Optimizer;
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Record, Recorder};
use finescale_host::digest::hex;
use finescale_host::write::atomically;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Trainable;
use super::learner::{Learner, Moments};

/// Checkpoints that are kept: the newest, and the one before it in case the disk damaged the
/// newest.
const KEPT: usize = 2;
/// Where the header has [`Header`].
const KEY: &str = "finescale";
/// How files of earlier versions begin.
const EARLIER: &[u8] = b"fscheck";

/// Where a training stands.
pub(crate) struct Checkpoint<A: Trainable, M: AutodiffModule<A>> {
    /// The stage that is trained.
    pub(crate) stage: usize,
    /// Steps of this stage that are done.
    pub(crate) step: usize,
    /// Weights, their average and the optimiser.
    pub(crate) learner: Learner<A, M>,
    /// Where the best weights of this stage are kept.
    pub(crate) best: Option<Best<M>>,
    /// What the stages before have left.
    pub(crate) earlier: Vec<Kept<M>>,
}

/// The averaged weights of least validation loss so far.
#[derive(Clone)]
pub(crate) struct Best<M> {
    pub(crate) step: usize,
    pub(crate) loss: f64,
    pub(crate) weights: M,
}

/// What a stage leaves: a network, and the steps that it was trained for.
#[derive(Clone)]
pub struct Kept<M> {
    /// The network.
    pub network: M,
    /// Its steps.
    pub steps: usize,
}

/// The numbers of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Header {
    stage: usize,
    step: usize,
    /// Step and loss, by its bits, of the best weights.
    best: Option<(usize, u64)>,
    /// Steps of each earlier stage.
    earlier: Vec<usize>,
    /// SHA-256 of the records, after one another in the order of their names.
    digest: String,
}

type Bytes = BinBytesRecorder<FullPrecisionSettings>;

impl<A: Trainable, M: AutodiffModule<A>> Checkpoint<A, M> {
    /// Writes it into a run folder and removes old ones.
    ///
    /// # Errors
    /// If the disk is full; older checkpoints are still there then.
    pub(crate) fn save(self, folder: &Path) -> Result<()> {
        let Learner { weights, average, optimizer } = self.learner;
        let mut header = Header {
            stage: self.stage,
            step: self.step,
            best: self.best.as_ref().map(|best| (best.step, best.loss.to_bits())),
            earlier: self.earlier.iter().map(|kept| kept.steps).collect(),
            digest: String::new(),
        };
        let mut records = vec![
            ("average".to_owned(), record::<A, _>(average.into_record())?),
            ("optimizer".to_owned(), record::<A, _>(optimizer.to_record())?),
            ("weights".to_owned(), record::<A, _>(weights.into_record())?),
        ];
        if let Some(best) = self.best {
            records.push(("best".into(), record::<A, _>(best.weights.into_record())?));
        }
        for (stage, kept) in self.earlier.into_iter().enumerate() {
            let record = record::<A, _>(kept.network.into_record())?;
            records.push((format!("earlier.{stage}"), record));
        }
        header.digest = digest(records.iter().map(|(name, bytes)| (&**name, &**bytes)).collect());
        let views = records
            .iter()
            .map(|(name, bytes)| Ok((name, TensorView::new(Dtype::U8, vec![bytes.len()], bytes)?)))
            .collect::<Result<Vec<_>>>()?;
        let text = HashMap::from([(KEY.to_owned(), serde_json::to_string(&header)?)]);
        let bytes = safetensors::serialize(views, Some(text))?;
        atomically(&folder.join(name(self.stage, self.step)), &bytes)?;
        let mut old = list(folder)?;
        old.truncate(old.len().saturating_sub(KEPT));
        for path in old {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    /// Reads the newest whole checkpoint of a run folder; `None` if there is none. `fresh` makes a
    /// stage's network, whose weights are replaced.
    ///
    /// # Errors
    /// If the folder cannot be read, or an earlier version wrote it.
    pub(crate) fn load(
        folder: &Path,
        fresh: impl Fn(usize) -> M,
        device: &A::Device,
    ) -> Result<Option<Self>> {
        for path in list(folder)?.into_iter().rev() {
            let shown = path.display();
            let bytes = std::fs::read(&path).with_context(|| format!("{shown} cannot be read"))?;
            if bytes.starts_with(EARLIER) {
                bail!("{shown} was written by an earlier version: begin the training anew");
            }
            let Ok((header, records)) = parse(&bytes) else {
                eprintln!("warning: {shown} is damaged and left out");
                continue;
            };
            let wrong = || format!("{shown} belongs to another network");
            return restore(&header, &records, fresh, device).with_context(wrong).map(Some);
        }
        Ok(None)
    }
}

impl<A: Trainable, M: AutodiffModule<A>> Checkpoint<A, M> {
    /// What the first stage has left, or leaves when it has so many steps; none before that.
    pub(crate) fn first(self, steps: usize) -> Option<M> {
        if let Some(kept) = self.earlier.into_iter().next() {
            return Some(kept.network);
        }
        let ended = self.stage == 0 && self.step == steps;
        ended.then(|| self.best.map_or(self.learner.average, |best| best.weights))
    }
}

fn record<A: Trainable, R: Record<A>>(record: R) -> Result<Vec<u8>> {
    let bytes = Recorder::<A>::record(&Bytes::default(), record, ());
    bytes.map_err(|error| anyhow!("a checkpoint cannot be encoded: {error}"))
}

fn restore<A: Trainable, M: AutodiffModule<A>>(
    header: &Header,
    records: &HashMap<String, Vec<u8>>,
    fresh: impl Fn(usize) -> M,
    device: &A::Device,
) -> Result<Checkpoint<A, M>> {
    let of =
        |name: &str| records.get(name).cloned().with_context(|| format!("`{name}` is missing"));
    let module = |name: &str, stage: usize| -> Result<M> {
        let record = Recorder::<A>::load(&Bytes::default(), of(name)?, device)?;
        Ok(fresh(stage).load_record(record))
    };
    let optimizer: Moments<A, M> = Learner::new(fresh(header.stage)).optimizer;
    let moments = Recorder::<A>::load(&Bytes::default(), of("optimizer")?, device)?;
    let best = header.best.map(|(step, loss)| -> Result<_> {
        Ok(Best { step, loss: f64::from_bits(loss), weights: module("best", header.stage)? })
    });
    let earlier = header.earlier.iter().enumerate().map(|(stage, &steps)| -> Result<_> {
        Ok(Kept { network: module(&format!("earlier.{stage}"), stage)?, steps })
    });
    Ok(Checkpoint {
        stage: header.stage,
        step: header.step,
        learner: Learner {
            weights: module("weights", header.stage)?,
            average: module("average", header.stage)?,
            optimizer: optimizer.load_record(moments),
        },
        best: best.transpose()?,
        earlier: earlier.collect::<Result<_>>()?,
    })
}

/// A file's name: in the order of the names, later ones come last.
fn name(stage: usize, step: usize) -> String {
    format!("checkpoint-{stage}-{step:09}.safetensors")
}

/// Checkpoints of a folder, oldest first.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?
    {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with("checkpoint-")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The numbers and the records of a whole file.
fn parse(bytes: &[u8]) -> Result<(Header, HashMap<String, Vec<u8>>)> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let header = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let header: Header = serde_json::from_str(header.context("another format")?)?;
    let tensors = SafeTensors::deserialize(bytes)?;
    let records: Vec<_> = tensors.iter().map(|(name, view)| (name, view.data().to_vec())).collect();
    let found = digest(records.iter().map(|(name, bytes)| (*name, &**bytes)).collect());
    ensure!(found == header.digest, "the digest is wrong");
    let records = records.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    Ok((header, records))
}

/// SHA-256 of records in the order of their names.
fn digest(mut records: Vec<(&str, &[u8])>) -> String {
    records.sort_unstable();
    let mut sum = Sha256::new();
    for (name, bytes) in records {
        sum.update(name);
        sum.update((bytes.len() as u64).to_le_bytes());
        sum.update(bytes);
    }
    hex(&sum.finalize())
}
