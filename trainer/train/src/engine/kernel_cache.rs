//! Where the CUDA backend keeps the kernels that it has compiled.

use std::env;
use std::path::PathBuf;
use std::sync::Once;

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use cudarc::driver::CudaContext;

/// Names the folder of kernels, in place of one in the user's cache folder.
const VARIABLE: &str = "FINESCALE_KERNELS";

/// Kernels of this machine's first GPU are read from and written to a folder of their own, so that
/// they are compiled once. The backend's key of a kernel says neither which GPU it is for nor which
/// compiler made it: the folder's name does. `empty` is what NVRTC makes of an empty program.
pub(super) fn keep(empty: &str) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
        if config.compilation.cache.is_none() {
            config.compilation.cache = root().map(|root| CacheConfig::File(root.join(kind(empty))));
        }
        CubeClRuntimeConfig::set(config);
    });
}

fn root() -> Option<PathBuf> {
    let named = |variable| env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    named(VARIABLE).or_else(|| {
        let user = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
        Some(user?.join("finescale/kernels"))
    })
}

/// For example `sm-90-ptx-9.0`.
fn kind(empty: &str) -> String {
    let version = empty.lines().find_map(|line| line.strip_prefix(".version "));
    let context = CudaContext::new(0);
    let capability = context.as_ref().ok().and_then(|context| context.compute_capability().ok());
    // Not ended: the backend goes on in the same context.
    std::mem::forget(context);
    let (major, minor) = capability.unwrap_or_default();
    format!("sm-{major}{minor}-ptx-{}", version.unwrap_or("unknown").trim())
}
