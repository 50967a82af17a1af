//! λ* from a data set and λ* from a model of it are one thing, whichever Laplacian damps.

#[path = "common/sampling.rs"]
#[allow(dead_code, reason = "nothing is refused here")]
mod common;

use common::Home;
use finescale::Laplacian;
use finescale_ensemble::Ensemble;
use finescale_model::Model;
use serde_json::Value;

/// What `data info` suggests.
fn from_data(home: &Home, coarse: &str, arguments: &str) -> f64 {
    let line = format!("data info data.zarr --json --coarse {coarse} {arguments}");
    let output = home.command(&line).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    json["suggested_lambda"].as_f64().unwrap()
}

/// What a member starts from.
fn from_model(home: &Home, coarse: &str, laplacian: Laplacian) -> f64 {
    let mut model = <Model>::open(&home.path("model.safetensors")).unwrap();
    model.meta.system.laplacian = laplacian;
    model.save(&home.path("other.safetensors")).unwrap();
    home.succeeds(&format!(
        "super-resolve data.zarr --model other.safetensors --coarse-grid {coarse} --members 1 \
         --trajectories 1 --frames 2 --steps 1 --out a.nc --force"
    ));
    let settings = Ensemble::read(&home.path("a.nc")).unwrap().provenance.settings;
    settings["sampler"]["lambda"].as_f64().unwrap()
}

/// If it failed, `data info` would suggest a λ* that nothing samples from.
#[test]
fn data_and_model_suggest_the_same_lambda_whatever_the_laplacian() {
    for (plane, coarse) in [(false, "16"), (false, "32"), (true, "8x8")] {
        let home = Home::linear(plane);
        let spectral = from_data(&home, coarse, "");
        let difference = from_data(&home, coarse, "--finite-difference");
        for (data, laplacian) in
            [(spectral, Laplacian::Spectral), (difference, Laplacian::FiniteDifference)]
        {
            let model = from_model(&home, coarse, laplacian);
            // The model's power is that of the data, but for the modes that it leans on their
            // neighbours.
            assert!((model / data - 1.0).abs() < 0.02, "{coarse} {laplacian:?}: {model}, {data}");
        }
        // Finite differences damp fine modes less, so that they emerge at a larger λ.
        assert!(difference > 1.02 * spectral, "{coarse}: {difference}, {spectral}");
    }
}
