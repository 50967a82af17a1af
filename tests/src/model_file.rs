//! What fuzzing and the deterministic mutator ask of any bytes: refused, or a model that works.

use std::path::Path;
use std::{array, fs};

use finescale::mean::{ConditionalMean, Errors, Stream};
use finescale::model::{
    CHECKED_FROM, HEADER_LEN, Invalid, MEAN_MAGIC, MeanModel, Model, Weights, checksum,
};
use finescale::predictor::{PathDensity, Trained, path_score, path_score_scratch_len};
use finescale::{Error, Field, Modes, NoiseStream, Predictor, layout};

/// A λ at which both the base and the network matter.
const LAMBDA: f32 = 0.03;

/// Holds files as a parser needs them, and memory for their models: kept, since millions are tried.
#[derive(Default)]
pub struct Evaluator {
    /// Aligned to 16 bytes.
    blocks: Vec<u128>,
    memory: Vec<f32>,
    scratch: Vec<f32>,
}

impl Evaluator {
    /// Parses bytes; reads everything that an accepted file has, evaluates it and differentiates
    /// it. Says whether it was accepted.
    ///
    /// # Panics
    /// If an accepted file lacks something or its model does not run.
    pub fn accepts(&mut self, file: &[u8]) -> bool {
        let Self { blocks, memory, scratch } = self;
        blocks.resize(file.len().div_ceil(16), 0);
        let bytes = &mut bytemuck::cast_slice_mut(blocks)[..file.len()];
        bytes.copy_from_slice(file);
        let ran = if bytes.starts_with(&MEAN_MAGIC) {
            let Ok(model) = MeanModel::parse(bytes) else { return false };
            evaluate_mean(&model, memory, scratch)
        } else {
            let Ok(model) = Model::parse(bytes) else { return false };
            walk(&model);
            evaluate(&model, memory, scratch)
        };
        match ran {
            // Weights may be so large that sums of them overflow, which is said.
            Ok(()) | Err(Error::NotFinite { .. }) => true,
            Err(refused) => panic!("an accepted model does not run: {refused}"),
        }
    }
}

