//! Full ratchet trees, made directly (RFC 9420, Section 7).
