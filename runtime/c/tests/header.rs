//! The header is that of the crate, and C and C++ compilers take it without a warning.
//!
//! After a change of the interface `FINESCALE_BLESS=1 cargo test --workspace --test header` writes
//! it anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Rust's types of pointers, which C is to see as the pointers that they are.
const POINTERS: [&str; 3] = ["Handle_", "Input_", "Output_"];

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn header() -> PathBuf {
    folder().join("include/finescale.h")
}

/// What cbindgen makes of the crate, with `typedef const float *Input_f32;` put in its places.
fn generated() -> String {
    let config = cbindgen::Config::from_file(folder().join("cbindgen.toml")).expect("the settings");
    let mut text = Vec::new();
    cbindgen::generate_with_config(folder(), config).expect("a header").write(&mut text);
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

/// Compiles a file as what its name ends with.
fn compiles(compiler: &str, flags: &[&str]) {
    let file =
        env::temp_dir().join(format!("finescale-header-{}.{}", std::process::id(), flags[0]));
    fs::write(&file, "#include \"finescale.h\"\n").expect("a file");
    let mut command = Command::new(compiler);
    command.args(&flags[1..]).args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]);
    let output = command.arg("-I").arg(folder().join("include")).arg(&file).output();
    fs::remove_file(&file).expect("the file is there");
    match output {
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Err(error) => println!("{compiler} is not here, so it was not asked: {error}"),
    }
}

#[test]
fn compilers_of_c_and_of_cpp_take_it_without_a_warning() {
    for standard in ["-std=c99", "-std=c11", "-std=c17"] {
        compiles("cc", &["c", standard]);
    }
    for standard in ["-std=c++11", "-std=c++17", "-std=c++20"] {
        compiles("c++", &["cpp", standard]);
    }
}
