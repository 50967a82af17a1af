use super::advection::Advection;
use super::*;

const STILL: Physics = Physics { viscosity: 0.0, drag: 0.0, forcing: 0.0, forcing_wavenumber: 4 };

/// A flow of all kept wavenumbers up to 6, from one seed.
fn random_flow(physics: Physics, points: usize, dt: f64) -> Flow {
    let mut flow = Flow::new(physics, points, dt);
    let mut noise = Noise::new(3, 0);
    for kx in 0..=6i64 {
        for ky in -6..=6i64 {
            let value = Complex64::new(noise.normal(), noise.normal());
            flow.set_amplitude(kx, ky, value * 0.3 / (1.0 + (kx * kx + ky * ky) as f64).sqrt());
        }
    }
    flow
}

fn advance(flow: &mut Flow, time: f64, dt: f64) {
    for _ in 0..(time / dt).round() as usize {
        flow.step();
    }
}

/// Root mean square difference of the vorticities.
fn distance(a: &Flow, b: &Flow) -> f64 {
    let m = a.cutoff() as i64;
    let all = (-m..=m).flat_map(|kx| (-m..=m).map(move |ky| (kx, ky)));
    all.map(|(kx, ky)| (a.amplitude(kx, ky) - b.amplitude(kx, ky)).norm_sqr()).sum::<f64>().sqrt()
}

#[test]
fn advection_is_the_sum_over_triads() {
    // The convolution written out. Fails for a wrong sign, a lost mode, or an aliased product.
    let points = 20;
    let flow = {
        let mut flow = Flow::new(STILL, points, 0.1);
        let mut noise = Noise::new(1, 0);
        for kx in 0..=6 {
            for ky in -6..=6 {
                flow.set_amplitude(kx, ky, Complex64::new(noise.normal(), noise.normal()));
            }
        }
        flow
    };
    let m = flow.cutoff() as i64;
    assert_eq!(m, 6);
    let half_plane: Vec<_> = (0..=m).flat_map(|kx| (-m..=m).map(move |ky| (kx, ky))).collect();
    let amplitudes: Vec<_> = half_plane.iter().map(|&(kx, ky)| flow.amplitude(kx, ky)).collect();
    let mut advection = Advection::new(points);
    advection.transform::<false>(&amplitudes);
    let mut count = 0;
    advection.for_each(|index, value| {
        let (kx, ky) = half_plane[index];
        let mut expected = Complex64::ZERO;
        for px in -m..=m {
            for py in -m..=m {
                let (qx, qy) = (kx - px, ky - py);
                let p2 = (px * px + py * py) as f64;
                if p2 > 0.0 {
                    // û·i q = i p_y ψ̂ i q_x − i p_x ψ̂ i q_y, ψ̂ = ω̂/p².
                    let cross = (px * qy - py * qx) as f64 / p2;
                    expected -= flow.amplitude(px, py) * flow.amplitude(qx, qy) * cross;
                }
            }
        }
        assert!((value - expected).norm() < 1e-12, "({kx}, {ky}): {value} is not {expected}");
        count += 1;
    });
    assert_eq!(count, half_plane.len());
}

#[test]
fn energy_and_enstrophy_are_conserved_to_the_order_of_the_scheme() {
    // Both are invariants of the truncated Euler equations, so that the drift is RK4's own, of
    // order 5; aliasing or a wrong triad would leave a drift that does not fall with dt.
    let drift = |dt| {
        let mut flow = random_flow(STILL, 32, dt);
        let before = [flow.energy(), flow.enstrophy()];
        advance(&mut flow, 1.0, dt);
        [flow.energy() / before[0] - 1.0, flow.enstrophy() / before[1] - 1.0]
    };
    let (coarse, fine) = (drift(0.04), drift(0.02));
    for (coarse, fine) in coarse.into_iter().zip(fine) {
        assert!(fine.abs() < 1e-5, "{fine}");
        assert!((coarse / fine).abs() > 20.0, "{coarse} over {fine}");
    }
}

#[test]
fn taylor_green_vortices_decay_exactly() {
    // ω = cos x cos y does not advect itself: only e^{−(2ν + drag) t} is left, at any step.
    let physics = Physics { viscosity: 0.1, drag: 0.05, ..STILL };
    let mut flow = Flow::new(physics, 32, 0.1);
    flow.set_amplitude(1, 1, Complex64::new(0.25, 0.0));
    flow.set_amplitude(1, -1, Complex64::new(0.25, 0.0));
    advance(&mut flow, 2.0, 0.1);
    let expected = 0.25 * (-0.25f64 * 2.0).exp();
    assert!((flow.amplitude(1, 1) - expected).norm() < 1e-14);
    assert!((flow.amplitude(-1, 1) - expected).norm() < 1e-14);
    assert!(flow.amplitude(2, 0).norm() < 1e-14);
}

