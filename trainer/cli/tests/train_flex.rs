//! `finescale train --system flex`, resumed to the same bits; its forecasts, its super-resolution,
//! its control, and what is refused.
#![cfg(all(feature = "train", unix))]

#[path = "common/home.rs"]
mod home;

use finescale_ensemble::Ensemble;
use finescale_model::{Flex, Model, NetworkMeta};
use home::{Home, one_sentence};

/// A small network that sees all frames side by side.
const SETTINGS: &str = "
[network]
kind = \"tiny\"
[network.tiny]
channels = 16
dilations = [1, 2, 1]
[flex]
task-encoder = \"none\"
calls = 4
[training]
batch = 16
learning-rate = 2e-3
ema = 0.98
[report]
every = 100
windows = 16
rollout = 3
";

/// The reference's, which has an encoder for the known frames, for a few steps.
const WHOLE: &str = "
[network.flex]
channels = [8, 16]
blocks = [1, 1]
depth = 3
heads = 2
[training]
batch = 2
[report]
every = 2
windows = 2
rollout = 1
";

const TRAIN: &str = "train ks.zarr --config settings.toml --system flex --out run --steps";
const FORECAST: &str = "forecast ks.zarr --trajectories 2 --given 3 --frames 5";
const FINE: &str = "super-resolve ks.zarr --trajectories 2 --frames 4 --coarsen 4";

impl Home {
    /// With a data set and settings.
    fn with(settings: &str) -> Self {
        let home = Self::with_waves(20, 16);
        std::fs::write(home.path("settings.toml"), settings).unwrap();
        home
    }

    fn model(&self, run: &str) -> Model<Flex> {
        Model::open(&self.path(run).join("model.safetensors")).unwrap()
    }

    fn drawn(&self, task: &str, options: &str) -> Ensemble {
        let members = if options.contains("--members") { "" } else { "--members 4" };
        self.succeeds(&format!("{task} {members} {options} --out drawn.nc --force"));
        Ensemble::read(&self.path("drawn.nc")).unwrap()
    }

    /// What it says at the end of a training of the error before, and of the model's.
    fn errors(&self, run: &str) -> (f64, f64) {
        let text = std::fs::read_to_string(self.path(run).join("summary.txt")).unwrap();
        let line = text.lines().find(|line| line.contains("after   1")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[2].parse().unwrap(), words[4].parse().unwrap())
    }
}

/// A member of a frame.
fn member(ensemble: &Ensemble, frame: usize, member: usize) -> &[f32] {
    let len = ensemble.spec.frame_len();
    &ensemble.prediction[(ensemble.members * frame + member) * len..][..len]
}

#[test]
fn the_next_frame_is_learned_and_drawn() {
    let home = Home::with(SETTINGS);
    home.succeeds(&format!("{TRAIN} 300"));
    let model = home.model("run");
    // z and two known frames.
    assert_eq!(model.arrays["network.layers.0.weight"].shape, [16, 3, 1, 3]);
    assert_eq!(model.meta.figures["evaluations for each frame"], 4.0);
    let (still, error) = home.errors("run");
    assert!(error < 0.9 * still, "{error} is no better than persistence, {still}");

    let drawn = home.drawn(FORECAST, "--model run");
    assert_eq!((drawn.given, drawn.spec.frames()), (3, 8));
    assert_eq!(drawn.provenance.method, "FLEX");
    assert!((drawn.provenance.calls_per_frame - 20.0 / 8.0).abs() < 1e-9);
    // Each option changes what is drawn, and the same options draw the same.
    assert!(drawn.prediction == home.drawn(FORECAST, "--model run").prediction);
    for options in ["--calls 2", "--integrator midpoint", "--seed 1"] {
        let other = home.drawn(FORECAST, &format!("--model run {options}"));
        assert!(other.prediction != drawn.prediction, "{options}");
    }
    // A member has the same bits whichever others are drawn, and members differ.
    let one = home.drawn(FORECAST, "--model run --members 1 --first-member 2");
    assert!((0..8).all(|n| member(&one, n, 0) == member(&drawn, n, 2)));
    assert!((3..8).all(|n| member(&drawn, n, 1) != member(&drawn, n, 2)));
    let said = home.succeeds("score drawn.nc");
    assert!(said.contains("CRPS"), "{said}");
    home.succeeds(
        "card drawn.nc --model run --about Waves. --licence Free. --scored-by it --out card.md",
    );
    let card = std::fs::read_to_string(home.path("card.md")).unwrap();
    assert!(card.contains("the next frame of 2 given ones"), "{card}");

    let said = home.refuses(&format!("{FINE} --model run --out x.nc"));
    assert!(said.contains("cannot super-resolve: what it can is forecast"), "{said}");
}

