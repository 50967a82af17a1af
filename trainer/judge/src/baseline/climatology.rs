//! What is right without any input: the mean, and fields like those of the training data.

use anyhow::Result;
use finescale::Modes;
use finescale::noise::philox4x32;

use super::{Climate, Knowledge, ensemble};
use finescale_data::dataset::{Reader, Split};
use finescale_ensemble::Ensemble;
use finescale_field::noise::Purpose;

/// The mean of the training data, everywhere and always: relative L² 1.
///
/// # Errors
/// If the climate is of other fields.
pub fn climatology_mean(result: &Ensemble, climate: &Climate) -> Result<Ensemble> {
    climate.check(&result.spec)?;
    let later = result.given * result.frame_len();
    ensemble(result, "climatology", 1, 0, |_, _, path| {
        path[later..].fill(0.0);
        climate.scale.restore(result.spec.points(), &mut path[later..]);
        Ok(())
    })
}

/// Fields that have nothing to do with the truth but its climate: with a data set, runs of its
/// training frames drawn at random; without, Gaussian modes that have the data's power and decay by
/// the correlation from one frame to the next.
///
/// # Errors
/// If the climate is of other fields, or the data set cannot be read.
pub fn climatology_draws(
    result: &Ensemble,
    climate: &Climate,
    knowledge: Knowledge,
) -> Result<Ensemble> {
    climate.check(&result.spec)?;
    let frames = result.frames() - result.given;
    if let Some(reader) = knowledge.data {
        let starts = starts(reader, frames);
        if !starts.is_empty() {
            return training_runs(result, reader, &starts, knowledge);
        }
    }
    let grid = result.spec.grid()?;
    let (len, seed) = (result.frame_len(), knowledge.seed);
    let method = "climatology draws";
    ensemble(result, method, knowledge.members, seed, |trajectory, member, path| {
        let mut modes = vec![0.0; len];
        let mut decay = vec![0.0; len];
        for (n, frame) in path.chunks_exact_mut(len).skip(result.given).enumerate() {
            let place = (trajectory * frames + n) as u32;
            let noise = Purpose::Climatology.stream(seed, member as u32, place, 0);
            let known = modes.iter_mut().zip(&decay).zip(&climate.power);
            for (((u, rho), p), w) in known.zip(noise.normals()) {
                *u = rho * *u + ((1.0 - rho * rho) * p).max(0.0).sqrt() * w;
            }
            decay.copy_from_slice(&climate.lag1);
            frame.copy_from_slice(&modes);
            climate.scale.fields(&grid, Modes::from_mut(frame))?;
        }
        Ok(())
    })
}

/// (trajectory, frame) where runs of training frames begin.
fn starts(reader: &Reader, frames: usize) -> Vec<(usize, usize)> {
    let segments = reader.segments(Split::Train);
    let runs = segments.iter().filter(|s| s.frames.len() >= frames);
    runs.flat_map(|s| (s.frames.start..=s.frames.end - frames).map(|n| (s.trajectory, n))).collect()
}

fn training_runs(
    result: &Ensemble,
    reader: &Reader,
    starts: &[(usize, usize)],
    knowledge: Knowledge,
) -> Result<Ensemble> {
    let frames = result.frames() - result.given;
    let (len, seed, members) = (result.frame_len(), knowledge.seed, knowledge.members);
    ensemble(result, "climatology draws", members, seed, |trajectory, member, path| {
        let noise = Purpose::Climatology.stream(seed, member as u32, trajectory as u32, 1);
        let key = [seed as u32, (seed >> 32) as u32];
        let [word, ..] = philox4x32([0, noise.draw, noise.frame, noise.member], key);
        let place = (u64::from(word) * starts.len() as u64) >> 32;
        let (trajectory, first) = starts[place as usize];
        let run = reader.read(trajectory, first..first + frames)?;
        path[result.given * len..].copy_from_slice(&run);
        Ok(())
    })
}
