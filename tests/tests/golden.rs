//! Golden vectors: fails when any operation of the spectral core changes a single bit on this
//! target.
//!
//! After a change that is meant to change bits: `FINESCALE_BLESS=1 cargo test -p finescale-tests
//! --test golden`, run twice, and say in the commit why the bits changed.

use std::fs;
use std::path::Path;

use finescale_golden::{
    CASES, Case, DOWNSCALES, Downscale, FIELD_MAX, MEMORY, PATH, SCRATCH, SCRATCH_MAX,
};

fn run(case: &Case) -> Vec<f32> {
    let mut field = [0.0; FIELD_MAX];
    // The result must not depend on what the scratch held.
    let mut scratch = [f32::NAN; SCRATCH_MAX];
    let values = case.run(&mut field, &mut scratch).expect(case.name);
    field[..values].to_vec()
}

#[test]
fn every_case_gives_its_golden_bits() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/vectors");
    for case in CASES {
        let result = run(case);
        assert!(result.iter().all(|value| value.is_finite()), "{}", case.name);
        if std::env::var_os("FINESCALE_BLESS").is_some() {
            let bytes: Vec<u8> = result.iter().flat_map(|value| value.to_le_bytes()).collect();
            fs::write(vectors.join(case.name).with_extension("f32"), bytes).expect(case.name);
            continue;
        }
        assert_eq!(result.len(), case.expected_len(), "{}", case.name);
        assert_eq!(case.first_mismatch(&result), None, "{}", case.name);
    }
}

fn downscale(case: &Downscale) -> Vec<f32> {
    let (mut path, mut memory, mut scratch) =
        ([f32::NAN; PATH], [f32::NAN; MEMORY], [f32::NAN; SCRATCH]);
    case.run(&mut path, &mut memory, &mut scratch).expect(case.name);
    path[..case.values()].to_vec()
}

#[test]
fn super_resolution_with_a_shipped_model_gives_its_golden_bits() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/vectors");
    for case in DOWNSCALES {
        let result = downscale(case);
        assert!(result.iter().all(|value| value.is_finite()), "{}", case.name);
        if std::env::var_os("FINESCALE_BLESS").is_some() {
            let bytes: Vec<u8> = result.iter().flat_map(|value| value.to_le_bytes()).collect();
            fs::write(vectors.join(case.name).with_extension("f32"), bytes).expect(case.name);
            continue;
        }
        assert!(case.is_complete(), "{}", case.name);
        assert_eq!(case.first_mismatch(&result), None, "{}", case.name);
    }
}

/// A target that flushes subnormal numbers to zero must not pass.
#[test]
fn some_golden_values_are_subnormal() {
    let case = CASES.iter().find(|case| case.name.starts_with("decay")).expect("a case");
    assert!(run(case).iter().filter(|value| value.is_subnormal()).count() > 4);
}

#[test]
fn a_changed_bit_is_found() {
    let case = &CASES[6];
    let mut result = run(case);
    result[40] = f32::from_bits(result[40].to_bits() ^ 1);
    let (index, got, want) = case.first_mismatch(&result).expect("a mismatch");
    assert_eq!((index, got.to_bits()), (40, want.to_bits() ^ 1));
}
