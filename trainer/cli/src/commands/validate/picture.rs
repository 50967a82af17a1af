//! The field in which a runtime was furthest from the reference.

use std::path::Path;

use anyhow::Result;

use finescale_model::Meta;
use finescale_plot::{Axis, Field, FieldGrid, Figure, Plot, Series};

/// One channel of one frame, as the reference and as a runtime have it.
pub(super) struct Worst {
    /// Which runtime, output, and what it is of.
    pub(super) title: String,
    /// RMS difference of the whole output over what is allowed.
    pub(super) excess: f64,
    expected: Vec<f32>,
    got: Vec<f32>,
}

impl Worst {
    /// The field of `points` values around the largest difference of an output.
    pub(super) fn new(
        title: String,
        excess: f64,
        got: &[f32],
        expected: &[f64],
        points: usize,
    ) -> Self {
        let difference = |field: &(&[f32], &[f64])| {
            let both = field.0.iter().zip(field.1);
            both.fold(0.0, |most: f64, (g, e)| most.max((f64::from(*g) - e).abs()))
        };
        let fields = got.chunks_exact(points).zip(expected.chunks_exact(points));
        let worst = fields.max_by(|a, b| difference(a).total_cmp(&difference(b)));
        let (got, expected) = worst.unwrap_or_default();
        let expected = expected.iter().map(|value| *value as f32).collect();
        Self { title, excess, expected, got: got.to_vec() }
    }

    /// Draws both, and their difference.
    pub(super) fn draw<S>(&self, meta: &Meta<S>, path: &Path) -> Result<()> {
        let pairs = self.got.iter().zip(&self.expected);
        let difference: Vec<f32> = pairs.map(|(got, expected)| got - expected).collect();
        let figure = Figure::new().title(&self.title);
        match &meta.y {
            Some(y) => {
                let field = |values, title: &str| {
                    let field = Field::new(values, y.points, meta.x.points)?.title(title);
                    Ok::<_, anyhow::Error>(field)
                };
                let both = vec![field(&self.expected, "reference")?, field(&self.got, "runtime")?];
                let figure = figure.push(FieldGrid::row(both));
                figure.push(FieldGrid::row(vec![field(&difference, "difference")?]))
            }
            None => {
                let plot = |title: &str, lines: &[(&str, &[f32])]| -> Result<Plot> {
                    let plot = Plot::new(Axis::linear("point"), Axis::linear("standardised"));
                    lines.iter().try_fold(plot.title(title), |plot, (name, values)| {
                        let x = (0..values.len()).map(|n| n as f64).collect();
                        let y = values.iter().copied().map(f64::from).collect();
                        Ok(plot.series(Series::new(*name, x, y)?))
                    })
                };
                let both: [(&str, &[f32]); 2] =
                    [("reference", &self.expected), ("runtime", &self.got)];
                figure.push(vec![
                    plot("output", &both)?,
                    plot("difference", &[("runtime − reference", &difference)])?,
                ])
            }
        }
        .save(path)
    }
}
