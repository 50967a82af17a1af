//! The line in a terminal: coarse beside fine, in colours, with what the board says.
//!
//! As the dashboard of the training it reads no keys, so that Ctrl-C stays Ctrl-C. The last frame
//! stays in the terminal.

mod ansi;

use std::env;
use std::io::{self, IsTerminal, Stdout};
use std::time::{Duration, Instant};

use anyhow::Result;
use finescale_chain::{PIXELS, POINTS, Status};
use finescale_host::interrupt;
use finescale_plot::{ColorScale, Colors};
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, size};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::prelude::CrosstermBackend;
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line as Text;
use ratatui::widgets::Widget;

use super::line::{Received, Totals};
use super::temperatures::{Span, frames};
use super::words;

/// Pause between drawings.
const PAUSE: Duration = Duration::from_millis(100);
/// Rows of the terminal that the last frame takes, as many as old terminals have.
const ROWS: u16 = 24;

/// Whether there is a terminal to draw on, and colours are welcome (<https://no-color.org>).
pub(crate) fn is_welcome() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal()
        && !set("NO_COLOR")
        && env::var_os("TERM").is_none_or(|t| t != "dumb")
}

/// The terminal, and what is shown.
pub(crate) struct View {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    shown: Shown,
    drawn: Option<Instant>,
}

impl View {
    /// Takes the terminal's screen, to give it back when dropped.
    ///
    /// # Errors
    /// If the terminal cannot be drawn on.
    pub(crate) fn new(source: String) -> Result<Self> {
        execute!(io::stdout(), EnterAlternateScreen)?;
        interrupt::on_other_screen(true);
        let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        terminal.hide_cursor()?;
        let color_term = env::var("COLORTERM").unwrap_or_default();
        let many = ["truecolor", "24bit"].contains(&color_term.as_str());
        let shown = Shown { source, many, ..Shown::default() };
        Ok(Self { terminal, shown, drawn: None })
    }

    /// Shows a frame.
    pub(crate) fn frame(&mut self, received: &Received, totals: &Totals) {
        self.shown.take(received);
        self.tick(totals);
    }

    /// Shows what became of the line; nothing where it is well.
    pub(crate) fn trouble(&mut self, trouble: String) {
        self.shown.trouble = trouble;
        self.drawn = None;
    }

    /// Draws, if it is time. A terminal that cannot be drawn on is no reason to end a recording.
    pub(crate) fn tick(&mut self, totals: &Totals) {
        self.shown.totals = *totals;
        if self.drawn.is_none_or(|drawn| drawn.elapsed() > PAUSE) {
            self.drawn = Some(Instant::now());
            let _ = self.terminal.draw(|frame| frame.render_widget(&self.shown, frame.area()));
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        let _ = self.terminal.show_cursor();
        let _ = execute!(io::stdout(), LeaveAlternateScreen);
        interrupt::on_other_screen(false);
        if self.shown.last.is_some() {
            let (columns, rows) = size().unwrap_or((80, ROWS));
            let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows.min(ROWS)));
            self.shown.render(buffer.area, &mut buffer);
            print!("{}", ansi::text(&buffer));
        }
    }
}

/// What a drawing shows.
#[derive(Debug, Default)]
struct Shown {
    source: String,
    /// Whether the terminal has 2²⁴ colours; else 256.
    many: bool,
    last: Option<(Received, [Vec<f32>; 2])>,
    totals: Totals,
    span: Span,
    trouble: String,
}

impl Shown {
    fn take(&mut self, received: &Received) {
        let frames = frames(&received.packet);
        self.span.follow(&frames);
        self.last = Some((received.clone(), frames));
    }

    /// A colour of a picture as one of the terminal.
    fn color(&self, scale: &ColorScale, value: f64) -> Color {
        let color = scale.color(value);
        if self.many {
            return Color::Rgb(color.r, color.g, color.b);
        }
        // A cube of six steps of each of the three, behind the first sixteen.
        let step = |part: u8| part / 51 + u8::from(part % 51 > 25);
        Color::Indexed(16 + 36 * step(color.r) + 6 * step(color.g) + step(color.b))
    }

