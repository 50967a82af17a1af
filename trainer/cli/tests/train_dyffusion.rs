//! `finescale train --system dyffusion` in two stages, with a kill between and in them; its forecasts,
//! its controls, and what is refused.
#![cfg(all(feature = "train", unix))]

#[path = "common/home.rs"]
mod home;

use finescale_ensemble::Ensemble;
use finescale_model::dyffusion::{Dyffusion, Part};
use finescale_model::{Model, NetworkMeta};
use home::{Home, one_sentence};

const SETTINGS: &str = "
[network.tiny]
channels = 8
dilations = [1, 2, 1]
[dyffusion]
horizon = 4
residual = true
[training]
learning-rate = 3e-3
keep = \"last\"
[report]
every = 20
windows = 16
";

const TRAIN: &str = "train ks.zarr --config settings.toml --system dyffusion --steps 60 --out";
const FORECAST: &str = "forecast ks.zarr --trajectories 2 --given 2 --frames 9";

impl Home {
    /// With a data set, and a run on it in `run`.
    fn trained() -> Self {
        let home = Self::with_waves(20, 16);
        std::fs::write(home.path("settings.toml"), SETTINGS).unwrap();
        home.succeeds(&format!("{TRAIN} run"));
        home
    }

    fn model(&self, run: &str) -> Model<Dyffusion> {
        Model::open(&self.path(run).join("model.safetensors")).unwrap()
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path(file)).unwrap()
    }

    fn forecast(&self, options: &str) -> Ensemble {
        let members = if options.contains("--members") { "" } else { "--members 4" };
        self.succeeds(&format!("{FORECAST} {members} {options} --out drawn.nc --force"));
        Ensemble::read(&self.path("drawn.nc")).unwrap()
    }
}

/// Mean over values of the members' standard deviation, of the frames ahead.
fn spread(ensemble: &Ensemble) -> f64 {
    let (members, frame) = (ensemble.members, ensemble.spec.frame_len());
    let path = ensemble.spec.frames() * members * frame;
    let mut sums = (0.0, 0.0);
    for trajectory in ensemble.prediction.chunks_exact(path) {
        for frames in trajectory.chunks_exact(members * frame).skip(ensemble.given) {
            for point in 0..frame {
                let values = || (0..members).map(|m| f64::from(frames[m * frame + point]));
                let mean = values().sum::<f64>() / members as f64;
                let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>();
                sums.0 += (variance / (members - 1) as f64).sqrt();
                sums.1 += 1.0;
            }
        }
    }
    sums.0 / sums.1
}

#[test]
fn two_stages_are_learned_and_what_is_drawn_from_them_spreads() {
    let home = Home::trained();
    let model = home.model("run");
    assert_eq!(model.meta.system.window.horizon, 4);
    assert!(matches!(model.meta.network, NetworkMeta::Tiny { channels: 8, .. }));
    for (part, inputs) in [(Part::Interpolator, 2), (Part::Forecaster, 1)] {
        assert_eq!(model.weights(part)["network.layers.0.weight"].shape, [8, inputs, 1, 3]);
    }
    // 4 of F and 5 of I for four frames.
    assert_eq!(model.meta.figures["evaluations for each frame"], 2.25);
    let error = model.meta.figures["relative error after 004"];
    let text = std::fs::read_to_string(home.path("run/summary.txt")).unwrap();
    let still: f64 = text
        .lines()
        .find(|line| line.contains("after   4"))
        .unwrap()
        .split_whitespace()
        .nth(2)
        .unwrap()
        .parse()
        .unwrap();
    assert!(error < still, "{error} is no better than persistence, {still}");
    for file in ["curves-interpolator.png", "curves-forecaster.png", "config.toml"] {
        assert!(home.path("run").join(file).exists(), "{file}");
    }

    let drawn = home.forecast("--model run");
    assert_eq!((drawn.given, drawn.spec.frames()), (2, 11));
    assert_eq!(drawn.provenance.method, "DYffusion");
    // Three windows of nine evaluations for eleven frames.
    assert!((drawn.provenance.calls_per_frame - 27.0 / 11.0).abs() < 1e-9);
    let truth = drawn.truth.as_ref().unwrap();
    let frame = drawn.spec.frame_len();
    for (n, member) in drawn.prediction[..2 * drawn.members * frame].chunks_exact(frame).enumerate()
    {
        let given = &truth[n / drawn.members * frame..][..frame];
        assert!(member.iter().zip(given).all(|(a, b)| (a - b).abs() < 1e-5), "frame {n}");
    }
    let fresh = spread(&drawn);
    assert!(fresh > 1e-3, "{fresh}");
    assert!(spread(&home.forecast("--model run --dropout 0")) < 1e-9);
    // Each option changes what is drawn, and the same options draw the same.
    assert!(drawn.prediction == home.forecast("--model run").prediction);
    for options in [
        "--sampling naive",
        "--masks pair",
        "--masks trajectory",
        "--refine true",
        "--last-step cold",
    ] {
        let other = home.forecast(&format!("--model run {options}"));
        assert!(other.prediction != drawn.prediction, "{options}");
    }
    // A member has the same bits whichever others are drawn.
    let one = home.forecast("--model run --members 1 --first-member 2");
    let third = |n: usize| &drawn.prediction[(4 * n + 2) * frame..][..frame];
    assert!((0..11).all(|n| one.prediction[n * frame..][..frame] == *third(n)));
    let said = home.succeeds("score drawn.nc");
    assert!(said.contains("CRPS"), "{said}");
    home.succeeds(
        "card drawn.nc --model run --about Waves. --licence Free. --scored-by it --out card.md",
    );
    let card = std::fs::read_to_string(home.path("card.md")).unwrap();
    assert!(card.contains("an interpolator and a forecaster, each `tiny`"), "{card}");
    assert!(!card.contains("Footprint"), "{card}");
}

