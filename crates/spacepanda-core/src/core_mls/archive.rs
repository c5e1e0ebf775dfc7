//! What leaves the store in one piece: a saved group, and a backup.
//!
//! In: records. Out: bytes to be sealed, and back.
//! Always: a saved group holds everything of it, and of its client who it is; a backup holds no key of any group.

use mls_crypto::{Opaque, Secret};
use tls_codec::{DeserializeBytes, Serialize, Size, TlsDeserializeBytes, TlsSerialize, TlsSize, VLByteSlice};

use super::{
    error::{MlsError, MlsResult},
    records::{self, IDENTITY, PSK, ROW, key},
    store::{FileKind, Key, Space, StateStore},
    types::LostGroup,
};

/// A saved group.
pub(crate) const GROUP_FILE: FileKind = FileKind(1);
/// A backup of a client.
pub(crate) const BACKUP_FILE: FileKind = FileKind(2);

/// Records, by name.
type Records = Vec<(Key, Secret)>;

/// Of both contents.
const VERSION: u16 = 1;

/// A group by itself.
pub(crate) struct GroupArchive {
    pub(crate) group_id: Vec<u8>,
    /// The record that says who its client is.
    pub(crate) identity: Secret,
    pub(crate) records: Records,
    /// The application's rows.
    pub(crate) rows: Records,
}

/// What outlives a device.
pub(crate) struct Backup {
    pub(crate) identity: Secret,
    /// External pre-shared keys.
    pub(crate) psks: Records,
    /// The groups, to be joined again.
    pub(crate) groups: Vec<LostGroup>,
    /// The application's rows, by group.
    pub(crate) rows: Vec<(Vec<u8>, Records)>,
}

#[derive(TlsSerialize, TlsSize)]
struct RecordWriting<'a> {
    class: u8,
    epoch: u64,
    id: VLByteSlice<'a>,
    value: VLByteSlice<'a>,
}

#[derive(TlsDeserializeBytes, TlsSize)]
struct RecordReading {
    class: u8,
    epoch: u64,
    id: Opaque,
    value: Opaque,
}

#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
struct LostForm {
    group_id: Opaque,
    epoch: u64,
    name: Opaque,
}

impl GroupArchive {
    /// Everything of a group in the store.
    pub(crate) fn collect(store: &dyn StateStore, group_id: &[u8]) -> MlsResult<Self> {
        let space = Space::Group(group_id.to_vec());
        let mut records = Vec::new();
        for class in records::group_classes() {
            records.extend(store.scan(&space, class, None)?);
        }
        let rows = store.scan(&Space::Application(group_id.to_vec()), ROW, None)?;
        Ok(Self { group_id: group_id.to_vec(), identity: identity(store)?, records, rows })
    }

    pub(crate) fn encode(&self) -> MlsResult<Secret> {
        let mut writer = Writer::new(&self.identity);
        writer.bytes(&self.group_id);
        writer.records(&self.records);
        writer.records(&self.rows);
        writer.finish()
    }

    pub(crate) fn decode(content: &Secret) -> MlsResult<Self> {
        let (mut reader, identity) = Reader::new(content)?;
        let group_id = reader.bytes()?.into();
        let (records, rows) = (reader.records()?, reader.records()?);
        reader.end()?;
        Ok(Self { group_id, identity, records, rows })
    }
}

impl Backup {
    /// Who the client is, and what the application keeps; `groups` are those it is in.
    pub(crate) fn collect(store: &dyn StateStore, groups: Vec<LostGroup>) -> MlsResult<Self> {
        let mut rows = Vec::new();
        for (space, _) in store.spaces(None)? {
            if let Space::Application(id) = &space {
                rows.push((id.clone(), store.scan(&space, ROW, None)?));
            }
        }
        let psks = store.scan(&Space::Client, PSK, None)?;
        Ok(Self { identity: identity(store)?, psks, groups, rows })
    }

    pub(crate) fn encode(&self) -> MlsResult<Secret> {
        let mut writer = Writer::new(&self.identity);
        writer.records(&self.psks);
        writer.count(self.groups.len());
        for group in &self.groups {
            writer.item(lost_form(group));
        }
        writer.count(self.rows.len());
        for (id, rows) in &self.rows {
            writer.bytes(id);
            writer.records(rows);
        }
        writer.finish()
    }

    pub(crate) fn decode(content: &Secret) -> MlsResult<Self> {
        let (mut reader, identity) = Reader::new(content)?;
        let psks = reader.records()?;
        let (mut groups, mut rows) = (Vec::new(), Vec::new());
        for _ in 0..reader.count()? {
            groups.push(lost_group(reader.item()?)?);
        }
        for _ in 0..reader.count()? {
            rows.push((reader.bytes()?.into(), reader.records()?));
        }
        reader.end()?;
        Ok(Self { identity, psks, groups, rows })
    }
}

