//! `finescale super-resolve`: what it agrees with, how good it is, and where its points lie.

#[path = "common/sampling.rs"]
mod common;
#[path = "common/files.rs"]
#[allow(dead_code, reason = "only the small files are used here")]
mod files;

use common::Home;
use files::Grid as File;
use finescale::spectral;
use finescale::{Axis, Boundary, Field, ForwardProcess, Grid, Laplacian, Modes};
use finescale_ensemble::{CoarseInput, Ensemble, Origin, Task};
use finescale_field::coarsening::Coarsening;

/// Spectral truncation of fields of one channel.
fn truncated(fine: &Grid, coarse: &Grid, fields: &[f32]) -> Vec<f32> {
    let mut spectra = fields.to_vec();
    spectral::forward(
        fine,
        Field::from_mut(&mut spectra),
        &mut vec![0.0; spectral::scratch_len(fine)],
    )
    .unwrap();
    let mut out = vec![0.0; fields.len() / fine.points() * coarse.points()];
    spectral::coarsen(fine, Modes::new(&spectra), coarse, Modes::coarse_mut(&mut out)).unwrap();
    spectral::inverse(
        coarse,
        Modes::from_mut(&mut out),
        &mut vec![0.0; spectral::scratch_len(coarse)],
    )
    .unwrap();
    out
}

/// Root mean square of differences, over that of the second.
fn error(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum = |values: &mut dyn Iterator<Item = f32>| -> f64 {
        values.map(|v| f64::from(v).powi(2)).sum()
    };
    (sum(&mut a.iter().zip(b).map(|(a, b)| a - b)) / sum(&mut b.iter().copied())).sqrt()
}

fn line(points: usize) -> Grid {
    Grid::line(Axis::periodic(points).unwrap())
}

fn plane(points: usize) -> Grid {
    let axis = Axis::periodic(points).unwrap();
    Grid::plane(axis, axis).unwrap()
}

/// One member of every frame.
fn member(ensemble: &Ensemble, member: usize) -> Vec<f32> {
    let frames =
        (0..ensemble.spec.trajectories).flat_map(|t| (0..ensemble.frames()).map(move |n| (t, n)));
    frames.flat_map(|(t, n)| ensemble.frame(t, n, member).to_vec()).collect()
}

fn input(ensemble: &Ensemble) -> &CoarseInput {
    ensemble.input.as_ref().unwrap()
}

/// If this failed, fine fields would not be those that the sensor saw.
#[test]
fn coarsening_the_output_gives_back_the_input() {
    for (is_plane, factor, fine, coarse) in
        [(false, 4, line(64), line(16)), (true, 2, plane(16), plane(8))]
    {
        let home = Home::linear(is_plane);
        for rule in ["variance", "residual"] {
            home.succeeds(&format!(
                "super-resolve data.zarr --model model.safetensors --coarsen {factor} --input modes --members 2 \
                 --trajectories 2 --frames 6 --rule {rule} --out a.nc --force"
            ));
            let ensemble = Ensemble::read(&home.path("a.nc")).unwrap();
            let seen = &input(&ensemble).values;
            assert_eq!(ensemble.provenance.task, Task::SuperResolve);
            let truth = ensemble.truth.clone().unwrap();
            assert!(error(&truncated(&fine, &coarse, &truth), seen) < 1e-5);
            for m in 0..2 {
                let back = truncated(&fine, &coarse, &member(&ensemble, m));
                let off = error(&back, seen);
                assert!(off < 1e-4, "{rule}: {off}");
            }
        }
        // Damped modes are measured as far as they are not lost.
        home.succeeds(&format!(
            "super-resolve data.zarr --model model.safetensors --coarsen {factor} --members 1 --trajectories 2 --frames 6 \
             --out b.zarr"
        ));
        let ensemble = Ensemble::read(&home.path("b.zarr")).unwrap();
        let truth = ensemble.truth.clone().unwrap();
        let kept = truncated(&fine, &coarse, &truth);
        let off = error(&truncated(&fine, &coarse, &member(&ensemble, 0)), &kept);
        assert!(off < 1e-3, "damped: {off}");
        assert!(error(&input(&ensemble).values, &kept) > 0.05, "the input is not damped");
    }
}

