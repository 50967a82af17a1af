//! Export of a conditional mean.

use std::path::Path;

use anyhow::{Result, ensure};

use super::{ExportArgs, Format};
use finescale_data::dataset::Reader;
use finescale_model::export::quantize::rounded;
use finescale_model::export::{Bounds, Precision, mean_file};
use finescale_model::{ConditionalMean, Model, NetworkMeta};
use finescale_sample::mean_error::Cases;

impl ExportArgs {
    /// Writes a conditional mean for boards or for other runtimes.
    pub(crate) fn mean(&self, path: &Path) -> Result<()> {
        let model: Model<ConditionalMean> = Model::open(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        self.fits(model.meta.network == NetworkMeta::Linear)?;
        if self.format == Format::Onnx {
            let folder = self.out.as_deref().unwrap_or(folder);
            return super::write(folder, &[("mean.onnx", super::mean_onnx(&model)?)]);
        }
        let bounds = match &self.data {
            Some(data) => self.measure_mean(&model, data)?,
            None => Bounds::default(),
        };
        let out = self.out.clone().unwrap_or_else(|| folder.join("model.finescale"));
        let bytes = mean_file(&model, self.quantize, &bounds)?;
        finescale_host::write::atomically(&out, &bytes)?;
        println!("{}: {} bytes", out.display(), bytes.len());
        Ok(())
    }

    /// Prints what fewer bits cost; gives the bounds of the layers.
    fn measure_mean(&self, model: &Model<ConditionalMean>, data: &Path) -> Result<Bounds> {
        let reader = Reader::open(data)?;
        ensure!(
            reader.hash() == model.meta.data || self.force,
            "{} is not the data set that the model was trained on: give that one, or --force",
            data.display()
        );
        let cases = Cases::read(model, &reader)?;
        let bounds = cases.bounds(&rounded(model))?;
        if self.quantize == Precision::F32 {
            return Ok(bounds);
        }
        let name = self.quantize.name();
        let before = cases.error(model, Precision::F32, &bounds)?;
        let after = cases.error(model, self.quantize, &bounds)?;
        println!("relative L² of the mean on validation frames (f32 → {name}):");
        for ((channel, before), after) in model.meta.channels.iter().zip(&before).zip(&after) {
            println!("  {:<12} {before:.5} → {after:.5}", channel.name);
        }
        // What no network can know does not grow: errors are compared as they are.
        let lost = before.iter().zip(&after).map(|(before, after)| after / before - 1.0);
        let lost = lost.fold(f64::NEG_INFINITY, f64::max);
        ensure!(
            lost <= self.most_loss || self.force,
            "--quantize {name} raises the error of the mean by {:.1} %, more than --most-loss {} \
             allows: export f32, or use --force",
            100.0 * lost,
            self.most_loss
        );
        Ok(bounds)
    }
}
