//! `finescale train --system dydiff`, resumed to the same bits; its forecasts, its controls, and
//! what is refused.
#![cfg(all(feature = "train", unix))]

#[path = "common/home.rs"]
mod home;

use finescale_ensemble::Ensemble;
use finescale_model::{Dydiff, Model, NetworkMeta};
use home::{Home, one_sentence};

const SETTINGS: &str = "
[network.tiny]
channels = 16
dilations = [1, 2, 1]
[dydiff]
horizon = 4
calls = 10
[training]
learning-rate = 3e-3
decay = \"cosine\"
ema = 0.99
keep = \"last\"
[report]
every = 100
windows = 16
";

const TRAIN: &str = "train ks.zarr --config settings.toml --system dydiff --steps 300 --out";
const FORECAST: &str = "forecast ks.zarr --trajectories 2 --given 3 --frames 9";

impl Home {
    /// With a data set, and a run on it in `run`.
    fn trained(settings: &str) -> Self {
        let home = Self::with_waves(20, 16);
        std::fs::write(home.path("settings.toml"), settings).unwrap();
        home.succeeds(&format!("{TRAIN} run"));
        home
    }

    fn model(&self, run: &str) -> Model<Dydiff> {
        Model::open(&self.path(run).join("model.safetensors")).unwrap()
    }

    fn forecast(&self, options: &str) -> Ensemble {
        let members = if options.contains("--members") { "" } else { "--members 4" };
        self.succeeds(&format!("{FORECAST} {members} {options} --out drawn.nc --force"));
        Ensemble::read(&self.path("drawn.nc")).unwrap()
    }
}

#[test]
fn windows_are_learned_and_drawn() {
    let home = Home::trained(SETTINGS);
    let model = home.model("run");
    assert!(matches!(model.meta.network, NetworkMeta::Tiny { channels: 16, .. }));
    // Six frames with noise and two without; six frames of noise.
    assert_eq!(model.arrays["network.layers.0.weight"].shape, [16, 8, 1, 3]);
    let last = model.arrays.keys().filter(|name| name.ends_with("weight")).max().unwrap();
    assert_eq!(model.arrays[last].shape[0], 6, "{last}");
    assert_eq!(model.meta.figures["evaluations for each frame"], 2.5);
    let error = model.meta.figures["relative error after 001"];
    assert!(error < 0.8, "{error}: nothing was learned of the next frame");
    for file in ["curves.png", "config.toml", "summary.txt"] {
        assert!(home.path("run").join(file).exists(), "{file}");
    }

    let drawn = home.forecast("--model run");
    assert_eq!((drawn.given, drawn.spec.frames()), (3, 12));
    assert_eq!(drawn.provenance.method, "Dynamical Diffusion");
    // Three windows of ten evaluations for twelve frames.
    assert!((drawn.provenance.calls_per_frame - 30.0 / 12.0).abs() < 1e-9);
    let (truth, frame) = (drawn.truth.as_ref().unwrap(), drawn.spec.frame_len());
    for (n, member) in drawn.prediction[..3 * drawn.members * frame].chunks_exact(frame).enumerate()
    {
        let given = &truth[n / drawn.members * frame..][..frame];
        assert!(member.iter().zip(given).all(|(a, b)| (a - b).abs() < 1e-5), "frame {n}");
    }
    // Each option changes what is drawn, and the same options draw the same.
    assert!(drawn.prediction == home.forecast("--model run").prediction);
    for options in ["--calls 25", "--chain-start noisiest", "--seed 1"] {
        let other = home.forecast(&format!("--model run {options}"));
        assert!(other.prediction != drawn.prediction, "{options}");
    }
    // A member has the same bits whichever others are drawn, and members differ.
    let one = home.forecast("--model run --members 1 --first-member 2");
    let member = |n: usize, m: usize| &drawn.prediction[(4 * n + m) * frame..][..frame];
    assert!((0..12).all(|n| one.prediction[n * frame..][..frame] == *member(n, 2)));
    assert!((3..12).all(|n| member(n, 1) != member(n, 2)));
    let said = home.succeeds("score drawn.nc");
    assert!(said.contains("CRPS"), "{said}");
    home.succeeds(
        "card drawn.nc --model run --about Waves. --licence Free. --scored-by it --out card.md",
    );
    let card = std::fs::read_to_string(home.path("card.md")).unwrap();
    assert!(
        card.contains("which tells the noise of a window; Dynamical Diffusion, ρ 0.5"),
        "{card}"
    );
    assert!(!card.contains("Footprint"), "{card}");
}

