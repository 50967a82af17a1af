//! Files of nothing but numbers, as sensors log them: f32 in little-endian order, frame after
//! frame.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::memory::gather;
use super::{Dimension, Source, Variable};
use crate::dataset::Attributes;

/// Bytes of a value.
const BYTES: usize = 4;

pub(super) struct Raw {
    path: PathBuf,
    variables: Vec<Variable>,
}

impl Raw {
    /// `points` of a frame, rows before columns, or of a line.
    pub(super) fn open(path: &Path, points: &[usize]) -> Result<Self> {
        let frame = points.iter().product::<usize>() * BYTES;
        let bytes = path.metadata()?.len();
        ensure!(
            (1..=2).contains(&points.len()) && frame > 0,
            "--raw names no frame: write rows x columns, as in --raw 24x32, or the points of a line"
        );
        ensure!(
            bytes > 0 && bytes.is_multiple_of(frame as u64),
            "its {bytes} bytes are no whole number of frames of --raw, which have {frame} each: \
             give the points that a frame has"
        );
        let names = ["y", "x"].into_iter().skip(2 - points.len());
        let sizes = [("time", (bytes / frame as u64) as usize)].into_iter();
        let dimensions = sizes
            .chain(names.zip(points.iter().copied()))
            .map(|(name, size)| Dimension { name: name.into(), size })
            .collect();
        let variable = Variable {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            dimensions,
            attributes: Attributes::new(),
            numeric: true,
            single: true,
            bytes: 0,
        };
        Ok(Self { path: path.to_owned(), variables: vec![variable] })
    }
}

impl Source for Raw {
    fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn read(&self, variable: &Variable, ranges: &[Range<usize>]) -> Result<Vec<f64>> {
        let sizes: Vec<usize> = variable.dimensions.iter().map(|d| d.size).collect();
        let mut file = File::open(&self.path)?;
        let mut bytes = Vec::new();
        gather(&sizes, ranges, |start, len, out| {
            bytes.resize(len * BYTES, 0);
            file.seek(SeekFrom::Start((start * BYTES) as u64))?;
            file.read_exact(&mut bytes)?;
            let (values, _) = bytes.as_chunks::<BYTES>();
            out.extend(values.iter().map(|&value| f64::from(f32::from_le_bytes(value))));
            Ok::<_, anyhow::Error>(())
        })
        .with_context(|| format!("{} cannot be read: it ends early", self.path.display()))
    }
}
