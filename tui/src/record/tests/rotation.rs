//! Several files: when the next one begins, and which are deleted.

use super::*;

#[test]
fn files_stay_within_their_size() {
    for form in [Form::Pcapng, Form::Pcap] {
        let folder = Folder::new();
        let rotation = Rotation {
            filesize: Some(2_000),
            ..Rotation::default()
        };
        let mut recorder = Recorder::create(&folder.file("a"), form, rotation, None).unwrap();
        recorder.interface("nlmon0", "all of netlink").unwrap();
        recorder.losses(losses(0, 1, 1));
        record(&mut recorder, 0..100, 101);
        record(&mut recorder, 100..101, 5_000);
        record(&mut recorder, 101..150, 250);
        let summary = recorder.finish().unwrap();
        let lengths: Vec<_> = folder
            .files()
            .iter()
            .map(|path| fs::metadata(path).unwrap().len())
            .collect();
        assert_eq!(lengths.iter().filter(|&&length| length > 2_000).count(), 1);
        // Full, too: two more packets would not have fitted.
        assert!(
            lengths[..5]
                .iter()
                .all(|length| (1_700..=2_000).contains(length)),
            "{lengths:?}"
        );
        assert_eq!(
            (summary.files, summary.packets),
            (lengths.len() as u64, 150)
        );
        assert_eq!(summary.bytes, lengths.iter().sum::<u64>());
        if form == Form::Pcapng {
            let captures: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
            assert!(captures.iter().all(|capture| capture.interfaces.len() == 1));
            assert!(captures.iter().all(|capture| capture.statistics.len() == 1));
            let numbers: Vec<_> = captures.iter().flat_map(Capture::numbers).collect();
            assert_eq!(numbers, (0..150).collect::<Vec<_>>());
            assert!(captures.iter().any(|capture| capture.numbers() == [100]));
        }
    }
}

#[test]
fn an_interface_that_finds_no_room_is_described_in_the_next_file() {
    let folder = Folder::new();
    let rotation = Rotation {
        filesize: Some(1_800),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    record(&mut recorder, 0..1, 1_500);
    recorder
        .interface("route", "groups of NETLINK_ROUTE")
        .unwrap();
    recorder
        .packet(&Packet {
            interface: 1,
            ..plain(1, b"abcd")
        })
        .unwrap();
    recorder.finish().unwrap();
    let files = folder.files();
    assert_eq!(files.len(), 2);
    assert!(fs::metadata(&files[0]).unwrap().len() <= 1_800);
    assert_eq!(read(&files[0]).interfaces.len(), 1);
    assert_eq!(read(&files[0]).statistics.len(), 1);
    assert_eq!(read(&files[1]).interfaces.len(), 2);
    assert_eq!(read(&files[1]).packets[0].interface, 1);
}

#[test]
fn a_file_takes_so_many_packets_and_no_more() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(3),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    recorder.losses(losses(0, 10, 2));
    record(&mut recorder, 0..3, 40);
    assert_eq!(folder.files().len(), 1);
    record(&mut recorder, 3..7, 40);
    recorder.losses(losses(0, 20, 5));
    let summary = recorder.finish().unwrap();
    let captures: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
    let numbers: Vec<_> = captures.iter().map(Capture::numbers).collect();
    assert_eq!(numbers, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    assert_eq!((summary.files, summary.packets), (3, 7));
    // Counts go on from file to file.
    let counts: Vec<_> = captures
        .iter()
        .map(|capture| {
            capture.statistics[0].2[2..]
                .iter()
                .map(|(_, count)| count[0])
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(counts, [[10, 2, 3], [10, 2, 6], [20, 5, 7]]);
    let name = |at: usize| {
        folder.files()[at]
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(name(1), "a_00002_20261121073003.pcapng");
    assert_eq!(name(2), "a_00003_20261121073006.pcapng");
}

#[test]
fn a_file_ends_a_while_after_its_first_packet() {
    let folder = Folder::new();
    let rotation = Rotation {
        duration: Some(Duration::from_secs(10)),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    recorder.tick((START - 100, 0)).unwrap();
    record(&mut recorder, 0..13, 40);
    // An earlier packet does not belong to an earlier file.
    recorder.packet(&plain(9, &99_u32.to_ne_bytes())).unwrap();
    recorder.tick((START + 18, 999_999_999)).unwrap();
    assert_eq!(folder.files().len(), 2);
    recorder.tick((START + 19, 0)).unwrap();
    assert_eq!(folder.files().len(), 3);
    recorder.tick((START + 60, 0)).unwrap();
    assert_eq!(folder.files().len(), 3, "a file without a packet goes on");
    record(&mut recorder, 65..66, 40);
    recorder.finish().unwrap();
    let numbers: Vec<_> = folder
        .files()
        .iter()
        .map(|path| read(path).numbers())
        .collect();
    assert_eq!(numbers, [(0..10).collect(), vec![10, 11, 12, 99], vec![65]]);
    assert!(folder.files()[2].ends_with("a_00003_20261121073019.pcapng"));
}

#[test]
fn the_ring_deletes_the_oldest_of_its_own_files_only() {
    let folder = Folder::new();
    let foreign = folder.file("a_00000_20200101000000.pcapng");
    fs::write(&foreign, "kept").unwrap();
    let files = NonZeroU32::new(2);
    let rotation = Rotation {
        packets: Some(1),
        files,
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    record(&mut recorder, 0..3, 40);
    assert_eq!(folder.files().len(), 3);
    // One that is gone already is no fault.
    fs::remove_file(&folder.files()[1]).unwrap();
    record(&mut recorder, 3..6, 40);
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.files, summary.packets), (6, 6));
    let left = folder.files();
    assert_eq!(left.len(), 3);
    assert_eq!(left[0], foreign);
    assert_eq!(read(&left[1]).numbers(), [4]);
    assert_eq!(read(&left[2]).numbers(), [5]);
    assert!(left[2].ends_with("a_00006_20261121073005.pcapng"));
}

#[test]
fn a_file_of_the_ring_that_cannot_be_deleted_is_reported_and_nothing_lost() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(1),
        files: NonZeroU32::new(1),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
    record(&mut recorder, 0..1, 40);
    let oldest = recorder.path().to_owned();
    fs::remove_file(&oldest).unwrap();
    fs::create_dir(&oldest).unwrap();
    record(&mut recorder, 1..2, 40);
    let error = recorder.trouble().unwrap().to_string();
    assert!(
        error.starts_with(&format!("cannot delete {}, the oldest", oldest.display())),
        "{error}"
    );
    let last = recorder.path().to_owned();
    recorder.finish().unwrap();
    assert_eq!(read(&last).numbers(), [1]);
}

#[test]
fn every_file_begins_with_what_helps_to_read_it() {
    for (filesize, named) in [(None, true), (Some(400), false)] {
        let folder = Folder::new();
        let rotation = Rotation {
            packets: Some(2),
            filesize,
            ..Rotation::default()
        };
        let mut recorder = recorder(&folder.file("a"), rotation);
        recorder.preface(&plain(0, &[9; 40])).unwrap();
        record(&mut recorder, 0..5, 40);
        let summary = recorder.finish().unwrap();
        assert_eq!((summary.files, summary.packets), (3, 5));
        let captures = folder.files().into_iter().map(|path| read(&path));
        for (capture, numbers) in captures.zip([vec![0, 1], vec![2, 3], vec![4]]) {
            let mut packets = capture.packets.iter();
            if named {
                let first = packets.next().unwrap();
                assert_eq!(first.bytes, [9; 40]);
                assert_eq!(capture.processes[0].0, std::process::id());
            }
            let rest: Vec<_> = packets.map(|packet| number(&packet.bytes)).collect();
            assert_eq!(rest, numbers);
        }
    }
}

#[test]
fn after_the_last_file_nothing_more_is_recorded() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(3),
        last: NonZeroU32::new(2),
        ..Rotation::default()
    };
    let mut recorder = recorder(&folder.file("a"), rotation);
    record(&mut recorder, 0..6, 40);
    assert!(recorder.is_full());
    record(&mut recorder, 6..9, 40);
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.files, summary.packets), (2, 6));
    let captures: Vec<_> = folder.files().iter().map(|path| read(path)).collect();
    let numbers: Vec<_> = captures.iter().map(Capture::numbers).collect();
    assert_eq!(numbers, [[0, 1, 2], [3, 4, 5]]);
    assert!(captures.iter().all(|capture| capture.statistics.len() == 1));
}