#[test]
fn a_run_goes_on_to_the_same_bits() {
    let home = Home::trained(SETTINGS);
    let whole = std::fs::read(home.path("run/model.safetensors")).unwrap();
    std::fs::remove_file(home.path("run/model.safetensors")).unwrap();
    std::fs::remove_file(home.path("run/checkpoint-0-000000300.safetensors")).unwrap();
    assert!(home.path("run/checkpoint-0-000000200.safetensors").exists());
    home.succeeds("train ks.zarr --resume --out run");
    assert!(std::fs::read(home.path("run/model.safetensors")).unwrap() == whole);
}

/// If it failed, the control that has to be the same would be another system.
#[test]
fn a_filter_around_the_network_is_learned_and_drawn_as_the_one_in_the_process() {
    let few = |method: &str| {
        let method = format!("[dydiff]\nmethod = \"{method}\"");
        let settings = SETTINGS.replace("[dydiff]", &method).replace("every = 100", "every = 10");
        let home = Home::with_waves(20, 16);
        std::fs::write(home.path("settings.toml"), settings).unwrap();
        home.succeeds(&format!("{} run", TRAIN.replace("300", "20")));
        let weights = home.model("run").arrays.into_values().flat_map(|array| array.values);
        let drawn = home.forecast("--model run");
        (weights.collect::<Vec<f32>>(), drawn.prediction, drawn.provenance.method)
    };
    let [inner, outer, weighed] = ["dydiff", "outer-filter", "filtered-loss"].map(few);
    let furthest =
        |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // Rounding is all that differs, which Adam makes larger.
    assert!(furthest(&inner.0, &outer.0) < 5e-3, "{}", furthest(&inner.0, &outer.0));
    assert!(furthest(&inner.0, &weighed.0) > 2e-2, "{}", furthest(&inner.0, &weighed.0));
    let scale = inner.1.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
    assert!(furthest(&inner.1, &outer.1) < 0.05 * scale, "{}", furthest(&inner.1, &outer.1));
    assert!(furthest(&inner.1, &weighed.1) > 0.1 * scale, "{}", furthest(&inner.1, &weighed.1));
    let names = [inner.2, outer.2, weighed.2];
    assert_eq!(names, ["Dynamical Diffusion", "outer filter", "filtered loss"]);
}

#[test]
fn what_cannot_be_is_refused_in_one_sentence() {
    let settings = SETTINGS.replace("every = 100", "every = 10");
    let home = Home::with_waves(20, 16);
    std::fs::write(home.path("settings.toml"), settings).unwrap();
    home.succeeds(&format!("{} run", TRAIN.replace("300", "10")));
    let cannot = [
        ("generate --model run --out x.nc", "cannot generate: what it can is forecast"),
        ("super-resolve ks.zarr --coarsen 4 --model run --out x.nc", "cannot super-resolve"),
        ("simulate ks.zarr --model run --out x.nc", "cannot simulate"),
        ("export run", "model of Dynamical Diffusion"),
        ("validate run", "finescale forecast"),
        ("forecast ks.zarr --model run --linear --out x.nc", "--linear"),
        ("forecast ks.zarr --model run --steps 4 --out x.nc", "use --calls and --chain-start"),
        ("forecast ks.zarr --model run --masks pair --out x.nc", "for models of DYffusion"),
        ("forecast ks.zarr --model run --calls 0 --out x.nc", "--calls is 0"),
        ("forecast ks.zarr --model run --calls 1001 --out x.nc", "1000 steps"),
        ("forecast ks.zarr --model run --given 1 --out x.nc", "--given is 1"),
    ];
    for (line, says) in cannot {
        let said = home.refuses(line);
        assert!(said.contains(says), "{line}: {said}");
    }
    let settings = [
        ("history = 0", "dydiff.history is 0"),
        ("horizon = 0", "dydiff.horizon is 0"),
        ("horizon = 15", "dydiff.horizon does not fit"),
        ("steps = 0", "dydiff.steps is 0"),
        ("calls = 0", "dydiff.calls is 0"),
        ("calls = 1001", "dydiff.calls is 1001"),
        ("rho = 1.0", "dydiff.rho is 1"),
        ("method = \"outer-filter\"\nnoise = \"white\"", "dydiff.noise is \"white\""),
        ("[network]\nkind = \"linear\"", "network.kind"),
        ("[predictor]\ngiven = \"run\"", "predictor.given"),
        ("[dyffusion]\ninterpolator = \"run\"", "dyffusion.interpolator"),
    ];
    for (lines, says) in settings {
        std::fs::write(home.path("bad.toml"), format!("[dydiff]\n{lines}\n")).unwrap();
        let line = "train ks.zarr --config bad.toml --system dydiff --out bad";
        let said = one_sentence(line, &home.command(line).output().unwrap());
        assert!(said.contains(says), "{lines}: {said}");
        assert!(!home.path("bad").exists(), "{lines}");
    }
}
