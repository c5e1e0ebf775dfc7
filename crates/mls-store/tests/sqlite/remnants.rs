//! No file holds a secret in clear, at any time.

use mls_store::{OpenOptions, Space, StateStore, Write};

use crate::support::{Dir, Files, RAW, apply, group, key, options, passphrase, put, revision};

fn holds(files: &Files, secret: &[u8]) -> Option<String> {
    let holds = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|window| window == secret);
    files.iter().find(|(_, bytes)| holds(bytes)).map(|(name, _)| name.clone())
}

#[test]
fn no_file_holds_a_value_a_name_or_a_key() {
    let dir = Dir::new();
    let store = options().shred_after(3, std::time::Duration::from_secs(1 << 30)).open(dir.path()).unwrap();
    let secrets: [&[u8]; 6] =
        [b"planted value 1", b"planted value 2", b"planted group", b"planted app", b"planted id", &RAW];
    let [first, second, group_id, app, id, _] = secrets;
    let clean = |step: usize| {
        let files = dir.files();
        for secret in secrets {
            assert_eq!(holds(&files, secret), None, "step {step}: {}", String::from_utf8_lossy(secret));
        }
    };
    let spaces = [group(group_id), Space::Application(app.to_vec()), Space::Client];
    for step in 0..40 {
        let space = &spaces[step % 3];
        match step % 8 {
            0..5 => put(&store, space, &key(1, step as u64 % 3, id), if step % 2 == 0 { first } else { second }),
            5 => drop(apply(&store, space, vec![Write::Delete(key(1, 0, id))]).unwrap()),
            6 => store.maintain().unwrap(),
            _ => store.delete(space, revision(&store, space)).unwrap(),
        }
        clean(step);
    }
    store.close().unwrap();
    clean(40);
}

#[test]
fn no_file_holds_the_passphrase() {
    let dir = Dir::new();
    let store = OpenOptions::new(passphrase("planted passphrase")).open(dir.path()).unwrap();
    put(&store, &Space::Client, &key(1, 0, b"id"), b"value");
    assert_eq!(holds(&dir.files(), b"planted passphrase"), None);
}

/// The search finds what is there.
#[test]
fn the_search_finds_what_is_in_clear() {
    let dir = Dir::new();
    drop(options().open(dir.path()).unwrap());
    let connection = rusqlite::Connection::open(dir.file("store.db")).unwrap();
    connection.execute("INSERT INTO dirty(place) VALUES (?1)", [&b"planted value 1"[..]]).unwrap();
    drop(connection);
    assert_eq!(holds(&dir.files(), b"planted value 1").as_deref(), Some("store.db"));
}
