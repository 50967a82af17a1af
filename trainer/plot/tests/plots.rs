//! Pictures are read back: pixels of known fields, texts and marks of SVG, files after failures.

#[path = "../../fixtures/chart.rs"]
mod chart;

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chart::{assert_points, charts, color};
use finescale_plot::{
    Axis, Bars, ChannelMeta, Coordinate, Field, FieldGrid, Figure, PALETTE, Plot, Series,
    SpaceTime, Spectrum, TrajectoryMeta, plot_trajectory, spectra,
};
use resvg::tiny_skia::Pixmap;

type Rgb = [u8; 3];

const WHITE: Rgb = [255, 255, 255];
/// Ends of the diverging map (RdBu as colorous interpolates it), and the colour of missing values.
const RED: Rgb = [103, 0, 31];
const BLUE: Rgb = [4, 47, 96];
const GREY: Rgb = [0xb4, 0xb4, 0xb4];

fn png(figure: &Figure) -> Pixmap {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figure.png");
    figure.save(&path).unwrap();
    Pixmap::load_png(path).unwrap()
}

fn pixel(image: &Pixmap, x: u32, y: u32) -> Rgb {
    let color = image.pixel(x, y).unwrap();
    [color.red(), color.green(), color.blue()]
}

fn svg(figure: &Figure) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figure.svg");
    figure.save(&path).unwrap();
    fs::read_to_string(path).unwrap()
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let nodes = document.descendants().filter(|node| node.has_tag_name("text"));
    nodes.filter_map(|node| node.text()).map(|text| text.trim().to_owned()).collect()
}

/// Colours and lengths of the runs of equal pixels.
fn runs(pixels: impl Iterator<Item = Rgb>) -> Vec<(Rgb, usize)> {
    let mut runs: Vec<(Rgb, usize)> = vec![];
    for pixel in pixels {
        match runs.last_mut() {
            Some((color, length)) if *color == pixel => *length += 1,
            _ => runs.push((pixel, 1)),
        }
    }
    runs
}

/// A line of pixels down the first panel, which starts 17 units from the left.
fn down(image: &Pixmap) -> Vec<(Rgb, usize)> {
    runs((0..image.height()).map(|y| pixel(image, 44, y)))
}

fn row(field: Field) -> Figure {
    Figure::new().push(FieldGrid::row(vec![field]))
}

#[test]
fn the_first_row_is_the_lowest_and_cells_are_exact() {
    let values = [-1.0, -1.0, 1.0, 1.0];
    let image = png(&row(Field::new(&values, 2, 2).unwrap()));
    let colors: Vec<_> = down(&image).into_iter().filter(|(_, length)| *length > 100).collect();
    // Two cells of 150 units at two pixels each, the high values on top.
    assert_eq!(colors, [(RED, 300), (BLUE, 300)]);
}

#[test]
fn a_descending_coordinate_is_turned_over() {
    let values = [-1.0, -1.0, 1.0, 1.0];
    let (south, east) = (Coordinate::new("", 1.0, 0.0), Coordinate::new("", 0.0, 1.0));
    let image = png(&row(Field::new(&values, 2, 2).unwrap().coordinates(south, east)));
    let line = runs((0..image.height()).map(|y| pixel(&image, 120, y)));
    let colors: Vec<_> = line.into_iter().filter(|(_, length)| *length > 100).collect();
    assert_eq!(colors, [(BLUE, 300), (RED, 300)]);
}

#[test]
fn every_point_is_a_square_of_whole_pixels() {
    let values: Vec<f32> = (0..64).map(|i| i as f32).collect();
    let image = png(&row(Field::new(&values, 8, 8).unwrap()));
    let across = runs((0..image.width()).map(|x| pixel(&image, x, 60)));
    let cells: Vec<_> = across.iter().skip_while(|(c, _)| *c == WHITE).skip(1).take(8).collect();
    assert!(cells.iter().all(|(_, length)| *length == 75), "{cells:?}");
}

#[test]
fn values_that_are_not_finite_are_grey() {
    let values = [f32::NAN, 1.0, f32::INFINITY, -1.0];
    let figure = row(Field::new(&values, 2, 2).unwrap());
    let image = png(&figure);
    let left: Vec<_> = down(&image).into_iter().filter(|(_, length)| *length > 100).collect();
    assert_eq!(left, [(GREY, 600)]);
    assert!(texts(&svg(&figure)).contains(&"missing".to_owned()));
}

