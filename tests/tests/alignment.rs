//! A file may lie at any word: the bits are those of the same file at a multiple of 16 bytes.

use finescale::model::{ADDRESS_ALIGNMENT, ALIGNMENT, Invalid, Model};
use finescale::predictor::Trained;
use finescale::{Error, Modes, Path, Predictor};

static FILES: [&[u8]; 3] = [
    include_bytes!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky.finescale"),
    include_bytes!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int8.finescale"),
    include_bytes!("../../models/kuramoto-sivashinsky/kuramoto-sivashinsky-int16.finescale"),
];

fn increment_and_gradient(file: &[u8]) -> Result<Vec<u32>, Error> {
    let model = Model::parse(file)?;
    let mut memory = vec![0.0; Trained::memory_len(&model)];
    let mut predictor = Trained::new(&model, &mut memory)?;
    let frame = predictor.describe().frame_len();
    let mut scratch = vec![0.0; predictor.describe().scratch_len];
    let window: Vec<f32> = (0..2 * frame).map(|n| (0.3 * n as f32).sin()).collect();
    let (mut increment, mut gradient) = (vec![0.0; frame], vec![0.0; 2 * frame]);
    let prepared = predictor.prepare(0.1)?;
    prepared.increment(Path::modes(&window), Modes::from_mut(&mut increment), &mut scratch)?;
    prepared.vjp(Modes::new(&window[..frame]), Path::modes_mut(&mut gradient), &mut scratch)?;
    Ok(increment.iter().chain(&gradient).map(|value| value.to_bits()).collect())
}

#[test]
fn a_file_may_lie_at_any_word() -> Result<(), Error> {
    for file in FILES {
        let mut blocks = vec![0_u128; file.len() / ALIGNMENT + 2];
        let room: &mut [u8] = bytemuck::cast_slice_mut(&mut blocks);
        let mut at = |offset: usize| {
            room[offset..offset + file.len()].copy_from_slice(file);
            increment_and_gradient(&room[offset..offset + file.len()])
        };
        let expected = at(0)?;
        for offset in (ADDRESS_ALIGNMENT..ALIGNMENT).step_by(ADDRESS_ALIGNMENT) {
            assert_eq!(at(offset)?, expected, "{offset}");
        }
        assert_eq!(at(2), Err(Error::Model(Invalid::Alignment)));
    }
    Ok(())
}
