//! The table of differences, row by row, and what it comes to.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::ValidateArgs;
use super::picture::Worst;
use finescale_host::table::Table;
use finescale_model::Meta;

/// Rows that are shown as they are made: an interrupted run has what it has.
pub(super) struct Rows {
    table: Table,
    points: usize,
    failed: usize,
    worst: Option<Worst>,
}

/// What a runtime makes of one output.
pub(super) struct Row<'a> {
    pub(super) runtime: &'static str,
    pub(super) output: &'a str,
    /// What the output is of, as the table's third column has it.
    pub(super) at: String,
    /// What a picture of it is called.
    pub(super) title: String,
    pub(super) got: &'a [f32],
    pub(super) expected: &'a [f64],
    /// Of the runtime, and of the reference.
    pub(super) took: [Duration; 2],
    pub(super) tolerance: f64,
    /// Added to what passes.
    pub(super) remark: &'static str,
}

impl Rows {
    /// Prints the head, with the third column's and its widest cell; fields are of `points` values.
    pub(super) fn begin(at: &str, widest: &str, points: usize) -> Self {
        let table = Table::new().left("runtime").left("output").right(at).right("RMS");
        let table = table.right("largest").right("ms").right("f64, ms").left("");
        let table =
            table.fit(["", "path score", widest, "0.0e-10", "0.0e-10", "00000.00", "00000.00"]);
        println!("{}", table.head());
        Self { table, points, failed: 0, worst: None }
    }

    /// Prints a row.
    pub(super) fn add(&mut self, row: Row<'_>) {
        let [rms, largest] = differences(row.got, row.expected);
        // In units of what is allowed, so that eight bits do not always win.
        let excess = rms / row.tolerance;
        if self.worst.as_ref().is_none_or(|worst| excess > worst.excess) {
            self.worst = Some(Worst::new(row.title, excess, row.got, row.expected, self.points));
        }
        let passed = rms <= row.tolerance;
        self.failed += usize::from(!passed);
        let [took, reference] = row.took.map(|time| format!("{:.2}", 1e3 * time.as_secs_f64()));
        let verdict = if passed { format!("pass{}", row.remark) } else { "FAIL".into() };
        let differences = [rms, largest].map(|difference| format!("{difference:.1e}"));
        let [rms, largest] = &differences;
        let cells = [row.runtime, row.output, &row.at, rms, largest, &took, &reference, &verdict];
        println!("{}", self.table.line(cells));
    }

    /// Draws the worst field.
    ///
    /// # Errors
    /// If a difference was too large.
    pub(super) fn finish<S>(self, meta: &Meta<S>, args: &ValidateArgs) -> Result<()> {
        if let Some(worst) = &self.worst {
            worst.draw(meta, &args.picture)?;
            println!("{}", args.picture.display());
        }
        ensure!(
            self.failed == 0,
            "{} outputs differ from the reference by more than {} (with weights of eight bits {})",
            self.failed,
            args.tolerance,
            args.tolerance_int8
        );
        Ok(())
    }
}

/// RMS and largest difference over the expected RMS.
fn differences(got: &[f32], expected: &[f64]) -> [f64; 2] {
    let n = expected.len() as f64;
    let size = (expected.iter().map(|e| e * e).sum::<f64>() / n).sqrt();
    let errors = || got.iter().zip(expected).map(|(g, e)| (f64::from(*g) - e).abs());
    let rms = (errors().map(|e| e * e).sum::<f64>() / n).sqrt();
    [rms / size, errors().fold(0.0, f64::max) / size]
}