#[test]
fn more_points_than_pixels_still_make_a_page() {
    let values = vec![0.5f32; 3 * 20_000];
    let (time, x) = (Coordinate::new("t", 0.0, 1.0), Coordinate::new("x", 0.0, 1.0));
    let diagram = SpaceTime::new(values, 20_000, 3, time, x).unwrap();
    let image = png(&Figure::new().push(diagram));
    assert!(image.width() < 2200 && image.height() < 800);
}

#[test]
fn space_runs_upwards_and_time_to_the_right() {
    // Two frames of two points: [low, high], then [high, low].
    let values = vec![-1.0, 1.0, 1.0, -1.0];
    let (time, x) = (Coordinate::new("", 0.0, 1.0), Coordinate::new("", 0.0, 1.0));
    let image = png(&Figure::new().push(SpaceTime::new(values, 2, 2, time, x).unwrap()));
    let at = |fx: f64, fy: f64| {
        let (w, h) = (f64::from(image.width()), f64::from(image.height()));
        pixel(&image, (fx * w) as u32, (fy * h) as u32)
    };
    assert_eq!([at(0.25, 0.3), at(0.25, 0.6)], [RED, BLUE]);
    assert_eq!([at(0.75, 0.3), at(0.75, 0.6)], [BLUE, RED]);
}

#[test]
fn higher_values_are_drawn_higher_and_clipped_at_the_frame() {
    let axes = || (Axis::linear("x").range(0.0, 1.0), Axis::linear("y").range(0.0, 1.0));
    let line = |y: f64| Series::new("", vec![-1e300, 1e300], vec![y, y]).unwrap();
    let plot = Plot::new(axes().0, axes().1).series(line(0.25)).series(line(0.75));
    let image = png(&Figure::new().push(plot.clone().series(line(7.0))));
    let row = |y: u32| runs((0..image.width()).map(|x| pixel(&image, x, y)));
    let find = |color: usize| {
        let color = PALETTE[color].into_array();
        (0..image.height()).find(|y| row(*y).iter().any(|(c, _)| *c == color))
    };
    let (low, high) = (find(0).unwrap(), find(1).unwrap());
    assert!(high + 100 < low, "{high:?} {low:?}");
    assert!(find(2).is_none(), "a line outside the range is not drawn");
    let frame = [0x44; 3];
    let across: Vec<_> = row(low).into_iter().map(|(color, _)| color).collect();
    assert_eq!(across, [WHITE, frame, PALETTE[0].into_array(), frame, WHITE]);
}

/// Two lines that are known in closed form, read back by the axes' own ticks.
#[test]
fn lines_lie_where_the_axes_say() {
    let x: Vec<f64> = (0..17).map(|i| -1.0 + 0.25 * f64::from(i)).collect();
    let known = |f: fn(f64) -> f64| x.iter().map(|x| (*x, f(*x))).collect::<Vec<_>>();
    let (sine, square) = (|x: f64| 3.0 * (TAU * x / 4.0).sin(), |x: f64| x * x - 2.0);
    let line = |label: &str, f: fn(f64) -> f64| {
        Series::new(label, x.clone(), x.iter().map(|x| f(*x)).collect()).unwrap()
    };
    let plot = Plot::new(Axis::linear("time (h)"), Axis::linear("wind (m s⁻¹)"))
        .title("two lines")
        .series(line("sine", sine))
        .series(line("square", square).markers())
        .level(1.0, "one");
    let charts = charts(&svg(&Figure::new().push(plot)));
    let [chart] = &charts[..] else { panic!("{charts:?}") };
    assert_eq!(
        [&chart.title, &chart.x_label, &chart.y_label],
        ["two lines", "time (h)", "wind (m s⁻¹)"]
    );
    assert_eq!(chart.legend, ["sine", "square", "one"]);
    assert_eq!(chart.x_ticks, [-1.0, 0.0, 1.0, 2.0, 3.0]);
    assert_eq!(chart.lines.len(), 2, "{chart:?}");
    assert_points(chart, &chart.lines[&color(0)], &known(sine));
    assert_points(chart, &chart.lines[&color(1)], &known(square));
    assert_eq!(chart.dots.len(), 1, "{chart:?}");
    assert_points(chart, &chart.dots[&color(1)], &known(square));
}

