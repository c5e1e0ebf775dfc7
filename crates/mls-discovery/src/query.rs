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

/// In which order records are looked through, so that an index leads to those that match.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Order {
    /// By group id.
    Id,
    /// By name, in lower case; groups without a readable one are left out.
    Name,
    /// By the number of members.
    Members,
    /// By the time of creation.
    Created,
}

impl Order {
    /// The key of a record in this order; `None` if it is not in it. Keys compare as bytes.
    pub fn key(self, record: &GroupPublicInfo) -> Option<Vec<u8>> {
        match self {
            Self::Id => Some(record.group_id().to_vec()),
            Self::Name => record.name().readable().map(|name| name.to_lowercase().into_bytes()),
            Self::Members => Some(u64::from(record.members()).to_be_bytes().to_vec()),
            Self::Created => Some(record.created_at().to_be_bytes().to_vec()),
        }
    }
}

/// Above every key.
const ABOVE: [u8; 9] = [0xFF; 9];

impl DiscoveryQuery {
    /// The order that has to be looked through the least, as far as that can be told from the question.
    pub fn order(&self) -> Order {
        let begins = self.name_pattern.as_deref().is_some_and(|pattern| !pattern.starts_with('*'));
        match self {
            _ if begins => Order::Name,
            Self { min_members: Some(_), .. } | Self { max_members: Some(_), .. } => Order::Members,
            Self { created_after: Some(_), .. } => Order::Created,
            Self { name_pattern: Some(_), .. } => Order::Name,
            _ => Order::Id,
        }
    }

    /// Where in [`DiscoveryQuery::order`] those that match are: from the first key on, and below the second.
    pub fn range(&self) -> (Vec<u8>, Vec<u8>) {
        let number = |number: u64| number.to_be_bytes().to_vec();
        match self.order() {
            Order::Id => (Vec::new(), Vec::new()),
            Order::Name => self.name_range(),
            Order::Members => {
                let most = self.max_members.map_or(ABOVE.to_vec(), |most| number(u64::from(most).saturating_add(1)));
                (number(self.min_members.unwrap_or(0).into()), most)
            }
            Order::Created => (number(self.created_after.unwrap_or(0)), ABOVE.to_vec()),
        }
    }

    /// Names that begin as the pattern does.
    fn name_range(&self) -> (Vec<u8>, Vec<u8>) {
        let pattern = self.name_pattern.as_deref().unwrap_or_default().to_lowercase();
        let (start, open) = pattern.split_once('*').map_or((pattern.as_str(), false), |(start, _)| (start, true));
        let (least, mut above) = (start.as_bytes().to_vec(), start.as_bytes().to_vec());
        if open {
            // No name in UTF-8 has this byte.
            above.push(0xFF);
        } else {
            above.push(0);
        }
        (least, above)
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
