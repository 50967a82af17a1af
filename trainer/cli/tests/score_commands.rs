//! `finescale score`, `baselines` and `report`: what comes out, and what is refused.

#[path = "../../fixtures/chart.rs"]
mod chart;
#[path = "../../fixtures/ensembles.rs"]
mod ensembles;
#[path = "common/home.rs"]
mod home;

use chart::assert_points;
use ensembles::{noise, path, result, spec, wave, with_input};
use finescale::Boundary;
use finescale_ensemble::{Ensemble, Task};
use finescale_field::coarsening::Coarsening;
use home::Home;
use resvg::tiny_skia::Pixmap;

fn text(home: &Home, name: &str) -> String {
    std::fs::read_to_string(home.path(name)).unwrap()
}

/// A plane of two channels with its truth and a coarse input of means; members are the truth and a
/// little noise.
fn super_resolution(members: usize) -> Ensemble {
    let spec = spec(&[32, 32], Boundary::Periodic, 2, 4);
    let truth = path(&spec, |t, c, y, x| {
        let k = 2.0 + c as f64;
        wave(Boundary::Periodic, k, x, t) + 0.4 * wave(Boundary::Periodic, 9.0, y, 2.0 * t)
    });
    let len = spec.frame_len();
    let errors = noise(truth.len() * members, 9);
    let prediction = truth
        .chunks_exact(len)
        .flat_map(|frame| frame.iter().copied().cycle().take(members * len))
        .zip(errors)
        .map(|(u, e)| u + 0.1 * e)
        .collect();
    let ensemble = result(spec, Task::SuperResolve, members, 0, prediction, Some(truth));
    with_input(ensemble, 8, Coarsening::BlockMean)
}

#[test]
fn a_result_is_scored_and_drawn() {
    let home = Home::empty();
    super_resolution(3).write(&home.path("sr.nc")).unwrap();
    let table = home.succeeds("score sr.nc --out sr.json --plots pictures");
    for says in ["3 members", "relative L²", "spread-skill", "space-time", "re-coarsening", "u1"] {
        assert!(table.contains(says), "{says}: {table}");
    }
    let json: serde_json::Value = serde_json::from_str(&text(&home, "sr.json")).unwrap();
    let error = json["overall"]["error"]["rmse_of_mean"].as_f64().unwrap();
    assert!(error > 0.0 && json["channels"].as_array().unwrap().len() == 2);
    assert_eq!(json["overall"]["rank"]["frequencies"].as_array().unwrap().len(), 4);
    for picture in ["fields-u0", "spectra-u1", "space-time-u0", "ranks", "time"] {
        let picture = home.path("pictures").join(format!("{picture}.png"));
        let pixels = Pixmap::load_png(&picture).unwrap();
        assert!(pixels.width() > 500 && pixels.height() > 200, "{}", picture.display());
    }
    home.succeeds("score sr.nc --out sr.csv --bands 16x16");
    let csv = text(&home, "sr.csv");
    assert!(csv.starts_with("method,channel,score,part,value\n"));
    assert!(csv.lines().all(|line| line.split(',').count() == 5 || line.contains('"')), "{csv}");
    // The truth of another result of the same frames is the same truth.
    let mut bare = super_resolution(3);
    bare.truth = None;
    bare.write(&home.path("bare.nc")).unwrap();
    let other = home.succeeds("score bare.nc sr.nc");
    assert_eq!(other, home.succeeds("score sr.nc"));
    assert!(home.refuses("score bare.nc").contains("holds no truth"));
}

#[test]
fn baselines_are_results_to_score() {
    let home = Home::empty();
    super_resolution(2).write(&home.path("sr.nc")).unwrap();
    home.succeeds("baselines sr.nc --out base");
    for name in ["nearest", "bicubic", "fourier"] {
        let table = home.succeeds(&format!("score base/{name}.nc"));
        assert!(table.to_lowercase().contains(name), "{table}");
    }
    assert!(home.refuses("baselines sr.nc --out base").contains("--force"));
    home.succeeds("baselines sr.nc --out base --force");
}

