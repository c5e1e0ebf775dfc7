use std::{collections::BTreeMap, time::Duration};

use super::summarize;
use crate::{floor::Floor, peer::Impl, sample::Sample, workload::Workload};

fn samples(micros: &[u64]) -> Vec<Sample> {
    let sample = |micros| {
        let time = Duration::from_micros(micros);
        Sample { time, cpu: time * 2, ..Sample::default() }
    };
    micros.iter().map(|micros| sample(*micros)).collect()
}

#[test]
fn compares_wall_time_with_the_best_peer_and_processors_with_the_floor() {
    let mut slow_start = samples(&[0, 10, 20, 30]);
    slow_start[0].time = Duration::MAX;
    let all = BTreeMap::from([
        (Impl::Ours, slow_start),
        (Impl::OpenMls, samples(&[100])),
        (Impl::MlsRsAwsLc, samples(&[60, 60])),
    ]);
    let floor = Floor { sign: 5.0, verify: 3.0, hpke: 0.0, hash: 0.0, aead: 0.0 };
    let rows = summarize((1, Workload::Join, 100), &all, Some(floor));
    assert_eq!((rows[0].kind, rows[0].samples, rows[0].median_us), (Impl::Ours, 3, 20.0));
    assert_eq!((rows[0].ratio_best_peer, rows[0].ratio_floor), (3.0, 5.0));
    assert_eq!(rows[1].ratio_best_peer, 1.0);
}