/// A result says how its input was made, and that is how it was made.
#[test]
fn a_result_tells_how_its_input_was_made() {
    let home = Home::linear(false);
    let read = |arguments: &str| {
        home.succeeds(&format!(
            "super-resolve data.zarr --model model.safetensors --coarsen 4 --members 1 \
             --trajectories 2 --frames 4 \
             --lambda 0.25 {arguments} --out a.nc --force"
        ));
        let result = Ensemble::read(&home.path("a.nc")).unwrap();
        let origin = input(&result).origin.clone().unwrap();
        (result, origin)
    };
    let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap();
    let damped = Coarsening::Damped { process, lambda: 0.25, noised: false };
    for (arguments, coarsening, noise) in [
        ("", damped, 0.0),
        ("--input damped", damped, 0.0),
        ("--input modes", Coarsening::Modes, 0.0),
        ("--input block-mean", Coarsening::BlockMean, 0.0),
        ("--input modes --sensor-noise 0.125", Coarsening::Modes, 0.125),
    ] {
        let (result, origin) = read(arguments);
        assert_eq!(origin, Origin { coarsening, sensor_noise: vec![noise] }, "{arguments}");
        let truth = result.true_frame(0, 0).unwrap();
        let again = coarsening.apply(&result.spec.grid().unwrap(), [1, 16], truth).unwrap();
        let seen = &input(&result).values[..again.len()];
        assert_eq!(error(&again, seen) < 1e-5, noise == 0.0, "{arguments}");
    }
}

/// With errors of a sensor, the output agrees with the input as far as those go, and lies nearer to
/// the truth.
#[test]
fn a_sensors_noise_is_allowed_for() {
    let home = Home::linear(false);
    home.succeeds(
        "super-resolve data.zarr --model model.safetensors --coarsen 4 --input modes --sensor-noise 0.2 --members 8 \
         --trajectories 4 --frames 12 --rule linear --steps 16 --out a.nc",
    );
    let ensemble = Ensemble::read(&home.path("a.nc")).unwrap();
    let (fine, coarse) = (line(64), line(16));
    let seen = &input(&ensemble).values;
    let truth = truncated(&fine, &coarse, ensemble.truth.as_ref().unwrap());
    let rms = |a: &[f32], b: &[f32]| {
        let sum: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        (sum / a.len() as f64).sqrt()
    };
    let noise = rms(seen, &truth);
    assert!((noise - 0.2).abs() < 0.01, "{noise}");
    for m in 0..8 {
        let back = truncated(&fine, &coarse, &member(&ensemble, m));
        assert!(rms(&back, seen) < 0.3, "{}", rms(&back, seen));
    }
    let mut mean = vec![0.0; truth.len()];
    for m in 0..8 {
        for (mean, v) in mean.iter_mut().zip(truncated(&fine, &coarse, &member(&ensemble, m))) {
            *mean += v / 8.0;
        }
    }
    assert!(rms(&mean, &truth) < 0.95 * noise, "{} {noise}", rms(&mean, &truth));
}

