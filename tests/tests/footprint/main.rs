//! A footprint is what a model needs, to the byte: that much works, one value less is refused, and
//! the cards say the same.

mod mean;

use std::fs;
use std::path::{Path, PathBuf};

use finescale::model::{Footprint, MEAN_MAGIC, Model};
use finescale::predictor::{Given, Trained};
use finescale::sampler::{Coarse, Schedule, Score, Start};
use finescale::{Error, Modes, NoiseStream, Predictor, Sampler, layout};
use finescale_tests::model_file::{mean_seeds, seeds, with_model};

const LAMBDA: f32 = 0.3;

/// The shipped models: folder and file of every precision.
fn shipped() -> Vec<(PathBuf, PathBuf)> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let listed = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("read"));
        let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let folders = listed(&models).into_iter().filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| {
        let files = listed(&folder).into_iter();
        files.map(move |file| (folder.clone(), file)).collect::<Vec<_>>()
    });
    files.filter(|(_, file)| file.extension().is_some_and(|e| e == "finescale")).collect()
}

/// Every shipped file, and the seeds, which have every kind of grid.
fn files() -> Vec<(String, Vec<u8>)> {
    let shipped = shipped();
    assert!(shipped.len() >= 18, "{shipped:?}");
    let read = |(_, file): (_, PathBuf)| {
        (file.display().to_string(), fs::read(&file).expect("a shipped model"))
    };
    let seeds = seeds()
        .into_iter()
        .chain(mean_seeds())
        .enumerate()
        .map(|(n, seed)| (format!("seed {n}"), seed));
    shipped.into_iter().map(read).chain(seeds).collect()
}

fn values(bytes: u32) -> usize {
    assert_eq!(bytes % 4, 0);
    bytes as usize / 4
}

fn noise(len: usize, step: u32) -> Vec<f32> {
    let mut noise = vec![0.0; len];
    NoiseStream { seed: 5, member: 0, frame: 0, draw: step }.fill(&mut noise);
    noise
}

/// Garbage, which nothing may rely on.
fn garbage(len: usize) -> Vec<f32> {
    vec![f32::NAN; len]
}

