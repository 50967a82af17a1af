//! The one place that names Burn's backends.

use anyhow::{Result, bail};
use burn::backend::Autodiff;

/// The CPU backend.
pub type Cpu = burn::backend::Flex;
/// The NVIDIA backend.
#[cfg(feature = "cuda")]
pub type Cuda = burn::backend::Cuda<f32, i32>;
/// A backend that records what it computes.
pub type Differentiable<B> = Autodiff<B>;

/// Where to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// The processor.
    Cpu,
    /// NVIDIA GPUs.
    Cuda,
}

impl Choice {
    /// Its name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }

    /// Looks for the devices before anything uses them: the CUDA backend panics where there is
    /// none.
    ///
    /// # Errors
    /// If the backend is not built in, or has fewer devices than asked for.
    pub fn check(self, devices: usize) -> Result<()> {
        match self {
            Self::Cpu => Ok(()),
            Self::Cuda => cuda_devices(devices),
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda_devices(_: usize) -> Result<()> {
    bail!(
        "this finescale was built without CUDA: build it with `--features cuda`, or use --backend \
         cpu"
    )
}

#[cfg(feature = "cuda")]
fn cuda_devices(wanted: usize) -> Result<()> {
    use cudarc::{driver::CudaContext, nvrtc::compile_ptx};
    let count = unless_it_panics(CudaContext::device_count).and_then(Result::ok);
    let found = count.map_or(0, |count| usize::try_from(count).unwrap_or(0));
    if found == 0 {
        bail!("no NVIDIA GPU was found (is its driver installed?): use --backend cpu");
    }
    if found < wanted {
        bail!("--devices is {wanted}, but {found} NVIDIA GPUs were found: ask for at most {found}");
    }
    let Some(Ok(empty)) = unless_it_panics(|| compile_ptx("")) else {
        bail!(
            "NVIDIA's runtime compiler was not found: install NVRTC (libnvrtc) of your CUDA version"
        );
    };
    super::kernel_cache::keep(&empty.to_src());
    Ok(())
}

/// Where a library is missing, the bindings panic.
#[cfg(feature = "cuda")]
fn unless_it_panics<T>(call: impl FnOnce() -> T + std::panic::UnwindSafe) -> Option<T> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let result = std::panic::catch_unwind(call).ok();
    std::panic::set_hook(hook);
    result
}

/// The device of a number; the CPU backend has one device, however often it is asked for.
pub fn device<B: burn::tensor::backend::Backend>(number: usize) -> B::Device {
    use burn::tensor::backend::DeviceId;
    <B::Device as burn::prelude::DeviceOps>::from_id(DeviceId::new(0, number as u16))
}