/// Modes of the linear system are independent: of those that were not seen nothing can be known, so
/// the mean of many members is the smooth field through the coarse points, and eight of them are
/// off by 6 % more.
#[test]
fn the_mean_is_that_of_the_posterior() {
    let home = Home::linear(false);
    let cases = [("", 1.15), ("--input modes", 1.1), ("--input block-mean", 1.5)];
    for (arguments, limit) in cases {
        home.succeeds(&format!(
            "super-resolve data.zarr --model model.safetensors --coarsen 4 {arguments} --members 8 --rule linear --steps 16 \
             --out a.nc --force"
        ));
        let ensemble = Ensemble::read(&home.path("a.nc")).unwrap();
        let truth = ensemble.truth.clone().unwrap();
        let mut mean = vec![0.0; truth.len()];
        for m in 0..8 {
            mean.iter_mut().zip(member(&ensemble, m)).for_each(|(mean, v)| *mean += v / 8.0);
        }
        let smooth = {
            let (fine, coarse) = (line(64), line(16));
            let mut spectra = truncated(&fine, &coarse, &truth);
            let mut scratch = vec![0.0; 64];
            spectral::forward(&coarse, Field::from_mut(&mut spectra), &mut scratch).unwrap();
            let mut out = vec![0.0; truth.len()];
            spectral::refine(&coarse, Modes::coarse(&spectra), &fine, Modes::from_mut(&mut out))
                .unwrap();
            spectral::inverse(&fine, Modes::from_mut(&mut out), &mut scratch).unwrap();
            out
        };
        let ratio = error(&mean, &truth) / error(&smooth, &truth);
        println!("{arguments}: {ratio:.3} times the error of the smooth field");
        assert!((0.95..limit).contains(&ratio), "{arguments}: {ratio}");
        // A member has the variance of the truth.
        let power = |values: &[f32]| values.iter().map(|v| f64::from(v * v)).sum::<f64>();
        let variance = power(&member(&ensemble, 0)) / power(&truth);
        assert!((0.9..1.1).contains(&variance), "{arguments}: {variance}");
    }
}

/// What a file for boards recommends is taken where no option says otherwise.
#[test]
fn the_sampler_that_a_file_recommends_is_taken_and_told() {
    let home = Home::linear(false);
    let flags = "--steps 3 --rule variance --spacing quadratic --lambda 0.25";
    home.succeeds(&format!("export model.safetensors {flags} --out model.finescale"));
    home.succeeds("export model.safetensors --out plain.finescale");
    let drawn = |model: &str, flags: &str| {
        let said = home.warns(&format!(
            "super-resolve data.zarr --model {model} --coarsen 4 --input modes --members 1 \
             --trajectories 1 --frames 4 {flags} --out a.nc --force"
        ));
        let ensemble = Ensemble::read(&home.path("a.nc")).unwrap();
        let recommended = ensemble.provenance.settings["recommended"].as_bool().unwrap();
        assert_eq!(said.contains("as the model recommends: 3 steps, rule variance"), recommended);
        (ensemble.prediction, recommended)
    };
    let plain = drawn("model.safetensors", flags).0;
    assert_eq!(drawn("model.finescale", ""), (plain, true));
    // Options come over it one by one, and --preset over all of it.
    let five = drawn("model.safetensors", &flags.replace("--steps 3", "--steps 5")).0;
    assert_eq!(drawn("model.finescale", "--steps 5"), (five, true));
    let ours = drawn("model.safetensors", "").0;
    assert_eq!(drawn("model.finescale", "--preset ours"), (ours.clone(), false));
    assert!(!drawn("model.finescale", "--linear").1);
    assert_eq!(drawn("plain.finescale", ""), (ours, false));
}

/// If this failed, an ensemble could not be extended, nor a member looked at again.
#[test]
fn a_member_alone_has_the_bits_that_it_has_among_others() {
    let home = Home::linear(true);
    let line = "super-resolve data.zarr --model model.safetensors --coarsen 2 --frames 5 --seed 9";
    home.succeeds(&format!("{line} --trajectories 3 --members 4 --out all.nc"));
    home.succeeds(&format!("{line} --trajectories 2 --members 1 --first-member 2 --out one.nc"));
    let single = format!("{line} --trajectories 3 --members 4 --out single.zarr");
    let mut single = home.command(&single);
    assert!(single.env("RAYON_NUM_THREADS", "1").output().unwrap().status.success());
    let read = |name: &str| Ensemble::read(&home.path(name)).unwrap();
    let (all, one, single) = (read("all.nc"), read("one.nc"), read("single.zarr"));
    assert_eq!(all.prediction, single.prediction);
    for (t, n) in (0..2).flat_map(|t| (0..5).map(move |n| (t, n))) {
        assert_eq!(all.frame(t, n, 2), one.frame(t, n, 0));
        assert_ne!(all.frame(t, n, 2), all.frame(t, n, 1));
    }
    assert_ne!(all.frame(0, 0, 0), all.frame(1, 0, 0));
}

