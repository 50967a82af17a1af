//! The front door of conditional means gives the bits that the same steps give by hand, and its
//! sizes are exact.

use std::array;

use finescale::downscaler::MeanStream;
use finescale::mean::{ConditionalMean, Errors, Stream};
use finescale::model::{Footprint, Invalid, MeanFootprint, MeanModel};
use finescale::sampler::{Health, fill_pixels, pixel_measurement_scratch_len};
use finescale::{
    Error, Field, Instrument, MeanDownscaler, Modes, NoiseStream, Path, Values, include_model,
    spectral,
};

static FLOW: &[u8] =
    include_model!("../../models/kolmogorov-32-means/kolmogorov-32-means-int16.finescale");
static FRONT: &[u8] =
    include_model!("../../models/kuramoto-sivashinsky-means/kuramoto-sivashinsky-means.finescale");
static TWO_CHANNELS: &[u8] = include_model!("../fuzz/means/mean-plane-int8.finescale");
static POINTS: &[u8] = include_model!("../fuzz/means/mean-modes-f32.finescale");
static BASE: &[u8] = include_model!("../fuzz/means/mean-base-f32.finescale");
static MAP: &[u8] = include_model!("../fuzz/means/mean-map-int8.finescale");

const SEED: u64 = 11;
const NOISE: f32 = 0.02;
const FRAMES: usize = 5;

static DEAD: [bool; 64] = {
    let mut dead = [false; 64];
    (dead[9], dead[30]) = (true, true);
    dead
};
static DEAD_ON_LINE: [bool; 16] = {
    let mut dead = [false; 16];
    dead[5] = true;
    dead
};

/// A model and its sensor.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    file: &'static [u8],
    instrument: Instrument<'static>,
}

fn case(name: &'static str, file: &'static [u8]) -> Case {
    let model = MeanModel::parse(file).expect("a committed mean");
    Case { name, file, instrument: Instrument::new(model.coarse_points(), model.sensor()) }
}

fn cases() -> Vec<Case> {
    let dead = |name, file, dead| {
        let case = case(name, file);
        Case { instrument: case.instrument.with_dead(dead).with_noise(&[NOISE]), ..case }
    };
    vec![
        case("a flow", FLOW),
        case("a front", FRONT),
        case("two channels", TWO_CHANNELS),
        case("points", POINTS),
        case("a map", MAP),
        case("a base alone", BASE),
        dead("dead points", FLOW, &DEAD),
        dead("a dead point on a line", FRONT, &DEAD_ON_LINE),
    ]
}

