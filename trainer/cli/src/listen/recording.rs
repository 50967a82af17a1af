//! A recording that grows frame by frame: NetCDF classic with 64-bit offsets, as results are, whose
//! time has no bound. After every frame the file is whole, so that nothing is kept in memory.

mod variables;

use std::cell::RefCell;
use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use finescale_chain::{PIXELS, POINTS};
use finescale_data::dataset::Manifest;
use finescale_host::write::Growing;
use netcdf3::{DataSet, FileWriter, Version};
use serde_json::json;

use super::line::Received;
use variables::VARIABLES;

/// Where the header has the number of frames.
const COUNT: SeekFrom = SeekFrom::Start(4);
/// The most of them that readers take.
const MOST: u32 = i32::MAX as u32;
/// Pause between two times that the disk is told to keep what it has.
const PAUSE: Duration = Duration::from_secs(10);

/// Refuses an output before hours of listening.
///
/// # Errors
/// One sentence that names `--out`.
pub(crate) fn check(path: &Path, force: bool) -> Result<()> {
    ensure!(
        path.extension().is_some_and(|suffix| suffix == "nc"),
        "--out {} has no known suffix: end it in .nc",
        path.display()
    );
    finescale_ensemble::check_output(path, force)
}

/// A file under construction.
#[derive(Debug)]
pub(crate) struct Recording {
    file: Growing,
    /// Bytes before the first frame.
    header: u64,
    frames: u32,
    bytes: Vec<u8>,
    kept: Instant,
}

impl Recording {
    /// An empty one of a source.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub(crate) fn new(path: &Path, source: &str) -> Result<Self> {
        let header = header(source)?;
        let mut file = Growing::new(path)?;
        file.file().write_all(&header)?;
        let header = header.len() as u64;
        Ok(Self { file, header, frames: 0, bytes: Vec::new(), kept: Instant::now() })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// If the disk is full, or the file is.
    pub(crate) fn push(&mut self, received: &Received) -> Result<()> {
        self.write(received).with_context(|| {
            format!("{} takes no more frames than {}", self.file.place().display(), self.frames)
        })
    }

    fn write(&mut self, received: &Received) -> Result<()> {
        ensure!(self.frames < MOST, "NetCDF cannot count more: begin another --out");
        self.bytes.clear();
        VARIABLES.iter().for_each(|variable| variable.write(received, &mut self.bytes));
        let end = self.end();
        let file = self.file.file();
        file.seek(SeekFrom::Start(end))?;
        file.write_all(&self.bytes)?;
        // The frame first, and then that it is there.
        file.seek(COUNT)?;
        file.write_all(&(self.frames + 1).to_be_bytes())?;
        self.frames += 1;
        if self.kept.elapsed() > PAUSE {
            file.sync_data()?;
            self.kept = Instant::now();
        }
        Ok(())
    }

    /// Where the next frame begins.
    fn end(&self) -> u64 {
        self.header + u64::from(self.frames) * self.bytes.len() as u64
    }

    /// Gives the file its name; takes it away if it has no frame.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(crate) fn finish(mut self) -> Result<()> {
        if self.frames == 0 {
            return Ok(());
        }
        // Without a frame that found no room.
        let end = self.end();
        self.file.file().set_len(end)?;
        self.file.publish()
    }
}

/// Everything before the first frame.
fn header(source: &str) -> Result<Vec<u8>> {
    let set = definition(source).map_err(|error| anyhow!("NetCDF refuses the header: {error}"))?;
    let memory = Memory::default();
    let write = || {
        let mut writer = FileWriter::open_seek_write("", Box::new(memory.clone()))?;
        writer.set_def(&set, Version::Offset64Bit, 0)?;
        for (name, points, down) in AXES {
            let mut centres: Vec<f64> = (0..points).map(|n| centre(n, points)).collect();
            if down {
                centres.reverse();
            }
            writer.write_var_f64(name, &centres)?;
        }
        Ok(())
    };
    write().map_err(|error: netcdf3::error::WriteError| anyhow!("NetCDF refuses: {error:?}"))?;
    let mut header = memory.0.take().into_inner();
    // Behind an attribute of one short integer the library leaves its own fill value, -32767, where
    // the format has zeros; strict readers, its own among them, refuse that.
    let short = [[0, 0, 0, 3], [0, 0, 0, 1], [0x80, 0, 0x80, 1]].concat();
    let places = 0..header.len().saturating_sub(short.len());
    for place in places.map(|start| start..start + short.len()) {
        if header[place.clone()] == short {
            header[place.end - 2..place.end].fill(0);
        }
    }
    Ok(header)
}

/// Axes with their points, and whether they descend: the first row is the uppermost.
const AXES: [(&str, usize, bool); 4] = [
    ("y_coarse", PIXELS, true),
    ("x_coarse", PIXELS, false),
    ("y", POINTS, true),
    ("x", POINTS, false),
];

/// The centre of a point, in pixels of the array.
fn centre(n: usize, points: usize) -> f64 {
    (n as f64 + 0.5) * PIXELS as f64 / points as f64
}

fn definition(source: &str) -> Result<DataSet, netcdf3::error::InvalidDataSet> {
    let mut set = DataSet::new();
    set.set_unlimited_dim("time", 0)?;
    for (name, points, down) in AXES {
        set.add_fixed_dim(name, points)?;
        set.add_var_f64(name, &[name])?;
        let from = if down { "last row" } else { "first column" };
        let about = format!("pixels of the array from the outer edge of its {from}");
        set.add_var_attr_string(name, "long_name", about)?;
        set.add_var_attr_string(name, "units", "1")?;
        set.add_var_attr_string(name, "axis", if down { "Y" } else { "X" })?;
    }
    for variable in VARIABLES {
        variable.define(&mut set)?;
    }
    let Manifest { command, version, created, .. } = Manifest::new(json!({}));
    for (name, value) in [
        ("Conventions", "CF-1.11"),
        ("title", "Frames of a thermal array, and fine frames made of them by a board"),
        ("source", source),
        ("finescale_version", &version),
        ("date_created", &created),
        ("history", &format!("{created}: {command}")),
    ] {
        set.add_global_attr_string(name, value)?;
    }
    Ok(set)
}

/// Memory that the writer takes and gives back.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Cursor<Vec<u8>>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}
