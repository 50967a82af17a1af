//! A network as a model, with the errors of its base until its own are measured.

use std::collections::BTreeMap;

use anyhow::Result;
use finescale_model::conditional::{self, SensorMeta};
use finescale_model::{Array, Meta, Model};

use super::ConditionalMean;
use super::base::FittedBase;
use super::measure::Errors;
use super::network::Mapped;
use crate::engine::checkpoint::Kept;
use crate::engine::{Trainable, weights};
use crate::networks::Kind;
use crate::systems::described;

impl ConditionalMean {
    /// The model of a network after its steps; without one the base alone.
    pub(super) fn with<A: Trainable>(
        &self,
        kept: Option<&Kept<Mapped<A>>>,
    ) -> Result<Model<conditional::ConditionalMean>> {
        let mut arrays =
            kept.map_or_else(BTreeMap::new, |kept| weights::export::<A, _>(&kept.network.network));
        let (settings, known) = (&self.config.mean, &self.known);
        let (fine, coarse, channels) = (self.sensor.fine, self.sensor.coarse, self.channels());
        let linear = self.config.network.kind == Kind::Linear;
        let maps = kept.and_then(|kept| kept.network.maps.as_ref());
        let maps = maps.map(|maps| crate::engine::frames::numbers(maps.val()));
        let count = if linear { 0 } else { settings.maps };
        let (ny, nx) = (fine.ny(), fine.nx());
        let mut put = |name: &str, shape: Vec<usize>, values: Vec<f32>| {
            arrays.insert(name.into(), Array { shape, values });
        };
        let field = vec![channels, ny, nx];
        let seen = vec![channels, coarse[0], coarse[1]];
        put("climatology", field.clone(), known.climatology.clone());
        put("coarse_climatology", seen.clone(), known.coarse_climatology.clone());
        put("input_power", field, known.input_power.clone());
        put("deviation", vec![channels], known.deviation.clone());
        put("maps", vec![count, ny, nx], maps.unwrap_or_default());
        if let FittedBase::Ridge { down, up } = &known.base {
            let rank = up.ncols();
            // A matrix is stored by columns, which are the rows of its transpose.
            let shape = [vec![rank, settings.frames()], seen].concat();
            put("down", shape, down.transpose().as_slice().to_vec());
            put("up", vec![channels, ny, nx, rank], up.transpose().as_slice().to_vec());
        }
        let sensor = &self.config.sensor;
        let system = conditional::ConditionalMean {
            sensor: SensorMeta {
                kind: sensor.kind,
                y: fine.y().map(|_| coarse[0]),
                x: coarse[1],
                noise: sensor.noise,
            },
            before: settings.before,
            after: settings.after,
            base: settings.base,
            inputs: if linear { Vec::new() } else { settings.inputs.clone() },
            maps: count,
            window: settings.window,
        };
        let steps = kept.map_or(0, |kept| kept.steps);
        let meta: Meta<_> = described(&self.name, &self.reader, &self.config, fine, steps, system);
        let mut model = Model { meta, arrays };
        self.put_errors(&self.base_errors, &mut model);
        Ok(model)
    }

    /// Puts the Gaussian of errors into a model.
    pub(super) fn put_errors(
        &self,
        errors: &Errors,
        model: &mut Model<conditional::ConditionalMean>,
    ) {
        let (grid, channels) = (self.sensor.fine, self.channels());
        let Errors { spread, autocovariance: of } = errors;
        let shape = vec![channels, grid.ny(), grid.nx()];
        model.arrays.insert("spread".into(), Array { shape, values: spread.clone() });
        let shape = vec![of.window + 1, channels, channels, grid.ny(), grid.nx()];
        model.arrays.insert("autocovariance".into(), Array { shape, values: of.values.clone() });
    }
}
