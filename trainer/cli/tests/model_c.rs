//! `finescale model c`: what it writes is what the boards' example in C has, and the bytes are the
//! file's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn model_c(model: &str, out: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finescale"));
    command.args(["model", "c"]).arg(root().join("models").join(model));
    command.arg("--out").arg(out).args(arguments).output().unwrap()
}

/// The numbers of an array in C.
fn array(source: &str) -> Vec<u8> {
    let numbers = source.split(['{', '}']).nth(1).unwrap().split(',').map(str::trim);
    let numbers = numbers.filter(|number| !number.is_empty());
    numbers.map(|number| u8::from_str_radix(&number[2..], 16).unwrap()).collect()
}

/// With `FINESCALE_BLESS=1` the example's headers are written anew.
#[test]
fn the_headers_of_the_example_are_those_of_the_command() {
    let folder = tempfile::tempdir().unwrap();
    for (model, name, arguments) in [
        ("kolmogorov-32/kolmogorov-32-int16", "kolmogorov_32_int16", &["--sensor", "modes:4"][..]),
        (
            "kolmogorov-32-means/kolmogorov-32-means-int16",
            "kolmogorov_32_means_int16",
            &["--members", "0"],
        ),
    ] {
        let (model, out) = (format!("{model}.finescale"), folder.path().join(name));
        let output = model_c(&model, &out.with_extension("h"), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let header = fs::read_to_string(out.with_extension("h")).unwrap();
        let committed = root().join("firmware-example/c").join(name).with_extension("h");
        if std::env::var_os("FINESCALE_BLESS").is_some() {
            fs::write(&committed, &header).unwrap();
        }
        assert_eq!(header, fs::read_to_string(committed).unwrap());
        let source = fs::read_to_string(out.with_extension("c")).unwrap();
        assert_eq!(array(&source), fs::read(root().join("models").join(model)).unwrap());
    }
}

#[test]
fn memory_grows_with_frames_members_and_dead_points() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("flow.h");
    let memory = |arguments: &[&str]| {
        let all = [&["--sensor", "block-mean:4"], arguments].concat();
        let output = model_c("kolmogorov-32/kolmogorov-32-int16.finescale", &out, &all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let header = fs::read_to_string(&out).unwrap();
        ["FLOW_MEMORY ", "FLOW_STREAM_MEMORY "].map(|name| {
            let value = header.split(&format!("#define {name}")).nth(1).unwrap().lines().next();
            value.unwrap().parse::<usize>().unwrap()
        })
    };
    let [least, stream] = memory(&[]);
    assert!(memory(&["--frames", "4"])[0] > least);
    assert!(memory(&["--members", "2"])[0] > least);
    assert!(memory(&["--dead", "3"])[0] > least);
    assert!(memory(&["--lag", "2"])[1] > stream);
}

#[test]
fn what_does_not_fit_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (flow, means) = (
        "kolmogorov-32/kolmogorov-32-int16.finescale",
        "kolmogorov-32-means/kolmogorov-32-means-int16.finescale",
    );
    for (model, out, arguments, expected) in [
        (flow, "a.h", &[][..], "--sensor is missing"),
        (flow, "a.h", &["--sensor", "disc:4"], "--sensor is disc:4: give"),
        (flow, "a.h", &["--sensor", "modes:5"], "does not divide"),
        (flow, "a.h", &["--sensor", "modes:4", "--dead", "64"], "--dead is 64"),
        (flow, "a.h", &["--sensor", "modes:4", "--members", "0"], "--members is 0"),
        (flow, "a-b.h", &["--sensor", "modes:4"], "gives no name in C"),
        (flow, "a.hpp", &["--sensor", "modes:4"], "is no header"),
        (means, "a.h", &["--sensor", "modes:4"], "has its own sensor"),
    ] {
        let output = model_c(model, &folder.path().join(out), arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{expected}: {said}");
    }
}
