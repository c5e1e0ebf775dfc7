//! Looking for groups (CAP-69).

use crate::GroupPublicInfo;

/// What a group must be like. [`DiscoveryQuery::default`] asks for nothing; fields are asked for together.
///
/// ```
/// # use mls_discovery::DiscoveryQuery;
/// let query = DiscoveryQuery { name_pattern: Some("tea*".to_owned()), min_members: Some(5), ..DiscoveryQuery::default() };
/// assert_ne!(query, DiscoveryQuery::default());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by applications, with `..Default::default()`")]
pub struct DiscoveryQuery {
    /// What its readable name looks like: `*` stands for anything, all else for itself, in upper or lower case. A group whose
    /// name is sealed or absent matches no pattern.
    pub name_pattern: Option<String>,
    /// The least number of members, as published.
    pub min_members: Option<u32>,
    /// The greatest number of members, as published: a group may have more, up to the next step.
    pub max_members: Option<u32>,
    /// When it must have been created, or later, in seconds since 1970.
    pub created_after: Option<u64>,
}

impl DiscoveryQuery {
    /// Whether a record matches.
    pub fn matches(&self, record: &GroupPublicInfo) -> bool {
        let Self { name_pattern, min_members, max_members, created_after } = self;
        let named = |pattern: &String| {
            record.name().readable().is_some_and(|name| looks_like(&pattern.to_lowercase(), &name.to_lowercase()))
        };
        name_pattern.as_ref().is_none_or(named)
            && min_members.is_none_or(|least| record.members() >= least)
            && max_members.is_none_or(|most| record.members() <= most)
            && created_after.is_none_or(|since| record.created_at() >= since)
    }
}

/// Parts between stars are there, in their order; the first begins the name and the last ends it. Time: pattern × name.
fn looks_like(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match name.split_once(part) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests;
