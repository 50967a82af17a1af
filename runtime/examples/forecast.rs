//! What comes after frames that were measured: `cargo run --example forecast`.

use finescale::model::{Footprint, Model};
use finescale::{Downscaler, Error, Instrument, Values, include_model};

static MODEL: &[u8] =
    include_model!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int16.finescale");
const SENSOR: Instrument = Instrument::new([1, 16], Values::Points).with_noise(&[0.01]);
const MEASURED: usize = 3;
const AHEAD: usize = 4;
const MEMBERS: u32 = 3;
const MEMORY: usize =
    Downscaler::memory_len(&Footprint::of(MODEL), &SENSOR, MEASURED + AHEAD, MEMBERS);

pub(crate) fn main() -> Result<(), Error> {
    // A wave that goes by stands for what a sensor of 16 points measures.
    let wave = |n: usize| {
        let (frame, point) = (n / 16, n % 16);
        1.5 * (core::f32::consts::TAU * (3.0 * point as f32 / 16.0 - 0.05 * frame as f32)).sin()
    };
    let coarse: Vec<f32> = (0..MEASURED * 16).map(wave).collect();

    let mut memory = vec![0.0; MEMORY];
    let model = Model::parse(MODEL)?;
    let mut downscaler = Downscaler::new(&model, SENSOR, &mut memory)?.with_seed(7);
    let known = downscaler.downscale(&coarse)?.frames.to_vec();

    let fine = downscaler.forecast(&known, AHEAD, MEMBERS)?;
    let frame = fine.mean.len() / (MEASURED + AHEAD);
    for (n, spread) in fine.spread.chunks_exact(frame).enumerate() {
        let mean = &fine.mean[n * frame..][..4];
        let what = if n < MEASURED { "measured" } else { "ahead" };
        println!("{what:8} {mean:6.2?} …, standard deviation {:.3}", spread[0]);
    }
    Ok(())
}
