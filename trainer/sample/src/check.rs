//! Whether an input fits a model: one sentence if not, a warning where it looks wrong.

use anyhow::{Result, bail, ensure};
use finescale::{Axis, Grid};

use super::domain::Domain;
use super::input::{Fields, Resolution};
use finescale_data::calendar::Unit;
use finescale_data::dataset::{Spec, TimeAxis};
use finescale_field::scale::Scale;

/// Grids of one domain agree to this; import rounds lengths to six decimals.
const LENGTH: f64 = 1e-3;

/// Boundaries, lengths and points.
pub(super) fn grid(spec: &Spec, domain: &Domain, resolution: Resolution) -> Result<()> {
    let grid = &domain.grid;
    ensure!(
        spec.y.is_some() != grid.is_line(),
        "it is a {}, but the model is of a {}: use a model of that kind of field",
        if spec.y.is_some() { "plane" } else { "line" },
        if grid.is_line() { "line" } else { "plane" }
    );
    let axes = || spec.axes().zip(grid.axes());
    // Boundaries first: a wrong one makes lengths wrong too.
    for (axis, model) in axes() {
        ensure!(
            axis.boundary == model.boundary(),
            "`{}` is {}, but the model is for {} ends: use a model that was trained with that \
             boundary",
            axis.name,
            axis.boundary.name(),
            model.boundary().name()
        );
    }
    for (axis, model) in axes() {
        let (name, points) = (&axis.name, axis.points());
        let length = f64::from(model.length());
        ensure!(
            (axis.length / length - 1.0).abs() < LENGTH,
            "`{name}` has length {:.4}, but the model's has {length:.4}: it is another domain; cut out the model's, \
             or train on this one",
            axis.length
        );
        if resolution == Resolution::Full {
            ensure!(
                points == model.points(),
                "`{name}` has {points} points, but the model has {}: regrid it with `finescale \
                 data import --grid {}`",
                model.points(),
                shape(grid)
            );
        }
        ensure!(
            points <= model.points(),
            "`{name}` has {points} points, finer than the model's {}: use --coarsen to make it \
             coarse, or a finer model",
            model.points()
        );
    }
    Ok(())
}

/// `64x128`, or `128` on a line.
pub(super) fn shape(grid: &Grid) -> String {
    if grid.is_line() { grid.nx().to_string() } else { format!("{}x{}", grid.ny(), grid.nx()) }
}

/// Whether a file has what it takes to fill the model's grid.
pub(super) fn fine_enough((rows, columns): (usize, usize), domain: &Domain) -> Result<()> {
    let grid = &domain.grid;
    ensure!(
        rows >= grid.ny() && columns >= grid.nx(),
        "the file has {rows}×{columns} points, fewer than the model's {}×{}: full resolution is needed here; \
         super-resolve coarse fields without --coarsen",
        grid.ny(),
        grid.nx()
    );
    Ok(())
}

/// Whether a coarse file was taken as it is, or onto the nearest grid that is no finer.
pub(super) fn coarse_enough((rows, columns): (usize, usize), spec: &Spec) -> Result<()> {
    ensure!(
        (spec.y.is_none() || rows >= Axis::POINTS_MIN) && columns >= Axis::POINTS_MIN,
        "the file has {rows}×{columns} points: a coarse grid needs at least {} along every axis",
        Axis::POINTS_MIN
    );
    if (rows, columns) != (spec.ny(), spec.nx()) {
        eprintln!(
            "note: {rows}×{columns} points were regridded to {}×{}, which have transforms",
            spec.ny(),
            spec.nx()
        );
    }
    Ok(())
}

/// No NaN, no infinity.
pub(super) fn finite(fields: &Fields) -> Result<()> {
    let Some(at) = fields.values.iter().position(|v| !v.is_finite()) else { return Ok(()) };
    let spec = &fields.spec;
    let (frame, channel) = (at / spec.frame_len(), at % spec.frame_len() / spec.points());
    bail!(
        "`{}` is {} in frame {} of trajectory {}: fill it with --fill",
        spec.channels[channel].name,
        fields.values[at],
        frame % spec.frames(),
        frame / spec.frames()
    )
}

