//! The table, whole: every role, everything that can be proposed, and every way in which it can enter a group.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod scene;

use mls_engine::{
    error::{OperationError, ProcessError, Refusal},
    group::{CommitOptions, ExternalProposals, MessageOptions, Messenger, Processed, ProposalKind, Reader},
    math::LeafIndex,
    message::{Add, GroupContextExtensions, Proposal, Remove},
};
use mls_roles::{Denied, GroupParameters, Rank, Right, Rights, Role, check_joined};
use scene::{METADATA, NAMES, Scene, USERS, device, honest, newcomer};
use testkit::network::{Member, NewMember};

/// What somebody may want.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wish {
    Add,
    /// A device of the one who wants it.
    AddOwn,
    /// A device of the owner.
    AddOther,
    /// The second device of the user with this role.
    Remove(Role),
    /// The second device of the one who wants it.
    Leave,
    Update,
    Rename,
    Configure,
    /// Sets all members to something.
    Agree,
    /// Makes this of the user who was the other.
    Give(Role, Role),
    Govern,
    Psk,
    ReInit,
}

/// Who may, from the observer to the owner: this is the table, in words that everybody can check.
const TABLE: [(Wish, &str); 22] = [
    (Wish::Add, "- - - + +"),
    (Wish::AddOwn, "+ + + + +"),
    (Wish::AddOther, "- - - + +"),
    (Wish::Remove(Role::Observer), "= - + + +"),
    (Wish::Remove(Role::Member), "- = + + +"),
    (Wish::Remove(Role::Moderator), "- - = + +"),
    (Wish::Remove(Role::Admin), "- - - = +"),
    (Wish::Remove(Role::Owner), "- - - - ="),
    (Wish::Leave, "+ + + + +"),
    (Wish::Update, "+ + + + +"),
    (Wish::Rename, "- - - + +"),
    (Wish::Configure, "- - - - +"),
    (Wish::Agree, "- - - - +"),
    (Wish::Give(Role::Observer, Role::Member), "- - - + +"),
    (Wish::Give(Role::Member, Role::Moderator), "- - - + +"),
    (Wish::Give(Role::Member, Role::Admin), "- - - - +"),
    (Wish::Give(Role::Moderator, Role::Member), "- - - + +"),
    (Wish::Give(Role::Admin, Role::Member), "- - - - +"),
    (Wish::Give(Role::Admin, Role::Owner), "- - - - +"),
    (Wish::Govern, "- - - - +"),
    (Wish::Psk, "- - - + +"),
    (Wish::ReInit, "- - - - +"),
];

/// Whether the table says so. `=` is somebody's own device, which is [`Wish::Leave`].
fn allowed(wish: Wish, role: Role) -> Option<bool> {
    let (_, row) = TABLE.iter().find(|(known, _)| *known == wish).unwrap();
    match row.split(' ').nth(place(role)).unwrap() {
        "+" => Some(true),
        "-" => Some(false),
        _ => None,
    }
}

fn place(role: Role) -> usize {
    Role::ALL.iter().position(|known| *known == role).unwrap()
}

impl Wish {
    fn kind(self, scene: &Scene, actor: Role) -> ProposalKind {
        let remove = |role| ProposalKind::Remove(LeafIndex::new(u32::try_from(place(role)).unwrap() + USERS));
        let add = |name: &str| ProposalKind::Add(device(name, 900).key_package().message().unwrap());
        match self {
            Self::Add => add("somebody"),
            Self::AddOwn => add(NAMES[place(actor)]),
            Self::AddOther => add(NAMES[place(Role::Owner)]),
            Self::Remove(role) => remove(role),
            Self::Leave => remove(actor),
            Self::Update => ProposalKind::Update(Box::default()),
            Self::Rename => scene.change(|extensions| extensions.set(METADATA, b"new".to_vec())),
            Self::Configure => scene.change_policy(|policy| policy.max_members = 77),
            Self::Agree => scene.change_policy(|policy| policy.parameters = Some(GroupParameters::default())),
            Self::Give(from, to) => scene.change_policy(|policy| policy.set_role(NAMES[place(from)].as_bytes(), to)),
            Self::Govern => {
                scene.change_policy(|policy| policy.table.set(Rank::ExternalSender, Rights::of(&[Right::Add])))
            }
            Self::Psk => ProposalKind::ExternalPsk(scene::PSK.to_vec()),
            Self::ReInit => ProposalKind::ReInit(scene.reinit()),
        }
    }
}

