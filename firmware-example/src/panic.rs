//! What a panic does: stop with exit code 101, or, in the proof build, keep the program from
//! linking.

use core::panic::PanicInfo;

#[cfg(not(feature = "prove-no-panic"))]
#[panic_handler]
fn report(info: &PanicInfo) -> ! {
    crate::console::panicked(info);
    semihosting::process::exit(101)
}

#[cfg(feature = "prove-no-panic")]
#[panic_handler]
#[allow(unsafe_code)] // Nothing defines this function: the linker refuses the program that can reach it.
fn unlinkable(_: &PanicInfo) -> ! {
    unsafe extern "C" {
        fn finescale_panic_path_remains() -> !;
    }
    unsafe { finescale_panic_path_remains() }
}

/// A sum that may overflow for all that the optimiser knows, to show that the proof with overflow
/// checks notices one.
#[cfg(feature = "overflow-on-purpose")]
pub(crate) fn overflow_on_purpose() {
    core::hint::black_box(core::hint::black_box(0_usize) + 1);
}

/// A bounds check that the optimiser cannot remove, to show that the proof notices one.
#[cfg(feature = "panic-on-purpose")]
pub(crate) fn on_purpose(field: &mut [f32]) {
    let index = core::hint::black_box(0);
    field[index] = 0.0;
}
