//! The stages of a command: each is timed, a failure does not stop the others, and a table closes.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::setup::Missing;

/// How many tests a stage ran. A lint counts none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Count {
    /// A stage that is itself one test.
    pub(crate) const ONE: Self = Self { passed: 1, failed: 0, skipped: 0 };
}

/// Reads the line with which [`Stages::close`] ends.
pub(crate) fn counts(line: &str) -> Option<Count> {
    let mut parts = line.split(", ");
    let mut next = |word: &str| parts.next()?.strip_suffix(word)?.trim().parse().ok();
    Some(Count { passed: next("passed")?, failed: next("failed")?, skipped: next("skipped")? })
}

/// Whether a stage whose tools cannot be had may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skipping {
    /// It is skipped, with the reason.
    Allowed,
    /// It fails.
    Refused,
}

enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

struct Stage {
    name: String,
    outcome: Outcome,
    took: Duration,
}

/// What has run so far.
pub(crate) struct Stages {
    skipping: Skipping,
    done: Vec<Stage>,
    count: Count,
    began: Instant,
}

impl Stages {
    pub(crate) fn new(skipping: Skipping) -> Self {
        Self { skipping, done: Vec::new(), count: Count::default(), began: Instant::now() }
    }

    /// Runs a stage that counts no tests; gives what it made.
    pub(crate) fn run<T>(&mut self, name: &str, stage: impl FnOnce() -> Result<T>) -> Option<T> {
        let mut made = None;
        self.test(name, || {
            made = Some(stage()?);
            Ok(Count::default())
        });
        made
    }

    /// Runs a stage that counts tests.
    pub(crate) fn test(&mut self, name: &str, stage: impl FnOnce() -> Result<Count>) {
        println!("\n== {name}");
        let began = Instant::now();
        let result = stage();
        let took = began.elapsed();
        let outcome = match result {
            Ok(count) => {
                self.add(count);
                match count.failed {
                    0 => Outcome::Passed,
                    failed => Outcome::Failed(format!("{failed} tests failed")),
                }
            }
            Err(error) if self.skipping == Skipping::Allowed && error.is::<Missing>() => {
                self.add(Count { skipped: 1, ..Count::default() });
                Outcome::Skipped(format!("{error:#}"))
            }
            Err(error) => {
                self.add(Count { failed: 1, ..Count::default() });
                Outcome::Failed(format!("{error:#}"))
            }
        };
        match &outcome {
            Outcome::Passed => {}
            Outcome::Failed(reason) => println!("FAILED: {reason}"),
            Outcome::Skipped(reason) => println!("skipped: {reason}"),
        }
        self.done.push(Stage { name: name.into(), outcome, took });
    }

    /// Runs a stage that may be left out, with the reason, whatever the others may.
    pub(crate) fn optional(&mut self, name: &str, stage: impl FnOnce() -> Result<Count>) {
        let skipping = std::mem::replace(&mut self.skipping, Skipping::Allowed);
        self.test(name, stage);
        self.skipping = skipping;
    }

    /// Prints the table, the failing stages and the counts; says whether every stage passed.
    pub(crate) fn close(self) -> bool {
        let width = self.done.iter().map(|stage| stage.name.chars().count()).max().unwrap_or(0);
        println!("\n{:width$}  outcome  seconds", "stage");
        for Stage { name, outcome, took } in &self.done {
            let word = match outcome {
                Outcome::Passed => "pass",
                Outcome::Failed(_) => "FAIL",
                Outcome::Skipped(_) => "skip",
            };
            println!("{name:width$}  {word:7}  {:7.1}", took.as_secs_f64());
        }
        println!("{:width$}  {:7}  {:7.1}\n", "all", "", self.began.elapsed().as_secs_f64());

        for Stage { name, outcome, .. } in &self.done {
            match outcome {
                Outcome::Passed => {}
                Outcome::Failed(reason) => println!("{name} failed: {reason}"),
                Outcome::Skipped(reason) => println!("{name} was skipped: {reason}"),
            }
        }
        let Count { passed, failed, skipped } = self.count;
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        failed == 0
    }

    fn add(&mut self, count: Count) {
        self.count.passed += count.passed;
        self.count.failed += count.failed;
        self.count.skipped += count.skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    fn missing() -> Result<Count> {
        Err(Missing("no emulator".into()).into())
    }

    #[test]
    fn what_is_optional_is_skipped_but_may_not_fail() {
        let mut stages = Stages::new(Skipping::Refused);
        stages.optional("packages", missing);
        assert_eq!(stages.count, Count { skipped: 1, ..Count::default() });
        stages.test("emulator", missing);
        stages.optional("packages", || Err(anyhow!("other numbers")));
        assert_eq!(stages.count, Count { failed: 2, skipped: 1, passed: 0 });
    }

    #[test]
    fn what_is_missing_is_skipped_only_where_that_is_allowed() {
        let mut lenient = Stages::new(Skipping::Allowed);
        lenient.test("firmware", missing);
        assert_eq!(lenient.count, Count { skipped: 1, ..Count::default() });
        assert!(lenient.close());

        let mut strict = Stages::new(Skipping::Refused);
        strict.test("firmware", missing);
        assert!(!strict.close());
    }

    #[test]
    fn the_last_line_is_read_and_no_other_is() {
        let count = Count { passed: 12, failed: 2, skipped: 1 };
        assert_eq!(counts("12 passed, 2 failed, 1 skipped"), Some(count));
        assert_eq!(counts("all 12.0"), None);
    }

    #[test]
    fn any_other_error_fails() {
        let mut stages = Stages::new(Skipping::Allowed);
        stages.test("one", || Ok(Count::ONE));
        assert!(stages.run("two", || Err::<(), _>(anyhow!("broken"))).is_none());
        assert_eq!(stages.count, Count { passed: 1, failed: 1, skipped: 0 });
        assert!(!stages.close());
    }
}
