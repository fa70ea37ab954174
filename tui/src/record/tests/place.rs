//! Where a capture may go, and what is not overwritten.

use super::*;

#[test]
fn a_file_that_is_there_is_overwritten() {
    let folder = Folder::new();
    let (old, new) = (folder.file("old"), folder.file("new"));
    fs::write(&old, vec![7; 100_000]).unwrap();
    symlink(&old, folder.file("link")).unwrap();
    for path in [&old, &new, &folder.file("link")] {
        let mut recorder = once(path);
        record(&mut recorder, 0..1, 10);
        recorder.finish().unwrap();
        assert_eq!(read(path).packets.len(), 1);
    }
    // Keys go over netlink.
    assert_eq!(
        fs::metadata(&new).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn nothing_but_files_is_overwritten() {
    let folder = Folder::new();
    let socket = folder.file("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let kinds = [
        (folder.0.as_path(), "a directory"),
        (socket.as_path(), "a socket"),
        (Path::new("/dev/full"), "a character device"),
    ];
    for (path, what) in kinds {
        let said = refused(path, Rotation::default());
        assert_eq!(
            said,
            format!(
                "{} is {what}, which is not overwritten; give -w the name of a file, a FIFO, /dev/null or - \
                 (standard output)",
                path.display()
            )
        );
    }
    let nowhere = folder.file("no/such/place");
    let said = refused(&nowhere, Rotation::default());
    assert!(
        said.starts_with(&format!(
            "cannot write to {}: No such file",
            nowhere.display()
        )),
        "{said}"
    );
}

#[test]
fn the_null_device_takes_everything() {
    let mut recorder = once(Path::new("/dev/null"));
    record(&mut recorder, 0..10, 100);
    assert_eq!(recorder.finish().unwrap().packets, 10);
}

#[test]
fn a_fifo_can_be_written_to() {
    let folder = Folder::new();
    let (fifo, copy) = (folder.file("fifo"), folder.file("copy"));
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| fs::write(&copy, fs::read(&fifo).unwrap()).unwrap());
        let mut recorder = once(&fifo);
        record(&mut recorder, 0..10, 100);
        assert_eq!(recorder.finish().unwrap().packets, 10);
    });
    assert_eq!(read(&copy).numbers(), (0..10).collect::<Vec<_>>());
}

#[test]
fn what_is_no_file_is_not_rotated() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(1),
        ..Rotation::default()
    };
    for path in ["-", "/dev/stdout"] {
        let said = refused(Path::new(path), rotation);
        assert_eq!(
            said,
            "standard output cannot be rotated: give -w the name of a file, or leave out -b"
        );
    }
    for path in ["/dev/null", folder.0.to_str().unwrap(), ""] {
        let said = refused(Path::new(path), rotation);
        assert!(
            said.starts_with(&format!("{path} cannot be rotated: ")),
            "{said}"
        );
    }
    let files = NonZeroU32::new(2);
    let said = refused(
        &folder.file("a"),
        Rotation {
            files,
            ..Rotation::default()
        },
    );
    assert!(
        said.contains("not when the next one begins; add a size, a duration"),
        "{said}"
    );
    assert!(folder.files().is_empty());
}

#[test]
fn a_packet_of_an_unknown_interface_is_not_recorded() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = once(&path);
    let error = recorder
        .packet(&Packet {
            interface: 1,
            ..plain(0, b"x")
        })
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a packet of interface 1, of which there are 1; describe the interface first"
    );
    assert_eq!(recorder.finish().unwrap().packets, 0);
    assert!(read(&path).packets.is_empty());
}

#[test]
fn a_new_file_takes_the_place_of_none() {
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    let mut recorder = Recorder::create_new(&path, None).unwrap();
    recorder.interface("nlmon0", "").unwrap();
    record(&mut recorder, 0..1, 40);
    recorder.finish().unwrap();
    let error = Recorder::create_new(&path, None).err().unwrap();
    assert!(error.to_string().contains("is there already"), "{error}");
    assert_eq!(read(&path).numbers(), [0]);
}
