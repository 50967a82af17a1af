//! The sensor that a conditional mean was trained for, frame by frame:
//! `cargo run --example conditional_mean`.

use finescale::downscaler::MeanStream;
use finescale::model::{MeanFootprint, MeanModel};
use finescale::{Error, Instrument, MeanDownscaler, Values, include_model};

/// Vorticity of a flow on 32 × 32 points, from means over 4 × 4 of them.
static MEAN: &[u8] =
    include_model!("../../models/kolmogorov-32-means/kolmogorov-32-means-int16.finescale");
/// Frames of it on 8 × 8 points, little-endian f32.
static COARSE: &[u8] = include_bytes!("../../tests/golden/vectors/kolmogorov-8x8.f32");
const SENSOR: Instrument<'static> = Instrument::new([8, 8], Values::BlockMeans);
const FOOTPRINT: MeanFootprint = MeanFootprint::of(MEAN);
const MEMBERS: u32 = 3;
/// On a board this many values are a static array: enough for the stream, and then for members.
const MEMORY: usize = {
    let stream = MeanStream::memory_len(&FOOTPRINT, &SENSOR);
    let members = MeanDownscaler::memory_len(&FOOTPRINT, &SENSOR, 1, MEMBERS);
    if stream > members { stream } else { members }
};

pub(crate) fn main() -> Result<(), Error> {
    let words = COARSE.as_chunks::<4>().0.iter();
    let coarse: Vec<f32> = words.map(|word| f32::from_le_bytes(*word)).take(6 * 8 * 8).collect();

    let mut memory = vec![0.0; MEMORY];
    let model = MeanModel::parse(MEAN)?;
    let mut stream = MeanDownscaler::new(&model, SENSOR, &mut memory)?.stream()?;
    println!("fine frames are {} behind", stream.lag());
    for (n, frame) in coarse.chunks_exact(8 * 8).enumerate() {
        match stream.push(Some(frame))? {
            None => println!("frame {n}: wait"),
            Some(fine) => println!("frame {n}: a fine frame, {:?}", fine.health),
        }
    }

    let mut downscaler = MeanDownscaler::new(&model, SENSOR, &mut memory)?.with_seed(7);
    let fine = downscaler.ensemble(&coarse[..8 * 8], MEMBERS)?;
    let spread = fine.spread.iter().sum::<f32>() / fine.spread.len() as f32;
    println!("members of one frame differ by {spread:.2} on average");
    Ok(())
}
