//! Progress: a dashboard in a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use super::dashboard::Dashboard;
use super::metrics::Report;

/// Shows how a training goes.
pub(super) struct Display {
    dashboard: Option<Dashboard>,
    total: usize,
    first: usize,
    start: Instant,
    last_line: Instant,
}

/// Pause between plain lines.
const PAUSE: Duration = Duration::from_secs(10);

impl Display {
    /// For steps `first` to `total` of the training of a name.
    pub(super) fn new(name: &str, first: usize, total: usize) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let title = format!(" finescale train: {name}");
        // A terminal that has no other screen gets lines too.
        let dashboard = terminal.then(|| Dashboard::new(title, total).ok()).flatten();
        let start = Instant::now();
        Self { dashboard, total, first, start, last_line: start }
    }

    /// After some steps, with their mean loss.
    pub(super) fn steps(&mut self, step: usize, loss: f64) {
        let elapsed = self.start.elapsed();
        let done = (step - self.first).max(1) as f64;
        let rest = elapsed.mul_f64(self.total.saturating_sub(step) as f64 / done);
        let (per_second, total) = (done / elapsed.as_secs_f64().max(1e-9), self.total);
        let pace = format!("{per_second:.1} steps/s, {} left", duration(rest));
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.steps(step, loss, &format!("step {step} of {total}, {pace}"));
        } else if self.last_line.elapsed() > PAUSE {
            self.last_line = Instant::now();
            println!("step {step} of {total}, loss {}, {pace}", digits(loss));
        }
    }

    /// After a validation.
    pub(super) fn report(&mut self, report: &Report) {
        if let Some(dashboard) = &mut self.dashboard {
            return dashboard.report(report);
        }
        let simulated = match report.rollout.as_slice() {
            [] => String::new(),
            [first, .., last] | [first @ last] => format!(
                ", simulation error after 1 and {} frames {first:.3} and {last:.3}",
                report.rollout.len()
            ),
        };
        println!(
            "step {}: validation loss {}{simulated}",
            report.step,
            digits(report.valid_loss())
        );
    }
}

/// Four decimals, or three digits of what has none of them.
fn digits(loss: f64) -> String {
    if loss.abs() < 0.01 { format!("{loss:.2e}") } else { format!("{loss:.4}") }
}

/// As 1 h 02 min or 12 min 03 s.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds / 3600 {
        0 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        hours => format!("{hours} h {:02} min", seconds / 60 % 60),
    }
}
