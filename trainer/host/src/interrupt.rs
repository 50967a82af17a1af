//! Signals. Ctrl-C is one flag that long loops look at, so that everything half-written is taken
//! away on the way out; a pipe whose reader has gone ends the program.

use std::fmt;
#[cfg(unix)]
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static OTHER_SCREEN: AtomicBool = AtomicBool::new(false);

/// Exit code of a command that was interrupted, as shells expect it (128 + SIGINT).
pub const EXIT_CODE: u8 = 130;

/// The error that [`check`] returns after Ctrl-C.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Makes Ctrl-C (and SIGTERM) set the flag instead of ending the process; a second one ends it at
/// once. A reader that has seen enough, as `head` has, ends the process by SIGPIPE, as it ends
/// others: Rust ignores that signal, and would panic.
///
/// # Errors
/// If a handler is already there.
pub fn install() -> anyhow::Result<()> {
    #[cfg(unix)]
    signal_hook::flag::register_conditional_default(
        signal_hook::consts::SIGPIPE,
        Arc::new(AtomicBool::new(true)),
    )?;
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            if OTHER_SCREEN.load(Ordering::SeqCst) {
                // Back to the terminal's own screen and cursor, as the one who left it will not.
                print!("\x1b[?1049l\x1b[?25h");
            }
            std::process::exit(i32::from(EXIT_CODE));
        }
    })?;
    Ok(())
}

/// The flag, for code that is handed one.
pub fn flag() -> &'static AtomicBool {
    &INTERRUPTED
}

/// Says whether something draws on the terminal's other screen: an exit at once must not leave the
/// user there.
pub fn on_other_screen(on: bool) {
    OTHER_SCREEN.store(on, Ordering::SeqCst);
}

/// To be called once per unit of work (a block of frames, say).
///
/// # Errors
/// [`Interrupted`] after Ctrl-C.
pub fn check() -> Result<(), Interrupted> {
    if INTERRUPTED.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
}
