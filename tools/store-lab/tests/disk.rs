//! What is left of un-synced work, case by case.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use store_lab::{Disk, DiskError, Failure, Fault, Lost};

fn content(disk: &Disk, name: &str) -> Option<Vec<u8>> {
    disk.image().remove(name)
}

/// A durable file of ones, and twos over its middle that are not durable.
fn half_done() -> Disk {
    let disk = Disk::new(1);
    disk.create("a").unwrap();
    disk.write_at("a", 0, &[1; 2_048]).unwrap();
    disk.sync("a").unwrap();
    disk.sync_dir("").unwrap();
    disk.write_at("a", 256, &[2; 1_024]).unwrap();
    disk
}

#[test]
fn reads_what_was_written() {
    let disk = Disk::new(1);
    disk.create("f/a").unwrap();
    assert_eq!(disk.create("f/a"), Err(DiskError::Exists));
    disk.write_at("f/a", 3, b"abc").unwrap();
    disk.set_len("f/a", 5).unwrap();
    disk.rename("f/a", "f/b").unwrap();
    assert!(!disk.exists("f/a"));
    let mut bytes = [9; 8];
    assert_eq!(disk.read_at("f/b", 1, &mut bytes), Ok(4));
    assert_eq!(bytes, [0, 0, b'a', b'b', 9, 9, 9, 9]);
    assert_eq!(disk.len("f/b"), Ok(5));
    disk.remove("f/b").unwrap();
    assert_eq!(disk.len("f/b"), Err(DiskError::NotFound));
    assert_eq!(disk.operations(), 5);
}

#[test]
fn loses_what_was_not_synced() {
    let disk = half_done();
    assert_eq!(content(&disk.reboot(Lost::Everything), "a").unwrap(), [1; 2_048]);
    let all = [vec![1; 256], vec![2; 1_024], vec![1; 768]].concat();
    assert_eq!(content(&disk.reboot(Lost::Nothing), "a").unwrap(), all);
    disk.sync("a").unwrap();
    for lost in Lost::all(7) {
        assert_eq!(content(&disk.reboot(lost), "a").unwrap(), all, "{lost:?}");
    }
}

#[test]
fn tears_at_sectors() {
    let kinds: [fn(u64) -> Lost; 3] = [Lost::Tail, Lost::Sectors, Lost::Reordered];
    for (kind, expected) in kinds.into_iter().zip([4, 8, 8]) {
        let seen: BTreeSet<_> = (0..200).map(|seed| content(&half_done().reboot(kind(seed)), "a").unwrap()).collect();
        assert_eq!(seen.len(), expected, "{:?}", kind(0));
        for image in seen {
            let (first, second, third) = (&image[256..512], &image[512..1_024], &image[1_024..1_280]);
            assert!([first, second, third].iter().all(|part| part.iter().all(|byte| *byte == part[0])));
            assert!(image[..256].iter().chain(&image[1_280..]).all(|byte| *byte == 1));
        }
    }
}

#[test]
fn noise_harms_neighbours_within_a_sector_only() {
    let images: Vec<_> = (0..50).map(|seed| content(&half_done().reboot(Lost::Noise(seed)), "a").unwrap()).collect();
    assert!(images.iter().any(|image| image[..256] != [1; 256]));
    assert!(images.iter().all(|image| image[1_536..] == [1; 512]));
}

#[test]
fn names_need_a_sync_of_their_folder() {
    let disk = Disk::new(1);
    disk.create("f/old").unwrap();
    disk.write_at("f/old", 0, b"old").unwrap();
    disk.sync("f/old").unwrap();
    assert!(content(&disk.reboot(Lost::Everything), "f/old").is_none());
    disk.sync_dir("").unwrap();
    assert!(content(&disk.reboot(Lost::Everything), "f/old").is_none());
    disk.sync_dir("f").unwrap();
    assert_eq!(content(&disk.reboot(Lost::Everything), "f/old").unwrap(), b"old");
    disk.rename("f/old", "f/new").unwrap();
    assert!(content(&disk.reboot(Lost::Everything), "f/old").is_some());
    assert!(content(&disk.reboot(Lost::Nothing), "f/new").is_some());
    disk.sync_dir("f").unwrap();
    assert!(content(&disk.reboot(Lost::Everything), "f/old").is_none());
    disk.remove("f/new").unwrap();
    assert!(content(&disk.reboot(Lost::Everything), "f/new").is_some());
}

