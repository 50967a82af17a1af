//! `finescale train`: what a run leaves, what survives a kill, and what is refused.
#![cfg(all(feature = "train", unix))]

#[path = "common/home.rs"]
mod home;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use finescale_model::{Calibration, Model};
use finescale_train::config::presets::PRESETS;
use finescale_train::config::{Config, DEFAULTS, Layers};
use finescale_train::run::metrics::Report;
use home::{Home, one_sentence, sentence};

/// Small, but with every part of the default network.
const SMALL: &str = "
[lambda]
count = 6
[network.tiny]
channels = 4
dilations = [1, 2, 1]
[training]
batch = 8
warmup = 5
[report]
every = 10
windows = 8
rollout = 3
[calibration]
paths = 2
frames = 6
";

/// A small Transformer U-Net, which another setting has to choose.
const FLEX: &str = "
[network.flex]
channels = [8, 16]
blocks = [1, 1]
groups = 4
depth = 3
heads = 2
";

impl Home {
    fn new() -> Self {
        let home = Self::with_waves(20, 16);
        std::fs::write(home.path("small.toml"), SMALL).unwrap();
        home
    }

    fn fails(&self, line: &str) -> String {
        one_sentence(line, &self.command(line).output().unwrap())
    }

    fn model(&self, run: &str) -> Vec<u8> {
        std::fs::read(self.path(run).join("model.safetensors")).unwrap()
    }
}

fn checkpoints(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.starts_with("checkpoint-")).collect();
    names.sort();
    names
}

/// Waits until something holds.
fn wait_for(holds: impl Fn() -> bool, otherwise: &str) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(240), "{otherwise}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn a_killed_run_resumes_to_the_same_bits() {
    let home = Home::new();
    let train = "train ks.zarr --config small.toml --steps 200 --out";
    home.succeeds(&format!("{train} whole/run"));
    home.succeeds(&format!("{train} again/run"));
    assert_eq!(home.model("whole/run"), home.model("again/run"), "same seed, other bits");
    home.succeeds(&format!("{train} seed/run --seed 2"));
    assert_ne!(home.model("whole/run"), home.model("seed/run"));

    // SIGKILL, at moments of no kind; every resumption is killed too, until one gets through.
    let mut line = format!("{train} killed/run");
    let mut kills = 0;
    loop {
        let mut child = home.command(&line).spawn().unwrap();
        wait_for(|| !checkpoints(&home.path("killed/run")).is_empty(), "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(150 + 37 * kills));
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        line = "train ks.zarr --out killed/run --resume".into();
        if kills == 5 {
            home.succeeds(&line);
            break;
        }
    }
    assert!(kills > 0, "the run ended before it could be killed");
    assert_eq!(home.model("whole/run"), home.model("killed/run"));
    let metrics =
        |run: &str| std::fs::read_to_string(home.path(run).join("metrics.jsonl")).unwrap();
    assert_eq!(metrics("whole/run").lines().count(), 20);
    let last = |run: &str| metrics(run).lines().last().unwrap().to_owned();
    assert_eq!(last("whole/run"), last("killed/run"));
    assert_eq!(checkpoints(&home.path("whole/run")).len(), 2, "only two checkpoints are kept");

    // A finished run resumed is the same run.
    home.succeeds("train ks.zarr --out killed/run --resume");
    assert_eq!(home.model("whole/run"), home.model("killed/run"));
    // A damaged newest checkpoint is left out, the one before it taken.
    let newest = home.path("killed/run").join(checkpoints(&home.path("killed/run")).pop().unwrap());
    let mut bytes = std::fs::read(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&newest, bytes).unwrap();
    home.succeeds("train ks.zarr --out killed/run --resume");
    assert_eq!(home.model("whole/run"), home.model("killed/run"));
}