/// Ranks and errors in the report's charts are those that `score` writes as numbers.
#[test]
fn the_report_draws_the_scores() {
    let home = Home::empty();
    super_resolution(3).write(&home.path("a.nc")).unwrap();
    home.succeeds("score a.nc --out a.json");
    let scores: serde_json::Value = serde_json::from_str(&text(&home, "a.json")).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    home.succeeds("report a.nc --out page.html");
    let page = text(&home, "page.html");
    // A picture may have pictures inside.
    let figures = page.split("<figure>").skip(1).map(|figure| {
        let (start, end) = (figure.find("<svg").unwrap(), figure.rfind("</svg>").unwrap());
        &figure[start..end + "</svg>".len()]
    });
    let charts: Vec<_> = figures.flat_map(chart::charts).collect();

    let ranks = charts.iter().find(|chart| chart.x_label == "rank of the truth").unwrap();
    assert_eq!(ranks.y_label, "frequency × (M + 1)");
    let frequencies = numbers(&scores["overall"]["rank"]["frequencies"]);
    let wanted: Vec<_> = (0..4).map(|r| (r as f64, 4.0 * frequencies[r])).collect();
    assert_points(ranks, &ranks.bars[&chart::color(0)], &wanted);

    let errors = charts.iter().find(|chart| chart.title == "relative L² of the mean").unwrap();
    let by_lead = numbers(&scores["overall"]["error"]["relative_l2_of_mean_by_lead"]);
    let lead = numbers(&scores["lead"]);
    let wanted: Vec<_> = lead.into_iter().zip(by_lead).collect();
    assert_eq!(wanted.len(), 4);
    assert_points(errors, &errors.lines[&chart::color(0)], &wanted);
}

/// If it failed, scores would rest on a guess.
#[test]
fn how_an_input_was_made_is_told_not_guessed() {
    let home = Home::empty();
    super_resolution(2).write(&home.path("told.nc")).unwrap();
    let mut untold = super_resolution(2);
    untold.input.as_mut().unwrap().origin = None;
    untold.write(&home.path("untold.nc")).unwrap();
    for line in [
        "score untold.nc",
        "baselines untold.nc --out base",
        "report untold.nc --out page.html",
        "report told.nc untold.nc --out page.html",
    ] {
        let error = home.refuses(line);
        assert!(error.contains("untold.nc"), "{error}");
        assert!(error.contains("--input modes, --input block-mean or --input damped"), "{error}");
    }
    // Said on the command line, it is as if the file said it.
    let told = home.succeeds("score told.nc");
    assert_eq!(home.succeeds("score untold.nc --input block-mean"), told);
    assert_ne!(home.succeeds("score untold.nc --input modes"), told);
    home.succeeds("score untold.nc --input damped --input-lambda 0.1 --alpha 0.2");
    home.succeeds("baselines untold.nc --input block-mean --out base");
    // Baselines hand it on.
    home.succeeds("score base/nearest.nc");
    home.succeeds("report told.nc untold.nc --input block-mean --out page.html");
    // Nor is anything half said, or against what the file says.
    for (line, says) in [
        ("score untold.nc --input damped", "give --input-lambda"),
        ("score untold.nc --input damped --input-lambda 2", "at most 1"),
        ("score untold.nc --input damped --input-lambda 0.1 --alpha=-1", "--alpha is -1"),
        ("score untold.nc --input modes --sensor-noise 1,2,3", "--sensor-noise has 3 values"),
        ("score told.nc --input modes", "means over cells: leave --input out"),
        ("report told.nc untold.nc --input modes --out r.html", "leave --input out"),
    ] {
        let error = home.refuses(line);
        assert!(error.contains(says), "{line}: {error}");
    }
}

/// The page must open anywhere, without a network.
#[test]
fn the_report_needs_nothing_else() {
    let home = Home::empty();
    super_resolution(3).write(&home.path("a.nc")).unwrap();
    let mut other = super_resolution(2);
    other.provenance.method = "<b> & co".into();
    other.write(&home.path("b.nc")).unwrap();
    home.succeeds("report a.nc b.nc --out page.html --title Both");
    let page = text(&home, "page.html");
    for says in
        ["<h1>Both</h1>", "nearest", "bicubic", "Fourier", "class=\"best\"", "&lt;b&gt; &amp; co"]
    {
        assert!(page.contains(says), "{says}");
    }
    assert!(page.matches("<figure>").count() >= 7 && page.contains("data:image/png;base64,"));
    assert!(!page.contains("<?xml") && !page.contains("<script") && !page.contains("<link"));
    let outside = page.replace("http://www.w3.org/", "");
    assert!(
        !outside.contains("http://") && !outside.contains("https://") && !outside.contains("url(")
    );
    // Every table row has a cell for each method.
    let rows = page.split("<tr><th scope=\"row\">").skip(1);
    let widths: Vec<usize> =
        rows.map(|row| row.split("</tr>").next().unwrap().matches("<td").count()).collect();
    assert!(!widths.is_empty() && widths.iter().all(|n| *n == 5), "{widths:?}");
}