#[test]
fn an_encoder_of_the_known_frames_is_learned_and_goes_on_to_the_same_bits() {
    let home = Home::with(WHOLE);
    home.succeeds(&format!("{TRAIN} 4"));
    let model = home.model("run");
    assert!(matches!(&model.meta.network, NetworkMeta::Other(other) if other.kind == "flex"));
    // The encoder of z sees one frame, that of the task two.
    assert_eq!(model.arrays["network.encoder.first.weight"].shape, [8, 1, 1, 3]);
    assert_eq!(model.arrays["network.task.first.weight"].shape, [8, 2, 1, 3]);
    let drawn = home.drawn(FORECAST, "--model run --members 2");
    assert!((3..8).all(|n| member(&drawn, n, 0) != member(&drawn, n, 1)));
    let whole = std::fs::read(home.path("run/model.safetensors")).unwrap();
    std::fs::remove_file(home.path("run/model.safetensors")).unwrap();
    std::fs::remove_file(home.path("run/checkpoint-0-000000004.safetensors")).unwrap();
    home.succeeds("train ks.zarr --resume --out run");
    assert!(std::fs::read(home.path("run/model.safetensors")).unwrap() == whole);
}

#[test]
fn fine_frames_are_learned_and_drawn() {
    let home =
        Home::with(&SETTINGS.replace("[flex]", "[flex]\ntask = \"super-resolve\"\nscaled = true"));
    home.succeeds(&format!("{TRAIN} 300"));
    let model = home.model("run");
    assert_eq!(model.arrays["network.layers.0.weight"].shape, [16, 2, 1, 3]);
    let scale = model.meta.system.scales[0];
    assert!(scale > 0.01 && scale < 1.0, "{scale}");
    let (shown, error) = home.errors("run");
    // What is added is scaled by what the sensor leaves.
    assert!((shown / scale - 1.0).abs() < 0.2, "{shown} {scale}");
    assert!(error < 0.9 * shown, "{error} is no better than what the sensor shows, {shown}");

    let drawn = home.drawn(FINE, "--model run");
    assert_eq!((drawn.given, drawn.spec.frames()), (0, 4));
    assert!((drawn.provenance.calls_per_frame - 4.0).abs() < 1e-9);
    let (truth, len) = (drawn.truth.as_ref().unwrap(), drawn.spec.frame_len());
    let wrong = |frame: usize, mean: &dyn Fn(usize) -> f32| -> f64 {
        let truth = &truth[frame * len..][..len];
        let squares =
            |of: &dyn Fn(usize) -> f32| (0..len).map(|n| f64::from(of(n)).powi(2)).sum::<f64>();
        (squares(&|n| mean(n) - truth[n]) / squares(&|n| truth[n])).sqrt()
    };
    for frame in 0..4 {
        let mean = |n: usize| (0..4).map(|m| member(&drawn, frame, m)[n]).sum::<f32>() / 4.0;
        // Physical units, and the frame's own coarse values: with others all would be wrong.
        assert!(wrong(frame, &mean) < 1.2 * shown, "{frame}: {} {shown}", wrong(frame, &mean));
    }
    assert!(member(&drawn, 0, 0) != member(&drawn, 0, 1));
    let said = home.succeeds("score drawn.nc");
    assert!(said.contains("CRPS"), "{said}");
    for (line, says) in [
        (format!("{FORECAST} --model run --out x.nc"), "cannot forecast: what it can is super-res"),
        (
            format!("{} --model run --out x.nc", FINE.replace("--coarsen 4", "--coarsen 2")),
            "use --coarse-grid 8",
        ),
        (format!("{FINE} --model run --input modes --out x.nc"), "--input is not what the model"),
        (format!("{FINE} --model run --mean-alone --out x.nc"), "--mean-alone"),
        (format!("{FINE} --model run --chain-start noisiest --out x.nc"), "--chain-start"),
    ] {
        let said = home.refuses(&line);
        assert!(said.contains(says), "{line}: {said}");
    }
}

