//! `panda verify`: comparing keys with a person, by voice or by camera.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};
use serde_json::json;
use spacepanda_core::core_mls::AwsLc;
use spacepanda_sync::{Compared, DeviceTrust};

use super::{
    Printer, Trouble,
    options::VerifyOptions,
    printer::{hex, one_line},
    session::Session,
};

/// Shows the number to compare, or notes that it was compared.
pub(crate) fn verify(options: &VerifyOptions, printer: &Printer) -> Result<(), Trouble> {
    let session = Session::offline(&options.common)?;
    let user = options.person.as_bytes();
    let trust = DeviceTrust::open(session.store.clone())?;
    let shared = session.account.shared_keys(user)?;
    let number = session.account.safety_number_with(&AwsLc::default(), user)?;
    if options.confirm {
        shared.verify(&trust, user)?;
    }
    let (name, digits, state) = (one_line(&options.person), number.digits(), word(shared.compared(&trust, user)));
    let value = json!({ "name": name, "safety": digits, "qr": hex(&number.qr()), "state": state });
    let mut lines = format!("{}\nsafety   {digits}\nstate    {state}", printer.strong(&name));
    if options.qr {
        lines.push_str(&format!("\n\n{}", picture(&number.qr())?));
    }
    printer.data(&value, &lines)?;
    if !options.confirm {
        printer.talk(&format!(
            "compare by voice or in person: if {name}'s `panda verify` shows the same, nobody is between you; then run this \
             again with --confirm"
        ));
    }
    Ok(())
}

/// For terminals, which are mostly dark.
fn picture(bytes: &[u8]) -> Result<String, Trouble> {
    let code = QrCode::with_error_correction_level(bytes, EcLevel::L)
        .map_err(|_| Trouble::System(std::io::ErrorKind::InvalidData.into()))?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

/// What is known of somebody's keys, in a word.
pub(crate) const fn word(compared: Compared) -> &'static str {
    match compared {
        Compared::Verified => "verified",
        Compared::Changed => "changed",
        _ => "unverified",
    }
}
