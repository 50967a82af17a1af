//! The gradient of the log path density of a linear predictor.

use anyhow::{Context, Result, ensure};
use nalgebra::{Complex, DMatrix, DVector};

use super::LinearPredictor;
use super::predictor::positive;

/// ∇ ln p(û^0 … û^T) of one mode, frame by frame, as a complex vector: for a circular complex Gaussian, −G⁻¹ û.
///
/// `path[n]` is frame n (one value for each channel). `predictors[w − 1]` predicts from w frames; frame n + 1 is predicted
/// from the min(n + 1, longest) frames before it. `first` is the covariance of frame 0.
///
/// With e^n = û^{n+1} − û^n − F_n, the score is −S⁻¹e^{m−1} + S⁻¹e^m + Σ_n J_{n,m}ᴴ S⁻¹e^n and the term of frame 0
/// (method, section 4). The vector-Jacobian term is not optional.
///
/// # Errors
/// If a predictor's window is not its place, or a covariance is singular.
pub fn path_score(
    path: &[DVector<Complex<f64>>],
    predictors: &[LinearPredictor],
    first: &DMatrix<Complex<f64>>,
) -> Result<Vec<DVector<Complex<f64>>>> {
    ensure!(!path.is_empty(), "a path needs at least one frame");
    ensure!(
        path.len() == 1 || !predictors.is_empty(),
        "a path of several frames needs a predictor"
    );
    for (n, predictor) in predictors.iter().enumerate() {
        ensure!(predictor.window() == n + 1, "predictors must be given for windows 1, 2, 3, …");
    }
    let singular = "an innovation covariance is singular: use λ > 0";
    let start = positive(first.clone()).context(singular)?.solve(&path[0]);
    let mut score = vec![DVector::zeros(path[0].len()); path.len()];
    score[0] -= start;
    for n in 0..path.len() - 1 {
        let predictor = &predictors[(n + 1).min(predictors.len()) - 1];
        // e = û^{n+1} − Σ_j A_j û^{n−j}: the increment's −û^n has cancelled, so its Jacobian has too.
        let mut error = path[n + 1].clone();
        for (j, a) in predictor.coefficients().iter().enumerate() {
            error -= a * &path[n - j];
        }
        let weighted = positive(predictor.innovation().clone()).context(singular)?.solve(&error);
        for (j, a) in predictor.coefficients().iter().enumerate() {
            score[n - j] += a.adjoint() * &weighted;
        }
        score[n + 1] -= weighted;
    }
    Ok(score)
}
