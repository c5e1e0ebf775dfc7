//! `panda init` and `panda id`: who this is, and the devices of one person.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use mls_crypto_aws_lc::OsRandom;
use mls_delivery::{DeviceId, Digest, auth::Voucher};
use mls_engine::codec::{decode_exact, encode};
use serde_json::json;
use spacepanda_sync::{Account, safety_number};

use super::{
    Common, Printer, Trouble,
    link::{Unreachable, service_name},
    options::{IdCommand, IdOptions, InitOptions},
    printer::{from_hex, hex, printable, text},
    profile::Profile,
    session::{Session, client, crypto, open_store},
};

/// Makes an identity, and tries to enrol.
pub(crate) async fn init(options: &InitOptions, printer: &Printer) -> Result<(), Trouble> {
    let address = options.service.trim_end_matches('/').to_owned();
    let own_name = service_name(&address)?;
    let service_key = match &options.service_key {
        Some(digits) => Some(from_hex(digits).ok_or(Trouble::NotAKey)?.into()),
        None => None,
    };
    let invite = options.enrol_with.as_deref().map(|file| read(Some(file))).transpose()?.unwrap_or_default();
    let store = open_store(&options.common, printer)?;
    if let Some(profile) = Profile::load(&store)? {
        return Err(Trouble::HasIdentity(printable(&profile.user())));
    }
    let ca = options.service_ca.as_deref().map(absolute).transpose()?.unwrap_or_default();
    let profile = Profile {
        user: options.name.as_bytes().into(),
        address: address.as_bytes().into(),
        service_name: options.service_name.clone().unwrap_or(own_name).into_bytes().into(),
        service_key,
        ca: ca.into_bytes().into(),
        enrolled: 0,
    };
    profile.save(&store)?;
    let client = client(profile.user.as_slice(), &store)?;
    let nobody = Arc::new(Unreachable(mls_delivery::Rejection::Unavailable));
    drop(Account::new(client, nobody, crypto()?, Arc::new(OsRandom))?);
    drop(store);
    let mut session = Session::open(&options.common).await?;
    show(&session, printer)?;
    session.account.enrol(invite.trim().as_bytes(), None).await?;
    session.enrolled()?;
    printer.talk("the service knows this device; `panda group create NAME` founds a group");
    Ok(())
}

/// Shows who this is, vouches for another device, or enrols with a voucher.
pub(crate) async fn id(options: &IdOptions, printer: &Printer) -> Result<(), Trouble> {
    match &options.command {
        None => show(&Session::offline(&options.common)?, printer),
        Some(IdCommand::Vouch { device, common }) => vouch(device, common, printer),
        Some(IdCommand::Enrol { file, common }) => enrol(file.as_deref(), common, printer).await,
    }
}

fn show(session: &Session, printer: &Printer) -> Result<(), Trouble> {
    let (name, device) = (printable(&session.profile.user()), session.account.device().to_string());
    let safety = safety_number(session.account.device().as_slice());
    let service = text(session.profile.address.as_slice());
    let value = json!({
        "name": name, "device": device, "safety": safety, "service": service,
        "enrolled": session.profile.enrolled == 1,
    });
    let strong = printer.strong(&name);
    printer.data(&value, &format!("{strong}\ndevice   {device}\nsafety   {safety}\nservice  {service}"))
}

fn vouch(device: &str, common: &Common, printer: &Printer) -> Result<(), Trouble> {
    let session = Session::offline(common)?;
    let digest = Digest::from_hex(device.trim()).ok_or_else(|| Trouble::NotADevice(printable(device)))?;
    let voucher = session.account.vouch(DeviceId::new(digest))?;
    let code = hex(&encode(&voucher).map_err(|_| Trouble::NotAVoucher)?);
    printer.data(&json!({ "voucher": code }), &code)?;
    printer.talk("on the other device: `panda id enrol`, and paste this; then add yourself to your groups once more");
    Ok(())
}

async fn enrol(file: Option<&Path>, common: &Common, printer: &Printer) -> Result<(), Trouble> {
    let bytes = from_hex(&read(file)?).ok_or(Trouble::NotAVoucher)?;
    let voucher: Voucher = decode_exact(&bytes).map_err(|_| Trouble::NotAVoucher)?;
    let mut session = Session::open(common).await?;
    session.account.enrol(b"", Some(voucher)).await?;
    session.enrolled()?;
    show(&session, printer)
}

/// A file as text, or standard input.
pub(crate) fn read(file: Option<&Path>) -> Result<String, Trouble> {
    let bytes = read_bytes(file)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file, or standard input.
pub(crate) fn read_bytes(file: Option<&Path>) -> Result<Vec<u8>, Trouble> {
    let named = file.filter(|file| *file != Path::new("-"));
    let name = named.map_or_else(|| "standard input".to_owned(), |file| file.display().to_string());
    let read = match named {
        Some(file) => fs::read(file),
        None => {
            let mut bytes = Vec::new();
            io::stdin().take(MAX_INPUT).read_to_end(&mut bytes).map(|_| bytes)
        }
    };
    read.map_err(|error| Trouble::Input { name, error })
}

fn absolute(file: &Path) -> Result<String, Trouble> {
    let found: io::Result<PathBuf> = fs::canonicalize(file);
    let found = found.map_err(|error| Trouble::Input { name: file.display().to_string(), error })?;
    Ok(found.display().to_string())
}

/// Bytes that are read of standard input; more than any message may have.
const MAX_INPUT: u64 = 32 << 20;