/// A power law and one that falls faster, over decades; the mean is left out, and a gap stays a
/// gap.
#[test]
fn spectra_lie_on_logarithmic_axes() {
    let k: Vec<f64> = (0..=32).map(f64::from).collect();
    let law = |exponent: f64| k.iter().map(move |k| 1e3 * k.powf(exponent)).collect::<Vec<_>>();
    let all = [
        Spectrum::new("truth", k.clone(), law(-3.0)),
        Spectrum::new("drawn", k.clone(), law(-5.0 / 3.0)),
    ];
    let charts = charts(&svg(&Figure::new().push(spectra("Energy", &all, "K²").unwrap())));
    let [chart] = &charts[..] else { panic!("{charts:?}") };
    assert_eq!(
        [&chart.title, &chart.x_label, &chart.y_label],
        ["Energy", "wavenumber", "power (K²)"]
    );
    assert_eq!(chart.legend, ["truth", "drawn"]);
    assert_eq!(chart.y_ticks, [0.1, 1.0, 10.0, 100.0, 1000.0]);
    for (n, exponent) in [(0, -3.0), (1, -5.0 / 3.0)] {
        let wanted: Vec<_> = (1..=32).map(f64::from).map(|k| (k, 1e3 * k.powf(exponent))).collect();
        assert_points(chart, &chart.lines[&color(n)], &wanted);
    }
}

#[test]
fn bars_are_as_high_as_their_values() {
    let (ranks, heights) = ((0..5).map(f64::from), [0.4, 1.7, 0.9, 1.2, 0.8]);
    let bars = Bars::new("ranks", ranks.clone().collect(), heights.to_vec()).unwrap();
    let plot = Plot::new(Axis::linear("rank"), Axis::linear("frequency")).bars(bars);
    let charts = charts(&svg(&Figure::new().push(plot)));
    let [chart] = &charts[..] else { panic!("{charts:?}") };
    assert_eq!((chart.x_label.as_str(), chart.y_label.as_str()), ("rank", "frequency"));
    assert_eq!((&chart.legend[..], chart.y_ticks[0]), (&["ranks".to_owned()][..], 0.0));
    assert_points(chart, &chart.bars[&color(0)], &ranks.zip(heights).collect::<Vec<_>>());
}

#[test]
fn values_a_log_axis_cannot_show_are_counted_in_the_legend() {
    let k = vec![1.0, 2.0, 3.0, 4.0];
    let series = |label: &str, y: Vec<f64>| Series::new(label, k.clone(), y).unwrap();
    let plot = Plot::new(Axis::log("k"), Axis::log("P"))
        .series(series("one", vec![1.0, 0.0, 1.0, 1.0]))
        .series(series("two", vec![1.0, -1.0, 0.0, 2.0]))
        .series(series("all", vec![-1.0; 4]))
        .series(series("none", vec![1.0; 4]))
        .series(series("nan", vec![f64::NAN; 4]));
    let texts = texts(&svg(&Figure::new().push(plot)));
    for label in [
        "one (1 value ≤ 0 not drawn)",
        "two (2 values ≤ 0 not drawn)",
        "all (no positive value to draw)",
        "none",
        "nan (no data)",
    ] {
        assert!(texts.iter().any(|text| text == label), "{label}: {texts:?}");
    }
}

#[test]
fn the_mean_is_not_part_of_a_spectrum() {
    let spectrum = Spectrum::new("P", vec![0.0, 1.0, 2.0], vec![5.0, 1.0, 0.1]);
    let texts = texts(&svg(&Figure::new().push(spectra("", &[spectrum], "K²").unwrap())));
    assert!(texts.contains(&"P".to_owned()) && texts.contains(&"power (K²)".to_owned()));
}

#[test]
fn little_or_no_data_makes_a_picture() {
    let (constant, nothing, point) = ([3.0f32; 4], [f32::NAN; 4], [1.0f32]);
    let empty = || Plot::new(Axis::log(""), Axis::log(""));
    let one = Series::new("one", vec![1.0], vec![1.0]).unwrap();
    let band = Series::new("", vec![1.0], vec![1.0]).unwrap().band(vec![0.0], vec![2.0]).unwrap();
    let zero = Bars::new("zero", vec![0.0], vec![0.0]).unwrap();
    let figures = [
        Figure::new(),
        Figure::new().push(FieldGrid::new()),
        Figure::new().push(Vec::<Plot>::new()),
        row(Field::new(&constant, 2, 2).unwrap()),
        row(Field::new(&nothing, 2, 2).unwrap()),
        row(Field::new(&point, 1, 1).unwrap()),
        row(Field::new(&constant, 4, 1).unwrap()),
        Figure::new().push(empty()).push(empty().slope(-3.0, "k⁻³").level(-1.0, "no")),
        Figure::new().push(empty().series(one).series(band)),
        Figure::new().push(empty().bars(Bars::new("none", vec![], vec![]).unwrap()).bars(zero)),
    ];
    for figure in figures {
        let image = png(&figure);
        let document = svg(&figure);
        let document = roxmltree::Document::parse(&document).unwrap();
        let side = |name: &str| document.root_element().attribute(name).unwrap().parse::<u32>();
        let sides = (2 * side("width").unwrap(), 2 * side("height").unwrap());
        assert_eq!(sides, (image.width(), image.height()));
    }
}

