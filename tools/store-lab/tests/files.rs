//! The files beside a database are on the same disk, and their operations in the same count.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{io::ErrorKind, path::Path};

use mls_store::files::Files;
use store_lab::{Disk, Failure, Fault, Lost, Vfs};

fn files(disk: &Disk) -> &dyn Files {
    disk
}

#[test]
fn they_behave_as_files() {
    let (disk, dir) = (Disk::new(1), Path::new("deep/dir"));
    let (files, a, b) = (files(&disk), dir.join("a"), dir.join("b"));
    files.create_dir(Path::new("deep")).unwrap();
    files.create_dir(dir).unwrap();
    assert_eq!(files.create_dir(dir).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(files.len(&a).unwrap(), None);
    assert_eq!(files.read_at(&a, 0, &mut [0]).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(files.write_at(&a, 0, &[0]).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(files.sync(&a).unwrap_err().kind(), ErrorKind::NotFound);
    files.create(&a).unwrap();
    assert_eq!(files.create(&a).unwrap_err().kind(), ErrorKind::AlreadyExists);
    files.write_at(&a, 2, b"text").unwrap();
    files.write_at(&a, 3, b"E").unwrap();
    files.create(&b).unwrap();
    files.rename(&a, &b).unwrap();
    assert_eq!((files.len(&a).unwrap(), files.len(&b).unwrap()), (None, Some(6)));
    let mut read = [7; 8];
    assert_eq!(files.read_at(&b, 1, &mut read).unwrap(), 5);
    assert_eq!(&read, b"\0tExt\x07\x07\x07");
    files.remove(&b).unwrap();
    files.remove(&b).unwrap();
    assert_eq!(files.len(&b).unwrap(), None);
}

#[test]
fn they_are_lost_with_their_folder() {
    let (disk, dir) = (Disk::new(1), Path::new("deep/dir"));
    let (files, a) = (files(&disk), dir.join("a"));
    files.create_dir(Path::new("deep")).unwrap();
    files.create_dir(dir).unwrap();
    files.create(&a).unwrap();
    files.sync(&a).unwrap();
    let left = |disk: &Disk| Files::len(&disk.reboot(Lost::Everything), &a).unwrap().is_some();
    for folder in ["deep/dir", "deep", ""] {
        assert!(!left(&disk), "{folder}");
        files.sync_dir(Path::new(folder)).unwrap();
    }
    assert!(left(&disk));
}

#[test]
fn they_fail_with_the_database() {
    let disk = Disk::new(1);
    let vfs = Vfs::register(&disk).unwrap();
    let (files, a) = (files(&disk), Path::new("dir/a"));
    files.create(a).unwrap();
    files.create(Path::new("dir/db")).unwrap();
    let connection = vfs.open("dir/db").unwrap();
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    disk.set_fault(Some(Fault { at: disk.operations() + 1, failure: Failure::DiskFull }));
    files.write_at(a, 0, b"fits").unwrap();
    assert!(connection.execute_batch("INSERT INTO t VALUES (1)").is_err());
    assert_eq!(files.write_at(a, 4, b"!").unwrap_err().kind(), ErrorKind::StorageFull);
    disk.set_fault(Some(Fault { at: 0, failure: Failure::PowerLoss }));
    assert!(connection.execute_batch("INSERT INTO t VALUES (1)").is_err());
    assert!(files.read_at(a, 0, &mut [0]).is_err());
}