#[test]
fn a_run_goes_on_in_its_second_stage_and_between_both_to_the_same_bits() {
    let home = Home::trained();
    let whole = home.model("run").arrays;
    // The last two checkpoints are kept. Without the newest, half of the second stage is missing, or
    // all of it.
    for (name, every, left) in [("half", 30, (1, 30)), ("between", 60, (0, 60))] {
        let settings = SETTINGS.replace("every = 20", &format!("every = {every}"));
        std::fs::write(home.path("settings.toml"), settings).unwrap();
        home.succeeds(&format!("{TRAIN} {name}"));
        assert!(home.model(name).arrays == whole, "{name}: reports change what is learned");
        let file = |(stage, step): (usize, usize)| {
            home.path(name).join(format!("checkpoint-{stage}-{step:09}.safetensors"))
        };
        assert!(file(left).exists(), "{name}");
        std::fs::remove_file(file((1, 60))).unwrap();
        let uninterrupted = home.bytes(&format!("{name}/model.safetensors"));
        std::fs::remove_file(home.path(name).join("model.safetensors")).unwrap();
        home.succeeds(&format!("train ks.zarr --resume --out {name}"));
        assert!(home.bytes(&format!("{name}/model.safetensors")) == uninterrupted, "{name}");
    }
}

#[test]
fn an_interpolator_of_another_run_is_taken_as_it_is() {
    let home = Home::trained();
    let first = home.model("run").weights(Part::Interpolator);
    home.succeeds(&format!("{TRAIN} taken --interpolator run --seed 2"));
    assert!(home.path("taken/interpolator.safetensors").exists());
    assert_eq!(home.model("taken").weights(Part::Interpolator), first);
    let forecaster = |run: &str| home.model(run).weights(Part::Forecaster);
    assert_ne!(forecaster("taken"), forecaster("run"));
    // It goes on from its own copy, and a checkpoint is as good as a model.
    let whole = home.bytes("taken/model.safetensors");
    std::fs::remove_file(home.path("run/model.safetensors")).unwrap();
    home.succeeds(&format!("{TRAIN} again --interpolator run --seed 2"));
    assert_eq!(home.model("again").weights(Part::Interpolator), first);
    assert_eq!(forecaster("again"), forecaster("taken"));
    std::fs::rename(home.path("run"), home.path("elsewhere")).unwrap();
    std::fs::remove_file(home.path("taken/model.safetensors")).unwrap();
    std::fs::remove_file(home.path("taken/checkpoint-1-000000060.safetensors")).unwrap();
    home.succeeds("train ks.zarr --resume --out taken");
    assert!(home.bytes("taken/model.safetensors") == whole);

    for (options, says) in [
        ("--interpolator nothing", "nothing cannot be read"),
        ("--interpolator elsewhere --config wide.toml", "another network"),
        ("--interpolator elsewhere --config long.toml", "dyffusion.horizon"),
    ] {
        let wide = SETTINGS.replace("channels = 8", "channels = 6");
        std::fs::write(home.path("wide.toml"), wide).unwrap();
        std::fs::write(home.path("long.toml"), SETTINGS.replace("horizon = 4", "horizon = 5"))
            .unwrap();
        let line = if options.contains("--config") {
            format!(
                "{} {options}",
                TRAIN.replace("--config settings.toml", "").replace("--out", "--out bad")
            )
        } else {
            format!("{TRAIN} bad {options}")
        };
        let said = home.refuses(&line);
        assert!(said.contains(says), "{options}: {said}");
    }
}

