//! Rolling a predictor forward in time at fixed λ.

use super::observation::Observation;
use crate::predictor::{frame_len, whole_frames};
use crate::{Error, NoiseStream, Predictor};

/// Rolls û^{n+1} = û^n + F_n + √S w at the λ that the predictor is ready for.
///
/// `path`, `[frame][channel][y mode][x mode]`: the first `given` frames, at this λ, are read, the others written.
/// `stream`: the noise of frame n has the stream's frame + n; `None` rolls without noise. `scratch`: the predictor's.
///
/// Small networks roll further at λ ≈ 0.05 … 0.1 with noise than near λ = 0.
///
/// # Errors
/// [`Error::NotPrepared`], [`Error::FieldLength`] unless `path` is a positive number of frames; [`Error::Parameter`] unless at
/// least one frame is given; [`Error::ScratchLength`].
pub fn rollout<P: Predictor + ?Sized>(
    predictor: &P,
    given: usize,
    stream: Option<&NoiseStream>,
    path: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    roll(predictor, given, None, stream, path, scratch)
}

/// [`rollout`] where the modes of an observation are set in every new frame, before the next one is predicted.
pub(super) fn roll<P: Predictor + ?Sized>(
    predictor: &P,
    given: usize,
    observation: Option<&Observation<'_>>,
    stream: Option<&NoiseStream>,
    path: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let frame = frame_len(predictor);
    let frames = whole_frames(path.len(), frame)?;
    Error::check("given", given as f32, given > 0, "at least one frame")?;
    for n in given..frames {
        let available = n.min(predictor.window());
        let Some((past, next)) = path.split_at_mut_checked(n * frame) else { break };
        let (Some(window), Some(next)) =
            (past.get((n - available) * frame..), next.get_mut(..frame))
        else {
            break;
        };
        predictor.increment(window, next, scratch)?;
        for (next, u) in next.iter_mut().zip(window.chunks_exact(frame).last().unwrap_or(&[])) {
            *next += u;
        }
        if let Some(stream) = stream {
            let stream = NoiseStream { frame: stream.frame.wrapping_add(n as u32), ..*stream };
            let innovation = predictor.innovation(available);
            for ((next, s), w) in next.iter_mut().zip(innovation).zip(stream.normals()) {
                *next += libm::sqrtf(*s) * w;
            }
            if let Some(observation) = observation {
                observation.impose(predictor, n as u32, &stream, next);
            }
        }
    }
    Ok(())
}
