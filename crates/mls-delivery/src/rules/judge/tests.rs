//! Evidence is for one epoch and one attempt, and private groups need none.

use super::{Judged, check_judged};
use crate::{GroupId, Header, MessageKind, Rejection, Seq, request::Mode, rows::GroupRow};

#[test]
fn a_handshake_that_was_not_judged_here_and_now_is_not_taken() {
    let group =
        |mode| GroupRow { epoch: 5, attempt: 2, mode, head: Seq::ZERO, first: Seq::ZERO, bytes: 0, join_token: None };
    let header =
        Header { group_id: GroupId::new(b"g"), epoch: 5, kind: MessageKind::Commit, public: true, joining: false };
    let check = |mode, judged| check_judged(&group(mode), &header, judged);
    assert_eq!(check(Mode::Validating, Some(Judged { epoch: 5, attempt: 2 })), Ok(()));
    for judged in [None, Some(Judged { epoch: 5, attempt: 1 }), Some(Judged { epoch: 4, attempt: 2 })] {
        assert_eq!(check(Mode::Validating, judged), Err(Rejection::Unavailable));
        assert_eq!(check(Mode::Private, judged), Ok(()));
    }
}
