//! Pictures are whole, whoever draws them at once.

use std::{fs, thread};

use finescale_plot::Figure;

/// Two programs, or two threads, may draw the same picture: each file is whole, and no other is
/// left.
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
    resvg::tiny_skia::Pixmap::load_png(home.path().join("a.png")).unwrap();
}