#[test]
fn controls_are_one_network_for_all_frames() {
    let home = Home::with_waves(20, 16);
    for (method, spreads) in [("dropout", true), ("deterministic", false)] {
        let settings =
            SETTINGS.replace("[dyffusion]", &format!("[dyffusion]\nmethod = \"{method}\""));
        std::fs::write(home.path("settings.toml"), settings).unwrap();
        home.succeeds(&format!("{TRAIN} {method}"));
        let model = home.model(method);
        assert!(model.weights(Part::Interpolator).is_empty());
        assert_eq!(model.meta.figures["evaluations for each frame"], 1.0);
        let drawn = home.forecast(&format!("--model {method}"));
        assert_eq!(drawn.provenance.method, method);
        assert_eq!(spread(&drawn) > 1e-3, spreads, "{method}");
        let said = home.refuses(&format!("{FORECAST} --model {method} --masks pair --out x.nc"));
        assert!(said.contains("--masks"), "{said}");
    }
    let said = home.refuses(&format!("{FORECAST} --model deterministic --dropout 0.1 --out x.nc"));
    assert!(said.contains("deterministic"), "{said}");
}

/// If it failed, the reference's optimiser would be left out, or would go over what is chosen.
#[test]
fn what_the_system_recommends_lies_under_what_is_chosen() {
    let home = Home::empty();
    std::fs::write(home.path("named.toml"), "system = \"dyffusion\"\n").unwrap();
    std::fs::write(home.path("chosen.toml"), "[training]\nlearning-rate = 2e-3\n").unwrap();
    let printed = |options: &str| home.succeeds(&format!("train --print-config {options}"));
    let usual = printed("");
    assert!(usual.contains("learning-rate = 3e-3") && usual.contains("weight-decay = 0.0"));
    for options in ["--system dyffusion", "--config named.toml"] {
        let text = printed(options);
        for line in ["learning-rate = 3e-4", "weight-decay = 1e-4", "decay = \"constant\""] {
            assert!(text.lines().any(|there| there == line), "{options}: {line}");
        }
    }
    let text = printed("--system dyffusion --config chosen.toml --steps 7");
    assert!(text.contains("learning-rate = 2e-3") && text.contains("steps = 7"), "{text}");
    assert!(text.contains("weight-decay = 1e-4"), "{text}");
}

#[test]
fn what_cannot_be_is_refused_in_one_sentence() {
    let home = Home::trained();
    let cannot = [
        ("generate --model run --out x.nc", "cannot generate: what it can is forecast"),
        ("super-resolve ks.zarr --coarsen 4 --model run --out x.nc", "cannot super-resolve"),
        ("simulate ks.zarr --model run --out x.nc", "cannot simulate"),
        ("export run", "finescale forecast"),
        ("validate run", "finescale forecast"),
        ("forecast ks.zarr --model run --linear --out x.nc", "--linear"),
        ("forecast ks.zarr --model run --steps 4 --out x.nc", "--sampling"),
        ("forecast ks.zarr --model run --dropout 1 --out x.nc", "--dropout is 1"),
    ];
    for (line, says) in cannot {
        let said = home.refuses(line);
        assert!(said.contains(says), "{line}: {said}");
    }
    let settings = [
        ("horizon = 1", "dyffusion.horizon is 1"),
        ("horizon = 16", "dyffusion.horizon does not fit"),
        ("horizon = 14\nextra = 1000", "dyffusion.extra is 1000"),
        ("dropout = 1.0", "dyffusion.dropout is 1"),
        ("forecaster-dropout = -0.1", "dyffusion.forecaster-dropout is -0.1"),
        ("look-ahead = 1.0", "dyffusion.look-ahead is 1"),
        ("method = \"dropout\"\nconditioning = \"first\"", "dyffusion.conditioning"),
        ("method = \"dropout\"\ninterpolator = \"run\"", "dyffusion.interpolator"),
        ("[network]\nkind = \"linear\"", "network.kind"),
        ("[predictor]\ngiven = \"run\"", "predictor.given"),
        ("[training]\nweight-decay = 1.0", "training.weight-decay is 1"),
    ];
    for (lines, says) in settings {
        std::fs::write(home.path("bad.toml"), format!("[dyffusion]\n{lines}\n")).unwrap();
        let line = "train ks.zarr --config bad.toml --system dyffusion --out bad";
        let said = one_sentence(line, &home.command(line).output().unwrap());
        assert!(said.contains(says), "{lines}: {said}");
        assert!(!home.path("bad").exists(), "{lines}");
    }
    let said = home.refuses("train ks.zarr --interpolator run --out bad");
    assert!(said.contains("dyffusion.interpolator is for the system dyffusion"), "{said}");
}
