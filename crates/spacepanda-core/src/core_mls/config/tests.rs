use super::{MlsConfig, SKEW};
use crate::core_mls::MlsError;

/// CAP-29, CAP-73
#[test]
fn has_the_promised_defaults() {
    let config = MlsConfig::default();
    assert_eq!((config.max_group_size, config.rotation_interval), (1_000, 86_400));
    assert_eq!((config.max_past_epochs, config.replay_cache_size), (3, 10_000));
    assert_eq!((config.inbox_messages, config.inbox_bytes), (64, 4 * 1024 * 1024));
    assert_eq!(config.max_message_size, 1_048_576);
    assert!(config.own_echo && !config.strict_epoch_check && !config.external_joins);
    assert_eq!(config.cipher_suite.0, 0x004E);
    assert_eq!(MlsConfig::interop().cipher_suite.0, 0x0001);
    assert_eq!(config.validate(), Ok(()));
    assert_eq!(MlsConfig::interop().validate(), Ok(()));
}

type Change = fn(&mut MlsConfig);

#[test]
fn names_the_field_that_is_wrong() {
    let cases: [(Change, &str); 6] = [
        (|c| c.max_group_size = 1, "max_group_size"),
        (|c| c.rotation_interval = 0, "rotation_interval"),
        (|c| c.max_lifetime = c.key_package_lifetime + SKEW - 1, "max_lifetime"),
        (|c| c.max_message_size = 0, "max_message_size"),
        (|c| c.max_forward_distance = 0, "max_forward_distance"),
        (|c| c.own_echo_messages = 0, "own_echo_messages"),
    ];
    for (change, field) in cases {
        let mut config = MlsConfig::default();
        change(&mut config);
        assert_eq!(config.validate(), Err(MlsError::InvalidConfig(field)));
    }
}

/// CAP-24
#[test]
fn strict_keeps_no_past_epochs() {
    let mut config = MlsConfig::default();
    assert_eq!(config.limits().max_past_epochs, 3);
    config.strict_epoch_check = true;
    assert_eq!(config.limits().max_past_epochs, 0);
}
