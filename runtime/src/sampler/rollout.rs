//! Rolling a predictor forward in time at fixed λ.

use crate::checked::{OrBug, Place};
use crate::predictor::{Description, Prepared, whole_frames};
use crate::{Error, Modes, NoiseStream, Path, checked};

/// Rolls û^{n+1} = û^n + F_n + √S w at the λ that the predictor is prepared for.
///
/// `path`, `[frame][channel][y mode][x mode]`: the first `given` frames, at this λ, are read, the
/// others written. `stream`: the noise of frame n has the stream's frame + n; `None` rolls without
/// noise. `scratch`: the predictor's.
///
/// Small networks roll further at λ ≈ 0.05 … 0.1 with noise than near λ = 0.
///
/// # Errors
/// [`Error::FieldLength`] unless `path` is a positive number of frames; [`Error::Count`] unless
/// `given` is from one to as many; [`Error::ScratchLength`]; [`Error::NotFinite`] for a given value
/// that is no number, or later for one that the predictor makes: the frames before it are those
/// that were rolled; [`Error::Companions`].
pub fn rollout(
    predictor: &Prepared<'_>,
    given: usize,
    stream: Option<&NoiseStream>,
    path: &mut Path<Modes>,
    scratch: &mut [f32],
) -> Result<(), Error> {
    let frames = check(predictor, given, path, scratch)?;
    predictor.check_given(frames)?;
    for n in given..frames {
        let stream = stream
            .map(|stream| NoiseStream { frame: stream.frame.wrapping_add(n as u32), ..*stream });
        roll_frame(predictor, n, stream.as_ref(), path, scratch)?;
    }
    Ok(())
}

/// Frame `n` of a path from those before it; `stream` is that of the frame.
pub(super) fn roll_frame(
    predictor: &Prepared<'_>,
    n: usize,
    stream: Option<&NoiseStream>,
    path: &mut Path<Modes>,
    scratch: &mut [f32],
) -> Result<(), Error> {
    let frame = predictor.frame_len();
    let available = n.min(predictor.window);
    let (past, next) = path.split_at_mut_checked(n.times(frame)).or_bug();
    let window = past.get(n.minus(available).times(frame)..).or_bug();
    let next = next.get_mut(..frame).or_bug();
    self::next(&predictor.toward(n), Path::modes(window), stream, Modes::from_mut(next), scratch)
}

/// The frame after a window of 1 … W frames, whose companions are given; `stream` is that of the
/// frame, `None` adds no noise.
pub(super) fn next(
    predictor: &Prepared<'_>,
    window: &Path<Modes>,
    stream: Option<&NoiseStream>,
    next: &mut Modes,
    scratch: &mut [f32],
) -> Result<(), Error> {
    let frame = predictor.frame_len();
    predictor.increment(window, next, scratch)?;
    for (next, u) in checked::zip(next.iter_mut(), window.chunks_exact(frame).next_back().or_bug())
    {
        *next += u;
    }
    if let Some(stream) = stream {
        let innovation = predictor.innovation(window.len() / frame);
        for ((next, s), w) in checked::zip(next.iter_mut(), innovation).zip(stream.normals()) {
            *next += libm::sqrtf(*s) * w;
        }
    }
    Error::finite("rollout", next)
}

/// Frames of the path, once everything fits.
pub(super) fn check(
    description: &Description<'_>,
    given: usize,
    path: &Path<Modes>,
    scratch: &[f32],
) -> Result<usize, Error> {
    let frame = description.frame_len();
    let frames = whole_frames(path.len(), frame)?;
    let holds = (1..=frames).contains(&given);
    Error::count("given", given, holds, "at least one frame, and no more than the path has")?;
    let (values, needed) = (scratch.len(), description.scratch_len);
    if values < needed {
        return Err(Error::ScratchLength { values, needed });
    }
    Error::finite("path", path.get(..given.saturating_mul(frame)).or_bug())?;
    Ok(frames)
}