#[test]
fn a_file_goes_on_if_the_next_one_cannot_be_begun() {
    let folder = Folder::new();
    let inside = folder.file("inside");
    fs::create_dir(&inside).unwrap();
    let rotation = Rotation {
        filesize: Some(600),
        ..Rotation::default()
    };
    let mut recorder = recorder(&inside.join("a.pcapng"), rotation);
    let away = folder.file("away");
    fs::rename(&inside, &away).unwrap();
    record(&mut recorder, 0..5, 40);
    for pid in [5, 6] {
        let process = Some(Process { pid, name: "ip" });
        let bytes = pid.to_ne_bytes();
        let packet = Packet {
            process,
            ..plain(pid.into(), &bytes)
        };
        recorder.packet(&packet).unwrap();
    }
    let error = recorder.trouble().unwrap().to_string();
    assert!(error.contains("No such file or directory"), "{error}");
    assert!(recorder.trouble().is_none(), "it is told once");
    let summary = recorder.finish().unwrap();
    assert_eq!((summary.files, summary.packets), (1, 7));
    let file = fs::read_dir(&away).unwrap().next().unwrap().unwrap().path();
    let capture = read(&file);
    assert_eq!(capture.numbers(), (0..7).collect::<Vec<_>>());
    let processes: Vec<_> = capture.processes.iter().map(|(pid, _)| *pid).collect();
    assert_eq!(processes, [5, 6]);
}

#[test]
fn two_captures_in_one_second_have_files_of_their_own() {
    let folder = Folder::new();
    let rotation = Rotation {
        packets: Some(2),
        ..Rotation::default()
    };
    for numbers in [0..3, 3..6] {
        let mut recorder = recorder(&folder.file("a.pcapng"), rotation);
        record(&mut recorder, numbers, 40);
        recorder.finish().unwrap();
    }
    let captures = folder.files().into_iter().map(|path| read(&path));
    let mut numbers: Vec<_> = captures.flat_map(|it| it.numbers()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
}
