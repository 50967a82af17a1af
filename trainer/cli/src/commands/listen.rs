//! `finescale listen`: what a sensor board sends, shown and recorded.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use clap::Args;
use finescale_host::interrupt;

use crate::listen::line::{Line, Received};
use crate::listen::picture;
use crate::listen::recording::{self, Recording};
use crate::listen::source::{Event, Source};
use crate::listen::view::{self, View};
use crate::listen::words;

/// The longest time in which Ctrl-C waits.
const PAUSE: Duration = Duration::from_millis(100);

/// Listen to a sensor board: show its frames in the terminal and record them
///
/// In a terminal the coarse frame is drawn beside the fine one; elsewhere every frame is a line.
/// Ctrl-C ends it, and what was received is kept.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// A serial device such as /dev/ttyACM0, tcp://HOST:PORT, a file of recorded bytes, or - for
    /// standard input
    source: String,
    /// Symbols a second of a serial device
    #[arg(long, default_value_t = 115_200, value_parser = clap::value_parser!(u32).range(1..))]
    baud: u32,
    /// File to record to, .nc
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// End after so many frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    frames: Option<u64>,
    /// Picture of the last frame to write at the end, .png or .svg
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// A line for each frame, without colours, in a terminal too
    #[arg(long)]
    plain: bool,
}

impl ListenArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let source = Source::named(&self.source, self.baud)?;
        self.out.as_deref().map(|path| recording::check(path, self.force)).transpose()?;
        self.picture.as_deref().map(picture::check).transpose()?;
        let name = source.to_string();
        let recording = self.out.as_deref().map(|path| Recording::new(path, &name)).transpose()?;
        let live = !self.plain && view::is_welcome();
        let view = live.then(|| View::new(name.clone())).transpose()?;
        let mut session =
            Session { name, recording, view, line: Line::default(), last: None, gone: false };
        let ended = session.take_all(&source.listen(), self.frames.unwrap_or(u64::MAX));
        let Session { name, recording, view, line, last, .. } = session;
        // The last frame stays in the terminal, with what came in all.
        let said = view.is_some();
        drop(view);
        // What came before an error is kept as well.
        recording.map(Recording::finish).transpose()?;
        ended?;
        let last = last.with_context(|| match line.totals.garbled {
            0 => format!("no packet came from {name}"),
            n => format!(
                "no packet came from {name}, only pieces ({n}) that are none: does the line's \
                 speed (--baud) fit, and the board's firmware this program?"
            ),
        })?;
        if !said {
            eprintln!("{}", words::totals(&line.totals));
        }
        if let Some(path) = &self.picture {
            picture::save(&last, path)?;
        }
        for path in self.out.iter().chain(&self.picture) {
            eprintln!("{}", path.display());
        }
        Ok(())
    }
}

/// A line that is listened to.
struct Session {
    name: String,
    recording: Option<Recording>,
    view: Option<View>,
    line: Line,
    last: Option<Received>,
    /// Whether the line is gone, which is said once.
    gone: bool,
}

impl Session {
    /// Takes what comes until the source ends, there are so many frames, or Ctrl-C is pressed.
    fn take_all(&mut self, events: &Receiver<Event>, frames: u64) -> Result<()> {
        while self.line.totals.frames < frames && interrupt::check().is_ok() {
            match events.recv_timeout(PAUSE) {
                Ok(Event::Bytes(bytes)) => {
                    for byte in bytes {
                        let received = self.line.feed(byte, now());
                        self.take(received)?;
                        if self.line.totals.frames == frames {
                            break;
                        }
                    }
                }
                Ok(Event::Gone(why, pause)) => {
                    let received = self.line.breaks_off(now());
                    self.take(received)?;
                    self.is_gone(&why, pause);
                }
                Ok(Event::Back) => {
                    self.line.comes_back();
                    self.gone = false;
                    self.say(format!("{} is there again", self.name));
                }
                Ok(Event::End(ended)) => {
                    let received = self.line.breaks_off(now());
                    self.take(received)?;
                    ended.with_context(|| format!("SOURCE {} cannot be read", self.name))?;
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if let Some(view) = &mut self.view {
                view.tick(&self.line.totals);
            }
        }
        Ok(())
    }

    fn take(&mut self, received: Option<Received>) -> Result<()> {
        let Some(received) = received else { return Ok(()) };
        self.recording.as_mut().map(|recording| recording.push(&received)).transpose()?;
        match &mut self.view {
            Some(view) => view.frame(&received, &self.line.totals),
            None => println!("{}", words::line(&received)),
        }
        self.last = Some(received);
        Ok(())
    }

    /// In the terminal every try is shown, elsewhere the first one is said.
    fn is_gone(&mut self, why: &str, pause: Duration) {
        let first = !std::mem::replace(&mut self.gone, true);
        if first || self.view.is_some() {
            let seconds = pause.as_secs_f64();
            self.say(format!("{} is gone ({why}): trying again in {seconds} s", self.name));
        }
    }

    fn say(&mut self, trouble: String) {
        match &mut self.view {
            Some(view) => view.trouble(trouble),
            None => eprintln!("{trouble}"),
        }
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}