#[test]
fn a_model_is_calibrated_and_better_than_its_base() {
    let home = Home::new();
    home.waves(60, 16, "ks.zarr");
    let settings = SMALL.replace("channels = 4", "channels = 16\nkernel = 5");
    std::fs::write(home.path("small.toml"), settings.replace("batch = 8", "batch = 32")).unwrap();
    let printed = home.succeeds("train ks.zarr --config small.toml --steps 600 --out run");
    assert!(printed.contains("validation loss by λ"), "{printed}");
    let model = Model::open(&home.path("run/model.safetensors")).unwrap();
    let figure = |name: &str| model.meta.figures[name];
    // Measured: 0.857 of the base's loss; 0.059 against the base's 0.127 and persistence's 0.230
    // after one frame.
    assert!(figure("validation loss") < 0.92 * figure("validation loss, linear base"));
    assert!(figure("simulation error, frame 1") < 0.08, "{printed}");
    let tables = Calibration::of(&model).unwrap();
    assert_eq!(tables.lambdas.len(), 6);
    // A correction can only lower S on data like those it was trained on.
    let mean = tables.innovation_ratio.iter().sum::<f32>() / tables.innovation_ratio.len() as f32;
    assert!((0.3..1.1).contains(&mean), "mean S ratio {mean}");
    // At the largest λ noise dominates: the score is nearly −û/V, so E|ŝ|² V is near 1. Two paths
    // leave much scatter.
    let last = &tables.path.power[5 * tables.width..];
    let mean = last.iter().sum::<f32>() / last.len() as f32;
    assert!((0.6..1.7).contains(&mean), "{last:?}");
    assert_eq!(*model.meta.system.lambda_grid.last().unwrap(), 0.0);
    for file in ["config.toml", "run.json", "metrics.jsonl", "curves.png", "curves.svg"] {
        assert!(home.path("run").join(file).exists(), "{file} is missing");
    }
    assert_eq!(
        model.meta.data,
        finescale_data::dataset::Reader::open(&home.path("ks.zarr")).unwrap().hash()
    );

    // Measuring again what drawn paths have measures the same, and nothing on other data.
    home.succeeds(
        "model calibrate run --data ks.zarr --paths 2 --frames 6 --out again.safetensors",
    );
    assert!(std::fs::read(home.path("again.safetensors")).unwrap() == home.model("run"));
    home.waves(9, 16, "other.zarr");
    let refused = home.fails("model calibrate run --data other.zarr --out third.safetensors");
    assert!(refused.contains("--data other.zarr is not the data set"), "{refused}");
    assert!(!home.path("third.safetensors").exists());
}

#[test]
fn every_network_head_and_setting_trains() {
    let home = Home::new();
    let settings = [
        ("linear", "[network]\nkind = \"linear\""),
        ("score", "[predictor]\nscore-head = true"),
        (
            "paper",
            "[predictor]\nbase = \"none\"\ninputs = [\"raw\"]\nbounded = false\nwindow = \
             5\n[loss]\nweight = \"noise\"\n[lambda]\nspacing = \"linear\"",
        ),
        (
            "product",
            "[predictor]\nscore-head = true\ninputs = [\"filtered\", \"gradient\"]\n[network]\nkind = \
             \"product\"\n[network.product]\nchannels = 4\ndilations = [1, 2]\nsegments = \
             2\n[lambda]\nclean = 0.5",
        ),
        (
            "unet",
            "[predictor]\nscore-head = true\n[network]\nkind = \"unet\"\n[network.unet]\ndim = \
             8\nmultipliers = [1, 2]\n[training]\naccumulate = 2",
        ),
        ("flex", "[predictor]\nscore-head = true\n[network]\nkind = \"flex\""),
        (
            "convolutions",
            "[network]\nkind = \"flex\"\n[network.flex]\ntransformer = false\n[training]\n\
             precision = \"mixed\"",
        ),
    ];
    for (name, text) in settings {
        let mut layers = Layers::default();
        layers.add(SMALL, "small").unwrap();
        layers.add(FLEX, "flex").unwrap();
        layers.add(text, name).unwrap();
        std::fs::write(home.path("settings.toml"), layers.text()).unwrap();
        home.succeeds(&format!("train ks.zarr --config settings.toml --steps 12 --out {name}"));
        let model = <Model>::open(&home.path(name).join("model.safetensors")).unwrap();
        assert!(model.meta.figures.values().all(|value| value.is_finite()), "{name}");
    }
}