/// Shows a file's model, or why it is refused, to `see`: the bytes lie where a parser needs them.
pub fn with_model<T>(file: &[u8], see: impl FnOnce(Result<Model<'_>, Invalid>) -> T) -> T {
    aligned(file, |bytes| see(Model::parse(bytes)))
}

/// The same of a conditional mean.
pub fn with_mean<T>(file: &[u8], see: impl FnOnce(Result<MeanModel<'_>, Invalid>) -> T) -> T {
    aligned(file, |bytes| see(MeanModel::parse(bytes)))
}

fn aligned<T>(file: &[u8], see: impl FnOnce(&[u8]) -> T) -> T {
    let mut blocks = vec![0_u128; file.len().div_ceil(16)];
    let bytes = &mut bytemuck::cast_slice_mut(&mut blocks)[..file.len()];
    bytes.copy_from_slice(file);
    see(bytes)
}

/// Touches everything that a view gives.
fn walk(model: &Model<'_>) {
    assert_eq!(model.channel_descriptions().count(), model.channels());
    assert!(model.channel_descriptions().all(|channel| channel.std > 0.0));
    assert_eq!(model.layers().iter().count(), model.layers().len());
    for (n, layer) in model.layers().iter().enumerate() {
        match layer.weights {
            Weights::F32(weights) => assert_eq!(weights.len(), layer.shape.packed_len()),
            Weights::I8 { weights, multipliers } => {
                assert_eq!(multipliers.len(), layer.shape.outputs());
                assert_eq!(weights.len(), layer.shape.packed_len());
            }
            Weights::Int16 { words, multipliers } => {
                assert_eq!(multipliers.len(), layer.shape.outputs());
                assert_eq!(words.map(<[u32]>::len), layer.shape.int16_words());
            }
        }
        assert_eq!(layer.bias.len(), layer.shape.outputs());
        let again = model.layers().get(n).expect("a layer");
        assert_eq!((again.bias.as_ptr(), again.shape), (layer.bias.as_ptr(), layer.shape));
    }
    assert!(model.layers().get(model.layers().len()).is_none());
    let mut places: Vec<_> = model.layers().iter().map(|layer| layer.bias.as_ptr()).collect();
    places.reverse();
    assert!(model.layers().iter().rev().map(|layer| layer.bias.as_ptr()).eq(places));
}

/// One forward pass, one vector-Jacobian product, the noise where there is a head for it, and one
/// path score.
fn evaluate(model: &Model<'_>, memory: &mut Vec<f32>, scratch: &mut Vec<f32>) -> Result<(), Error> {
    // Garbage, which nothing may rely on.
    memory.resize(Trained::memory_len(model), f32::NAN);
    let mut predictor = Trained::new(model, memory)?;
    let predictor = predictor.prepare(LAMBDA)?;
    scratch.resize(path_score_scratch_len(&predictor).max(predictor.scratch_len), f32::NAN);
    let (frame, window) = (model.channels() * model.grid().points(), model.window());
    let mut path = vec![0.0; (window + 1) * frame];
    let mut companions = vec![0.0; (window + 1) * predictor.companions_len()];
    NoiseStream { seed: 2, member: 0, frame: 0, draw: 0 }.fill(&mut companions);
    let predictor = predictor.given(layout::Path::fields(&companions));
    NoiseStream { seed: 1, member: 0, frame: 0, draw: 0 }.fill(&mut path);
    let (mut increment, mut gradient) = (vec![0.0; frame], vec![0.0; window * frame]);
    let newest = predictor.toward(window);
    newest.increment(
        layout::Path::modes(&path[..window * frame]),
        Modes::from_mut(&mut increment),
        scratch,
    )?;
    newest.vjp(
        Modes::new(&path[window * frame..]),
        layout::Path::modes_mut(&mut gradient),
        scratch,
    )?;
    if model.options().score_head {
        predictor.noise(
            layout::Path::modes(&path[..window * frame]),
            Modes::from_mut(&mut increment),
            scratch,
        )?;
    }
    let mut score = vec![0.0; path.len()];
    path_score(
        &predictor,
        PathDensity::FULL,
        layout::Path::modes(&path),
        layout::Path::modes_mut(&mut score),
        scratch,
    )
}

/// A mean, a stream's push, and draws of its errors.
fn evaluate_mean(
    model: &MeanModel<'_>,
    memory: &mut Vec<f32>,
    scratch: &mut Vec<f32>,
) -> Result<(), Error> {
    assert_eq!(model.channel_descriptions().count(), model.channels());
    assert_eq!(model.layers().iter().count(), model.layers().len());
    memory.resize(ConditionalMean::memory_len(model).max(Errors::memory_len(model)), f32::NAN);
    let needed = ConditionalMean::scratch_len(model).max(Errors::scratch_len(model));
    scratch.resize(needed, f32::NAN);
    let mut coarse = vec![0.0; 3 * model.coarse_len()];
    NoiseStream { seed: 1, member: 0, frame: 0, draw: 0 }.fill(&mut coarse);
    let mut fine = vec![0.0; model.fine_len()];
    {
        let mean = ConditionalMean::new(model, memory)?;
        mean.evaluate(
            layout::Path::coarse_fields(&coarse),
            1,
            Field::from_mut(&mut fine),
            scratch,
        )?;
        let mut ring = vec![f32::NAN; Stream::memory_len(model)];
        let mut stream = Stream::new(mean, &mut ring)?;
        for _ in 0..=model.after() {
            stream.push(
                Some(Field::coarse(&coarse[..model.coarse_len()])),
                Field::from_mut(&mut fine),
                scratch,
            )?;
        }
    }
    let mut errors = Errors::new(model, memory)?;
    let mut path = vec![0.0; 2 * model.fine_len()];
    errors.draw(
        0,
        &NoiseStream { seed: 2, member: 0, frame: 0, draw: 0 },
        layout::Path::modes_mut(&mut path),
    )?;
    errors.add(Modes::new(&path[model.fine_len()..]), Field::from_mut(&mut fine), scratch)
}

/// Makes length and checksum right, so that a parser sees what comes after.
pub fn seal(bytes: &mut [u8]) {
    let length = (bytes.len() as u32).to_le_bytes();
    if bytes.len() >= HEADER_LEN {
        bytes[12..16].copy_from_slice(&length);
        let sum = checksum(&bytes[CHECKED_FROM..]);
        bytes[16..20].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The committed files that fuzzing starts from.
///
/// # Panics
/// If there are none.
pub fn seeds() -> Vec<Vec<u8>> {
    files_in("seeds")
}

/// The same of conditional means.
///
/// # Panics
/// If there are none.
pub fn mean_seeds() -> Vec<Vec<u8>> {
    files_in("means")
}

fn files_in(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let files = fs::read_dir(&folder).expect("the folder of seeds is there");
    let mut files: Vec<_> = files.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files.iter().map(|file| fs::read(file).expect("readable")).collect()
}

/// Makes changed files out of `seeds`, the same ones every time.
pub struct Mutator {
    seeds: Vec<Vec<u8>>,
    state: u64,
    file: Vec<u8>,
}

impl Mutator {
    /// From files that are accepted.
    pub fn new(seeds: Vec<Vec<u8>>) -> Self {
        Self { seeds, state: 0x9e37_79b9_7f4a_7c15, file: Vec::new() }
    }

    /// Marsaglia's xorshift.
    fn random(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % below.max(1)
    }

    /// The next file. Of sixteen, fifteen have the right length and checksum: without them nothing
    /// else is looked at.
    pub fn next_file(&mut self) -> &[u8] {
        let (seed, changes) = (self.random(self.seeds.len()), self.random(4));
        self.file.clone_from(&self.seeds[seed]);
        for _ in 0..=changes {
            self.change();
        }
        if self.random(16) > 0 {
            seal(&mut self.file);
        }
        &self.file
    }

    fn change(&mut self) {
        let length = self.file.len();
        // Half of the changes go where lengths and kinds are.
        let reach = if self.random(2) > 0 { HEADER_LEN.min(length) } else { length };
        let place = self.random(reach);
        match self.random(9) {
            0 => self.put(place, &[0]),
            1 => self.put(place, &[255]),
            2 => {
                let bit = 1 << self.random(8);
                self.put(place, &[self.file.get(place).unwrap_or(&0) ^ bit]);
            }
            3 => {
                let bytes: [u8; 4] = array::from_fn(|_| self.random(256) as u8);
                let n = 1 << self.random(3);
                self.put(place, &bytes[..n]);
            }
            4 => {
                let n = self.random(20) as u16;
                self.put(place / 2 * 2, &n.to_le_bytes());
            }
            5 => {
                let values = [f32::NAN, f32::INFINITY, f32::MAX, -1.0, -0.0, 1e-45, 1e-30, 1e30];
                let value = values[self.random(values.len())];
                self.put(place / 4 * 4, &value.to_le_bytes());
            }
            6 => self.file.truncate(place.max(1)),
            7 => {
                let (value, n) = (self.random(2) as u8, self.random(64));
                self.file.resize(length + n, value);
            }
            // The rest of another file.
            _ => {
                let other = self.random(self.seeds.len());
                let rest = self.seeds[other].get(place..).unwrap_or_default();
                self.file.truncate(place);
                self.file.extend_from_slice(rest);
            }
        }
    }

    fn put(&mut self, place: usize, bytes: &[u8]) {
        for (to, from) in self.file.iter_mut().skip(place).zip(bytes) {
            *to = *from;
        }
    }
}

/// Uses the trained predictor of a file, with scratch for its path score.
///
/// # Panics
/// If the file is refused.
pub fn with_trained<T>(file: &[u8], use_it: impl FnOnce(&mut Trained<'_>, &mut [f32]) -> T) -> T {
    let mut blocks = vec![0_u128; file.len().div_ceil(16)];
    let bytes = &mut bytemuck::cast_slice_mut(&mut blocks)[..file.len()];
    bytes.copy_from_slice(file);
    let model = Model::parse(bytes).expect("a model");
    let mut memory = vec![f32::NAN; Trained::memory_len(&model)];
    let mut trained = Trained::new(&model, &mut memory).expect("a predictor");
    let mut scratch = vec![f32::NAN; path_score_scratch_len(trained.describe())];
    use_it(&mut trained, &mut scratch)
}

/// The same file with another bias in all channels of every layer; `None` without a network.
///
/// # Panics
/// If the file is refused.
pub fn with_biases(file: &[u8], bias: f32) -> Option<Vec<u8>> {
    let mut blocks = vec![0_u128; file.len().div_ceil(16)];
    let bytes = &mut bytemuck::cast_slice_mut(&mut blocks)[..file.len()];
    bytes.copy_from_slice(file);
    let model = Model::parse(bytes).expect("a model");
    let mut changed = file.to_vec();
    for layer in model.layers().iter() {
        let at = layer.bias.as_ptr() as usize - bytes.as_ptr() as usize;
        for place in changed[at..at + 4 * layer.bias.len()].chunks_exact_mut(4) {
            place.copy_from_slice(&bias.to_le_bytes());
        }
    }
    seal(&mut changed);
    (!model.layers().is_empty()).then_some(changed)
}
