//! One type per secret of the key schedule (RFC 9420, Section 8).

/// Declares secrets: each boxed and wiped on drop through [`mls_crypto::Secret`], never cloned, compared or printed.
macro_rules! secret_type {
    ($($(#[$meta:meta])* $name:ident;)+) => {$(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name(mls_crypto::Secret);

        impl $name {
            /// Takes bytes from storage, a message or a test vector as this secret; they are not checked.
            pub fn from_secret(secret: mls_crypto::Secret) -> Self {
                Self(secret)
            }

            /// The bytes, to be stored, sealed or compared with a test vector.
            pub fn as_secret(&self) -> &mls_crypto::Secret {
                &self.0
            }
        }
    )+};
}

pub(super) use secret_type;
