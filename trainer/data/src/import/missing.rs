//! The sentence about missing values: how many, when, where.

use anyhow::{Result, anyhow};

use super::axes::SourceAxis;
use super::plan::Plan;

#[derive(Clone)]
struct Count {
    missing: u64,
    blank: Vec<usize>,
    partly: Vec<usize>,
    rows: (usize, usize),
    columns: (usize, usize),
}

/// Reads everything once and describes what is missing.
///
/// # Errors
/// If the file is damaged.
pub(super) fn describe(plan: &Plan<'_>) -> Result<anyhow::Error> {
    let fields = &plan.fields;
    let (ny, nx) = (fields.y.len(), fields.x.len());
    let empty = Count {
        missing: 0,
        blank: Vec::new(),
        partly: Vec::new(),
        rows: (ny, 0),
        columns: (nx, 0),
    };
    let mut counts = vec![empty; fields.channels.len()];
    let mut total = 0_u64;
    for member in 0..plan.members {
        for (frame, &step) in plan.steps.indices.iter().enumerate() {
            finescale_host::interrupt::check()?;
            if plan.steps.dropped.contains(&frame) {
                continue;
            }
            total += (ny * nx) as u64;
            let values = fields.read(member, &[step])?;
            for (count, field) in counts.iter_mut().zip(values.chunks_exact(ny * nx)) {
                let missing = field.iter().filter(|v| v.is_nan()).count();
                count.missing += missing as u64;
                if missing == ny * nx {
                    count.blank.push(step);
                    continue;
                }
                if missing > 0 {
                    count.partly.push(step);
                }
                for p in (0..field.len()).filter(|&p| field[p].is_nan()) {
                    count.rows = (count.rows.0.min(p / nx), count.rows.1.max(p / nx));
                    count.columns = (count.columns.0.min(p % nx), count.columns.1.max(p % nx));
                }
            }
        }
    }
    let mut parts = Vec::new();
    for (count, (variable, ..)) in counts.iter().zip(&fields.channels) {
        if count.missing == 0 {
            continue;
        }
        let share = 100.0 * count.missing as f64 / total as f64;
        let mut places = Vec::new();
        if !count.partly.is_empty() {
            let x = span(&plan.x, count.columns);
            let place = match &plan.y {
                Some(y) => format!("{}, {x}", span(y, count.rows)),
                None => x,
            };
            places.push(format!("in {} within {place}", steps(&count.partly)));
        }
        if !count.blank.is_empty() {
            places.push(format!("all of {}", steps(&count.blank)));
        }
        let name = &variable.name;
        parts.push(format!(
            "`{name}` misses {} of {total} values ({share:.3} %: {})",
            count.missing,
            places.join(", and ")
        ));
    }
    Ok(anyhow!(
        "{}; leave steps out with --drop-steps or --time, choose an area without gaps, \
         or name a way to fill them: \
         --fill nearest, zero, mean, interpolate (in time) or harmonic",
        parts.join("; ")
    ))
}

fn span(axis: &SourceAxis, (first, last): (usize, usize)) -> String {
    format!("{} {} to {}", axis.name, axis.coordinates[first], axis.coordinates[last])
}

/// `step 17`, `steps 0 to 11`, `steps 3, 17, 37`.
fn steps(list: &[usize]) -> String {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    let (first, last) = (list[0], list[list.len() - 1]);
    match list.len() {
        1 => format!("step {first}"),
        n if last - first + 1 == n => format!("steps {first} to {last}"),
        n if n > 8 => format!("{n} steps from {first} to {last}"),
        _ => format!("steps {}", list.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}