impl Case {
    fn model(&self) -> MeanModel<'static> {
        MeanModel::parse(self.file).expect("a committed mean")
    }

    /// Smooth frames in units that are as large as the model's.
    fn coarse(&self) -> Vec<f32> {
        let (model, points) = (self.model(), self.instrument.points.iter().product::<usize>());
        let described: Vec<_> = model.channel_descriptions().collect();
        let value = |at: usize| {
            let (frame, channel) = (at / model.coarse_len(), at / points % described.len());
            let phase = 0.3 * (at % points) as f32 + 0.2 * frame as f32 + channel as f32;
            described[channel].mean + described[channel].std * phase.sin()
        };
        (0..FRAMES * model.coarse_len()).map(value).collect()
    }

    fn memory(&self, members: u32) -> usize {
        let footprint = MeanFootprint::of(self.file);
        MeanDownscaler::memory_len(&footprint, &self.instrument, FRAMES, members)
    }

    fn downscaler<'m>(&self, memory: &'m mut [f32]) -> Result<MeanDownscaler<'m>, Error> {
        Ok(MeanDownscaler::new(&self.model(), self.instrument, memory)?.with_seed(SEED))
    }

    fn in_two_parts<'m>(
        &self,
        hot: &'m mut [f32],
        cold: &'m mut [f32],
    ) -> Result<MeanDownscaler<'m>, Error> {
        let downscaler = MeanDownscaler::in_two_parts(&self.model(), self.instrument, hot, cold)?;
        Ok(downscaler.with_seed(SEED))
    }

    /// Coarse frames whose dead points are filled.
    fn filled_by_hand(&self) -> Vec<f32> {
        let (model, mut coarse) = (self.model(), self.coarse());
        if self.instrument.dead.is_empty() {
            return coarse;
        }
        assert_eq!((model.channels(), model.sensor()), (1, Values::BlockMeans));
        let (fine, arrays) = (*model.grid(), model.arrays());
        let grid = fine.with_points(self.instrument.points).expect("a coarse grid");
        let channel = model.channel_descriptions().next().expect("a channel");
        // Power of the pixels' modes: |A|² P of the fields that they show.
        let mut average = vec![0.0; fine.points()];
        spectral::block_average(&fine, &grid, &mut average).expect("whole blocks");
        let mut shown = arrays.input_power.to_vec();
        for mode in spectral::operator::complex_modes(&fine) {
            let (re, im) = (average[mode.re], mode.im.map_or(0.0, |im| average[im]));
            shown[mode.re] *= re * re + im * im;
            if let Some(at) = mode.im {
                shown[at] *= re * re + im * im;
            }
        }
        let mut power = vec![0.0; grid.points()];
        spectral::coarsen_variances(&fine, &shown, &grid, &mut power).expect("a coarse grid");
        let r = (NOISE / channel.std) * (NOISE / channel.std);
        let dead = self.instrument.dead;
        let variances: Vec<f32> =
            dead.iter().map(|dead| if *dead { f32::INFINITY } else { r }).collect();
        let mut scratch = vec![0.0; pixel_measurement_scratch_len(&grid, &variances)];
        for frame in coarse.chunks_exact_mut(grid.points()) {
            let usual = arrays.coarse_climatology;
            let mut pixels: Vec<f32> = frame
                .iter()
                .zip(usual)
                .map(|(value, usual)| (value - channel.mean) / channel.std - usual)
                .collect();
            fill_pixels(&grid, &power, Field::coarse_mut(&mut pixels), &variances, &mut scratch)
                .expect("pixels");
            for (n, value) in frame.iter_mut().enumerate().filter(|(n, _)| dead[*n]) {
                *value = (pixels[n] + usual[n]) * channel.std + channel.mean;
            }
        }
        coarse
    }

    /// The mean's frames, with the errors of a member if one is asked for.
    fn by_hand(&self, member: Option<u32>) -> Vec<f32> {
        let (model, coarse) = (self.model(), self.filled_by_hand());
        let mut memory = vec![f32::NAN; ConditionalMean::memory_len(&model)];
        let mean = ConditionalMean::new(&model, &mut memory).expect("memory");
        let mut scratch = vec![f32::NAN; ConditionalMean::scratch_len(&model)];
        let mut path = vec![0.0; FRAMES * model.fine_len()];
        for (n, fine) in path.chunks_exact_mut(model.fine_len()).enumerate() {
            mean.evaluate(Path::coarse_fields(&coarse), n, Field::from_mut(fine), &mut scratch)
                .expect("a mean");
        }
        let Some(member) = member else { return path };
        let mut memory = vec![f32::NAN; Errors::memory_len(&model)];
        let mut errors = Errors::new(&model, &mut memory).expect("memory");
        let mut scratch = vec![f32::NAN; Errors::scratch_len(&model)];
        let mut modes = vec![0.0; path.len()];
        let noise = NoiseStream { seed: SEED, member, ..NoiseStream::default() };
        errors.draw(0, &noise, Path::modes_mut(&mut modes)).expect("modes");
        let frames = path.chunks_exact_mut(model.fine_len());
        for (fine, modes) in frames.zip(modes.chunks_exact(model.fine_len())) {
            errors.add(Modes::new(modes), Field::from_mut(fine), &mut scratch).expect("a frame");
        }
        path
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_door_gives_the_bits_of_the_steps_by_hand() {
    for case in cases() {
        let mut memory = vec![f32::NAN; case.memory(2)];
        let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
        for _ in 0..2 {
            let fine = downscaler.downscale(&case.coarse()).expect("fine frames");
            assert_eq!(bits(fine.frames), bits(&case.by_hand(None)), "{}", case.name);
            assert_eq!((fine.mean, fine.spread), (fine.frames, &[][..]), "{}", case.name);
            let alive =
                case.instrument.points.iter().product::<usize>() - case.instrument.dead_points();
            let measured = FRAMES * case.model().channels() * alive;
            assert_eq!(fine.health.measured as usize, measured, "{}", case.name);
            let one = downscaler.ensemble(&case.coarse(), 1).expect("a member");
            assert_eq!(bits(one.frames), bits(&case.by_hand(Some(0))), "{}", case.name);
            assert_eq!((one.mean, one.spread), (one.frames, &[][..]), "{}", case.name);
        }
    }
}

#[test]
fn an_ensemble_has_the_mean_and_the_spread_of_its_members() {
    let case = cases()[6];
    let members: [Vec<f32>; 3] = array::from_fn(|member| case.by_hand(Some(member as u32)));
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
    for case in cases() {
        let (model, coarse, filled) = (case.model(), case.coarse(), case.filled_by_hand());
        let len = model.coarse_len();
        let footprint = MeanFootprint::of(case.file);
        let mut memory = vec![f32::NAN; MeanStream::memory_len(&footprint, &case.instrument)];
        let mut door = case.downscaler(&mut memory).and_then(|d| d.stream()).expect("memory");
        assert_eq!(door.lag(), model.after());

        let mut memory = vec![f32::NAN; ConditionalMean::memory_len(&model)];
        let mean = ConditionalMean::new(&model, &mut memory).expect("memory");
        let mut window = vec![f32::NAN; Stream::memory_len(&model)];
        let mut by_hand = Stream::new(mean, &mut window).expect("memory");
        let mut scratch = vec![f32::NAN; ConditionalMean::scratch_len(&model)];
        let mut fine = vec![f32::NAN; model.fine_len()];

        let mut given = 0;
        assert!(door.push(None).expect("a push").is_none(), "nothing has come yet");
        // The last frames come out when others follow them.
        for n in 0..FRAMES + model.after() {
            let frame =
                |from: &[f32]| (n != 1 && n < FRAMES).then(|| from[n * len..][..len].to_vec());
            let there = by_hand.push(
                frame(&filled).as_deref().map(Field::coarse),
                Field::from_mut(&mut fine),
                &mut scratch,
            );
            let given_out = door.push(frame(&coarse).as_deref()).expect("a push");
            assert_eq!(there, Ok(given_out.is_some()), "{}, frame {n}", case.name);
            if let Some(found) = given_out {
                assert_eq!(bits(found.frames), bits(&fine), "{}, frame {n}", case.name);
                assert_eq!(found.mean, found.frames);
                assert!(found.health.measured > 0 && !found.health.is_alarming());
                given += 1;
            }
        }
        assert_eq!(given, FRAMES, "{}", case.name);
        assert_eq!(
            door.push(Some(&coarse[1..len])).err(),
            Some(Error::FieldLength { values: len - 1, points: len })
        );
    }
}

/// A pixel that is dead is not read; one that is not says something.
#[test]
fn dead_pixels_are_no_measurement() {
    for case in &cases()[6..] {
        let mut coarse = case.coarse();
        let len = case.model().coarse_len();
        let dead = case.instrument.dead.iter().position(|dead| *dead).expect("a dead pixel");
        let drawn = |case: &Case, coarse: &[f32]| {
            let mut memory = vec![f32::NAN; case.memory(0)];
            let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
            downscaler.downscale(coarse).map(|fine| (bits(fine.frames), fine.health))
        };
        let fine = drawn(case, &coarse).expect("fine frames");
        (coarse[dead], coarse[len + dead]) = (f32::NAN, 1e6);
        assert_eq!(drawn(case, &coarse), Ok(fine), "{}", case.name);
        coarse[len + dead + 1] = f32::INFINITY;
        let refused = Error::NotFinite { name: "coarse", index: len + dead + 1 };
        assert_eq!(drawn(case, &coarse), Err(refused), "{}", case.name);

        // Where none is dead, a map says nothing.
        let alive: &'static [bool] = &[false; 64][..len];
        let [none, alive] = [&[][..], alive].map(|dead| {
            let case = Case { instrument: case.instrument.with_dead(dead), ..*case };
            drawn(&case, &case.coarse()).expect("fine frames")
        });
        assert_eq!(none, alive, "{}", case.name);
    }
}

/// Frames of the flow on 8 × 8 points.
fn flow() -> Vec<f32> {
    static FRAMES_8X8: &[u8] = include_bytes!("../golden/vectors/kolmogorov-8x8.f32");
    let words = FRAMES_8X8.as_chunks::<4>().0.iter();
    words.map(|word| f32::from_le_bytes(*word)).take(FRAMES * 64).collect()
}

/// Of frames of the flow, dead pixels are filled better than by their climatology.
#[test]
fn a_filled_pixel_is_near_the_one_that_was_lost() {
    let (whole, dead) = (case("whole", FLOW), cases()[6]);
    let (model, coarse) = (whole.model(), flow());
    let fine = |case: &Case, coarse: &[f32]| {
        let mut memory = vec![f32::NAN; case.memory(0)];
        let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
        downscaler.downscale(coarse).expect("fine frames").frames.to_vec()
    };
    let channel = model.channel_descriptions().next().expect("a channel");
    let mut usual = coarse.clone();
    for (n, value) in usual.iter_mut().enumerate().filter(|(n, _)| DEAD[n % 64]) {
        *value = channel.mean + channel.std * model.arrays().coarse_climatology[n % 64];
    }
    let truth = fine(&whole, &coarse);
    let off = |other: &[f32]| {
        other.iter().zip(&truth).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
    };
    let [filled, usual] = [off(&fine(&dead, &coarse)), off(&fine(&whole, &usual))];
    println!("off by {filled:.1} filled, by {usual:.1} at the climatology");
    assert!(filled < 0.9 * usual, "{filled} of {usual}");
}

#[test]
fn sizes_are_exact_and_short_memory_is_refused() {
    for case in cases() {
        for members in [0, 1, 2] {
            let needed = case.memory(members);
            let run = |len: usize| {
                let mut memory = vec![f32::NAN; len];
                let mut downscaler = case.downscaler(&mut memory)?;
                let fine = match members {
                    0 => downscaler.downscale(&case.coarse())?,
                    _ => downscaler.ensemble(&case.coarse(), members)?,
                };
                assert!(fine.frames.iter().chain(fine.spread).all(|value| value.is_finite()));
                Ok(bits(fine.frames))
            };
            let enough = run(needed).expect("enough memory");
            assert_eq!(run(needed + 50), Ok(enough), "{}", case.name);
            let refused = Error::MemoryLength { values: needed - 1, needed };
            assert_eq!(run(needed - 1), Err(refused), "{}", case.name);
        }
        let footprint = MeanFootprint::of(case.file);
        let one = MeanDownscaler::memory_len(&footprint, &case.instrument, 1, 0);
        let mut memory = vec![f32::NAN; one - 1];
        let refused = case.downscaler(&mut memory).map(|_| ());
        assert_eq!(refused, Err(Error::MemoryLength { values: one - 1, needed: one }));

        let needed = MeanStream::memory_len(&footprint, &case.instrument);
        let made = |len: usize| {
            let mut memory = vec![f32::NAN; len];
            case.downscaler(&mut memory).and_then(|d| d.stream()).map(|_| ())
        };
        assert_eq!(made(needed), Ok(()), "{}", case.name);
        let refused = Error::MemoryLength { values: needed - 1, needed };
        assert_eq!(made(needed - 1), Err(refused), "{}", case.name);
    }
}

/// Memory in two parts gives the bits of memory in one, and a part that is too short is named.
#[test]
fn memory_in_two_parts_gives_the_same_bits() {
    for case in cases() {
        let (footprint, instrument) = (MeanFootprint::of(case.file), &case.instrument);
        let hot = MeanDownscaler::hot_len(&footprint, instrument);
        for members in [0, 3] {
            let cold = MeanDownscaler::cold_len(&footprint, instrument, FRAMES, members);
            let fine = |mut downscaler: MeanDownscaler<'_>| {
                let coarse = case.coarse();
                let fine = if members > 0 {
                    downscaler.ensemble(&coarse, members)?
                } else {
                    downscaler.downscale(&coarse)?
                };
                Ok([fine.frames, fine.mean, fine.spread].map(bits))
            };
            let run = |hot: usize, cold: usize| {
                let (mut hot, mut cold) = (vec![f32::NAN; hot], vec![f32::NAN; cold]);
                case.in_two_parts(&mut hot, &mut cold).and_then(fine)
            };
            let mut memory = vec![f32::NAN; case.memory(members)];
            let expected = case.downscaler(&mut memory).and_then(fine).expect("fine frames");
            assert_eq!(run(hot, cold), Ok(expected), "{}", case.name);
            let refused = Error::MemoryLength { values: hot - 1, needed: hot };
            assert_eq!(run(hot - 1, cold), Err(refused), "{}", case.name);
            let refused = Error::MemoryLength { values: hot + cold - 1, needed: hot + cold };
            assert_eq!(run(hot + 50, cold - 1), Err(refused), "{}", case.name);
        }
        let cold = MeanStream::cold_len(&footprint, instrument);
        let (mut hot, mut cold) = (vec![f32::NAN; hot], vec![f32::NAN; cold]);
        let parts = case.in_two_parts(&mut hot, &mut cold);
        let mut parts = parts.and_then(|d| d.stream()).expect("memory");
        let mut memory = vec![f32::NAN; MeanStream::memory_len(&footprint, instrument)];
        let mut one = case.downscaler(&mut memory).and_then(|d| d.stream()).expect("memory");
        for frame in case.coarse().chunks_exact(case.model().coarse_len()) {
            let [parts, one] = [&mut parts, &mut one].map(|stream| {
                stream.push(Some(frame)).expect("a push").map(|fine| bits(fine.frames))
            });
            assert_eq!(parts, one, "{}", case.name);
        }
    }
}

