//! What a delivery service and a directory read from strangers.

use mls_delivery::{Header, receipt::Receipt, reply::Reply, request::Request};
use mls_discovery::GroupPublicInfo;
use mls_engine::codec::{decode_exact, encode};
use mls_roles::GroupPolicy;
use tls_codec::{DeserializeBytes, Serialize};

use crate::{Target, Verdict, scene::scene};

pub(super) const TARGET: Target = Target {
    name: "service",
    oracle: "requests, replies, receipts, records and role tables that decode encode to the same bytes",
    run,
    seeds,
};

fn run(bytes: &[u8]) -> Verdict {
    let Some((kind, bytes)) = bytes.split_first() else { return Verdict::Refused };
    match kind % 7 {
        0 => Verdict::of(&Header::read(bytes)),
        1 => round_trip::<Request>(bytes),
        2 => round_trip::<Reply>(bytes),
        3 => round_trip::<Receipt>(bytes),
        4 => record(GroupPublicInfo::from_bytes(bytes).ok(), Some(bytes)),
        5 => record(str::from_utf8(bytes).ok().and_then(|text| GroupPublicInfo::from_json(text).ok()), None),
        _ => policy(bytes),
    }
}

fn record(record: Option<GroupPublicInfo>, bytes: Option<&[u8]>) -> Verdict {
    let Some(record) = record else { return Verdict::Refused };
    let encoded = record.to_bytes().unwrap();
    if let Some(bytes) = bytes {
        assert_eq!(encoded, bytes);
    }
    assert_eq!(GroupPublicInfo::from_json(&record.to_json().unwrap()).unwrap().to_bytes().unwrap(), encoded);
    Verdict::Accepted
}

fn policy(bytes: &[u8]) -> Verdict {
    let read = GroupPolicy::from_bytes(bytes);
    if let Ok(policy) = &read {
        assert_eq!(policy.to_bytes().unwrap(), bytes);
    }
    Verdict::of(&read)
}

fn round_trip<T: DeserializeBytes + Serialize>(bytes: &[u8]) -> Verdict {
    let decoded = decode_exact::<T>(bytes);
    if let Ok(value) = &decoded {
        assert_eq!(encode(value).unwrap(), bytes);
    }
    Verdict::of(&decoded)
}

fn seeds() -> Vec<Vec<u8>> {
    let insider = scene().insider();
    let commit = insider.finish(&insider.commit_with_path(Vec::new()));
    let policy = GroupPolicy::new(b"alice").to_bytes().unwrap();
    vec![[&[0][..], &commit].concat(), [&[6][..], &policy].concat(), vec![1, 14], vec![2, 1], vec![5, b'{', b'}']]
}
