//! Where the bytes come from. A thread of its own reads them, so that a silent line keeps neither
//! Ctrl-C nor the terminal waiting.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serial2::SerialPort;

/// Silence after which a TCP connection is taken to be gone: a cable that was pulled says nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// Pauses before a line that is gone is tried again: the first, and the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(8)];
/// Pieces of bytes that may wait; a source that is faster has to wait itself.
const WAITING: usize = 16;

/// What is listened to.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Standard input.
    Input,
    /// Recorded bytes, or a pipe.
    File(PathBuf),
    /// Host and port.
    Tcp(String),
    /// A serial device, and its symbols a second.
    Serial(PathBuf, u32),
}

/// What the thread tells.
#[derive(Debug)]
pub(crate) enum Event {
    /// Some bytes.
    Bytes(Vec<u8>),
    /// The line is gone, for this reason, and is tried again after the pause.
    Gone(String, Duration),
    /// The line is there again.
    Back,
    /// No more will come, because the source has ended or cannot be read.
    End(io::Result<()>),
}

impl Source {
    /// The source of this name.
    ///
    /// # Errors
    /// One sentence if an address has no port, or the name is that of a folder.
    pub(crate) fn named(name: &str, baud: u32) -> Result<Self> {
        if name == "-" {
            return Ok(Self::Input);
        }
        if let Some(address) = name.strip_prefix("tcp://") {
            let port = address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            port.with_context(|| {
                format!("SOURCE {name} has no port: give tcp://HOST:PORT, as in tcp://board:4000")
            })?;
            return Ok(Self::Tcp(address.to_owned()));
        }
        let path = PathBuf::from(name);
        ensure!(
            !path.is_dir(),
            "SOURCE {name} is a folder: name a device, a file or tcp://HOST:PORT"
        );
        Ok(if holds_bytes(&path) { Self::File(path) } else { Self::Serial(path, baud) })
    }

    /// Whether it can be opened again after it has gone.
    fn comes_back(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Serial(..))
    }

    fn open(&self) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::Input => Box::new(io::stdin()),
            Self::File(path) => Box::new(File::open(path)?),
            Self::Tcp(address) => {
                let line = TcpStream::connect(address)?;
                line.set_read_timeout(Some(SILENCE))?;
                Box::new(line)
            }
            Self::Serial(path, baud) => Box::new(SerialPort::open(path, *baud)?),
        })
    }

    /// Begins to read.
    pub(crate) fn listen(self) -> Receiver<Event> {
        let (to, events) = sync_channel(WAITING);
        // Once nobody takes what it sends, the thread ends.
        thread::spawn(move || self.tell(&to));
        events
    }

    /// Opens, reads and tells until the end; `None` where nobody listens any more.
    fn tell(&self, to: &SyncSender<Event>) -> Option<()> {
        let [mut pause, longest] = PAUSES;
        let mut known = false;
        loop {
            let ended = match self.open() {
                Ok(line) => {
                    if known {
                        to.send(Event::Back).ok()?;
                    }
                    known = true;
                    self.read(line, to, &mut pause)?
                }
                Err(error) => Err(error),
            };
            // A source that never was there is a slip of the pen.
            if !known || !self.comes_back() {
                return to.send(Event::End(ended)).ok();
            }
            let why = ended.map_or_else(|error| error.to_string(), |()| "it was closed".into());
            to.send(Event::Gone(why, pause)).ok()?;
            thread::sleep(pause);
            pause = longest.min(2 * pause);
        }
    }

    /// Reads to the end of the line, or to the error that breaks it.
    fn read(
        &self,
        mut line: Box<dyn Read>,
        to: &SyncSender<Event>,
        pause: &mut Duration,
    ) -> Option<io::Result<()>> {
        let mut bytes = [0; 4096];
        loop {
            match line.read(&mut bytes) {
                Ok(0) => return Some(Ok(())),
                Ok(n) => {
                    [*pause, _] = PAUSES;
                    to.send(Event::Bytes(bytes[..n].to_vec())).ok()?;
                }
                Err(error) => match (error.kind(), self) {
                    (ErrorKind::Interrupted, _) => {}
                    (ErrorKind::TimedOut, Self::Serial(..)) => {}
                    (ErrorKind::TimedOut | ErrorKind::WouldBlock, Self::Tcp(_)) => {
                        let silence = format!("nothing came for {} s", SILENCE.as_secs());
                        return Some(Err(io::Error::other(silence)));
                    }
                    _ => return Some(Err(error)),
                },
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input => f.write_str("standard input"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::File(path) | Self::Serial(path, _) => path.display().fmt(f),
        }
    }
}

/// Whether a path is read to its end, as files and pipes are; a device has none.
#[cfg(unix)]
fn holds_bytes(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.metadata().map_or(true, |about| !about.file_type().is_char_device())
}

/// As for Unix; the names of serial devices are no paths.
#[cfg(not(unix))]
fn holds_bytes(path: &Path) -> bool {
    path.is_file()
}