#[test]
fn a_regression_is_one_evaluation_without_draws() {
    let home = Home::with(&SETTINGS.replace("[flex]", "[flex]\nmethod = \"regression\""));
    home.succeeds(&format!("{TRAIN} 20"));
    let drawn = home.drawn(FORECAST, "--model run");
    assert_eq!(drawn.provenance.method, "regression");
    assert!((drawn.provenance.calls_per_frame - 5.0 / 8.0).abs() < 1e-9);
    assert!((3..8).all(|n| member(&drawn, n, 0) == member(&drawn, n, 1)));
    let said = home.refuses(&format!("{FORECAST} --model run --calls 4 --out x.nc"));
    assert!(said.contains("the model is a regression"), "{said}");
}

#[test]
fn what_cannot_be_is_refused_in_one_sentence() {
    let home = Home::with(SETTINGS);
    home.succeeds(&format!("{TRAIN} 10"));
    let cannot = [
        ("generate --model run --out x.nc", "cannot generate: what it can is forecast"),
        ("simulate ks.zarr --model run --out x.nc", "cannot simulate"),
        ("export run", "model of FLEX"),
        ("validate run", "finescale super-resolve"),
        ("forecast ks.zarr --model run --linear --out x.nc", "--linear"),
        ("forecast ks.zarr --model run --steps 4 --out x.nc", "use --calls and --integrator"),
        ("forecast ks.zarr --model run --masks pair --out x.nc", "for models of DYffusion"),
        ("forecast ks.zarr --model run --chain-start noisiest --out x.nc", "--chain-start"),
        ("forecast ks.zarr --model run --calls 0 --out x.nc", "--calls is 0"),
        ("forecast ks.zarr --model run --calls 3 --integrator midpoint --out x.nc", "takes 2"),
        ("forecast ks.zarr --model run --given 1 --out x.nc", "--given is 1"),
    ];
    for (line, says) in cannot {
        let said = home.refuses(line);
        assert!(said.contains(says), "{line}: {said}");
    }
    let settings = [
        ("history = 0", "flex.history is 0"),
        ("history = 14", "flex.history with report.rollout does not fit"),
        ("calls = 0", "flex.calls is 0"),
        ("calls = 3\nintegrator = \"midpoint\"", "flex.calls is 3"),
        ("task = \"super-resolve\"\n[sensor]\nratio = 5", "sensor.ratio is 5"),
        ("task = \"super-resolve\"\n[sensor]\nnoise = 0.1", "sensor.noise"),
        ("[network]\nkind = \"linear\"", "network.kind"),
        ("[network]\nkind = \"tiny\"", "flex.task-encoder"),
        ("[predictor]\ngiven = \"run\"", "predictor.given"),
    ];
    for (lines, says) in settings {
        std::fs::write(home.path("bad.toml"), format!("[flex]\n{lines}\n")).unwrap();
        let line = "train ks.zarr --config bad.toml --system flex --out bad";
        let said = one_sentence(line, &home.command(line).output().unwrap());
        assert!(said.contains(says), "{lines}: {said}");
        assert!(!home.path("bad").exists(), "{lines}");
    }
}