#[test]
fn a_lost_folder_takes_its_files_along() {
    let disk = Disk::new(1);
    disk.create_dir("f").unwrap();
    disk.create("f/a").unwrap();
    disk.sync("f/a").unwrap();
    disk.sync_dir("f").unwrap();
    assert!(content(&disk.reboot(Lost::Everything), "f/a").is_none());
    assert_eq!(disk.reboot(Lost::Nothing).image().into_keys().collect::<Vec<_>>(), ["f/a"]);
    disk.sync_dir("").unwrap();
    assert!(content(&disk.reboot(Lost::Everything), "f/a").is_some());
}

#[test]
fn power_loss_ends_everything() {
    let disk = half_done();
    disk.set_fault(Some(Fault { at: disk.operations(), failure: Failure::PowerLoss }));
    assert_eq!(disk.write_at("a", 0, &[3; 512]), Err(DiskError::PowerLost));
    assert_eq!(disk.sync("a"), Err(DiskError::PowerLost));
    assert_eq!(disk.read_at("a", 0, &mut [0]), Err(DiskError::PowerLost));
    // The write was under way: it may be there.
    assert_eq!(content(&disk.reboot(Lost::Nothing), "a").unwrap()[..512], [3; 512]);
    assert_eq!(content(&disk.reboot(Lost::Everything), "a").unwrap()[..512], [1; 512]);
}

#[test]
fn a_sync_without_power_promises_nothing() {
    let disk = half_done();
    disk.set_fault(Some(Fault { at: disk.operations(), failure: Failure::PowerLoss }));
    assert_eq!(disk.sync("a"), Err(DiskError::PowerLost));
    assert_eq!(content(&disk.reboot(Lost::Everything), "a").unwrap(), [1; 2_048]);
}

#[test]
fn errors_come_when_planned() {
    let write = |failure, times: u8| -> Vec<_> {
        let disk = half_done();
        disk.set_fault(Some(Fault { at: disk.operations() + 1, failure }));
        let mut results: Vec<_> = (0..times).map(|n| disk.write_at("a", 0, &[n; 4])).collect();
        results.push(disk.sync("a"));
        results
    };
    let (io, full) = (Err(DiskError::Io), Err(DiskError::NoSpace));
    assert_eq!(write(Failure::Io, 3), [Ok(()), io, Ok(()), Ok(())]);
    assert_eq!(write(Failure::IoForever, 3), [Ok(()), io, io, io]);
    assert_eq!(write(Failure::NoSpace, 3), [Ok(()), full, Ok(()), Ok(())]);
    assert_eq!(write(Failure::DiskFull, 3), [Ok(()), full, full, Ok(())]);
    assert_eq!(write(Failure::ShortWrite, 3), [Ok(()), full, Ok(()), Ok(())]);
}

#[test]
fn a_sync_may_forget() {
    let disk = half_done();
    disk.set_fault(Some(Fault { at: 0, failure: Failure::SyncForgets }));
    assert_eq!(disk.sync("a"), Err(DiskError::Io));
    assert_eq!(disk.sync("a"), Ok(()));
    assert_eq!(content(&disk, "a").unwrap()[256..1_280], [2; 1_024]);
    assert_eq!(content(&disk.reboot(Lost::Everything), "a").unwrap(), [1; 2_048]);
}

#[test]
fn a_short_write_writes_half() {
    let disk = half_done();
    disk.set_fault(Some(Fault { at: disk.operations(), failure: Failure::ShortWrite }));
    assert_eq!(disk.write_at("a", 0, &[3; 8]), Err(DiskError::NoSpace));
    assert_eq!(content(&disk, "a").unwrap()[..8], [3, 3, 3, 3, 1, 1, 1, 1]);
}

#[test]
fn remembers_what_was_overwritten_cut_and_removed() {
    let disk = Disk::new(1);
    disk.record();
    disk.create("a").unwrap();
    disk.write_at("a", 0, b"..over").unwrap();
    disk.write_at("a", 6, b"written").unwrap();
    disk.write_at("a", 0, &[0; 13]).unwrap();
    disk.write_at("a", 0, b"cut").unwrap();
    disk.set_len("a", 0).unwrap();
    disk.remove("a").unwrap();
    disk.create("b").unwrap();
    disk.rename("b", "c").unwrap();
    let trace = disk.recording().unwrap();
    assert_eq!(trace.find(b"overwritten"), ["a"]);
    assert_eq!(trace.find(b"cut"), ["a"]);
    assert!(trace.find(b"never").is_empty());
    let mut bytes = 0;
    trace.each_write(&mut |written| bytes += written.bytes.len());
    assert_eq!((bytes, trace.len()), (29, 9));
}