/// A group to be joined again, as a record.
pub(crate) fn encode_lost(group: &LostGroup) -> MlsResult<Secret> {
    lost_form(group).tls_serialize_detached().map(Secret::new).map_err(|_| MlsError::InvalidRecord)
}

pub(crate) fn decode_lost(record: &Secret) -> MlsResult<LostGroup> {
    lost_group(LostForm::tls_deserialize_exact_bytes(record.as_slice()).map_err(|_| MlsError::InvalidRecord)?)
}

fn lost_form(group: &LostGroup) -> LostForm {
    let name = group.name.as_deref().unwrap_or_default();
    LostForm { group_id: group.id.as_slice().into(), epoch: group.epoch, name: name.as_bytes().into() }
}

fn lost_group(form: LostForm) -> MlsResult<LostGroup> {
    let name = String::from_utf8(form.name.into()).map_err(|_| MlsError::InvalidRecord)?;
    Ok(LostGroup { id: form.group_id.into(), epoch: form.epoch, name: (!name.is_empty()).then_some(name) })
}

fn identity(store: &dyn StateStore) -> MlsResult<Secret> {
    store.get(&Space::Client, &key(IDENTITY, &[]))?.ok_or(MlsError::InvalidRecord)
}

/// Collects parts, and writes them into memory of the right size, so that no copy is left behind.
struct Writer<'a>(Vec<Part<'a>>);

enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Record(&'a Key, &'a Secret),
    Lost(LostForm),
}

impl<'a> Writer<'a> {
    fn new(identity: &'a Secret) -> Self {
        Self(vec![Part::Number(VERSION.into()), Part::Bytes(identity.as_slice())])
    }

    fn count(&mut self, count: usize) {
        self.0.push(Part::Number(u64::try_from(count).unwrap_or(u64::MAX)));
    }

    fn bytes(&mut self, bytes: &'a [u8]) {
        self.0.push(Part::Bytes(bytes));
    }

    fn item(&mut self, group: LostForm) {
        self.0.push(Part::Lost(group));
    }

    fn records(&mut self, records: &'a [(Key, Secret)]) {
        self.count(records.len());
        self.0.extend(records.iter().map(|(key, value)| Part::Record(key, value)));
    }

    fn finish(self) -> MlsResult<Secret> {
        let len = self.0.iter().fold(0_usize, |len, part| len.saturating_add(part.len()));
        let mut content = Vec::with_capacity(len);
        for part in &self.0 {
            part.write(&mut content).map_err(|_| MlsError::InvalidRecord)?;
        }
        Ok(Secret::new(content))
    }
}

impl Part<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Number(number) => number.tls_serialized_len(),
            Self::Bytes(bytes) => VLByteSlice(bytes).tls_serialized_len(),
            Self::Record(key, value) => record(key, value).tls_serialized_len(),
            Self::Lost(group) => group.tls_serialized_len(),
        }
    }

    fn write(&self, into: &mut Vec<u8>) -> Result<usize, tls_codec::Error> {
        match self {
            Self::Number(number) => number.tls_serialize(into),
            Self::Bytes(bytes) => VLByteSlice(bytes).tls_serialize(into),
            Self::Record(key, value) => record(key, value).tls_serialize(into),
            Self::Lost(group) => group.tls_serialize(into),
        }
    }
}

fn record<'a>(key: &'a Key, value: &'a Secret) -> RecordWriting<'a> {
    let Key { class, epoch, id } = key;
    RecordWriting { class: *class, epoch: *epoch, id: VLByteSlice(id), value: VLByteSlice(value.as_slice()) }
}

/// What is not read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Of this version; the identity comes first.
    fn new(content: &'a Secret) -> MlsResult<(Self, Secret)> {
        let mut reader = Self(content.as_slice());
        let version = reader.count()?;
        if version != u64::from(VERSION) {
            return Err(MlsError::UnsupportedVersion(u16::try_from(version).unwrap_or(u16::MAX)));
        }
        let identity = Secret::new(reader.bytes()?.into());
        Ok((reader, identity))
    }

    fn item<T: DeserializeBytes>(&mut self) -> MlsResult<T> {
        let (item, rest) = T::tls_deserialize_bytes(self.0).map_err(|_| MlsError::InvalidRecord)?;
        self.0 = rest;
        Ok(item)
    }

    fn count(&mut self) -> MlsResult<u64> {
        self.item()
    }

    fn bytes(&mut self) -> MlsResult<Opaque> {
        self.item()
    }

    fn records(&mut self) -> MlsResult<Records> {
        let mut records = Vec::new();
        for _ in 0..self.count()? {
            let RecordReading { class, epoch, id, value } = self.item()?;
            records.push((Key { class, epoch, id: id.into() }, Secret::new(value.into())));
        }
        Ok(records)
    }

    fn end(self) -> MlsResult<()> {
        if self.0.is_empty() { Ok(()) } else { Err(MlsError::InvalidRecord) }
    }
}
