//! The one door to microfft.

use crate::checked::bug;

/// In-place real FFT, X_m = Σ_j x_j exp(−2πijm/N), packed `[X_0, X_{N/2}, Re X_1, Im X_1, …]`.
/// A slice whose length is no axis length, which `Axis` does not make, is left as it is.
pub(super) fn real_fft(line: &mut [f32]) {
    macro_rules! by_length {
        ($($n:literal => $fft:ident),*) => {
            match line.len() {
                $($n => {
                    let Ok(line) = <&mut [f32; $n]>::try_from(line) else { return bug() };
                    let _packed_in_line = microfft::real::$fft(line);
                })*
                _ => bug(),
            }
        };
    }
    by_length!(
        8 => rfft_8, 16 => rfft_16, 32 => rfft_32, 64 => rfft_64,
        128 => rfft_128, 256 => rfft_256, 512 => rfft_512, 1024 => rfft_1024
    );
}
