//! Joining by Welcome (RFC 9420, Section 12.4.3.1).

use mls_crypto::{CipherSuite, CryptoError, Hash, Opaque, Tag};
use mls_engine::{
    codec::encode,
    error::{DecodeError, ProcessError, Signed},
    group::{Group, KeyPackageSecrets},
    math::{LeafIndex, NodeIndex},
    message::{
        ExtensionType, Extensions, ExternalSender, LeafNodeSource, MlsMessage, PreSharedKeyId, ProtocolVersion,
        PskKind, ResumptionPskUsage, Welcome,
    },
    tree::{Node, ParentNode, PathCreated, PathSigner},
};
use testkit::{
    forge::insider::{ForgedWelcome, Insider},
    network::{NewMember, TestPolicy},
};

use crate::scene::{
    ALICE, BLANK, DAVE, EXTENSION, MALLORY, OUTSIDE, SUITE, Scene, UNKNOWN_EXTENSION, limits, newcomer, one_extension,
};

/// Frank, his key package, and Mallory's Welcome for him.
pub(crate) struct Invitation {
    pub(crate) scene: Scene,
    pub(crate) frank: NewMember,
    pub(crate) keys: KeyPackageSecrets,
    pub(crate) welcome: ForgedWelcome,
}

/// Where Frank sits.
const FRANK: LeafIndex = LeafIndex::new(5);

impl Invitation {
    pub(crate) fn new() -> Self {
        Self::of(Scene::new(), newcomer("frank", 50, SUITE))
    }

    pub(crate) fn of(scene: Scene, frank: NewMember) -> Self {
        let keys = frank.key_package();
        let insider = scene.insider();
        let leaf = keys.key_package().leaf_node.clone();
        let (tree, index) = insider.tree().with_added(insider.suite.as_ref(), leaf).unwrap();
        assert_eq!(index, FRANK);
        let welcome =
            ForgedWelcome::new((insider.context(), &tree), (MALLORY, &insider.signature_key), keys.key_package());
        Self { scene, frank, keys, welcome }
    }

    fn join(&self, bytes: &[u8]) -> Result<u32, ProcessError> {
        Group::join(&self.frank.host.env(), bytes, &[&self.keys], None).map(|joined| joined.group.member_count())
    }

    /// Frank refuses the Welcome as it is now.
    pub(crate) fn refused(&self, expected: ProcessError) {
        assert_eq!(self.join(&self.welcome.seal(&self.frank.host)), Err(expected));
    }

    /// Frank joins, with the key package that no refusal has used up (WEL-22).
    pub(crate) fn accepted(&self) {
        assert_eq!(self.join(&self.welcome.seal(&self.frank.host)), Ok(6));
    }

    fn refused_bytes(&self, bytes: &[u8], expected: ProcessError) {
        assert_eq!(self.join(bytes), Err(expected));
        self.accepted();
    }
}

/// Refused with this edit; accepted without.
fn refuses(edit: impl FnOnce(&mut ForgedWelcome), expected: ProcessError) {
    let mut invitation = Invitation::new();
    invitation.accepted();
    edit(&mut invitation.welcome);
    invitation.refused(expected);
}

fn message(welcome: Welcome) -> Vec<u8> {
    encode(&MlsMessage::Welcome(Box::new(welcome))).unwrap()
}

/// The Welcome before it is encoded.
fn sealed(invitation: &Invitation) -> Welcome {
    let (welcome, host) = (&invitation.welcome, &invitation.frank.host);
    let joiner = welcome.joiner_secret(host);
    let info = encode(&welcome.group_info(host, &joiner)).unwrap();
    welcome.seal_parts(host, &joiner, &info, &welcome.group_secrets(&joiner))
}

/// WEL-01
#[test]
fn for_somebody_else() {
    let invitation = Invitation::new();
    let bytes = invitation.welcome.seal(&invitation.frank.host);
    let other = invitation.frank.key_package();
    let joined = Group::join(&invitation.frank.host.env(), &bytes, &[&other], None);
    assert_eq!(joined.map(|_| ()).unwrap_err(), ProcessError::NotForUs);
    let joined = Group::join(&invitation.frank.host.env(), &bytes, &[], None);
    assert_eq!(joined.map(|_| ()).unwrap_err(), ProcessError::NotForUs);
    assert!(Group::join(&invitation.frank.host.env(), &bytes, &[&other, &invitation.keys], None).is_ok());
    refuses(|welcome| welcome.entries = 0, ProcessError::NotForUs);
}

