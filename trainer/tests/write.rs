//! Outputs get their names in one place, whole.

use std::path::{Path, PathBuf};
use std::{fs, thread};

use finescale_trainer::plot::Figure;

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
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&home, &mut files);
    assert!(files.len() > 100);
    let mut others = Vec::new();
    for file in files.iter().filter(|file| **file != home.join("write.rs")) {
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

/// Two programs, or two threads, may draw the same picture: each file is whole, and no other is left.
#[test]
fn a_picture_that_is_written_at_once_by_many_is_whole() {
    let home = tempfile::tempdir().unwrap();
    for name in ["a.svg", "a.png"] {
        let path = home.path().join(name);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        Figure::new().title("many").save(&path).unwrap();
                    }
                });
            }
        });
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    let document = fs::read_to_string(home.path().join("a.svg")).unwrap();
    roxmltree::Document::parse(&document).unwrap();
    image::open(home.path().join("a.png")).unwrap();
}
