//! Changed model files are refused, or are models that run: never a panic, in the parser or behind
//! it. `cargo fuzz` asks the same (`tests/fuzz`); this needs nothing but Rust.

use finescale_tests::model_file::{Evaluator, Mutator, mean_seeds, seeds};

#[test]
fn every_seed_is_accepted() {
    let mut evaluator = Evaluator::default();
    for seed in seeds().into_iter().chain(mean_seeds()) {
        assert!(
            evaluator.accepts(&seed),
            "`cargo run -p finescale-model --example fuzz_seeds` writes them anew"
        );
    }
}

/// Files of predictors, and then of conditional means.
fn mutate(files: u64) {
    mutate_each(files, seeds());
    mutate_each(files / 2, mean_seeds());
}

fn mutate_each(files: u64, seeds: Vec<Vec<u8>>) {
    let (mut mutator, mut evaluator) = (Mutator::new(seeds), Evaluator::default());
    let accepted = (0..files).filter(|_| evaluator.accepts(mutator.next_file())).count() as u64;
    println!("{files} files, {accepted} accepted");
    // Both happen often, or the test would say nothing.
    assert!(accepted > files / 20 && files - accepted > files / 20, "{accepted} of {files}");
}

#[test]
fn changed_files_are_refused_or_run() {
    mutate(20_000);
}

/// `FINESCALE_FILES` says how many.
#[test]
#[ignore = "a minute: `cargo xtask test` runs it"]
fn many_changed_files_are_refused_or_run() {
    let files = std::env::var("FINESCALE_FILES").map_or(1_000_000, |files| files.parse().unwrap());
    mutate(files);
}
