//! What a panic would do on a board: no path leads here, or the C program does not link.

/// Calls a function that nothing defines: the linker refuses the program that can reach it.
///
/// At opt-level 3 with fat LTO, which the profile `board` has, no such path is left. Who builds for
/// size defines the function, which must not return.
#[cfg(target_os = "none")]
#[panic_handler]
#[allow(unsafe_code)] // A function of another language.
fn unlinkable(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn finescale_panic_path_remains() -> !;
    }
    // SAFETY: it takes nothing and does not return.
    unsafe { finescale_panic_path_remains() }
}

/// A bounds check that the optimiser cannot remove, to show that the proof notices one.
#[cfg(feature = "panic-on-purpose")]
pub(crate) fn on_purpose() {
    let (index, mut field) = (core::hint::black_box(0), [0.0; 1]);
    field[index] = 0.0;
    core::hint::black_box(field);
}