#[test]
fn a_sensor_that_is_not_the_models_is_refused() {
    let with = |file: &'static [u8], instrument: Instrument<'static>| {
        let case = Case { name: "", file, instrument };
        let mut memory = vec![0.0; 400_000];
        case.downscaler(&mut memory).map(|_| ()).expect_err("refused")
    };
    let sensor = case("", FLOW).instrument;
    for other in [
        Instrument { points: [8, 16], ..sensor },
        Instrument { points: [16, 8], ..sensor },
        Instrument { values: Values::Points, ..sensor },
    ] {
        assert!(matches!(with(FLOW, other), Error::Conflict { name: "instrument", .. }));
    }
    // Dead pixels are filled by a transform, and by a power that files of networks have.
    static ONE: [bool; 30] = {
        let mut dead = [false; 30];
        dead[2] = true;
        dead
    };
    let points = case("", POINTS).instrument.with_dead(&ONE);
    assert!(matches!(with(POINTS, points), Error::AxisPoints { .. }));
    let base = case("", BASE).instrument.with_dead(&ONE[..4]);
    assert!(matches!(with(BASE, base), Error::Conflict { name: "dead", .. }));
    let dead = sensor.with_dead(&DEAD[1..]);
    assert_eq!(with(FLOW, dead), Error::LengthMismatch { left: 63, right: 64 });
    for noise in [&[-1.0_f32][..], &[f32::NAN]] {
        let noisy = sensor.with_noise(noise);
        assert!(matches!(with(FLOW, noisy), Error::Parameter { name: "noise", .. }));
    }
    let case = cases()[0];
    let mut memory = vec![0.0; case.memory(0)];
    let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
    let refused = downscaler.downscale(&case.coarse()[1..]).err();
    assert!(matches!(refused, Some(Error::FieldLength { points: 64, .. })));
}