fn refusal(error: &ProcessError) -> Refusal {
    match error {
        ProcessError::Refused(refusal) => *refusal,
        other => panic!("not a question of rights: {other:?}"),
    }
}

fn refused<T>(result: Result<T, OperationError>) -> Option<Refusal> {
    match result {
        Ok(_) => None,
        Err(OperationError::Rule(error)) => Some(refusal(&error)),
        Err(other) => panic!("not a question of rights: {other:?}"),
    }
}

/// Whether an honest member takes a message, and that one who refuses it is as before.
fn takes(member: &mut Member, message: &[u8]) -> Option<Refusal> {
    let before = (member.records.clone(), member.view());
    match member.receive(message) {
        Ok(_) => None,
        Err(error) => {
            assert_eq!((member.records.clone(), member.view()), before);
            Some(refusal(&error))
        }
    }
}

/// ADV-08, CAP-28. Everybody who wants anything: as an honest client that proposes, as one that does not ask and proposes to those who do,
/// and as one that lets such a proposal into a commit.
#[test]
fn proposals() {
    let scene = Scene::new();
    for (wish, _) in TABLE {
        for role in Role::ALL {
            let Some(allowed) = allowed(wish, role) else { continue };
            let kind = wish.kind(&scene, role);
            let says = format!("{wish:?} by {role:?}");
            // Of our own.
            let own = refused(scene.honest(role).propose(kind.clone()));
            assert_eq!(own.is_none(), allowed, "{says}: {own:?}");
            // Of somebody who does not ask.
            let mut cheat = scene.cheat(role);
            let (proposal, _) = cheat.propose(kind).unwrap();
            let mut owner = scene.honest(Role::Owner);
            if role != Role::Owner {
                assert_eq!(takes(&mut owner, &proposal), own, "{says}");
            }
            // By reference, in a commit of somebody who may commit and does not ask.
            let by = if role == Role::Moderator { Role::Member } else { Role::Moderator };
            let mut committer = scene.cheat(by);
            assert_eq!(takes(&mut committer, &proposal), None);
            let (commit, _) = committer.commit_now(CommitOptions::default()).unwrap();
            let mut watcher = scene.honest(if role == Role::Admin { Role::Member } else { Role::Admin });
            watcher.host.policy.judge = None;
            if watcher.name != cheat.name && watcher.name != committer.name {
                assert_eq!(takes(&mut watcher, &proposal), None);
                watcher.host.policy.judge = Some(honest());
                assert_eq!(takes(&mut watcher, &commit), own, "{says}, by reference");
            }
        }
    }
}

/// ADV-08, CAP-28. By value: what one wants needs the right to commit as well.
#[test]
fn commits() {
    let scene = Scene::new();
    for (wish, _) in TABLE {
        for role in Role::ALL {
            let Some(allowed) = allowed(wish, role) else { continue };
            // Section 12.2: nobody commits its own Update or removal; a second device is another leaf.
            if wish == Wish::Update {
                continue;
            }
            let kind = wish.kind(&scene, role);
            let says = format!("{wish:?} by {role:?}");
            let own = refused(scene.honest(role).commit_by_value(vec![kind.clone()]));
            assert_eq!(own.is_none(), allowed && role != Role::Observer, "{says}: {own:?}");
            if role == Role::Observer {
                assert_eq!(own, Some(Denied::Right(Right::Commit).into()), "{says}");
            }
            let (commit, _) = scene.cheat(role).commit_by_value(vec![kind]).unwrap();
            let mut watcher = scene.honest(if role == Role::Owner { Role::Admin } else { Role::Owner });
            assert_eq!(takes(&mut watcher, &commit), own, "{says}");
        }
    }
    // An empty commit renews keys, and is a commit.
    for role in Role::ALL {
        let (commit, _) = scene.cheat(role).commit_now(CommitOptions::default()).unwrap();
        let mut watcher = scene.honest(if role == Role::Owner { Role::Admin } else { Role::Owner });
        let expected = (role == Role::Observer).then(|| Denied::Right(Right::Commit).into());
        assert_eq!(takes(&mut watcher, &commit), expected, "{role:?}");
    }
}

