//! The house is built as `CONTRIBUTING.md` says: who may use whom, and who writes files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What Cargo knows of the workspace's own crates.
fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--offline", "--no-deps"]);
    let output = cargo.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// The table of the floors: each crate, and the crates that it may use; `None` for all.
fn floors() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let contributing = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let table = contributing.split("## The floors").nth(1).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `finescale"));
    let names = |cell: &str| -> BTreeSet<String> {
        cell.split('`').filter(|part| part.starts_with("finescale")).map(str::to_owned).collect()
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        (name, (cells[3] != "all of them").then(|| names(cells[3])))
    })
    .collect()
}

/// If this failed, a crate would use one that its floor must not know, or the table would be old.
#[test]
fn every_crate_uses_what_its_floor_may() {
    let (floors, known) = (floors(), metadata());
    let mut seen = BTreeSet::new();
    for package in list(&known, "packages") {
        let manifest = text(package, "manifest_path");
        let of_house = ["/trainer/", "/runtime/"].iter().any(|folder| manifest.contains(folder));
        if !of_house {
            continue;
        }
        let name = text(package, "name");
        let allowed = floors.get(name).unwrap_or_else(|| panic!("{name} has no row"));
        seen.insert(name.to_owned());
        let used = list(package, "dependencies").iter().filter(|used| {
            // Tests may look down from anywhere; what is built for users may not.
            used["kind"].is_null() && used["path"].is_string()
        });
        for used in used.map(|used| text(used, "name")) {
            let fits = allowed.as_ref().is_none_or(|allowed| allowed.contains(used));
            assert!(fits, "{name} uses {used}, which its row does not name");
        }
        for named in allowed.iter().flatten() {
            assert!(floors.contains_key(named), "{name}'s row names {named}, which has no row");
        }
    }
    assert_eq!(seen, floors.keys().cloned().collect());
}

/// If this failed, who changes the judge would wait for the training framework. `Cargo.lock` has
/// the dependencies of all features and tests.
#[test]
fn only_training_builds_burn() {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let name = |package: &'_ toml::Value| package["name"].as_str().unwrap().to_owned();
    // Versions of one crate are taken together, which finds more and never less.
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        let used = package.get("dependencies").and_then(toml::Value::as_array);
        let used = used.into_iter().flatten().filter_map(toml::Value::as_str);
        let used = used.filter_map(|used| used.split(' ').next()).map(str::to_owned);
        uses.entry(name(package)).or_default().extend(used);
    }
    let members = packages.iter().filter(|package| package.get("source").is_none());
    let with = members.map(name).filter(|member| {
        let (mut reached, mut open) = (BTreeSet::from([member]), vec![member]);
        while let Some(name) = open.pop() {
            open.extend(uses[name].iter().filter(|used| reached.insert(used)));
        }
        reached.iter().any(|name| *name == "burn")
    });
    let with: Vec<String> = with.collect();
    assert_eq!(with, ["finescale-benches", "finescale-cli", "finescale-train"]);
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|suffix| suffix == "rs") {
            found.push(path);
        }
    }
}

/// If this failed, an output could be left half-written, or lost with the power.
#[test]
fn only_one_module_creates_and_renames_files() {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join("trainer")).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut files);
        }
    }
    assert!(files.len() > 150);
    let mut others = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("host/src/write.rs")) {
        let text = fs::read_to_string(file).unwrap();
        // Tests make files of their own; they come last.
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for call in ["fs::rename(", "fs::write(", "File::create(", ".persist(", "tempfile::"] {
            if code.contains(call) {
                others.push(format!("{}: {call}", file.display()));
            }
        }
    }
    assert_eq!(others, Vec::<String>::new());
}
