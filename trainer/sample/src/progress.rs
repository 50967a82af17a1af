//! How far the sampling is, and how long it will take: a bar on a terminal, a line every ten seconds elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counts evaluations of the predictor, so that the time left is right within long paths too.
pub(super) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    begun: Instant,
    spoken: Mutex<Instant>,
}

impl Progress {
    /// For about `calls` evaluations that make `what`.
    pub(super) fn new(calls: u64, what: String) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(calls.max(1)), target);
        let style = ProgressStyle::with_template(
            "sampling [{bar:40}] {percent} % of {msg}, {elapsed} gone, {eta} left",
        );
        bar.set_style(style.expect("the template is valid").progress_chars("=> "));
        bar.set_message(what);
        let now = Instant::now();
        Self { bar, terminal, begun: now, spoken: now.into() }
    }

    pub(super) fn tick(&self) {
        self.bar.inc(1);
        if self.terminal {
            return;
        }
        // Another thread is already looking at the clock: one line is enough.
        let Ok(mut spoken) = self.spoken.try_lock() else { return };
        if spoken.elapsed() >= Duration::from_secs(10) {
            *spoken = Instant::now();
            let share = self.bar.position() as f64 / self.bar.length().unwrap_or(1) as f64;
            // Measured modes can add steps to those that were counted on.
            let share = share.min(0.99);
            let left = self.begun.elapsed().as_secs_f64() * (1.0 / share - 1.0);
            eprintln!("sampling: {:.0} %, about {left:.0} s left", 100.0 * share);
        }
    }

    /// What was done in an earlier run.
    pub(super) fn skip(&self, calls: u64) {
        self.bar.set_length(self.bar.length().unwrap_or(1).saturating_sub(calls).max(1));
    }

    pub(super) fn finish(&self, whole: bool) {
        if whole { self.bar.finish() } else { self.bar.abandon() }
    }
}