/// Section 12.4.3.2: who joins without being asked.
#[test]
fn external_commits() {
    let join = |policy: Rights, name: &str, remove: Option<u32>| {
        let scene = Scene::with(|group| group.table.set(Rank::Outsider, policy));
        let owner = scene.honest(Role::Owner);
        let info = owner.group.group_info(&owner.host.env(), true, true).unwrap();
        let (_, commit) = newcomer(name).join_external(&info, None, remove.map(LeafIndex::new)).unwrap();
        let mut honest = newcomer(name);
        honest.host.policy.judge = Some(scene::honest());
        let own = honest.join_external(&info, None, remove.map(LeafIndex::new));
        let says = takes(&mut scene.honest(Role::Member), &commit);
        assert_eq!(refused(own), says);
        says
    };
    let (none, join_only, rejoin) = (Rights::NONE, Rights::of(&[Right::Join]), Rights::of(&[Right::Rejoin]));
    let admin_leaf = u32::try_from(place(Role::Admin)).unwrap();
    assert_eq!(join(none, "somebody", None), Some(Denied::Right(Right::Join).into()));
    assert_eq!(join(rejoin, "somebody", None), Some(Denied::Right(Right::Join).into()));
    assert_eq!(join(join_only, "somebody", None), None);
    assert_eq!(join(join_only, "admin", Some(admin_leaf)), Some(Denied::Right(Right::Rejoin).into()));
    assert_eq!(join(rejoin, "admin", Some(admin_leaf)), None);
    assert_eq!(join(rejoin, "admin", None), None);
    // Named an admin, and not there: the role is nobody's to take.
    assert_eq!(join(join_only, "ghost", None), Some(Denied::Rank(Right::Join).into()));
}

/// What the owner says to a proposal from outside, and to a commit that lets it in by somebody who does not ask.
fn let_in(scene: &Scene, message: &[u8], committer: Role) -> (Option<Refusal>, Option<Refusal>) {
    let standalone = takes(&mut scene.honest(Role::Owner), message);
    let mut cheat = scene.cheat(committer);
    assert_eq!(takes(&mut cheat, message), None);
    let (commit, _) = cheat.commit_now(CommitOptions::default()).unwrap();
    let mut watcher = scene.cheat(Role::Owner);
    assert_eq!(takes(&mut watcher, message), None);
    watcher.host.policy.judge = Some(honest());
    (standalone, takes(&mut watcher, &commit))
}

/// Section 12.1.8: what those propose who are no members, and who lets it in.
#[test]
fn outsiders() {
    let service = newcomer("service");
    let propose = |rights: Rights, proposal: Proposal, committer: Role| {
        let scene = Scene::with_service(&service, |group| group.table.set(Rank::ExternalSender, rights));
        let owner = scene.honest(Role::Owner);
        let info = owner.group.group_info(&owner.host.env(), true, false).unwrap();
        let env = service.host.env();
        let message =
            ExternalProposals::new(&env, &info).unwrap().propose(0, &service.signature_key, proposal).unwrap();
        let_in(&scene, &message, committer)
    };
    let add = |name: &str| {
        let keys = newcomer(name).key_package();
        Proposal::Add(Box::new(Add { key_package: keys.key_package().clone() }))
    };
    let remove = |role| {
        let removed = LeafIndex::new(u32::try_from(place(role)).unwrap() + USERS);
        Proposal::Remove(Remove { removed })
    };
    let denied = |right| Some(Refusal::from(Denied::Right(right)));
    let (may_add, may_remove) = (Rights::of(&[Right::Add]), Rights::of(&[Right::Remove]));
    assert_eq!(propose(Rights::NONE, add("somebody"), Role::Admin), (denied(Right::Add), denied(Right::Add)));
    assert_eq!(propose(may_add, add("somebody"), Role::Admin), (None, None));
    assert_eq!(propose(may_add, add("somebody"), Role::Member), (None, denied(Right::Admit)));
    assert_eq!(propose(may_remove, remove(Role::Member), Role::Admin), (None, None));
    let rank = Some(Refusal::from(Denied::Rank(Right::Remove)));
    assert_eq!(propose(may_remove, remove(Role::Moderator), Role::Admin), (rank, rank));
    let ghost = Some(Refusal::from(Denied::Right(Right::ChangeRoles)));
    assert_eq!(propose(may_add, add("ghost"), Role::Admin), (ghost, ghost));
    let context = Scene::new().change(|extensions| extensions.set(METADATA, b"theirs".to_vec()));
    let ProposalKind::GroupContextExtensions(extensions) = context else { panic!() };
    let rename = Proposal::GroupContextExtensions(GroupContextExtensions { extensions });
    assert_eq!(propose(Rights::NONE, rename, Role::Admin).0, denied(Right::Rename));
}

