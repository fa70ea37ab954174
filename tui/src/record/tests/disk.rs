//! Disks that are full, and recorders that are killed: what was counted is in the files.

use super::*;

thread_local! {
    /// How many more bytes the disk of this test has room for.
    static ROOM: Cell<usize> = const { Cell::new(0) };
}

/// A file on a disk of which [`ROOM`] is left.
struct Cramped {
    file: FileSink,
    can_take_back: bool,
}

impl Sink for Cramped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = ROOM.get().min(bytes.len());
        if room == 0 {
            // ENOSPC
            return Err(io::Error::from_raw_os_error(28));
        }
        let count = self.file.write(&bytes[..room])?;
        ROOM.set(ROOM.get() - count);
        Ok(count)
    }

    fn take_back(&mut self, count: u64) -> io::Result<()> {
        if !self.can_take_back {
            return Err(io::ErrorKind::Unsupported.into());
        }
        ROOM.set(ROOM.get() + usize::try_from(count).unwrap());
        self.file.take_back(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }
}

fn open_cramped(path: &Path) -> Result<Box<dyn Sink>, RecordError> {
    Ok(Box::new(Cramped {
        file: FileSink::create(path)?,
        can_take_back: true,
    }))
}

fn open_cramped_stream(path: &Path) -> Result<Box<dyn Sink>, RecordError> {
    Ok(Box::new(Cramped {
        file: FileSink::create(path)?,
        can_take_back: false,
    }))
}

fn cramped(path: &Path, rotation: Rotation, open: Open) -> Recorder {
    ROOM.set(1_000);
    let mut recorder = Recorder::begin(path, Form::Pcapng, rotation, None, open).unwrap();
    recorder.interface("nlmon0", "all of netlink").unwrap();
    recorder.flush().unwrap();
    recorder
}

#[test]
fn a_full_disk_leaves_whole_blocks() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let process = Some(Process {
        pid: 1,
        name: "init",
    });
    let mut counts = vec![];
    for room in 0..400 {
        let mut recorder = cramped(&path, Rotation::default(), open_cramped);
        ROOM.set(room);
        for second in 0..3_u32 {
            let bytes = second.to_ne_bytes();
            recorder
                .packet(&Packet {
                    process,
                    ..plain(second.into(), &bytes)
                })
                .unwrap();
        }
        let Err(error) = recorder.flush() else {
            assert_eq!(recorder.written(), 3);
            break;
        };
        let written = recorder.written();
        let error = error.to_string();
        let said = format!(
            "writing to {} failed: No space left on device; packets \
             written to it before: {written}; it ends with a whole block; free some space",
            path.display()
        );
        assert!(error.starts_with(&said), "{error}");
        assert_eq!(read(&path).packets.len() as u64, written);
        counts.push(written);

        ROOM.set(1_000);
        assert_eq!(recorder.finish().unwrap().packets, 3);
        let capture = read(&path);
        assert_eq!(capture.numbers(), [0, 1, 2]);
        assert_eq!((capture.processes.len(), capture.statistics.len()), (1, 1));
    }
    counts.dedup();
    assert_eq!(counts, [0, 1, 2]);
}

#[test]
fn a_full_disk_takes_no_packet_beyond_the_buffer() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = cramped(&path, Rotation::default(), open_cramped);
    ROOM.set(100_000);
    let bytes = [0; 10_000];
    let taken = (0..100)
        .take_while(|_| recorder.packet(&plain(0, &bytes)).is_ok())
        .count();
    assert_eq!(taken, 27);
    assert_eq!(recorder.written(), 9);
    // Nine packets less are buffered now, and as many find room.
    let taken = (0..100)
        .take_while(|_| recorder.packet(&plain(0, &bytes)).is_ok())
        .count();
    assert_eq!(taken, 9);
    assert!(recorder.finish().is_err());
    assert_eq!(read(&path).packets.len(), 9);
}

#[test]
fn a_stream_goes_on_where_it_stopped() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = cramped(&path, Rotation::default(), open_cramped_stream);
    record(&mut recorder, 0..3, 100);
    ROOM.set(200);
    for _ in 0..2 {
        // The second time, nothing at all is taken.
        let error = recorder.flush().unwrap_err().to_string();
        assert!(
            error.contains("before: 1; it may end within a block;"),
            "{error}"
        );
    }
    assert_eq!(recorder.written(), 1);
    ROOM.set(1_000);
    assert_eq!(recorder.finish().unwrap().packets, 3);
    assert_eq!(read(&path).numbers(), [0, 1, 2]);
}

#[test]
fn a_rotation_that_failed_is_tried_again() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let rotation = Rotation {
        packets: Some(1),
        ..Rotation::default()
    };
    let mut recorder = cramped(&path, rotation, open_cramped);
    record(&mut recorder, 0..1, 100);
    for room in [0, 50, 140, 250, 500] {
        ROOM.set(room);
        if recorder.packet(&plain(1, &1_u32.to_ne_bytes())).is_ok() {
            break;
        }
        assert!(room < 500);
    }
    ROOM.set(1_000);
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.files, summary.packets), (2, 2));
    let captures: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
    let read: Vec<_> = captures
        .iter()
        .map(|capture| (capture.numbers(), capture.statistics.len()))
        .collect();
    assert_eq!(read, [(vec![0], 1), (vec![1], 1)]);
}

#[test]
fn a_killed_recorder_leaves_what_it_counted() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = once(&path);
    record(&mut recorder, 0..5_000, 100);
    let counted = recorder.written();
    assert!(
        (1_000..5_000).contains(&counted),
        "a part was flushed of itself: {counted}"
    );
    assert_eq!(read(&path).packets.len() as u64, counted);
    recorder.flush().unwrap();
    record(&mut recorder, 5_000..5_010, 100);
    assert_eq!(recorder.written(), 5_000);
    // Nothing more happens to it, as if the process had been killed.
    std::mem::forget(recorder);
    assert_eq!(read(&path).numbers(), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn a_capture_can_be_read_from_its_beginning() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let recorder = once(&path);
    assert_eq!(recorder.written(), 0);
    assert!(!read(&path).header.is_empty());
}
