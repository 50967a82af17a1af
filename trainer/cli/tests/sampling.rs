//! `finescale generate`, `forecast` and `simulate`, the sampler's settings, and runs that are
//! interrupted.

#[path = "common/sampling.rs"]
mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::Home;
use finescale_ensemble::{Ensemble, Task};
use finescale_model::Model;

fn read(home: &Home, name: &str) -> Ensemble {
    Ensemble::read(&home.path(name)).unwrap()
}

fn variance(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len() as f64
}

/// Generated fields must have the variance of the data. (Independent frames at λ* give too little.)
#[test]
fn generated_paths_look_like_the_data() {
    let home = Home::linear(false);
    for start in ["rollout", "rollout --lambda 1"] {
        home.succeeds(&format!(
            "generate --model model.safetensors --members 20 --frames 16 --rule linear --steps 16 \
             --start {start} --out a.nc --force"
        ));
        let ensemble = read(&home, "a.nc");
        assert_eq!((ensemble.provenance.task, ensemble.members), (Task::Generate, 20));
        assert_eq!((ensemble.frames(), ensemble.spec.nx()), (16, 64));
        assert!(ensemble.truth.is_none());
        let found = variance(&ensemble.prediction);
        assert!((0.8..1.2).contains(&found), "{start}: {found}");
    }
    // With data to compare with, coordinates are theirs.
    home.succeeds("generate --model model.safetensors --like data.zarr --trajectories 2 --members 2 --out b.zarr");
    let ensemble = read(&home, "b.zarr");
    assert_eq!((ensemble.spec.trajectories, ensemble.frames()), (2, 24));
    assert!(ensemble.truth.is_some());
}

/// Of two models alike one starts where its regimes say, and the other where it says itself; the
/// λ that was used is written down.
#[test]
fn generation_starts_where_the_model_says() {
    let home = Home::linear(false);
    let lambda = |line: &str| {
        home.succeeds(&format!(
            "generate --members 1 --frames 4 --steps 2 --out a.nc --force {line}"
        ));
        read(&home, "a.nc").provenance.settings["sampler"]["lambda"].as_f64().unwrap()
    };
    home.succeeds("regimes model.safetensors --json regimes.json");
    let regimes = std::fs::read(home.path("regimes.json")).unwrap();
    let regimes: serde_json::Value = serde_json::from_slice(&regimes).unwrap();
    let told = regimes["generation_start"].as_f64().unwrap();
    let found = lambda("--model model.safetensors");
    assert!((found / told - 1.0).abs() < 1e-6 && (found - 0.1).abs() > 1e-3, "{found} {told}");
    let mut model: Model = Model::open(&home.path("model.safetensors")).unwrap();
    model.meta.system.generation = 0.25;
    model.save(&home.path("told.safetensors")).unwrap();
    home.succeeds("export model.safetensors --format finescale --out board.finescale");
    for (line, expected) in [
        ("--model told.safetensors", 0.25),
        ("--model told.safetensors --lambda 0.4", 0.4),
        ("--model told.safetensors --preset paper", 1.0),
        // Files for boards do not say it.
        ("--model board.finescale", 0.1),
    ] {
        let found = lambda(line);
        assert!((found - expected).abs() < 1e-6, "{line}: {found}");
    }
}

/// The frames that are given come out as they are, and those after them know of them.
#[test]
fn forecasts_hold_what_is_given() {
    let home = Home::linear(true);
    home.succeeds(
        "forecast data.zarr --model model.safetensors --given 4 --frames 6 --members 8 --out a.nc",
    );
    let ensemble = read(&home, "a.nc");
    assert_eq!((ensemble.given, ensemble.frames()), (4, 10));
    let error = |n: usize| {
        let mut sum = 0.0;
        for t in 0..ensemble.spec.trajectories {
            let truth = ensemble.true_frame(t, n).unwrap();
            let mut mean = vec![0.0; truth.len()];
            for m in 0..ensemble.members {
                for (mean, v) in mean.iter_mut().zip(ensemble.frame(t, n, m)) {
                    *mean += v / ensemble.members as f32;
                }
            }
            let difference: Vec<f32> = mean.iter().zip(truth).map(|(a, b)| a - b).collect();
            sum += variance(&difference) / variance(truth) / ensemble.spec.trajectories as f64;
        }
        sum.sqrt()
    };
    assert!((0..4).all(|n| error(n) < 1e-4), "{}", error(0));
    let errors: Vec<f64> = (4..10).map(error).collect();
    println!("relative error of the mean by frames ahead: {errors:.2?}");
    assert!(errors[0] < 0.8 && errors[0] < errors[5] && errors[0] > 1e-3, "{errors:?}");
    // Beyond the data there is no truth, and times go on.
    let said = home
        .warns("forecast data.zarr --model model.safetensors --frames 40 --members 1 --out b.nc");
    assert!(said.contains("the data end after 24 frames"), "{said}");
    let ensemble = read(&home, "b.nc");
    assert_eq!((ensemble.frames(), ensemble.truth.is_none()), (43, true));
    assert_eq!(ensemble.spec.time.values[42], 42.0);
}