/// A warning where frames are another time apart than the model's. Its file has their interval
/// without its unit: it is that of the frames or, where that is one of time, any other in which
/// both agree.
fn time_step(time: &TimeAxis, trained: f64) -> Option<String> {
    let interval = time.interval;
    // Months differ in length.
    let close = |interval: f64| (interval / trained - 1.0).abs() <= 0.1;
    let elsewhere = || Unit::all().filter_map(|unit| time.interval_in(unit)).any(close);
    if trained <= 0.0 || close(interval) || elsewhere() {
        return None;
    }
    Some(match time.unit() {
        Some(unit) => format!(
            "frames are {interval} {} apart, but the model was trained on {trained}, which that is \
             in no unit of time: take the same step",
            unit.name()
        ),
        None => format!(
            "frames are {interval} apart, but the model was trained on {trained}: take the same \
             step, unless the units of time differ"
        ),
    })
}

/// Warnings about fields whose units look wrong. `std`: what deviation each channel should have, in
/// units of the model's.
pub fn warnings(fields: &Fields, model: impl Into<Domain>, std: &[f64]) -> Vec<String> {
    let domain = model.into();
    let spec = &fields.spec;
    let scale = Scale::of_values(spec.channels.len(), spec.points(), &fields.values);
    let mut warnings = Vec::new();
    warnings.extend(time_step(&spec.time, f64::from(domain.frame_interval)));
    let channels = spec.channels.iter().zip(&domain.channels);
    let found = scale.mean.iter().zip(&scale.std);
    for (((channel, model), (mean, deviation)), share) in channels.zip(found).zip(std) {
        let (name, expected) = (&channel.name, f64::from(model.std) * share);
        let units = |text: &str| text.replace([' ', '^', '*'], "").replace("**", "");
        let named = |text: &str| !text.is_empty() && text != "1";
        if named(&channel.units)
            && named(&model.units)
            && units(&channel.units) != units(&model.units)
        {
            warnings.push(format!(
                "`{name}` has the units {}, but the model was trained on {}",
                channel.units, model.units
            ));
        }
        let off = deviation / expected;
        if !(1.0 / 3.0..=3.0).contains(&off) {
            warnings.push(format!(
                "`{name}` has the standard deviation {deviation:.4}, {off:.2} times the {expected:.4} that the model expects: \
                 are its units {}?",
                if named(&model.units) { &model.units } else { "the model's" }
            ));
        }
        let shift = (mean - f64::from(model.mean)) / f64::from(model.std);
        if shift.abs() > 5.0 {
            warnings.push(format!(
                "`{name}` has the mean {mean:.4}, {:.1} standard deviations from the model's {:.4}: are its units {}, \
                 and is it an anomaly where the model's data are?",
                shift.abs(),
                model.mean,
                if named(&model.units) { &model.units } else { "the model's" }
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Frames of a month in days beside a model in hours are no other time step.
    #[test]
    fn time_steps_are_compared_in_one_unit() {
        let warned = |interval: f64, units: &str, calendar: &str, trained: f64| {
            let mut time = TimeAxis::model(3, interval);
            time.attributes.insert("units".into(), json!(units));
            time.attributes.insert("calendar".into(), json!(calendar));
            time_step(&time, trained)
        };
        for (interval, units, calendar, trained) in [
            (30.39, "days since 1990-01-01 00:00:00", "standard", 730.5),
            (730.5, "hours since 1990-01-01 00:00:00", "standard", 30.39),
            (30.0, "days since 1990-01-01 00:00:00", "360_day", 1.0),
            (6.0, "hours", "standard", 0.25),
            (360.0, "minutes", "standard", 6.0),
            (21_600.0, "seconds since 1990-01-01", "noleap", 6.0),
            (1.0, "years since 1990-01-01", "all_leap", 366.0),
            (0.5, "1", "standard", 0.5),
        ] {
            assert_eq!(warned(interval, units, calendar, trained), None, "{interval} {units}");
        }
        let said = warned(1.0, "days since 1990-01-01", "standard", 730.5).unwrap();
        assert!(said.contains("frames are 1 days apart") && said.contains("730.5"), "{said}");
        let said = warned(30.39, "1", "standard", 730.5).unwrap();
        assert!(said.contains("unless the units of time differ"), "{said}");
    }
}
