//! Progress: Burn's dashboard in a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::data::dataloader::Progress;
use burn::train::Interrupter;
use burn::train::metric::{
    MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{MetricState, MetricsRenderer, TrainingProgress};

use super::metrics::Report;

/// Shows how a training goes.
pub(super) struct Display {
    dashboard: Option<Dashboard>,
    total: usize,
    first: usize,
    start: Instant,
    last_line: Instant,
}

struct Dashboard {
    renderer: TuiMetricsRendererWrapper,
    interrupter: Interrupter,
}

/// Pause between plain lines.
const PAUSE: Duration = Duration::from_secs(10);

impl Display {
    /// For steps `first` to `total`.
    pub(super) fn new(first: usize, total: usize) -> Self {
        let dashboard = std::io::stdout().is_terminal().then(|| {
            let interrupter = Interrupter::new();
            let mut renderer = TuiMetricsRendererWrapper::new(interrupter.clone(), None);
            for name in [LOSS, ROLLOUT] {
                renderer.register_metric(definition(name));
            }
            Dashboard { renderer, interrupter }
        });
        let start = Instant::now();
        Self { dashboard, total, first, start, last_line: start }
    }

    /// Whether the user asked the dashboard to stop.
    pub(super) fn stopped(&self) -> bool {
        self.dashboard.as_ref().is_some_and(|dashboard| dashboard.interrupter.should_stop())
    }

    /// After some steps, with their mean loss.
    pub(super) fn steps(&mut self, step: usize, loss: f64) {
        let (total, rest) = (self.total, self.rest(step));
        if let Some(Dashboard { renderer, .. }) = &mut self.dashboard {
            use burn::train::renderer::MetricsRendererTraining as _;
            renderer.update_train(state(LOSS, loss));
            renderer.render_train(progress(step, total), Vec::new());
        } else if self.last_line.elapsed() > PAUSE {
            self.last_line = Instant::now();
            let per_second = (step - self.first) as f64 / self.start.elapsed().as_secs_f64();
            println!(
                "step {step} of {total}, loss {loss:.4}, {per_second:.1} steps/s, {} left",
                duration(rest)
            );
        }
    }

    /// After a validation.
    pub(super) fn report(&mut self, report: &Report) {
        let (loss, frames) = (report.valid_loss(), report.rollout.len());
        let rollout = report.rollout.last().copied().unwrap_or(f64::NAN);
        if let Some(Dashboard { renderer, .. }) = &mut self.dashboard {
            use burn::train::renderer::MetricsRendererTraining as _;
            renderer.update_valid(state(LOSS, loss));
            renderer.update_valid(state(ROLLOUT, rollout));
            renderer.render_valid(progress(report.step, self.total), Vec::new());
        } else {
            println!(
                "step {}: validation loss {loss:.4}, simulation error after 1 and {frames} frames {:.3} and {rollout:.3}",
                report.step,
                report.rollout.first().copied().unwrap_or(f64::NAN)
            );
        }
    }

    fn rest(&self, step: usize) -> Duration {
        let done = (step - self.first).max(1) as f64;
        self.start.elapsed().mul_f64(self.total.saturating_sub(step) as f64 / done)
    }
}

const LOSS: &str = "Loss";
const ROLLOUT: &str = "Simulation error";

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.to_owned()))
}

fn definition(name: &str) -> MetricDefinition {
    MetricDefinition {
        metric_id: id(name),
        name: name.to_owned(),
        description: None,
        attributes: NumericAttributes { unit: None, higher_is_better: false }.into(),
    }
}

fn state(name: &str, value: f64) -> MetricState {
    let entry = SerializedEntry::new(format!("{value:.4}"), value.to_string());
    MetricState::Numeric(MetricEntry::new(id(name), entry), NumericEntry::Value(value))
}

fn progress(step: usize, total: usize) -> TrainingProgress {
    let all = Progress::new(step, total);
    TrainingProgress { progress: Some(all.clone()), global_progress: all, iteration: Some(step) }
}

/// As 1 h 02 min or 12 min 03 s.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds / 3600 {
        0 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        hours => format!("{hours} h {:02} min", seconds / 60 % 60),
    }
}