/// Section 12.1.8.2
#[test]
fn who_asks_to_be_added() {
    let ask = |rights: Rights, name: &str, committer: Role| {
        let scene = Scene::with(|group| group.table.set(Rank::Outsider, rights));
        let owner = scene.honest(Role::Owner);
        let info = owner.group.group_info(&owner.host.env(), true, false).unwrap();
        let client = newcomer(name);
        let env = client.host.env();
        let message = ExternalProposals::new(&env, &info).unwrap().join(&client.key_package()).unwrap();
        let_in(&scene, &message, committer)
    };
    let denied = |right| Some(Refusal::from(Denied::Right(right)));
    let both = Rights::of(&[Right::Join, Right::Rejoin]);
    assert_eq!(ask(Rights::NONE, "somebody", Role::Admin), (denied(Right::Join), denied(Right::Join)));
    assert_eq!(ask(both, "somebody", Role::Admin), (None, None));
    assert_eq!(ask(both, "somebody", Role::Member), (None, denied(Right::Admit)));
    assert_eq!(ask(Rights::NONE, "member", Role::Admin).0, denied(Right::Rejoin));
    assert_eq!(ask(both, "member", Role::Admin), (None, None));
    let ghost = Some(Refusal::from(Denied::Rank(Right::Join)));
    assert_eq!(ask(both, "ghost", Role::Admin), (ghost, ghost));
}

/// The owner cannot go, nor be removed, nor made something else, while nobody else is one.
#[test]
fn the_last_owner_stays() {
    let last = Some(Refusal::from(Denied::LastOwner));
    let scene = Scene::new();
    let demote = |scene: &Scene| {
        scene.change_policy(|policy| {
            policy.set_role(b"owner", Role::Admin);
            policy.set_role(b"ghost", Role::Owner);
        })
    };
    assert_eq!(refused(scene.honest(Role::Owner).propose(demote(&scene))), last);
    assert_eq!(refused(scene.honest(Role::Owner).commit_by_value(vec![demote(&scene)])), last);
    let (commit, _) = scene.cheat(Role::Owner).commit_by_value(vec![demote(&scene)]).unwrap();
    assert_eq!(takes(&mut scene.honest(Role::Admin), &commit), last);
    // One device may go; with both the owner is gone.
    let owner = u32::try_from(place(Role::Owner)).unwrap();
    let mut leaving = scene.cheat(Role::Owner);
    let mut remove = |leaf| leaving.propose(ProposalKind::Remove(LeafIndex::new(leaf))).unwrap().0;
    let both = [remove(owner), remove(owner + USERS)];
    let mut admin = scene.cheat(Role::Admin);
    both.iter().for_each(|proposal| assert_eq!(takes(&mut admin, proposal), None));
    let (commit, _) = admin.commit_now(CommitOptions::default()).unwrap();
    let mut watcher = scene.honest(Role::Member);
    both.iter().for_each(|proposal| assert_eq!(takes(&mut watcher, proposal), None));
    assert_eq!(takes(&mut watcher, &commit), last);
    // With a second owner the first may go.
    let two = Scene::with(|policy| policy.set_role(b"admin", Role::Owner));
    assert_eq!(refused(two.honest(Role::Owner).commit_by_value(vec![demote(&two)])), None);
}

#[test]
fn a_group_is_as_large_as_it_may_be() {
    let full = Some(Refusal::from(Denied::Full));
    let scene = Scene::with(|policy| policy.max_members = 2 * USERS);
    let add = || Wish::Add.kind(&scene, Role::Owner);
    assert_eq!(refused(scene.honest(Role::Owner).propose(add())), full);
    assert_eq!(refused(scene.honest(Role::Owner).commit_by_value(vec![add()])), full);
    let (commit, _) = scene.cheat(Role::Owner).commit_by_value(vec![add()]).unwrap();
    assert_eq!(takes(&mut scene.honest(Role::Admin), &commit), full);
    // One goes, one comes.
    let exchange = vec![add(), Wish::Remove(Role::Member).kind(&scene, Role::Owner)];
    assert_eq!(refused(scene.honest(Role::Owner).commit_by_value(exchange)), None);
}

