//! `finescale model c`: a board's file as C source, and what its tasks need as macros.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use finescale::downscaler::{MeanStream, Stream};
use finescale::model::{Footprint, MEAN_MAGIC, MeanFootprint, MeanModel, checksum};
use finescale::{Downscaler, Grid, Instrument, MeanDownscaler, Values};
use finescale_host::write::atomically;

use super::predictor::parsed;
use super::read;

/// Bytes in a line of the array.
const LINE: usize = 16;

/// What to write.
#[derive(Debug, Args)]
pub(super) struct CArgs {
    /// The file
    file: PathBuf,
    /// What the coarse values are, and by which factor they are fewer along every axis:
    /// block-mean:4, say, or modes:4; a conditional mean has its own
    #[arg(long)]
    sensor: Option<String>,
    /// Most points of the sensor that are dead
    #[arg(long, value_name = "N", default_value_t = 0)]
    dead: usize,
    /// Most frames of a path that is drawn at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    frames: usize,
    /// Most members; 0 is the mean alone, of a conditional mean
    #[arg(long, value_name = "N", default_value_t = 1)]
    members: u32,
    /// Frames that a stream's fine frame is behind; a conditional mean has its own lag
    #[arg(long, value_name = "N", default_value_t = 1)]
    lag: usize,
    /// The header to write, NAME.h; the array goes to NAME.c beside it
    #[arg(long, short, value_name = "NAME.h")]
    out: PathBuf,
}

impl CArgs {
    pub(super) fn run(self) -> Result<()> {
        let name = self.out.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        ensure!(
            letters && !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty(),
            "--out {} gives no name in C: use letters, digits and _ before .h",
            self.out.display()
        );
        ensure!(
            self.out.extension().is_some_and(|suffix| suffix == "h"),
            "--out {} is no header: end its name with .h",
            self.out.display()
        );
        let aligned = read(&self.file)?;
        let bytes = aligned.bytes();
        let dead: Vec<bool>;
        let mut macros = Macros { name: name.to_uppercase(), text: String::new() };
        if bytes.starts_with(&MEAN_MAGIC) {
            ensure!(
                self.sensor.is_none(),
                "{} is a conditional mean, which has its own sensor: leave --sensor out",
                self.file.display()
            );
            let model = MeanModel::parse(bytes).context(self.file.display().to_string())?;
            let points = model.coarse_points();
            dead = self.dead(points)?;
            let instrument = Instrument::new(points, model.sensor()).with_dead(&dead);
            let footprint = MeanFootprint::of(bytes);
            macros.sensor(&instrument, model.channels(), model.grid());
            macros.add("LAG", model.after());
            let (frames, members) = (self.frames, self.members);
            let memory = MeanDownscaler::memory_len(&footprint, &instrument, frames, members);
            macros.memory(memory, frames, members);
            macros.add("STREAM_MEMORY", MeanStream::memory_len(&footprint, &instrument));
        } else {
            let model = parsed(&aligned, &self.file)?;
            let sensor = self.sensor.as_deref().context(
                "--sensor is missing: say what gives the coarse values, such as block-mean:4",
            )?;
            let (points, values) = instrument(sensor, model.grid())?;
            dead = self.dead(points)?;
            ensure!(self.members > 0, "--members is 0: a predictor draws at least 1");
            let instrument = Instrument::new(points, values).with_dead(&dead);
            let footprint = Footprint::of(bytes);
            macros.sensor(&instrument, model.channels(), model.grid());
            macros.add("LAG", self.lag);
            let (frames, members) = (self.frames, self.members);
            let memory = Downscaler::memory_len(&footprint, &instrument, frames, members);
            macros.memory(memory, frames, members);
            macros.add("STREAM_MEMORY", Stream::memory_len(&footprint, &instrument, self.lag));
        }
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        let head = format!(
            "/* {file}, checksum {:08x}. Made by `finescale model c`. */\n",
            checksum(&bytes[20..])
        );
        atomically(&self.out, header(name, &head, bytes.len(), &macros.text).as_bytes())?;
        let array = self.out.with_extension("c");
        atomically(&array, source(name, &head, bytes).as_bytes())?;
        println!("{} and {}: {} bytes", self.out.display(), array.display(), bytes.len());
        Ok(())
    }

