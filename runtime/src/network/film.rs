//! From λ to factors and shifts.

use crate::checked;
use crate::layer::SLOPE;
use crate::model::Film;

/// λ as the network sees it: t, t², t³, sin πt, cos πt, where t runs from −1 at λ = 0.001 to 1 at λ
/// = 1 with log λ.
fn features(lambda: f32) -> [f32; 5] {
    let t = 1.0 + 2.0 * libm::log10f(lambda.max(1e-9)) / 3.0;
    let angle = core::f32::consts::PI * t;
    [t, t * t, t * t * t, libm::sinf(angle), libm::cosf(angle)]
}

/// Writes factors less 1 of all channels, then shifts of all channels; relative error ≤ 2e-6.
pub(super) fn modulate(film: &Film<'_>, lambda: f32, modulation: &mut [f32]) {
    checked::zip(&mut *modulation, film.bias).for_each(|(to, bias)| *to = *bias);
    let features = features(lambda);
    let count = film.hidden_bias.len();
    let rows = film.weight.chunks_exact(modulation.len().max(1));
    for (n, (bias, row)) in checked::counted(checked::zip(film.hidden_bias, rows)) {
        let weights = film.hidden_weight.iter().skip(n).step_by(count.max(1));
        let mut hidden = *bias;
        for (feature, weight) in checked::zip(&features, weights) {
            hidden += feature * weight;
        }
        if hidden < 0.0 {
            hidden *= SLOPE;
        }
        checked::zip(&mut *modulation, row).for_each(|(to, weight)| *to += hidden * weight);
    }
}