#[test]
fn an_svg_keeps_its_texts_and_names_a_generic_font() {
    let values: Vec<f32> = (0..256).map(|i| i as f32).collect();
    let field = Field::new(&values, 16, 16).unwrap().title("a < b & \"c\"").units("m s⁻¹");
    let text = svg(&row(field).title("Title"));
    let texts = texts(&text);
    for expected in ["Title", "a < b & \"c\"", "m s⁻¹"] {
        assert!(texts.iter().any(|t| t == expected), "{expected}: {texts:?}");
    }
    assert!(text.contains("sans-serif\""));
    let start = text.find("data:image/png;base64,").expect("the field is an embedded PNG") + 22;
    let data = &text[start..start + text[start..].find('"').unwrap()];
    let image = Pixmap::decode_png(&STANDARD.decode(data).unwrap()).unwrap();
    assert_eq!(image.width() % 16, 0);
    // Viridis: yellow at the last point, which is at the top right.
    assert_eq!(pixel(&image, image.width() - 1, 0), [253, 231, 37]);
}

/// Whoever has no Ubuntu sees the outlines of it, as in a PNG; the text over them is for searching,
/// selecting and reading out, and exactly as long.
#[test]
fn texts_are_outlines_with_the_text_over_them() {
    let plot = Plot::new(Axis::linear("time (h)"), Axis::linear("wind (m s⁻¹)")).title("& plot");
    let document = svg(&Figure::new().title("Title").push(plot));
    let document = roxmltree::Document::parse(&document).unwrap();
    let texts: Vec<_> = document.descendants().filter(|node| node.has_tag_name("text")).collect();
    assert!(texts.len() > 8, "{texts:?}");
    for text in texts {
        let number = |name: &str| text.attribute(name).unwrap().parse::<f64>().unwrap();
        assert_eq!(number("fill-opacity"), 0.0);
        assert!(number("textLength") > 0.2 * number("font-size"));
        let outline = text.prev_sibling_element().unwrap();
        assert!(outline.has_tag_name("path") && outline.attribute("aria-hidden") == Some("true"));
        let corners = outline.attribute("d").unwrap().matches(['L', 'Q', 'C']).count();
        assert!(corners >= 4 * text.text().unwrap().trim().matches(char::is_alphabetic).count());
        let place = outline.attribute("transform").unwrap();
        assert_eq!(place.contains("rotate(-90)"), text.attribute("transform").is_some());
    }
    // They are seen.
    let dark = |figure: Figure| {
        let image = png(&figure);
        image.pixels().iter().filter(|p| p.red() < 60).count()
    };
    assert_eq!(dark(Figure::new()), 0);
    let (once, twice) =
        (dark(Figure::new().title("Title")), dark(Figure::new().title("TitleTitle")));
    assert!(once > 100 && (19..=21).contains(&(10 * twice / once)), "{once} {twice}");
}

#[test]
fn long_titles_are_cut_to_their_panel() {
    let title = "a title far too long for a panel ".repeat(5);
    let values = [1.0f32; 4];
    let field = || Field::new(&values, 2, 2).unwrap().title(&title);
    let texts = texts(&svg(&Figure::new().push(FieldGrid::row(vec![field(), field()]))));
    let cut: Vec<_> = texts.iter().filter(|text| text.ends_with('…')).collect();
    assert_eq!(cut.len(), 2, "{texts:?}");
    assert!(cut[0].chars().count() < 70);
}

