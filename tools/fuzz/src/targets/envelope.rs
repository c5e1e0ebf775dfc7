//! Envelopes around messages, in both forms.

use spacepanda_core::core_mls::MlsEnvelope;

use crate::{Target, Verdict, scene::scene};

pub(super) const TARGET: Target = Target {
    name: "envelope",
    oracle: "an envelope that is read is written as the same bytes, and both forms say the same",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let read = MlsEnvelope::from_bytes(bytes);
    if let Ok(envelope) = &read {
        assert_eq!(envelope.to_bytes().unwrap(), bytes);
        same_as_json(envelope);
    }
    let text = str::from_utf8(bytes).ok().and_then(|text| MlsEnvelope::from_json(text).ok());
    if let Some(envelope) = &text {
        same_as_json(envelope);
        assert_eq!(&MlsEnvelope::from_bytes(&envelope.to_bytes().unwrap()).unwrap(), envelope);
    }
    if read.is_ok() || text.is_some() { Verdict::Accepted } else { Verdict::Refused }
}

fn same_as_json(envelope: &MlsEnvelope) {
    assert_eq!(&MlsEnvelope::from_json(&envelope.to_json().unwrap()).unwrap(), envelope);
    let _ = (envelope.group_id(), envelope.epoch(), envelope.unwrap_welcome(), envelope.unwrap_application());
}

fn seeds() -> Vec<Vec<u8>> {
    let insider = scene().insider();
    let commit = MlsEnvelope::wrap_commit(insider.finish(&insider.commit_with_path(Vec::new()))).unwrap();
    vec![commit.to_bytes().unwrap(), commit.to_json().unwrap().into_bytes()]
}
