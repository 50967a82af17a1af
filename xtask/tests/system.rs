//! The commands leave the system as it is. They run here as root would, on a `PATH` of scripts that
//! write down how they were called, in a copy of the little of the repository that they read.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Machine {
    home: tempfile::TempDir,
}

impl Machine {
    /// With Rust and `apt-get`, without the firmware's targets, QEMU and Python.
    fn new() -> Self {
        let machine = Self { home: tempfile::tempdir().unwrap() };
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let root = machine.path("repository");
        for folder in ["xtask", "models"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        for board in fs::read_dir(repository.join("firmware-example/boards")).unwrap() {
            let board = board.unwrap().path();
            let to = root.join("firmware-example/boards").join(board.file_name().unwrap());
            fs::create_dir_all(&to).unwrap();
            for file in ["board.toml", "memory.x"] {
                fs::copy(board.join(file), to.join(file)).unwrap();
            }
        }
        fs::create_dir_all(root.join("tests/python")).unwrap();
        fs::write(root.join("tests/python/requirements.txt"), "numpy\n").unwrap();
        fs::create_dir(machine.path("bin")).unwrap();
        machine.script("id", "echo 0");
        let sysroot = machine.path("rust").display().to_string();
        machine.script("rustc", &format!("[ \"$1\" = -vV ] && echo host: no || echo {sysroot}"));
        machine
            .script("cargo", "echo 'test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured'");
        machine.script("dpkg-query", "exit 1");
        machine.script("dpkg-deb", "exit 0");
        machine.script("python3", "exit 1");
        machine.script("apt-get", "case \"$*\" in *--simulate*) echo 'Inst qemu (1)';; esac");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A program that writes its arguments down.
    fn script(&self, name: &str, does: &str) {
        let (file, calls) = (self.path("bin").join(name), self.path("calls"));
        let text = format!("#!/bin/sh\necho \"{name} $*\" >> '{}'\n{does}\n", calls.display());
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn xtask(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(arguments)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("CARGO_MANIFEST_DIR", self.path("repository/xtask"))
            .output()
            .unwrap()
    }

    fn calls(&self, program: &str) -> Vec<String> {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls
            .lines()
            .filter(|line| line.starts_with(&format!("{program} ")))
            .map(str::to_owned)
            .collect()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn tests_install_nothing_and_name_what_is_missing() {
    for command in ["test", "ci", "firmware"] {
        let machine = Machine::new();
        let output = machine.xtask(&[command]);
        let said = text(&output);
        for program in ["apt-get", "dpkg-deb", "python3"] {
            assert_eq!(machine.calls(program), Vec::<String>::new(), "{command}: {said}");
        }
        let installs = machine.calls("cargo").iter().any(|call| call.starts_with("cargo install"));
        assert!(!installs, "{command}: {said}");
        for names in ["qemu-system-arm", "rustc-web", "qemu-run", "run `cargo xtask setup`"] {
            assert!(said.contains(names), "{command} does not name {names}: {said}");
        }
        // The tests that need nothing more have run, and only `test` does without the others.
        let tests = machine.calls("cargo").iter().any(|call| call.contains("test --workspace"));
        assert_eq!((tests, output.status.success()), (command != "firmware", command == "test"));
    }
}

/// `demo` may download winds into the target folder; it installs nothing.
#[test]
fn the_demo_installs_nothing() {
    let machine = Machine::new();
    let program = machine.path("repository/target/release");
    fs::create_dir_all(&program).unwrap();
    machine.script("finescale", "exit 0");
    fs::rename(machine.path("bin/finescale"), program.join("finescale")).unwrap();
    let output = machine.xtask(&["demo"]);
    assert!(output.status.success(), "{}", text(&output));
    leaves_the_system_alone(&machine.calls("apt-get"));
}

#[test]
fn setup_says_what_it_will_do_before_it_does_it() {
    let machine = Machine::new();
    let output = machine.xtask(&["setup", "--dry-run"]);
    let (plan, calls) = (text(&output), machine.calls("apt-get"));
    assert!(output.status.success() && calls.is_empty(), "{plan}");
    for names in
        ["rustc-web", "qemu-system-misc", "unpack", "qemu-run", "mdbook", "Python", "28 MB"]
    {
        assert!(plan.contains(names), "{names}: {plan}");
    }

    // The packages hold nothing here, so that setup fails: after it has said all of the plan.
    let output = machine.xtask(&["setup"]);
    let said = text(&output);
    assert!(!output.status.success() && said.starts_with(&plan), "{said}");
    let calls = machine.calls("apt-get");
    assert!(
        calls.iter().any(|call| call.contains("download") && call.ends_with(" qemu")),
        "{calls:?}"
    );
    leaves_the_system_alone(&calls);
    // Nothing half-made is left.
    let left: Vec<_> = fs::read_dir(machine.path("repository/target")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Only lists of its own are fetched, only plans are asked for, and files are only downloaded.
fn leaves_the_system_alone(calls: &[String]) {
    for call in calls {
        let own = call.contains("Dir::State::Lists=") && call.contains("Dir::Cache=");
        let words: Vec<_> = call.split(' ').collect();
        let asks = words.contains(&"update") || words.contains(&"download");
        let plans = words.contains(&"install") && words.contains(&"--simulate");
        assert!(own && (asks || plans), "{call}");
    }
}