/// If it failed, several devices would train on the same batches twice, weigh them wrongly, or add
/// them up in any order.
#[test]
fn two_devices_are_two_batches_on_one() {
    let home = Home::new();
    let two = SMALL.replace("batch = 8", "batch = 8\naccumulate = 2");
    std::fs::write(home.path("two.toml"), two).unwrap();
    // Burn's data-parallel step runs one thread for each device; there is one processor, so both
    // are it.
    home.succeeds("train ks.zarr --config small.toml --steps 40 --devices 2 --out devices/run");
    home.succeeds("train ks.zarr --config two.toml --steps 40 --out batches/run");
    home.succeeds("train ks.zarr --config small.toml --steps 40 --out one/run");
    assert_eq!(home.model("devices/run"), home.model("batches/run"));
    assert_ne!(home.model("devices/run"), home.model("one/run"));
    // A resumed run takes up the batches of both where it was stopped.
    let newest =
        home.path("devices/run").join(checkpoints(&home.path("devices/run")).pop().unwrap());
    std::fs::remove_file(newest).unwrap();
    std::fs::remove_file(home.path("devices/run/model.safetensors")).unwrap();
    home.succeeds("train ks.zarr --devices 2 --out devices/run --resume");
    assert_eq!(home.model("devices/run"), home.model("batches/run"));
    assert!(home.fails("train ks.zarr --out devices/run --resume").contains("--devices 2"));
}

/// If it failed, mixed precision would cost what it must not: the loss, or the same bits.
#[test]
fn mixed_precision_reaches_the_loss_of_full_precision() {
    let home = Home::new();
    let unet = "[network]\nkind = \"unet\"\n[network.unet]\ndim = 8\nmultipliers = [1, 2]\n";
    let loss = |run: &str, precision: &str| {
        let mut layers = Layers::default();
        layers.add(SMALL, "small").unwrap();
        layers.add(&format!("{unet}[training]\nprecision = \"{precision}\""), "unet").unwrap();
        std::fs::write(home.path("settings.toml"), layers.text()).unwrap();
        home.succeeds(&format!("train ks.zarr --config settings.toml --steps 50 --out {run}/run"));
        let figures =
            <Model>::open(&home.path(run).join("run/model.safetensors")).unwrap().meta.figures;
        (figures["validation loss"], figures["validation loss, linear base"])
    };
    let (full, base) = loss("full", "full");
    let (mixed, _) = loss("mixed", "mixed");
    assert!(full < 0.99 * base, "{full} of the base's {base}: nothing was learnt");
    assert!(mixed != full && (mixed - full).abs() < 0.1 * (base - full), "{mixed} for {full}");
    loss("again", "mixed");
    assert_eq!(home.model("mixed/run"), home.model("again/run"), "same seed, other bits");
}

/// If it failed, attention would learn nothing, or from other numbers once a run was interrupted.
#[test]
fn flex_learns_and_goes_on_to_the_same_bits() {
    let home = Home::new();
    let settings = format!("{SMALL}{FLEX}[network]\nkind = \"flex\"");
    std::fs::write(home.path("flex.toml"), settings).unwrap();
    let train = "train ks.zarr --config flex.toml --steps 50 --out";
    let printed = home.succeeds(&format!("{train} whole/run"));
    assert!(printed.contains(" multiply-accumulates a frame"), "{printed}");
    let model = <Model>::open(&home.path("whole/run/model.safetensors")).unwrap();
    let figure = |name: &str| model.meta.figures[name];
    let (loss, base) = (figure("validation loss"), figure("validation loss, linear base"));
    assert!(loss < 0.99 * base, "{loss} of the base's {base}: nothing was learnt");

    home.succeeds(&format!("{train} stopped/run"));
    let newest =
        home.path("stopped/run").join(checkpoints(&home.path("stopped/run")).pop().unwrap());
    std::fs::remove_file(newest).unwrap();
    std::fs::remove_file(home.path("stopped/run/model.safetensors")).unwrap();
    let said = home.succeeds("train ks.zarr --out stopped/run --resume");
    assert!(said.contains("resumed after 40 steps"), "{said}");
    assert_eq!(home.model("whole/run"), home.model("stopped/run"));
}

