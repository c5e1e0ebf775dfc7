//! Which module may use which.

/// Module, and the modules it may use besides itself.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("limits", &[]),
    ("math", &["limits"]),
    ("codec", &["error"]),
    ("error", &["limits", "math", "message"]),
    ("message", &["limits", "error", "codec", "math"]),
    ("policy", &["limits", "error", "codec", "math", "message"]),
    ("schedule", &["limits", "error", "codec", "math", "message", "policy"]),
    ("tree", &["limits", "error", "codec", "math", "message", "policy"]),
    ("framing", &["limits", "error", "codec", "math", "message", "policy", "schedule", "tree"]),
    ("group", &["limits", "error", "codec", "math", "message", "policy", "schedule", "tree", "framing"]),
];

/// What the order says about one path.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Verdict<'a> {
    Allowed,
    WrongWay {
        from: &'a str,
        to: &'a str,
    },
    /// The crate root was named: through it, anything could be reached.
    Root,
    /// A top-level module the order does not know, or an item re-exported by the root.
    Unknown(&'a str),
}

/// `to` is the top-level module that code in `from` names; `None` is the crate root itself.
pub(crate) fn judge<'a>(from: &'a str, to: Option<&'a str>) -> Verdict<'a> {
    let Some(to) = to else { return Verdict::Root };
    let Some(allowed) = may_use(from) else { return Verdict::Unknown(from) };
    if to == from || allowed.contains(&to) {
        Verdict::Allowed
    } else if may_use(to).is_some() {
        Verdict::WrongWay { from, to }
    } else {
        Verdict::Unknown(to)
    }
}

fn may_use(module: &str) -> Option<&'static [&'static str]> {
    MAY_USE.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed)
}
