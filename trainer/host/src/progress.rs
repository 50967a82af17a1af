//! How far a long command is: a bar with the time left on a terminal, a line every ten seconds
//! elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PAUSE: Duration = Duration::from_secs(10);

/// Counts steps, from any thread. Small ones, so that the time left is right from the start.
pub struct Progress {
    verb: &'static str,
    bar: ProgressBar,
    terminal: bool,
    begun: Instant,
    spoken: Mutex<Instant>,
}

impl Progress {
    /// For about `steps` steps of what `verb` says, such as `"sampling"`, that make `what`.
    pub fn new(verb: &'static str, steps: u64, what: String) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template(
            "{prefix} [{bar:40}] {percent} % of {msg}, {elapsed} gone, {eta} left",
        );
        let bar = ProgressBar::with_draw_target(Some(steps.max(1)), target)
            .with_style(style.expect("the template is valid").progress_chars("=> "))
            .with_prefix(verb)
            .with_message(what);
        let now = Instant::now();
        Self { verb, bar, terminal, begun: now, spoken: now.into() }
    }

    /// One step is done.
    pub fn tick(&self) {
        self.bar.inc(1);
        if self.terminal {
            return;
        }
        // Another thread is already looking at the clock: one line is enough.
        let Ok(mut spoken) = self.spoken.try_lock() else { return };
        if spoken.elapsed() >= PAUSE {
            *spoken = Instant::now();
            let share = self.bar.position() as f64 / self.bar.length().unwrap_or(1) as f64;
            // There may be more steps than were counted on.
            let share = share.min(0.99);
            let left = self.begun.elapsed().as_secs_f64() * (1.0 / share - 1.0);
            eprintln!("{}: {:.0} %, about {left:.0} s left", self.verb, 100.0 * share);
        }
    }

    /// Some steps were done in an earlier run.
    pub fn skip(&self, steps: u64) {
        self.bar.set_length(self.bar.length().unwrap_or(1).saturating_sub(steps).max(1));
    }

    /// Leaves the bar full, or, where the command stopped, as it is.
    pub fn finish(&self, whole: bool) {
        if whole { self.bar.finish() } else { self.bar.abandon() }
    }
}
