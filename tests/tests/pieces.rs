//! Sampling in small pieces: the bits of a task that runs to its end, pieces that are small indeed,
//! and what a path is worth whose time is up.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use finescale::downscaler::Stream;
use finescale::model::{Footprint, Model};
use finescale::predictor::{Prepared, Trained, Wrapper};
use finescale::sampler::{Clip, Drawing, Langevin, Origin, Start};
use finescale::{
    Downscaler, Error, Instrument, Modes, NoiseStream, Path, Predictor, Sampler, Values,
    include_model,
};

static MODEL: &[u8] = include_model!("../../models/kolmogorov-32/kolmogorov-32-int16.finescale");
static LINE: &[u8] = include_model!("../../models/lorenz96/lorenz96-int8.finescale");
const SENSOR: Instrument<'static> = Instrument::new([8, 8], Values::BlockMeans).with_noise(&[0.02]);
const NOISE: NoiseStream = NoiseStream { seed: 5, member: 1, frame: 0, draw: 0 };

fn coarse(frames: usize) -> Vec<f32> {
    (0..frames * 64).map(|n| (0.37 * n as f32).sin()).collect()
}

#[test]
fn members_have_the_same_bits_in_pieces_even_where_a_drawing_was_dropped() -> Result<(), Error> {
    let model = Model::parse(MODEL)?;
    let mut memory = vec![0.0; Downscaler::memory_len(&Footprint::of(MODEL), &SENSOR, 2, 2)];
    let mut downscaler = Downscaler::new(&model, SENSOR, &mut memory)?.with_seed(3);
    let coarse = coarse(2);
    let whole = downscaler.ensemble(&coarse, 2)?;
    assert_eq!((whole.members, whole.unfinished), (2, None));
    let expected = (whole.frames.to_vec(), whole.mean.to_vec(), whole.spread.to_vec());
    let health = whole.health;

    let mut dropped = downscaler.begin(&coarse, 2)?;
    for _ in 0..20 {
        assert!(!dropped.advance()?);
    }
    let mut downscaling = downscaler.begin(&coarse, 2)?;
    let mut pieces = 0;
    while !downscaling.advance()? {
        pieces += 1;
    }
    assert!(pieces > 2 * 8 * 2, "{pieces} pieces are too few for two members of eight steps");
    let fine = downscaling.finish()?;
    assert_eq!((fine.frames, fine.mean, fine.spread), (&*expected.0, &*expected.1, &*expected.2));
    assert_eq!((fine.health, fine.members, fine.unfinished), (health, 2, None));
    Ok(())
}

#[test]
fn a_stream_has_the_same_bits_in_pieces_and_forgets_a_push_that_was_dropped() -> Result<(), Error> {
    let model = Model::parse(MODEL)?;
    let len = Stream::memory_len(&Footprint::of(MODEL), &SENSOR, 1);
    let (mut memory, mut other) = (vec![0.0; len], vec![0.0; len]);
    let mut whole = Downscaler::new(&model, SENSOR, &mut memory)?.stream(1)?;
    let mut pieces = Downscaler::new(&model, SENSOR, &mut other)?.stream(1)?;
    let frames = coarse(4);
    for (n, frame) in frames.chunks_exact(64).enumerate() {
        // The third frame is lost.
        let frame = (n != 2).then_some(frame);
        let expected = whole.push(frame)?.map(|fine| (fine.frames.to_vec(), fine.health));
        if n > 0
            && let Some(mut push) = pieces.begin(Some(&frames[..64]))?
        {
            for _ in 0..7 {
                push.advance()?;
            }
        }
        let found = match pieces.begin(frame)? {
            None => None,
            Some(mut push) => {
                while !push.advance()? {}
                let fine = push.finish()?;
                Some((fine.frames.to_vec(), fine.health))
            }
        };
        assert_eq!(found, expected, "frame {n}");
    }
    Ok(())
}

/// Counts what a piece does.
#[derive(Default)]
struct Counter {
    evaluations: AtomicU32,
}

