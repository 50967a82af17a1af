//! Layers that multiply: their definition, their derivative, and the same bits in however many runs
//! a board splits them.

use finescale::layer::int16::{Point, multiply16, multiply16_vjp};
use finescale::layer::{FACTOR_MAX, multiply, multiply_vjp};
use finescale::predictor::{PathDensity, path_score};
use finescale::{Error, NoiseStream, Path, Predictor};
use finescale_tests::model_file::{seal, seeds, with_model, with_trained};

/// White noise of a standard deviation.
fn noise(values: usize, draw: u64, deviation: f32) -> Vec<f32> {
    let mut field = vec![0.0; values];
    NoiseStream { seed: 9, member: 0, frame: 0, draw: draw as u32 }.fill(&mut field);
    field.iter().map(|value| deviation * value).collect()
}

#[test]
fn a_product_is_added_and_its_second_factor_held() {
    // Some of q lie beyond ±4.
    let (h, factors) = (noise(64, 1, 1.0), noise(128, 2, 3.0));
    let mut values = h.clone();
    multiply(&factors, &mut values).unwrap();
    let (p, q) = factors.split_at(64);
    assert!(q.iter().any(|q| q.abs() > FACTOR_MAX));
    for n in 0..64 {
        let held = f64::from(q[n]).clamp(-4.0, 4.0);
        let exact = f64::from(h[n]) + f64::from(p[n]) * held;
        assert!((f64::from(values[n]) - exact).abs() <= 1e-6 * (1.0 + exact.abs()), "{n}");
    }
}

#[test]
fn what_is_no_number_stays_none() {
    let mut values = [1.0];
    multiply(&[1.0, f32::NAN], &mut values).unwrap();
    assert!(values[0].is_nan());
    assert!(matches!(multiply(&[1.0], &mut values), Err(Error::LengthMismatch { .. })));
}

#[test]
fn factors_become_the_derivative() {
    let (factors, v) = (noise(64, 3, 3.0), noise(32, 4, 1.0));
    let mut gradient = factors.clone();
    multiply_vjp(&mut gradient, &v).unwrap();
    let objective = |factors: &[f32]| -> f64 {
        let mut values = vec![0.0; 32];
        multiply(factors, &mut values).unwrap();
        values.iter().zip(&v).map(|(a, b)| f64::from(a * b)).sum()
    };
    for n in 0..64 {
        let step = |by: f32| {
            let mut moved = factors.clone();
            moved[n] += by;
            objective(&moved)
        };
        let slope = (step(1e-2) - step(-1e-2)) / 2e-2;
        // Where q crosses its bound within the step, it has no derivative.
        let kink = n >= 32 && (factors[n].abs() - FACTOR_MAX).abs() < 1e-2;
        assert!(kink || (slope - f64::from(gradient[n])).abs() < 2e-3, "{n}: {slope}");
    }
}

/// Integers of four channels of each point.
fn lanes(points: &[Point]) -> Vec<i16> {
    bytemuck::cast_slice(points).to_vec()
}

fn points(values: &[f32], unit: f32) -> Vec<Point> {
    let integers: Vec<i16> = values.iter().map(|v| (v / unit).round() as i16).collect();
    integers
        .chunks_exact(4)
        .map(|four| bytemuck::cast([four[0], four[1], four[2], four[3]]))
        .collect()
}