/// The model of a globe of 16 × 32 points, and a coarse file of 8 × 16.
fn globe() -> Home {
    let home = Home::empty();
    let mut file = File::new(40, 16, 32);
    let mut noise = vec![0.0; file.u.len()];
    finescale::NoiseStream { seed: 4, ..Default::default() }.fill(&mut noise);
    file.u.iter_mut().zip(&noise).for_each(|(u, w)| *u += 0.3 * w);
    file.write(&home.path("fine.nc"));
    home.succeeds("data import fine.nc --out data.zarr");
    common::linear_model(&home.path("data.zarr"), &home.path("model.safetensors"));
    File::new(6, 8, 16).write(&home.path("coarse.nc"));
    home
}

/// If this failed, maps would be shifted by a part of a cell.
#[test]
fn coarse_coordinates_are_refined() {
    let home = globe();
    let read = |name: &str| Ensemble::read(&home.path(name)).unwrap();
    let near = |found: &[f64], start: f64, step: f64| {
        for (n, value) in found.iter().enumerate() {
            let expected = start + n as f64 * step;
            assert!((value - expected).abs() < 1e-4, "{n}: {value} {expected}");
        }
    };
    let line = "super-resolve coarse.nc --model model.safetensors --members 2";
    home.succeeds(&format!("{line} --out a.nc"));
    let a = read("a.nc");
    assert_eq!((a.spec.ny(), a.spec.nx(), a.frames()), (16, 32, 6));
    let lat = a.spec.y.as_ref().unwrap();
    assert_eq!((lat.name.as_str(), lat.boundary), ("lat", Boundary::Reflecting));
    assert_eq!(lat.attributes["units"], "degrees_north");
    assert_eq!(a.spec.x.attributes["standard_name"], "longitude");
    assert_eq!(a.spec.channels[0].standard_name.as_deref(), Some("eastward_wind"));
    near(&lat.coordinates, -90.0 + 5.625, 11.25);
    near(&a.spec.x.coordinates, 0.0, 11.25);
    near(&input(&a).spec.x.coordinates, 0.0, 22.5);
    assert_eq!(a.spec.time.attributes["units"], "hours since 2000-01-01 00:00:00");

    // Means over cells stand in their middles: the fine points are half a fine cell to either side.
    home.succeeds(&format!("{line} --input block-mean --out b.nc"));
    let b = read("b.nc");
    near(&b.spec.y.as_ref().unwrap().coordinates, -90.0 + 5.625, 11.25);
    near(&b.spec.x.coordinates, -5.625, 11.25);

    // And back: what --coarsen says of where its points lie.
    for (kind, first) in [("modes", 0.0), ("block-mean", 5.625)] {
        home.succeeds(&format!(
            "super-resolve fine.nc --coarsen 2 --time 0:4 --model model.safetensors --members 1 \
             --input {kind} --out c.nc --force"
        ));
        let c = read("c.nc");
        near(&input(&c).spec.x.coordinates, first, 22.5);
        near(&input(&c).spec.y.as_ref().unwrap().coordinates, -90.0 + 11.25, 22.5);
        near(&c.spec.x.coordinates, 0.0, 11.25);
        assert!(c.truth.is_some());
    }
}

/// The smooth part of the file is what comes out where it was seen.
#[test]
fn a_coarse_file_is_seen_through() {
    let home = globe();
    home.succeeds("super-resolve coarse.nc --model model.safetensors --members 4 --out a.nc");
    let a = Ensemble::read(&home.path("a.nc")).unwrap();
    let fine = File::new(6, 16, 32).u;
    let mut mean = vec![0.0; fine.len()];
    for m in 0..4 {
        mean.iter_mut().zip(member(&a, m)).for_each(|(mean, v)| *mean += v / 4.0);
    }
    // What was not seen has the noise of the training data, 0.3 at each of its points.
    let off = error(&mean, &fine) * 3.0;
    assert!(off < 0.35, "{off}");
}

