//! `finescale train --sensor`: what a conditional mean leaves, what survives a kill, and what is
//! refused.
#![cfg(all(feature = "train", unix))]

#[path = "common/home.rs"]
mod home;

use std::collections::BTreeMap;

use finescale_field::coarsening::SensorKind;
use finescale_model::{ConditionalMean, Model};
use finescale_train::config::Layers;
use finescale_train::run::metrics::Report;
use home::{Home, one_sentence};

const SMALL: &str = "
[network]
kind = \"product\"
[network.product]
channels = 8
dilations = [1, 2, 1]
[training]
batch = 8
warmup = 5
[report]
every = 10
windows = 32
";

/// Everything that a model can have.
const RICH: &str = "
[network]
kind = \"tiny\"
[sensor]
noise = 0.1
lost = 0.2
[mean]
before = 1
after = 2
base = \"ridge\"
rank = 6
maps = 3
climatology = true
window = 2
";

impl Home {
    fn new() -> Self {
        let home = Self::with_waves(20, 16);
        home.write("small.toml", "");
        home
    }

    fn write(&self, name: &str, over: &str) {
        let mut layers = Layers::default();
        layers.add(SMALL, "small").unwrap();
        layers.add(over, name).unwrap();
        std::fs::write(self.path(name), layers.text()).unwrap();
    }

    fn model(&self, run: &str) -> Model<ConditionalMean> {
        Model::open(&self.path(run).join("model.safetensors")).unwrap()
    }
}

fn shapes(model: &Model<ConditionalMean>) -> BTreeMap<&str, &[usize]> {
    let arrays = model.arrays.iter().filter(|(name, _)| !name.starts_with("network."));
    arrays.map(|(name, array)| (name.as_str(), array.shape.as_slice())).collect()
}

#[test]
fn a_mean_is_learned_and_better_than_its_base() {
    let home = Home::new();
    let train = "train ks.zarr --config small.toml --sensor block-mean:4 --steps 200 --out";
    let printed = home.succeeds(&format!("{train} run"));
    assert!(printed.contains("relative L² error on the validation part"), "{printed}");
    let model = home.model("run");
    let figures = &model.meta.figures;
    // Measured: 0.21 of the base's 0.32.
    let figure = |which: &str| figures[&format!("relative error, u, {which}")];
    assert!(figure("all frames") < 0.8 * figure("all frames, base"), "{figures:?}");
    assert!(figure("whole windows") < figure("all frames"), "{figures:?}");
    let lines = std::fs::read_to_string(home.path("run/metrics.jsonl")).unwrap();
    let reports: Vec<Report> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(reports[19].valid_loss() < 0.8 * reports[0].valid_loss(), "{lines}");
    assert!(reports[19].rollout.is_empty());
    for file in ["config.toml", "run.json", "curves.png", "curves.svg", "summary.txt"] {
        assert!(home.path("run").join(file).exists(), "{file} is missing");
    }
    let meta = &model.meta;
    assert_eq!((meta.system.sensor.kind, meta.system.sensor.x), (SensorKind::BlockMean, 8));
    assert_eq!(meta.coarse_points(), [1, 8]);
    let field: &[usize] = &[1, 1, 32];
    let expected = BTreeMap::from([
        ("climatology", field),
        ("coarse_climatology", &[1, 1, 8]),
        ("input_power", field),
        ("deviation", &[1]),
        ("maps", &[4, 1, 32]),
        ("spread", field),
        ("autocovariance", &[4, 1, 1, 1, 32]),
    ]);
    assert_eq!(shapes(&model), expected);
    let layers = meta.layers().unwrap();
    assert_eq!((layers.len(), layers[0].inputs), (5, 2 * 7 + 4));
    for (n, layer) in layers.iter().enumerate() {
        let weight = model.array(&format!("network.layers.{n}.weight")).unwrap();
        assert_eq!(weight.shape, [layer.outputs, layer.inputs, 1, layer.kernel]);
        assert_eq!(
            model.array(&format!("network.layers.{n}.bias")).unwrap().shape,
            [layer.outputs]
        );
    }
    let network = model.arrays.keys().filter(|name| name.starts_with("network.")).count();
    assert_eq!(network, 2 * layers.len(), "there are weights that no layer has");
    // The errors are of the size that the spread says, in standard deviations of the field.
    let spread = &model.array("spread").unwrap().values;
    let size = spread.iter().map(|spread| f64::from(spread * spread)).sum::<f64>() / 32.0;
    assert!((size.sqrt() / figure("all frames") - 1.0).abs() < 0.2, "{size}");
}

