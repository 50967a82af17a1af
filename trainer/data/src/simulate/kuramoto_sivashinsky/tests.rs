use super::*;

fn advance(solver: &mut Solver, steps: usize) {
    for _ in 0..steps {
        solver.step();
    }
}

/// The default system, developed; `dt` is that of the steps to come.
fn developed(dt: f64) -> Solver {
    let system = KuramotoSivashinsky::new(Parameters::default()).unwrap();
    let mut burn_in = system.solver(1, 0);
    advance(&mut burn_in, 1200);
    let mut solver = Solver::new(64, 44.0, dt);
    solver.amplitudes.copy_from_slice(&burn_in.amplitudes);
    solver
}

fn distance(a: &Solver, b: &Solver) -> f64 {
    let pairs = a.amplitudes.iter().zip(&b.amplitudes);
    pairs.map(|(a, b)| (a - b).norm_sqr()).sum::<f64>().sqrt()
}

#[test]
fn steps_converge_with_order_four() {
    let at = |steps: usize| {
        let mut solver = developed(3.0 / steps as f64);
        advance(&mut solver, steps);
        solver
    };
    // Stiff modes hide the order at longer steps: it is 3.3 from dt = 1/8 to 1/16 (errors 1.6e-5
    // and 1.6e-6), and 3.9 here.
    let reference = at(1536);
    let (coarse, fine) = (distance(&at(192), &reference), distance(&at(384), &reference));
    let order = (coarse / fine).log2();
    assert!((order - 4.0).abs() < 0.25, "order {order}: {coarse} and {fine}");
    assert!(distance(&at(24), &reference) < 1e-4, "the default step");
}

#[test]
fn small_waves_grow_at_their_linear_rates() {
    // e^{(k² − k⁴) t}; an amplitude of 1e-7 leaves nonlinear terms below 1e-6 of it.
    for m in [1, 3, 5, 7, 10] {
        let mut solver = Solver::new(64, 44.0, 0.125);
        solver.amplitudes[m] = Complex64::new(1e-7, 0.0);
        advance(&mut solver, 80);
        let k = TAU * m as f64 / 44.0;
        let expected = 1e-7 * ((k * k - k.powi(4)) * 10.0).exp();
        assert!((solver.amplitudes[m] / expected - 1.0).norm() < 1e-6, "m = {m}");
    }
}

#[test]
fn the_mean_is_conserved_and_carries_the_solution_along() {
    // Galilean invariance: u + c is the solution moved by c t. Fails for a wrong advective factor.
    let (mut still, mut moving) = (developed(0.05), developed(0.05));
    moving.amplitudes[0] = Complex64::new(0.3, 0.0);
    advance(&mut still, 60);
    advance(&mut moving, 60);
    assert_eq!(moving.amplitudes[0], Complex64::new(0.3, 0.0));
    for (m, (moving, still)) in moving.amplitudes.iter().zip(&still.amplitudes).enumerate().skip(1)
    {
        let phase = -TAU * m as f64 / 44.0 * 0.3 * 3.0;
        assert!((moving - still * Complex64::cis(phase)).norm() < 1e-5, "m = {m}");
    }
}

#[test]
fn energy_changes_by_input_less_dissipation() {
    // d/dt ½⟨u²⟩ = ⟨u_x²⟩ − ⟨u_xx²⟩: advection only moves energy. Central difference, error dt².
    let mut solver = developed(0.005);
    let before = solver.energy();
    solver.step();
    let fed = solver.mean(|k| k * k);
    let balance = fed - solver.mean(|k| k.powi(4));
    solver.step();
    let change = (solver.energy() - before) / 0.01;
    assert!(fed > 0.1);
    assert!((change - balance).abs() < 1e-4, "{change} is not {balance}");
}

