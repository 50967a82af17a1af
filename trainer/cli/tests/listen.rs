//! `finescale listen`, with what the chain of a board sends: over a file, a pipe, a TCP connection
//! that breaks, and a serial line; and the recordings, read again and compared value by value.

#[path = "common/home.rs"]
mod home;
#[path = "common/packets.rs"]
mod packets;

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use finescale_chain::Status;
use finescale_chain::setup::CALIBRATION;
use home::{Home, one_sentence};
use netcdf3::FileReader;
use packets::{SENT, bytes};

const MISSING: i16 = i16::MIN;

/// A frame of a recording: its place among the packets, and what it has to say of the line.
#[derive(Clone, Copy)]
struct Frame {
    place: usize,
    lost: i32,
    garbled: i32,
    connection: i32,
}

fn frame(place: usize) -> Frame {
    Frame { place, lost: 0, garbled: 0, connection: 0 }
}

/// Reads a recording and compares every value with the packets.
fn compare(path: &Path, frames: &[Frame]) {
    let mut file = FileReader::open(path).unwrap();
    let set = file.data_set();
    assert_eq!(set.get_global_attr_as_string("Conventions").unwrap(), "CF-1.11");
    assert_eq!(set.dim_size("time"), Some(frames.len()));
    let short = |file: &mut FileReader, name: &str| file.read_var_i16(name).unwrap();
    let counts = |file: &mut FileReader, name: &str| file.read_var_i32(name).unwrap();
    let sent = || frames.iter().map(|frame| &SENT[frame.place].0);
    let of = |get: fn(&Frame) -> i32| frames.iter().map(get).collect::<Vec<_>>();
    assert_eq!(counts(&mut file, "lost"), of(|frame| frame.lost));
    assert_eq!(counts(&mut file, "garbled"), of(|frame| frame.garbled));
    assert_eq!(counts(&mut file, "connection"), of(|frame| frame.connection));
    let numbers: Vec<i32> = sent().map(|packet| packet.frame as i32).collect();
    assert_eq!(counts(&mut file, "frame"), numbers);
    let status: Vec<i16> = sent().map(|packet| packet.status.0 as i16).collect();
    assert_eq!(short(&mut file, "status"), status);
    let floats = [
        ("chance", sent().map(|packet| packet.chance).collect::<Vec<_>>()),
        ("chi2", sent().map(|packet| packet.chi2).collect()),
    ];
    for (name, values) in floats {
        assert_eq!(file.read_var_f32(name).unwrap(), values, "{name}");
    }
    let known = |value: i16| if value == 0 { MISSING } else { value };
    let shorts: [(&str, Vec<i16>); 5] = [
        ("mean", sent().map(|packet| packet.mean).collect()),
        ("spread", sent().map(|packet| known(packet.spread)).collect()),
        ("hottest", sent().map(|packet| packet.hottest).collect()),
        ("hottest_row", sent().map(|packet| packet.at.0.into()).collect()),
        ("hottest_column", sent().map(|packet| packet.at.1.into()).collect()),
    ];
    for (name, values) in shorts {
        assert_eq!(short(&mut file, name), values, "{name}");
    }
    let fine: Vec<i16> = sent().flat_map(|packet| packet.fine.iter().copied()).collect();
    assert_eq!(short(&mut file, "fine"), fine);
    let coarse = sent().flat_map(|packet| {
        let none = [Status::NO_ANSWER, Status::BROKEN_OFF].iter().any(|f| packet.status.has(*f));
        let pixels = packet.coarse.iter().zip(&CALIBRATION.dead);
        pixels.map(move |(value, dead)| if none || *dead { MISSING } else { *value })
    });
    assert_eq!(short(&mut file, "coarse"), coarse.collect::<Vec<_>>());
    let time = file.read_var_f64("time").unwrap();
    assert!(time.is_sorted_by(|before, after| before < after), "{time:?}");
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!(time[0] > now - 600.0 && time[time.len() - 1] < now + 1.0, "{time:?}");
}

fn said(output: &Output) -> (Vec<String>, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout).lines().map(str::to_owned).collect(), text(&output.stderr))
}