#[test]
fn simulations_roll_at_one_lambda() {
    let home = Home::linear(false);
    let line = "simulate data.zarr --model model.safetensors --members 2 --frames 5";
    home.succeeds(&format!("{line} --out a.nc"));
    home.succeeds(&format!("{line} --no-noise --out b.nc"));
    home.succeeds(&format!("{line} --lambda 0.3 --out c.nc"));
    let (a, b, c) = (read(&home, "a.nc"), read(&home, "b.nc"), read(&home, "c.nc"));
    assert_eq!((a.given, a.frames()), (3, 8));
    for (name, ensemble, limit) in [("a", &a, 0.1), ("b", &b, 0.1)] {
        for n in 0..3 {
            let truth = ensemble.true_frame(0, n).unwrap();
            let off: Vec<f32> =
                ensemble.frame(0, n, 1).iter().zip(truth).map(|(a, b)| a - b).collect();
            assert!(variance(&off).sqrt() < limit, "{name}: {}", variance(&off).sqrt());
        }
    }
    // Without noise the members differ by the noise of the given frames alone.
    let spread = |e: &Ensemble| {
        let off: Vec<f32> =
            e.frame(0, 7, 0).iter().zip(e.frame(0, 7, 1)).map(|(a, b)| a - b).collect();
        variance(&off)
    };
    assert!(spread(&b) < 0.5 * spread(&a), "{} {}", spread(&b), spread(&a));
    let given = |e: &Ensemble| variance(e.frame(0, 0, 0)) / variance(e.true_frame(0, 0).unwrap());
    assert!((given(&a) - 1.0).abs() < 0.05 && (given(&c) - 1.0).abs() > 0.05, "{}", given(&c));
}

#[test]
fn settings_come_from_presets_files_and_flags() {
    let home = Home::linear(false);
    let text = "lambda = 0.4\nsteps = 5\nrule = \"variance\"\nspacing = \"cubic\"\n";
    std::fs::write(home.path("s.toml"), text).unwrap();
    let line = "generate --model model.safetensors --members 1 --frames 4 --sampler s.toml";
    home.succeeds(&format!("{line} --steps 3 --out a.nc"));
    let settings = read(&home, "a.nc").provenance.settings;
    assert_eq!(settings["sampler"]["lambdas"]["power"]["steps"], 3);
    assert_eq!(settings["sampler"]["step"]["ancestral"], "variance");
    let lambda = settings["sampler"]["lambda"].as_f64().unwrap();
    assert!((lambda - 0.4).abs() < 1e-6);

    let line = "super-resolve data.zarr --coarsen 4 --model model.safetensors --members 1 --trajectories 1 --frames 4";
    home.succeeds(&format!("{line} --preset paper --steps 40 --lambda 0.2 --out paper.nc"));
    let paper = read(&home, "paper.nc").provenance;
    assert_eq!(
        (paper.method.as_str(), &paper.settings["task"]["observe"]),
        ("paper", &"none".into())
    );
    // 40 steps, and three correctors after each but the last.
    assert!((paper.calls_per_frame - 6.0 / 4.0 * 157.0).abs() < 1e-9, "{}", paper.calls_per_frame);
    home.succeeds(&format!("{line} --linear --out linear.nc"));
    assert_eq!(read(&home, "linear.nc").provenance.method, "linear");
    home.succeeds(&format!("{line} --out ours.nc"));
    let ours = read(&home, "ours.nc").provenance;
    assert_eq!((ours.method.as_str(), ours.calls_per_frame), ("ours", 12.0));
}

