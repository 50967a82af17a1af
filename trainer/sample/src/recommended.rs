//! The sampler that a model's file recommends, from flags.

use anyhow::{Result, ensure};
use clap::Args;
use finescale::model::Recommended;
use finescale::sampler::NoiseRule;

use super::settings::{ScoreKind, Spacing, rules};

/// Options of the sampler that a file for boards recommends; what is left out is as the model has
/// it.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The sampler that the file recommends")]
pub struct RecommendedArgs {
    /// Steps from λ* to 0, 1 to 255
    #[arg(long)]
    steps: Option<u8>,
    /// Noise of a step
    #[arg(long, value_parser = rules())]
    rule: Option<NoiseRule>,
    /// How λ goes down
    #[arg(long, value_enum)]
    spacing: Option<Spacing>,
    /// Where scores come from: the path's density, or the model's score head
    #[arg(long, value_enum)]
    score: Option<ScoreKind>,
    /// λ*, in hundredths from 0.01 to 1; 0 for the emergence scale of the coarse grid
    #[arg(long, value_name = "λ")]
    lambda: Option<f32>,
}

impl RecommendedArgs {
    /// The flags over what a model has.
    ///
    /// # Errors
    /// One sentence that names the flag and the mend.
    pub fn over(&self, model: Recommended, score_head: bool) -> Result<Recommended> {
        let mut all = model;
        all.steps = self.steps.unwrap_or(all.steps);
        ensure!(all.steps > 0, "--steps is 0: use 1 to 255");
        all.rule = self.rule.unwrap_or(all.rule);
        all.exponent = match self.spacing {
            Some(Spacing::Geometric) => 0,
            Some(Spacing::Equal) => 1,
            Some(Spacing::Quadratic) => 2,
            Some(Spacing::Cubic) => 3,
            None => all.exponent,
        };
        all.head = self.score.map_or(all.head, |score| score == ScoreKind::Head);
        ensure!(
            score_head || !all.head,
            "--score head needs a model with a score head, which this one has not: use --score path"
        );
        if let Some(lambda) = self.lambda {
            let hundredths = (100.0 * lambda).round();
            let holds =
                (0.0..=100.0).contains(&hundredths) && (hundredths / 100.0 - lambda).abs() <= 1e-6;
            ensure!(holds, "--lambda is {lambda}: the file has hundredths from 0 to 1");
            all.lambda = hundredths as u8;
        }
        Ok(all)
    }
}

/// What is recommended, in words.
pub fn described(recommended: Recommended) -> String {
    let rule = match recommended.rule {
        NoiseRule::Variance => "variance",
        NoiseRule::Residual => "residual",
        NoiseRule::Matched => "matched",
        NoiseRule::Linear => "linear",
    };
    let spacing = match recommended.exponent {
        0 => "geometric".to_owned(),
        1 => "equal".to_owned(),
        2 => "quadratic".to_owned(),
        3 => "cubic".to_owned(),
        exponent => format!("to the power {exponent}"),
    };
    let score = if recommended.head { "head" } else { "path" };
    let lambda = match recommended.lambda() {
        Some(lambda) => lambda.to_string(),
        None => "the emergence scale of the coarse grid".to_owned(),
    };
    format!(
        "{} steps, rule {rule}, spacing {spacing}, score {score}, from λ* = {lambda}",
        recommended.steps
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_come_over_the_model() {
        let model = Recommended { steps: 16, head: true, ..Recommended::DEFAULT };
        assert_eq!(RecommendedArgs::default().over(model, true).unwrap(), model);
        let flags = RecommendedArgs {
            spacing: Some(Spacing::Quadratic),
            lambda: Some(0.35),
            ..RecommendedArgs::default()
        };
        let all = flags.over(model, true).unwrap();
        assert_eq!(all, Recommended { exponent: 2, lambda: 35, ..model });
        assert_eq!(
            described(all),
            "16 steps, rule residual, spacing quadratic, score head, from λ* = 0.35"
        );
        let refused = |flags: RecommendedArgs| flags.over(model, false).unwrap_err().to_string();
        assert!(refused(flags).contains("--score"));
        for (lambda, said) in [(1.01, "--lambda"), (0.005, "--lambda"), (-0.1, "--lambda")] {
            let flags = RecommendedArgs { lambda: Some(lambda), ..RecommendedArgs::default() };
            let all = flags.over(Recommended::DEFAULT, false).unwrap_err().to_string();
            assert!(all.contains(said), "{lambda}: {all}");
        }
    }
}
