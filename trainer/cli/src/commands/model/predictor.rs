//! What a file of a predictor says.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use finescale::Laplacian;
use finescale::model::{
    Footprint, KERNEL_LAYOUT, Layer, Model as View, VERSION, Weights, checksum,
};
use finescale::predictor::Trained;

use super::{described, fields, stored};
use finescale_host::table::Table;
use finescale_model::export::AlignedBytes;
use finescale_model::export::quantize::histogram;
use finescale_model::{Model, model_path};
use finescale_sample::recommended::described as described_sampler;

/// Checks that a file is whole.
pub(crate) fn check(bytes: &AlignedBytes, file: &Path) -> Result<()> {
    let view = parsed(bytes, file)?;
    ensure!(
        view.footprint() == Trained::footprint(&view),
        "{}: another version of the runtime computed its footprint: export the model again",
        file.display()
    );
    println!("{}: whole", file.display());
    Ok(())
}

pub(super) fn parsed<'a>(bytes: &'a AlignedBytes, file: &Path) -> Result<View<'a>> {
    bytes.parse().with_context(|| file.display().to_string())
}

/// Prints everything that a file says, and its weights beside those that it was made from.
pub(crate) fn info(bytes: &AlignedBytes, file: &Path, trained: Option<&Path>) -> Result<()> {
    let (view, bytes) = (parsed(bytes, file)?, bytes.bytes());
    let (grid, process, options) = (view.grid(), view.process(), view.options());
    let mut table = Table::new().left("").left("");
    let mut line = |name: &str, about: String| table.row([name.to_owned(), about]);
    line("name", view.name().to_owned());
    line("format", format!("version {VERSION}, kernel layout {KERNEL_LAYOUT}"));
    line("size", format!("{} bytes, checksum {:08x}", bytes.len(), checksum(&bytes[20..])));
    fields(&mut line, grid, view.channel_descriptions());
    let laplacian = match process.laplacian() {
        Laplacian::Spectral => "|k|²",
        Laplacian::FiniteDifference => "of the finite difference",
    };
    let coupled = match process.coupling() {
        0.0 => String::new(),
        c => format!(", channels coupled by {c}{}", side(process.switch())),
    };
    let (alpha, beta2) = (process.alpha(), process.beta2());
    line("process", format!("α = {alpha}, β² = {beta2}, κ {laplacian}{coupled}"));
    line("window", format!("{} frames, {} apart", view.window(), view.frame_interval()));
    let yes = |is| if is { "yes" } else { "no" };
    line("linear base", yes(options.linear_base).into());
    let views: Vec<_> = view.views().iter().map(|view| view.name()).collect();
    if !views.is_empty() {
        line("inputs", views.join(", "));
    }
    if view.companions() > 0 {
        line("companions", view.companions().to_string());
    }
    line("bounded", yes(options.bounded).into());
    line("score head", yes(options.score_head).into());
    let tables = view.tables();
    if let [first, .., last] = tables.lambdas {
        line("calibration", format!("{} values of λ, {first} to {last}", tables.lambdas.len()));
    }
    line("sampler", described_sampler(view.recommended()));
    line("λ grid", format!("{:?}", tables.lambda_grid));
    line("autocovariance", format!("{} bytes", 4 * view.autocovariance().len()));
    let (mut macs, mut size) = (0, 0);
    for (n, layer) in view.layers().iter().enumerate() {
        macs += layer.shape.macs();
        size += stored(&layer).1;
        line(&format!("layer {n}"), described(&layer));
    }
    let Footprint { memory, predictor, reverse, frame, .. } = view.footprint();
    let sum = |a: u32, b: u32| u64::from(a) + u64::from(b);
    line("simulation", format!("{} bytes of RAM, and its path", sum(memory, predictor)));
    line(
        "reverse sampling",
        format!("{} bytes of RAM, and {frame} for each frame of the path", sum(memory, reverse)),
    );
    if !view.layers().is_empty() {
        line("runs of products", view.segments().to_string());
        line("network", format!("{macs} multiply-accumulates a frame, {size} bytes of weights"));
    }
    print!("{}", table.text(0));
    match trained {
        Some(run) => compare(&view, &Model::open(&model_path(run))?),
        None => Ok(()),
    }
}

/// On which side of λ₁ a coupling holds, in words.
fn side(switch: f32) -> String {
    match switch {
        0.0 => String::new(),
        switch if switch > 0.0 => format!(" at λ below {switch}"),
        switch => format!(" at λ above {}", -switch),
    }
}

/// Bins of a histogram.
const BINS: usize = 8;

fn compare(view: &View<'_>, trained: &Model) -> Result<()> {
    println!("error of the weights, in units of half a step of eight bits, −1 to 1:");
    let mut table = (0..BINS).fold(Table::new().left(""), |table, _| table.right(""));
    for (n, layer) in view.layers().iter().enumerate() {
        let weights = trained.array(&format!("network.layers.{n}.weight"))?;
        let counts = histogram(weights, &unpacked(&layer), BINS)
            .context("the file was not made from this model")?;
        let total: usize = counts.iter().sum();
        let shares = counts
            .iter()
            .map(|count| format!("{:.1} %", 100.0 * *count as f64 / total.max(1) as f64));
        table.row([format!("layer {n}")].into_iter().chain(shares));
    }
    print!("{}", table.text(0));
    Ok(())
}

/// `[out][in][ky][kx]`.
fn unpacked(layer: &Layer<'_>) -> Vec<f32> {
    let shape = &layer.shape;
    let number = |index: [usize; 4]| {
        let place = shape.place(index).expect("an index of the shape's own");
        match layer.weights {
            Weights::F32(weights) => weights[place],
            Weights::I8 { weights, multipliers } => {
                f32::from(weights[place]) * multipliers[index[0]]
            }
            Weights::Int16 { words: [forward, _], multipliers } => {
                f32::from(shape.int16_byte(forward, index)) * multipliers[index[0]]
            }
        }
    };
    shape.weight_indices().map(number).collect()
}
