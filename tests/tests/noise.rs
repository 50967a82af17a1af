//! Addressable noise: known answers, independence of evaluation order, and the right distribution.

use finescale::NoiseStream;
use finescale::noise::philox4x32;

const STREAM: NoiseStream = NoiseStream { seed: 0xABCD_EF01_2345, member: 4, frame: 3, draw: 2 };

#[test]
fn philox_gives_its_known_answers() {
    // Random123's kat_vectors, philox4x32 10.
    let ones = u32::MAX;
    let cases = [
        ([0; 4], [0; 2], [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8]),
        ([ones; 4], [ones; 2], [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD]),
        (
            [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344],
            [0xA409_3822, 0x299F_31D0],
            [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
        ),
    ];
    for (counter, key, expected) in cases {
        assert_eq!(philox4x32(counter, key), expected);
    }
}

#[test]
fn the_stream_layout_is_the_documented_one() {
    let words = philox4x32([7, 2, 3, 4], [0xEF01_2345, 0xABCD]);
    let [a, b, c, d] = words;
    let (n0, n1) = finescale::noise::normal_pair(a, b);
    let (n2, n3) = finescale::noise::normal_pair(c, d);
    assert_eq!(STREAM.block(7), [n0, n1, n2, n3]);
}

#[test]
fn a_mode_alone_equals_the_mode_in_the_whole() {
    let mut noise = vec![0.0; 1001];
    STREAM.fill(&mut noise);
    for (mode, value) in noise.iter().enumerate().rev() {
        assert_eq!(STREAM.normal(mode as u32), *value);
    }
}

#[test]
fn every_part_of_the_address_changes_the_stream() {
    let NoiseStream { seed, member, frame, draw } = STREAM;
    let neighbours = [
        NoiseStream { seed: seed + 1, ..STREAM },
        NoiseStream { seed: seed ^ (1 << 60), ..STREAM },
        NoiseStream { member: member + 1, ..STREAM },
        NoiseStream { frame: frame + 1, ..STREAM },
        NoiseStream { draw: draw + 1, ..STREAM },
        NoiseStream { frame: draw, draw: frame, ..STREAM },
    ];
    for stream in neighbours {
        assert_ne!(stream.block(0), STREAM.block(0));
        // Uncorrelated: 4096 products have a standard error of 1/64.
        let n = 4096;
        let product: f64 = STREAM
            .normals()
            .zip(stream.normals())
            .take(n)
            .map(|(a, b)| f64::from(a) * f64::from(b))
            .sum();
        assert!((product / n as f64).abs() < 5.0 / 64.0, "{stream:?}");
    }
}

#[test]
fn variates_are_unit_normal() {
    // A million variates: moments within five standard errors, and the Kolmogorov-Smirnov distance
    // within the 99.99 % point 2.23/√n of its distribution.
    let n = 1_000_000_usize;
    let mut values: Vec<f64> = STREAM.normals().take(n).map(f64::from).collect();
    let moment = |p: i32| values.iter().map(|v| v.powi(p)).sum::<f64>() / n as f64;
    let error = |variance: f64| 5.0 * (variance / n as f64).sqrt();
    assert!(moment(1).abs() < error(1.0), "{}", moment(1));
    assert!((moment(2) - 1.0).abs() < error(2.0), "{}", moment(2));
    assert!(moment(3).abs() < error(15.0), "{}", moment(3));
    assert!((moment(4) - 3.0).abs() < error(96.0), "{}", moment(4));
    values.sort_by(f64::total_cmp);
    let distance = values.iter().enumerate().fold(0.0_f64, |worst, (i, v)| {
        let cdf = 0.5 * libm::erfc(-v / std::f64::consts::SQRT_2);
        worst.max((cdf - i as f64 / n as f64).abs()).max((cdf - (i + 1) as f64 / n as f64).abs())
    });
    assert!(distance < 2.23 / (n as f64).sqrt(), "{distance}");
    assert!(values.iter().all(|v| v.is_finite() && v.abs() < 6.77));
}

#[test]
fn the_extreme_words_are_finite() {
    for a in [0, 1, u32::MAX - 1, u32::MAX] {
        for b in [0, 1 << 30, 1 << 31, u32::MAX] {
            let (x, y) = finescale::noise::normal_pair(a, b);
            assert!(x.is_finite() && y.is_finite() && x.hypot(y) < 6.77, "{a} {b}: {x} {y}");
        }
    }
}