#[test]
fn a_rich_mean_resumes_to_the_same_bits() {
    let home = Home::new();
    home.write("rich.toml", RICH);
    let train = "train ks.zarr --config rich.toml --sensor modes:4 --steps 40 --out";
    home.succeeds(&format!("{train} whole/run"));
    home.succeeds(&format!("{train} stopped/run"));
    let model = home.model("whole/run");
    let field: &[usize] = &[1, 1, 32];
    let expected = BTreeMap::from([
        ("climatology", field),
        ("coarse_climatology", &[1, 1, 8]),
        ("down", &[6, 4, 1, 1, 8]),
        ("up", &[1, 1, 32, 6]),
        ("input_power", field),
        ("deviation", &[1]),
        ("maps", &[3, 1, 32]),
        ("spread", field),
        ("autocovariance", &[3, 1, 1, 1, 32]),
    ]);
    assert_eq!(shapes(&model), expected);
    assert!(model.array("climatology").unwrap().values.iter().any(|mean| *mean != 0.0));
    // Two maps begin as a wave as long as a coarse cell, the third within 0.1; all are learned.
    let maps = &model.array("maps").unwrap().values;
    let wave = [1.0, 0.0, -1.0, 0.0_f32];
    let from_wave = |n: usize| (maps[n] - wave[n % 4]).abs();
    assert!((0..32).all(|n| from_wave(n) < 0.2), "{maps:?}");
    // Some may have come back to where they began.
    assert!((0..32).filter(|&n| from_wave(n) > 1e-4).count() > 28, "{maps:?}");
    assert!(maps[64..].iter().all(|value| *value != 0.0 && value.abs() < 0.3), "{maps:?}");
    assert_eq!(model.meta.layers().unwrap()[0].inputs, 2 * 4 + 3);
    assert!(model.meta.figures.values().all(|figure| figure.is_finite()));

    // As if it had been killed after its last checkpoint but one.
    let run = home.path("stopped/run");
    std::fs::remove_file(run.join("checkpoint-0-000000040.safetensors")).unwrap();
    std::fs::remove_file(run.join("model.safetensors")).unwrap();
    let said = home.succeeds("train ks.zarr --out stopped/run --resume");
    assert!(said.contains("resumed after 30 steps"), "{said}");
    let bytes = |run: &str| std::fs::read(home.path(run).join("model.safetensors")).unwrap();
    assert!(bytes("whole/run") == bytes("stopped/run"), "a resumed run has other bits");
}

/// The base alone, and a network that stays on the machine that trains it.
#[test]
fn every_kind_of_network_trains() {
    let home = Home::new();
    for (name, over, weights) in [
        ("linear", "[network]\nkind = \"linear\"\n[mean]\nbase = \"ridge\"", false),
        ("unet", "[network]\nkind = \"unet\"\n[network.unet]\ndim = 8\nmultipliers = [1, 2]", true),
        ("flex", "[network]\nkind = \"flex\"\n[network.flex]\nchannels = [8, 16]", true),
    ] {
        home.write("case.toml", over);
        home.succeeds(&format!(
            "train ks.zarr --config case.toml --sensor block-mean:4 --steps 4 --out {name}"
        ));
        let model = home.model(name);
        assert_eq!(model.arrays.keys().any(|key| key.starts_with("network.")), weights, "{name}");
        assert!(model.meta.figures.values().all(|figure| figure.is_finite()), "{name}");
    }
}

#[test]
fn what_cannot_be_finished_is_refused_before_anything_is_written() {
    let home = Home::new();
    let sensor = "--sensor block-mean:4";
    let cases = [
        ("", "--sensor pixels:4", "--sensor is pixels:4: give block-mean:4"),
        ("", "--sensor block-mean:5", "sensor.ratio is 5, and an axis has 32 points"),
        ("", "--sensor modes:8", "sensor.ratio is 8, and modes need an even number of points"),
        ("", "--sensor modes:1", "sensor.ratio is 1: use 2 to 64"),
        ("[sensor]\nnoise = -1.0", sensor, "sensor.noise is -1"),
        ("[sensor]\nlost = 1.0", sensor, "sensor.lost is 1"),
        ("[mean]\nbefore = 17", sensor, "mean.before is 17: use at most 16"),
        ("[mean]\nafter = 17", sensor, "mean.after is 17: use at most 16"),
        ("[mean]\ninputs = []", sensor, "mean.inputs is []: name at least one view"),
        ("[mean]\ninputs = [\"velocity\"]", sensor, "use \"gradient\" on a line"),
        ("[mean]\nmaps = 33", sensor, "mean.maps is 33: use at most 32"),
        ("[mean]\nwindow = 17", sensor, "mean.window is 17: use 1 to 16"),
        ("[mean]\nwindow = 16", sensor, "mean.window does not fit the validation part"),
        ("[mean]\nbase = \"ridge\"\nrank = 33", sensor, "mean.rank is 33"),
        ("[network.product]\ndilations = [16]\nkernel = 7", sensor, "use at most 10"),
        ("[network.product]\nchannels = 516", sensor, "network.product.channels is 516"),
    ];
    for (over, flag, says) in cases {
        home.write("case.toml", over);
        let line = format!("train ks.zarr --config case.toml {flag} --steps 2 --out run");
        let error = one_sentence(&line, &home.command(&line).output().unwrap());
        assert!(error.contains(says), "{over} {flag}: {error}");
        assert!(!home.path("run").exists(), "{over} {flag}: something was created");
    }
}
