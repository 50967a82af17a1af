//! `finescale train --given`: residuals of a conditional mean are learned, survive a kill, and are
//! drawn by `finescale super-resolve`.
#![cfg(all(feature = "train", unix))]

#[path = "common/home.rs"]
mod home;

use finescale_ensemble::Ensemble;
use finescale_model::Model;
use home::{Home, one_sentence};

/// The mean is a linear map, in closed form.
const MEAN: &str = "
[network]
kind = \"linear\"
[mean]
before = 1
after = 1
window = 2
base = \"ridge\"
rank = 6
";

const RESIDUALS: &str = "
[predictor]
window = 2
[network.tiny]
channels = 6
dilations = [1, 2, 1]
[training]
batch = 8
warmup = 5
[lambda]
count = 6
[calibration]
paths = 4
frames = 6
[report]
every = 10
windows = 16
rollout = 2
";

const TRAIN: &str = "train ks.zarr --config residuals.toml --given mean --steps 40 --out";
const DRAW: &str = "super-resolve ks.zarr --coarsen 4 --trajectories 2 --frames 8";

impl Home {
    /// With a data set, a mean of it, and a run on the residuals in `run`.
    fn trained() -> Self {
        let home = Self::with_waves(20, 16);
        std::fs::write(home.path("mean.toml"), MEAN).unwrap();
        std::fs::write(home.path("residuals.toml"), RESIDUALS).unwrap();
        home.succeeds("train ks.zarr --config mean.toml --sensor block-mean:4 --out mean");
        home.succeeds(&format!("{TRAIN} run"));
        home
    }

    fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.path(file)).unwrap()
    }
}

fn rms(values: impl Iterator<Item = f32>) -> f64 {
    let squares: Vec<f64> = values.map(|value| f64::from(value).powi(2)).collect();
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}

#[test]
fn members_are_the_mean_and_residuals_of_their_size() {
    let home = Home::trained();
    assert!(home.bytes("run/mean.safetensors") == home.bytes("mean/model.safetensors"));
    let model: Model = Model::open(&home.path("run/model.safetensors")).unwrap();
    assert_eq!((model.meta.companions(), model.meta.channels[0].mean), (2, 0.0));
    // The views of two frames, the mean and the shown field.
    assert_eq!(model.meta.layers().unwrap()[0].inputs, 2 * 2 + 2);
    let loss = |name: &str| model.meta.figures[name];
    assert!(loss("validation loss").is_finite(), "{:?}", model.meta.figures);
    home.succeeds(&format!("{DRAW} --model run --mean-alone --members 1 --out mean.nc"));
    home.succeeds(&format!("{DRAW} --model mean --mean-alone --members 1 --out same.nc"));
    home.succeeds(&format!("{DRAW} --model run --members 4 --out drawn.nc"));
    home.succeeds(&format!("{DRAW} --model run --members 2 --first-member 2 --out some.nc"));
    let [mean, same, drawn, some] = ["mean.nc", "same.nc", "drawn.nc", "some.nc"]
        .map(|file| Ensemble::read(&home.path(file)).unwrap());
    assert_eq!(mean.prediction, same.prediction);
    assert_eq!(drawn.provenance.method, "mean and residuals");
    let frames = || (0..2).flat_map(|t| (0..8).map(move |n| (t, n)));
    for (t, n) in frames() {
        assert_eq!(drawn.frame(t, n, 3), some.frame(t, n, 1), "a member depends on the others");
    }
    // Members are as far from the mean as the truth is, but for what few frames leave open.
    let off = |field: &dyn Fn(usize, usize) -> Vec<f32>| {
        let off = frames().flat_map(|(t, n)| {
            let mean = mean.frame(t, n, 0).to_vec();
            field(t, n).into_iter().zip(mean).map(|(value, mean)| value - mean).collect::<Vec<_>>()
        });
        rms(off)
    };
    let left = off(&|t, n| drawn.true_frame(t, n).unwrap().to_vec());
    for member in 0..4 {
        let size = off(&|t, n| drawn.frame(t, n, member).to_vec()) / left;
        assert!((0.5..2.0).contains(&size), "member {member}: {size}");
    }
    let std = model.meta.channels[0].std;
    assert!((0.5..2.0).contains(&(std / left)), "{std} {left}");
}

/// If it failed, a network that stays on this machine would not see the mean beside the residuals.
#[test]
fn flex_learns_residuals_too() {
    let home = Home::trained();
    let flex = "[network]\nkind = \"flex\"\n[network.flex]\nchannels = [8, 16]\n";
    std::fs::write(home.path("flex.toml"), format!("{RESIDUALS}{flex}")).unwrap();
    home.succeeds("train ks.zarr --config flex.toml --given mean --steps 4 --out flex");
    let model: Model = Model::open(&home.path("flex/model.safetensors")).unwrap();
    // As above: the views of two frames, the mean and the shown field.
    let first = &model.arrays["network.encoder.first.weight"].shape;
    assert_eq!((model.meta.companions(), first.as_slice()), (2, &[8, 2 * 2 + 2, 1, 3][..]));
    assert!(model.meta.figures.values().all(|figure| figure.is_finite()));
}

#[test]
fn a_run_resumes_to_the_same_bits_without_the_folder_of_the_mean() {
    let home = Home::trained();
    home.succeeds(&format!("{TRAIN} stopped/run"));
    let run = home.path("stopped/run");
    // As if it had been killed after its last checkpoint but one.
    std::fs::remove_file(run.join("checkpoint-0-000000040.safetensors")).unwrap();
    std::fs::remove_file(run.join("model.safetensors")).unwrap();
    std::fs::remove_dir_all(home.path("mean")).unwrap();
    let said = home.succeeds("train ks.zarr --out stopped/run --resume");
    assert!(said.contains("resumed after 30 steps"), "{said}");
    assert!(home.bytes("stopped/run/model.safetensors") == home.bytes("run/model.safetensors"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let home = Home::trained();
    home.succeeds("export run");
    let cases = [
        ("generate --model run --out a.nc", "super-resolve alone"),
        ("generate --model run --linear --out a.nc", "super-resolve alone"),
        (
            "super-resolve ks.zarr --coarsen 4 --model run/model.finescale --out a.nc",
            "run's folder",
        ),
        ("super-resolve ks.zarr --coarsen 2 --model run --out a.nc", "use --coarse-grid 8"),
        ("super-resolve ks.zarr --coarsen 4 --observe none --model run --out a.nc", "--observe"),
        ("export run --quantize int16 --data ks.zarr --out a.finescale", "leave --data out"),
        ("validate run", "the mean beside it"),
        ("model calibrate run --data ks.zarr --out a.safetensors", "--resume"),
        ("train ks.zarr --given run --out a", "is no conditional mean"),
        ("train ks.zarr --given nowhere --out a", "nowhere"),
    ];
    for (line, says) in cases {
        let error = one_sentence(line, &home.command(line).output().unwrap());
        assert!(error.contains(says), "{line}: {error}");
        assert!(!home.entries().iter().any(|name| name.starts_with('a')), "{line}");
    }
    std::fs::write(home.path("head.toml"), "predictor.score-head = true").unwrap();
    let error = home.refuses("train ks.zarr --config head.toml --given mean --out a");
    assert!(error.contains("do not go together"), "{error}");
    std::fs::copy(home.path("run/model.safetensors"), home.path("run/mean.safetensors")).unwrap();
    let error = home.refuses(&format!("{DRAW} --model run --out a.nc"));
    assert!(!error.is_empty());
}
