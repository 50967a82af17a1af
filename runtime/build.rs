//! Says which kernels of their own the target's processors can run.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    println!("cargo::rustc-check-cfg=cfg(smlad, vfp, slow_vmla, pairs)");
    let target = std::env::var("TARGET").unwrap_or_default();
    // Every Cortex-M4 and M7 multiplies pairs of int16; later cores only with an extension that
    // this name does not tell.
    if target.starts_with("thumbv7em-") {
        println!("cargo::rustc-cfg=smlad");
    }
    if target == "thumbv7em-none-eabihf" {
        println!("cargo::rustc-cfg=vfp");
    }
    // A Cortex-M4F takes longer for VMLA than for VMUL and VADD, a Cortex-M7 does not; the compiler
    // goes by the same name, unless it is told otherwise.
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if flags.contains("target-cpu=cortex-m4") && !flags.contains("-slowfpvmlx") {
        println!("cargo::rustc-cfg=slow_vmla");
    }
    // Two inputs in one turn of the safe tile's loop save two instructions of 68. Only for a
    // processor that it knows by name does the compiler keep the second one's operands from being
    // loaded too early, which would spill the sums.
    if flags.contains("target-cpu=cortex-m") {
        println!("cargo::rustc-cfg=pairs");
    }
}