/// If it failed, early stopping would ship another network than the one it chose, or forget it when
/// interrupted.
#[test]
fn the_best_weights_are_kept_through_interruptions() {
    let home = Home::new();
    // A learning rate that rises until it destroys what was learnt.
    let wild = "warmup = 1000\nlearning-rate = 3.0\nema = 0.5\nsteps = 120";
    let text = SMALL.replace("warmup = 5", wild);
    let best = text.replace("ema = 0.5", "ema = 0.5\nkeep = \"best\"");
    std::fs::write(home.path("last.toml"), text).unwrap();
    std::fs::write(home.path("best.toml"), best).unwrap();
    home.succeeds("train ks.zarr --config last.toml --out last/run");
    let printed = home.succeeds("train ks.zarr --config best.toml --out best/run");
    let model = |run| Model::open(&home.path(run).join("model.safetensors")).unwrap().meta;
    let (last, best) = (model("last/run"), model("best/run"));
    let loss = |meta: &finescale_model::Meta| meta.figures["validation loss"];
    let lines = std::fs::read_to_string(home.path("best/run/metrics.jsonl")).unwrap();
    let reports: Vec<Report> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let least = reports.iter().min_by(|a, b| a.valid_loss().total_cmp(&b.valid_loss())).unwrap();
    assert!(best.steps == least.step && best.steps < last.steps, "{} steps", best.steps);
    assert!(printed.contains(&format!("the weights after {} steps", best.steps)), "{printed}");
    assert!(loss(&best) < loss(&last), "{} for {}", loss(&best), loss(&last));
    assert!((loss(&best) - least.valid_loss()).abs() < 1e-9, "the figures are not the best's");

    let mut child =
        home.command("train ks.zarr --config best.toml --out killed/run").spawn().unwrap();
    while !home.path("killed/run/metrics.jsonl").exists()
        || checkpoints(&home.path("killed/run")).last().is_none_or(|name| {
            let step = name.trim_start_matches("checkpoint-0-").trim_end_matches(".safetensors");
            step.parse::<usize>().unwrap() <= best.steps
        })
    {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    home.succeeds("train ks.zarr --out killed/run --resume");
    assert_eq!(home.model("best/run"), home.model("killed/run"));
}

/// If it failed, an interrupted run would lose what it had learnt since its last report, or go on
/// from another place than the one that it names.
#[test]
fn ctrl_c_leaves_a_checkpoint_where_it_stopped_and_exit_130() {
    let home = Home::new();
    // No report before the end: every checkpoint that is there was written at the interruption.
    std::fs::write(home.path("quiet.toml"), SMALL.replace("every = 10", "every = 100000")).unwrap();
    let line = "train ks.zarr --config quiet.toml --steps 600 --out";
    let child = home
        .command(&format!("{line} stopped/run"))
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for(|| home.path("stopped/run/run.json").exists(), "the run did not begin");
    std::thread::sleep(Duration::from_millis(150));
    signal(&child, "INT");
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{error}");
    let said = error.split("stopped after ").nth(1).unwrap_or_else(|| panic!("{error}"));
    let step: usize = said.split_whitespace().next().unwrap().parse().unwrap();
    assert!((1..600).contains(&step), "{error}");
    assert_eq!(
        checkpoints(&home.path("stopped/run")),
        [format!("checkpoint-0-{step:09}.safetensors")]
    );
    assert!(!home.path("stopped/run/model.safetensors").exists());

    let said = home.succeeds("train ks.zarr --out stopped/run --resume");
    assert!(said.contains(&format!("resumed after {step} steps")), "{said}");
    home.succeeds(&format!("{line} whole/run"));
    assert_eq!(home.model("stopped/run"), home.model("whole/run"));
}

/// If it failed, hours of training would be lost to what comes after them.
#[test]
fn a_run_that_is_killed_while_it_is_measured_has_its_model() {
    let home = Home::new();
    // Measuring takes much longer than training.
    let slow = SMALL.replace("paths = 2", "paths = 64").replace("count = 6", "count = 40");
    std::fs::write(home.path("slow.toml"), slow).unwrap();
    let line = "train ks.zarr --config slow.toml --steps 10 --out";
    home.succeeds(&format!("{line} whole/run"));
    for (name, how, code) in [("killed/run", "KILL", None), ("stopped/run", "INT", Some(130))] {
        let child = home
            .command(&format!("{line} {name}"))
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let folder = home.path(name);
        wait_for(|| folder.join("model.safetensors").exists(), "no model was saved");
        signal(&child, how);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), code, "{name}");
        if code.is_some() {
            let error = sentence(&output);
            assert!(error.contains("model.safetensors") && error.contains("--resume"), "{error}");
        }
        assert!(!folder.join("summary.txt").exists(), "{name} was measured already");
        // What lies there is the trained network, with tables that nothing was measured for yet.
        let model = Model::open(&folder.join("model.safetensors")).unwrap();
        let measured = Model::open(&home.path("whole/run/model.safetensors")).unwrap();
        assert_eq!(model.meta.steps, 10);
        assert!(model.meta.figures.is_empty(), "{name}");
        let weights = |model: &Model| -> Vec<_> {
            let arrays = model.arrays.clone().into_iter();
            arrays.filter(|(name, _)| name.starts_with("network.")).collect()
        };
        assert!(!weights(&model).is_empty());
        assert_eq!(weights(&model), weights(&measured), "{name}");
        home.succeeds(&format!("export {name} --out {}.finescale", name.replace('/', "-")));
        // Nothing is trained again, and what is measured is the same.
        let said = home.succeeds(&format!("train ks.zarr --out {name} --resume"));
        assert!(said.contains("resumed after 10 steps"), "{said}");
        assert_eq!(home.model(name), home.model("whole/run"), "{name}");
        assert!(folder.join("summary.txt").exists());
    }
}