impl Wrapper for Counter {
    fn increment(
        &self,
        inner: &Prepared<'_>,
        window: &Path<Modes>,
        increment: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        inner.increment(Path::modes(window), Modes::from_mut(increment), scratch)
    }

    fn vjp(
        &self,
        inner: &Prepared<'_>,
        cotangent: &Modes,
        gradient: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        inner.vjp(Modes::new(cotangent), Path::modes_mut(gradient), scratch)
    }
}

struct Counted<'p, 'a> {
    predictor: &'p mut Trained<'a>,
    counter: &'p Counter,
    /// The λ that it is prepared for, and how often that changed.
    lambda: Cell<f32>,
    prepared: &'p AtomicU32,
}

impl Predictor for Counted<'_, '_> {
    fn describe(&self) -> &finescale::predictor::Description<'_> {
        self.predictor.describe()
    }

    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error> {
        if self.lambda.replace(lambda) != lambda {
            self.prepared.fetch_add(1, Ordering::Relaxed);
        }
        Ok(self.predictor.prepare(lambda)?.wrapped(self.counter))
    }
}

#[test]
fn a_piece_is_at_most_one_evaluation_and_one_set_of_tables() -> Result<(), Error> {
    const FRAMES: usize = 5;
    let model = Model::parse(LINE)?;
    let mut memory = vec![0.0; Trained::memory_len(&model)];
    let mut predictor = Trained::new(&model, &mut memory)?;
    let frame = predictor.describe().frame_len();
    let ours = Sampler::ancestral(0.1);
    let clip = Some(Clip { state: 1.0, score: 2.0 });
    let correctors = Some(Langevin { count: 2, snr: 0.3 });
    let samplers = [
        ours,
        Sampler { clip, correctors, clamp: Some(1.5), quiet_steps: 2, ..ours },
        Sampler {
            lambdas: finescale::sampler::Schedule::Equal { step: 0.03 },
            ..Sampler::published(0.1, 0.7)
        },
    ];
    for sampler in samplers {
        let mut scratch = vec![0.0; sampler.scratch_len(predictor.describe(), FRAMES)];
        let mut expected = vec![0.0; FRAMES * frame];
        let health = sampler.generate(
            &mut predictor,
            Start::Rollout,
            None,
            &NOISE,
            Path::modes_mut(&mut expected),
            &mut scratch,
        )?;
        let (counter, prepared) = (Counter::default(), AtomicU32::new(0));
        let mut counted = Counted {
            predictor: &mut predictor,
            counter: &counter,
            lambda: Cell::new(f32::NAN),
            prepared: &prepared,
        };
        let origin = Origin::start(Start::Rollout);
        let mut drawing = Drawing::new(sampler, &NOISE);
        let mut path = vec![0.0; FRAMES * frame];
        loop {
            let before =
                (counter.evaluations.load(Ordering::Relaxed), prepared.load(Ordering::Relaxed));
            let done =
                drawing.advance(&mut counted, &origin, Path::modes_mut(&mut path), &mut scratch)?;
            assert!(counter.evaluations.load(Ordering::Relaxed) - before.0 <= 1);
            assert!(prepared.load(Ordering::Relaxed) - before.1 <= 1);
            if done {
                break;
            }
        }
        assert_eq!(path, expected);
        assert_eq!((drawing.health(), drawing.lambda()), (health, 0.0));
    }
    Ok(())
}

