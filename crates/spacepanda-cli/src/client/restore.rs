//! `panda restore`: a home out of a backup, after the loss of a device.

use serde_json::json;
use spacepanda_core::core_mls::{Client, store::FileKey};
use spacepanda_sync::safety_number;

use super::{
    Printer, Trouble, backup,
    device::{read, read_bytes},
    options::RestoreOptions,
    printer::{hex, line, one_line, text},
    profile::Profile,
    session::{Session, builder, open_store},
};

/// Makes a home out of a backup. In its groups it is again once members let it in.
pub(crate) fn restore(options: &RestoreOptions, printer: &Printer) -> Result<(), Trouble> {
    let sealed = read_bytes(Some(&options.file))?;
    let passphrase = match &options.backup_passphrase_file {
        Some(file) => read(Some(file))?.lines().next().unwrap_or_default().to_owned(),
        None => backup::ask_once()?,
    };
    let key = FileKey::passphrase(passphrase);
    // Nothing is made before it is known to open.
    let user = Client::identity_in_backup(&sealed, &key)?;
    let store = open_store(&options.common, printer)?;
    if let Some(profile) = Profile::load(&store)? {
        return Err(Trouble::HasIdentity(one_line(&profile.user())));
    }
    drop(builder(&user, &store)?.restore_backup(&sealed, &key)?);
    drop(store);
    let session = Session::offline(&options.common)?;
    show(&session, printer)
}

fn show(session: &Session, printer: &Printer) -> Result<(), Trouble> {
    let lost = session.account.client().groups_to_rejoin()?;
    let names: Vec<String> =
        lost.iter().map(|group| group.name.as_deref().map_or_else(|| hex(&group.id), one_line)).collect();
    let (name, device) = (line(session.profile.user.as_slice()), session.account.device());
    let (safety, service) = (safety_number(device.as_slice()), text(session.profile.address.as_slice()));
    let value = json!({ "name": name, "device": device.to_string(), "service": service, "groups": names });
    let groups = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let strong = printer.strong(&name);
    let lines = format!("{strong}\ndevice   {device}\nsafety   {safety}\nservice  {service}\ngroups   {groups}");
    printer.data(&value, &lines)?;
    if !names.is_empty() {
        printer.talk(&format!(
            "of these groups no key was kept: let a member run `panda group invite GROUP --for {name}`, and run `panda group join` \
             here with the code; what was said before the backup is there then. Do not use the old home any more"
        ));
    }
    Ok(())
}
