//! The front door gives the bits that the same steps give by hand, and its sizes are exact.

use std::array;

use finescale::downscaler::Stream;
use finescale::model::{Footprint, Invalid, Model};
use finescale::predictor::Trained;
use finescale::sampler::{
    Coarse, Observation, Online, Reading, Schedule, Sensor, Start, emergence, pixel_measurement,
    pixel_measurement_scratch_len,
};
use finescale::spectral::operator;
use finescale::{
    Downscaler, Error, Field, Grid, Instrument, Modes, NoiseStream, Path, Predictor, Sampler,
    Values, include_model, spectral,
};
use finescale_tests::model_file::{seeds, with_model};

static KOLMOGOROV: &[u8] =
    include_model!("../../models/kolmogorov-32/kolmogorov-32-int16.finescale");
static WINDS: &[u8] = include_model!("../../models/winds/winds-int8.finescale");
static LORENZ: &[u8] = include_model!("../../models/lorenz96/lorenz96.finescale");

const SEED: u64 = 11;
const NOISE: f32 = 0.02;

/// What is downscaled: a model, an instrument, and so many frames.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    model: &'static [u8],
    instrument: Instrument<'static>,
    frames: usize,
}

static ALIVE: [bool; 64] = [false; 64];
static DEAD: [bool; 64] = {
    let mut dead = [false; 64];
    (dead[9], dead[30]) = (true, true);
    dead
};

fn cases() -> Vec<Case> {
    let points = Instrument::new([8, 8], Values::Points).with_noise(&[NOISE]);
    let means = Instrument { values: Values::BlockMeans, ..points };
    let winds = Instrument::new([8, 16], Values::BlockMeans).with_noise(&[0.5, 0.7]);
    let line = Instrument::new([1, 32], Values::Points);
    let case = |name, model, instrument, frames| Case { name, model, instrument, frames };
    vec![
        case("points", KOLMOGOROV, points, 3),
        case("means", KOLMOGOROV, means, 2),
        case("dead points", KOLMOGOROV, points.with_dead(&DEAD), 2),
        case("dead means", KOLMOGOROV, means.with_dead(&DEAD), 2),
        case("two channels", WINDS, winds, 2),
        case("a line", LORENZ, line, 3),
    ]
}

