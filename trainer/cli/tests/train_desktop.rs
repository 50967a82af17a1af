//! Networks that boards have no room for: trained, and used for every task of a predictor.
#![cfg(all(feature = "train", feature = "onnx", unix))]

#[path = "common/home.rs"]
mod home;

use finescale_ensemble::Ensemble;
use home::Home;

const SETTINGS: &str = "
[predictor]
window = 2
[network]
kind = \"NETWORK\"
[network.unet]
dim = 8
multipliers = [1, 2]
[network.flex]
channels = [8, 16]
blocks = [1, 1]
depth = 3
[training]
batch = 8
warmup = 5
[lambda]
count = 6
[calibration]
paths = 4
frames = 6
[report]
every = 20
windows = 16
rollout = 2
";

const TASKS: [&str; 4] = [
    "super-resolve ks.zarr --coarsen 4 --frames 4 --trajectories 1",
    "simulate ks.zarr --frames 4 --trajectories 1",
    "forecast ks.zarr --frames 4 --trajectories 1",
    "generate --frames 3",
];

fn members(home: &Home, file: &str) -> Vec<f32> {
    Ensemble::read(&home.path(file)).unwrap().prediction
}

/// If it failed, a network that was trained for days could not be used, or would be left out of
/// what it is used for.
#[test]
fn networks_of_desktops_do_every_task() {
    let home = Home::with_waves(20, 16);
    for network in ["unet", "flex"] {
        let settings = SETTINGS.replace("NETWORK", network);
        std::fs::write(home.path("case.toml"), settings).unwrap();
        home.succeeds(&format!("train ks.zarr --config case.toml --steps 40 --out {network}"));
        let tasks = if network == "unet" { &TASKS[..] } else { &TASKS[..1] };
        for (n, task) in tasks.iter().enumerate() {
            let draw = format!("{task} --model {network} --members 2");
            home.succeeds(&format!("{draw} --out {network}-{n}.nc"));
            home.succeeds(&format!("{draw} --linear --out {network}-{n}-base.nc"));
            let [drawn, base] =
                ["", "-base"].map(|base| members(&home, &format!("{network}-{n}{base}.nc")));
            assert!(drawn.iter().all(|value| value.is_finite()), "{network}: {task}");
            assert_ne!(drawn, base, "{network}: {task} is that of the base alone");
        }
        // On one core as on all of them.
        let draw = format!("{} --model {network} --members 2 --out again.nc", TASKS[0]);
        let mut alone = home.command(&draw);
        assert!(alone.env("RAYON_NUM_THREADS", "1").output().unwrap().status.success());
        assert_eq!(members(&home, "again.nc"), members(&home, &format!("{network}-0.nc")));
        std::fs::remove_file(home.path("again.nc")).unwrap();
        home.succeeds(&format!("score {network}-0.nc"));
        home.succeeds(&format!("export {network} --format onnx --out {network}-onnx"));
        let error = home.refuses(&format!("export {network} --out {network}.finescale"));
        assert!(error.contains("is for desktops") && error.contains("--format onnx"), "{error}");
    }
}
