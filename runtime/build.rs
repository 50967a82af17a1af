//! Says which kernels of their own the target's processors can run.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(smlad)");
    // Every Cortex-M4 and M7 multiplies pairs of int16; later cores only with an extension that this name does not tell.
    if std::env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv7em-")) {
        println!("cargo::rustc-cfg=smlad");
    }
}
