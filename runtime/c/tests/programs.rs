//! Programs in C on the desktop: what is refused, and the boards' example, whose bits are those that
//! Rust gets.
//!
//! They are compiled by the desktop's compilers, which Rust's linker needs as well. Where there is
//! none for C++, that is said.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use finescale::downscaler::MeanStream;
use finescale::model::{MeanFootprint, MeanModel};
use finescale::{Instrument, MeanDownscaler};
use finescale_c as _;

#[path = "../../../firmware-example/src/bin/stream/expected.rs"]
#[allow(dead_code)] // The rest is for the program in Rust.
mod expected;

use expected::{DIGESTS, FRAMES, POINTS, digest};

static MEANS: &[u8] = finescale::include_model!(
    "../../../models/kolmogorov-32-means/kolmogorov-32-means-int16.finescale"
);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The static library that Cargo has made beside this test.
fn library() -> PathBuf {
    let test = env::current_exe().expect("a test is a program");
    let built = fs::read_dir(test.parent().expect("a folder")).expect("a folder");
    let libraries = built.filter_map(|entry| {
        let path = entry.ok()?.path();
        let name = path.file_name()?.to_str()?;
        let ours = name.starts_with("libfinescale_c-") && name.ends_with(".a");
        Some((path.metadata().ok()?.modified().ok()?, path)).filter(|_| ours)
    });
    libraries.max().expect("the static library").1
}

/// Compiles sources and runs the program; `false` where there is no such compiler.
fn passes(compiler: &str, flags: &[&str], sources: &[PathBuf], arguments: &[PathBuf]) -> bool {
    let program = env::temp_dir().join(format!("finescale-{compiler}-{}", std::process::id()));
    let program = program.with_extension(sources[0].file_stem().unwrap());
    let example = root().join("firmware-example/c");
    let models = root().join("models");
    let mut command = Command::new(compiler);
    command.args(["-Wall", "-Wextra", "-Werror", "-O1", "-Wl,-z,noexecstack"]).args(flags);
    command.arg("-I").arg(root().join("runtime/c/include")).arg("-I").arg(&example);
    for (name, file) in [
        ("MODEL", models.join("kolmogorov-32/kolmogorov-32-int16.finescale")),
        ("MEANS", models.join("kolmogorov-32-means/kolmogorov-32-means-int16.finescale")),
        ("FRAMES", root().join("tests/golden/vectors/kolmogorov-8x8.f32")),
    ] {
        command.arg(format!("-D{name}=\"{}\"", file.display()));
    }
    command.args(sources).arg("-x").arg("none").arg(library()).arg("-o").arg(&program);
    let Ok(output) = command.args(["-lpthread", "-ldl", "-lm"]).output() else {
        println!("{compiler} is not here, so nothing was compiled");
        return false;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = Command::new(&program).args(arguments).output().expect("the program starts");
    fs::remove_file(&program).expect("the program is there");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{compiler}: {:?}, {said}", output.status);
    true
}

#[test]
fn c_and_cpp_are_refused_what_they_should_not_ask_for() {
    let source = [root().join("runtime/c/tests/refusals.c")];
    let model = [root().join("models/kolmogorov-32/kolmogorov-32-int16.finescale")];
    passes("cc", &["-std=c11", "-x", "c"], &source, &model);
    passes("c++", &["-std=c++17", "-x", "c++"], &source, &model);
}

#[test]
fn the_example_has_the_bits_of_rust_from_c_too() {
    let example = root().join("firmware-example/c");
    let sources = ["main.c", "data.S"].map(|name| example.join(name));
    let board = root().join("runtime/c/tests/desktop.c");
    passes("cc", &["-std=c11"], &[&sources[..], &[board]].concat(), &[]);
}

/// A number that a C file says.
fn constant(file: &str, name: &str) -> u32 {
    let text = fs::read_to_string(root().join("firmware-example/c").join(file)).expect("a file");
    let value = text.split(&format!(" {name} = 0x")).nth(1).and_then(|rest| rest.split(';').next());
    u32::from_str_radix(value.expect("the constant"), 16).expect("a number")
}

#[test]
fn the_example_expects_what_rust_gets() {
    assert_eq!(constant("main.c", "EXPECTED"), DIGESTS[2]);

    let model = MeanModel::parse(MEANS).expect("a shipped model");
    let sensor = Instrument::new(model.coarse_points(), model.sensor());
    let mut memory = vec![0.0; MeanStream::memory_len(&MeanFootprint::of(MEANS), &sensor)];
    let mut stream = MeanDownscaler::new(&model, sensor, &mut memory)
        .and_then(MeanDownscaler::stream)
        .expect("memory");
    let words = FRAMES.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word));
    let found = words.collect::<Vec<f32>>().chunks_exact(POINTS).fold(0, |before, coarse| {
        let fine = stream.push(Some(coarse)).expect("a push");
        fine.map_or(before, |fine| digest(before, fine.frames))
    });
    assert_eq!(constant("main.c", "EXPECTED_MEANS"), found, "{found:#010x}");
}