/// WEL-02
#[test]
fn suite_that_is_not_the_packages() {
    refuses(|welcome| welcome.cipher_suite = CipherSuite::P256_AES128, ProcessError::NotForUs);
    let unknown = CipherSuite(0x7777);
    let expected = ProcessError::Crypto(CryptoError::UnsupportedSuite(unknown));
    refuses(|welcome| welcome.cipher_suite = unknown, expected);
}

/// WEL-03: the secrets are sealed to the encrypted GroupInfo.
#[test]
fn secrets_of_another_welcome() {
    let invitation = Invitation::new();
    let (mut one, two) = (sealed(&invitation), sealed(&invitation));
    one.secrets = two.secrets;
    invitation.refused_bytes(&message(one), ProcessError::DecryptionFailed);
}

fn psk_id(usage: Option<ResumptionPskUsage>, nonce: u8) -> PreSharedKeyId {
    let kind = match usage {
        None => PskKind::External(Opaque::from(&b"psk"[..])),
        Some(usage) => PskKind::Resumption { usage, psk_group_id: Opaque::from(&b"old"[..]), psk_epoch: 7 },
    };
    PreSharedKeyId { kind, psk_nonce: Opaque::new(vec![nonce; 32]) }
}

/// WEL-04, WEL-22: and with the key, the same Welcome is accepted.
#[test]
fn psk_that_we_do_not_hold() {
    let mut invitation = Invitation::new();
    invitation.welcome.psks = vec![(psk_id(None, 1), b"psk".to_vec())];
    let held = std::mem::take(&mut invitation.frank.host.psks);
    invitation.refused(ProcessError::MissingPsk);
    invitation.frank.host.psks = held;
    invitation.accepted();
}

/// WEL-05
#[test]
fn two_psks_of_a_succession() {
    use ResumptionPskUsage::{Branch, ReInit};
    for (one, two) in [(ReInit, Branch), (ReInit, ReInit), (Branch, Branch)] {
        let psks = vec![(psk_id(Some(one), 1), b"r".to_vec()), (psk_id(Some(two), 2), b"r".to_vec())];
        refuses(|welcome| welcome.psks = psks, ProcessError::TooManyPsks);
    }
}

/// LIST-07, PROP-09, KS-02 in a Welcome.
#[test]
fn psks_that_no_commit_could_hold() {
    let one = (psk_id(None, 1), b"psk".to_vec());
    let twice = vec![one.clone(), one.clone()];
    refuses(|welcome| welcome.psks = twice, ProcessError::DuplicatePsk);
    let mut short = one;
    short.0.psk_nonce = Opaque::new(vec![1; 31]);
    refuses(|welcome| welcome.psks = vec![short], ProcessError::PskNonceLength);
    let many = |count| (0..count).map(|nonce| (psk_id(None, nonce), b"psk".to_vec())).collect::<Vec<_>>();
    let mut invitation = Invitation::new();
    invitation.welcome.psks = many(64);
    invitation.accepted();
    invitation.welcome.psks = many(65);
    invitation.refused(ProcessError::TooManyPsks);
}

/// WEL-06
#[test]
fn group_info_under_another_key() {
    let invitation = Invitation::new();
    let (welcome, host) = (&invitation.welcome, &invitation.frank.host);
    let (one, two) = (welcome.joiner_secret(host), welcome.joiner_secret(host));
    let info = encode(&welcome.group_info(host, &one)).unwrap();
    let mixed = welcome.seal_parts(host, &one, &info, &welcome.group_secrets(&two));
    invitation.refused_bytes(&message(mixed), ProcessError::DecryptionFailed);
}

/// DEC-08: bytes after the GroupSecrets, after the GroupInfo, after the Welcome.
#[test]
fn bytes_left_over() {
    let invitation = Invitation::new();
    let (welcome, host) = (&invitation.welcome, &invitation.frank.host);
    let joiner = welcome.joiner_secret(host);
    let info = encode(&welcome.group_info(host, &joiner)).unwrap();
    let secrets = welcome.group_secrets(&joiner);
    let trailing = ProcessError::Decode(DecodeError::TrailingBytes);
    let longer = |bytes: &[u8]| [bytes, &[0]].concat();
    let wrong = message(welcome.seal_parts(host, &joiner, &info, &longer(&secrets)));
    invitation.refused_bytes(&wrong, trailing.clone());
    let wrong = message(welcome.seal_parts(host, &joiner, &longer(&info), &secrets));
    invitation.refused_bytes(&wrong, trailing.clone());
    let wrong = longer(&message(welcome.seal_parts(host, &joiner, &info, &secrets)));
    invitation.refused_bytes(&wrong, trailing);
    let shorter = message(welcome.seal_parts(host, &joiner, &info, &secrets[..secrets.len() - 1]));
    invitation.refused_bytes(&shorter, ProcessError::Decode(DecodeError::Truncated));
}