#[test]
fn a_policy_is_not_dropped_nor_broken() {
    let scene = Scene::new();
    let dropped = scene.change(|extensions| extensions.remove(mls_roles::GROUP_POLICY));
    let broken = scene.change(|extensions| extensions.set(mls_roles::GROUP_POLICY, vec![1, 2, 3]));
    for (kind, denied) in [(dropped, Denied::PolicyDropped), (broken, Denied::Policy)] {
        let expected = Some(Refusal::from(denied));
        assert_eq!(refused(scene.honest(Role::Owner).propose(kind.clone())), expected);
        assert_eq!(refused(scene.honest(Role::Owner).commit_by_value(vec![kind])), expected);
    }
    // Nor does a group that has none take a broken one.
    let mut free = newcomer("free").create(b"free");
    free.host.policy.judge = Some(honest());
    let mut extensions = free.group.public().context().extensions.clone();
    extensions.set(mls_roles::GROUP_POLICY, vec![1, 2, 3]);
    let kind = ProposalKind::GroupContextExtensions(extensions);
    assert_eq!(refused(free.propose(kind.clone())), Some(Denied::Policy.into()));
    assert_eq!(refused(free.commit_by_value(vec![kind])), Some(Denied::Policy.into()));
    assert_eq!(
        refused(free.commit_by_value(vec![ProposalKind::Add(newcomer("somebody").key_package().message().unwrap())])),
        None
    );
}

/// Who was added looks at what it was added to, and by whom.
#[test]
fn welcomes() {
    let scene = Scene::new();
    let joined = |by: Role| {
        let client: NewMember = newcomer("somebody");
        let keys = client.key_package();
        let add = ProposalKind::Add(keys.message().unwrap());
        let (_, welcome) = scene.cheat(by).commit_by_value(vec![add]).unwrap();
        let member = client.join(&welcome.unwrap(), &keys, None).unwrap();
        let public = member.group.public();
        check_joined(
            &scene::USERS_OF,
            public.context(),
            public.tree(),
            LeafIndex::new(u32::try_from(place(by)).unwrap()),
        )
    };
    assert_eq!(joined(Role::Admin), Ok(()));
    assert_eq!(joined(Role::Observer), Err(Denied::Right(Right::Commit)));
    assert_eq!(joined(Role::Member), Err(Denied::Right(Right::Add)));
    let ownerless = Scene::with(|policy| {
        policy.set_role(b"owner", Role::Admin);
        policy.set_role(b"ghost", Role::Owner);
    });
    let owner = ownerless.cheat(Role::Owner);
    let public = owner.group.public();
    assert_eq!(
        check_joined(&scene::USERS_OF, public.context(), public.tree(), LeafIndex::new(4)),
        Err(Denied::LastOwner)
    );
}

/// Who may not send cannot, and is not read if it does; not even in many messages at once, nor by a group that is closed.
#[test]
fn messages() {
    let scene = Scene::new();
    for role in Role::ALL {
        let expected = (role == Role::Observer).then(|| Refusal::from(Denied::Right(Right::Send)));
        let own = refused(scene.honest(role).send(b"hello"));
        assert_eq!(own, expected, "{role:?}");
        let message = scene.cheat(role).send(b"hello").unwrap();
        let mut reader = scene.honest(if role == Role::Owner { Role::Admin } else { Role::Owner });
        let env = reader.host.env();
        let all = reader.group.open_all(&env, &[&message]).pop().unwrap();
        assert_eq!(all.err().map(|error| refusal(&error)), expected);
        let closed = Reader::open(&env, &reader.records).unwrap().read(&env, &message);
        assert_eq!(refused(closed), expected);
        let options = MessageOptions::default();
        let sender = scene.honest(role);
        let messenger = Messenger::open(&sender.host.env(), &sender.records).unwrap();
        assert_eq!(refused(messenger.send(&sender.host.env(), &sender.records, b"hello", &options)), expected);
        assert_eq!(takes(&mut reader, &message), expected);
    }
}

/// What is no application message is left to the engine.
#[test]
fn an_update_is_everybodys() {
    let scene = Scene::new();
    let mut owner = scene.honest(Role::Owner);
    let (update, _) = scene.honest(Role::Observer).propose(ProposalKind::Update(Box::default())).unwrap();
    let processed = owner.group.process(&owner.host.env(), &update);
    assert!(matches!(processed, Ok(Processed::Proposal(_))));
    assert_eq!(takes(&mut owner, &update), None);
    assert_eq!(refused(owner.commit_now(CommitOptions::default())), None);
}
