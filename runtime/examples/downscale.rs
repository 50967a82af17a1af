//! Coarse frames to fine ones, with how much is unknown: `cargo run --example downscale`.

use finescale::model::{Footprint, Model};
use finescale::{Downscaler, Error, Instrument, Values, include_model};

/// Vorticity of a flow on 32 × 32 points.
static MODEL: &[u8] = include_model!("../../models/kolmogorov-32/kolmogorov-32-int16.finescale");
/// Frames of it on 8 × 8 points, little-endian f32.
static COARSE: &[u8] = include_bytes!("../../tests/golden/vectors/kolmogorov-8x8.f32");
const SENSOR: Instrument<'static> = Instrument::new([8, 8], Values::Points).with_noise(&[0.01]);
const FRAMES: usize = 2;
const MEMBERS: u32 = 3;
/// On a board this many values are a static array.
const MEMORY: usize = Downscaler::memory_len(&Footprint::of(MODEL), &SENSOR, FRAMES, MEMBERS);

pub(crate) fn main() -> Result<(), Error> {
    let words = COARSE.as_chunks::<4>().0.iter();
    let coarse: Vec<f32> =
        words.map(|word| f32::from_le_bytes(*word)).take(FRAMES * 8 * 8).collect();

    let mut memory = vec![0.0; MEMORY];
    let model = Model::parse(MODEL)?;
    let mut downscaler = Downscaler::new(&model, SENSOR, &mut memory)?.with_seed(7);
    let fine = downscaler.ensemble(&coarse, MEMBERS)?;

    println!("{} fine values of {} coarse ones", fine.frames.len(), coarse.len());
    for (n, spread) in fine.spread.chunks_exact(32 * 32).enumerate() {
        let mean = spread.iter().sum::<f32>() / spread.len() as f32;
        println!("frame {n}: members differ by {mean:.2} on average");
    }
    if fine.health.is_alarming() {
        println!("the coarse frames are not what the model knows");
    }
    Ok(())
}
