//! A model of coupled channels behind the front door: fields of channels in units go in and come
//! out, and the channels of everything between are their combinations.

#[path = "../../fixtures/models.rs"]
mod models;

use finescale::model::{Invalid, Model as View};
use finescale::predictor::Trained;
use finescale::sampler::{Coarse, Observation, Schedule};
use finescale::{
    Downscaler, Error, Field, Instrument, Modes, NoiseStream, Path, Predictor, Sampler, Values,
    spectral,
};
use finescale_field::modes::Group;
use finescale_field::scale::Scale;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file};
use models::{Kind, kinds, model};

const FRAMES: usize = 3;

fn stored(precision: Precision) -> AlignedBytes {
    with_switch(precision, 0.0)
}

fn with_switch(precision: Precision, switch: f32) -> AlignedBytes {
    let kind = kinds().into_iter().find(|kind| kind.name == "coupled-line").unwrap();
    let model = model(&Kind { x: (32, kind.x.1), switch, ..kind });
    let bounds = Bounds::ones(model.meta.layers().unwrap().len());
    AlignedBytes::new(&file(&model, precision, &bounds).unwrap())
}

fn sampler() -> Sampler {
    Sampler { lambdas: Schedule::Power { steps: 3, exponent: 2 }, ..Sampler::ancestral(0.3) }
}

/// Coarse frames in units, whose channels have nothing in common.
fn coarse(view: &View<'_>) -> Vec<f32> {
    let channels: Vec<_> = view.channel_descriptions().collect();
    let value = |at: usize| {
        let (frame, channel, point) = (at / 32, at / 16 % 2, at % 16);
        let phase = 0.4 * (point * (1 + channel)) as f32 + 0.2 * frame as f32 + channel as f32;
        channels[channel].mean + channels[channel].std * phase.sin()
    };
    (0..FRAMES * 32).map(value).collect()
}

const INSTRUMENT: Instrument<'static> = Instrument::new([1, 16], Values::Points);

fn downscaled(view: &View<'_>, instrument: Instrument<'_>) -> Result<Vec<f32>, Error> {
    let len = Downscaler::memory_len(&view.footprint(), &instrument, FRAMES, 1);
    let mut memory = vec![f32::NAN; len];
    let mut downscaler = Downscaler::new(view, instrument, &mut memory)?.with_sampler(sampler());
    Ok(downscaler.downscale(&coarse(view))?.frames.to_vec())
}

/// The bits of the steps by hand; the host's way to modes and back is one of them.
#[test]
fn the_door_turns_channels_and_turns_them_back() {
    for precision in [Precision::F32, Precision::Int8, Precision::Int16] {
        let bytes = stored(precision);
        let view = bytes.parse().unwrap();
        let (fine, process) = (*view.grid(), *view.process());
        assert_eq!(process.coupling(), 0.4);
        let grid = fine.with_points([1, 16]).unwrap();
        let scale = Scale::of(&view);
        let mut spectra = coarse(&view);
        scale.spectra(&grid, Field::from_mut(&mut spectra)).unwrap();
        let mut values = vec![0.0; 2 * spectra.len()];
        spectral::refine(&grid, Modes::coarse(&spectra), &fine, Modes::from_mut(&mut values))
            .unwrap();
        let mut variances = vec![0.0; 64];
        for r in variances.chunks_exact_mut(32) {
            spectral::refine_variances(&grid, &[0.0; 16], &fine, r).unwrap();
        }
        let seen = Observation::new(&fine, Path::modes(&values), &variances).unwrap();
        let mut memory = vec![f32::NAN; Trained::memory_len(&view)];
        let mut predictor = Trained::new(&view, &mut memory).unwrap();
        let mut path = values.clone();
        process.damp(&fine, sampler().lambda, Modes::from_mut(&mut path)).unwrap();
        let mut scratch = vec![f32::NAN; sampler().scratch_len(predictor.describe(), FRAMES)];
        let stream = NoiseStream::default();
        let (clean, seen) = (Coarse::Clean, Some(&seen));
        sampler()
            .super_resolve(
                &mut predictor,
                clean,
                seen,
                &stream,
                Path::modes_mut(&mut path),
                &mut scratch,
            )
            .unwrap();
        scale.fields(&fine, Modes::from_mut(&mut path)).unwrap();

        let found = downscaled(&view, INSTRUMENT).unwrap();
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found), bits(&path));

        // What was measured exactly comes out again, channel by channel; of the coarse grid's
        // highest wave, mode 1, only one part was.
        let mut scratch = vec![0.0; spectral::scratch_len(&fine)];
        let (mut again, mut given) = (found, coarse(&view));
        spectral::forward(&fine, Field::from_mut(&mut again), &mut scratch).unwrap();
        spectral::forward(&grid, Field::from_mut(&mut given), &mut scratch).unwrap();
        let mut coarser = vec![0.0; given.len()];
        spectral::coarsen(&fine, Modes::new(&again), &grid, Modes::coarse_mut(&mut coarser))
            .unwrap();
        for (at, (got, given)) in coarser.iter().zip(&given).enumerate() {
            assert!(at % 16 == 1 || (got - given).abs() < 1e-4, "{at}: {got} {given}");
        }
    }
}

