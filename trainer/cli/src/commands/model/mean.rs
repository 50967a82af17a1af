//! What a file of a conditional mean says.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use finescale::Values;
use finescale::mean::{ConditionalMean, Errors, Stream};
use finescale::model::{KERNEL_LAYOUT, MEAN_VERSION, MeanFootprint, MeanModel, checksum};

use super::{described, fields, stored};
use finescale_host::table::Table;
use finescale_model::export::AlignedBytes;

/// Checks that a file is whole.
pub(crate) fn check(bytes: &AlignedBytes, file: &Path) -> Result<()> {
    let view = parsed(bytes, file)?;
    ensure!(
        view.footprint() == ConditionalMean::footprint(&view),
        "{}: another version of the runtime computed its footprint: export the model again",
        file.display()
    );
    println!("{}: whole", file.display());
    Ok(())
}

/// Prints everything that a file says.
pub(crate) fn info(bytes: &AlignedBytes, file: &Path) -> Result<()> {
    let (view, bytes) = (parsed(bytes, file)?, bytes.bytes());
    let mut table = Table::new().left("").left("");
    let mut line = |name: &str, about: String| table.row([name.to_owned(), about]);
    line("name", view.name().to_owned());
    line("format", format!("conditional mean, version {MEAN_VERSION}, layout {KERNEL_LAYOUT}"));
    line("size", format!("{} bytes, checksum {:08x}", bytes.len(), checksum(&bytes[20..])));
    fields(&mut line, view.grid(), view.channel_descriptions());
    let points = finescale_sample::mean_error::sensor_points(&view);
    let points: Vec<String> = points.iter().map(ToString::to_string).collect();
    let kind = match view.sensor() {
        Values::Points => "modes at points",
        Values::BlockMeans => "means over blocks",
    };
    line(
        "sensor",
        format!("{} {kind}, with errors of {} standard deviations", points.join("×"), view.noise()),
    );
    line(
        "frames seen",
        format!(
            "{} before and {} after, {} apart",
            view.before(),
            view.after(),
            view.frame_interval()
        ),
    );
    let rank = view.arrays().up.len() / view.fine_len();
    line(
        "base",
        if rank == 0 {
            "spectral interpolation".into()
        } else {
            format!("a linear map of rank {rank}")
        },
    );
    let views: Vec<_> =
        view.views().iter().flat_map(|views| views.iter()).map(|view| view.name()).collect();
    if !views.is_empty() {
        line("inputs", views.join(", "));
        line("maps", (view.arrays().maps.len() / view.grid().points()).to_string());
    }
    let (mut macs, mut size) = (0, 0);
    for (n, layer) in view.layers().iter().enumerate() {
        macs += layer.shape.macs();
        size += stored(&layer).1;
        line(&format!("layer {n}"), described(&layer));
    }
    let MeanFootprint { memory, scratch, errors, frame, .. } = view.footprint();
    let stream = 4 * Stream::memory_len(&view);
    line(
        "mean",
        format!(
            "{} bytes of RAM, and {frame} for the frame",
            u64::from(memory) + u64::from(scratch)
        ),
    );
    line("stream", format!("{stream} bytes more"));
    line(
        "members",
        format!(
            "{errors} bytes more, {} for a frame, and {frame} for each frame of a path",
            4 * Errors::scratch_len(&view)
        ),
    );
    if !view.layers().is_empty() {
        line("network", format!("{macs} multiply-accumulates a frame, {size} bytes of weights"));
    }
    print!("{}", table.text(0));
    Ok(())
}

fn parsed<'a>(bytes: &'a AlignedBytes, file: &Path) -> Result<MeanModel<'a>> {
    MeanModel::parse(bytes.bytes()).with_context(|| file.display().to_string())
}
