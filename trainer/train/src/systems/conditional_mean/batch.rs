//! Batches: frames are drawn on the host, everything else happens on the device.

use std::ops::Range;

use anyhow::Result;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::base::FittedBase;
use super::frames::{Part, window};
use super::known::Known;
use super::sensor::Sensor;
use super::settings::Mean;
use crate::config::Config;
use crate::engine::basis::{Basis, along_axes};
use crate::engine::frames::{below, index, seeded_normal, unit};
use crate::engine::symmetries::{Drawn, moved};
use crate::engine::views::{self, Seen};
use finescale::Grid;

/// The frames of a part on a device.
#[derive(Clone, Debug)]
pub struct Held<B: Backend> {
    /// `[frame, channels · coarse points]`.
    coarse: Tensor<B, 2>,
    /// `[frame, channels · points]`.
    fine: Tensor<B, 2>,
    segments: Vec<Range<usize>>,
    /// The frames whose whole window is there.
    whole: Vec<usize>,
    /// Noise that coarse values get in every batch.
    noise: f32,
    grid: Grid,
    device: B::Device,
}

/// Which frames a batch is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draw {
    /// The frames whose mean is asked for.
    pub frames: Vec<usize>,
    /// The coarse frames of their windows, `[sample][frame]`.
    pub windows: Vec<usize>,
    /// Seed of the noise.
    pub noise: u64,
    /// The symmetry of each sample; none if the data have none.
    pub symmetries: Vec<Drawn>,
}

/// What the network sees, and what it should give.
#[derive(Clone, Debug)]
pub struct Batch<B: Backend> {
    /// `[batch, fields, y, x]`.
    pub fields: Tensor<B, 4>,
    /// What the base leaves, in deviations, `[batch, channels, y, x]`.
    pub target: Tensor<B, 4>,
}

/// What all batches on a device are made with.
#[derive(Clone, Debug)]
pub struct Tables<B: Backend> {
    grid: Grid,
    channels: usize,
    settings: Mean,
    /// Points of a coarse frame, y and x.
    coarse: [usize; 2],
    /// Fine points to coarse ones along each axis.
    sees: [Option<Tensor<B, 2>>; 2],
    basis: Basis<B>,
    /// Coarse points to û_y along each axis.
    y: Option<Tensor<B, 2>>,
    x: Tensor<B, 2>,
    seen: Vec<Seen<B>>,
    /// The transposes of a ridge's `down` and `up`.
    ridge: Option<[Tensor<B, 2>; 2]>,
    /// `[1, channels, 1, 1]`.
    pub(super) deviation: Tensor<B, 4>,
}

