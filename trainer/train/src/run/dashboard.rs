//! A training in a terminal: curves, figures and what is left.
//!
//! It is drawn by the training loop itself and reads no keys: between two drawings it costs
//! nothing, and Ctrl-C stays Ctrl-C.

use std::io::{self, Stdout};
use std::time::{Duration, Instant};

use anyhow::Result;
use ratatui::Terminal;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen};
use ratatui::prelude::{
    Alignment, Color, Constraint, CrosstermBackend, Frame, Layout, Rect, Style,
};
use ratatui::symbols::Marker;
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph};

use super::metrics::Report;
use finescale_host::interrupt;

/// Pause between drawings.
const PAUSE: Duration = Duration::from_millis(200);
/// Points of the training curve; beyond them neighbours are averaged.
const POINTS: usize = 512;

type Curve = Vec<(f64, f64)>;

/// The terminal, and what has been seen so far.
pub(super) struct Dashboard {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    title: String,
    steps: f64,
    train: Curve,
    /// Looks that a point of `train` is the mean of, and those that wait to become one.
    looks: usize,
    waiting: Curve,
    valid: Curve,
    rollout: Curve,
    frames: usize,
    drawn: Option<Instant>,
}

impl Dashboard {
    /// Takes the terminal's screen, to give it back when dropped.
    ///
    /// # Errors
    /// If the terminal cannot be drawn on.
    pub(super) fn new(title: String, steps: usize) -> Result<Self> {
        execute!(io::stdout(), EnterAlternateScreen)?;
        interrupt::on_other_screen(true);
        let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        terminal.hide_cursor()?;
        let (train, waiting, valid, rollout) = <(Curve, Curve, Curve, Curve)>::default();
        let (steps, frames, looks) = (steps as f64, 0, 1);
        Ok(Self {
            terminal,
            title,
            steps,
            train,
            looks,
            waiting,
            valid,
            rollout,
            frames,
            drawn: None,
        })
    }

    /// After some steps, with their mean loss and a sentence about the progress.
    pub(super) fn steps(&mut self, step: usize, loss: f64, progress: &str) {
        self.waiting.push((step as f64, loss));
        if self.waiting.len() == self.looks {
            self.train.push(mean(&self.waiting));
            self.waiting.clear();
        }
        if self.train.len() == POINTS {
            self.train = self.train.chunks(2).map(mean).collect();
            self.looks *= 2;
        }
        if self.drawn.is_none_or(|drawn| drawn.elapsed() > PAUSE) {
            self.draw(step, progress);
        }
    }

    /// After a validation.
    pub(super) fn report(&mut self, report: &Report) {
        self.valid.push((report.step as f64, report.valid_loss()));
        self.rollout.extend(report.rollout.last().map(|error| (report.step as f64, *error)));
        self.frames = report.rollout.len();
    }

    /// A terminal that cannot be drawn on is no reason to end a training.
    fn draw(&mut self, step: usize, progress: &str) {
        self.drawn = Some(Instant::now());
        let Self { terminal, title, steps, train, waiting, valid, rollout, frames, .. } = self;
        let newest = train.last().or(waiting.last());
        let share = (step as f64 / steps.max(1.0)).clamp(0.0, 1.0);
        let _ = terminal.draw(|frame| {
            let rows = [Constraint::Length(1), Constraint::Min(5), Constraint::Length(3)];
            let [top, middle, bottom] = Layout::vertical(rows).areas(frame.area());
            // A system that simulates nothing needs all the room for its loss.
            let simulates = *frames > 0 || valid.is_empty();
            let columns = [Constraint::Fill(1), Constraint::Fill(u16::from(simulates))];
            let [left, right] = Layout::horizontal(columns).areas(middle);
            frame.render_widget(Paragraph::new(title.as_str()), top);
            let stop = Paragraph::new("Ctrl-C stops and keeps a checkpoint ");
            frame.render_widget(stop.alignment(Alignment::Right), top);
            let loss =
                format!(" Loss: training {}, validation {} ", last(newest), last(valid.last()));
            let curves = [(train.as_slice(), Color::DarkGray), (valid, Color::Yellow)];
            plot(frame, left, loss, &curves, *steps);
            let error = format!(" Simulation error, {frames} frames on: {} ", last(rollout.last()));
            plot(frame, right, error, &[(rollout, Color::Cyan)], *steps);
            let gauge = Gauge::default().ratio(share).label(progress);
            let gauge = gauge.gauge_style(Style::new().fg(Color::Blue).bg(Color::Black));
            frame.render_widget(gauge.block(Block::bordered()), bottom);
        });
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.terminal.show_cursor();
        let _ = execute!(io::stdout(), LeaveAlternateScreen);
        interrupt::on_other_screen(false);
    }
}

fn mean(points: impl AsRef<[(f64, f64)]>) -> (f64, f64) {
    let points = points.as_ref();
    let n = points.len() as f64;
    let sum = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    (sum.0 / n, sum.1 / n)
}

fn last(point: Option<&(f64, f64)>) -> String {
    point.map_or_else(|| "–".into(), |(_, value)| format!("{value:.4}"))
}

fn plot(
    frame: &mut Frame<'_>,
    area: Rect,
    title: String,
    curves: &[(&[(f64, f64)], Color)],
    x: f64,
) {
    let values = || curves.iter().flat_map(|(curve, _)| curve.iter().map(|(_, value)| *value));
    let (low, high) =
        values().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let margin = (0.05 * (high - low)).max(1e-3 * high.abs()).max(1e-6);
    let (low, high) = (low - margin, high + margin);
    let data = curves.iter().map(|(curve, color)| {
        // A single point makes no line.
        let graph = if curve.len() > 1 { GraphType::Line } else { GraphType::Scatter };
        let data = Dataset::default().data(curve).marker(Marker::Braille);
        data.graph_type(graph).style(Style::new().fg(*color))
    });
    let steps = Axis::default().bounds([0.0, x]).labels(["0".to_owned(), format!("{x}")]);
    let labels = [low, 0.5 * (low + high), high].map(|value| format!("{value:.3}"));
    let chart = Chart::new(data.collect()).block(Block::bordered().title(title)).x_axis(steps);
    frame.render_widget(chart.y_axis(Axis::default().bounds([low, high]).labels(labels)), area);
}