#[test]
fn a_file_of_bytes_becomes_lines_a_recording_and_a_picture() {
    let home = Home::empty();
    std::fs::write(home.path("board.bin"), bytes(0..SENT.len())).unwrap();
    let output = home.command("listen board.bin --out a.nc --picture a.svg").output().unwrap();
    let (lines, rest) = said(&output);
    assert_eq!(lines.len(), SENT.len());
    for (line, (packet, _)) in lines.iter().zip(SENT.iter()) {
        let heat = format!("hottest {:.2} °C", f32::from(packet.hottest) / 100.0);
        assert!(line.starts_with(&format!("frame {}   {heat}", packet.frame)), "{line}");
        for (flag, name) in Status::NAMES {
            // "no answer, lost": a name is no part of another.
            let named = line.split("   ").last().unwrap().split(", ").any(|word| word == name);
            assert_eq!(named, packet.status.has(flag), "{name}: {line}");
        }
        assert!(!line.contains('\x1b') && !line.contains("before it"), "{line}");
    }
    assert!(
        rest.starts_with(&format!("{} frames, 0 packets lost, 0 pieces", SENT.len())),
        "{rest}"
    );
    compare(&home.path("a.nc"), &(0..SENT.len()).map(frame).collect::<Vec<_>>());
    let picture = std::fs::read_to_string(home.path("a.svg")).unwrap();
    let last = SENT.last().unwrap().0.frame;
    for text in [&format!("Frame {last}: hottest"), "measured, 8 × 8", "computed, 32 × 32", "°C"]
    {
        assert!(picture.contains(text), "{text}");
    }
    assert_eq!(home.entries(), ["a.nc", "a.svg", "board.bin"]);
    // A second recording does not take the place of the first by accident.
    let error = home.refuses("listen board.bin --out a.nc");
    assert!(error.contains("a.nc exists"), "{error}");
    let output = home.command("listen board.bin --out a.nc --force --frames 3").output().unwrap();
    assert_eq!(said(&output).0.len(), 3);
    compare(&home.path("a.nc"), &[0, 1, 2].map(frame));
}

/// If this failed, noise on the line would cost more than the packets that it hits, or be hidden.
#[test]
fn bytes_that_are_changed_or_missing_cost_their_packets_only() {
    let home = Home::empty();
    let mut line = bytes(0..12);
    let starts: Vec<usize> = (0..12).map(|n| bytes(0..n).len()).collect();
    // One byte of packet 2 is another, one of packet 5 is missing, and 8 and 9 are torn together.
    line[starts[2] + 40] ^= 0x10;
    line.drain(starts[8] + 100..starts[9] + 60);
    line.remove(starts[5] + 7);
    let mut listen = home.command("listen - --out a.nc");
    listen.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = listen.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for piece in line.chunks(777) {
        input.write_all(piece).unwrap();
    }
    drop(input);
    let (lines, rest) = said(&child.wait_with_output().unwrap());
    assert!(rest.starts_with("8 frames, 4 packets lost, 3 pieces garbled"), "{rest}");
    assert!(lines[2].ends_with("before it: 1 lost, 1 garbled"), "{}", lines[2]);
    let after = |place, lost| Frame { lost, garbled: 1, ..frame(place) };
    let [a, b, c] = [after(3, 1), after(6, 1), after(10, 2)];
    compare(&home.path("a.nc"), &[frame(0), frame(1), a, frame(4), b, frame(7), c, frame(11)]);
}

/// The program, listening in a folder.
struct Listening(Option<Child>);