#[test]
fn the_laminar_solution_is_reached_and_kept() {
    // From rest, ω = −forcing cos(k y) (1 − e^{−Lt})/L with L = νk² + drag. Fails for a forcing of
    // the wrong sign, phase or size.
    let physics = Physics { viscosity: 0.02, drag: 0.1, forcing: 4.0, forcing_wavenumber: 4 };
    let rate = 0.02 * 16.0 + 0.1;
    let mut flow = Flow::new(physics, 32, 0.01);
    for time in [1.0, 3.0] {
        let spent = if time == 1.0 { 0.0 } else { 1.0 };
        advance(&mut flow, time - spent, 0.01);
        let expected = -2.0 * (1.0 - (-rate * time).exp()) / rate;
        assert!((flow.amplitude(0, 4) - expected).norm() < 1e-10);
        assert!((flow.enstrophy() - expected * expected).abs() < 1e-9);
    }
    flow.set_amplitude(0, 4, Complex64::new(-2.0 / rate, 0.0));
    advance(&mut flow, 1.0, 0.01);
    assert!((flow.amplitude(0, 4) + 2.0 / rate).norm() < 1e-10);
}

#[test]
fn time_steps_converge_with_order_four() {
    let physics = Physics { viscosity: 0.02, drag: 0.1, forcing: 4.0, forcing_wavenumber: 4 };
    let at = |dt| {
        let mut flow = random_flow(physics, 32, dt);
        advance(&mut flow, 1.0, dt);
        flow
    };
    let reference = at(0.0025);
    let (coarse, fine) = (distance(&at(0.04), &reference), distance(&at(0.02), &reference));
    let order = (coarse / fine).log2();
    assert!((order - 4.0).abs() < 0.3, "order {order}: {coarse} and {fine}");
    assert!(fine < 1e-4, "{fine}");
}

impl Flow {
    /// Energy gained from the forcing a unit of time, ⟨ψ f⟩ with ∇²ψ = −ω.
    fn energy_input(&self) -> f64 {
        let k = self.physics().forcing_wavenumber as i64;
        let stream = self.amplitude(0, k).re / (k * k) as f64;
        -self.physics().forcing * stream
    }

    /// Energy lost to viscosity and drag a unit of time, 2ν·enstrophy + 2·drag·energy.
    fn energy_dissipation(&self) -> f64 {
        2.0 * (self.physics().viscosity * self.enstrophy() + self.physics().drag * self.energy())
    }
}

#[test]
fn energy_changes_by_input_less_dissipation() {
    // dE/dt by central differences over ±dt; their own error is of order dt².
    let dt = 1e-3;
    let physics = Physics { viscosity: 0.01, drag: 0.1, forcing: 4.0, forcing_wavenumber: 4 };
    let mut flow = random_flow(physics, 48, dt);
    advance(&mut flow, 1.0, dt);
    let before = flow.energy();
    flow.step();
    let balance = flow.energy_input() - flow.energy_dissipation();
    flow.step();
    let change = (flow.energy() - before) / (2.0 * dt);
    assert!(flow.energy_dissipation() > 0.1);
    assert!((change - balance).abs() < 1e-5, "{change} is not {balance}");
}

#[test]
fn frames_hold_the_waves_that_the_grid_carries() {
    // A wave up to the Nyquist wavenumber of the grid appears with its values at the points, a
    // finer one not at all. Fails if the two Nyquist aliases are not added.
    let points = 16;
    let mut transform = Plane::new(points, points);
    let mut plane = vec![Complex64::ZERO; points * points];
    for (kx, ky, carried) in [
        (3, -2, true),
        (8, 0, true),
        (0, 8, true),
        (8, 3, true),
        (8, -8, true),
        (9, 0, false),
        (1, -9, false),
    ] {
        let mut flow = Flow::new(STILL, 32, 0.1);
        let amplitude = Complex64::from_polar(0.5, 0.7);
        flow.set_amplitude(kx, ky, amplitude);
        sample(&flow, &mut transform, &mut plane);
        for (index, point) in plane.iter().enumerate() {
            let step = std::f64::consts::TAU / points as f64;
            let (y, x) = ((index / points) as f64 * step, (index % points) as f64 * step);
            let wave = (kx as f64 * x + ky as f64 * y + 0.7).cos();
            let expected = if carried { wave } else { 0.0 };
            assert!((point.re - expected).abs() < 1e-12, "({kx}, {ky}) at ({x}, {y})");
            assert!(point.im.abs() < 1e-12);
        }
    }
}

#[test]
fn initial_flows_have_the_speed_asked_for_at_every_resolution() {
    let flow = |resolution, index| {
        let parameters = Parameters {
            resolution,
            grid: 16,
            initial_speed: 1.5,
            dt: 0.005,
            ..Default::default()
        };
        Kolmogorov::new(parameters).unwrap().initial_flow(5, index)
    };
    let (coarse, fine) = (flow(32, 0), flow(64, 0));
    assert!((coarse.energy() - 1.5 * 1.5 / 2.0).abs() < 1e-12);
    for (kx, ky) in [(1, 2), (-3, 4), (0, 5), (9, -9)] {
        assert_eq!(coarse.amplitude(kx, ky), fine.amplitude(kx, ky));
    }
    assert_ne!(coarse.amplitude(1, 2), flow(32, 1).amplitude(1, 2));
}

