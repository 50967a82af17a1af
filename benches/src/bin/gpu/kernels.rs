//! What the CUDA backend says of its kernels: counted, and written to the standard error with the
//! time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use log::{Level, LevelFilter, Log, Metadata, Record};
use serde_json::{Value, json};

/// Kernels that were compiled, and kernels that were found compiled.
static COMPILED: AtomicUsize = AtomicUsize::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);

struct Watch;

/// Listens from now on.
pub(crate) fn watch() {
    if log::set_logger(&Watch).is_ok() {
        log::set_max_level(LevelFilter::Trace);
        say("begins");
    }
}

/// Both counts.
pub(crate) fn counts() -> Value {
    json!({"compiled": COMPILED.load(Relaxed), "found": FOUND.load(Relaxed)})
}

/// One line with the seconds since the program began.
pub(crate) fn say(what: &str) {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let seconds = BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64();
    eprintln!("{seconds:8.2} s  {what}");
}

impl Log for Watch {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= Level::Warn || metadata.target().starts_with("cubecl_")
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = record.args().to_string();
        match text.as_str() {
            "Compiling kernel" => _ = COMPILED.fetch_add(1, Relaxed),
            "Using PTX cache" => _ = FOUND.fetch_add(1, Relaxed),
            _ if record.level() <= Level::Info => {
                say(&format!("{} {text}", record.target()).replace('\n', " "));
            }
            _ => (),
        }
    }

    fn flush(&self) {}
}