    /// As many dead points as there may be; which of them does not matter.
    fn dead(&self, [rows, columns]: [usize; 2]) -> Result<Vec<bool>> {
        let points = rows * columns;
        ensure!(
            self.dead < points,
            "--dead is {}: the sensor has {points} points, so give fewer",
            self.dead
        );
        let any = if self.dead == 0 { 0 } else { points };
        Ok((0..any).map(|point| point < self.dead).collect())
    }
}

/// Points and values of `block-mean:4`.
fn instrument(sensor: &str, fine: &Grid) -> Result<([usize; 2], Values)> {
    let parts = sensor.split_once(':').and_then(|(kind, ratio)| {
        let values = match kind {
            "block-mean" => Values::BlockMeans,
            "modes" => Values::Points,
            _ => return None,
        };
        Some((values, ratio.parse::<usize>().ok().filter(|ratio| *ratio > 0)?))
    });
    let (values, ratio) = parts
        .with_context(|| format!("--sensor is {sensor}: give block-mean:4, say, or modes:4"))?;
    let rows = if fine.is_line() { ratio } else { fine.ny() };
    ensure!(
        rows.is_multiple_of(ratio) && fine.nx().is_multiple_of(ratio),
        "--sensor is {sensor}, whose factor does not divide the model's points along an axis: give \
         another"
    );
    Ok(([rows / ratio, fine.nx() / ratio], values))
}

/// Macros with a common beginning.
struct Macros {
    name: String,
    text: String,
}

impl Macros {
    fn add(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "#define {}_{name} {value}", self.name);
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n/* {text} */");
    }

    fn sensor(&mut self, instrument: &Instrument<'_>, channels: usize, fine: &Grid) {
        let ([rows, columns], dead) = (instrument.points, instrument.dead_points());
        self.comment(&match dead {
            0 => "The sensor.".into(),
            dead => format!("The sensor, of whose points at most {dead} may be dead."),
        });
        self.add("ROWS", rows);
        self.add("COLUMNS", columns);
        let values = match instrument.values {
            Values::Points => "FINESCALE_VALUES_POINTS",
            Values::BlockMeans => "FINESCALE_VALUES_BLOCK_MEANS",
        };
        self.add("VALUES", values);
        self.comment("Values of a coarse frame and of a fine one.");
        self.add("COARSE_LENGTH", channels * rows * columns);
        self.add("FINE_LENGTH", channels * fine.points());
        self.comment("A stream's fine frame is so many frames behind the coarse one.");
    }

    fn memory(&mut self, values: usize, frames: usize, members: u32) {
        self.comment(&format!(
            "Floats of memory: for a path of up to {frames} frames with up to {members} members, \
             and for a stream."
        ));
        self.add("MEMORY", values);
    }
}

fn header(name: &str, head: &str, len: usize, macros: &str) -> String {
    let upper = name.to_uppercase();
    format!(
        "{head}#ifndef {upper}_H\n#define {upper}_H\n\n#include \"finescale.h\"\n\n\
         #define {upper}_LENGTH {len}\n{macros}\n#ifdef __cplusplus\nextern \"C\" {{\n#endif\n\
         /* The file, at a multiple of FINESCALE_MODEL_ALIGNMENT. */\n\
         extern const uint8_t {name}[{upper}_LENGTH];\n#ifdef __cplusplus\n}}\n#endif\n\n#endif\n"
    )
}

fn source(name: &str, head: &str, bytes: &[u8]) -> String {
    let mut text = format!(
        "{head}#include \"{name}.h\"\n\n_Alignas(FINESCALE_MODEL_ALIGNMENT) const uint8_t \
         {name}[{}_LENGTH] = {{\n",
        name.to_uppercase()
    );
    for line in bytes.chunks(LINE) {
        let bytes: Vec<String> = line.iter().map(|byte| format!("0x{byte:02x},")).collect();
        let _ = writeln!(text, "    {}", bytes.join(" "));
    }
    text + "};\n"
}
