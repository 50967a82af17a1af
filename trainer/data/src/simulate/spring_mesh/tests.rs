//! The mesh against closed forms: rest, one spring, energy, order of the scheme.

use super::*;

/// A mesh that was let go from a random shape.
fn let_go(parameters: &Parameters, seed: u64) -> Vec<f32> {
    let system = SpringMesh::new(parameters.clone()).unwrap();
    let mut frame = vec![0.0; system.describe().frame_len()];
    system.start(seed, 0).values(&mut frame);
    frame
}

#[test]
fn a_mesh_at_rest_stays_at_rest() {
    let mut mesh = Mesh::at_rest([4, 5], 1.3, 0.2);
    for _ in 0..100 {
        mesh.step(0.05);
    }
    // Roots of two are rounded.
    let moved = mesh.displacements().into_iter().chain(mesh.momenta().to_vec());
    assert!(moved.flatten().all(|value| value.abs() < 1e-14));
}

/// r̈ = −k (r − 1) − γ ṙ for a mass that hangs from another one.
#[test]
fn one_spring_swings_as_a_damped_oscillator() {
    let (k, gamma, amplitude, dt) = (1.7_f64, 0.3_f64, 0.2_f64, 0.01);
    let mut mesh = Mesh::at_rest([2, 1], k, gamma);
    mesh.free_places()[0][1] += amplitude;
    let omega = (k - gamma * gamma / 4.0).sqrt();
    for n in 1..=2000 {
        mesh.step(dt);
        let t = f64::from(n) * dt;
        let wave = (omega * t).cos() + gamma / (2.0 * omega) * (omega * t).sin();
        let expected = amplitude * (-gamma * t / 2.0).exp() * wave;
        let found = mesh.displacements()[1];
        assert!((found[1] - expected).abs() < 1e-9 && found[0] == 0.0, "{n}: {found:?}");
    }
}

#[test]
fn every_mass_has_eight_springs_and_their_energy() {
    let mut mesh = Mesh::at_rest([3, 3], 2.0, 0.0);
    assert_eq!(mesh.energy(), 0.0);
    // The middle mass, moved to the right by s: two springs along x change by s, the others less.
    let s: f64 = 0.3;
    mesh.free_places()[1][0] += s;
    let change = |x: f64, y: f64| {
        let length = (x * x + y * y).sqrt();
        (((x - s).powi(2) + y * y).sqrt() - length).powi(2)
    };
    let neighbours = [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)];
    let sum: f64 = neighbours.iter().map(|(x, y)| change(f64::from(*x), f64::from(*y))).sum();
    assert!((mesh.energy() - sum).abs() < 1e-14, "{} and {sum}", mesh.energy());
}

#[test]
fn energy_is_kept_without_damping_and_falls_with_it() {
    for damping in [0.0, 0.1] {
        let p = Parameters { damping, ..Parameters::default() };
        let system = SpringMesh::new(p.clone()).unwrap();
        let mut mesh = Mesh::at_rest([p.masses; 2], p.stiffness, p.damping);
        let mut noise = Noise::new(4, 0);
        mesh.free_places().iter_mut().flatten().for_each(|x| *x += 0.2 * noise.normal());
        let (before, dt, steps) = (mesh.energy(), system.clock.dt(), 2000);
        let mut lost = 0.0;
        for _ in 0..steps {
            // dE/dt = −γ Σ v², by the trapezoidal rule.
            let power =
                |mesh: &Mesh| damping * mesh.momenta().iter().flatten().map(|p| p * p).sum::<f64>();
            let first = power(&mesh);
            mesh.step(dt);
            lost += dt * (first + power(&mesh)) / 2.0;
        }
        let error = (mesh.energy() + lost - before).abs() / before;
        assert!(error < if damping == 0.0 { 1e-6 } else { 1e-4 }, "γ = {damping}: {error}");
        assert!(damping == 0.0 || lost > 0.1 * before);
    }
}

#[test]
fn the_scheme_is_of_fourth_order() {
    let end = |steps: u32| {
        let mut mesh = Mesh::at_rest([8, 8], 1.0, 0.1);
        let mut noise = Noise::new(5, 0);
        mesh.free_places().iter_mut().flatten().for_each(|x| *x += 0.1 * noise.normal());
        for _ in 0..steps {
            mesh.step(2.0 / f64::from(steps));
        }
        mesh.displacements()
    };
    let exact = end(640);
    let error = |steps| {
        let found = end(steps);
        let apart = found.iter().flatten().zip(exact.iter().flatten());
        apart.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    let ratio = error(10) / error(20);
    assert!((12.0..24.0).contains(&ratio), "halving the step divides the error by {ratio}");
}

#[test]
fn it_starts_still_within_the_disc_and_hangs_from_its_first_row() {
    let p = Parameters::default();
    let frame = let_go(&p, 3);
    let n = p.masses * p.masses;
    let (x, y) = (&frame[..n], &frame[n..2 * n]);
    assert!(frame[2 * n..].iter().all(|momentum| *momentum == 0.0));
    let distances: Vec<f64> = x.iter().zip(y).map(|(x, y)| f64::from(x.hypot(*y))).collect();
    assert!(distances[..p.masses].iter().all(|distance| *distance == 0.0));
    assert!(distances.iter().all(|distance| *distance <= p.radius + 1e-6));
    // The mean square of a uniform disc is r²/2; five standard errors of 90 masses.
    let mean = distances.iter().map(|d| d * d).sum::<f64>() / (n - p.masses) as f64;
    let half = p.radius * p.radius / 2.0;
    assert!((mean / half - 1.0).abs() < 5.0 / (3.0_f64 * 90.0).sqrt(), "{mean} and {half}");
    assert_ne!(frame, let_go(&p, 4));
}

#[test]
fn parameters_that_break_a_bound_are_refused() {
    let refused = |p: Parameters| SpringMesh::new(p).unwrap_err().to_string();
    let default = Parameters::default;
    let message = refused(Parameters { dt: 1.0, interval: 2.0, ..default() });
    assert_eq!(
        message,
        "--dt 1 breaks the bound of RK4, 2.8 / (4 √k + γ): use --dt 0.5 or smaller"
    );
    for (p, name) in [
        (Parameters { masses: 7, ..default() }, "--masses"),
        (Parameters { stiffness: 0.0, ..default() }, "--stiffness"),
        (Parameters { damping: -0.1, ..default() }, "--damping"),
        (Parameters { radius: 0.5, ..default() }, "--radius"),
        (Parameters { radius: f64::NAN, ..default() }, "--radius"),
    ] {
        assert!(refused(p).starts_with(name), "{name}");
    }
}
