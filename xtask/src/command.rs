//! Running programs: each is printed as it could be typed, and none reads the terminal.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Runs a command to its end; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.stdin(Stdio::null()).status().with_context(|| program(command))?;
    ensure!(status.success(), "`{}` stopped with {status}", program(command));
    Ok(())
}

/// Runs a command, shows its standard output line by line and hands each line to `each_line`; says
/// whether it succeeded.
pub(crate) fn run_reading(command: &mut Command, mut each_line: impl FnMut(&str)) -> Result<bool> {
    println!("$ {}", shown(command));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| program(command))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            each_line(&line);
        }
    }
    Ok(child.wait()?.success())
}

/// Runs a command without showing it: its success, and both of its outputs.
pub(crate) fn capture(command: &mut Command) -> Result<(bool, String)> {
    code(command).map(|(code, text)| (code == Some(0), text))
}

/// Runs a command without showing it: its exit code, and both of its outputs.
pub(crate) fn code(command: &mut Command) -> Result<(Option<i32>, String)> {
    let output = command.stdin(Stdio::null()).output().with_context(|| program(command))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&text).into_owned()))
}

/// The command as a shell line, with the variables that were set for it.
pub(crate) fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={}", name.to_string_lossy(), quoted(&value?.to_string_lossy())))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words = words.map(|word| quoted(&word.to_string_lossy()));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+,./:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{word}'") }
}
