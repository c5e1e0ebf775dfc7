//! Files with a saved group, sealed by one who has the key.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use mls_crypto::Secret;
use mls_store::{FileKey, FileKind, StoreError};
use spacepanda_core::core_mls::{Client, MlsError, MlsHandle, TrustOnFirstUse};

use crate::{Target, Verdict, choices::Choices};

pub(super) const TARGET: Target = Target {
    name: "saved",
    oracle: "a file loads or is refused with a typed error, whoever sealed it; a group that loads can be deleted",
    run,
    seeds,
};

/// Of files with a group.
const GROUP_FILE: FileKind = FileKind(1);

struct Saved {
    client: Client,
    key: FileKey,
    path: PathBuf,
    content: Vec<u8>,
}

static SAVED: LazyLock<Saved> = LazyLock::new(|| {
    let client = Client::new(b"alice", Arc::new(TrustOnFirstUse::new())).unwrap();
    let key = FileKey::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    let path = std::env::temp_dir().join(format!("spacepanda-fuzz-saved-{}", std::process::id()));
    let group = client.create_group(Some("tea")).unwrap();
    group.save(&path, &key).unwrap();
    client.delete_group(&group.group_id()).unwrap();
    let file = std::fs::read(&path).unwrap();
    let content = key.open(GROUP_FILE, &file).unwrap().as_slice().to_vec();
    Saved { client, key, path, content }
});

fn run(bytes: &[u8]) -> Verdict {
    let (saved, mut choices) = (&*SAVED, Choices::new(bytes));
    let file = if choices.flag() {
        choices.rest().to_vec()
    } else {
        let mut content = saved.content.clone();
        for _ in 0..choices.of(4) {
            let at = (usize::from(choices.byte()) << 8 | usize::from(choices.byte())) % content.len().max(1);
            let mut tail = content.split_off(at);
            choices.bend(&mut tail);
            content.extend(tail);
        }
        let mut file = saved.key.seal(GROUP_FILE, &Secret::copy_from(&content)).unwrap();
        choices.bend(&mut file);
        file
    };
    load(&file)
}

fn load(file: &[u8]) -> Verdict {
    let saved = &*SAVED;
    std::fs::write(&saved.path, file).unwrap();
    let loaded = MlsHandle::load(&saved.client, &saved.path, &saved.key);
    std::fs::remove_file(&saved.path).unwrap();
    match &loaded {
        Ok(group) => saved.client.delete_group(&group.group_id()).unwrap(),
        Err(MlsError::Store(StoreError::Unavailable)) => panic!("the folder of temporary files cannot be written"),
        Err(_) => assert!(saved.client.groups().unwrap().is_empty(), "a refused file left a group"),
    }
    Verdict::of(&loaded)
}

fn seeds() -> Vec<Vec<u8>> {
    let file = SAVED.key.seal(GROUP_FILE, &Secret::copy_from(&SAVED.content)).unwrap();
    let mut seeds = vec![vec![0], [&[1][..], &file].concat()];
    seeds.extend((0..16).map(|at| vec![0, 1, 0, at * 8, 1, 1, 255]));
    seeds
}
