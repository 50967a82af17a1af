//! The reference of the predictor against finite differences and the closed form: it is what all
//! others are compared with.

#[path = "../../fixtures/models.rs"]
mod models;

use finescale::Field;
use finescale_model::basis::Basis;
use finescale_model::reference::Reference;
use models::{companions, kinds, model, noise};

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// (f(x + h d) − f(x − h d)) / 2h.
fn derivative(x: &[f64], d: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    // So small that hardly any rectifier bends in between.
    let h = 1e-7;
    let at = |s: f64| f(&x.iter().zip(d).map(|(x, d)| x + s * d).collect::<Vec<_>>());
    at(h).iter().zip(at(-h)).map(|(a, b)| (a - b) / (2.0 * h)).collect()
}

#[test]
fn products_are_the_adjoint_of_the_derivative() {
    for kind in kinds() {
        let model = model(&kind);
        let reference = Reference::new(&model).unwrap();
        let frame = kind.channels * model.meta.grid().unwrap().points();
        let companions = widen(&companions(&model, 1));
        for (lambda, frames) in [(0.004, kind.window), (0.5, kind.window), (0.05, 1)] {
            let level = reference.at(lambda).unwrap().given(companions.clone());
            let window = widen(&noise(frames * frame, 1));
            let direction = widen(&noise(frames * frame, 2));
            let v = widen(&noise(frame, 3));
            let forward = derivative(&window, &direction, |w| level.predict(w).increment);
            let (left, right) = (dot(&v, &forward), dot(&level.vjp(&window, &v), &direction));
            let size = forward.iter().map(|f| f * f).sum::<f64>().sqrt();
            assert!((left - right).abs() < 1e-6 * size, "{}: {left} {right}", kind.name);
        }
    }
}

#[test]
fn the_path_score_is_the_gradient_of_the_log_density() {
    for kind in kinds() {
        let model = model(&kind);
        let reference = Reference::new(&model).unwrap();
        let frame = kind.channels * model.meta.grid().unwrap().points();
        for frames in [1, 2, 5] {
            let companions = widen(&companions(&model, frames));
            let level = reference.at(0.1).unwrap().given(companions);
            let (path, direction) =
                (widen(&noise(frames * frame, 4)), widen(&noise(frames * frame, 5)));
            let slope = derivative(&path, &direction, |path| vec![level.log_density(path)])[0];
            let score = dot(&level.path_score(&path), &direction);
            let size = dot(&direction, &direction).sqrt();
            assert!((slope - score).abs() < 1e-5 * size, "{}: {slope} {score}", kind.name);
        }
    }
}

/// The tables that training has in f32 are those of the reference.
#[test]
fn the_linear_base_is_that_of_training() {
    use finescale_field::modes::{Partner, planes};
    for kind in kinds().iter().filter(|kind| kind.kernel == 0 || kind.y.is_some()) {
        let mut linear = model(kind);
        linear.meta.network = finescale_model::NetworkMeta::Linear;
        let grid = linear.meta.grid().unwrap();
        let (c, w, m) = (kind.channels, kind.window, grid.points());
        let reference = Reference::new(&linear).unwrap();
        let window = widen(&noise(w * c * m, 6));
        let got = reference.at(0.03).unwrap().predict(&window).increment;
        let tables = linear.base().unwrap().at(0.03).unwrap();
        let full = &tables.coefficients[(w - 1) * w * c * c * m..];
        let nx = grid.nx();
        for a in 0..c {
            let mut expected: Vec<f64> =
                window[((w - 1) * c + a) * m..][..m].iter().map(|u| -u).collect();
            for j in 0..w {
                for b in 0..c {
                    let frame = &window[((w - 1 - j) * c + b) * m..][..m];
                    let packed = &full[((j * c + a) * c + b) * m..][..m];
                    let planes = planes(&grid, packed);
                    for (partner, plane) in Partner::all(&grid).iter().zip(planes.chunks_exact(m)) {
                        for mode in 0..m {
                            let (y, x) = (mode / nx, mode % nx);
                            let from = if partner.y { y ^ 1 } else { y } * nx
                                + if partner.x { x ^ 1 } else { x };
                            expected[mode] += f64::from(plane[mode]) * frame[from];
                        }
                    }
                }
            }
            for (got, expected) in got[a * m..].iter().zip(&expected) {
                assert!((got - expected).abs() < 3e-6, "{}: {got} {expected}", kind.name);
            }
        }
    }
}

#[test]
fn matrices_are_the_runtimes_transforms() {
    for kind in kinds() {
        let grid = model(&kind).meta.grid().unwrap();
        let basis = Basis::new(&grid);
        let mut field = noise(2 * grid.points(), 8);
        let exact = basis.forward(&widen(&field));
        let back = basis.inverse(&exact);
        assert!(back.iter().zip(&field).all(|(b, f)| (b - f64::from(*f)).abs() < 1e-12));
        let mut scratch = vec![0.0; finescale::spectral::scratch_len(&grid)];
        finescale::spectral::forward(&grid, Field::from_mut(&mut field), &mut scratch).unwrap();
        assert!(exact.iter().zip(&field).all(|(e, f)| (e - f64::from(*f)).abs() < 3e-6));
    }
}