#[test]
fn parameters_that_cannot_work_are_refused() {
    let base = Parameters::default;
    let cases = [
        (
            Parameters { dt: 0.02, interval: 0.5, ..base() },
            "--dt 0.02 breaks the advective (CFL) bound",
        ),
        (Parameters { forcing: 400.0, ..base() }, "--dt 0.00625 breaks the advective (CFL) bound"),
        (Parameters { dt: 0.0063, ..base() }, "--dt 0.0063 does not divide --interval 0.5"),
        (Parameters { nu: -1e-3, ..base() }, "--nu must be zero or a positive number"),
        (Parameters { drag: f64::NAN, ..base() }, "--drag must be zero or a positive number"),
        (Parameters { forcing: f64::INFINITY, ..base() }, "--forcing must be a finite number"),
        (Parameters { nu: 0.0, drag: 0.0, ..base() }, "--forcing 4 without --nu and --drag"),
        (Parameters { initial_speed: 0.0, ..base() }, "--initial-speed must be a positive number"),
        (Parameters { resolution: 27, grid: 16, ..base() }, "--resolution must be at least 28"),
        (Parameters { grid: 2, ..base() }, "--grid must be at least 4"),
        (Parameters { grid: 33, ..base() }, "--grid must be even"),
        (Parameters { grid: 256, ..base() }, "--grid 256 is finer than --resolution 128"),
        (
            Parameters { forcing_wavenumber: 43, ..base() },
            "--forcing-wavenumber 43 must lie between 1 and 42",
        ),
        (
            Parameters { forcing_wavenumber: 0, ..base() },
            "--forcing-wavenumber 0 must lie between 1 and 42",
        ),
    ];
    for (parameters, expected) in cases {
        let message = Kolmogorov::new(parameters).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains('\n'));
    }
    let paper = Parameters { resolution: 256, grid: 40, dt: 1e-3, ..base() };
    assert!(Kolmogorov::new(paper).is_ok());
    assert!(Kolmogorov::new(Parameters { forcing: 0.0, nu: 0.0, drag: 0.0, ..base() }).is_ok());
}

#[test]
fn the_suggested_step_is_accepted() {
    let parameters = Parameters { dt: 0.05, resolution: 64, ..Parameters::default() };
    let message = Kolmogorov::new(parameters.clone()).unwrap_err().to_string();
    let dt = message.split("use --dt ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(Kolmogorov::new(Parameters { dt, ..parameters }).is_ok(), "{message}");
}

#[test]
fn a_run_that_leaves_the_stable_range_stops_with_the_time() {
    let run = |amplitude| {
        let parameters = Parameters { resolution: 32, grid: 16, dt: 0.01, ..Parameters::default() };
        let system = Kolmogorov::new(parameters).unwrap();
        let mut flow = system.initial_flow(0, 0);
        flow.set_amplitude(1, 0, Complex64::new(amplitude, 0.0));
        let transform = Plane::new(16, 16);
        FlowPath { flow, clock: system.clock, steps_taken: 200, plane: vec![], transform }.advance()
    };
    let message = run(100.0).unwrap_err().to_string();
    assert!(message.contains("at t = 2.00, far above the advective (CFL) bound"), "{message}");
    assert!(run(f64::NAN).unwrap_err().to_string().starts_with("the flow blew up before t = 2.50"));
    assert!(run(0.5).is_ok());
}

#[test]
fn moved_and_turned_flows_stay_so() {
    // The symmetries that training may use: any shift along x, whole waves of the forcing along y,
    // and a half turn. Fails if one of them is not the equations' own.
    let physics = Physics { viscosity: 0.01, drag: 0.1, forcing: 4.0, forcing_wavenumber: 4 };
    let at = |change: &dyn Fn(i64, i64, Complex64) -> Complex64, steps: usize| {
        let (from, mut to) = (random_flow(physics, 32, 0.01), Flow::new(physics, 32, 0.01));
        let from = {
            let mut from = from;
            (0..steps).for_each(|_| {
                from.step();
            });
            from
        };
        let m = from.cutoff() as i64;
        for kx in 0..=m {
            for ky in -m..=m {
                to.set_amplitude(kx, ky, change(kx, ky, from.amplitude(kx, ky)));
            }
        }
        to
    };
    let shift = |x: f64, y: f64| {
        move |kx: i64, ky: i64, value: Complex64| {
            value * Complex64::cis(kx as f64 * x + ky as f64 * y)
        }
    };
    let quarter = std::f64::consts::FRAC_PI_2;
    let turn = |_: i64, _: i64, value: Complex64| value.conj();
    let apart = |change: &dyn Fn(i64, i64, Complex64) -> Complex64| {
        let mut moved = at(change, 0);
        advance(&mut moved, 0.5, 0.01);
        distance(&moved, &at(change, 50))
    };
    assert!(apart(&shift(0.7, quarter)) < 1e-12);
    assert!(apart(&turn) < 1e-12);
    assert!(apart(&shift(0.0, 0.5 * quarter)) > 0.1, "half a wave of the forcing is no symmetry");
}