/// Frames of the very flow fit; in other units they do not.
#[test]
fn frames_in_other_units_raise_the_alarm() {
    let coarse = flow();
    let case = cases()[0];
    let mut memory = vec![f32::NAN; case.memory(0)];
    let mut downscaler = case.downscaler(&mut memory).expect("enough memory");
    let mut health = |coarse: &[f32]| downscaler.downscale(coarse).expect("fine frames").health;
    let chi2 = |health: Health| health.chi2_per_mode().expect("measured points");
    let usual = health(&coarse);
    println!("χ² of each point: {}", chi2(usual));
    assert!((0.3..2.0).contains(&chi2(usual)) && !usual.is_alarming());
    let other: Vec<f32> = coarse.iter().map(|value| 10.0 * value + 273.15).collect();
    assert!(health(&other).is_alarming());
}

/// What a constant reads of a file is what a model says; each kind of file has its own constant.
#[test]
fn a_footprint_is_read_from_the_first_bytes() {
    for file in [FLOW, FRONT, TWO_CHANNELS, POINTS, MAP] {
        let (model, footprint) = (MeanModel::parse(file).expect("a mean"), MeanFootprint::of(file));
        assert_eq!(footprint, model.footprint());
        assert_eq!(footprint, ConditionalMean::footprint(&model));
        assert_eq!(footprint.fine_len(), model.fine_len());
        assert_eq!(footprint.coarse_len(), model.coarse_len());
        assert_eq!(usize::from(footprint.frames), model.frames());
        // No memory is enough for what is no mean.
        for bytes in [&file[1..], &file[..79], &file[..file.len() - 1], &[]] {
            assert_eq!(MeanFootprint::of(bytes).memory, u32::MAX);
        }
        assert_eq!(Footprint::of(file).memory, u32::MAX);
    }
    static PREDICTOR: &[u8] =
        include_model!("../../models/kolmogorov-32/kolmogorov-32-int16.finescale");
    assert_eq!(MeanFootprint::of(PREDICTOR).memory, u32::MAX);
}

/// If this failed, an update over the air would need the length of the file beside it.
#[test]
fn a_mean_is_found_at_the_start_of_a_slot() {
    let mut slot = vec![0xFFFF_FFFF_u32; FLOW.len() / 4 + 16];
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut slot);
    bytes[..FLOW.len()].copy_from_slice(FLOW);
    let (model, rest) = MeanModel::parse_prefix(bytes).expect("a model");
    assert_eq!((model.name(), rest.len()), ("kolmogorov-32-means", 64));
    bytes[FLOW.len() - 1] ^= 1;
    assert_eq!(MeanModel::parse_prefix(bytes).err(), Some(Invalid::Checksum));
    for cut in [0, 40, FLOW.len() - 4] {
        assert_eq!(MeanModel::parse_prefix(&FLOW[..cut]).err(), Some(Invalid::Length), "{cut}");
    }
}