impl Case {
    fn model(&self) -> Model<'static> {
        Model::parse(self.model).expect("a shipped model")
    }

    fn coarse_grid(&self) -> Grid {
        self.model().grid().with_points(self.instrument.points).expect("a coarse grid")
    }

    /// Smooth frames in units that are as large as the model's.
    fn coarse(&self) -> Vec<f32> {
        let model = self.model();
        let (n, channels) = (self.coarse_grid().points(), model.channels());
        let described: Vec<_> = model.channel_descriptions().collect();
        let value = |at: usize| {
            let (frame, channel, point) = (at / (n * channels), at / n % channels, at % n);
            let phase = 0.3 * point as f32 + 0.2 * frame as f32 + channel as f32;
            described[channel].mean + described[channel].std * phase.sin()
        };
        (0..self.frames * channels * n).map(value).collect()
    }

    fn sampler(&self) -> Sampler {
        Sampler { lambdas: Schedule::Power { steps: 2, exponent: 2 }, ..Sampler::ancestral(0.3) }
    }

    fn memory(&self, members: u32) -> usize {
        let footprint = Footprint::of(self.model);
        Downscaler::memory_len(&footprint, &self.instrument, self.frames, members)
    }

    fn downscaler<'m>(&self, memory: &'m mut [f32]) -> Result<Downscaler<'m>, Error> {
        let downscaler = Downscaler::new(&self.model(), self.instrument, memory)?;
        Ok(downscaler.with_sampler(self.sampler()).with_seed(SEED))
    }

    fn in_two_parts<'m>(
        &self,
        hot: &'m mut [f32],
        cold: &'m mut [f32],
    ) -> Result<Downscaler<'m>, Error> {
        let downscaler = Downscaler::in_two_parts(&self.model(), self.instrument, hot, cold)?;
        Ok(downscaler.with_sampler(self.sampler()).with_seed(SEED))
    }

    /// ŷ of every frame, and r of one.
    fn measured_by_hand(&self, power: &[f32], coarse: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (model, grid, instrument) = (self.model(), self.coarse_grid(), &self.instrument);
        let (fine, n) = (*model.grid(), grid.points());
        let points = fine.points();
        let channels: Vec<_> = model.channel_descriptions().collect();
        let (mut measured, mut variances) = (Vec::new(), vec![0.0; channels.len() * points]);
        let mut scratch = vec![0.0; 10_000];
        for (at, values) in coarse.chunks_exact(n).enumerate() {
            let c = at % channels.len();
            let noise = instrument.noise.get(c).or(instrument.noise.last()).unwrap_or(&0.0);
            let r = (noise / channels[c].std) * (noise / channels[c].std);
            let variances = &mut variances[c * points..][..points];
            let clean = &power[c * points..][..points];
            let mut pixels: Vec<_> =
                values.iter().map(|v| (v - channels[c].mean) / channels[c].std).collect();
            let dead = |i: usize| instrument.dead.get(i).is_some_and(|dead| *dead);
            let mut each: Vec<_> =
                (0..n).map(|i| if dead(i) { f32::INFINITY } else { r }).collect();
            let (mut inverse, mut field) = (vec![0.0; points], vec![0.0; points]);
            let means = instrument.values == Values::BlockMeans;
            let any = instrument.dead_points() > 0;
            if means {
                let pixel = if any { 0.0 } else { r };
                spectral::pixel_modes(&fine, &grid, pixel, clean, &mut inverse, variances).unwrap();
            }
            if any {
                assert!(!means, "by hand this is long: see `dead_pixels_are_no_measurement`");
                let mut coarse_power = vec![0.0; n];
                spectral::coarsen_variances(&fine, clean, &grid, &mut coarse_power).unwrap();
                assert!(pixel_measurement_scratch_len(&grid, &each) <= scratch.len());
                pixel_measurement(
                    &grid,
                    &coarse_power,
                    Field::coarse_mut(&mut pixels),
                    &mut each,
                    &mut scratch,
                )
                .unwrap();
            } else {
                spectral::forward(&grid, Field::from_mut(&mut pixels), &mut scratch).unwrap();
            }
            spectral::refine(&grid, Modes::coarse(&pixels), &fine, Modes::from_mut(&mut field))
                .unwrap();
            if means {
                let mut undone = vec![0.0; points];
                operator::apply(&fine, &inverse, Modes::new(&field), Modes::from_mut(&mut undone))
                    .unwrap();
                field = undone;
            } else {
                spectral::refine_variances(&grid, &each, &fine, variances).unwrap();
            }
            measured.extend(field);
        }
        (measured, variances)
    }

    /// Fine frames in units.
    fn restored_by_hand(&self, path: &mut [f32]) {
        let model = self.model();
        let mut scratch = vec![0.0; spectral::scratch_len(model.grid())];
        spectral::inverse(model.grid(), Modes::from_mut(path), &mut scratch).unwrap();
        let described: Vec<_> = model.channel_descriptions().collect();
        for (n, field) in path.chunks_exact_mut(model.grid().points()).enumerate() {
            let channel = described[n % described.len()];
            field.iter_mut().for_each(|v| *v = channel.mean + channel.std * *v);
        }
    }

    fn with_predictor<T>(&self, work: impl FnOnce(&mut Trained<'_>) -> T) -> T {
        let model = self.model();
        let mut memory = vec![f32::NAN; Trained::memory_len(&model)];
        work(&mut Trained::new(&model, &mut memory).expect("a predictor"))
    }

    /// As `tests/golden/src/downscale.rs` does it.
    fn by_hand(&self, member: u32) -> Vec<f32> {
        self.with_predictor(|predictor| {
            let power = predictor.describe().power.to_vec();
            let (measured, variances) = self.measured_by_hand(&power, &self.coarse());
            let (grid, process) = (predictor.describe().grid, predictor.describe().process);
            let seen = Observation::new(&grid, Path::modes(&measured), &variances).unwrap();
            let (mut path, sampler) = (measured.clone(), self.sampler());
            let mut scratch = vec![0.0; sampler.scratch_len(predictor.describe(), self.frames)];
            let noise = NoiseStream { seed: SEED, member, ..NoiseStream::default() };
            if self.instrument.dead_points() > 0 {
                let start = Start::Rollout;
                sampler
                    .generate(
                        predictor,
                        start,
                        Some(&seen),
                        &noise,
                        Path::modes_mut(&mut path),
                        &mut scratch,
                    )
                    .unwrap();
            } else {
                process.damp(&grid, sampler.lambda, Modes::from_mut(&mut path)).unwrap();
                let (coarse, seen) = (Coarse::Clean, Some(&seen));
                sampler
                    .super_resolve(
                        predictor,
                        coarse,
                        seen,
                        &noise,
                        Path::modes_mut(&mut path),
                        &mut scratch,
                    )
                    .unwrap();
            }
            self.restored_by_hand(&mut path);
            path
        })
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_door_gives_the_bits_of_the_steps_by_hand() {
    for case in cases().into_iter().filter(|case| case.name != "dead means") {
        let mut memory = vec![f32::NAN; case.memory(1)];
        let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
        for _ in 0..2 {
            let fine = downscaler.downscale(&case.coarse()).expect("fine frames");
            assert_eq!(bits(fine.frames), bits(&case.by_hand(0)), "{}", case.name);
            assert_eq!((fine.mean, fine.spread), (fine.frames, &[][..]), "{}", case.name);
            assert!(fine.health.measured > 0 && fine.health.chi2.is_finite());
        }
    }
}

#[test]
fn an_ensemble_has_the_mean_and_the_spread_of_its_members() {
    let case = cases()[0];
    let members: [Vec<f32>; 3] = array::from_fn(|member| case.by_hand(member as u32));
    let mut memory = vec![f32::NAN; case.memory(3)];
    let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
    let fine = downscaler.ensemble(&case.coarse(), 3).expect("an ensemble");
    assert_eq!(bits(fine.frames), bits(&members[0]));
    for (at, (mean, spread)) in fine.mean.iter().zip(fine.spread).enumerate() {
        let values = members.each_ref().map(|member| f64::from(member[at]));
        let expected = values.iter().sum::<f64>() / 3.0;
        let squares: f64 = values.iter().map(|v| (v - expected).powi(2)).sum();
        assert!((f64::from(*mean) - expected).abs() < 1e-5 * values[0].abs().max(1.0));
        assert!((f64::from(*spread) - (squares / 2.0).sqrt()).abs() < 1e-4);
    }
    let refused = downscaler.ensemble(&case.coarse(), 0).err();
    assert!(matches!(refused, Some(Error::Count { name: "members", value: 0, .. })));
}

#[test]
fn a_stream_gives_the_bits_of_a_stream_by_hand() {
    for case in cases().into_iter().filter(|case| case.name != "dead means") {
        let (lag, lost) = (1, 1);
        let coarse = case.coarse();
        let len = coarse.len() / case.frames;
        let reading = |n: usize| (n != lost).then(|| &coarse[n * len..][..len]);

        let by_hand: Vec<_> = case.with_predictor(|predictor| {
            let power = predictor.describe().power.to_vec();
            let (measured, variances) = case.measured_by_hand(&power, &coarse);
            let (sampler, frame) = (case.sampler(), measured.len() / case.frames);
            let sensor = Sensor::Measured(&variances);
            let mut memory = vec![0.0; Online::memory_len(predictor.describe(), &sensor, lag)];
            let mut scratch = vec![0.0; Online::scratch_len(&sampler, predictor.describe(), lag)];
            let noise = NoiseStream { seed: SEED, ..NoiseStream::default() };
            let mut online =
                Online::new(sampler, predictor.describe(), sensor, lag, noise, &mut memory)
                    .expect("a stream");
            let mut fine = Vec::new();
            for n in 0..case.frames {
                let reading = match reading(n) {
                    Some(_) => Reading::Frame(Modes::new(&measured[n * frame..][..frame])),
                    None => Reading::Missing,
                };
                if let Some(drawn) = online.push(predictor, reading, &mut scratch).expect("a push")
                {
                    let mut values = drawn.values.to_vec();
                    case.restored_by_hand(&mut values);
                    fine.push((values, drawn.health));
                }
            }
            fine
        });

        let footprint = Footprint::of(case.model);
        let mut memory = vec![f32::NAN; Stream::memory_len(&footprint, &case.instrument, lag)];
        let mut stream = case.downscaler(&mut memory).and_then(|d| d.stream(lag)).expect("memory");
        let mut given = 0;
        for n in 0..case.frames {
            let Some(fine) = stream.push(reading(n)).expect("a push") else { continue };
            let (values, health) = &by_hand[given];
            assert_eq!(bits(fine.frames), bits(values), "{}, frame {given}", case.name);
            assert_eq!(fine.health, *health);
            given += 1;
        }
        assert_eq!(given, case.frames - lag);
    }
}

/// A pixel that is dead is not read; one that is not says something.
#[test]
fn dead_pixels_are_no_measurement() {
    for name in ["dead points", "dead means"] {
        let case = cases().into_iter().find(|case| case.name == name).expect("a case");
        let mut coarse = case.coarse();
        let drawn = |case: &Case, coarse: &[f32]| {
            let mut memory = vec![f32::NAN; case.memory(1)];
            let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
            downscaler.downscale(coarse).map(|fine| fine.frames.to_vec())
        };
        let fine = drawn(&case, &coarse).expect("fine frames");
        coarse[9] = f32::NAN;
        coarse[64 + 30] = 1e6;
        assert_eq!(bits(&drawn(&case, &coarse).expect("fine frames")), bits(&fine), "{name}");
        coarse[64 + 31] = f32::INFINITY;
        let refused = Error::NotFinite { name: "coarse", index: 64 + 31 };
        assert_eq!(drawn(&case, &coarse), Err(refused), "{name}");

        // Where none is dead, a map says nothing.
        let none = Case { instrument: case.instrument.with_dead(&[]), ..case };
        let alive = Case { instrument: case.instrument.with_dead(&ALIVE), ..case };
        let [a, b] = [none, alive].map(|case| drawn(&case, &case.coarse()).expect("fine frames"));
        assert_eq!(bits(&a), bits(&b), "{name}");
    }
}

/// Means over the cells of 8 × 8 of a field of 32 × 32 points.
fn cell_means(field: &[f32]) -> Vec<f32> {
    let cell = |n: usize| {
        let (j, i) = (n / 8, n % 8);
        (0..16).map(|p| field[(4 * j + p / 4) * 32 + 4 * i + p % 4]).sum::<f32>() / 16.0
    };
    (0..64).map(cell).collect()
}

/// Fine frames have the cells' means that were measured, two lost ones included, as far as the
/// errors go.
#[test]
fn fine_frames_agree_with_the_means_that_were_measured() {
    let whole = Instrument::new([8, 8], Values::BlockMeans).with_noise(&[1e-3]);
    // A field that has the wave which cells resolve best, as large as the model's.
    let model = Case { name: "", model: KOLMOGOROV, instrument: whole, frames: 1 }.model();
    let std = model.channel_descriptions().next().expect("a channel").std;
    let wave = |x: usize| std * (std::f32::consts::TAU * x as f32 / 32.0).sin();
    let truth: Vec<f32> = (0..1024).map(|n| wave(n % 32) + wave(n / 32)).collect();
    let coarse = cell_means(&truth);
    let size = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>().sqrt();
    for instrument in [whole, whole.with_dead(&DEAD)] {
        let case = Case { name: "means", model: KOLMOGOROV, instrument, frames: 1 };
        let mut memory = vec![f32::NAN; case.memory(8)];
        let mut downscaler = Downscaler::new(&model, instrument, &mut memory).expect("memory");
        let fine = downscaler.ensemble(&coarse, 8).expect("fine frames");
        let off: Vec<f32> =
            cell_means(fine.mean).iter().zip(&coarse).map(|(found, mean)| found - mean).collect();
        assert!(size(&off) < 0.3 * size(&coarse), "{} of {}", size(&off), size(&coarse));
    }
}

#[test]
fn sizes_are_exact_and_short_memory_is_refused() {
    for case in cases() {
        for members in [1, 2] {
            let needed = case.memory(members);
            let run = |len: usize| {
                let mut memory = vec![f32::NAN; len];
                let mut downscaler = case.downscaler(&mut memory)?;
                let fine = downscaler.ensemble(&case.coarse(), members)?;
                assert!(fine.frames.iter().chain(fine.spread).all(|value| value.is_finite()));
                Ok(bits(fine.frames))
            };
            let enough = run(needed).expect("enough memory");
            assert_eq!(run(needed + 50), Ok(enough), "{}", case.name);
            let refused = Error::MemoryLength { values: needed - 1, needed };
            assert_eq!(run(needed - 1), Err(refused), "{}", case.name);
        }
        for lag in [0, 3] {
            let needed = Stream::memory_len(&Footprint::of(case.model), &case.instrument, lag);
            let made = |len: usize| {
                let mut memory = vec![f32::NAN; len];
                case.downscaler(&mut memory).and_then(|d| d.stream(lag)).map(|_| ())
            };
            assert_eq!(made(needed), Ok(()), "{}", case.name);
            let refused = Error::MemoryLength { values: needed - 1, needed };
            assert_eq!(made(needed - 1), Err(refused), "{}", case.name);
        }
    }
}

/// A forecast from the door is one by hand, in pieces too, and begins with what is known.
#[test]
fn a_forecast_gives_the_bits_of_the_steps_by_hand() {
    const AHEAD: usize = 2;
    for case in cases() {
        let (model, members) = (case.model(), 2);
        let (given, frames) = (case.frames, case.frames + AHEAD);
        let all = Case { frames, ..case };
        let mut memory = vec![f32::NAN; all.memory(members)];
        let mut door = case.downscaler(&mut memory).expect("memory");
        let known = door.downscale(&case.coarse()).expect("fine frames").frames.to_vec();
        let fine = door.forecast(&known, AHEAD, members).expect("a forecast");
        let found = [fine.frames, fine.mean, fine.spread].map(<[f32]>::to_vec);
        assert_eq!(fine.members, members);

        let mut predictor_memory = vec![f32::NAN; Trained::memory_len(&model)];
        let mut predictor = Trained::new(&model, &mut predictor_memory).expect("memory");
        let (grid, points) = (*model.grid(), model.grid().points());
        let channels: Vec<_> = model.channel_descriptions().collect();
        let frame = channels.len() * points;
        let lambda = Downscaler::FORECAST_LAMBDA;
        let sampler = Sampler { lambda, ..case.sampler() };
        let mut scratch = vec![0.0; sampler.scratch_len(predictor.describe(), frames) + 10_000];
        let mut modes = known.clone();
        for (at, field) in modes.chunks_exact_mut(points).enumerate() {
            let channel = &channels[at % channels.len()];
            field.iter_mut().for_each(|value| *value = channel.standard(*value));
        }
        spectral::forward(&grid, Field::from_mut(&mut modes), &mut scratch).unwrap();
        let seen = Observation::known(&grid, channels.len(), Path::modes(&modes)).unwrap();
        let noise = NoiseStream { seed: SEED, member: 0, frame: 0, draw: 0 };
        let mut path = vec![0.0; frames * frame];
        sampler
            .forecast(&mut predictor, &seen, &noise, Path::modes_mut(&mut path), &mut scratch)
            .unwrap();
        spectral::inverse(&grid, Modes::from_mut(&mut path), &mut scratch).unwrap();
        for (at, field) in path.chunks_exact_mut(points).enumerate() {
            let channel = &channels[at % channels.len()];
            field.iter_mut().for_each(|value| *value = channel.physical(*value));
        }
        assert_eq!(bits(&found[0]), bits(&path), "{}", case.name);

        // What is known comes out as it was, but for rounding, and without spread; later frames
        // are uncertain.
        let std = channels.iter().fold(0.0_f32, |most, channel| most.max(channel.std));
        let (before, after) = (given * frame, &found[2][given * frame..]);
        for (found, known) in found[0][..before].iter().zip(&known) {
            assert!((found - known).abs() < 1e-4 * known.abs().max(std), "{}", case.name);
        }
        assert!(found[2][..before].iter().all(|spread| *spread < 1e-4 * std), "{}", case.name);
        assert!(after.iter().any(|spread| *spread > 1e-3 * std), "{}", case.name);

        let refused = |known: &[f32], ahead| {
            let mut memory = vec![f32::NAN; all.memory(members)];
            let mut door = case.downscaler(&mut memory).expect("memory");
            door.forecast(known, ahead, members).map(|_| ()).expect_err("refused")
        };
        let needed = all.memory(members);
        let more = Case { frames: frames + 1, ..case }.memory(members);
        let too_long = Error::MemoryLength { values: needed, needed: more };
        assert_eq!(refused(&known, AHEAD + 1), too_long, "{}", case.name);
        assert!(matches!(refused(&known[1..], AHEAD), Error::FieldLength { .. }));
        let mut broken = known.clone();
        broken[5] = f32::NAN;
        let expected = Error::NotFinite { name: "known", index: 5 };
        assert_eq!(refused(&broken, AHEAD), expected, "{}", case.name);
    }
}

/// Memory in two parts gives the bits of memory in one, and a part that is too short is named.
#[test]
fn memory_in_two_parts_gives_the_same_bits() {
    const LAG: usize = 1;
    for case in cases() {
        let (footprint, instrument) = (Footprint::of(case.model), &case.instrument);
        let hot = Downscaler::hot_len(&footprint, instrument);
        let made = |(hot, cold): (usize, usize)| (vec![f32::NAN; hot], vec![f32::NAN; cold]);
        for members in [1, 3] {
            let cold = Downscaler::cold_len(&footprint, instrument, case.frames, members);
            let run = |lens| {
                let (mut hot, mut cold) = made(lens);
                let mut downscaler = case.in_two_parts(&mut hot, &mut cold)?;
                let fine = downscaler.ensemble(&case.coarse(), members)?;
                Ok([fine.frames, fine.mean, fine.spread].map(bits))
            };
            let mut memory = vec![f32::NAN; case.memory(members)];
            let mut one = case.downscaler(&mut memory).expect("enough memory");
            let fine = one.ensemble(&case.coarse(), members).expect("fine frames");
            let expected = [fine.frames, fine.mean, fine.spread].map(bits);
            assert_eq!(run((hot, cold)).as_ref(), Ok(&expected), "{}", case.name);
            assert_eq!(run((hot + 50, cold + 50)), Ok(expected), "{}", case.name);
            let refused = Error::MemoryLength { values: hot - 1, needed: hot };
            assert_eq!(run((hot - 1, cold)), Err(refused), "{}", case.name);
            let refused =
                |missing| Error::MemoryLength { values: hot + cold - missing, needed: hot + cold };
            // What the hot part has too much is no use to the cold one.
            assert_eq!(run((hot + 50, cold - 1)), Err(refused(1)), "{}", case.name);
        }
        let cold = Stream::cold_len(&footprint, instrument, LAG);
        let (mut hot, mut cold) = made((hot, cold));
        let parts = case.in_two_parts(&mut hot, &mut cold);
        let mut parts = parts.and_then(|d| d.stream(LAG)).expect("memory");
        let mut memory = vec![f32::NAN; Stream::memory_len(&footprint, instrument, LAG)];
        let mut one = case.downscaler(&mut memory).and_then(|d| d.stream(LAG)).expect("memory");
        let coarse = case.coarse();
        let len = coarse.len() / case.frames;
        for frame in coarse.chunks_exact(len) {
            let [parts, one] = [&mut parts, &mut one].map(|stream| {
                stream.push(Some(frame)).expect("a push").map(|fine| bits(fine.frames))
            });
            assert_eq!(parts, one, "{}", case.name);
        }
    }
}

#[test]
fn an_instrument_that_does_not_fit_is_refused() {
    let with = |instrument: Instrument<'static>| {
        let case = Case { name: "", model: KOLMOGOROV, instrument, frames: 1 };
        let mut memory = vec![0.0; 200_000];
        case.downscaler(&mut memory).map(|_| ()).expect_err("refused")
    };
    let points = |points| Instrument::new(points, Values::Points);
    assert!(matches!(with(points([32, 32])), Error::Conflict { name: "points", .. }));
    assert!(matches!(with(points([7, 8])), Error::AxisPoints { points: 7, .. }));
    assert_eq!(with(points([64, 8])), Error::GridMismatch);
    let means = Instrument::new([8, 10], Values::BlockMeans);
    assert!(matches!(with(means), Error::Conflict { name: "coarse", .. }));
    let dead = points([8, 8]).with_dead(&ALIVE[1..]);
    assert_eq!(with(dead), Error::LengthMismatch { left: 63, right: 64 });
    for noise in [&[-1.0_f32][..], &[f32::NAN]] {
        let noisy = points([8, 8]).with_noise(noise);
        assert!(matches!(with(noisy), Error::Parameter { name: "noise", .. }));
    }
    let case = cases()[0];
    let mut memory = vec![0.0; case.memory(1)];
    let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
    let refused = downscaler.downscale(&case.coarse()[1..]).err();
    assert!(matches!(refused, Some(Error::FieldLength { points: 64, .. })));
    let mut memory = vec![0.0; Stream::memory_len(&Footprint::of(case.model), &case.instrument, 0)];
    let mut stream = case.downscaler(&mut memory).and_then(|d| d.stream(0)).expect("memory");
    let refused = stream.push(Some(&[0.0; 63])).err();
    assert_eq!(refused, Some(Error::FieldLength { values: 63, points: 64 }));
}

/// What a constant reads of a file is what a model says.
#[test]
fn a_footprint_is_read_from_the_first_bytes() {
    for file in seeds() {
        with_model(&file, |model| {
            let model = model.expect("a seed");
            let footprint = Footprint::of(&file);
            assert_eq!(footprint, model.footprint());
            assert_eq!(footprint.frame_len(), model.channels() * model.grid().points());
            assert_eq!(usize::from(footprint.window), model.window());
            let [ny, nx] = footprint.points.map(usize::from);
            let rows = if model.grid().is_line() { 0 } else { model.grid().ny() };
            assert_eq!([ny, nx], [rows, model.grid().nx()]);
        });
        // No memory is enough for what is no model.
        for bytes in [&file[1..], &file[..79], &file[..file.len() - 1], &[]] {
            assert_eq!(Footprint::of(bytes).memory, u32::MAX);
        }
    }
}

/// A slot in flash is larger than the file in it.
#[test]
fn a_file_is_found_at_the_start_of_a_slot() {
    let mut slot = vec![0_u128; KOLMOGOROV.len().div_ceil(16) + 4];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut slot);
    bytes.fill(0xFF);
    bytes[..KOLMOGOROV.len()].copy_from_slice(KOLMOGOROV);
    let (model, rest) = Model::parse_prefix(bytes).expect("a model");
    assert_eq!((model.name(), rest.len()), ("kolmogorov-32", 64));
    assert_eq!(Model::parse(bytes).err(), Some(Invalid::Length));
    // Written in part, not written at all, and too small a slot.
    for written in [KOLMOGOROV.len() - 1, 80, 8, 0] {
        let mut slot = vec![0_u128; KOLMOGOROV.len().div_ceil(16) + 4];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut slot);
        bytes.fill(0xFF);
        bytes[..written].copy_from_slice(&KOLMOGOROV[..written]);
        assert!(Model::parse_prefix(bytes).is_err(), "{written}");
    }
    let cut = KOLMOGOROV.len() - 16;
    assert_eq!(Model::parse_prefix(&KOLMOGOROV[..cut]).err(), Some(Invalid::Length));
    assert_eq!(Model::parse_prefix(&KOLMOGOROV[..40]).err(), Some(Invalid::Length));
    assert_eq!(Model::parse_prefix(&[]).err(), Some(Invalid::Length));
}

/// Without a word about the sampler it is the model's, from λ* of the model or of the grid.
#[test]
fn the_sampler_is_the_models() {
    for (model, lambda, steps) in [(KOLMOGOROV, Some(1.0), 16), (WINDS, None, 16)] {
        let instrument = Instrument::new([8, 16], Values::Points);
        let case = Case { name: "", model, instrument, frames: 1 };
        let mut memory = vec![0.0; case.memory(1)];
        let downscaler = Downscaler::new(&case.model(), instrument, &mut memory).expect("memory");
        let sampler = *downscaler.sampler();
        assert_eq!(sampler.lambdas.steps(sampler.lambda), steps);
        let emerges =
            case.with_predictor(|predictor| emergence(predictor.describe(), &case.coarse_grid()));
        assert_eq!(sampler.lambda, lambda.or(emerges).expect("a λ"));
        assert_eq!(sampler, case.model().recommended().sampler(sampler.lambda));
    }
}