/// Leading Lyapunov exponent over `time`, from a twin that is pulled back every time unit.
fn exponent(grid: usize, length: f64, time: usize) -> f64 {
    let parameters = Parameters { grid, length, dt: 0.25, ..Parameters::default() };
    let mut solver = KuramotoSivashinsky::new(parameters).unwrap().solver(2, 0);
    advance(&mut solver, 2000);
    let mut twin = Solver::new(grid, length, 0.25);
    twin.amplitudes.copy_from_slice(&solver.amplitudes);
    let size = 1e-7;
    twin.amplitudes[2] += size;
    let mut growth = 0.0;
    let settle = 100;
    for unit in 0..time + settle {
        advance(&mut solver, 4);
        advance(&mut twin, 4);
        let far = distance(&solver, &twin);
        if unit >= settle {
            growth += (far / size).ln();
        }
        for (t, s) in twin.amplitudes.iter_mut().zip(&solver.amplitudes) {
            *t = s + (*t - s) * (size / far);
        }
    }
    growth / time as f64
}

#[test]
fn lyapunov_exponents_are_the_published_ones() {
    // L = 22: 0.048 (Cvitanović, Davidchack and Siminos, SIAM J. Appl. Dyn. Syst. 9, 2010) and
    // 0.043 (Edson, Bunder, Mattner and Roberts, ANZIAM J. 61, 2019); the latter has 0.080 at L =
    // 36.
    let short = exponent(32, 22.0, 8000);
    assert!((0.035..0.056).contains(&short), "L = 22: {short}");
    let long = exponent(48, 36.0, 4000);
    assert!((0.07..0.09).contains(&long), "L = 36: {long}");
}

#[test]
fn parameters_that_cannot_work_are_refused() {
    let base = Parameters::default;
    let cases = [
        (
            Parameters { dt: 0.75, ..base() },
            "--dt 0.75 breaks ETDRK4's advective bound of 0.5: use --dt 0.5",
        ),
        (Parameters { dt: 0.4, ..base() }, "--dt 0.4 does not divide --interval 1.5"),
        (Parameters { length: 6.0, ..base() }, "--length 6 holds no growing wave"),
        (Parameters { length: 0.0, ..base() }, "--length must be a positive number"),
        (Parameters { length: 100.0, ..base() }, "--grid 64 keeps wavenumbers up to 1.32 only"),
        (Parameters { grid: 6, ..base() }, "--grid must be at least 8"),
        (Parameters { grid: 65, ..base() }, "--grid must be even"),
        (Parameters { burn_in: -1.0, ..base() }, "--burn-in must be zero or a positive"),
    ];
    for (parameters, expected) in cases {
        let message = KuramotoSivashinsky::new(parameters).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
        assert!(!message.contains('\n'));
    }
    let message =
        KuramotoSivashinsky::new(Parameters { length: 100.0, ..base() }).unwrap_err().to_string();
    let grid =
        message.split("use --grid ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(KuramotoSivashinsky::new(Parameters { length: 100.0, grid, ..base() }).is_ok());
}

#[test]
fn a_blow_up_stops_with_the_time() {
    let system = KuramotoSivashinsky::new(Parameters::default()).unwrap();
    let mut solver = system.solver(0, 0);
    solver.amplitudes[3] = Complex64::new(1e6, 0.0);
    let mut run = SivashinskyPath { solver, clock: system.clock, intervals: 1 };
    let message = run.advance().unwrap_err().to_string();
    assert_eq!(message, "the solution blew up before t = 3.00: use a --dt smaller than 0.125");
}

#[test]
fn moved_and_mirrored_solutions_stay_so() {
    // The symmetries that training may use: u(x + s) and −u(−x).
    type Change = fn(usize, Complex64) -> Complex64;
    let changes: [Change; 2] =
        [|m, value| value * Complex64::cis(0.9 * m as f64), |_, value| -value.conj()];
    for change in changes {
        let changed = |mut solver: Solver| {
            let pairs = solver.amplitudes.iter_mut().enumerate();
            pairs.for_each(|(m, value)| *value = change(m, *value));
            solver
        };
        let (mut late, mut early) = (developed(0.05), changed(developed(0.05)));
        advance(&mut late, 60);
        advance(&mut early, 60);
        let apart = distance(&early, &changed(late));
        assert!(apart < 1e-10, "{apart}");
    }
}
