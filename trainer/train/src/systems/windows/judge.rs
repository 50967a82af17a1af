//! How good an ensemble of windows is: members beside the truth, on the validation part.

use anyhow::Result;
use finescale::Grid;
use finescale_data::dataset::spread;

use super::batch::Draw;
use super::fields::values;
use crate::engine::frames::Frames;
use crate::engine::kernels::Kernels;
use crate::systems::Validation;

/// Windows of the validation part.
pub struct Judge<'a, B: Kernels> {
    /// The grid.
    pub grid: &'a Grid,
    /// The part.
    pub valid: &'a Frames<B>,
    /// Windows that are judged.
    pub windows: usize,
    /// Members of each.
    pub members: usize,
    /// Known frames of a window.
    pub history: usize,
    /// Frames after them.
    pub horizon: usize,
}

impl<B: Kernels> Judge<'_, B> {
    /// Fair CRPS of the frames that members draw after the known ones, `[frame][…]`, and the errors
    /// of the members' mean, and of a frame that stands for all of them.
    ///
    /// # Errors
    /// After Ctrl-C, or what the drawing says.
    pub fn forecast(
        &self,
        still: &[f64],
        mut draw: impl FnMut(usize) -> Result<Vec<Vec<f64>>>,
    ) -> Result<Validation> {
        let members = (0..self.members).map(|member| {
            finescale_host::interrupt::check()?;
            draw(member)
        });
        let members: Vec<Vec<Vec<f64>>> = members.collect::<Result<_>>()?;
        let mut found = Validation::default();
        let mut sum = 0.0;
        for n in 0..self.horizon {
            let truth = self.frame(self.history + n);
            let frame: Vec<_> = members.iter().map(|frames| frames[n].clone()).collect();
            sum += fair_crps(&frame, &truth);
            let mean: Vec<f64> = (0..truth.len())
                .map(|at| frame.iter().map(|member| member[at]).sum::<f64>() / frame.len() as f64)
                .collect();
            found.rollout.push(relative(&mean, &truth));
            found.persistence.push(relative(still, &truth));
        }
        found.losses = vec![(0.0, sum / self.horizon as f64)];
        Ok(found)
    }

    /// The windows.
    pub fn draw(&self) -> Draw {
        let starts = spread(self.valid.starts(), self.windows);
        let steps = vec![0; starts.len()];
        Draw { starts, steps, symmetries: Vec::new() }
    }

    /// A frame of all windows, `[window][channel][y][x]`.
    pub fn frame(&self, place: usize) -> Vec<f64> {
        let [frame] = self.draw().frames(self.valid, self.grid, [&|_| place]);
        values(frame)
    }

    /// The known frames of all windows, one after the other.
    pub fn known(&self) -> Vec<f64> {
        (0..self.history).flat_map(|place| self.frame(place)).collect()
    }
}

/// The mean of a loss over so many levels of noise.
///
/// # Errors
/// After Ctrl-C.
pub fn over_levels(levels: usize, loss: impl Fn(usize) -> f32) -> Result<Validation> {
    let mut sum = 0.0;
    for level in 0..levels {
        finescale_host::interrupt::check()?;
        sum += f64::from(loss(level));
    }
    Ok(Validation { losses: vec![(0.0, sum / levels as f64)], ..Validation::default() })
}

/// E|x − y| − ½ E|x − x′| over pairs of different members, averaged over the values.
pub fn fair_crps(members: &[Vec<f64>], truth: &[f64]) -> f64 {
    let count = members.len();
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    let error: f64 = members.iter().map(|member| distance(member, truth)).sum();
    let pairs = members.iter().enumerate();
    let pairs = pairs.flat_map(|(n, a)| members[..n].iter().map(move |b| (a, b)));
    let spread: f64 = pairs.map(|(a, b)| distance(a, b)).sum();
    let pairs = (count * count.saturating_sub(1)).max(1) as f64;
    (error / count as f64 - spread / pairs) / truth.len() as f64
}

/// ‖a − b‖ / ‖b‖.
pub fn relative(a: &[f64], b: &[f64]) -> f64 {
    let error: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    (error / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If it failed, an ensemble would be judged by its number of members: of {0, 1} beside y the
    /// pairs' term takes ½ away, of one member nothing.
    #[test]
    fn the_score_of_two_members_is_that_of_the_formula() {
        let members = [vec![0.0, 0.0], vec![1.0, 1.0]];
        assert!((fair_crps(&members, &[0.0, 3.0]) - 0.5 * (0.0 + 2.0)).abs() < 1e-12);
        assert!((fair_crps(&members[..1], &[0.0, 3.0]) - 1.5).abs() < 1e-12);
        assert!((relative(&[1.0, 0.0], &[0.0, 2.0]) - 1.25_f64.sqrt()).abs() < 1e-12);
    }
}
