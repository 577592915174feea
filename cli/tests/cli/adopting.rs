//! A migration of ten thousand users, cut off twice on its way.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use connectors_cli::args::MailProvider;
use connectors_cli::args::migrate::Fields;
use connectors_cli::failure::Failure;
use connectors_cli::fernet::Keys;
use connectors_cli::migration::adopting::{Books, Rate, run};
use connectors_cli::migration::export::Export;
use connectors_cli::migration::journal::{Journal, Target};
use connectors_cli::migration::report::{Report, Tally};
use connectors_cli::migration::row::Code;
use email_connectors::domain::event::DetailType;
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::ports::Store;
use serde_json::{Value, json};
use tests::depth;
use tests::stage::{Stage, owner};
use tests::world::{Account, Call, Consent, When};

use crate::sealing::{ANOTHER_KEY, KEY, sealed};
use crate::server::Folder;

fn all_rows() -> usize {
    depth::of(1_000, 10_000)
}

/// One row in so many is bad: fifty of them.
fn bad_every() -> usize {
    all_rows() / 50
}

fn fields() -> Fields {
    let [owner, token, email, triggers] =
        ["user_id", "gmail_refresh_token", "email", "triggers"].map(String::from);
    Fields { provider: MailProvider::Gmail, owner, token, email, triggers }
}

/// Users of an older system in a world of their own, and the files of a migration.
struct Move {
    stage: Stage,
    folder: Folder,
    accounts: Vec<Account>,
    lines: Vec<String>,
}

impl Move {
    fn new() -> Self {
        Self { stage: Stage::new(), folder: Folder::new(), accounts: Vec::new(), lines: Vec::new() }
    }

    fn user(&mut self, name: &str, consent: Consent) -> Value {
        let account = self.stage.world.account(&format!("{name}@example.com"));
        let token = sealed(&account.granted(consent), KEY);
        let row = json!({
            "user_id": name, "email": account.address(), "gmail_refresh_token": token,
            "triggers": [{"type": "email:gmail", "id": name, "agent_id": "a", "filters": {"from_contains": ["shop"]}}],
        });
        self.accounts.push(account);
        row
    }

    fn write(&self) {
        self.folder.file("users.jsonl", self.lines.join("\n"));
    }

    fn target(&self) -> Target {
        Target { stack: "s".into(), table: "t".into() }
    }

