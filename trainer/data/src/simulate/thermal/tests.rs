//! The room against closed forms: what is conserved, what decays, how bodies walk.

use std::f64::consts::PI;

use super::scene::Scene;
use super::*;

fn still_air() -> Parameters {
    Parameters { draught: 0.0, cooling: 50.0, diffusion: 2e-3, rows: 24, ..Parameters::default() }
}

#[test]
fn a_wave_of_warmth_decays_as_diffusion_and_cooling_say() {
    let p = still_air();
    let (m, n) = (2, 3);
    let wave = |k: usize, j: usize, n: usize| (PI * k as f64 * (j as f64 + 0.5) / n as f64).cos();
    let warmth: Vec<f64> = (0..p.rows * p.columns)
        .map(|at| wave(m, at / p.columns, p.rows) * wave(n, at % p.columns, p.columns))
        .collect();
    let mut scene = Scene::new(&p, 0, 0).without_bodies(warmth.clone());
    let (dt, steps) = (0.05, 40);
    for _ in 0..steps {
        scene.step(dt);
    }
    // The wave is an eigenvector of the differences without flux through the edges.
    let h = 1.0 / p.rows as f64;
    let eigenvalue = |k: usize, n: usize| (2.0 - 2.0 * (PI * k as f64 / n as f64).cos()) / (h * h);
    let rate = p.diffusion * (eigenvalue(m, p.rows) + eigenvalue(n, p.columns)) + 1.0 / p.cooling;
    let factor = (1.0 - dt * rate).powi(steps);
    for (found, start) in scene.warmth.iter().zip(&warmth) {
        assert!((found - factor * start).abs() < 1e-12, "{found} and {}", factor * start);
    }
    // In the limit of small steps that is the exponential.
    assert!((factor / (-rate * dt * f64::from(steps)).exp() - 1.0).abs() < 0.1);
}

#[test]
fn a_draught_moves_warmth_and_loses_none_of_it() {
    let p = Parameters { draught: 0.05, diffusion: 0.0, dt: 0.02, ..Parameters::default() };
    let (mut warmth, middle) = (vec![0.0; p.rows * p.columns], 16 * p.columns + 16);
    warmth[middle] = 1.0;
    let mut scene = Scene::new(&p, 3, 0).without_bodies(warmth);
    let centre = |scene: &Scene| -> [f64; 2] {
        let total = scene.total_warmth();
        [p.columns, 1].map(|stride| {
            let place = |at: usize| if stride == 1 { at % p.columns } else { at / p.columns };
            let sum: f64 =
                scene.warmth.iter().enumerate().map(|(at, w)| w * place(at) as f64).sum();
            sum / total / p.rows as f64
        })
    };
    let (before, draught, steps) = (centre(&scene), scene.draught(), 50);
    for _ in 0..steps {
        scene.step(p.dt);
    }
    let time = f64::from(steps) * p.dt;
    let kept = (1.0 - p.dt / p.cooling).powi(steps);
    assert!((scene.total_warmth() - kept).abs() < 1e-12);
    // Each step moves what was there before the cooling of that step.
    let way = time / (1.0 - p.dt / p.cooling);
    for ((after, before), speed) in centre(&scene).into_iter().zip(before).zip(draught) {
        assert!((after - before - speed * way).abs() < 1e-12, "{after} {before} {speed}");
    }
}

#[test]
fn bodies_walk_with_the_speed_and_the_memory_that_were_asked_for() {
    let p = Parameters { bodies: 400, rows: 8, columns: 8, ..Parameters::default() };
    let mut scene = Scene::new(&p, 1, 0);
    let velocities = |scene: &Scene| -> Vec<f64> {
        scene.bodies.iter().flat_map(|body| body.velocity).collect()
    };
    let before = velocities(&scene);
    let steps = 20;
    for _ in 0..steps {
        scene.step(p.dt);
    }
    let after = velocities(&scene);
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let square = mean(after.iter().map(|v| v * v).collect()) / p.speed.powi(2);
    // 800 numbers: five standard errors.
    assert!((square - 1.0).abs() < 5.0 * (2.0_f64 / 800.0).sqrt(), "{square}");
    let product = mean(before.iter().zip(&after).map(|(a, b)| a * b).collect()) / p.speed.powi(2);
    let expected = (-f64::from(steps) * p.dt / p.persistence).exp();
    // A few have met a wall and turned around.
    assert!((product - expected).abs() < 0.2, "{product} and {expected}");
    for body in &scene.bodies {
        assert!(body.centre.iter().all(|at| (-1.0..=2.0).contains(at)), "{body:?}");
    }
}

#[test]
fn a_room_is_as_warm_as_it_says_and_bodies_are_warmer() {
    let p = Parameters { scene: 0.0, ..Parameters::default() };
    let empty = Scene::new(&p, 5, 0).without_bodies(vec![0.0; p.rows * p.columns]);
    assert!(empty.temperatures().all(|t| t == p.ambient));
    let full = Scene::new(&Parameters { bodies: 40, ..p.clone() }, 5, 0);
    let most = full.temperatures().fold(f64::MIN, f64::max);
    assert!(most > p.ambient + 0.7 * p.warmth, "{most}");
    assert!(full.temperatures().all(|t| t >= p.ambient));
}

#[test]
fn an_unstable_step_is_refused_with_one_that_holds() {
    let p = Parameters { diffusion: 0.02, ..Parameters::default() };
    let message = Thermal::new(p.clone()).unwrap_err().to_string();
    let mend: f64 = message
        .split("use --dt ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("{message}"));
    assert!(message.starts_with("--dt 0.05 breaks the bound"), "{message}");
    assert!(Thermal::new(Parameters { dt: mend, ..p }).is_ok());
    for (bad, flag) in [
        (Parameters { size: 0.0, ..Parameters::default() }, "--size"),
        (Parameters { speed: f64::NAN, ..Parameters::default() }, "--speed"),
        (Parameters { rows: 4, ..Parameters::default() }, "--rows"),
    ] {
        assert!(Thermal::new(bad).unwrap_err().to_string().contains(flag));
    }
}
