//! A file that is rewritten by hand, with and without the syncs it needs.

use store_lab::{BoxError, Disk, History, Plan, Scenario, explore};

/// Writes a new file beside the old one and renames it.
struct Rewrite {
    sync_file: bool,
    sync_folder: bool,
}

impl Rewrite {
    fn save(&self, disk: &Disk, number: u8) -> Result<(), BoxError> {
        if disk.exists("f/new") {
            disk.remove("f/new")?;
        }
        disk.create("f/new")?;
        disk.write_at("f/new", 0, &[number; 1_000])?;
        if self.sync_file {
            disk.sync("f/new")?;
        }
        disk.rename("f/new", "f/it")?;
        if self.sync_folder {
            disk.sync_dir("f")?;
        }
        Ok(())
    }
}

impl Scenario for Rewrite {
    type State = u8;

    fn prepare(&self, disk: &Disk) -> Result<u8, BoxError> {
        self.save(disk, 0)?;
        Ok(0)
    }

    fn run(&self, disk: &Disk, history: &mut History<u8>) -> Result<(), BoxError> {
        for number in 1..10 {
            history.attempt(number);
            if self.save(disk, number).is_ok() {
                history.acknowledge();
            }
        }
        Ok(())
    }

    fn check(&self, disk: &Disk, allowed: &[&u8]) -> Result<(), BoxError> {
        let mut bytes = [0; 1_001];
        let len = disk.read_at("f/it", 0, &mut bytes)?;
        let whole = len == 1_000 && bytes[..1_000].iter().all(|byte| *byte == bytes[0]);
        if whole && allowed.contains(&&bytes[0]) { Ok(()) } else { Err(format!("{len}: {bytes:?}").into()) }
    }
}

fn survives(sync_file: bool, sync_folder: bool) -> bool {
    let report = explore(&Rewrite { sync_file, sync_folder }, &Plan::new(5, 2_000), &mut |_, _| ()).unwrap();
    report.broken.is_none()
}

#[test]
fn rewriting_needs_both_syncs() {
    assert!(survives(true, true));
    assert!(!survives(false, true));
    assert!(!survives(true, false));
}

/// Two copies of a number; a crash may leave them different, and opening mends that.
struct Copies {
    /// Mends the damaged copy only, and not both; and first makes the other one durable, which it is not if a process was
    /// killed before its sync.
    careful: bool,
}

impl Copies {
    fn write(disk: &Disk, copy: usize, number: u8) -> Result<(), BoxError> {
        // A copy is whole if both of its halves, which lie in two sectors, say the same.
        disk.write_at("it", copy * 1_024, &[number; 1_024])?;
        Ok(disk.sync("it")?)
    }
}

impl Scenario for Copies {
    type State = u8;

    fn prepare(&self, disk: &Disk) -> Result<u8, BoxError> {
        disk.create("it")?;
        disk.sync_dir("")?;
        Self::write(disk, 0, 0)?;
        Self::write(disk, 1, 0)?;
        Ok(0)
    }

    fn run(&self, disk: &Disk, history: &mut History<u8>) -> Result<(), BoxError> {
        for number in 1..10 {
            history.attempt(number);
            if Self::write(disk, 0, number).and_then(|()| Self::write(disk, 1, number)).is_err() {
                return Ok(());
            }
            history.acknowledge();
        }
        Ok(())
    }

    fn check(&self, disk: &Disk, allowed: &[&u8]) -> Result<(), BoxError> {
        let mut bytes = [0; 2_048];
        disk.read_at("it", 0, &mut bytes)?;
        let whole = |copy: usize| bytes[copy * 1_024..][..1_024].iter().all(|byte| *byte == bytes[copy * 1_024]);
        let number = match (whole(0), whole(1)) {
            (true, _) => bytes[0],
            (false, true) => bytes[1_024],
            (false, false) => return Err("both copies are torn".into()),
        };
        if bytes[0..1_024] != bytes[1_024..] {
            if self.careful {
                disk.sync("it")?;
            } else {
                disk.set_len("it", 0)?;
                Self::write(disk, usize::from(!whole(0)), number)?;
            }
            Self::write(disk, usize::from(whole(0)), number)?;
        }
        if allowed.contains(&&number) { Ok(()) } else { Err(format!("{number}, not of {allowed:?}").into()) }
    }
}

/// A crash during repair is tried too.
#[test]
fn repair_is_interrupted() {
    let explored = |careful| explore(&Copies { careful }, &Plan::new(5, 3_000).failures(&[]), &mut |_, _| ()).unwrap();
    let careful = explored(true);
    assert!(careful.broken.is_none(), "{}", careful.broken.unwrap());
    assert!(explored(false).broken.unwrap().again.is_some());
}