/// WEL-07
#[test]
fn signer_is_no_member_or_another() {
    refuses(|welcome| welcome.signer = BLANK, ProcessError::UnknownMember(BLANK));
    refuses(|welcome| welcome.signer = OUTSIDE, ProcessError::UnknownMember(OUTSIDE));
    refuses(|welcome| welcome.signer = ALICE, ProcessError::BadSignature(Signed::GroupInfo));
}

/// WEL-09, DEC-11
#[test]
fn group_info_of_another_suite_or_version() {
    let p256 = CipherSuite::P256_AES128;
    refuses(|welcome| welcome.context.cipher_suite = p256, ProcessError::SuiteMismatch);
    refuses(|welcome| welcome.context.version = ProtocolVersion(2), ProcessError::SuiteMismatch);
}

/// WEL-10, GRS-07: all others support the extension.
#[test]
fn context_extension_that_we_do_not_support() {
    let with = |welcome: &mut ForgedWelcome| welcome.context.extensions = one_extension(EXTENSION, b"");
    let mut simple = newcomer("frank", 50, SUITE);
    simple.extensions.clear();
    let mut invitation = Invitation::of(Scene::new(), simple);
    with(&mut invitation.welcome);
    invitation.refused(ProcessError::MissingCapability);
    let mut invitation = Invitation::new();
    with(&mut invitation.welcome);
    invitation.accepted();
}

/// WEL-11
#[test]
fn unknown_group_info_extension_is_ignored() {
    let mut invitation = Invitation::new();
    invitation.welcome.extensions = one_extension(UNKNOWN_EXTENSION, b"anything");
    invitation.accepted();
}

/// DEC-26
#[test]
fn extension_of_another_object() {
    for kind in [ExtensionType::APPLICATION_ID, ExtensionType::REQUIRED_CAPABILITIES, ExtensionType::EXTERNAL_SENDERS] {
        let edit = |welcome: &mut ForgedWelcome| welcome.extensions = one_extension(kind, b"");
        refuses(edit, ProcessError::MisplacedExtension(kind));
    }
    for kind in [ExtensionType::APPLICATION_ID, ExtensionType::RATCHET_TREE, ExtensionType::EXTERNAL_PUB] {
        let edit = |welcome: &mut ForgedWelcome| welcome.context.extensions = one_extension(kind, b"");
        refuses(edit, ProcessError::MisplacedExtension(kind));
    }
}

/// XS-07, CRED-06: the external senders of a group are judged when we join.
#[test]
fn external_senders_that_are_not_acceptable() {
    let list = |senders: Vec<ExternalSender>| {
        let mut extensions = Extensions::new();
        extensions.set_body(ExtensionType::EXTERNAL_SENDERS, &senders).unwrap();
        extensions
    };
    let mut invitation = Invitation::new();
    let leaf = invitation.keys.key_package().leaf_node.clone();
    let service = ExternalSender {
        signature_key: leaf.signature_key,
        credential: mls_engine::message::Credential::basic(b"service"),
    };
    let twice = list(vec![service.clone(), service.clone()]);
    refuses(|welcome| welcome.context.extensions = twice, ProcessError::InvalidExternalSenders);
    invitation.welcome.context.extensions = list(vec![service]);
    invitation.accepted();
    invitation.frank.host.policy.refused = vec![b"service".to_vec()];
    invitation.refused(ProcessError::Refused(TestPolicy::CREDENTIAL));
}

/// TREE-01
#[test]
fn tree_hash_is_another() {
    let other = Hash::from_slice(&[7; 32]);
    refuses(|welcome| welcome.tree_hash = other, ProcessError::TreeHashMismatch);
}

