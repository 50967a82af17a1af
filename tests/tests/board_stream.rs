//! The small program for boards, `firmware-example/src/bin/stream`, has the bits that the desktop
//! has: what it expects is what comes of the same steps here.

#[path = "../../firmware-example/src/bin/stream/expected.rs"]
mod expected;

use expected::{DIGESTS, FRAMES, LAG, POINTS, SENSOR, digest, sampler};
use finescale::downscaler::Stream;
use finescale::model::{Footprint, Model};
use finescale::{Downscaler, include_model};

static F32: &[u8] = include_model!("../../models/kolmogorov-32/kolmogorov-32.finescale");
static INT8: &[u8] = include_model!("../../models/kolmogorov-32/kolmogorov-32-int8.finescale");
static INT16: &[u8] = include_model!("../../models/kolmogorov-32/kolmogorov-32-int16.finescale");

#[test]
fn the_board_is_told_what_the_desktop_gets() {
    let found = [F32, INT8, INT16].map(|model| {
        let mut memory = vec![f32::NAN; Stream::memory_len(&Footprint::of(model), &SENSOR, LAG)];
        let model = Model::parse(model).expect("a shipped model");
        let downscaler = Downscaler::new(&model, SENSOR, &mut memory).expect("memory");
        let sampler = sampler(downscaler.sampler());
        let mut stream = downscaler.with_sampler(sampler).stream(LAG).expect("memory");
        let words: Vec<f32> =
            FRAMES.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect();
        words.chunks_exact(POINTS).fold(0, |before, coarse| {
            let fine = stream.push(Some(coarse)).expect("a push");
            fine.map_or(before, |fine| digest(before, fine.frames))
        })
    });
    assert_eq!(found, DIGESTS, "{found:#010x?}");
}
