//! Updates over the air: two slots in flash, the newer whole model is used, and a running stream
//! changes to it between two frames: `cargo run --example slots`.

use core::ops::Range;

use finescale::downscaler::Stream;
use finescale::model::{Aligned, Model};
use finescale::{Downscaler, Error, Instrument, Values};

/// Room for a model in flash.
const SLOT: usize = 96 * 1024;
static OLD: &[u8] =
    include_bytes!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int8.finescale");
static NEW: &[u8] =
    include_bytes!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int16.finescale");
const SENSOR: Instrument<'static> = Instrument::new([1, 16], Values::Points);
const LAG: usize = 1;

type Slot = Aligned<[u8; SLOT]>;

/// What erased flash holds.
const ERASED: Slot = Aligned([0xFF; SLOT]);

fn write(slot: &mut Slot, bytes: &[u8]) {
    *slot = ERASED;
    slot.0[..bytes.len()].copy_from_slice(bytes);
}

/// The model of the preferred slot, or that of the other one where it is not whole: a checksum is
/// wrong after an update that was interrupted.
fn boot<'s>(preferred: &'s Slot, other: &'s Slot) -> Result<Model<'s>, Error> {
    let found = Model::parse_prefix(&preferred.0).or_else(|reason| {
        println!("the newer model is refused: {reason}");
        Model::parse_prefix(&other.0)
    });
    Ok(found?.0)
}

/// Pushes frames into a stream with a model; its memory is free again afterwards. On a board it is
/// a static array, as large as the largest model that may come needs it.
fn run(model: &Model<'_>, memory: &mut Vec<f32>, frames: Range<u8>) -> Result<(), Error> {
    memory.resize(Stream::memory_len(&model.footprint(), &SENSOR, LAG), 0.0);
    let mut stream = Downscaler::new(model, SENSOR, memory)?.stream(LAG)?;
    for frame in frames {
        let phase = |pixel: u8| f32::from(pixel) * std::f32::consts::TAU / 8.0;
        let coarse: Vec<f32> =
            (0..16).map(|pixel| (phase(pixel) + 0.1 * f32::from(frame)).sin()).collect();
        let fine = stream.push(Some(&coarse))?;
        println!("frame {frame}, {}: {:?}", model.name(), fine.map(|fine| fine.health));
    }
    Ok(())
}

pub(crate) fn main() -> Result<(), Error> {
    let (mut first, mut second) = (Box::new(ERASED), Box::new(ERASED));
    write(&mut first, OLD);
    // The power fails while the update is written.
    write(&mut second, &NEW[..NEW.len() / 2]);
    let mut memory = Vec::new();
    let model = boot(&second, &first)?;
    run(&model, &mut memory, 0..3)?;

    // It is written again, and the stream goes on with it: from the next frame on, since a window
    // holds what another model has drawn.
    write(&mut second, NEW);
    let model = boot(&second, &first)?;
    run(&model, &mut memory, 3..6)
}
