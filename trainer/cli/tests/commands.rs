//! The commands that make data sets from simulators and draw them: what comes out, and what is
//! refused.

#[path = "../../fixtures/chart.rs"]
#[allow(dead_code, reason = "points are compared in other test files")]
mod chart;
#[path = "common/home.rs"]
mod home;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chart::{Points, charts};
use finescale_data::dataset::{Reader, Split};
use home::Home;
use resvg::tiny_skia::Pixmap;

const KS: &str = "data simulate kuramoto-sivashinsky --burn-in 15";
const KOLMOGOROV: &str =
    "data simulate kolmogorov --grid 16 --resolution 32 --dt 0.025 --burn-in 1 --frames 6";

#[test]
fn every_system_becomes_a_data_set() {
    let home = Home::empty();
    let systems = [
        (KOLMOGOROV.to_owned(), (16, 16), vec!["vorticity"]),
        (format!("{KS} --frames 6"), (1, 64), vec!["u"]),
        ("data simulate lorenz96 --burn-in 1 --frames 6".to_owned(), (1, 128), vec!["X", "Y"]),
        ("data simulate linear --burn-in 3 --frames 6".to_owned(), (1, 64), vec!["u"]),
    ];
    for (number, (line, shape, channels)) in systems.iter().enumerate() {
        let out = format!("{number}.zarr");
        home.succeeds(&format!("{line} --trajectories 5 --seed 3 --out {out}"));
        let reader = Reader::open(&home.path(&out)).unwrap();
        reader.verify().unwrap();
        let spec = reader.spec();
        assert_eq!((spec.ny(), spec.nx()), *shape, "{line}");
        assert_eq!((spec.trajectories, spec.frames()), (5, 6), "{line}");
        let names: Vec<_> = spec.channels.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, *channels, "{line}");
        let frames = Split::ALL.map(|split| reader.splits().count(split));
        assert_eq!(frames, [18, 6, 6], "{line}");
        assert_eq!(reader.manifest().seed, Some(3));
        assert!(spec.axes().all(|axis| axis.length == std::f64::consts::TAU), "{line}");
        assert!(reader.manifest().command.contains("data simulate"), "{line}");
        assert!(reader.statistics().channels.iter().all(|c| c.std > 0.0), "{line}");
    }
}

#[test]
fn trajectories_depend_on_the_seed_and_their_number_alone() {
    let home = Home::empty();
    home.succeeds(&format!("{KS} --frames 4 --trajectories 6 --seed 1 --out a.zarr"));
    home.succeeds(&format!("{KS} --frames 4 --trajectories 3 --seed 1 --out b.zarr"));
    home.succeeds(&format!("{KS} --frames 4 --trajectories 6 --seed 2 --out c.zarr"));
    let open = |name: &str| Reader::open(&home.path(name)).unwrap();
    let (a, b, c) = (open("a.zarr"), open("b.zarr"), open("c.zarr"));
    for trajectory in 0..3 {
        let values = a.read(trajectory, 0..4).unwrap();
        assert_eq!(values, b.read(trajectory, 0..4).unwrap());
        assert_ne!(values, c.read(trajectory, 0..4).unwrap());
    }
    // One thread, same bits, same hash.
    let line = format!("{KS} --frames 4 --trajectories 6 --seed 1 --out d.zarr");
    let mut single = home.command(&line);
    assert!(single.env("RAYON_NUM_THREADS", "1").output().unwrap().status.success());
    assert_eq!(open("d.zarr").hash(), a.hash());
}

/// The SVG of a picture whose PNG has the same size, at two pixels a unit.
fn picture(folder: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(folder.join(format!("{name}.svg"))).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let side = |name| document.root_element().attribute(name).unwrap().parse::<u32>().unwrap();
    let pixels = Pixmap::load_png(folder.join(format!("{name}.png"))).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (2 * side("width"), 2 * side("height")));
    text
}