#[test]
fn the_suffix_must_be_known() {
    let folder = tempfile::tempdir().unwrap();
    let message =
        |name: &str| format!("{:#}", Figure::new().save(folder.path().join(name)).unwrap_err());
    assert!(message("a.pdf").contains(".pdf is unknown, use .png or .svg"));
    assert!(message("a").contains("no suffix, end it in .png or .svg"));
    assert!(message("absent/a.png").contains("absent does not exist: make it first"));
    assert_eq!(files(folder.path()), Vec::<String>::new());
    Figure::new().save(folder.path().join("A.PNG")).unwrap();
    assert_eq!(files(folder.path()), ["A.PNG"]);
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn files_are_replaced_as_a_whole_or_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "a.svg"] {
        let path = folder.path().join(name);
        fs::write(&path, "before").unwrap();
        Figure::new().title("after").save(&path).unwrap();
        assert_ne!(fs::read(&path).unwrap(), b"before");
        // A folder of that name cannot be replaced: it stays, and no temporary file remains.
        let taken = folder.path().join(format!("taken-{name}"));
        fs::create_dir_all(taken.join("inside")).unwrap();
        let error = Figure::new().save(&taken).unwrap_err();
        assert!(format!("{error}").contains("cannot be written"), "{error}");
        assert!(taken.join("inside").is_dir());
    }
    assert_eq!(files(folder.path()), ["a.png", "a.svg", "taken-a.png", "taken-a.svg"]);
}

#[test]
fn mismatched_lengths_are_refused() {
    let message = |result: anyhow::Result<()>| result.unwrap_err().to_string();
    let field = Field::new(&[1.0; 5], 2, 3).map(drop);
    assert_eq!(message(field), "cannot plot a field of 2 × 3 points from 5 values: it needs 6");
    assert!(message(Field::new(&[], 0, 3).map(drop)).contains("must be positive"));
    let series = Series::new("s", vec![1.0], vec![]).map(drop);
    assert!(message(series).contains("1 values of x but 0 of y"));
    let spectrum = Spectrum::new("P", vec![1.0, 2.0], vec![1.0]);
    assert!(spectra("", &[spectrum], "").is_err());
}

#[test]
fn a_trajectory_becomes_its_pages() {
    let folder = tempfile::tempdir().unwrap();
    let spectrum = Spectrum::new("train", vec![0.0, 1.0, 2.0], vec![1.0, 0.5, 0.1]);
    let channel = |name: &str| ChannelMeta {
        name: name.into(),
        units: "K".into(),
        spectra: vec![spectrum.clone()],
    };
    let mut meta = TrajectoryMeta {
        title: "A trajectory".into(),
        ny: 8,
        nx: 8,
        channels: vec![channel("first"), channel("second")],
        time: (0.0, 4.0),
        time_units: "h".into(),
        dates: vec![],
        y: None,
        x: None,
    };
    let values: Vec<f32> = (0..5 * 2 * 64).map(|i| (i as f32).sin()).collect();
    let written = plot_trajectory(&values, &meta, 3, folder.path(), "svg").unwrap();
    assert_eq!(files(folder.path()), ["fields.svg", "spectra.svg"]);
    let texts_of = |path: &Path| texts(&fs::read_to_string(path).unwrap());
    let fields = texts_of(&written[0]);
    for expected in ["A trajectory", "t = 0 h", "t = 2 h", "t = 4 h", "first (K)", "second (K)"] {
        assert!(fields.iter().any(|text| text == expected), "{expected}: {fields:?}");
    }
    let panels = charts(&fs::read_to_string(&written[1]).unwrap());
    let titles: Vec<_> = panels.iter().map(|chart| chart.title.as_str()).collect();
    assert_eq!(titles, ["first", "second"]);
    for chart in &panels {
        assert_eq!(chart.y_label, "power (K²)");
        assert_points(chart, &chart.lines[&color(0)], &[(1.0, 0.5), (2.0, 0.1)]);
    }

    // On a line there are profiles, of three frames of each channel.
    (meta.ny, meta.nx) = (1, 64);
    let written = plot_trajectory(&values, &meta, 3, folder.path(), "svg").unwrap();
    let mut profiles = charts(&fs::read_to_string(&written[0]).unwrap());
    profiles.retain(|chart| !chart.lines.is_empty());
    assert_eq!(profiles.len(), 2, "{profiles:?}");
    for (channel, chart) in profiles.iter().enumerate() {
        assert_eq!(chart.y_label, format!("{} (K)", meta.channels[channel].name));
        assert_eq!((chart.x_label.as_str(), chart.lines.len()), ("grid point", 3));
        let drawn = |frame: usize| {
            let values = &values[(2 * frame + channel) * 64..][..64];
            values.iter().enumerate().map(|(x, u)| (x as f64, f64::from(*u))).collect::<Vec<_>>()
        };
        for frame in [0, 2, 4] {
            let wanted = drawn(frame);
            let found = chart.lines.values().any(|line| {
                line.iter()
                    .zip(&wanted)
                    .all(|(a, b)| (a.0 - b.0).abs() < 0.3 && (a.1 - b.1).abs() < 0.02)
            });
            assert!(found, "no line of channel {channel} is frame {frame}");
        }
    }
}
