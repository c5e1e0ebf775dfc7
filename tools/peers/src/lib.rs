//! Live groups whose members are ours, OpenMLS's and mls-rs's. Everything is in `tests/live`, because the other
//! implementations are dependencies of tests only.