#[test]
fn bad_input_is_refused_in_a_sentence() {
    let home = globe();
    let mut hole = File::new(6, 8, 16);
    hole.u[77] = f32::NAN;
    hole.write(&home.path("hole.nc"));
    let mut regional = File::new(6, 8, 16);
    regional.lon.iter_mut().for_each(|lon| *lon /= 4.0);
    regional.write(&home.path("regional.nc"));
    File::new(6, 4, 16).write(&home.path("small.nc"));
    File::new(6, 32, 64).write(&home.path("finer.nc"));
    home.succeeds("data simulate linear --grid 16 --trajectories 4 --frames 6 --out line.zarr");
    home.succeeds("data simulate linear --dimensions 2 --grid 16 --trajectories 4 --frames 6 --out periodic.zarr");
    let cases = [
        ("coarse.nc --lambda 0", "--lambda is 0: λ* must be above 0 and at most 1"),
        ("coarse.nc --lambda 1.5", "--lambda is 1.5"),
        ("coarse.nc --lambda=-0.1", "--lambda is -0.1"),
        ("coarse.nc --steps 0", "--steps is 0"),
        ("coarse.nc --members 0", "--members is 0"),
        ("coarse.nc --score head", "--score path"),
        ("coarse.nc --var w", "there is no variable `w`"),
        ("coarse.nc --observe pixels", "--input block-mean"),
        ("coarse.nc --input block-mean --observe modes", "--observe pixels"),
        ("coarse.nc --sensor-noise 1,2", "--sensor-noise has 2 values"),
        ("coarse.nc --sensor-noise=-1", "--sensor-noise"),
        ("coarse.nc --coarsen 2", "fewer than the model's 16×32"),
        ("fine.nc --coarsen 3", "--coarsen is 3"),
        ("fine.nc --coarsen 4", "--coarsen is 4"),
        ("fine.nc --coarse-grid 8", "the coarse grid has 1 axes"),
        ("fine.nc --coarse-grid 16x32", "nothing is coarse"),
        ("fine.nc", "nothing is coarse"),
        ("finer.nc", "finer than the model's 16"),
        ("small.nc", "at least 8 along every axis"),
        ("hole.nc", "`u` misses 1 of"),
        ("regional.nc", "`lon` is reflecting, but the model is for periodic ends"),
        ("line.zarr", "it is a line, but the model is of a plane"),
        ("periodic.zarr", "`y` is periodic, but the model is for reflecting ends"),
        ("periodic.zarr --coarsen 2", "`y` is periodic"),
        ("none.nc", "does not exist"),
        ("coarse.nc --out none/a.nc", "does not exist: make it first"),
        ("coarse.nc --out a.grib", "use .nc for NetCDF"),
        ("coarse.nc --out fine.nc", "--force"),
        ("coarse.nc --model data.zarr", "--model"),
        ("coarse.nc --sampler none.toml", "--sampler none.toml cannot be read"),
    ];
    for (arguments, says) in cases {
        let model = if arguments.contains("--model") { "" } else { "--model model.safetensors" };
        let out = if arguments.contains("--out") { "" } else { "--out a.nc" };
        let error = home.refuses(&format!("super-resolve {arguments} {model} {out}"));
        assert!(error.contains(says), "{arguments}: {error}");
    }
    std::fs::write(home.path("bad.toml"), "steps = 4\nstpes = 5\n").unwrap();
    let error = home
        .refuses("super-resolve coarse.nc --model model.safetensors --sampler bad.toml --out a.nc");
    assert!(error.contains("line 2") && error.contains("stpes"), "{error}");
}

/// Wrong units cannot be told for certain: they are warned of.
#[test]
fn units_that_look_wrong_are_warned_of() {
    let home = globe();
    let mut file = File::new(6, 8, 16);
    file.u.iter_mut().for_each(|u| *u *= 100.0);
    file.write(&home.path("centimetres.nc"));
    let line = "--model model.safetensors --members 1";
    let said = home.warns(&format!("super-resolve centimetres.nc {line} --out a.nc"));
    assert!(said.contains("warning: `u` has the standard deviation"), "{said}");
    assert!(said.contains("warning: `u` has the mean"), "{said}");
    let said = home.warns(&format!("super-resolve coarse.nc {line} --out b.nc"));
    assert!(!said.contains("warning"), "{said}");
}
