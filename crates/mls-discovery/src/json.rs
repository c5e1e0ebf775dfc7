//! Records as JSON (CAP-68): what people want to read, and the record itself in base64 (RFC 4648).
//!
//! Always: the record is what counts; text that says something else beside it is refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::{DiscoveryError, GroupPublicInfo, MAX_RECORD};

#[derive(Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Form {
    group_id: String,
    epoch: u64,
    members: u32,
    created_at: u64,
    name: Option<String>,
    removed: bool,
    record: String,
}

impl GroupPublicInfo {
    /// As JSON: group id and record in base64, the rest to be read.
    ///
    /// # Errors
    /// As [`GroupPublicInfo::to_bytes`].
    pub fn to_json(&self) -> Result<String, DiscoveryError> {
        serde_json::to_string(&self.form()?).map_err(|_| DiscoveryError::Malformed)
    }

    /// Out of what [`GroupPublicInfo::to_json`] gave. Nothing is verified yet.
    ///
    /// # Errors
    /// [`DiscoveryError::TooLarge`], [`DiscoveryError::Malformed`]; [`DiscoveryError::Mismatch`] if the text was changed; and as
    /// [`GroupPublicInfo::from_bytes`].
    pub fn from_json(text: &str) -> Result<Self, DiscoveryError> {
        let limit = MAX_RECORD.saturating_mul(2);
        if text.len() > limit {
            return Err(DiscoveryError::TooLarge { len: text.len(), limit });
        }
        let form: Form = serde_json::from_str(text).map_err(|_| DiscoveryError::Malformed)?;
        let bytes = STANDARD.decode(&form.record).map_err(|_| DiscoveryError::Malformed)?;
        let record = Self::from_bytes(&bytes)?;
        let said = record.form()?;
        let fields = [
            ("group", said.group_id == form.group_id),
            ("epoch", said.epoch == form.epoch),
            ("members", said.members == form.members),
            ("time", said.created_at == form.created_at),
            ("name", said.name == form.name),
            ("removal", said.removed == form.removed),
            ("record", said.record == form.record),
        ];
        match fields.iter().find(|(_, same)| !same) {
            Some((field, _)) => Err(DiscoveryError::Mismatch(field)),
            None => Ok(record),
        }
    }

    fn form(&self) -> Result<Form, DiscoveryError> {
        Ok(Form {
            group_id: STANDARD.encode(self.group_id()),
            epoch: self.epoch(),
            members: self.members(),
            created_at: self.created_at(),
            name: self.name().readable().map(str::to_owned),
            removed: self.is_tombstone(),
            record: STANDARD.encode(self.to_bytes()?),
        })
    }
}