/// If this failed, an hour's work would be lost, or the rest of it would be of something else.
#[test]
#[cfg(unix)]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let home = Home::linear(true);
    let line = "super-resolve data.zarr --model model.safetensors --coarsen 2 --preset paper --members 3 --seed 2 --frames 16";
    let (long, out) = (format!("{line} --lambda 0.3 --trajectories 2"), home.path("a.nc.partial"));
    let mut child =
        home.command(&format!("{long} --out a.nc")).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let finished = || {
        let entries = std::fs::read_dir(&out).map(|entries| {
            entries
                .filter(|e| {
                    e.as_ref().unwrap().path().extension().is_some_and(|e| e == "safetensors")
                })
                .count()
        });
        entries.unwrap_or(0)
    };
    while finished() == 0 && begun.elapsed() < Duration::from_secs(120) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        std::thread::sleep(Duration::from_millis(5));
    }
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("a.nc.partial keeps what is finished: go on with --resume"), "{said}");
    assert!(finished() < 6 && !home.path("a.nc").exists());

    let error = home.refuses(&format!("{long} --out a.nc"));
    assert!(error.contains("holds an unfinished run: go on with --resume"), "{error}");
    let error = home.refuses(&format!("{line} --lambda 0.4 --trajectories 2 --out a.nc --resume"));
    assert!(error.contains("was begun with other settings"), "{error}");

    // Half a path, none of it, and a file of something else are as if they were not there.
    let place = |member: usize| out.join(format!("000001-{member:06}.safetensors"));
    let mut kept = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.find(|path| path.extension().is_some_and(|e| e == "safetensors")).unwrap();
    let kept = std::fs::read(kept).unwrap();
    std::fs::write(place(0), &kept[..kept.len() / 2]).unwrap();
    std::fs::write(place(1), "").unwrap();
    std::fs::copy(home.path("model.safetensors"), place(2)).unwrap();
    let resumed = home.command(&format!("{long} --out a.nc --resume")).output().unwrap();
    let said = String::from_utf8(resumed.stderr).unwrap();
    assert!(resumed.status.success(), "{said}");
    assert_eq!(said.matches("is not whole: its path is drawn again").count(), 3, "{said}");
    assert!(!out.exists());
    home.succeeds(&format!("{long} --out b.nc"));
    let (a, b) = (read(&home, "a.nc"), read(&home, "b.nc"));
    assert_eq!(a.prediction, b.prediction);
    assert_eq!(a.provenance.calls_per_frame, b.provenance.calls_per_frame);
}

/// Steps far too large for the paper's rule: nothing that is no number may be written, and how many
/// paths were lost is told.
#[test]
fn paths_that_blow_up_are_counted() {
    let home = Home::linear(false);
    std::fs::write(home.path("s.toml"), "preset = \"paper\"\nclamp = 3e38\n").unwrap();
    let line = "generate --model model.safetensors --members 3 --frames 4 --sampler s.toml --steps 3 --out a.nc";
    let output = home.command(line).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches(" blew up").count(), 3, "{said}");
    assert!(said.contains("3 of 3 paths are not finite: use another λ*"), "{said}");
    assert!(!home.path("a.nc").exists());
}

#[test]
fn bad_requests_are_refused_in_a_sentence() {
    let home = Home::linear(false);
    let cases = [
        ("forecast data.zarr --given 0", "--given is 0"),
        ("forecast data.zarr --given 30", "has 24 frames, but --given asks for 30"),
        ("forecast data.zarr --given 24", "say with --frames"),
        ("forecast data.zarr --frames 0", "--frames is 0"),
        ("forecast data.zarr --lambda 2", "--lambda is 2"),
        ("simulate data.zarr --lambda 0", "--lambda is 0"),
        ("simulate data.zarr --trajectories 0", "--trajectories is 0"),
        ("generate --frames 1", "--frames is below 2"),
        ("generate --like data.zarr --frames 50", "ask for fewer"),
        ("generate --snr 0", "snr is 0"),
    ];
    for (line, says) in cases {
        let error = home.refuses(&format!("{line} --model model.safetensors --out a.nc"));
        assert!(error.contains(says), "{line}: {error}");
    }
    let mut bytes = std::fs::read(home.path("model.safetensors")).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(home.path("half.safetensors"), bytes).unwrap();
    let error = home.refuses("generate --model half.safetensors --out a.nc");
    assert!(error.contains("is no finescale model"), "{error}");
    home.succeeds("export model.safetensors --out model.finescale");
    home.succeeds("generate --model model.finescale --members 1 --frames 4 --out a.nc");
    let mut bytes = std::fs::read(home.path("model.finescale")).unwrap();
    bytes[900] ^= 4;
    std::fs::write(home.path("flipped.finescale"), bytes).unwrap();
    let error = home.refuses("generate --model flipped.finescale --out b.nc");
    assert!(error.contains("is damaged"), "{error}");
}

/// The demo's stand-in for measured winds, to the bit: if it differed, it would be another model's.
#[test]
fn the_shipped_sample_is_what_the_shipped_model_draws() {
    let winds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/winds");
    let home = Home::empty();
    let mut draw = home.command("generate --members 1 --frames 12 --seed 1992 --out drawn.nc");
    assert!(draw.args(["--model", winds]).status().unwrap().success());
    let shipped = Ensemble::read(format!("{winds}/sample.nc").as_ref()).unwrap();
    let drawn = read(&home, "drawn.nc");
    assert_eq!(drawn.provenance.model_hash, shipped.provenance.model_hash);
    assert_eq!(drawn.prediction, shipped.prediction);
    assert_eq!(drawn.spec, shipped.spec);
}
