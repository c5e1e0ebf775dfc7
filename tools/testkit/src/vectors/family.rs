//! From a family's file to its trials.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
};

use libtest_mimic::{Completion, Failed, Trial};
use mls_crypto::{CipherSuite, CryptoProvider};
use serde::de::DeserializeOwned;

use super::{
    Outcome, Provider,
    ledger::{Ledger, Verdict},
    outcome::At,
    source::{Found, Source},
};

/// The check of one case; the provider is `None` in families that need no cryptography.
type Check = Box<dyn Fn(Option<&dyn CryptoProvider>) -> Outcome + Send + Sync>;

/// Reads a file.
type Load = Box<dyn Fn(&[u8]) -> serde_json::Result<Vec<Case>>>;

/// One case of a file.
struct Case {
    suite: Option<u16>,
    check: Check,
}

/// A family of vectors: the name of its file and how to read it.
pub(super) struct Family {
    name: &'static str,
    load: Load,
}

impl Family {
    /// A family without cryptography: each case runs once.
    pub(super) fn plain<C>(name: &'static str, check: fn(&C) -> Outcome) -> Self
    where
        C: DeserializeOwned + Send + Sync + 'static,
    {
        let wrap = move |case: C| Case { suite: None, check: Box::new(move |_| check(&case)) };
        Self { name, load: Box::new(move |bytes| load(bytes, wrap)) }
    }

    /// A family whose cases name a cipher suite: each case runs with every provider that has it.
    pub(super) fn suited<C>(
        name: &'static str,
        suite: fn(&C) -> u16,
        check: fn(&C, &dyn CryptoProvider) -> Outcome,
    ) -> Self
    where
        C: DeserializeOwned + Send + Sync + 'static,
    {
        let wrap = move |case: C| Case {
            suite: Some(suite(&case)),
            check: Box::new(move |crypto| check(&case, crypto.at("provider")?)),
        };
        Self { name, load: Box::new(move |bytes| load(bytes, wrap)) }
    }

    /// All trials of the family: one for the file, and one per case and provider.
    pub(super) fn trials(&self, source: &Source, providers: &[Provider], ledger: &Ledger) -> Vec<Trial> {
        let (bytes, complaint) = match source.find(self.name) {
            Found::File { bytes, known: true } => (Some(bytes), None),
            Found::File { bytes, known: false } => (Some(bytes), Some("checksum is not the committed one".to_owned())),
            Found::Nothing(why) => (None, Some(why)),
        };
        let mut trials = vec![self.file_trial(complaint, source.required(), ledger)];
        match bytes.map(|bytes| (self.load)(&bytes)) {
            Some(Ok(cases)) => trials.extend(self.case_trials(cases, providers, ledger)),
            Some(Err(error)) => {
                let why = format!("{}.json is not in the known format: {error}", self.name);
                trials.push(Trial::test(self.trial_name(None, "format"), move || Err(why.into())));
            }
            None => {}
        }
        trials
    }

    /// Whether the file is there and is the one whose checksum is committed.
    fn file_trial(&self, complaint: Option<String>, required: bool, ledger: &Ledger) -> Trial {
        let (ledger, name) = (ledger.clone(), self.name);
        Trial::ignorable_test(self.trial_name(None, "file"), move || match complaint {
            None => Ok(Completion::Completed),
            Some(why) if required => {
                ledger.note((name, "file"), None, Verdict::Failed);
                Err(why.into())
            }
            Some(why) => {
                ledger.note((name, "file"), None, Verdict::Ignored);
                Ok(Completion::ignored_with(why))
            }
        })
    }

    fn case_trials(&self, cases: Vec<Case>, providers: &[Provider], ledger: &Ledger) -> Vec<Trial> {
        let mut seen = BTreeMap::<Option<u16>, usize>::new();
        let mut trials = Vec::new();
        for case in cases {
            let position = seen.entry(case.suite).or_default();
            let name = self.trial_name(case.suite, &format!("case_{position}"));
            *position += 1;
            trials.extend(self.trials_of_case(&name, case, providers, ledger));
        }
        trials
    }

    fn trials_of_case(&self, name: &str, case: Case, providers: &[Provider], ledger: &Ledger) -> Vec<Trial> {
        let Case { suite, check } = case;
        let check = Arc::new(check);
        let Some(number) = suite else {
            let entry = Entry { row: (self.name, "-"), suite, ledger: ledger.clone() };
            return vec![Trial::test(name, move || entry.run(|| check(None)))];
        };
        let has_suite = |provider: &&Provider| provider.crypto.cipher_suites().contains(&CipherSuite(number));
        let mut trials = Vec::new();
        for provider in providers.iter().filter(has_suite) {
            let (check, crypto) = (Arc::clone(&check), Arc::clone(&provider.crypto));
            let entry = Entry { row: (self.name, provider.name), suite, ledger: ledger.clone() };
            let trial = Trial::test(name, move || entry.run(|| check(Some(&*crypto)))).with_kind(provider.name);
            trials.push(trial);
        }
        if trials.is_empty() {
            let entry = Entry { row: (self.name, "none"), suite, ledger: ledger.clone() };
            trials.push(Trial::ignorable_test(name, move || Ok(entry.ignore(number))));
        }
        trials
    }

    /// For example `key_schedule::suite_1::case_0`.
    fn trial_name(&self, suite: Option<u16>, last: &str) -> String {
        let family = self.name.replace('-', "_");
        suite.map_or_else(|| format!("{family}::{last}"), |suite| format!("{family}::suite_{suite}::{last}"))
    }
}

/// A place in the ledger, to be filled by one trial.
struct Entry {
    row: (&'static str, &'static str),
    suite: Option<u16>,
    ledger: Ledger,
}

impl Entry {
    fn run(&self, check: impl FnOnce() -> Outcome) -> Result<(), Failed> {
        let outcome = catch_unwind(AssertUnwindSafe(check));
        let verdict = if matches!(outcome, Ok(Ok(()))) { Verdict::Passed } else { Verdict::Failed };
        self.ledger.note(self.row, self.suite, verdict);
        match outcome {
            Ok(outcome) => outcome.map_err(|failure| failure.message().into()),
            Err(panic) => resume_unwind(panic),
        }
    }

    fn ignore(&self, number: u16) -> Completion {
        self.ledger.note(self.row, self.suite, Verdict::Ignored);
        Completion::ignored_with(format!("no provider here has cipher suite {number}"))
    }
}

/// Reads a file, an array of cases.
fn load<C: DeserializeOwned>(bytes: &[u8], wrap: impl Fn(C) -> Case) -> serde_json::Result<Vec<Case>> {
    Ok(serde_json::from_slice::<Vec<C>>(bytes)?.into_iter().map(wrap).collect())
}
