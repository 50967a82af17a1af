//! Methods side by side: a row for each figure, a column for each method, the best marked.

use super::Scored;
use crate::score::{Figure, Sense, number};
use finescale_host::table::{Cell, Table};

/// Relative errors below this are those of f32.
const ROUNDING: f64 = 2e-5;

/// What is picked of a result: all channels, or one.
#[derive(Clone, Copy)]
pub(super) enum Column {
    All,
    Channel(usize),
}

/// The table of a channel or of all, its figures under their families.
pub(super) fn scores(scored: &[Scored], column: Column) -> Table {
    let figures = scored.iter().map(|method| match column {
        Column::All => method.scores.figures(),
        Column::Channel(c) => method.scores.figures_of(&method.scores.channels[c]),
    });
    let mut table =
        scored.iter().fold(Table::new().left(""), |table, method| table.right(&method.name));
    let mut family = "";
    for (figure, cells) in rows(&figures.collect::<Vec<_>>()) {
        if figure.family != family {
            family = figure.family;
            let (arrow, hint) = arrow(figure.sense);
            table.group(format!("{family}{arrow}"), hint);
        }
        table.row([vec![figure.name.into()], cells].concat());
    }
    table
}

/// The figures that some method has, with the cells of all.
pub(crate) fn rows(methods: &[Vec<Figure>]) -> Vec<(Figure, Vec<Cell>)> {
    let row = |(row, figure): (usize, &Figure)| {
        let values: Vec<Option<f64>> = methods.iter().map(|m| m[row].value).collect();
        let known = values.iter().flatten().count();
        let best = figure.sense.best(&values).filter(|_| known > 1).and_then(|best| values[best]);
        // What shows the same digits is as good, and so is rounding beside rounding.
        let nothing = |v: f64| figure.sense == Sense::Lower && v < ROUNDING;
        let as_good =
            |v: f64, best: f64| number(best) == number(v) || (nothing(best) && nothing(v));
        let cell = |value: &Option<f64>| match value {
            None => "–".into(),
            Some(v) if best.is_some_and(|best| as_good(*v, best)) => Cell::best(number(*v)),
            Some(v) => number(*v).into(),
        };
        (known > 0).then(|| (figure.clone(), values.iter().map(cell).collect()))
    };
    methods[0].iter().enumerate().filter_map(row).collect()
}

fn arrow(sense: Sense) -> (&'static str, &'static str) {
    match sense {
        Sense::Lower => (" ↓", "lower is better"),
        Sense::Higher => (" ↑", "higher is better"),
        Sense::One => (" → 1", "nearer to 1 is better"),
        Sense::Neither => ("", ""),
    }
}
