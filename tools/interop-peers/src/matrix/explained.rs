//! What the matrix says beside its numbers.

use interop::matrix::{Explanation, Meeting};

/// Who meets whom, in the order of the document.
pub(super) const MEETINGS: [Meeting; 3] = [
    Meeting {
        title: "Ours with ours",
        about: "Over the native provider; suites 0x0004 and 0x0006 over the one on OpenSSL.",
    },
    Meeting {
        title: "Ours with mls-rs",
        about: "mls-rs 0.57.0 with its portable cryptography (suites 0x0001, 0x0002, 0x0003, 0x0007) and on OpenSSL (0x0004,
0x0005, 0x0006). It has no suite in common with our hybrid ones: there all roles are ours.",
    },
    Meeting {
        title: "Ours with OpenMLS",
        about: "OpenMLS 0.9.2 with its portable cryptography: suites 0x0001 to 0x0003. Our clients leave GREASE extensions out,
which it refuses (see [divergences.md](divergences.md)), and send GREASE everywhere else.",
    },
];

pub(super) const PREFACE: &str = "# Interoperability

Scripts of the MLS working group's interop harness, played over gRPC by every assignment of the stacks to the roles, for
every suite and with handshakes public and private. This page is written by the command that plays them:

```sh
cargo xtask interop
```

It needs the scripts (`MLS_INTEROP_CONFIGS`, else `shared/interop/configs` beside the repository). A slice takes a minute:
`cargo run --release -p interop-peers -- matrix --slice`. Any other stack that serves the harness's `MLSClient` can be met:

```sh
cargo run --release -p interop -- serve --port 50051
cargo run --release -p interop -- run --client 127.0.0.1:50051 --client other:50052 --suite 1 --export passive.json
cargo run --release -p interop -- passive passive.json
```

Cells say how many cases passed with public · private handshakes. **m/n**: n - m cases failed, for reasons that are given
below the table; an empty cell was not played. (–k): k cases asked for something that is not in a stack's public interface, which is not counted as
passed. A script has as many cases as there are assignments of the stacks to its roles, up to 1,024; `deep_random`, with
836 roles, has one in which they take turns, from each beginning.

## Choices where stacks differ

| What | We send | We accept |
|---|---|---|
| default types in lists of capabilities (LN-13) | never | yes |
| GREASE in capabilities, leaves, key packages and GroupInfos (GRS-01) | everywhere, unless told to leave the extensions out | everywhere |
| an empty list of external senders (XS-07) | as the application asks | yes: nobody |
| a group continued under its own id (PROP-13) | if the host accepts it, as the harness does | if the host accepts it |
| the index of an external sender | that of its key in the list, whatever the runner says | |
| paths in commits (COM-05) | in every commit; in the harness where required or forced | either |
| frames of handshakes (FRM-02) | as the harness asks | both |

The scripts `branch/external_tree` and `branch/force_path` write their options in another spelling than the working group's
runner reads; our runner reads both, so that they test what their names say.
";

/// Why something fails.
pub(super) const EXPLANATIONS: &[Explanation] = &[
    Explanation {
        part: "(mls-rs): refused: ReInitExtensionsMismatch",
        text: "**A branch with other extensions than its parent.** mls-rs founds and joins branches with the extensions of the
  parent only (Section 11.3 does not ask for that), whoever founds them.",
    },
    Explanation {
        part: "(ours): refused: PskNonceLength",
        text: "**A ReInit to a suite with another hash length, founded by mls-rs.** mls-rs draws the nonce of the PSK that binds the new
  group to the old one with the hash length of the old suite; Section 8.4 asks for that of the suite it is used with, and we
  refuse any other (PROP-09). The same scripts pass when we found the group.",
    },
    Explanation {
        part: "(OpenMLS): refused: UnsupportedProposalType",
        text: "**PSKs and ReInits of external senders.** OpenMLS refuses these two types from external senders, which Section
  12.1.8 allows, as soon as one of its clients commits or follows.",
    },
];