#[test]
fn data_sets_are_drawn() {
    let home = Home::empty();
    home.succeeds(&format!("{KOLMOGOROV} --trajectories 3 --out plane.zarr"));
    home.succeeds(&format!("{KS} --frames 6 --trajectories 3 --out line.zarr"));
    for name in ["plane", "line"] {
        for format in ["png", "svg"] {
            let options = format!("--format {format} --trajectory 2 --frames 2");
            home.succeeds(&format!("data plot {name}.zarr {options}"));
            let levels = "--lambda 0,0.1,1 --frame 2";
            home.succeeds(&format!("damp {name}.zarr --out {name}-damped.{format} {levels}"));
        }
        let spectra = charts(&picture(&home.path(name), "spectra"));
        assert_eq!(spectra.len(), 1, "{spectra:?}");
        assert_eq!(spectra[0].x_label, "wavenumber");
        assert!(spectra[0].y_label.starts_with("power"), "{spectra:?}");
        let damped = picture(&home.path("."), &format!("{name}-damped"));
        for lambda in ["λ = 0", "λ = 0.1", "λ = 1"] {
            assert!(damped.contains(lambda), "{lambda}");
        }
    }
    let fields = picture(&home.path("plane"), "fields");
    // Two frames and the bar of their colours.
    assert_eq!(fields.matches("<image").count(), 3);

    // On a line the first and the last frame are curves: those of the data set.
    let mut profiles = charts(&picture(&home.path("line"), "fields"));
    profiles.retain(|chart| !chart.lines.is_empty());
    let [chart] = &profiles[..] else { panic!("{profiles:?}") };
    let reader = Reader::open(&home.path("line.zarr")).unwrap();
    let values = reader.read(2, 0..6).unwrap();
    let nx = reader.spec().nx();
    let drawn: Vec<_> = chart.lines.values().collect();
    assert_eq!(drawn.len(), 2);
    for frame in [0, 5] {
        let wanted = &values[frame * nx..][..nx];
        let span = chart.y_ticks[chart.y_ticks.len() - 1] - chart.y_ticks[0];
        let same = |line: &&Points| {
            let mut pairs = line.iter().zip(wanted);
            line.len() == nx && pairs.all(|(p, u)| (p.1 - f64::from(*u)).abs() < 5e-3 * span)
        };
        assert_eq!(drawn.iter().filter(|line| same(line)).count(), 1, "frame {frame}: {chart:?}");
    }
}

#[test]
fn bad_parameters_are_refused_in_a_sentence() {
    let home = Home::empty();
    home.succeeds(&format!("{KS} --frames 4 --trajectories 3 --out a.zarr"));
    let cases = [
        (format!("{KS} --dt 5 --out b.zarr"), "--dt 5"),
        (format!("{KS} --trajectories 0 --out b.zarr"), "--trajectories"),
        (format!("{KS} --frames 1 --out b.zarr"), "--frames is 1"),
        (format!("{KS} --grid 98 --out b.zarr"), "such as 96"),
        (format!("{KS} --trajectories 3 --out a.zarr"), "--force"),
        (format!("{KS} --trajectories 3 --out none/b.zarr"), "none"),
        ("data simulate kolmogorov --dt 0.1 --out b.zarr".into(), "CFL"),
        ("data simulate lorenz96 --dt 0.05 --out b.zarr".into(), "bound of RK4"),
        ("data plot none.zarr".into(), "does not exist"),
        ("data plot a.zarr --trajectory 9".into(), "0 to 2"),
        ("data plot a.zarr --frames 0".into(), "--frames is 0"),
        ("damp a.zarr --channel v".into(), "the data set has u"),
        ("damp a.zarr --frame 4".into(), "frames 0 to 3"),
        ("damp a.zarr --trajectory 3".into(), "0 to 2"),
        ("damp a.zarr --lambda=-0.5".into(), "lambda is -0.5"),
        ("damp a.zarr --alpha=-1".into(), "alpha is -1"),
        ("damp a.zarr --out a.jpg".into(), ".png"),
    ];
    for (line, says) in cases {
        let error = home.refuses(&line);
        assert!(error.contains(says), "{line}: {error}");
    }
}

#[test]
fn an_interrupted_simulation_leaves_nothing() {
    let home = Home::empty();
    let line = "data simulate kolmogorov --trajectories 50 --out long.zarr";
    let mut child = home.command(line).stderr(Stdio::piped()).spawn().unwrap();
    // Its hidden folder shows that it is under way.
    let begun = Instant::now();
    while home.entries().is_empty() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!home.entries().is_empty());
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(home.entries().is_empty(), "{:?}", home.entries());
}
