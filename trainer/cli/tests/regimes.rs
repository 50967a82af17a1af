//! `finescale regimes` on data sets and models, and what it refuses.

#[path = "common/sampling.rs"]
#[allow(dead_code, reason = "only models are needed")]
mod common;

use common::Home;
use serde_json::Value;

fn json(home: &Home, line: &str) -> Value {
    home.succeeds(&format!("regimes {line} --json out.json"));
    serde_json::from_slice(&std::fs::read(home.path("out.json")).unwrap()).unwrap()
}

/// λ_S of every combination, by shell.
fn scales(regimes: &Value) -> Vec<Vec<f64>> {
    let shells = regimes["shells"].as_array().unwrap();
    let lambdas = |shell: &Value| -> Vec<f64> {
        let emerging = shell["emerging"].as_array().unwrap();
        emerging.iter().map(|one| one["lambda"].as_f64().unwrap()).collect()
    };
    shells.iter().map(lambdas).collect()
}

/// If it failed, the command would tell other emergence scales than `data info`, or other ones of a
/// data set than of the model of it.
#[test]
fn data_and_model_have_the_scales_of_data_info() {
    for plane in [false, true] {
        let home = Home::linear(plane);
        let (data, model) =
            (json(&home, "data.zarr"), json(&home, "model.safetensors --samples 900"));
        let info = home.succeeds("data info data.zarr --json");
        let info: Value = serde_json::from_str(&info).unwrap();
        let expected = info["channels"][0]["emergence_scale"].as_array().unwrap();
        for ((data, model), expected) in scales(&data).iter().zip(scales(&model)).zip(expected) {
            assert_eq!((data.len(), model.len()), (1, 1));
            assert!((data[0] / model[0] - 1.0).abs() < 1e-6);
            match expected.as_f64() {
                // Leaning modes on their neighbours moves little.
                Some(expected) => assert!((data[0] / expected - 1.0).abs() < 0.02),
                None => assert!(data[0] > 1.0),
            }
        }
        let bound = |regimes: &Value| regimes["memorisation"]["lambda"].as_f64().unwrap();
        // More windows are harder to tell apart.
        let many = json(&home, "model.safetensors --samples 1e6");
        assert!(bound(&many) < bound(&model) || bound(&model) == 1.0, "{many}");
        let patch = json(&home, "model.safetensors --samples 1e6 --receptive-field 3");
        assert!(bound(&patch) < bound(&many), "{patch}");
        assert!(data["memorisation"]["windows"].as_f64().unwrap() >= 40.0 * 0.7);
        let text = home.succeeds("regimes model.safetensors");
        assert!(text.contains("give --samples"), "{text}");
    }
}

/// A coupling slows the sum of the channels and hastens their difference.
#[test]
fn a_coupling_moves_the_channels_apart_or_together() {
    let home = Home::empty();
    home.succeeds("data simulate lorenz96 --trajectories 20 --frames 16 --out data.zarr");
    let free = json(&home, "data.zarr");
    for shell in free["shells"].as_array().unwrap() {
        let kappa = shell["kappa"].as_f64().unwrap();
        for one in shell["emerging"].as_array().unwrap() {
            assert_eq!(one["kappa"].as_f64().unwrap(), kappa);
        }
    }
    let coupled = json(&home, "data.zarr --coupling 0.5");
    // Where κ = 0 nothing is coupled.
    let (free_scales, coupled_scales) = (scales(&free), scales(&coupled));
    for (a, b) in free_scales[0].iter().zip(&coupled_scales[0]) {
        assert!((a / b - 1.0).abs() < 1e-9, "{a}, {b}");
    }
    let moved = free_scales.iter().zip(&coupled_scales).skip(1);
    assert!(moved.clone().any(|(a, b)| b[0] > 1.01 * a[0]));
    let gap = |regimes: &Value| regimes["mean_gap"].as_f64().unwrap();
    let advice = &free["coupling_advice"];
    let of = |c: f64| {
        let gaps = advice["gaps"].as_array().unwrap();
        gaps.iter().find(|of| (of[0].as_f64().unwrap() - c).abs() < 1e-9).unwrap()[1].as_f64()
    };
    assert!((of(0.0).unwrap() - gap(&free)).abs() < 1e-12);
    assert!((of(0.5).unwrap() - gap(&coupled)).abs() < 1e-12);
    // A switch that nothing passes couples everywhere, or nowhere; between, it moves some.
    let switched =
        |at: f64| json(&home, &format!("data.zarr --coupling 0.5 --coupling-switch {at}"));
    let alike = |found: &Value, expected: &[Vec<f64>]| {
        let pairs = scales(found).concat().into_iter().zip(expected.concat());
        let small = pairs.filter(|(_, expected)| *expected < 1.0);
        small.map(|(found, expected)| (found / expected - 1.0).abs()).fold(0.0, f64::max)
    };
    assert!(alike(&switched(1.0), &coupled_scales) < 1e-9);
    assert!(alike(&switched(-1.0), &free_scales) < 1e-9);
    let between = switched(0.02);
    assert!(alike(&between, &coupled_scales) > 1e-3 && alike(&between, &free_scales) > 1e-3);
    // What a perfect score replays, and where generation starts, are those with the coupling.
    for name in ["generation_start", "memorisation"] {
        let of = |regimes: &Value| match name {
            "memorisation" => regimes[name]["lambda"].as_f64().unwrap(),
            _ => regimes[name].as_f64().unwrap(),
        };
        let [free, strong] = ["", "--coupling -0.9"]
            .map(|c| json(&home, &format!("data.zarr --samples 1e9 --receptive-field 9 {c}")));
        let (free, strong) = (of(&free), of(&strong));
        assert!((strong / free - 1.0).abs() > 1e-3, "{name}: {strong}, {free} without");
    }
    let text = home.succeeds("regimes data.zarr");
    assert!(text.contains("synchronisation gap") && text.contains(" X "), "{text}");
}

#[test]
fn pictures_and_json_are_written() {
    let home = Home::linear(false);
    let said = home.succeeds("regimes data.zarr --figures out --clones 50 --json out/regimes.json");
    for file in ["spectra.png", "regimes.png", "clones.png", "gaussian-clones.png", "regimes.json"]
    {
        assert!(home.path("out").join(file).metadata().unwrap().len() > 500, "{file}");
        assert!(said.contains(file), "{said}");
    }
}

#[test]
fn what_cannot_be_is_said_in_one_sentence() {
    let home = Home::linear(false);
    for (arguments, names) in [
        ("none.zarr", "none.zarr"),
        ("data.zarr --coupling 1", "--coupling"),
        ("data.zarr --coupling 0.5", "--coupling"),
        ("data.zarr --coupling-switch 2", "--coupling-switch"),
        ("data.zarr --coupling-switch 0.1", "--coupling"),
        ("data.zarr --alpha -1", "--alpha"),
        ("data.zarr --beta2 0", "--beta2"),
        ("data.zarr --window 0", "--window"),
        ("data.zarr --window 400", "window"),
        ("data.zarr --steps 0", "--steps"),
        ("data.zarr --samples 0", "--samples"),
        ("data.zarr --receptive-field 0", "--receptive-field"),
        ("data.zarr --clones 0 --figures out", "--clones"),
        ("data.zarr --figures model.safetensors", "--figures"),
        ("data.zarr --json none/a.json", "none"),
    ] {
        let said = home.refuses(&format!("regimes {arguments}"));
        assert!(said.contains(names), "{arguments}: {said}");
    }
}
