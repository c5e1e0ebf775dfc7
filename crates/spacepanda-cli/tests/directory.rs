//! Two `panda serve`, of which one follows the directory of the other.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mls_crypto::{CipherSuite, Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{
    DeviceKey, GroupId, ServiceCrypto, UserId,
    access::WriteKey,
    ask,
    request::{CreateGroup, Enrol, EpochStart, FetchGroupInfo, Mode},
};
use mls_delivery_client::{Backoff, Connect, DirectoryClient, Identity, Remote};
use mls_discovery::{DirectoryCrypto, GroupName, GroupPublicInfo, Metadata, wire::Publish};
use mls_engine::codec::encode;
use serde_json::Value;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

const GROUP: &[u8] = b"the group of this test";

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// A service that ends with the test.
struct Serving {
    child: Child,
    _out: BufReader<ChildStdout>,
    address: String,
    key: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn serve(arguments: &[&str]) -> Serving {
    let mut command = Command::new(env!("CARGO_BIN_EXE_panda"));
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PANDA_")) {
        command.env_remove(name);
    }
    let command = command.args(["serve", "--json", "--listen", "127.0.0.1:0"]).args(arguments);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap().to_owned();
    Serving { child, _out: out, address: text("address"), key: text("service_key") }
}

fn tls() -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let versions = builder.with_safe_default_protocol_versions().unwrap();
    versions.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

async fn publish(address: &str) -> GroupPublicInfo {
    let crypto = ServiceCrypto::new(Arc::new(AwsLc::default())).unwrap();
    let (private_key, public_key) = crypto.own().signature_generate(&OsRandom).unwrap();
    let key = DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key };
    let connect = Connect {
        address: address.to_owned(),
        service: b"localhost".to_vec(),
        service_key: None,
        tls: tls(),
        crypto: crypto.clone(),
        random: Arc::new(OsRandom),
        backoff: Backoff::default(),
    };
    let remote = Remote::connect(connect, Identity { key: key.clone(), private_key }).await.unwrap();
    let enrol = Enrol { user: UserId::new(b"alice"), key, invite: Vec::new().into(), voucher: None };
    ask(&remote, remote.device(), enrol).await.unwrap();
    let write = WriteKey::new(&crypto, Secret::copy_from(&[5; 32])).unwrap();
    let write_key = write.public_key().clone();
    let start = EpochStart { write_key, join_token: None, group_info: None, ratchet_tree: None };
    let create = CreateGroup { group_id: GroupId::new(GROUP), epoch: 0, mode: Mode::Private, start };
    ask(&remote, remote.device(), create).await.unwrap();
    let metadata = Metadata { name: GroupName::public("tea"), members: 1, ..Metadata::default() };
    let private = SignaturePrivateKey::new(Secret::copy_from(&[5; 32]));
    let directory = DirectoryCrypto::new(&AwsLc::default()).unwrap();
    let keys = (&private, write.public_key().as_slice());
    let record = GroupPublicInfo::from_metadata(&directory, GROUP, &metadata, keys).unwrap();
    let fetch = FetchGroupInfo::by_member(&crypto, &write, GroupId::new(GROUP), 0).unwrap();
    let publish = Publish { record, access: encode(&fetch.access).unwrap().into() };
    remote.publish(&publish).await.unwrap().record
}

#[tokio::test]
async fn a_service_follows_another() {
    let folder = Folder(env::temp_dir().join(format!("panda-directory-{}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    let path = |name: &str| folder.0.join(name).to_str().unwrap().to_owned();
    let one = serve(&["--data", &path("one")]);
    let record = publish(&one.address).await;
    let config = path("serve.toml");
    let peers = format!("[[peers]]\naddress = '{}'\nservice-key = '{}'\n", one.address, one.key);
    fs::write(&config, peers).unwrap();
    let other = serve(&["--data", &path("other"), "--config", &config]);
    let began = Instant::now();
    let asked = DirectoryClient::new(&other.address, tls());
    while asked.get(GROUP).await.unwrap().as_ref() != Some(&record) {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not follow");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // It is still there the next time, without the one it came from.
    drop((one, other));
    let other = serve(&["--data", &path("other"), "--config", &config]);
    assert_eq!(DirectoryClient::new(&other.address, tls()).get(GROUP).await.unwrap(), Some(record));
}
