//! Monthly means that were subtracted, kept so that they can be added back.

use std::f64::consts::TAU;

use anyhow::{Context, Result};
use nalgebra::{SMatrix, SVector};
use serde_json::json;

use super::store::{self, Store};
use super::{Attributes, Spec};

/// Mean of every calendar month over the training part, or a smooth annual cycle through those
/// means.
#[derive(Clone, Debug, PartialEq)]
pub struct Climatology {
    /// `[month][channel][y][x]`, January first, in the channels' units.
    pub values: Vec<f32>,
}

impl Climatology {
    /// The field of a month (1 to 12), `[channel][y][x]`.
    pub fn month(&self, month: u8) -> &[f32] {
        let len = self.values.len() / 12;
        &self.values[usize::from(month - 1) * len..][..len]
    }

    /// Replaces the months by the least-squares fit of a mean and two harmonics of the year to
    /// them, each weighted by its count.
    ///
    /// The mean of n years takes a part 1/n of what varies from year to year with it: anomalies of
    /// the years it was taken from come out too small, by 1 − 1/n, and those of other years too
    /// large. Five numbers take less of it than twelve do.
    ///
    /// # Errors
    /// If fewer than five months have any count.
    pub(crate) fn smooth(&mut self, counts: &[u32; 12]) -> Result<()> {
        let basis = SMatrix::<f64, 12, 5>::from_fn(|month, n| {
            let phase = TAU * month as f64 / 12.0;
            [1.0, phase.cos(), phase.sin(), (2.0 * phase).cos(), (2.0 * phase).sin()][n]
        });
        let counts = SVector::<f64, 12>::from_iterator(counts.iter().map(|n| f64::from(*n)));
        let weighted = basis.transpose() * SMatrix::from_diagonal(&counts);
        let fit = (weighted * basis).cholesky().context(
            "--anomaly annual-cycle needs training frames in at least five months of the \
                      year: use monthly",
        )?;
        let smoothing = basis * fit.solve(&weighted);
        let len = self.values.len() / 12;
        for place in 0..len {
            let means = SVector::<f64, 12>::from_fn(|m, _| f64::from(self.values[m * len + place]));
            for (month, value) in (smoothing * means).iter().enumerate() {
                self.values[month * len + place] = *value as f32;
            }
        }
        Ok(())
    }

    /// Writes the group `climatology`: one array `(month, y, x)` per channel.
    pub(super) fn write(&self, store: &Store, spec: &Spec) -> Result<()> {
        let mut dimensions = vec![("month", 12)];
        dimensions.extend(spec.axes().map(|axis| (axis.name.as_str(), axis.points())));
        for (c, channel) in spec.channels.iter().enumerate() {
            let months = self.values.chunks_exact(spec.frame_len());
            let values: Vec<f32> =
                months.flat_map(|m| m[c * spec.points()..][..spec.points()].to_vec()).collect();
            let attributes = Attributes::from_iter([
                ("units".into(), json!(channel.units)),
                ("long_name".into(), json!(format!("monthly mean of {}", channel.long_name))),
            ]);
            let path = format!("/climatology/{}", channel.name);
            store::write(store, &path, &dimensions, &values, attributes)?;
        }
        let months: Vec<i64> = (1..=12).collect();
        store::write(store, "/climatology/month", &[("month", 12)], &months, Attributes::new())?;
        for axis in spec.axes() {
            let path = format!("/climatology/{}", axis.name);
            let dimension = [(axis.name.as_str(), axis.points())];
            store::write(store, &path, &dimension, &axis.coordinates, axis.attributes.clone())?;
        }
        store::write_group(store, "/climatology", Attributes::new())
    }

    /// Reads the group `climatology`.
    pub(super) fn read(store: &Store, spec: &Spec) -> Result<Self> {
        let mut shape = vec![12];
        shape.extend(spec.axes().map(|axis| axis.points()));
        let (points, len) = (spec.points(), spec.frame_len());
        let mut values = vec![0.0; 12 * len];
        for (c, channel) in spec.channels.iter().enumerate() {
            let path = format!("/climatology/{}", channel.name);
            let field = store::read::<f32>(store, &path, &shape)?;
            for (month, field) in values.chunks_exact_mut(len).zip(field.chunks_exact(points)) {
                month[c * points..][..points].copy_from_slice(field);
            }
        }
        Ok(Self { values })
    }
}
