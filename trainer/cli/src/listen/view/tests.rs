use super::*;
use finescale_chain::Packet;

/// A frame that is hot below on the right, and 20 °C elsewhere.
fn received(status: Status) -> Received {
    let hot = |n: usize, y: usize, x: usize| 2 * y >= n && 2 * x >= n;
    let of = |n: usize| (0..n * n).map(move |i| if hot(n, i / n, i % n) { 6000 } else { 2000 });
    let (coarse, fine) = (of(PIXELS).collect(), of(POINTS).collect());
    let (hottest, chance, spread) = (6000, 0.75, 30);
    let packet =
        Packet { frame: 7, status, coarse, fine, hottest, chance, spread, ..Packet::default() };
    Received { packet, ..Received::default() }
}

fn drawn(shown: &Shown, width: u16, height: u16) -> (Buffer, String) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    shown.render(buffer.area, &mut buffer);
    let rows = buffer.content.chunks(usize::from(width));
    let text = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n");
    let text = text.collect();
    (buffer, text)
}

/// If this failed, colours would lie elsewhere than the heat, or the usual terminal be too small.
#[test]
fn heat_is_where_it_is_in_both_frames() {
    let mut shown = Shown { source: "board".into(), many: true, ..Shown::default() };
    shown.take(&received(Status::ALARM));
    shown.totals = Totals { frames: 8, lost: 2, garbled: 1, restarts: 0 };
    shown.trouble = "board is gone".into();
    let (buffer, text) = drawn(&shown, 80, 24);
    let scale = ColorScale::new([].into_iter(), Colors::Sequential, Some((20.0, 60.0)));
    let [cold, hot] = [20.0, 60.0].map(|celsius| {
        let color = scale.color(celsius);
        Color::Rgb(color.r, color.g, color.b)
    });
    for left in [0, 41] {
        for (row, column, color) in [(0, 0, cold), (15, 0, cold), (0, 31, cold), (15, 31, hot)] {
            let cell = &buffer[(left + column, 2 + row)];
            assert_eq!((cell.symbol(), cell.fg, cell.bg), ("▀", color, color), "{row} {column}");
        }
        assert_eq!(buffer[(left + 32, 2)].symbol(), " ", "{text}");
    }
    for says in [
        "20.00 °C ",
        " 60.00 °C",
        "frame 7   hottest 60.00 °C",
        "± 0.30 °C",
        "alarm 75 %   χ² –   alarm",
        "8 frames, 2 packets lost, 1 piece garbled",
        "board is gone",
    ] {
        assert!(text.contains(says), "{says}\n{text}");
    }
}

/// If this failed, a frame of zeros in place of a lost one would be shown as freezing cold.
#[test]
fn what_was_not_measured_is_grey_and_moves_no_colour() {
    let mut shown = Shown { many: true, ..Shown::default() };
    let mut lost = received(Status::LOST);
    lost.packet.status.raise(Status::NO_ANSWER);
    lost.packet.coarse.iter_mut().for_each(|value| *value = 0);
    shown.take(&lost);
    assert_eq!(shown.span.ends(), (20.0, 60.0));
    let (buffer, text) = drawn(&shown, 80, 24);
    let scale = ColorScale::new([].into_iter(), Colors::Sequential, None);
    let grey = scale.color(f64::NAN);
    assert_eq!(buffer[(5, 5)].fg, Color::Rgb(grey.r, grey.g, grey.b));
    assert!(text.contains("no answer, lost"), "{text}");
}

/// If this failed, a small window would end the recording.
#[test]
fn every_size_of_the_terminal_can_be_drawn_on() {
    let mut shown = Shown::default();
    for take in [false, true] {
        if take {
            shown.take(&received(Status::default()));
        }
        for (width, height) in [(1, 1), (2, 9), (9, 2), (20, 8), (79, 23), (300, 100)] {
            let (buffer, _) = drawn(&shown, width, height);
            let text = ansi::text(&buffer);
            assert_eq!(text.lines().count(), usize::from(height));
        }
    }
}
