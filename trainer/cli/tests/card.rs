//! `finescale card`: everything on it comes from files and options, so that the same command makes
//! it again.

#[path = "common/sampling.rs"]
mod common;

use common::Home;

#[test]
fn a_card_is_made_by_its_command() {
    let home = Home::linear(false);
    home.succeeds("export model.safetensors --out other.finescale");
    let super_resolve = "super-resolve data.zarr --coarsen 4 --trajectories 2 --frames 8 --model";
    let roll = "simulate data.zarr --frames 6 --members 1 --trajectories 2 --no-noise --model";
    home.succeeds(&format!("{super_resolve} model.safetensors --members 3 --out sr.nc"));
    home.succeeds(&format!(
        "{super_resolve} model.safetensors --members 2 --preset paper --steps 9 --out paper.nc"
    ));
    home.succeeds(&format!("{roll} model.safetensors --out roll.nc"));
    // Another file of the same model stands for one of another seed.
    home.succeeds(&format!("{super_resolve} other.finescale --members 3 --seed 4 --out sr2.nc"));
    home.succeeds(&format!("{roll} other.finescale --seed 4 --out roll2.nc"));
    std::fs::write(home.path("summary.txt"), "loss by λ:\n  λ = 1  0.5\n").unwrap();
    std::fs::write(home.path("notes.md"), "It **learns**.\n").unwrap();
    let card = "card --model model.safetensors --data data.zarr --about Waves. --licence free. --out card.md";
    let results = "sr.nc paper.nc roll.nc --scored-by command-1 --scored-by command-2";
    home.succeeds(&format!("{card} {results} --other-seed roll2.nc --other-seed sr2.nc"));
    let text = std::fs::read_to_string(home.path("card.md")).unwrap();
    for says in [
        "# linear\n\nWaves.\n",
        "\n    loss by λ:\n      λ = 1  0.5\n\nIt **learns**.\n\n## Skill: super-resolution\n\n    command-1\n",
        "2 trajectories of 8 frames that training has not seen, 3 members.",
        "None of 6 paths blew up: values are at most ",
        "| | ours | paper, 2 members | nearest | ",
        "\n## Skill: simulation\n\n    command-2\n",
        "\n## Spread over trainings\n",
        "\n| super-resolution | fair CRPS / σ, all | ",
        "\n| simulation | relative L², frame 6 | ",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(!text.contains("curves.png"), "there are no curves here: {text}");
    // Mean ± standard deviation of the two that stand beside it.
    let row = text.lines().find(|line| line.starts_with("| simulation | relative L², frame 6"));
    let numbers: Vec<f64> = row
        .unwrap()
        .split([' ', ','])
        .filter_map(|word| word.parse().ok())
        .filter(|n| *n != 6.0)
        .collect();
    let [mean, spread, one, other] = numbers[..] else { panic!("{row:?}") };
    assert!((mean - (one + other) / 2.0).abs() < 1e-3 * mean, "{row:?}");
    assert!((spread - (one - other).abs() / 2_f64.sqrt()).abs() < 1e-3 * mean, "{row:?}");

    let cases = [
        (format!("{card} {results} --other-seed sr.nc"), "the card's own model"),
        (format!("{card} sr.nc --scored-by c --other-seed roll2.nc"), "has a simulation"),
        (format!("{card} sr.nc roll.nc --scored-by c"), "given 1 times for results of 2 tasks"),
        (format!("{card} {results} --notes none.md"), "none.md cannot be read"),
    ];
    for (line, says) in cases {
        let error = home.refuses(&line);
        assert!(error.contains(says), "{line}: {error}");
    }
}
