//! Checkpoints: everything that the next step depends on, in one file that is there whole or not at all.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use burn::module::AutodiffModule;
use burn::optim::Optimizer;
use burn::record::{BinBytesRecorder, FullPrecisionSettings, Recorder};
use burn::tensor::backend::AutodiffBackend;
use sha2::{Digest, Sha256};

/// Checkpoints that are kept: the newest, and the one before it in case the disk damaged the newest.
const KEPT: usize = 2;
const MAGIC: &[u8; 8] = b"fscheck2";

/// Weights, their moving average, and the optimizer's state after `step` steps.
pub(super) struct Checkpoint<M, O> {
    /// Steps done.
    pub step: usize,
    /// Weights.
    pub weights: M,
    /// Moving average.
    pub average: M,
    /// Optimizer.
    pub optimizer: O,
    /// Where the best are kept.
    pub best: Option<Best<M>>,
}

/// The averaged weights of least validation loss so far.
#[derive(Clone)]
pub(super) struct Best<M> {
    pub step: usize,
    pub loss: f64,
    pub weights: M,
}

type Bytes = BinBytesRecorder<FullPrecisionSettings>;

impl<M, O> Checkpoint<M, O> {
    /// Writes it into a run folder and removes old ones.
    ///
    /// # Errors
    /// If the disk is full; older checkpoints are still there then.
    pub(super) fn save<B>(self, folder: &Path) -> Result<()>
    where
        B: AutodiffBackend,
        M: AutodiffModule<B>,
        O: Optimizer<M, B>,
    {
        let record = |error| anyhow::anyhow!("a checkpoint cannot be encoded: {error}");
        let (best_step, best_loss) =
            self.best.as_ref().map_or((0, f64::NAN), |best| (best.step, best.loss));
        let best = self.best.map_or(Ok(Vec::new()), |best| {
            Recorder::<B>::record(&Bytes::default(), best.weights.into_record(), ())
        });
        let parts = [
            Recorder::<B>::record(&Bytes::default(), self.weights.into_record(), ())
                .map_err(record)?,
            Recorder::<B>::record(&Bytes::default(), self.average.into_record(), ())
                .map_err(record)?,
            Recorder::<B>::record(&Bytes::default(), self.optimizer.to_record(), ())
                .map_err(record)?,
            best.map_err(record)?,
        ];
        let mut bytes = MAGIC.to_vec();
        for number in [self.step as u64, best_step as u64, best_loss.to_bits()] {
            bytes.extend(number.to_le_bytes());
        }
        for part in &parts {
            bytes.extend((part.len() as u64).to_le_bytes());
            bytes.extend(part);
        }
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        finescale_host::write::atomically(
            &folder.join(format!("checkpoint-{:09}", self.step)),
            &bytes,
        )?;
        let mut old = list(folder)?;
        old.truncate(old.len().saturating_sub(KEPT));
        for path in old {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }

    /// Reads the newest whole checkpoint of a run folder into modules of the same shape; `None` if there is none.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub(super) fn load<B>(
        folder: &Path,
        weights: M,
        optimizer: O,
        device: &B::Device,
    ) -> Result<Option<Self>>
    where
        B: AutodiffBackend,
        M: AutodiffModule<B>,
        O: Optimizer<M, B>,
    {
        for path in list(folder)?.into_iter().rev() {
            let bytes = std::fs::read(&path)
                .with_context(|| format!("{} cannot be read", path.display()))?;
            let Ok(([step, best_step, best_loss], [w, a, o, best])) = parse(&bytes) else {
                eprintln!("warning: {} is damaged and left out", path.display());
                continue;
            };
            let wrong =
                |error| anyhow::anyhow!("{} belongs to another network: {error}", path.display());
            let recorder = Bytes::default();
            let average = weights.clone();
            let best = if best.is_empty() {
                None
            } else {
                let record = Recorder::<B>::load(&recorder, best, device).map_err(wrong)?;
                let (step, loss) = (best_step as usize, f64::from_bits(best_loss));
                Some(Best { step, loss, weights: weights.clone().load_record(record) })
            };
            return Ok(Some(Self {
                step: step as usize,
                best,
                weights: weights
                    .load_record(Recorder::<B>::load(&recorder, w, device).map_err(wrong)?),
                average: average
                    .load_record(Recorder::<B>::load(&recorder, a, device).map_err(wrong)?),
                optimizer: optimizer
                    .load_record(Recorder::<B>::load(&recorder, o, device).map_err(wrong)?),
            }));
        }
        Ok(None)
    }
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

/// The three numbers and the four records.
fn parse(bytes: &[u8]) -> Result<([u64; 3], [Vec<u8>; 4])> {
    let (body, digest) = bytes.split_last_chunk::<32>().context("too short")?;
    ensure!(Sha256::digest(body)[..] == digest[..], "the digest is wrong");
    let mut rest = body.strip_prefix(MAGIC).context("another format")?;
    let mut number = || -> Result<u64> {
        let (number, after) = rest.split_first_chunk::<8>().context("too short")?;
        rest = after;
        Ok(u64::from_le_bytes(*number))
    };
    let numbers = [number()?, number()?, number()?];
    let mut parts = [const { Vec::new() }; 4];
    for part in &mut parts {
        let (length, after) = rest.split_first_chunk::<8>().context("too short")?;
        let length = u64::from_le_bytes(*length) as usize;
        let (bytes, after) = after.split_at_checked(length).context("too short")?;
        *part = bytes.to_vec();
        rest = after;
    }
    Ok((numbers, parts))
}
