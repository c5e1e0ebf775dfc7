//! To which part of the work a sample belongs, by the functions on its stack.

/// A part of the work of a step.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Part {
    /// Verifying signatures, and whether keys are points.
    Verify,
    /// Signing.
    Sign,
    /// HPKE: key pairs, seals and opens, with their hashing and encryption.
    Hpke,
    /// Hashes, MACs and key derivation outside HPKE.
    Hash,
    /// Encryption outside HPKE.
    Aead,
    /// Decoding and encoding.
    Codec,
    /// The tree: edits, look-ups, checks.
    Tree,
    /// The rest of the engine: framing, key schedule, rules, policy.
    Engine,
    /// The store in memory, and what prepares records for it.
    Records,
    /// Allocating, freeing, copying and clearing memory.
    Memory,
    /// Threads and the operating system.
    System,
    /// What none of the names says.
    Other,
}

impl Part {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 12] = [
        Self::Verify,
        Self::Sign,
        Self::Hpke,
        Self::Hash,
        Self::Aead,
        Self::Codec,
        Self::Tree,
        Self::Engine,
        Self::Records,
        Self::Memory,
        Self::System,
        Self::Other,
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Sign => "sign",
            Self::Hpke => "HPKE",
            Self::Hash => "hash",
            Self::Aead => "AEAD",
            Self::Codec => "decode, encode",
            Self::Tree => "tree",
            Self::Engine => "rest of the engine",
            Self::Records => "records",
            Self::Memory => "memory",
            Self::System => "system",
            Self::Other => "other",
        }
    }

    /// The part of a stack, innermost function first. The outermost call into cryptography decides, with all that it
    /// does; outside of it the innermost function does, and if that one is the allocator's or the system's, nothing else.
    pub fn of(stack: &[String]) -> Self {
        let cryptography = stack.iter().rev().find_map(|name| first_of(name, &CRYPTOGRAPHY));
        let innermost = || stack.first().and_then(|name| first_of(name, &LIBRARY));
        let inside = || stack.iter().find_map(|name| first_of(name, &CODE));
        cryptography.or_else(innermost).or_else(inside).unwrap_or(Self::Other)
    }
}

/// What a name contains, and what that stands for; the first counts.
type Names = (Part, &'static [&'static str]);

fn first_of(name: &str, table: &[Names]) -> Option<Part> {
    table.iter().find(|(_, words)| words.iter().any(|word| name.contains(word))).map(|(part, _)| *part)
}

/// Calls of a suite, and of what it is made of: where one is the last thing that another does, only the other is seen.
const CRYPTOGRAPHY: [Names; 6] = [
    (Part::Hpke, &["SuiteCrypto>::hpke", "validate_hpke", "compose::context", "KeyEncapsulation>", "DiffieHellman>"]),
    (Part::Hpke, &["compose::dhkem", "aws_lc::xwing", "mls_crypto_rust::xwing", "mls_crypto_rust::x25519"]),
    (Part::Verify, &["ed25519::verify", "ed25519::validate", "ed25519::batch", ">::verify", "validate_signature"]),
    (Part::Sign, &["SuiteCrypto>::sign", "SignatureFunctions>::", "aws_lc::ed25519"]),
    (Part::Hash, &["SuiteCrypto>::hash", "SuiteCrypto>::mac", "SuiteCrypto>::kdf", "HashFunction>::", "compose::hkdf"]),
    (Part::Aead, &["SuiteCrypto>::aead", "AeadCipher>::"]),
];

/// Innermost functions of the allocator, of copying, and of the system.
const LIBRARY: [Names; 2] = [
    (
        Part::Memory,
        &[
            "malloc",
            "calloc",
            "free",
            "realloc",
            "int_free",
            "tcache",
            "unlink_chunk",
            "sysmalloc",
            "mem",
            "GlobalAlloc>",
            "__rust_",
            "__rdl_",
            "alloc::raw_vec",
            "Zeroize>",
            "zeroize::",
        ],
    ),
    (
        Part::System,
        &["clone3", "clone", "futex", "pthread", "mmap", "munmap", "mprotect", "madvise", "syscall", "clock_", "lll_"],
    ),
];

/// Our own code, and what it calls outside of cryptography.
const CODE: [Names; 5] = [
    (Part::Codec, &["tls_codec", "Serialize", "Size>::", "engine::codec", "mls_engine::message"]),
    (Part::Records, &["group::records", "tree::rows", "testkit::network"]),
    (Part::Tree, &["mls_engine::tree", "mls_engine::math", "rpds::"]),
    (Part::Engine, &["mls_engine::", "mls_crypto::", "testkit::"]),
    (Part::System, &["std::thread", "std::sys"]),
];

#[cfg(test)]
mod tests;