/// With the data set, ridge regressions stand beside the result, and an alarm is scored for all.
#[test]
fn ridges_and_alarms_are_in_the_report() {
    let home = Home::empty();
    let of = |frames| {
        let spec = spec(&[32, 32], Boundary::Periodic, 1, frames);
        let wave = |k: f64, x: f64, phase: f64| wave(Boundary::Periodic, k, x, phase);
        let fields = path(&spec, |t, _, y, x| wave(2.0, x, t) + 0.4 * wave(9.0, y, 2.0 * t));
        (spec, fields)
    };
    let (_, fields) = of(60);
    let bytes: Vec<u8> = fields.iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(home.path("u0.raw"), bytes).unwrap();
    let import = "data import u0.raw --raw 32x32 --interval 0.5 --boundary periodic,periodic";
    let refused = home.refuses(&format!("{import} --drop-repeats"));
    assert!(refused.contains("--fill interpolate"), "{refused}");
    home.succeeds(import);
    let (spec, truth) = of(4);
    let ensemble = result(spec, Task::SuperResolve, 1, 0, truth.clone(), Some(truth));
    with_input(ensemble, 8, Coarsening::BlockMean).write(&home.path("sr.nc")).unwrap();
    home.succeeds("baselines sr.nc --data u0.zarr --out base");
    // Two waves with their phases are four numbers: a linear map of the coarse field, exactly.
    let table = home.succeeds("score base/ridge-pixel.nc --alarm 0.5 --out ridge.json");
    assert!(table.contains("Brier score") && table.contains("RMSE, units"), "{table}");
    let scores: serde_json::Value = serde_json::from_str(&text(&home, "ridge.json")).unwrap();
    let channel = &scores["channels"][0];
    assert!(channel["error"]["rmse"].as_f64().unwrap() < 1e-3, "{}", channel["error"]);
    assert!(channel["alarm"]["skill"].as_f64().unwrap() > 0.99, "{}", channel["alarm"]);
    home.succeeds("report sr.nc --data u0.zarr --alarm=-0.5 --out page.html");
    let page = text(&home, "page.html");
    for says in ["ridge patch", "ridge pixel 3 frames", "Brier skill"] {
        assert!(page.contains(says), "{says}");
    }
    let refused = home.refuses("score sr.nc --alarm 1,2");
    assert!(refused.contains("--alarm has 2 values for 1 channels"), "{refused}");
}

#[test]
fn bad_input_is_refused_in_a_sentence() {
    let home = Home::empty();
    super_resolution(2).write(&home.path("sr.nc")).unwrap();
    let spec = spec(&[16], Boundary::Periodic, 1, 4);
    let truth = noise(64, 1);
    let line = result(spec, Task::Forecast, 1, 1, truth.clone(), Some(truth));
    line.write(&home.path("line.nc")).unwrap();
    std::fs::write(home.path("text.nc"), "no fields").unwrap();
    let cases = [
        ("score none.nc", "none.nc does not exist"),
        ("score text.nc", "text.nc"),
        ("score sr.nc none.nc", "none.nc cannot be the truth"),
        ("score sr.nc line.nc", "line.nc cannot be the truth"),
        ("score sr.nc --out scores.txt", ".json or .csv"),
        ("score sr.nc --out no/scores.json", "no/scores.json cannot be written"),
        ("score sr.nc --data none.zarr", "--data"),
        ("score sr.nc --plots sr.nc", "name a folder"),
        ("score sr.nc --bands 64x64", "fewer points"),
        ("score sr.nc --bands 8", "for each axis"),
        ("report sr.nc line.nc --out r.html", "report them apart"),
        ("report sr.nc --out r.pdf", ".html"),
        ("report sr.nc --draws 1 --out r.html", "--draws is 1"),
        ("report sr.nc --model none --out r.html", "--model none"),
        ("baselines sr.nc --out sr.nc", "name a folder"),
        ("baselines none.nc --out base", "none.nc does not exist"),
    ];
    for (line, says) in cases {
        let error = home.refuses(line);
        assert!(error.contains(says), "{line}: {error}");
    }
}