/// If it failed, a training would end without a model, or in a panic.
#[test]
fn what_a_board_cannot_use_is_refused_before_the_first_step() {
    let home = Home::new();
    home.succeeds(
        "data simulate lorenz96 --burn-in 1 --trajectories 12 --frames 24 --out l96.zarr",
    );
    let train = |data: &str, text: &str| {
        let mut layers = Layers::default();
        layers.add(SMALL, "small").unwrap();
        layers.add(text, "case").unwrap();
        std::fs::write(home.path("case.toml"), layers.text()).unwrap();
        format!("train {data} --config case.toml --steps 2 --out run")
    };
    let deep = format!("[network.tiny]\ndilations = {:?}", vec![1; 33]);
    let cases = [
        ("l96.zarr", "[predictor]\nwindow = 9", ["predictor.window is 9", "at most 8"]),
        (
            "l96.zarr",
            "[predictor]\nwindow = 9\n[network]\nkind = \"linear\"",
            ["predictor.window is 9", "at most 8"],
        ),
        ("l96.zarr", "[process]\ncoupling = 1.0", ["process.coupling is 1", "below 1"]),
        (
            "l96.zarr",
            "[process]\ncoupling = 0.5\ncoupling-switch = 2.0",
            ["process.coupling-switch is 2", "from -1 to 1"],
        ),
        (
            "l96.zarr",
            "[process]\ncoupling-switch = 0.1",
            ["process.coupling-switch is 0.1", "set process.coupling"],
        ),
        ("ks.zarr", "[sampling]\ngeneration = 2.0", ["sampling.generation is 2", "up to 1"]),
        (
            "ks.zarr",
            "[process]\ncoupling = 0.5",
            ["process.coupling couples two channels", "the data have 1"],
        ),
        ("ks.zarr", &deep, ["network.tiny.dilations", "at most 32"]),
        (
            "ks.zarr",
            "[network.tiny]\nkernel = 7\ndilations = [1, 16, 1]",
            ["network.tiny.dilations", "at most 10"],
        ),
        (
            "ks.zarr",
            "[network.tiny]\nchannels = 1025",
            ["network.tiny.channels is 1025", "at most 1024"],
        ),
        (
            "ks.zarr",
            "[network]\nkind = \"unet\"\n[network.unet]\ndim = 8\n\
             multipliers = [1, 1, 1, 1, 1, 1, 1]",
            ["network.unet.multipliers", "at most 6"],
        ),
        (
            "ks.zarr",
            "[network]\nkind = \"flex\"\n[network.flex]\nchannels = [8, 8, 8, 8, 8, 8]\n\
             blocks = [1, 1, 1, 1, 1, 1]",
            ["network.flex.channels", "at most 5"],
        ),
    ];
    for (data, text, says) in cases {
        let error = home.fails(&train(data, text));
        assert!(says.iter().all(|words| error.contains(words)), "{text}: {error}");
        assert!(!home.path("run").exists(), "{text}: something was created");
    }
    // The last that fits trains, to a model that boards read.
    for (data, text) in [
        ("l96.zarr", "[predictor]\nwindow = 8"),
        ("l96.zarr", "[process]\ncoupling = 0.5"),
        ("ks.zarr", "[network.tiny]\nkernel = 7\ndilations = [1, 10, 1]"),
    ] {
        home.succeeds(&train(data, text));
        home.succeeds("export run --out run.finescale");
        std::fs::remove_dir_all(home.path("run")).unwrap();
    }
    // What never goes to a board has other limits.
    let unet = "[network]\nkind = \"unet\"\n[network.unet]\ndim = 8\n";
    let deepest = train("ks.zarr", &format!("{unet}multipliers = [1, 1, 1, 1, 1, 1]"));
    home.succeeds(&deepest.replace("--out run", "--out deepest"));
}