    /// A square field, two of its rows in each row of the terminal.
    fn field(&self, scale: &ColorScale, values: &[f32], n: usize, area: Rect, buffer: &mut Buffer) {
        // Whole cells for every point of the fine frame, where there is room for them.
        let most = area.width.min(2 * area.height);
        let points = POINTS as u16;
        let side = if most >= points { most / points * points } else { most & !1 };
        let value = |y: u16, x: u16| {
            let place = |at: u16| usize::from(at) * n / usize::from(side);
            let value = values.get(place(y) * n + place(x)).copied().unwrap_or(f32::NAN);
            self.color(scale, f64::from(value))
        };
        for row in 0..side / 2 {
            for column in 0..side {
                let cell = &mut buffer[(area.x + column, area.y + row)];
                let (upper, lower) = (value(2 * row, column), value(2 * row + 1, column));
                cell.set_symbol("▀").set_fg(upper).set_bg(lower);
            }
        }
    }

    /// The colours from the lowest temperature to the highest.
    fn bar(&self, scale: &ColorScale, area: Rect, buffer: &mut Buffer) {
        if area.is_empty() {
            return;
        }
        let (low, high) = (format!("{:.2} °C ", scale.low), format!(" {:.2} °C", scale.high));
        let width = |text: &str| text.chars().count() as u16;
        let length = area.width.saturating_sub(width(&low) + width(&high)).min(2 * POINTS as u16);
        let start = area.x + width(&low).min(area.width);
        Text::raw(low.as_str()).render(area, buffer);
        for n in 0..length {
            let share = (f64::from(n) + 0.5) / f64::from(length);
            let color = self.color(scale, scale.low + share * (scale.high - scale.low));
            buffer[(start + n, area.y)].set_bg(color);
        }
        let rest = Rect { x: start, ..area }.intersection(area);
        let after = Rect { x: rest.x + length, width: rest.width.saturating_sub(length), ..rest };
        Text::raw(high).render(after.intersection(area), buffer);
    }
}

impl Widget for &Shown {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let rows = [1, 1].map(Constraint::Length).into_iter().chain([Constraint::Fill(1)]);
        let rows = rows.chain([Constraint::Length(1); 5]);
        let [title, heads, fields, bar, figures @ ..] = Layout::vertical(rows).areas::<8>(area);
        Text::raw(self.source.as_str()).bold().render(title, buffer);
        Text::raw("Ctrl-C ends ").right_aligned().render(title, buffer);
        let lines = match &self.last {
            None => [Text::raw("waiting for the first packet"), Text::default()],
            Some((received, [coarse, fine])) => {
                let scale =
                    ColorScale::new([].into_iter(), Colors::Sequential, Some(self.span.ends()));
                let halves = || [Constraint::Fill(1); 2];
                let [left, right] = Layout::horizontal(halves()).spacing(2).areas(fields);
                let heads = Layout::horizontal(halves()).spacing(2).areas::<2>(heads);
                for (head, what, values, n, area) in [
                    (heads[0], "measured", coarse, PIXELS, left),
                    (heads[1], "computed", fine, POINTS, right),
                ] {
                    Text::raw(format!("{what}, {n} × {n}")).render(head, buffer);
                    self.field(&scale, values, n, area, buffer);
                }
                self.bar(&scale, bar, buffer);
                let packet = &received.packet;
                let alarm = packet.status.has(Status::ALARM);
                let style = if alarm { Style::new().light_red().bold() } else { Style::new() };
                let heat = format!("frame {}   {}", packet.frame, words::heat(packet));
                [Text::raw(heat), Text::styled(words::judgement(packet), style)]
            }
        };
        let [heat, judgement, totals, trouble] = figures;
        for (line, area) in lines.into_iter().zip([heat, judgement]) {
            line.render(area, buffer);
        }
        Text::raw(words::totals(&self.totals)).render(totals, buffer);
        Text::raw(self.trouble.as_str()).yellow().render(trouble, buffer);
    }
}

#[cfg(test)]
mod tests;
