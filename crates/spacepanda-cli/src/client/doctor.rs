//! `panda doctor`: in what state a home is, and what to do about it.

use mls_delivery::{ask, request::PublishKeyPackages};
use serde_json::json;
use spacepanda_core::core_mls::Health;

use super::{Printer, Trouble, groups, options::DoctorOptions, session::Session};

/// One thing that was looked at.
struct Finding {
    about: String,
    state: String,
    /// What to do; nothing if all is well.
    next: Option<String>,
}

/// Looks at everything.
pub(crate) async fn run(options: &DoctorOptions, printer: &Printer) -> Result<(), Trouble> {
    let mut session = Session::open(&options.common).await?;
    let mut findings = vec![service(&mut session).await];
    let reachable = findings.iter().all(|finding| finding.next.is_none());
    if reachable {
        findings.push(key_packages(&session).await);
    }
    for id in session.account.client().groups()? {
        findings.push(match session.account.client().group(&id) {
            Ok(group) => one_group(&session, &group, reachable).await?,
            Err(error) => Finding {
                about: super::printer::hex(&id),
                state: error.to_string(),
                next: Some("keep the folder for analysis, and ask a member for an invite".to_owned()),
            },
        });
    }
    for lost in session.account.client().groups_to_rejoin()? {
        findings.push(Finding {
            about: lost.name.as_deref().map_or_else(|| super::printer::hex(&lost.id), super::printer::one_line),
            state: "not joined again after the home was restored".to_owned(),
            next: Some("ask a member for an invite, and run `panda group join`".to_owned()),
        });
    }
    for Finding { about, state, next } in &findings {
        let action = next.as_ref().map(|next| format!("; {next}")).unwrap_or_default();
        let value = json!({ "about": about, "state": state, "ok": next.is_none(), "next": next });
        printer.data(&value, &format!("{about}: {state}{action}"))?;
    }
    match findings.iter().filter(|finding| finding.next.is_some()).count() {
        0 => Ok(()),
        _ if !reachable => Err(mls_delivery::Rejection::Unavailable.into()),
        count => Err(Trouble::Attention { count }),
    }
}

async fn service(session: &mut Session) -> Finding {
    let about = "service".to_owned();
    let asked = match session.enrol_if_needed().await {
        Ok(()) => ask(session.account.service().as_ref(), session.account.device(), PublishKeyPackages::default())
            .await
            .map_err(Trouble::from),
        Err(trouble) => Err(trouble),
    };
    match asked {
        Ok(_) => Finding { about, state: "knows this device".to_owned(), next: None },
        Err(trouble) => Finding { about, state: "cannot be used".to_owned(), next: Some(trouble.to_string()) },
    }
}

async fn key_packages(session: &Session) -> Finding {
    let about = "key packages".to_owned();
    match session.account.publish_key_packages().await {
        Ok(()) => Finding { about, state: "enough are published".to_owned(), next: None },
        Err(error) => {
            Finding { about, state: "are not published".to_owned(), next: Some(Trouble::from(error).to_string()) }
        }
    }
}

async fn one_group(
    session: &Session,
    group: &spacepanda_core::core_mls::MlsHandle,
    reachable: bool,
) -> Result<Finding, Trouble> {
    let about = groups::name(group);
    if !session.account.is_member(group) {
        return Ok(Finding { about, state: "left; what was said can still be read".to_owned(), next: None });
    }
    if reachable && let Err(error) = session.account.sync_group(group).await.end {
        return Ok(Finding { about, state: "out of step".to_owned(), next: Some(Trouble::from(error).to_string()) });
    }
    let (messages, wishes) = session.account.waiting(group)?;
    let finding = |state: String, next: &str| Finding { about: about.clone(), state, next: Some(next.to_owned()) };
    match group.health()? {
        Health::Forked { first_bad_epoch } => {
            let state = format!("members disagree since epoch {first_bad_epoch}");
            return Ok(finding(
                state,
                "compare safety numbers with `panda group info`; who differs leaves, and is invited again",
            ));
        }
        Health::Behind { epoch } => {
            let state = format!("epoch {} of {epoch}", group.epoch());
            return Ok(finding(state, "run `panda read` where the service can be reached"));
        }
        _ => {}
    }
    Ok(if group.is_read_only()? {
        finding("an old copy was put back".to_owned(), "run `panda group rotate`, which makes it whole")
    } else if session.account.is_leaving(group)? {
        Finding { about, state: "leaving, once anybody else is there".to_owned(), next: None }
    } else if messages > 0 || wishes > 0 {
        finding(
            format!("{messages} messages and {wishes} changes wait"),
            "run `panda read` where the service can be reached",
        )
    } else if group.rotation_due() {
        finding("keys have not been renewed for a while".to_owned(), "run `panda group rotate`")
    } else {
        Finding { about, state: format!("in step, epoch {}", group.epoch()), next: None }
    })
}
