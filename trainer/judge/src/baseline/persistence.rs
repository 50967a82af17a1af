//! The last frame that was given stays.

use anyhow::{Result, ensure};

use super::ensemble;
use finescale_ensemble::Ensemble;

/// The last given frame, at every later time.
///
/// # Errors
/// If no frame was given.
pub fn persistence(result: &Ensemble) -> Result<Ensemble> {
    ensure!(result.given > 0, "persistence needs a given frame, and the result has none");
    let last = (result.given - 1) * result.frame_len();
    ensemble(result, "persistence", 1, 0, |_, _, path| {
        let (given, later) = path.split_at_mut(last + result.frame_len());
        for frame in later.chunks_exact_mut(result.frame_len()) {
            frame.copy_from_slice(&given[last..]);
        }
        Ok(())
    })
}