/// Every range that a message names is the one that is held to, ends included.
#[test]
fn ranges_are_as_their_messages_say() {
    let cases = [
        ("loss", "history-drop", &["0.0", "0.999"][..], &["-0.001", "1.0", "nan"][..]),
        ("training", "ema", &["0.0", "0.9999"], &["-0.1", "1.0", "nan"]),
        ("lambda", "smallest", &["1e-9", "1.0"], &["0.0", "1.0001", "nan"]),
        ("lambda", "largest", &["1e-3", "1.0"], &["9e-4", "1.0001", "nan"]),
        ("lambda", "count", &["2", "1000"], &["1", "1001"]),
        ("predictor", "window", &["1", "16"], &["0", "17"]),
        ("network.tiny", "kernel", &["3", "5", "7"], &["1", "2", "4", "9"]),
        ("network.tiny", "channels", &["1"], &["0"]),
        ("network.tiny", "dilations", &["[1, 1]", "[16, 16]"], &["[1]", "[1, 0]", "[1, 17]"]),
        ("network.unet", "dim", &["8", "16"], &["0", "4", "12"]),
        ("network.flex", "channels", &["[32, 64]", "[8, 16]"], &["[]", "[32]", "[32, 12]"]),
        ("network.flex", "blocks", &["[1, 3]"], &["[2]", "[2, 0]"]),
        ("network.flex", "groups", &["1", "32"], &["0", "5"]),
        ("network.flex", "depth", &["3", "13"], &["0", "1", "4"]),
        ("network.flex", "heads", &["1", "64"], &["0", "3"]),
        ("network.flex", "mlp-ratio", &["1"], &["0"]),
        ("training", "steps", &["1"], &["0"]),
        ("training", "learning-rate", &["1e-9"], &["0.0", "-1.0", "inf", "nan"]),
        ("training", "clip", &["1e-9"], &["0.0", "inf"]),
        ("report", "rollout", &["1"], &["0"]),
        ("calibration", "frames", &["2"], &["1"]),
    ];
    for (section, key, taken, refused) in cases {
        let finish = |value: &str| {
            let mut layers = Layers::default();
            layers.add(&format!("[{section}]\n{key} = {value}"), "case").unwrap();
            layers.finish()
        };
        for value in taken {
            finish(value).unwrap_or_else(|error| panic!("{section}.{key} = {value}: {error}"));
        }
        for value in refused {
            let error = finish(value).expect_err(&format!("{section}.{key} = {value}")).to_string();
            assert!(error.contains(&format!("{section}.")) && error.contains(key), "{error}");
        }
    }
    for (section, key) in [("loss", "history-drop"), ("training", "ema")] {
        let mut layers = Layers::default();
        layers.add(&format!("[{section}]\n{key} = 1.0"), "case").unwrap();
        let error = layers.finish().unwrap_err().to_string();
        assert!(error.contains("0 or more and less than 1"), "{error}");
    }
    // A kernel's sizes are told where they are set, all of them.
    assert!(DEFAULTS.contains("# 3, 5 or 7 points along each axis."));
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let home = Home::new();
    let write = |text: &str| std::fs::write(home.path("bad.toml"), text).unwrap();
    let train = "train ks.zarr --config bad.toml --out run";

    write("[training]\nlearning-rat = 1e-3");
    let error = home.fails(train);
    assert!(
        error.contains("`training.learning-rat`") && error.contains("`learning-rate`"),
        "{error}"
    );
    write("[training]\nbatch = 0");
    assert!(home.fails(train).contains("training.batch"));
    write("[training]\nbatch = \"many\"");
    assert!(
        home.fails(train)
            .contains("--config bad.toml, line 2: the setting `training.batch = \"many\"")
    );
    write("[training]\nprecision = \"half\"");
    let error = home.fails(train);
    assert!(error.contains("precision = \"half\"") && error.contains("`mixed`"), "{error}");
    write("[predictor]\nwindow = 40");
    assert!(home.fails(train).contains("predictor.window"));
    write("[calibration]\nframes = 17");
    assert!(home.fails(train).contains("calibration.frames"));
    write("[predictor]\nwindow = 16");
    assert!(home.fails(train).contains("shorter window"));
    assert!(!home.path("run").exists(), "a refused run left its folder");
    assert!(home.fails("train ks.zarr --out run --backend cuda").contains("--backend cpu"));
    let error = home.fails("train none.zarr --out run --preset kuramoto-sivashinsky");
    assert!(error.contains("finescale data simulate kuramoto-sivashinsky"), "{error}");
    assert!(home.fails("train ks.zarr --out nothing --resume").contains("run.json"));

    // Divergence: where, and the last good checkpoint stays.
    write(
        &format!("{SMALL}\n[loss]\nhistory-drop = 0.0\n[predictor]\nbounded = false")
            .replace("warmup = 5", "warmup = 1\nlearning-rate = 1e30\nclip = 1e30"),
    );
    std::fs::remove_dir_all(home.path("run")).ok();
    let error = home.fails(&format!("{train} --steps 100"));
    assert!(error.contains("step") && error.contains("λ = "), "{error}");

    // Another data set than the run began with.
    home.succeeds("train ks.zarr --config small.toml --steps 10 --out begun");
    home.succeeds("data simulate kuramoto-sivashinsky --grid 64 --trajectories 12 --frames 12 --out other.zarr");
    let error = home.fails("train other.zarr --out begun --resume");
    assert!(error.contains("[1, 1, 32]") && error.contains("[1, 1, 64]"), "{error}");
    home.waves(12, 12, "more.zarr");
    assert!(home.fails("train more.zarr --out begun --resume").contains("content differs"));
    assert!(home.fails("train ks.zarr --out begun").contains("--resume"));
}

