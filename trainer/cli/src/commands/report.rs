//! `finescale report`: results side by side on one page.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::baselines::KnowledgeArgs;
use super::origin::OriginArgs;
use super::score::{RelativeArgs, truth};
use finescale_ensemble::Ensemble;
use finescale_host::table::Table;
use finescale_host::write::atomically;
use finescale_judge::report::{html, scored};
use finescale_judge::score::number;

/// Report results of the same frames, and the baselines, on one HTML page that needs nothing else
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The results, the one of interest first
    #[arg(required = true)]
    results: Vec<PathBuf>,
    /// The page to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// What they are compared with: another result of the same frames, or a data set; by default
    /// the truth inside the first
    #[arg(long, value_name = "TRUTH")]
    truth: Option<PathBuf>,
    /// Title of the page; by default the first result's
    #[arg(long)]
    title: Option<String>,
    /// Leave the baselines out
    #[arg(long)]
    no_baselines: bool,
    #[command(flatten)]
    relative: RelativeArgs,
    #[command(flatten)]
    knowledge: KnowledgeArgs,
    #[command(flatten)]
    origin: OriginArgs,
}

impl ReportArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let suffix = self.out.extension().and_then(|suffix| suffix.to_str());
        ensure!(
            matches!(suffix, Some("html" | "htm")),
            "--out {} is no name of a page: end it in .html",
            self.out.display()
        );
        let mut results: Vec<Ensemble> =
            self.results.iter().map(|path| self.origin.read(path)).collect::<Result<_>>()?;
        let reader = self.relative.reader()?;
        let first = &results[0];
        let truth = truth(first, self.truth.as_deref(), reader.as_ref())?;
        let title = self.title.clone().unwrap_or_else(|| first.spec.title.clone());
        if !self.no_baselines {
            let baselines = self.knowledge.baselines(first, reader.as_ref())?;
            results.extend(baselines);
        }
        let settings = self.relative.settings(reader.as_ref());
        let scored = scored(results, Some(&truth), &settings)?;
        let page = html(&title, &scored, Some(&truth))?;
        atomically(&self.out, page.as_bytes())?;
        let heads = ["relative L² of the mean", "space-time spectrum"];
        let mut table = heads.into_iter().fold(Table::new().left(""), Table::right);
        for method in &scored {
            let error = method.scores.overall.error.as_ref();
            let space_time = method.scores.overall.space_time.as_ref();
            table.row([
                method.name.clone(),
                error.map_or("–".into(), |e| number(e.relative_l2_of_mean)),
                space_time.map_or("–".into(), |s| number(s.error)),
            ]);
        }
        print!("{}", table.text(0));
        println!("{}", self.out.display());
        Ok(())
    }
}
