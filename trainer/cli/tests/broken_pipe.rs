//! A reader that has seen enough ends the program without a word, as it ends every other.
#![cfg(unix)]

use std::io::pipe;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

const SIGPIPE: i32 = 13;
const MODEL: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/line-f32.finescale");

fn finescale(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finescale"));
    command.args(arguments);
    command
}

/// The end of a pipe that nobody reads.
fn unread() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

#[test]
fn a_closed_standard_output_ends_the_program_by_its_signal() {
    let mut info = finescale(&["model", "info", MODEL]);
    let output = info.stdout(unread()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.signal(), Some(SIGPIPE), "{}", output.status);
}

/// The panic of `eprintln!` has no place to be told.
#[test]
fn a_closed_standard_error_ends_the_program_by_its_signal() {
    let mut info = finescale(&["model", "info", "no-such-model"]);
    let output = info.stdout(Stdio::piped()).stderr(unread()).output().unwrap();
    assert_eq!(output.status.signal(), Some(SIGPIPE), "{}", output.status);
}

#[test]
fn head_gets_its_line_and_nothing_else_is_said() {
    let line = r#""$0" model info "$1" | head -n 1"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", line, env!("CARGO_BIN_EXE_finescale"), MODEL]);
    let output = shell.output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