impl Listening {
    fn new(home: &Home, line: &str) -> Self {
        let mut listen = home.command(line);
        Self(Some(listen.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    fn interrupt(&mut self) -> Output {
        let child = self.0.take().unwrap();
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        child.wait_with_output().unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something has come true.
fn wait(what: &str, come: impl Fn() -> bool) {
    let begun = Instant::now();
    while !come() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} has not come");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The number of frames in the recording that is being made, which is whole after every frame.
fn growing(home: &Home) -> usize {
    let name = home.entries().into_iter().find(|name| name.starts_with(".a.nc.partial-"));
    let file = name.and_then(|name| FileReader::open(home.path(&name)).ok());
    file.and_then(|file| file.data_set().dim_size("time")).unwrap_or(0)
}

/// If this failed, a night's recording would end with the first fault of the network.
#[cfg(unix)]
#[test]
fn a_connection_that_breaks_is_made_again_and_marked() {
    let home = Home::empty();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let mut listening = Listening::new(&home, &format!("listen tcp://127.0.0.1:{port} --out a.nc"));
    // It breaks off in the middle of packet 5.
    let (mut line, _) = server.accept().unwrap();
    line.write_all(&[bytes(0..5), bytes(5..6)[..500].to_vec()].concat()).unwrap();
    drop(line);
    // It comes again with a changed byte in packet 7, and goes on.
    let (mut line, _) = server.accept().unwrap();
    let mut changed = bytes(7..12);
    changed[30] ^= 0x20;
    line.write_all(&changed).unwrap();
    wait("nine frames", || growing(&home) == 9);
    drop(line);
    // The third time it is silent until Ctrl-C.
    let (line, _) = server.accept().unwrap();
    wait("the file under its temporary name", || growing(&home) == 9);
    assert!(!home.path("a.nc").exists());
    let (lines, rest) = said(&listening.interrupt());
    drop(line);
    assert_eq!(lines.len(), 9);
    assert_eq!(
        rest.matches("is gone (it was closed): trying again in 0.25 s").count(),
        2,
        "{rest}"
    );
    assert_eq!(rest.matches("is there again").count(), 2, "{rest}");
    assert!(rest.contains("9 frames, 3 packets lost, 2 pieces garbled"), "{rest}");
    assert_eq!(home.entries(), ["a.nc"]);
    let second = |place| Frame { connection: 1, ..frame(place) };
    let first = Frame { lost: 3, garbled: 2, ..second(8) };
    let frames: Vec<Frame> = (0..5).map(frame).chain([first]).chain((9..12).map(second)).collect();
    compare(&home.path("a.nc"), &frames);
}

/// If this failed, a board whose cable is pulled and put in again would be lost, or hold Ctrl-C.
#[cfg(target_os = "linux")]
#[test]
fn a_serial_line_is_read_and_waited_for() {
    use std::os::fd::AsRawFd;
    let home = Home::empty();
    let (board, host) = serial2::SerialPort::pair().unwrap();
    let link = |fd: i32| std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap();
    let name = [&board, &host].map(|port| link(port.as_raw_fd()));
    let name = name.into_iter().find(|name| name.starts_with("/dev/pts")).unwrap();
    // A name that stays, as udev gives one.
    std::os::unix::fs::symlink(&name, home.path("board")).unwrap();
    let mut listening = Listening::new(&home, "listen board --baud 921600 --out a.nc");
    wait("the file", || home.entries().len() == 2);
    thread::sleep(Duration::from_millis(500));
    board.write_all(&bytes(0..4)).unwrap();
    wait("four frames", || growing(&home) == 4);
    drop((board, host));
    std::fs::remove_file(home.path("board")).unwrap();
    thread::sleep(Duration::from_millis(600));
    let (board, host) = serial2::SerialPort::pair().unwrap();
    let name = [&board, &host].map(|port| link(port.as_raw_fd()));
    let name = name.into_iter().find(|name| name.starts_with("/dev/pts")).unwrap();
    std::os::unix::fs::symlink(&name, home.path("board")).unwrap();
    wait("six frames", || {
        // Until it is open, what is written may be discarded.
        growing(&home) >= 6 || board.write_all(&bytes(6..8)).is_err()
    });
    let (lines, rest) = said(&listening.interrupt());
    assert!(lines[4].contains("frame 6 ") && lines[4].contains("before it: 2 lost"), "{lines:?}");
    assert!(rest.contains("board is gone (") && rest.contains("board is there again"), "{rest}");
}

/// If this failed, hours would be listened for nothing.
#[test]
fn what_cannot_be_is_refused_before_it_begins() {
    let home = Home::empty();
    std::fs::write(home.path("board.bin"), bytes(0..2)).unwrap();
    std::fs::write(home.path("noise.bin"), b"\0no packet\0none\0neither").unwrap();
    std::fs::write(home.path("empty.bin"), b"").unwrap();
    std::fs::create_dir(home.path("folder")).unwrap();
    for (line, says) in [
        ("listen board.bin --out a.txt", "--out a.txt has no known suffix: end it in .nc"),
        ("listen board.bin --out none/a.nc", "the folder none does not exist"),
        ("listen board.bin --picture a.gif", "end it in .png or .svg"),
        ("listen board.bin --picture none/a.png", "the folder none does not exist"),
        ("listen folder", "SOURCE folder is a folder"),
        ("listen tcp://board", "has no port: give tcp://HOST:PORT"),
        ("listen none.bin --out a.nc", "SOURCE none.bin cannot be read: No such file"),
        ("listen tcp://127.0.0.1:1 --out a.nc", "SOURCE tcp://127.0.0.1:1 cannot be read: "),
        ("listen noise.bin --out a.nc", "no packet came from noise.bin, only pieces (3)"),
        ("listen empty.bin --out a.nc", "no packet came from empty.bin"),
    ] {
        let error = home.refuses(line);
        assert!(error.contains(says), "{line}: {error}");
    }
    let frames = home.command("listen board.bin --frames 0").output().unwrap();
    assert_eq!(frames.status.code(), Some(2));
    let silent = home.command("listen -").stdin(Stdio::null()).output().unwrap();
    assert!(one_sentence("listen -", &silent).contains("no packet came from standard input"));
}
