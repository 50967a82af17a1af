//! Two models take turns in the same memory: `cargo run --example two_models`.

use finescale::model::{Footprint, Model};
use finescale::{Downscaler, Error, Instrument, Values, include_model};

static FLOW: &[u8] = include_model!("../../models/kolmogorov-32/kolmogorov-32-int16.finescale");
static FRONT: &[u8] =
    include_model!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int16.finescale");
const CAMERA: Instrument<'static> = Instrument::new([8, 8], Values::BlockMeans);
const LINE: Instrument<'static> = Instrument::new([1, 16], Values::Points);

/// What the larger of the two needs; that it fits the board is found out at compile time.
const MEMORY: usize = {
    let flow = Downscaler::memory_len(&Footprint::of(FLOW), &CAMERA, 1, 1);
    let front = Downscaler::memory_len(&Footprint::of(FRONT), &LINE, 1, 1);
    if flow > front { flow } else { front }
};
const _: () = assert!(4 * MEMORY <= 256 * 1024, "the models need more RAM than 256 KiB");

pub(crate) fn main() -> Result<(), Error> {
    let mut memory = vec![0.0; MEMORY];
    let mut energy = |model, instrument, coarse: &[f32]| -> Result<f32, Error> {
        let model = Model::parse(model)?;
        let mut downscaler = Downscaler::new(&model, instrument, &mut memory)?;
        let fine = downscaler.downscale(coarse)?;
        Ok(fine.frames.iter().map(|value| value * value).sum())
    };
    let camera: Vec<f32> = (0..64_u8).map(|pixel| f32::from(pixel).sin()).collect();
    let line: Vec<f32> = (0..16_u8).map(|pixel| (f32::from(pixel) / 2.0).sin()).collect();
    for turn in 0..2 {
        println!("turn {turn}: the flow has the energy {:.1}", energy(FLOW, CAMERA, &camera)?);
        println!("turn {turn}: the front has the energy {:.1}", energy(FRONT, LINE, &line)?);
    }
    Ok(())
}