#[test]
fn integers_follow_the_format() {
    for (from, to, p_exponent) in [(1, 2, 1), (2, 1, -3), (0, 4, 5), (-3, 1, 8)] {
        let h = points(&noise(64, 5, 9000.0), 1.0);
        let factors = points(&noise(128, 6, 9000.0), 1.0);
        let mut values = h.clone();
        multiply16(&factors, p_exponent, &mut values, from, to).unwrap();
        let (all, h) = (lanes(&factors), lanes(&h));
        let (p, q) = all.split_at(64);
        let floor = |value: i64, by: i32| {
            if by >= 0 { value << by } else { value >> (-by).min(62) }
        };
        for n in 0..64 {
            let r = 13 + to - p_exponent;
            let product = floor(i64::from(p[n]) * i64::from(q[n]), 6 - r);
            let sum = product + floor(i64::from(h[n]), 6 + from - to) + 32;
            let expected = (sum >> 6).clamp(-32768, 32767) as i16;
            assert_eq!(lanes(&values)[n], expected, "{n} of {from}, {to}, {p_exponent}");
        }
    }
    let refused = multiply16(&[[0; 2]; 2], 9, &mut [[0; 2]], 0, 1);
    assert!(matches!(refused, Err(Error::Conflict { name: "p_exponent", .. })), "{refused:?}");
}

#[test]
fn integers_become_the_derivative() {
    let v = points(&noise(64, 7, 9000.0), 1.0);
    let mut factors = points(&noise(128, 8, 12_000.0), 1.0);
    // One that is held.
    factors[16] = bytemuck::cast([i16::MAX, i16::MIN, 5, -5]);
    let before = lanes(&factors);
    multiply16_vjp(&mut factors, &v).unwrap();
    let (after, v) = (lanes(&factors), lanes(&v));
    let product = |a: i16, b: i16| {
        ((i32::from(a) * i32::from(b) + (1 << 14)) >> 15).clamp(-32768, 32767) as i16
    };
    for n in 0..64 {
        let (p, q) = (before[n], before[64 + n]);
        let held = q == i16::MAX || q == i16::MIN;
        assert_eq!(after[n], product(v[n], q), "{n}");
        assert_eq!(after[64 + n], if held { 0 } else { product(v[n], p) }, "{n}");
    }
}

/// The path score of a file's model, as bits, and the bytes of scratch that it needs.
fn scored(file: &[u8]) -> (Vec<u32>, u32) {
    let reverse = with_model(file, |model| {
        let model = model.unwrap();
        let predictor = finescale::predictor::Trained::footprint(&model);
        predictor.reverse
    });
    let bits = with_trained(file, |trained, scratch| {
        let predictor = trained.prepare(0.1).unwrap();
        let path = noise(5 * predictor.frame_len(), 9, 1.0);
        let companions = noise(5 * predictor.companions_len(), 10, 1.0);
        let predictor = predictor.given(Path::fields(&companions));
        let mut score = vec![0.0; path.len()];
        path_score(
            &predictor,
            PathDensity::FULL,
            Path::modes(&path),
            Path::modes_mut(&mut score),
            scratch,
        )
        .unwrap();
        score.iter().map(|value| value.to_bits()).collect()
    });
    (bits, reverse)
}

/// Where the header has the number of runs.
const SEGMENTS_AT: usize = 59;

#[test]
fn runs_change_memory_and_no_bit() {
    let (mut compared, mut less) = (0, 0);
    for file in seeds() {
        let products = with_model(&file, |model| {
            let model = model.unwrap();
            let product = finescale::model::Activation::Product;
            model.layers().iter().filter(|layer| layer.activation == product).count()
        });
        let known = (products > 0).then(|| scored(&file));
        let mut needed = Vec::new();
        for segments in 1..=products {
            let mut other = file.clone();
            other[SEGMENTS_AT] = segments as u8;
            seal(&mut other);
            let (bits, reverse) = scored(&other);
            let (known, _) = known.as_ref().unwrap();
            assert_eq!(&bits, known, "{segments} runs");
            needed.push(reverse);
            compared += 1;
        }
        // In two runs, a model needs less where its inputs do not need as much as its factors.
        less += usize::from(needed.len() > 1 && needed[1] < needed[0]);
        // More runs than products are no model.
        let mut other = file;
        other[SEGMENTS_AT] = products as u8 + 1;
        seal(&mut other);
        if products > 0 {
            assert!(with_model(&other, |model| model.is_err()));
        }
    }
    assert!(compared >= 30 && less >= 3, "{compared}, {less}");
}
