//! `panda export-backup`.

use std::fs;

use serde_json::json;
use spacepanda_core::core_mls::store::{FileKey, files::Disk, write_file};

use super::{Printer, Trouble, device::read, options::BackupOptions, session::Session};

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

fn ask() -> Result<String, Trouble> {
    let ask = |prompt| {
        let name = "the passphrase".to_owned();
        rpassword::prompt_password(prompt).map_err(|error| Trouble::Input { name, error })
    };
    let passphrase = ask("passphrase of the backup: ")?;
    if ask("the same passphrase again: ")? == passphrase { Ok(passphrase) } else { Err(Trouble::PassphrasesDiffer) }
}
