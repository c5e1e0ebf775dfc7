//! Both kinds of files do the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{io, path::PathBuf};

use mls_store::files::{Disk, Files, MemoryFiles};

fn behaves(files: &dyn Files, dir: PathBuf) {
    let (a, b) = (dir.join("a"), dir.join("b"));
    files.create_dir(&dir).unwrap();
    assert_eq!(files.create_dir(&dir).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(files.len(&a).unwrap(), None);
    assert_eq!(files.read_at(&a, 0, &mut [0]).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(files.write_at(&a, 0, &[0]).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(files.sync(&a).is_err());
    files.create(&a).unwrap();
    assert_eq!(files.create(&a).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    files.write_at(&a, 2, b"text").unwrap();
    files.write_at(&a, 3, b"E").unwrap();
    files.sync(&a).unwrap();
    files.create(&b).unwrap();
    files.rename(&a, &b).unwrap();
    files.sync_dir(&dir).unwrap();
    assert_eq!((files.len(&a).unwrap(), files.len(&b).unwrap()), (None, Some(6)));
    let mut read = [7; 8];
    assert_eq!(files.read_at(&b, 1, &mut read).unwrap(), 5);
    assert_eq!(&read, b"\0tExt\x07\x07\x07");
    assert_eq!(files.read_at(&b, 9, &mut read).unwrap(), 0);
    files.remove(&b).unwrap();
    files.remove(&b).unwrap();
    assert_eq!(files.len(&b).unwrap(), None);
}

#[test]
fn files_in_memory_behave() {
    behaves(&MemoryFiles::new(), PathBuf::from("dir"));
}

#[test]
fn files_on_disk_behave() {
    Disk.sync_dir(std::path::Path::new("")).unwrap();
    let dir = std::env::temp_dir().join(format!("mls-store-files-{}", std::process::id()));
    assert_eq!(Disk.create_dir(&dir.join("deep")).unwrap_err().kind(), io::ErrorKind::NotFound);
    behaves(&Disk, dir.clone());
    std::fs::remove_dir_all(dir).unwrap();
}