#[test]
fn a_full_disk_ends_the_run_and_keeps_its_checkpoints() {
    let home = Home::new();
    home.succeeds("train ks.zarr --config small.toml --steps 20 --out run");
    let before = checkpoints(&home.path("run"));
    // A limit on the size of files fails a write as a full disk does.
    std::fs::write(home.path("run/config.toml"), {
        let text = std::fs::read_to_string(home.path("run/config.toml")).unwrap();
        text.replace("steps = 20", "steps = 40")
    })
    .unwrap();
    let line = format!(
        "trap '' XFSZ; ulimit -f 8; exec {} train ks.zarr --out run --resume",
        env!("CARGO_BIN_EXE_finescale")
    );
    let output =
        Command::new("bash").args(["-c", &line]).current_dir(home.0.path()).output().unwrap();
    let error = one_sentence(&line, &output);
    assert!(error.contains("cannot be written") || error.contains("cannot write"), "{error}");
    assert_eq!(checkpoints(&home.path("run")), before);
    home.succeeds("train ks.zarr --out run --resume");
}

#[test]
fn defaults_are_complete_and_presets_are_valid() {
    assert_eq!(Layers::default().finish().unwrap(), Config::default());
    for preset in PRESETS {
        let mut layers = Layers::default();
        layers.add(preset.text, preset.name).unwrap();
        let text = layers.text();
        layers.finish().unwrap_or_else(|error| panic!("{}: {error}", preset.name));
        // A preset repeats the shipped model of its name.
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        if let Ok(shipped) = std::fs::read_to_string(models.join(preset.name).join("config.toml")) {
            assert!(text == shipped, "{}: models/ has other settings", preset.name);
        }
        assert!(preset.data_command().starts_with("finescale data "), "{}", preset.name);
    }
    let home = Home::new();
    assert_eq!(home.succeeds("train --print-config"), DEFAULTS);
    let changed = home.succeeds("train --print-config --preset lorenz96 --seed 5");
    assert!(changed.contains("seed = 5") && changed.contains("kernel = 5"), "{changed}");
    // Comments stay.
    assert!(changed.contains("# Seed of everything random"));
}