fn tensor<B: Backend, const D: usize>(
    values: &[f32],
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

impl<B: Backend> Held<B> {
    /// Moves coarse frames as they are seen, and fine ones, to a device.
    pub fn new(
        part: &Part,
        seen: &[f32],
        settings: &Mean,
        noise: f32,
        grid: &Grid,
        device: &B::Device,
    ) -> Self {
        let whole = part.whole(settings.before, settings.after);
        let frames = part.frames();
        let rows = |values: &[f32]| tensor(values, [frames, values.len() / frames], device);
        let (coarse, fine) = (rows(seen), rows(&part.fine));
        let (segments, device) = (part.segments.clone(), device.clone());
        Self { coarse, fine, segments, whole, noise, grid: *grid, device }
    }

    /// Frames.
    pub fn frames(&self) -> usize {
        self.fine.dims()[0]
    }

    /// These frames with their whole windows.
    pub fn of(&self, settings: &Mean, frames: Vec<usize>) -> Draw {
        let around = |&n: &usize| window(&self.segments, n, settings.before, settings.after);
        let windows = frames.iter().flat_map(around).collect();
        Draw { frames, windows, ..Draw::default() }
    }

    /// A training batch. The same number gives the same draw.
    pub fn draw(&self, config: &Config, number: u64) -> Draw {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(number);
        let frames = (0..config.training.batch).map(|_| {
            let anywhere = self.whole.is_empty() || unit(&mut rng) < config.mean.ends;
            if anywhere {
                below(&mut rng, self.frames())
            } else {
                self.whole[below(&mut rng, self.whole.len())]
            }
        });
        let frames = frames.collect();
        let mut draw = self.of(&config.mean, frames);
        let lost = config.sensor.lost;
        if lost > 0.0 {
            for places in draw.windows.chunks_exact_mut(config.mean.frames()) {
                // The frame before the first is that before the window.
                let first = window(&self.segments, places[0], 1, 0).next();
                let mut before = first.unwrap_or(places[0]);
                for place in places {
                    if unit(&mut rng) < lost {
                        *place = before;
                    }
                    before = *place;
                }
            }
        }
        draw.noise = rng.next_u64();
        let symmetries = &config.symmetries;
        if !symmetries.is_empty() {
            let grid = &self.grid;
            draw.symmetries = draw.frames.iter().map(|_| symmetries.draw(grid, &mut rng)).collect();
        }
        draw
    }

    /// Fine frames, moved by the symmetries of a draw, `[frame, channels · points]`. Every sample
    /// has as many of them.
    fn fine(&self, frames: &[usize], draw: &Draw, grid: &Grid) -> Tensor<B, 2> {
        let places = frames.iter().map(|&n| n as i32).collect();
        let fine = self.fine.clone().select(0, index(places, &self.device));
        if draw.symmetries.is_empty() {
            return fine;
        }
        let [all, values] = fine.dims();
        let fields = fine.reshape([draw.symmetries.len() as i32, -1, grid.points() as i32]);
        moved(fields, grid, &draw.symmetries).reshape([all, values])
    }

    /// The coarse windows of a draw, `[batch · frames, channels · coarse points]`.
    fn windows(&self, draw: &Draw, tables: &Tables<B>) -> Tensor<B, 2> {
        let windows = if draw.symmetries.is_empty() {
            let places = draw.windows.iter().map(|&n| n as i32).collect();
            self.coarse.clone().select(0, index(places, &self.device))
        } else {
            // A sensor sees something else of a field that was moved by less than a pixel.
            tables.coarse(self.fine(&draw.windows, draw, &tables.grid))
        };
        if self.noise == 0.0 {
            return windows;
        }
        let [all, values] = windows.dims();
        let noise = seeded_normal([all, 1, 1, values], draw.noise, &self.device);
        // A frame that stands in several places of a window has the same noise in all.
        let frames = all / draw.frames.len();
        let same = |(n, frame): (usize, &usize)| {
            let start = n / frames * frames;
            let first = draw.windows[start..].iter().position(|other| other == frame);
            (start + first.unwrap_or(n - start)) as i32
        };
        let places = draw.windows.iter().enumerate().map(same).collect();
        let noise = noise.reshape([all, values]).select(0, index(places, &self.device));
        windows + noise * self.noise
    }
}

impl<B: Backend> Tables<B> {
    /// On a device.
    ///
    /// # Errors
    /// Never for a sensor that exists.
    pub fn new(
        known: &Known,
        sensor: &Sensor,
        settings: &Mean,
        device: &B::Device,
    ) -> Result<Self> {
        let (grid, coarse, channels) = (sensor.fine, sensor.coarse, known.deviation.len());
        let mut matrices = sensor.matrices()?;
        let x = matrices.pop().unwrap_or_default();
        let y = matrices.pop().map(|y| tensor(&y, [coarse[0], grid.ny()], device));
        let mut sees = sensor.sees()?;
        let sees_x = sees.pop().map(|x| tensor(&x, [grid.nx(), coarse[1]], device));
        let sees_y = sees.pop().map(|y| tensor(&y, [grid.ny(), coarse[0]], device));
        let sees = [sees_y, sees_x];
        let rows = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            tensor(&values, [1, values.len()], device)
        };
        let seen = known.seen(&grid, settings.views()).into_iter().map(|seen| Seen {
            component: seen.component,
            filter: rows(&seen.filter),
            factors: rows(&seen.factors),
        });
        let ridge =
            match &known.base {
                FittedBase::Interpolation => None,
                // A matrix is stored by columns, which are the rows of its transpose.
                FittedBase::Ridge { down, up } => Some([down, up].map(|matrix| {
                    tensor(matrix.as_slice(), [matrix.ncols(), matrix.nrows()], device)
                })),
            };
        Ok(Self {
            grid,
            channels,
            settings: settings.clone(),
            coarse,
            sees,
            basis: Basis::new(&grid, device)?,
            y,
            x: tensor(&x, [coarse[1], grid.nx()], device),
            seen: seen.collect(),
            ridge,
            deviation: tensor(&known.deviation, [1, channels, 1, 1], device),
        })
    }

    /// What the sensor sees of fine frames `[frame, channels · points]`.
    fn coarse(&self, fine: Tensor<B, 2>) -> Tensor<B, 2> {
        let [frames, _] = fine.dims();
        let fields = fine.reshape([-1, self.grid.ny() as i32, self.grid.nx() as i32]);
        let [y, x] = self.sees.clone();
        let x = x.expect("every grid has an x axis");
        along_axes(fields, y, x).reshape([frames as i32, -1])
    }

    /// What windows are.
    pub fn settings(&self) -> &Mean {
        &self.settings
    }

    /// Gathers the windows of a draw, and computes what is seen of them and the base.
    pub fn batch(&self, part: &Held<B>, draw: &Draw) -> Batch<B> {
        let (batch, frames, channels) = (draw.frames.len(), self.settings.frames(), self.channels);
        let (ny, nx, modes) = (self.grid.ny(), self.grid.nx(), self.grid.points());
        let windows = part.windows(draw, self);
        let [rows, columns] = self.coarse;
        let coarse = windows.clone().reshape([batch * frames * channels, rows, columns]);
        let spectra = along_axes(coarse, self.y.clone(), self.x.clone());
        let spectra = spectra.reshape([batch, frames, channels, modes]);
        let base = match &self.ridge {
            Some([down, up]) => {
                let windows = windows.reshape([batch as i32, -1]);
                windows.matmul(down.clone()).matmul(up.clone()).reshape([batch, channels, ny, nx])
            }
            None => {
                let asked = spectra.clone().narrow(1, self.settings.before, 1);
                let asked = asked.reshape([batch * channels, modes]);
                self.basis.inverse(asked).reshape([batch, channels, ny, nx])
            }
        };
        let truth = part.fine(&draw.frames, draw, &self.grid);
        let target = (truth.reshape([batch, channels, ny, nx]) - base) / self.deviation.clone();
        let fields = views::fields(&self.grid, &self.basis, &spectra, self.seen.iter().cloned());
        Batch { fields, target }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::backend::Cpu;
    use crate::engine::frames::numbers;
    use crate::engine::symmetries::Turn;
    use crate::systems::conditional_mean::known::left;
    use finescale::model::View;
    use finescale::{Axis, NoiseStream};
    use finescale_field::coarsening::SensorKind;
    use finescale_model::conditional;

    /// Two channels of white noise on a plane, which one sensor sees.
    fn case(base: conditional::Base) -> (Config, Sensor, Known, Part) {
        let mut config = Config::default();
        config.mean =
            Mean { before: 2, after: 1, base, inputs: vec![View::Raw], ..config.mean.clone() };
        let axis = Axis::periodic(32).unwrap();
        let grid = Grid::plane(axis, axis).unwrap();
        let sensor = Sensor::new(&grid, SensorKind::BlockMean, 4).unwrap();
        let part = |draw| {
            let mut fine = vec![0.0; 24 * 2 * 1024];
            NoiseStream { seed: 6, member: 0, frame: 0, draw }.fill(&mut fine);
            Part { segments: vec![0..10, 10..24], fine, coarse: Vec::new() }
        };
        let (mut train, mut valid) = (part(0), part(1));
        let known = Known::measure(&config, &sensor, &mut train, &mut valid).unwrap();
        (config, sensor, known, train)
    }

    /// If it failed, a network would be trained on another base than the one that is written.
    #[test]
    fn a_batch_is_what_the_host_knows() {
        for base in [conditional::Base::Interpolation, conditional::Base::Ridge] {
            let (config, sensor, known, part) = case(base);
            let left = left(&known.base, &config, &sensor, &part, &part.coarse).unwrap();
            let device = Default::default();
            let held =
                Held::<Cpu>::new(&part, &part.coarse, &config.mean, 0.0, &sensor.fine, &device);
            let tables = Tables::new(&known, &sensor, &config.mean, &device).unwrap();
            let frames = vec![0, 9, 10, 17, 23];
            let batch = tables.batch(&held, &held.of(&config.mean, frames.clone()));
            let found = numbers(batch.target * tables.deviation.clone());
            let close = |a: &[f32], b: &[f32], size: f32| {
                assert_eq!(a.len(), b.len());
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-4 * size));
            };
            for (found, n) in found.chunks_exact(2048).zip(&frames) {
                close(found, &left[n * 2048..][..2048], 1.0);
            }
            // The raw view of the frame itself is the interpolation at unit variance.
            assert_eq!(batch.fields.dims(), [5, 4 * 2, 32, 32]);
            let fields = numbers(batch.fields.narrow(1, 4, 2));
            let seen = FittedBase::Interpolation.fields(&config.mean, &sensor, &part, &part.coarse);
            let power = known.input_power.chunks_exact(1024);
            let scales: Vec<f32> = power.map(|p| (p.iter().sum::<f32>() / 1024.0).sqrt()).collect();
            let seen: Vec<f32> = seen
                .unwrap()
                .chunks_exact(1024)
                .zip(scales.iter().cycle())
                .flat_map(|(field, scale)| field.iter().map(move |value| value / scale))
                .collect();
            for (fields, n) in fields.chunks_exact(2048).zip(&frames) {
                close(fields, &seen[n * 2048..][..2048], 5.0);
            }
        }
    }

    /// If it failed, a network would be shown coarse frames of other fields than it has to find.
    #[test]
    fn a_moved_sample_is_what_the_sensor_sees_of_the_moved_field() {
        let (mut config, sensor, known, part) = case(conditional::Base::Interpolation);
        config.symmetries.shift_x = 1;
        config.symmetries.turns = vec![Turn::OddFlipY, Turn::Transpose];
        config.training.batch = 3;
        let device = Default::default();
        let of = |part: &Part| {
            Held::<Cpu>::new(part, &part.coarse, &config.mean, 0.0, &sensor.fine, &device)
        };
        let tables = Tables::new(&known, &sensor, &config.mean, &device).unwrap();
        let (held, still) = (of(&part), Draw::default());
        let draw = held.draw(&config, 5);
        let batch = tables.batch(&held, &draw);
        for (sample, symmetry) in draw.symmetries.iter().enumerate() {
            let fine = held.fine.clone().reshape([1, -1, 1024]);
            let fine = numbers(moved(fine, &sensor.fine, &[*symmetry]));
            let coarse = sensor.values(&fine).unwrap();
            let held = of(&Part { segments: part.segments.clone(), fine, coarse });
            let draw = Draw {
                frames: vec![draw.frames[sample]],
                windows: draw.windows[sample * 4..][..4].to_vec(),
                ..still.clone()
            };
            let expected = tables.batch(&held, &draw);
            let close = |found: Tensor<Cpu, 4>, expected: Tensor<Cpu, 4>| {
                let found = numbers(found.narrow(0, sample, 1));
                let pairs = found.into_iter().zip(numbers(expected));
                assert!(pairs.fold(0.0, |most: f32, (a, b)| most.max((a - b).abs())) < 1e-4);
            };
            close(batch.fields.clone(), expected.fields);
            close(batch.target.clone(), expected.target);
        }
    }

    /// If it failed, the first frames of a segment would have less noise than a board's.
    #[test]
    fn a_frame_has_one_noise_in_a_window_and_lost_frames_are_repeated() {
        let (mut config, sensor, known, part) = case(conditional::Base::Interpolation);
        let device = Default::default();
        let tables = Tables::new(&known, &sensor, &config.mean, &device).unwrap();
        let held = Held::<Cpu>::new(&part, &part.coarse, &config.mean, 0.5, &sensor.fine, &device);
        let draw = Draw { noise: 7, ..held.of(&config.mean, vec![10, 10]) };
        assert_eq!(draw.windows, [10, 10, 10, 11, 10, 10, 10, 11]);
        let values = numbers(held.windows(&draw, &tables));
        let frame = |n: usize| &values[n * 128..][..128];
        assert!(frame(0) == frame(1) && frame(1) == frame(2) && frame(0) != frame(4));
        let errors = |n: usize, of: usize| -> f32 {
            let clean = &part.coarse[of * 128..][..128];
            frame(n).iter().zip(clean).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / 128.0
        };
        assert!((0.15..0.4).contains(&errors(0, 10)) && (0.15..0.4).contains(&errors(3, 11)));

        // Of the two segments, frames 2 to 8 and 12 to 22 have their whole window.
        let whole = |n: &usize| (2..9).contains(n) || (12..23).contains(n);
        let ends = |config: &Config| {
            let draws = (0..20).flat_map(|number| held.draw(config, number).frames);
            draws.filter(|n| !whole(n)).count()
        };
        config.mean.ends = 0.0;
        assert_eq!(ends(&config), 0);
        config.mean.ends = 1.0;
        assert!(ends(&config) > 40, "{}", ends(&config));

        config.sensor.lost = 0.5;
        let draw = held.draw(&config, 3);
        assert_eq!(draw, held.draw(&config, 3));
        let whole = held.of(&config.mean, draw.frames.clone());
        let lost = draw.windows.iter().zip(&whole.windows).filter(|(a, b)| a < b).count();
        assert!((16..40).contains(&lost), "{lost} of 64");
        for window in draw.windows.chunks_exact(4) {
            assert!(window.is_sorted() && (window[0] < 10) == (window[3] < 10), "{window:?}");
        }
    }
}