/// TREE-15, TREE-16
#[test]
fn tree_from_elsewhere() {
    let mut invitation = Invitation::new();
    let right = invitation.welcome.tree_bytes();
    let wrong = encode(&invitation.scene.insider().tree().nodes()).unwrap();
    let join = |bytes: &[u8], tree: Option<&[u8]>| {
        Group::join(&invitation.frank.host.env(), bytes, &[&invitation.keys], tree).map(|_| ())
    };
    let with_tree = invitation.welcome.seal(&invitation.frank.host);
    assert_eq!(join(&with_tree, Some(&right)), Ok(()));
    assert_eq!(join(&with_tree, Some(&wrong)), Err(ProcessError::TreeHashMismatch));
    invitation.welcome.with_tree = false;
    invitation.welcome.extensions = one_extension(ExtensionType::RATCHET_TREE, &wrong);
    let with_wrong_tree = invitation.welcome.seal(&invitation.frank.host);
    let joined = Group::join(&invitation.frank.host.env(), &with_wrong_tree, &[&invitation.keys], Some(&right));
    assert_eq!(joined.map(|_| ()).unwrap_err(), ProcessError::TreeHashMismatch);
    invitation.welcome.extensions = Extensions::new();
    let without = invitation.welcome.seal(&invitation.frank.host);
    let join = |tree: Option<&[u8]>| {
        Group::join(&invitation.frank.host.env(), &without, &[&invitation.keys], tree).map(|_| ())
    };
    assert_eq!(join(None), Err(ProcessError::TreeNeeded));
    assert_eq!(join(Some(&wrong)), Err(ProcessError::TreeHashMismatch));
    assert_eq!(join(Some(&[])), Err(ProcessError::Decode(DecodeError::Truncated)));
    assert_eq!(join(Some(&right)), Ok(()));
}

/// WEL-12, TREE-03
#[test]
fn tree_that_is_not_sound() {
    let edit = |welcome: &mut ForgedWelcome| {
        let Some(Node::Parent(root)) = &mut welcome.nodes[7] else { panic!("no root") };
        root.parent_hash = Hash::from_slice(&[7; 32]).unwrap();
    };
    refuses(edit, ProcessError::InvalidParentHash(NodeIndex::new(7)));
}

/// WEL-12, TREE-11
#[test]
fn tree_with_unmerged_leaves_out_of_place() {
    let edit = |welcome: &mut ForgedWelcome| {
        let Some(Node::Parent(root)) = &mut welcome.nodes[7] else { panic!("no root") };
        root.unmerged_leaves = vec![BLANK];
    };
    refuses(edit, ProcessError::InvalidUnmergedLeaves(NodeIndex::new(7)));
}

/// WEL-12, TREE-14
#[test]
fn tree_with_one_key_twice() {
    let edit = |welcome: &mut ForgedWelcome| {
        let Some(Node::Leaf(leaf)) = welcome.nodes[0].clone() else { panic!("no leaf") };
        welcome.nodes.extend([None, Some(Node::Leaf(leaf))]);
    };
    refuses(edit, ProcessError::DuplicateKey);
}

/// WEL-12, TREE-10, DEC-20
#[test]
fn tree_with_a_bad_leaf_or_height() {
    let edit = |welcome: &mut ForgedWelcome| {
        let Some(Node::Leaf(leaf)) = &mut welcome.nodes[10] else { panic!("no leaf") };
        leaf.signature = Opaque::new(vec![7; 64]);
    };
    refuses(edit, ProcessError::BadSignature(Signed::LeafNode(Some(FRANK))));
    let edit = |welcome: &mut ForgedWelcome| {
        let encryption_key = mls_crypto::HpkePublicKey::new(vec![9; 32]);
        let parent = ParentNode { encryption_key, parent_hash: Hash::EMPTY, unmerged_leaves: Vec::new() };
        welcome.nodes.resize(17, None);
        welcome.nodes.push(Some(Node::Parent(parent)));
    };
    refuses(edit, ProcessError::TreeNotTruncated);
}

/// WEL-13: nobody, and another leaf of ours.
#[test]
fn our_leaf_is_missing() {
    refuses(
        |welcome| {
            welcome.nodes.truncate(9);
            let Some(Node::Parent(root)) = &mut welcome.nodes[7] else { panic!("no root") };
            root.unmerged_leaves.clear();
        },
        ProcessError::OwnLeafMissing,
    );
    let mut invitation = Invitation::new();
    let other = invitation.frank.key_package();
    invitation.welcome.nodes[10] = Some(Node::Leaf(other.key_package().leaf_node.clone()));
    invitation.refused(ProcessError::OwnLeafMissing);
}

/// WEL-14
#[test]
fn path_secret_that_does_not_fit() {
    refuses(|welcome| welcome.path_secret = Some(vec![7; 32]), ProcessError::PathKeyMismatch(NodeIndex::new(7)));
}

