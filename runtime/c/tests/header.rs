//! The header is that of the crate, and C and C++ compilers take it without a warning.
//!
//! After a change of the interface `FINESCALE_BLESS=1 cargo test --workspace --test header` writes
//! it anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Rust's types of pointers, which C is to see as the pointers that they are.
const POINTERS: [&str; 3] = ["Handle_", "Input_", "Output_"];

/// A folder or file, from the crate's.
fn folder_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn header() -> PathBuf {
    folder_of("include/finescale.h")
}

/// What cbindgen makes of the crate, with `typedef const float *Input_f32;` put in its places.
fn generated() -> String {
    let config = cbindgen::Config::from_file(folder_of("cbindgen.toml")).expect("the settings");
    let mut text = Vec::new();
    cbindgen::generate_with_config(folder_of("."), config).expect("a header").write(&mut text);
    let text = String::from_utf8(text).expect("text");
    let (mut names, mut kept) = (Vec::new(), Vec::new());
    for part in text.split("\n\n") {
        let pointer = part.lines().last().and_then(|line| line.strip_prefix("typedef "));
        let pointer = pointer.and_then(|line| line.strip_suffix(';')?.split_once('*'));
        match pointer {
            Some((target, name)) if POINTERS.iter().any(|prefix| name.starts_with(prefix)) => {
                names.push((format!("{name} "), format!("{target}*")));
            }
            _ => kept.push(part),
        }
    }
    let text = kept.join("\n\n");
    names.iter().fold(text, |text, (name, pointer)| text.replace(name, pointer)) + "\n"
}

#[test]
fn the_header_is_that_of_the_crate() {
    let text = generated();
    if env::var_os("FINESCALE_BLESS").is_some() {
        fs::write(header(), &text).expect("the header is written");
    }
    let committed = fs::read_to_string(header()).unwrap_or_default();
    assert!(
        text == committed,
        "include/finescale.h is not that of the crate: run this test with FINESCALE_BLESS=1"
    );
    assert!(POINTERS.iter().all(|prefix| !text.contains(prefix)), "a type of Rust's is left");
}

/// Compiles a text as a file whose name ends with the first of `flags`.
fn compiles(compiler: &str, flags: &[&str], text: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("source").with_extension(flags[0]);
    fs::write(&file, text).expect("a file");
    let mut command = Command::new(compiler);
    command.args(&flags[1..]).args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]);
    // Fields that are not named are zero, in C++ too.
    command.arg("-Wno-missing-field-initializers");
    command
        .arg("-I")
        .arg(folder_of("include"))
        .arg("-I")
        .arg(folder_of("../../firmware-example/c"));
    match command.arg(&file).output() {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => println!("{compiler} is not here, so it was not asked: {error}"),
    }
}

#[test]
fn compilers_of_c_and_of_cpp_take_it_without_a_warning() {
    let text = "#include \"finescale.h\"\n#include \"kolmogorov_32_int16.h\"\n";
    for standard in ["-std=c99", "-std=c11", "-std=c17"] {
        compiles("cc", &["c", standard], text);
    }
    for standard in ["-std=c++11", "-std=c++17", "-std=c++20"] {
        compiles("c++", &["cpp", standard], text);
    }
}

/// If this failed, a reader would copy lines that do not compile.
#[test]
fn the_lines_of_the_documentation_compile() {
    let page = fs::read_to_string(folder_of("../../docs/from-c.md")).expect("the page");
    let lines = page.split("```c\n").nth(1).and_then(|rest| rest.split("```").next());
    let lines = lines.expect("lines of C");
    compiles("cc", &["c", "-std=c11"], lines);
    compiles("c++", &["cpp", "-std=c++20"], lines);
}
