//! What a model says that its tasks take: with so much they run, with one value less they are refused.

use std::fs;
use std::path::{Path, PathBuf};

use finescale::model::{Footprint, Model};
use finescale::predictor::Trained;
use finescale::sampler::{LambdaGrid, Start};
use finescale::{Error, NoiseStream, Predictor, Sampler};

const STREAM: NoiseStream = NoiseStream { seed: 5, member: 0, frame: 0, step: 0 };

/// Values that a number of bytes holds.
fn values(bytes: u32) -> usize {
    assert_eq!(bytes % 4, 0);
    bytes as usize / 4
}

/// The shipped files for boards.
fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let entries = |folder: &Path| {
        fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path())
    };
    let folders = entries(&folder).filter(|path| path.is_dir());
    let mut files: Vec<_> = folders
        .flat_map(|folder| entries(&folder).collect::<Vec<_>>())
        .filter(|file| file.extension().is_some_and(|ending| ending == "finescale"))
        .collect();
    files.sort();
    assert!(files.len() >= 15, "{files:?}");
    files
}

/// A file where a parser needs it.
fn aligned(file: &Path) -> Vec<u128> {
    let bytes = fs::read(file).expect("readable");
    let mut blocks = vec![0; bytes.len().div_ceil(16)];
    bytemuck::cast_slice_mut(&mut blocks)[..bytes.len()].copy_from_slice(&bytes);
    blocks
}

#[test]
fn every_shipped_model_runs_in_what_it_says() {
    for file in shipped() {
        let (blocks, length) = (aligned(&file), fs::metadata(&file).expect("there").len());
        let bytes = &bytemuck::cast_slice(&blocks)[..length as usize];
        let model = Model::parse(bytes).expect("a shipped model");
        let name = file.display();
        // No part of a table is zero, which scores would be divided by.
        assert!(model.tables().innovation.iter().all(|ratio| *ratio > 0.0), "{name}");

        let Footprint { memory, predictor, reverse, frame } = model.footprint();
        let frame_len = model.channels() * model.grid().points();
        assert_eq!(values(frame), 2 * frame_len, "{name}");

        let needed = values(memory);
        let mut memory = vec![f32::NAN; needed];
        let refused = Trained::new(&model, &mut memory[1..]).err();
        assert_eq!(refused, Some(Error::MemoryLength { values: needed - 1, needed }), "{name}");
        let mut trained = Trained::new(&model, &mut memory).expect("enough memory");

        // A simulation's part: the longest window there and back.
        trained.prepare(0.1).expect("a λ");
        let mut window = vec![0.0; model.window() * frame_len];
        STREAM.fill(&mut window);
        let (mut increment, mut gradient) = (vec![0.0; frame_len], vec![0.0; window.len()]);
        let needed = values(predictor);
        let mut scratch = vec![f32::NAN; needed];
        let short = Error::ScratchLength { values: needed - 1, needed };
        let refused = trained.increment(&window, &mut increment, &mut scratch[1..]);
        assert_eq!(refused, Err(short), "{name}");
        trained.increment(&window, &mut increment, &mut scratch).expect("enough scratch");
        let refused = trained.vjp(&window[..frame_len], &mut gradient, &mut scratch[1..]);
        assert_eq!(refused, Err(short), "{name}");
        trained.vjp(&window[..frame_len], &mut gradient, &mut scratch).expect("enough scratch");

        // Reverse sampling of some frames; the path is part of what it takes.
        let lambdas = LambdaGrid::Geometric { steps: 1, smallest: 2e-3 };
        let sampler = Sampler { lambdas, ..Sampler::ours(0.1) };
        for frames in [1, 3] {
            let mut path = vec![0.0; frames * frame_len];
            let needed = values(reverse) + frames * values(frame) - path.len();
            assert_eq!(needed, sampler.scratch_len(&trained, frames), "{name}");
            let mut scratch = vec![f32::NAN; needed];
            let mut draw = |scratch: &mut [f32]| {
                sampler.generate(&mut trained, Start::Rollout, None, &STREAM, &mut path, scratch)
            };
            let refused = draw(&mut scratch[1..]);
            let short = Error::ScratchLength { values: needed - 1, needed };
            assert_eq!(refused, Err(short), "{name}");
            draw(&mut scratch).expect("enough scratch");
            assert!(path.iter().all(|value| value.is_finite()), "{name}");
        }
    }
}

/// Counted by hand from the network that the model's page names: 32 × 32 points, one channel, a window of 3 frames, seen filtered and
/// raw; ten modulated layers of 12 channels and a last one of one, 3 taps, at most 4 points apart.
#[test]
fn a_footprint_is_what_is_counted_by_hand() {
    let points = 32 * 32;
    // P, S of 1, 2 and 3 frames, coefficients of 1 + 2 + 3; the Wiener filter; one scale and one deviation; a factor and a shift for
    // each output channel.
    let memory = points * (1 + 3 + 6) + points + 2 + 2 * (10 * 12 + 1);
    // The output, a bit for each activation.
    let kept = points + 10 * 12 * points / 32;
    // Two activations; three rows of three copies and one with its halo.
    let float = kept + 2 * 12 * points + 3 * 12 * 3 * 32 + 32 + 2 * 4;
    // The inputs; two activations of two bytes; six rows of two bytes with their halo, sums of a row, two numbers for each channel.
    let int16 = kept + 6 * points + 12 * points + 6 * 12 * (32 + 2 * 4) / 2 + 12 * 32 + 2 * 12;
    for (name, scratch) in [("", float), ("-int8", float), ("-int16", int16)] {
        let name = format!("kolmogorov-32{name}.finescale");
        let file = shipped().into_iter().find(|file| file.ends_with(&name)).expect("shipped");
        let (blocks, length) = (aligned(&file), fs::metadata(&file).expect("there").len());
        let model = Model::parse(&bytemuck::cast_slice(&blocks)[..length as usize]).expect("whole");
        let by_hand = Footprint {
            memory: 4 * memory,
            predictor: 4 * scratch,
            reverse: 4 * (points + scratch),
            frame: 4 * 2 * points,
        };
        assert_eq!(model.footprint(), by_hand, "{name}");
    }
}