/// Errors that differ would depend on each other once channels are turned.
#[test]
fn errors_of_channels_must_be_alike() {
    let bytes = stored(Precision::F32);
    let view = bytes.parse().unwrap();
    let stds: Vec<f32> = view.channel_descriptions().map(|channel| channel.std).collect();
    let alike = stds.iter().map(|std| 0.1 * std).collect::<Vec<_>>();
    assert!(downscaled(&view, INSTRUMENT.with_noise(&alike)).is_ok());
    let refused = downscaled(&view, INSTRUMENT.with_noise(&[alike[0], 2.0 * alike[1]]));
    assert!(matches!(refused, Err(Error::Conflict { name: "noise", .. })), "{refused:?}");
}

#[test]
fn a_coupling_that_is_none_is_refused() {
    let bytes = stored(Precision::F32);
    let at = bytes.bytes().windows(4).position(|word| word == 0.4_f32.to_le_bytes()).unwrap();
    for bad in [0.0_f32, 1.0, -1.5, f32::NAN, f32::INFINITY] {
        let mut changed = bytes.bytes().to_vec();
        changed[at..at + 4].copy_from_slice(&bad.to_le_bytes());
        let sum = finescale::model::checksum(&changed[finescale::model::CHECKED_FROM..]);
        changed[16..20].copy_from_slice(&sum.to_le_bytes());
        let changed = AlignedBytes::new(&changed);
        let refused = View::parse(changed.bytes()).err();
        assert_eq!(refused, Some(Invalid::Field { name: "coupling" }), "{bad}");
    }
}

/// Where the coupling holds is told by a file, and nothing else of the file is.
#[test]
fn a_file_says_on_which_side_of_a_lambda_channels_are_coupled() {
    let constant = stored(Precision::F32);
    for switch in [0.25_f32, -0.25] {
        let bytes = with_switch(Precision::F32, switch);
        let view = bytes.parse().unwrap();
        assert_eq!((view.process().coupling(), view.process().switch()), (0.4, switch));
        assert_ne!(
            downscaled(&view, INSTRUMENT),
            downscaled(&constant.parse().unwrap(), INSTRUMENT)
        );
        let at = bytes.bytes().windows(4).position(|word| word == switch.to_le_bytes()).unwrap();
        let refused = |at: usize, with: &[u8]| {
            let mut changed = bytes.bytes().to_vec();
            changed[at..at + with.len()].copy_from_slice(with);
            let sum = finescale::model::checksum(&changed[finescale::model::CHECKED_FROM..]);
            changed[16..20].copy_from_slice(&sum.to_le_bytes());
            View::parse(AlignedBytes::new(&changed).bytes()).err()
        };
        for bad in [0.0_f32, 2e6, f32::NAN] {
            let found = refused(at, &bad.to_le_bytes());
            assert_eq!(found, Some(Invalid::Field { name: "switch" }), "{bad}");
        }
        // A switch of no coupling.
        let options = bytes.bytes()[27];
        assert_eq!(options & 24, 24);
        let found = refused(27, &[options & !8]);
        assert_eq!(found, Some(Invalid::Field { name: "switch" }));
    }
}

/// Turned twice, second moments are what they were; turned once, they are those of turned fields.
#[test]
fn second_moments_are_turned_as_fields_are() {
    let kind = kinds().into_iter().find(|kind| kind.name == "coupled").unwrap();
    let base = model(&kind).base().unwrap();
    let (points, packed) = (base.grid.points(), &base.autocovariance);
    let again = packed.mixed().mixed();
    for (a, b) in again.values.iter().zip(&packed.values) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
    let groups = Group::all(&base.grid);
    let channels = base.channels();
    for group in &groups {
        for mode in 0..group.complex_modes() {
            let [turned, plain] =
                [packed, &channels].map(|all| all.of(group, mode, points).unwrap());
            for (turned, plain) in turned.lags().iter().zip(plain.lags()) {
                let half = |value: nalgebra::Complex<f64>| value * 0.5;
                let sum = half(plain[(0, 0)] + plain[(0, 1)] + plain[(1, 0)] + plain[(1, 1)]);
                let cross = half(plain[(0, 0)] - plain[(0, 1)] + plain[(1, 0)] - plain[(1, 1)]);
                assert!((turned[(0, 0)] - sum).norm() < 1e-6);
                assert!((turned[(0, 1)] - cross).norm() < 1e-6);
            }
        }
    }
}
