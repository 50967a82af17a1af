//! What a panic does: it is told and stops the program, or, in the proof build, it keeps the
//! program from linking.

use core::panic::PanicInfo;

#[cfg(not(feature = "prove-no-panic"))]
#[panic_handler]
fn report(info: &PanicInfo<'_>) -> ! {
    #[cfg(feature = "defmt")]
    defmt::error!("PANIC {}", defmt::Display2Format(info));
    #[cfg(feature = "plain")]
    crate::line(format_args!("PANIC {info}"));
    let _ = info;
    semihosting::process::exit(crate::exit::PANIC)
}

#[cfg(feature = "prove-no-panic")]
#[panic_handler]
#[allow(unsafe_code)] // Nothing defines this function: the linker refuses the program that can reach it.
fn unlinkable(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn finescale_panic_path_remains() -> !;
    }
    unsafe { finescale_panic_path_remains() }
}