/// WEL-15: of a wrong length; beside a blank ancestor; from ourselves.
#[test]
fn path_secret_that_cannot_be() {
    for len in [0, 31, 33] {
        refuses(|welcome| welcome.path_secret = Some(vec![7; len]), ProcessError::InvalidPathSecret);
    }
    let mut invitation = Invitation::new();
    let erin = Insider::of(&invitation.scene.erin);
    (invitation.welcome.signer, invitation.welcome.signature_key) = (erin.own, erin.signature_key);
    invitation.accepted();
    invitation.welcome.path_secret = Some(vec![7; 32]);
    invitation.refused(ProcessError::InvalidPathSecret);
    let own = invitation.frank.signature_key.duplicate();
    (invitation.welcome.signer, invitation.welcome.signature_key) = (FRANK, own);
    invitation.refused(ProcessError::InvalidPathSecret);
}

/// WEL-15: from ourselves, though the nodes above us are set.
#[test]
fn path_secret_from_ourselves() {
    let mut invitation = Invitation::new();
    let erin = Insider::of(&invitation.scene.erin);
    let suite = erin.suite.as_ref();
    let leaf = invitation.keys.key_package().leaf_node.clone();
    let (tree, _) = erin.tree().with_added(suite, leaf).unwrap();
    let group_id = erin.context().group_id.as_slice();
    let signer =
        PathSigner { index: erin.own, group_id, leaf: erin.leaf().clone(), signature_key: &erin.signature_key };
    let tree = PathCreated::new(&erin.host.env(), suite, &tree, signer).unwrap().tree;
    let place = (FRANK, &invitation.frank.signature_key);
    invitation.welcome = ForgedWelcome::new((erin.context(), &tree), place, invitation.keys.key_package());
    invitation.accepted();
    invitation.welcome.path_secret = Some(vec![7; 32]);
    invitation.refused(ProcessError::InvalidPathSecret);
}

/// WEL-16
#[test]
fn confirmation_tag_is_wrong() {
    for tag in [vec![], vec![7; 31], vec![7; 32], vec![7; 33]] {
        let tag = Tag::from_slice(&tag);
        refuses(|welcome| welcome.confirmation_tag = tag, ProcessError::BadConfirmationTag);
    }
}

/// WEL-21, CRED-02
#[test]
fn member_that_nobody_vouches_for() {
    for name in ["alice", "mallory", "carol", "dave", "erin", "frank"] {
        let mut invitation = Invitation::new();
        invitation.frank.host.policy.refused = vec![name.as_bytes().to_vec()];
        invitation.refused(ProcessError::Refused(TestPolicy::CREDENTIAL));
    }
}

/// WEL-24: of several entries the first that opens counts; the tries are capped.
#[test]
fn entries_that_do_not_open() {
    let invitation = Invitation::new();
    let welcome = sealed(&invitation);
    let good = welcome.secrets[0].clone();
    let mut bad = good.clone();
    bad.encrypted_group_secrets.ciphertext = Opaque::new(vec![7; 60]);
    let with = |bads: usize| {
        let mut welcome = welcome.clone();
        welcome.secrets = vec![bad.clone(); bads];
        welcome.secrets.push(good.clone());
        message(welcome)
    };
    assert_eq!(invitation.join(&with(15)), Ok(6));
    invitation.refused_bytes(&with(16), ProcessError::DecryptionFailed);
}

/// LN-18: an expired member keeps nobody out, but is reported.
#[test]
fn expired_member_is_reported() {
    let mut invitation = Invitation::new();
    invitation.frank.host.now += 91 * 24 * 3_600;
    let bytes = invitation.welcome.seal(&invitation.frank.host);
    let joined = Group::join(&invitation.frank.host.env(), &bytes, &[&invitation.keys], None).unwrap();
    assert!(joined.expired.contains(&DAVE) && joined.expired.contains(&FRANK));
    assert_eq!(joined.inviter, MALLORY);
    let committed = joined.group.public().tree().leaf(MALLORY).unwrap();
    assert!(matches!(committed.source, LeafNodeSource::Commit(_)));
}

/// CAP-29: a group larger than we take.
#[test]
fn group_that_is_too_large() {
    let mut invitation = Invitation::new();
    invitation.frank.host.limits = limits(|limits| limits.max_members = 6);
    invitation.accepted();
    invitation.frank.host.limits = limits(|limits| limits.max_members = 5);
    invitation.refused(ProcessError::GroupFull);
}

/// DEC-12: an MLSMessage of another kind.
#[test]
fn message_of_another_kind() {
    let invitation = Invitation::new();
    let bytes = invitation.keys.message().unwrap();
    invitation.refused_bytes(&bytes, ProcessError::Decode(DecodeError::UnsupportedWireFormat));
}