/// Runs `work` with `needed` values and with more: the same bits; with one value less it is refused
/// and says so.
fn exactly(name: &str, needed: usize, mut work: impl FnMut(&mut [f32]) -> Result<Vec<f32>, Error>) {
    let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    let enough = work(&mut garbage(needed)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(enough.iter().all(|value| value.is_finite()), "{name}");
    let ample = work(&mut vec![1.0; needed + 100]).expect("more is no less");
    assert_eq!(bits(enough), bits(ample), "{name}");
    if let Some(less) = needed.checked_sub(1) {
        let refused = work(&mut garbage(less)).err();
        let expected = match name.ends_with("memory") {
            true => Error::MemoryLength { values: less, needed },
            false => Error::ScratchLength { values: less, needed },
        };
        assert_eq!(refused, Some(expected), "{name}");
    }
}

#[test]
fn a_footprint_is_exact() {
    let (means, predictors): (Vec<_>, Vec<_>) =
        files().into_iter().partition(|(_, file)| file.starts_with(&MEAN_MAGIC));
    for (name, file) in means {
        mean::is_exact(&name, &file);
    }
    for (name, file) in predictors {
        with_model(&file, |model| {
            let model = model.expect("an accepted file");
            assert_eq!(model.footprint(), Trained::footprint(&model), "{name}");
            memory(&name, &model);
            simulation(&name, &model);
            reverse(&name, &model);
        });
    }
}

fn memory(name: &str, model: &Model<'_>) {
    let needed = values(model.footprint().memory);
    let window = noise(model.window() * frame_len(model), 0);
    exactly(&format!("{name}: memory"), needed, |memory| {
        let mut predictor = Trained::new(model, memory)?;
        let predictor = predictor.prepare(LAMBDA)?;
        let companions = companions(model, 1);
        let predictor = predictor.given(layout::Path::fields(&companions));
        let mut increment = garbage(frame_len(model));
        predictor.increment(
            layout::Path::modes(&window),
            Modes::from_mut(&mut increment),
            &mut garbage(predictor.scratch_len),
        )?;
        Ok(increment)
    });
}

fn frame_len(model: &Model<'_>) -> usize {
    model.channels() * model.grid().points()
}

/// What a model sees beside a path of so many frames.
fn companions(model: &Model<'_>, frames: usize) -> Vec<f32> {
    noise(frames * model.companions() * model.grid().points(), 6)
}

/// An increment, its vector-Jacobian product and the score head's noise.
fn simulation(name: &str, model: &Model<'_>) {
    let (frame, needed) = (frame_len(model), values(model.footprint().predictor));
    let mut memory = garbage(Trained::memory_len(model));
    let mut predictor = Trained::new(model, &mut memory).expect("enough memory");
    let companions = companions(model, 1);
    let predictor =
        predictor.prepare(LAMBDA).expect("a λ").given(layout::Path::fields(&companions));
    let (window, cotangent) = (noise(model.window() * frame, 1), noise(frame, 2));
    exactly(&format!("{name}: predictor"), needed, |scratch| {
        let (mut increment, mut gradient) = (garbage(frame), vec![0.0; window.len()]);
        predictor.increment(
            layout::Path::modes(&window),
            Modes::from_mut(&mut increment),
            scratch,
        )?;
        predictor.vjp(Modes::new(&cotangent), layout::Path::modes_mut(&mut gradient), scratch)?;
        let mut head = vec![0.0; frame];
        if model.options().score_head {
            predictor.noise(layout::Path::modes(&window), Modes::from_mut(&mut head), scratch)?;
        }
        Ok([increment, gradient, head].concat())
    });
}

/// Super-resolution and generation of paths of several lengths, and with the score head.
fn reverse(name: &str, model: &Model<'_>) {
    let Footprint { reverse, frame, .. } = model.footprint();
    let len = frame_len(model);
    let mut memory = garbage(Trained::memory_len(model));
    let mut predictor = Trained::new(model, &mut memory).expect("enough memory");
    let stream = NoiseStream { seed: 3, member: 0, frame: 0, draw: 0 };
    let mut sampler = Sampler::ancestral(LAMBDA);
    sampler.lambdas = Schedule::Power { steps: 2, exponent: 1 };
    let mut samplers = vec![sampler];
    if model.options().score_head {
        samplers.push(Sampler { score: Score::Head, ..sampler });
    }
    for frames in [1, model.window() + 1] {
        let companions = companions(model, frames);
        let mut predictor =
            Given { predictor: &mut predictor, companions: layout::Path::fields(&companions) };
        // The path and its companions are part of the sum.
        let needed = values(reverse) + frames * values(frame) - frames * len - companions.len();
        for sampler in &samplers {
            exactly(&format!("{name}: {frames} frames"), needed, |scratch| {
                let mut fine = noise(frames * len, 4);
                let mut drawn = garbage(frames * len);
                let (coarse, start) = (Coarse::Clean, Start::Gaussian);
                sampler.super_resolve(
                    &mut predictor,
                    coarse,
                    None,
                    &stream,
                    layout::Path::modes_mut(&mut fine),
                    scratch,
                )?;
                sampler.generate(
                    &mut predictor,
                    start,
                    None,
                    &stream,
                    layout::Path::modes_mut(&mut drawn),
                    scratch,
                )?;
                Ok([fine, drawn].concat())
            });
        }
    }
}

/// `| int8 | file | its weights | RAM for simulation | for reverse sampling | for each frame |` of
/// a model's card; a conditional mean's has other columns after the second.
#[test]
fn the_cards_say_what_the_files_need() {
    for (folder, file) in shipped() {
        let card = fs::read_to_string(folder.join("README.md")).expect("a card");
        let (_, table) = card.split_once("## Footprint").expect("a footprint");
        let (stem, name) = (file.file_stem().expect("a name"), folder.file_name().expect("one"));
        let (stem, name) = (stem.to_string_lossy(), name.to_string_lossy());
        let precision = match stem.strip_prefix(&*name).expect("named after its folder") {
            "" => "f32",
            suffix => suffix.trim_start_matches('-'),
        };
        let row = table.lines().find(|line| line.starts_with(&format!("| {precision} |")));
        let said: Vec<usize> = row
            .unwrap_or_else(|| panic!("{name} has no row for {precision}"))
            .split('|')
            .filter_map(|cell| cell.trim().parse().ok())
            .collect();
        let bytes = fs::read(&file).expect("a shipped model");
        let (weights, needs) =
            if bytes.starts_with(&MEAN_MAGIC) { mean::needs(&bytes) } else { needs(&bytes) };
        assert_eq!(said, [&[bytes.len(), weights], &needs[..]].concat(), "{stem}");
    }
}

/// Bytes of a predictor's weights, and the RAM that its card names.
fn needs(bytes: &[u8]) -> (usize, Vec<usize>) {
    with_model(bytes, |model| {
        let model = model.expect("an accepted file");
        let Footprint { memory, predictor, reverse, frame, .. } = model.footprint();
        let weights = model.layers().iter().map(|layer| layer.weights.bytes()).sum();
        let needs = [memory + predictor, memory + reverse, frame].map(|n| n as usize);
        (weights, needs.to_vec())
    })
}
