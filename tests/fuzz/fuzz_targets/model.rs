//! Any bytes are refused or are a model that runs: as they are, and with the right length and
//! checksum, which no fuzzer finds.
#![no_main]

use std::cell::RefCell;

use finescale_tests::model_file::{Evaluator, seal};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static EVALUATOR: RefCell<Evaluator> = RefCell::default();
}

fuzz_target!(|bytes: &[u8]| {
    EVALUATOR.with_borrow_mut(|evaluator| {
        evaluator.accepts(bytes);
        let mut sealed = bytes.to_vec();
        seal(&mut sealed);
        evaluator.accepts(&sealed);
    });
});