#[test]
fn a_path_whose_time_is_up_is_as_far_from_the_truth_as_it_says() -> Result<(), Error> {
    let model = Model::parse(LINE)?;
    let mut memory = vec![0.0; Trained::memory_len(&model)];
    let predictor = Trained::new(&model, &mut memory)?;
    let description = predictor.describe();
    let frame = description.frame_len();
    for lambda in [0.02, 0.3] {
        let (mut error, mut said, mut count) = (0.0, 0.0, 0.0);
        for draw in 0..40 {
            // Clean modes of the climate, and the same at λ.
            let mut clean = vec![0.0; frame];
            NoiseStream { draw, ..NOISE }.fill(&mut clean);
            clean.iter_mut().zip(description.power).for_each(|(u, p)| *u *= p.sqrt());
            let mut path = clean.clone();
            let noise = NoiseStream { draw: 1000 + draw, ..NOISE };
            description.process.apply_stream(
                &description.grid,
                lambda,
                Modes::from_mut(&mut path),
                &noise,
            )?;
            let drawing = Drawing::new(Sampler::ancestral(lambda), &NOISE);
            let left =
                drawing.estimate(description, &Origin::path(), Path::modes_mut(&mut path))?;
            let left = left.expect("it is not done");
            assert_eq!(left.lambda, lambda);
            error += path.iter().zip(&clean).map(|(u, v)| f64::from(u - v).powi(2)).sum::<f64>();
            said += f64::from(left.deviation).powi(2) * frame as f64;
            count += frame as f64;
        }
        let (error, said) = ((error / count).sqrt(), (said / count).sqrt());
        assert!((error / said - 1.0).abs() < 0.03, "λ = {lambda}: {error} and {said}");
        assert!(said > 0.02 && said < 1.0);
    }
    Ok(())
}

#[test]
fn a_deadline_gives_a_marked_frame_that_gets_better() -> Result<(), Error> {
    let model = Model::parse(MODEL)?;
    let exact = Instrument::new([8, 8], Values::Points);
    let mut memory = vec![0.0; Downscaler::memory_len(&Footprint::of(MODEL), &exact, 2, 1)];
    let mut downscaler = Downscaler::new(&model, exact, &mut memory)?;
    let coarse = coarse(2);
    let drawn = downscaler.downscale(&coarse)?.frames.to_vec();
    let (mut last, mut lambdas) = (f32::INFINITY, Vec::new());
    for pieces in (0..).step_by(5) {
        let mut downscaling = downscaler.begin(&coarse, 1)?;
        let done = (0..pieces).try_fold(false, |_, _: i32| downscaling.advance())?;
        let fine = downscaling.finish()?;
        assert!(fine.frames.iter().all(|value| value.is_finite()));
        let Some(left) = fine.unfinished else {
            assert!(done);
            assert_eq!((fine.frames, fine.members), (&*drawn, 1));
            break;
        };
        assert!(!done && fine.members == 0 && fine.spread.is_empty());
        assert!(left.deviation <= last, "after {pieces} pieces");
        last = left.deviation;
        if lambdas.last() != Some(&left.lambda) {
            lambdas.push(left.lambda);
        }
    }
    assert!(lambdas.len() > 4 && lambdas.is_sorted_by(|a, b| a > b), "{lambdas:?}");
    assert!(last < 0.9);
    Ok(())
}

#[test]
fn what_is_ended_at_once_does_not_depend_on_what_was_drawn_before() -> Result<(), Error> {
    let model = Model::parse(MODEL)?;
    let len = Downscaler::memory_len(&Footprint::of(MODEL), &SENSOR, 1, 2);
    let (mut memory, mut used) = (vec![0.0; len], vec![0.0; len]);
    let coarse = coarse(1);
    let mut fresh = Downscaler::new(&model, SENSOR, &mut memory)?;
    let expected = fresh.begin(&coarse, 2)?.finish()?.frames.to_vec();
    let mut used = Downscaler::new(&model, SENSOR, &mut used)?;
    let first = {
        let negative: Vec<f32> = coarse.iter().map(|value| -3.0 * value).collect();
        used.downscale(&negative)?;
        let found = used.begin(&coarse, 2)?.finish()?;
        assert_eq!((found.frames, found.members), (&*expected, 0));
        assert!(found.unfinished.is_some());

        // Between two members there is the first one, whole.
        let mut downscaling = used.begin(&coarse, 2)?;
        while downscaling.done() == 0 {
            assert!(!downscaling.advance()?);
        }
        let found = downscaling.finish()?;
        assert_eq!((found.members, found.unfinished, found.mean), (1, None, found.frames));
        found.frames.to_vec()
    };
    assert_ne!(first, expected);
    Ok(())
}
