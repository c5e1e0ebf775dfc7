//! `panda export-backup`, and `panda passphrase`.

use std::fs;

use serde_json::json;
use spacepanda_core::core_mls::{
    Secret,
    store::{FileKey, files::Disk, write_file},
};

use super::{
    Printer, Trouble,
    device::read,
    options::{BackupOptions, PassphraseOptions},
    session::{STORE, Session},
};
use crate::home::Home;

/// Writes a sealed backup into a new file.
pub(crate) fn export(options: &BackupOptions, printer: &Printer) -> Result<(), Trouble> {
    let name = options.file.display().to_string();
    if fs::exists(&options.file).unwrap_or(true) {
        let error = std::io::ErrorKind::AlreadyExists.into();
        return Err(Trouble::File { name, error });
    }
    let session = Session::offline(&options.common)?;
    let passphrase = match &options.backup_passphrase_file {
        Some(file) => read(Some(file))?.lines().next().unwrap_or_default().to_owned(),
        None => ask()?,
    };
    let backup = session.account.client().export_backup(&FileKey::passphrase(passphrase))?;
    write_file(&Disk, &options.file, &backup)?;
    printer.data(&json!({ "file": name, "bytes": backup.len() }), &format!("written to {name}"))?;
    printer.talk(
        "it opens with its passphrase only, and holds no key of any group: keep it, and the passphrase elsewhere",
    );
    Ok(())
}

/// Gives a home another passphrase.
pub(crate) fn passphrase(options: &PassphraseOptions, printer: &Printer) -> Result<(), Trouble> {
    let common = &options.common;
    if !Home::has(&common.home, STORE)? {
        return Err(Trouble::NoIdentity);
    }
    let home = Home::open(&common.home, || printer.talk("another program opens this home; waiting for it"))?;
    let new = match &options.new_passphrase_file {
        Some(file) => read(Some(file))?.lines().next().unwrap_or_default().to_owned(),
        None => twice("new passphrase: ")?,
    };
    home.change_passphrase(&Secret::new(new.into_bytes()))?;
    printer.data(&json!({ "state": "changed" }), "changed; what opened this home before opens it no more")
}

fn ask() -> Result<String, Trouble> {
    twice("passphrase of the backup: ")
}

fn twice(text: &str) -> Result<String, Trouble> {
    let passphrase = prompt(text)?;
    if prompt("the same passphrase again: ")? == passphrase { Ok(passphrase) } else { Err(Trouble::PassphrasesDiffer) }
}

/// The passphrase of a backup that is there.
pub(crate) fn ask_once() -> Result<String, Trouble> {
    prompt("passphrase of the backup: ")
}

fn prompt(text: &str) -> Result<String, Trouble> {
    let name = "the passphrase".to_owned();
    rpassword::prompt_password(text).map_err(|error| Trouble::Input { name, error })
}
