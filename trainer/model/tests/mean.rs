//! The runtime's conditional mean of a file against the reference in f64, and its errors against
//! their moments.

#[path = "../../fixtures/means.rs"]
mod means;
#[allow(dead_code, reason = "the means take parts of the models")]
#[path = "../../fixtures/models.rs"]
mod models;

use finescale::mean::{ConditionalMean, Errors, Stream};
use finescale::model::{Invalid, MeanModel};
use finescale::{Error, Field, Modes, NoiseStream, Path};
use finescale_field::coarsening::SensorKind;
use finescale_model::Shown;
use finescale_model::export::{AlignedBytes, Bounds, Precision, mean_file, quantize};
use finescale_model::reference::MeanReference;
use means::{MeanKind, mean_kinds, mean_model};
use models::noise;

const FRAMES: usize = 5;

fn bytes(kind: &MeanKind, precision: Precision) -> AlignedBytes {
    let model = mean_model(kind);
    let mut bounds = Bounds::default();
    let reference = MeanReference::new(&model).unwrap();
    for seed in 20..40 {
        reference.widen(&mut bounds, &widen(&coarse(&model, seed)), 2);
    }
    AlignedBytes::new(&mean_file(&model, precision, &bounds).unwrap())
}

fn coarse(model: &finescale_model::Model<finescale_model::ConditionalMean>, seed: u64) -> Vec<f32> {
    let [ny, nx] = model.meta.coarse_points();
    noise(FRAMES * model.meta.channels.len() * ny * nx, seed)
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Calls `check` with the relative error of every frame.
fn compare(precision: Precision, tolerance: f64) {
    for kind in mean_kinds() {
        let model = mean_model(&kind);
        let rounded =
            if precision == Precision::F32 { model.clone() } else { quantize::rounded(&model) };
        let reference = MeanReference::new(&rounded).unwrap();
        let stored = bytes(&kind, precision);
        let view = MeanModel::parse(stored.bytes()).unwrap();
        assert_eq!(view.footprint(), ConditionalMean::footprint(&view));
        let mut memory = vec![f32::NAN; ConditionalMean::memory_len(&view)];
        let mean = ConditionalMean::new(&view, &mut memory).unwrap();
        let coarse = coarse(&model, 5);
        let mut scratch = vec![f32::NAN; ConditionalMean::scratch_len(&view)];
        for n in 0..FRAMES {
            let mut fine = vec![f32::NAN; view.fine_len()];
            mean.evaluate(
                Path::coarse_fields(&coarse),
                n,
                Field::from_mut(&mut fine),
                &mut scratch,
            )
            .unwrap();
            let expected = reference.evaluate(&widen(&coarse), n);
            let square = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
            let off: Vec<f64> =
                fine.iter().zip(&expected).map(|(f, e)| f64::from(*f) - e).collect();
            let error = square(&off) / square(&expected);
            assert!(error < tolerance, "{} {precision:?} frame {n}: {error:e}", kind.name);
        }
    }
}

#[test]
fn f32_is_the_reference() {
    compare(Precision::F32, 1e-5);
}

#[test]
fn eight_bits_are_the_reference_of_the_rounded_weights() {
    compare(Precision::Int8, 1e-5);
}

#[test]
fn sixteen_bits_are_near_the_reference_of_the_rounded_weights() {
    compare(Precision::Int16, 2e-3);
}

/// If it failed, a predictor of residuals would see other fields on a board than in its training:
/// the anomalies of the mean, and the field that those of the coarse frame show.
#[test]
fn companions_are_the_anomalies_of_mean_and_coarse_frame() {
    for kind in mean_kinds() {
        let model = mean_model(&kind);
        let stored = bytes(&kind, Precision::F32);
        let view = MeanModel::parse(stored.bytes()).unwrap();
        let mut memory = vec![0.0; ConditionalMean::memory_len(&view)];
        let mean = ConditionalMean::new(&view, &mut memory).unwrap();
        let mut scratch = vec![f32::NAN; ConditionalMean::scratch_len(&view)];
        let coarse = coarse(&model, 5);
        let coarse = &coarse[..view.coarse_len()];
        let fine = noise(view.fine_len(), 6);
        let mut companions = vec![f32::NAN; 2 * view.fine_len()];
        mean.companions(
            Field::coarse(coarse),
            Field::new(&fine),
            Field::from_mut(&mut companions),
            &mut scratch,
        )
        .unwrap();
        let anomalies = |values: &[f32], climatology: &str| -> Vec<f64> {
            let usual = &model.array(climatology).unwrap().values;
            let points = values.len() / view.channels();
            let anomaly = |(i, value): (usize, &f32)| {
                let channel = &model.meta.channels[i / points];
                (f64::from(*value) - channel.mean) / channel.std - f64::from(usual[i])
            };
            values.iter().enumerate().map(anomaly).collect()
        };
        let seen = anomalies(&fine, "climatology");
        let shown = model.meta.shown().unwrap().field(&anomalies(coarse, "coarse_climatology"));
        for (got, expected) in companions.iter().zip(seen.into_iter().chain(shown)) {
            assert!((f64::from(*got) - expected).abs() < 1e-5, "{}: {got} {expected}", kind.name);
        }
        let short = &mut companions[1..];
        let needed = short.len() + 1;
        let refused = mean.companions(
            Field::coarse(coarse),
            Field::new(&fine),
            Field::from_mut(short),
            &mut scratch,
        );
        assert_eq!(refused, Err(Error::OutputLength { values: needed - 1, needed }));
    }
}

/// A stream gives the bits of the whole path, late by the frames that a mean sees ahead; a lost
/// frame is the one before it.
#[test]
fn a_stream_is_the_path() {
    for kind in mean_kinds() {
        let stored = bytes(&kind, Precision::F32);
        let view = MeanModel::parse(stored.bytes()).unwrap();
        let mut memory = vec![0.0; ConditionalMean::memory_len(&view)];
        let mean = ConditionalMean::new(&view, &mut memory).unwrap();
        let mut scratch = vec![0.0; ConditionalMean::scratch_len(&view)];
        let mut path = coarse(&mean_model(&kind), 6);
        let len = view.coarse_len();
        path.copy_within(len..2 * len, 2 * len);
        let expected: Vec<Vec<f32>> = (0..FRAMES)
            .map(|n| {
                let mut fine = vec![0.0; view.fine_len()];
                mean.evaluate(
                    Path::coarse_fields(&path),
                    n,
                    Field::from_mut(&mut fine),
                    &mut scratch,
                )
                .unwrap();
                fine
            })
            .collect();
        let mut ring = vec![0.0; Stream::memory_len(&view)];
        let mut stream = Stream::new(mean, &mut ring).unwrap();
        let mut fine = vec![0.0; view.fine_len()];
        assert!(!stream.push(None, Field::from_mut(&mut fine), &mut scratch).unwrap());
        for (n, frame) in path.chunks_exact(len).enumerate() {
            let lost = n == 2;
            let given = stream
                .push(
                    (!lost).then_some(Field::coarse(frame)),
                    Field::from_mut(&mut fine),
                    &mut scratch,
                )
                .unwrap();
            assert_eq!(given, n >= kind.around[1], "{}", kind.name);
            if given {
                assert_eq!(fine, expected[n - kind.around[1]], "{} frame {n}", kind.name);
            }
        }
        let refused = stream.push(
            Some(Field::coarse(&path[1..len])),
            Field::from_mut(&mut fine),
            &mut scratch,
        );
        assert_eq!(refused, Err(Error::FieldLength { values: len - 1, points: len }));
    }
}

/// What pixels or points show of a field whose waves the sensor resolves is that field.
#[test]
fn resolved_waves_are_shown_as_they_are() {
    let model = mean_model(&mean_kinds()[2]);
    for (grid, coarse) in
        [(model.meta.grid().unwrap(), [4, 8]), (model.meta.grid().unwrap(), [6, 4])]
    {
        for kind in [SensorKind::Modes, SensorKind::BlockMean] {
            let shown = Shown::new(&grid, coarse, kind);
            let (ny, nx) = (grid.ny(), grid.nx());
            let value = |y: usize, x: usize| {
                let angle = std::f64::consts::TAU * x as f64 / nx as f64;
                let along_y = (std::f64::consts::PI * (y as f64 + 0.5) / ny as f64).cos();
                0.3 + along_y + angle.cos() - 2.0 * angle.sin() * along_y
            };
            let (by, bx) = (ny / coarse[0], nx / coarse[1]);
            let field: Vec<f64> = (0..ny * nx).map(|i| value(i / nx, i % nx)).collect();
            let seen = |i: usize| {
                let (y, x) = (i / coarse[1], i % coarse[1]);
                if kind == SensorKind::BlockMean {
                    let block = (0..by).flat_map(|b| (0..bx).map(move |a| (b, a)));
                    let sum: f64 = block.map(|(b, a)| value(y * by + b, x * bx + a)).sum();
                    return sum / (by * bx) as f64;
                }
                // Between points where the axis reflects: what the cosines are there.
                let at = (y as f64 + 0.5) * by as f64;
                let along_y = (std::f64::consts::PI * at / ny as f64).cos();
                let angle = std::f64::consts::TAU * (x * bx) as f64 / nx as f64;
                0.3 + along_y + angle.cos() - 2.0 * angle.sin() * along_y
            };
            let pixels: Vec<f64> = (0..coarse[0] * coarse[1]).map(seen).collect();
            for (got, expected) in shown.field(&pixels).iter().zip(&field) {
                assert!((got - expected).abs() < 1e-12, "{kind:?} {coarse:?}");
            }
        }
    }
}

/// Errors have the variances and the correlation in time that the file says, and a path that is
/// continued is the path.
#[test]
fn errors_have_their_moments() {
    let kind = mean_kinds()[1];
    let stored = bytes(&kind, Precision::F32);
    let view = MeanModel::parse(stored.bytes()).unwrap();
    let mut memory = vec![0.0; Errors::memory_len(&view)];
    let mut errors = Errors::new(&view, &mut memory).unwrap();
    let (frame, points) = (view.fine_len(), view.grid().points());
    let stream = |seed| NoiseStream { seed, member: 0, frame: 0, draw: 0 };
    let (mut square, mut lagged) = (0.0, 0.0);
    let draws = 400;
    for seed in 0..draws {
        let mut path = vec![0.0; 8 * frame];
        errors.draw(0, &stream(seed), Path::modes_mut(&mut path)).unwrap();
        // Of mode 0 of the first channel, which is real.
        square += f64::from(path[7 * frame]).powi(2) / f64::from(draws as u32);
        lagged += f64::from(path[7 * frame] * path[6 * frame]) / f64::from(draws as u32);
    }
    let autocovariance = view.arrays().autocovariance;
    let (power, lag) = (f64::from(autocovariance[0]), f64::from(autocovariance[4 * points]));
    assert!((square / power - 1.0).abs() < 0.25, "{square} {power}");
    assert!((lagged / lag - 1.0).abs() < 0.3, "{lagged} {lag}");

    let mut whole = vec![0.0; 6 * frame];
    errors.draw(0, &stream(3), Path::modes_mut(&mut whole)).unwrap();
    let given = errors.window();
    let mut part = whole[(4 - given) * frame..].to_vec();
    part[given * frame..].fill(f32::NAN);
    let later = NoiseStream { frame: 4 - given as u32, ..stream(3) };
    errors.draw(given, &later, Path::modes_mut(&mut part)).unwrap();
    assert_eq!(part[given * frame..], whole[4 * frame..]);

    let (mut fine, mut scratch) = (vec![1.0; frame], vec![0.0; Errors::scratch_len(&view)]);
    let mut modes = vec![0.0; frame];
    modes[0] = (points as f32).sqrt();
    errors.add(Modes::new(&modes), Field::from_mut(&mut fine), &mut scratch).unwrap();
    let std = view.channel_descriptions().next().unwrap().std;
    for (value, spread) in fine.iter().zip(&view.arrays().spread[..points]) {
        assert!((value - 1.0 - spread * std).abs() < 1e-5);
    }
}

/// Every flip of a bit and every truncation is refused, and so is a file of another kind.
#[test]
fn damaged_files_are_refused() {
    let stored = bytes(&mean_kinds()[3], Precision::Int8);
    let whole = stored.bytes();
    for n in (0..whole.len()).step_by(7) {
        let mut damaged = AlignedBytes::new(whole);
        damaged.bytes_mut()[n] ^= 1 << (n % 8);
        assert!(MeanModel::parse(damaged.bytes()).is_err(), "byte {n}");
        let cut = AlignedBytes::new(&whole[..n]);
        assert!(MeanModel::parse(cut.bytes()).is_err(), "cut to {n}");
    }
    assert_eq!(finescale::model::Model::parse(whole).err(), Some(Invalid::Magic));
}

/// The graph in tract is the reference, on windows of two samples.
#[cfg(feature = "onnx")]
#[test]
fn tract_is_the_reference() {
    use finescale_model::onnx::{self, Array, Session};
    for kind in mean_kinds() {
        let model = mean_model(&kind);
        let reference = MeanReference::new(&model).unwrap();
        let [ny, nx] = model.meta.coarse_points();
        let (frames, c) = (model.meta.system.frames(), model.meta.channels.len());
        let shape = vec![2, frames, c, ny, nx];
        let file = onnx::mean(&model).unwrap();
        let session = Session::new(&file, &[&shape]).unwrap();
        let values = noise(shape.iter().product(), 8);
        let expected: Vec<f64> = values
            .chunks_exact(values.len() / 2)
            .flat_map(|window| reference.evaluate(&widen(window), kind.around[0]))
            .collect();
        let got = session.run(&[Array { shape, values }]).unwrap();
        let square = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let off: Vec<f64> =
            got[0].values.iter().zip(&expected).map(|(g, e)| f64::from(*g) - e).collect();
        let error = square(&off) / square(&expected);
        assert!(error < 1e-5, "{}: {error:e}", kind.name);
    }
}
