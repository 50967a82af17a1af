//! `finescale validate` and `finescale card` with conditional means.
#![cfg(feature = "train")]

#[path = "common/home.rs"]
mod home;

use home::{Home, one_sentence};

/// The base alone, in closed form.
const BASE: &str = "
system = \"conditional-mean\"
[network]
kind = \"linear\"
[mean]
before = 1
after = 1
window = 2
";
/// A network on a linear map; a few steps are enough to have weights.
const NETWORK: &str = "
system = \"conditional-mean\"
[mean]
before = 1
after = 0
window = 2
base = \"ridge\"
rank = 6
maps = 1
[network.tiny]
channels = 4
dilations = [1, 1]
[training]
batch = 4
steps = 3
warmup = 1
[report]
every = 3
windows = 4
";

impl Home {
    /// With a data set and a model trained on it, in `run`.
    fn trained(settings: &str) -> Self {
        let home = Self::with_waves(12, 12);
        std::fs::write(home.path("mean.toml"), settings).unwrap();
        home.succeeds("train ks.zarr --config mean.toml --out run");
        home
    }

    /// The rows of a footprint in a new card of `run`: precision and numbers.
    fn footprint(&self, results: &str) -> (String, Vec<Vec<String>>) {
        let about = "--about Waves. --licence free. --out card.md";
        self.succeeds(&format!("card --model run --data ks.zarr {about} {results}"));
        let card = std::fs::read_to_string(self.path("card.md")).unwrap();
        let (_, table) = card.split_once("## Footprint").unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
        let cells = |row: &str| row.trim_matches('|').split('|').map(|c| c.trim().into()).collect();
        let rows = rows.map(cells).collect();
        (card, rows)
    }
}

/// The first two words of every row that has a verdict, without times.
fn rows(printed: &str) -> Vec<String> {
    let rows = printed.lines().filter(|line| line.ends_with("pass") || line.ends_with("FAIL"));
    rows.map(|row| row.split_whitespace().take(3).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_base_alone_has_one_precision() {
    let home = Home::trained(BASE);
    for data in ["", "--data ks.zarr"] {
        let printed = home.succeeds(&format!("validate run {data} --picture worst.svg"));
        assert!(printed.contains("4 windows of 3 coarse frames"), "{printed}");
        let mut known = vec!["f32 mean u"];
        if cfg!(feature = "onnx") {
            known.push("tract mean u");
        }
        assert_eq!(rows(&printed), known, "{printed}");
        assert!(!printed.contains("FAIL"), "{printed}");
        let picture = std::fs::read_to_string(home.path("worst.svg")).unwrap();
        assert!(picture.contains("reference") && picture.contains("mean of u"), "{picture}");
    }
    let line = "validate run --tolerance 1e-12 --picture worst.svg";
    let error = one_sentence(line, &home.command(line).output().unwrap());
    assert!(error.contains("differ from the reference by more than 0.000000000001"), "{error}");
    home.succeeds("data simulate linear --grid 64 --trajectories 8 --frames 8 --out other.zarr");
    assert!(home.refuses("validate run --data other.zarr").contains("another grid"));

    let super_resolve = "super-resolve ks.zarr --coarsen 4 --trajectories 2 --model run";
    home.succeeds(&format!("{super_resolve} --members 3 --out sr.nc"));
    home.succeeds(&format!("{super_resolve} --members 1 --mean-alone --out alone.nc"));
    let (card, footprint) = home.footprint("sr.nc alone.nc --scored-by command");
    for says in [
        "\nWaves.\n",
        "\n| sensor | 8 means over blocks, with errors of 0 standard deviations |\n",
        "\n| coarse frames seen | 1 before and 1 after: a fine frame is late by 1 |\n",
        "\nBase: spectral interpolation, and no network; seed 1. On the validation part:\n",
        "\n| relative error, u, ",
        "\n## Skill: super-resolution\n\n    command\n",
        "1 trajectory of 12 frames that training has not seen, 3 members.",
        "ridge",
        "Wiener",
        "\nWeights: MIT or Apache-2.0, at your choice. Data: free.\n",
    ] {
        assert!(card.contains(says), "{says}: {card}");
    }
    assert!(!card.contains("curves.png"), "nothing was trained: {card}");
    home.succeeds("export run --out run.finescale");
    let size = std::fs::metadata(home.path("run.finescale")).unwrap().len().to_string();
    let [only] = &footprint[..] else { panic!("{footprint:?}") };
    assert_eq!(only[..3], ["f32".to_owned(), size, "0".to_owned()], "{only:?}");
    // Three coarse frames of 8 values, and a fine frame of 32.
    assert_eq!((only[4].as_str(), only[6].as_str()), ("96", "128"), "{only:?}");
}

#[test]
fn a_network_has_three_precisions() {
    let home = Home::trained(NETWORK);
    for data in ["", "--data ks.zarr"] {
        let printed = home.succeeds(&format!("validate run {data} --picture worst.png"));
        let runtimes = ["f32", "int8", "int16", "tract"].into_iter();
        let runtimes = runtimes.filter(|name| *name != "tract" || cfg!(feature = "onnx"));
        let known: Vec<_> = runtimes.map(|name| format!("{name} mean u")).collect();
        assert_eq!(rows(&printed), known, "{printed}");
        assert!(!printed.contains("FAIL"), "{printed}");
    }
    let line = "validate run --tolerance-int8 1e-12 --picture worst.png";
    let output = home.command(line).output().unwrap();
    assert!(one_sentence(line, &output).starts_with("error: 2 outputs differ"), "{output:?}");

    let (card, footprint) = home.footprint("");
    assert!(card.contains("network: `tiny`, 4 channels"), "{card}");
    assert!(card.contains("which sees raw, gradient of every frame and 1 learned maps;"), "{card}");
    assert!(card.contains("(curves.png)"), "{card}");
    for (name, row) in ["f32", "int8", "int16"].into_iter().zip(&footprint) {
        let out = format!("run-{name}.finescale");
        home.succeeds(&format!("export run --quantize {name} --data ks.zarr --force --out {out}"));
        let size = std::fs::metadata(home.path(&out)).unwrap().len().to_string();
        assert_eq!((row[0].as_str(), &row[1]), (name, &size), "{row:?}");
        let info = home.succeeds(&format!("model info {out}"));
        assert!(info.contains(&format!("{} bytes of RAM", row[3])), "{row:?}: {info}");
        assert!(info.contains(&format!("{} bytes more", row[4])), "{row:?}: {info}");
        assert!(info.contains(&format!("{} bytes more, ", row[5])), "{row:?}: {info}");
    }
    assert_eq!(footprint.len(), 3);
}
