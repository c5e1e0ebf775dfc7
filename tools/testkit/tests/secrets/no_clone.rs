//! Nothing secret can be copied in passing: the compiler is asked.
//!
//! A type that could be cloned would make the name below ambiguous, and this file would not compile.

macro_rules! assert_not_clone {
    ($($name:ty),+ $(,)?) => {$(
        const _: fn() = || {
            trait IfClone<A> {
                fn name() {}
            }
            struct Clones;
            impl<T: ?Sized> IfClone<()> for T {}
            impl<T: ?Sized + Clone> IfClone<Clones> for T {}
            let _ = <$name as IfClone<_>>::name;
        };
    )+};
}

assert_not_clone!(
    mls_crypto::Secret,
    mls_crypto::HpkePrivateKey,
    mls_crypto::SignaturePrivateKey,
    mls_engine::group::Group,
    mls_engine::group::KeyPackageSecrets,
    mls_engine::group::Pending,
    mls_engine::group::SpentMessage,
    mls_engine::group::Staged,
    mls_engine::group::Step,
    mls_engine::message::GroupSecrets,
    mls_engine::message::PathSecret,
    mls_engine::schedule::CommitSecret,
    mls_engine::schedule::ConfirmationKey,
    mls_engine::schedule::EncryptionSecret,
    mls_engine::schedule::EpochAuthenticator,
    mls_engine::schedule::EpochSecret,
    mls_engine::schedule::EpochSecrets,
    mls_engine::schedule::ExporterSecret,
    mls_engine::schedule::ExternalSecret,
    mls_engine::schedule::InitSecret,
    mls_engine::schedule::JoinerSecret,
    mls_engine::schedule::MembershipKey,
    mls_engine::schedule::MessageKey,
    mls_engine::schedule::PskSecret,
    mls_engine::schedule::ResumptionPsk,
    mls_engine::schedule::SecretTree,
    mls_engine::schedule::SecretTreeChange,
    mls_engine::schedule::SenderDataSecret,
    mls_engine::schedule::Spent,
    mls_engine::schedule::WelcomeSecret,
    mls_engine::tree::PathCreated,
    mls_engine::tree::PathReceived,
    mls_engine::tree::PrivateChange,
    mls_engine::tree::TreePrivate,
);

/// What callers may keep of an epoch can be cloned, so it holds none of the above by value.
const fn assert_clone<T: Clone>() {}

const _: () = assert_clone::<mls_engine::group::PublicState>();