    /// One run of the command's loop; `None` if it crashed.
    async fn run(&self) -> (Option<Result<(), Failure>>, Report) {
        let export =
            Export::new(Path::new(&self.folder.path("users.jsonl")), None, fields()).unwrap();
        let keys = Keys::parse(&KEY.into()).unwrap();
        let mut journal =
            Journal::open(Path::new(&self.folder.path("journal")), &self.target()).unwrap();
        let mut report = Report::new(Some(Path::new(&self.folder.path("report")))).unwrap();
        let (connect, handled) = (self.stage.connecting(), Cell::new(0_u64));
        let books = Books { journal: &mut journal, report: &mut report };
        let pace = Rate { at_once: 8, backoff: &[Duration::ZERO, Duration::ZERO] };
        let machine = self.stage.world.machine();
        let running = run(&connect, &machine, export.checked(&keys).unwrap(), books, &pace, || {
            handled.set(handled.get() + 1)
        });
        let ended = self.stage.world.until_crash(running).await;
        if matches!(ended, Some(Ok(()))) {
            assert_eq!(handled.get(), report.tally.rows);
        }
        (ended, report)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path(name)).unwrap()
    }

    fn reported(&self) -> Vec<Value> {
        self.read("report").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// No token, open or sealed, and no key is printed or written.
    fn keeps_its_secrets(&self, report: &Report) {
        let printed = format!("{}{}{:?}", report.to_json(false), report.lines(false), report.tally);
        for text in [printed, self.read("journal"), self.read("report")] {
            for secret in ["refresh-", "access-", "gAAAA", KEY] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
    }
}

/// A bad row of each kind in turn.
fn bad(migration: &mut Move, number: usize) -> (String, Code) {
    let kind = number / bad_every() % 10;
    let consent = match kind {
        5 => Consent { scopes: vec!["openid".into(), "email".into()], ..Consent::default() },
        _ => Consent::default(),
    };
    let mut row = migration.user(&format!("user-{number}"), consent);
    let account = migration.accounts.pop().unwrap();
    let token = row["gmail_refresh_token"].as_str().unwrap().to_string();
    let code = match kind {
        0 => {
            row["gmail_refresh_token"] = json!(sealed("refresh-of-another", ANOTHER_KEY));
            Code::WrongKey
        }
        1 => {
            row["gmail_refresh_token"] = json!(&token[..60]);
            Code::BrokenToken
        }
        2 => {
            row["gmail_refresh_token"] = json!(format!("{token}!"));
            Code::BrokenToken
        }
        3 => {
            row["gmail_refresh_token"] = json!("");
            Code::NoToken
        }
        4 => {
            account.revoke_grant();
            Code::InvalidGrant
        }
        5 => Code::MissingScopes,
        6 => {
            row["email"] = json!("somebody@example.com");
            Code::AnotherAddress
        }
        7 => {
            row["triggers"][0]["type"] = json!("email:outlook");
            Code::InvalidTriggers
        }
        8 => {
            row["user_id"] = json!(format!("user-{}", number - 1));
            Code::AnotherAccount
        }
        _ => {
            return (
                format!("{{\"user_id\": \"user-{number}\", \"gmail_refresh_token\": \"{token}"),
                Code::Unreadable,
            );
        }
    };
    (row.to_string(), code)
}

#[tokio::test]
async fn thousands_of_users_are_taken_over_though_it_is_cut_off_twice() {
    let mut migration = Move::new();
    let mut expected = BTreeMap::new();
    let (all, bad_every) = (all_rows(), bad_every());
    let a_third = u32::try_from(all * 3 / 10).unwrap();
    let is_bad = |number: usize| number % bad_every == bad_every / 2;
    for number in 0..all {
        let line = if is_bad(number) {
            let (line, code) = bad(&mut migration, number);
            *expected.entry(code).or_default() += 1;
            line
        } else {
            migration.user(&format!("user-{number}"), Consent::default()).to_string()
        };
        migration.lines.push(line);
    }
    migration.write();
    let (good, wrong) = (migration.accounts.len(), all / bad_every);
    assert_eq!((good, wrong), (all - 50, 50));

    // A crash after a connector is created and before the journal has it; the journal's last line
    // is truncated.
    migration.stage.world.crash(Call::CreateConnector, When::After, a_third);
    assert!(migration.run().await.0.is_none());
    let journal = migration.read("journal");
    migration.folder.file("journal", &journal[..journal.len() - 20]);
    let done_first = journal.lines().filter(|line| line.contains("\"connected\"")).count() - 1;
    assert!((all * 29 / 100..all * 3 / 10 + 200).contains(&done_first), "{done_first}");
    // A crash after Gmail has set the watch and before it is recorded.
    migration.stage.world.crash(Call::RecordWatch, When::Before, a_third);
    assert!(migration.run().await.0.is_none());
    let (ended, report) = migration.run().await;
    ended.unwrap().unwrap();

    let tally = report.tally.clone();
    assert_eq!(tally.rows as usize, all);
    assert_eq!(
        (tally.connected + tally.already_connected + tally.done_before) as usize,
        good,
        "{tally:?}"
    );
    assert!(
        tally.done_before as usize > all * 58 / 100 - 8 && tally.already_connected <= 8,
        "{tally:?}"
    );
    assert_eq!((tally.needs_person() as usize, &tally.bad), (wrong, &expected));
    assert_eq!(expected.len(), 9, "two of the ten kinds are broken tokens");
    let mut rows: Vec<u64> =
        migration.reported().iter().map(|row| row["row"].as_u64().unwrap()).collect();
    rows.sort_unstable();
    assert_eq!(
        rows,
        (0..all)
            .filter(|number| is_bad(*number))
            .map(|number| number as u64 + 1)
            .collect::<Vec<_>>()
    );
    migration.keeps_its_secrets(&report);

    // None twice, each watched, each with its trigger.
    let store = migration.stage.world.store();
    for account in &migration.accounts {
        assert!(account.watched_until().is_some());
    }
    assert!(
        migration.stage.calls_of(&["gmail.revoke", "gmail.stop"]).is_empty(),
        "nothing is taken from the older system"
    );
    let triggers = store.all_triggers();
    let owners: BTreeSet<&OwnerId> = triggers.iter().map(|trigger| &trigger.owner_id).collect();
    let connectors: BTreeSet<&ConnectorId> =
        triggers.iter().map(|trigger| &trigger.config.connector_id).collect();
    assert_eq!((triggers.len(), owners.len(), connectors.len()), (good, good, good));
    let made = store
        .ledger()
        .into_iter()
        .filter(|event| event.detail_type == DetailType::ConnectorConnected)
        .count();
    assert_eq!(made, good, "each new connector has its event");

    // Once more: nothing is left to do.
    let (ended, report) = migration.run().await;
    ended.unwrap().unwrap();
    let expected =
        Tally { rows: all as u64, done_before: good as u64, bad: expected, ..Tally::default() };
    assert_eq!(report.tally, expected);
    let repeated =
        migration.stage.calls_of(&["gmail.adopt", "store.create_connector", "gmail.watch"]);
    assert_eq!(
        repeated.len(),
        20,
        "only the rows that Google or the store refused are tried again"
    );
}

fn few(count: usize) -> Move {
    let mut migration = Move::new();
    for number in 0..count {
        let row = migration.user(&format!("user-{number}"), Consent::default()).to_string();
        migration.lines.push(row);
    }
    migration.write();
    migration
}

#[tokio::test]
async fn what_is_not_possible_now_is_tried_again_and_then_left_to_the_next_run() {
    let migration = few(3);
    // The first row's first try, and the second row's three.
    for nth in 1..=4 {
        migration.stage.world.fail(Call::Profile, When::Before, nth);
    }
    let (ended, first) = migration.run().await;
    ended.unwrap().unwrap();
    assert_eq!(first.tally.connected + first.tally.needs_person(), 3);
    let (ended, second) = migration.run().await;
    ended.unwrap().unwrap();
    assert_eq!(
        (second.tally.done_before, second.tally.connected),
        (first.tally.connected, 3 - first.tally.connected)
    );
    assert_eq!(second.tally.needs_person(), 0);
}

#[tokio::test]
async fn a_row_that_failed_in_each_try_is_reported_as_unavailable_for_now() {
    let migration = few(1);
    for nth in 1..=3 {
        migration.stage.world.fail(Call::InSlot, When::Before, nth);
    }
    let (ended, report) = migration.run().await;
    ended.unwrap().unwrap();
    assert_eq!(report.tally.bad, BTreeMap::from([(Code::Unavailable, 1)]));
    let reported = migration.reported();
    assert!(
        reported[0]["reason"]
            .as_str()
            .unwrap()
            .starts_with("not for now: the table is not available: as scripted"),
        "{reported:?}"
    );
    assert_eq!((&reported[0]["row"], &reported[0]["owner"]), (&json!(1), &json!("user-0")));
    assert_eq!(migration.run().await.1.tally.connected, 1);
}

#[tokio::test]
async fn an_outage_ends_the_run_and_a_wrong_client_at_once() {
    let migration = few(60);
    for nth in 1..=200 {
        migration.stage.world.fail(Call::Profile, When::Before, nth);
    }
    let (ended, report) = migration.run().await;
    assert!(matches!(ended, Some(Err(Failure::Unreachable(_)))));
    assert!((25..=40).contains(&report.tally.needs_person()), "{:?}", report.tally);
    migration.stage.world.forget_scripts();
    let (ended, report) = migration.run().await;
    ended.unwrap().unwrap();
    assert_eq!(
        (report.tally.connected + report.tally.done_before, report.tally.needs_person()),
        (60, 0)
    );

    let migration = few(3);
    migration.stage.world.fail_with(
        Call::Adopt,
        When::Before,
        1,
        tests::world::Failure::ClientRefused,
    );
    let (ended, _) = migration.run().await;
    let Some(Err(refused)) = ended else { panic!("it must end") };
    assert!(refused.to_string().contains("the stack's OAuth client (invalid_client)"), "{refused}");
}

#[tokio::test]
async fn of_two_rows_of_one_owner_the_first_counts() {
    let mut migration = few(1);
    let same = migration.lines[0].clone();
    let mut another = migration.user("user-1", Consent::default());
    another["user_id"] = json!("user-0");
    migration.lines.extend([another.to_string(), same]);
    migration.write();
    // Google lets the first one wait, and the others have time to overtake it.
    let gate = migration.stage.world.hold(Call::Adopt, When::Before, 1);
    let in_a_while = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        gate.open();
    };
    let ((ended, report), ()) = tokio::join!(migration.run(), in_a_while);
    ended.unwrap().unwrap();
    assert_eq!(
        (report.tally.connected, report.tally.already_connected + report.tally.done_before),
        (1, 1)
    );
    assert_eq!(report.tally.bad, BTreeMap::from([(Code::AnotherAccount, 1)]));
    assert_eq!(migration.reported()[0]["row"], 2);
    let stored = migration.stage.world.store().connectors(&owner("user-0")).await.unwrap();
    assert_eq!(stored[0].email_address, migration.accounts[0].address());
}

#[test]
fn a_journal_belongs_to_one_target_and_one_run_at_a_time() {
    let (folder, target) = (Folder::new(), Target { stack: "s".into(), table: "t".into() });
    let open = |target: &Target| {
        Journal::open(Path::new(&folder.path("journal")), target)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let journal = Journal::open(Path::new(&folder.path("journal")), &target).unwrap();
    assert!(open(&target).unwrap_err().contains("another run holds it"));
    drop(journal);
    open(&target).unwrap();
    let other = Target { stack: "staging".into(), ..target.clone() };
    assert!(open(&other).unwrap_err().contains("is of the stack s and its table t"));
    for (text, why) in [("{\"a\":1}\n", "is no journal"), ("user_id,token\n", "is no journal")] {
        folder.file("journal", text);
        assert!(open(&target).unwrap_err().contains(why));
        assert_eq!(
            std::fs::read_to_string(folder.path("journal")).unwrap(),
            text,
            "what is no journal is not touched"
        );
    }
}
