//! What happened in groups, in words.

use spacepanda_sync::News;

use super::printer::{line, one_line};

/// What there is to tell; messages are not: they are read.
pub(crate) fn lines(group: &str, news: &[News]) -> Vec<String> {
    news.iter().filter_map(|news| told(group, news)).collect()
}

fn told(group: &str, news: &News) -> Option<String> {
    Some(match news {
        News::Joined => format!("you are in {group} now"),
        News::Left => format!("you are not in {group} any more"),
        News::Added(who) => format!("{group}: {} is in", line(who)),
        News::Removed(who) => format!("{group}: {} is out", line(who)),
        News::Renamed(name) => format!("the group is called {} now", one_line(name)),
        News::Asked(who) => format!("{group}: {} has an invite, and is let in", line(who)),
        News::Refused(who) => format!("{group}: {} asked to be let in, and the invite does not allow it", line(who)),
        News::Rebased => format!("{group}: somebody else changed it first; your change was made again on top"),
        News::Unreadable(seq) => format!("{group}: message {seq} cannot be read here"),
        _ => return None,
    })
}
