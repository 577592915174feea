//! One row, checked as a whole before anything is done for it and before any request to its
//! provider. Pure.

use std::collections::BTreeMap;

use email_connectors::domain::email_address::EmailAddress;
use email_connectors::domain::id::{OwnerId, fingerprint};
use email_connectors::domain::provider::Provider;
use email_connectors::domain::secret::RefreshToken;
use email_connectors::domain::trigger::{MOST_TRIGGERS, NewTrigger};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::args::migrate::Fields;
use crate::fernet::{Keys, NotOpened};

/// How Fernet tokens and Google's refresh tokens begin.
const TOKENS: [&str; 2] = ["gAAAAA", "1//"];
/// Stands where the connector's id will be, so that the API's own rules can check the trigger.
const TO_BE: &str = "con_to_be";

/// Why a row is not taken over, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    Unreadable,
    InvalidOwner,
    InvalidEmail,
    NoToken,
    BrokenToken,
    WrongKey,
    InvalidTriggers,
    /// The grant is dead.
    InvalidGrant,
    AnotherClient,
    MissingScopes,
    UnknownAccount,
    AnotherAddress,
    AnotherAccount,
    NeedsReauth,
    GoogleRefused,
    MicrosoftRefused,
    TooManyTriggers,
    /// For now: the next run tries it again.
    Unavailable,
}

impl Code {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::InvalidOwner => "invalid_owner",
            Self::InvalidEmail => "invalid_email",
            Self::NoToken => "no_token",
            Self::BrokenToken => "broken_token",
            Self::WrongKey => "wrong_key",
            Self::InvalidTriggers => "invalid_triggers",
            Self::InvalidGrant => "invalid_grant",
            Self::AnotherClient => "another_client",
            Self::MissingScopes => "missing_scopes",
            Self::UnknownAccount => "unknown_account",
            Self::AnotherAddress => "another_address",
            Self::AnotherAccount => "another_account",
            Self::NeedsReauth => "needs_reauth",
            Self::GoogleRefused => "google_refused",
            Self::MicrosoftRefused => "microsoft_refused",
            Self::TooManyTriggers => "too_many_triggers",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Why a row is not taken over. Contains nothing of the row that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    pub code: Code,
    pub reason: String,
    /// Of a row whose owner could be read.
    pub owner: Option<String>,
}

impl Bad {
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), owner: None }
    }

    pub fn of(self, owner: &OwnerId) -> Self {
        Self { owner: Some(owner.to_string()), ..self }
    }
}

/// A row that is as it must be.
#[derive(Debug)]
pub struct Candidate {
    pub number: u64,
    /// Derived from the row's content: a corrected row is another one.
    pub key: Uuid,
    pub owner: OwnerId,
    pub address: Option<EmailAddress>,
    pub refresh_token: RefreshToken,
    /// Each with its name among its owner's triggers.
    pub triggers: Vec<(String, NewTrigger)>,
}

/// One row's columns, as they stand in the export.
#[derive(Debug, Default)]
pub struct Cells {
    pub owner: Value,
    pub token: Value,
    pub email: Value,
    pub triggers: Value,
}

pub fn check(number: u64, cells: &Cells, fields: &Fields, keys: &Keys) -> Result<Candidate, Bad> {
    let owner = owner(&cells.owner, &fields.owner)?;
    let checked = || {
        let address = address(&cells.email, &fields.email)?;
        let sealed = sealed(&cells.token, &fields.token)?;
        let triggers = listed(&cells.triggers, &fields.triggers)?;
        let spoken = address.as_ref().map_or("", EmailAddress::as_str);
        let key = fingerprint(&[
            "migrate",
            owner.as_str(),
            spoken,
            sealed,
            &Value::from(triggers.clone()).to_string(),
        ]);
        let triggers = rewritten(&triggers, fields)?;
        let refresh_token = opened(sealed, fields, keys)?;
        Ok(Candidate { number, key, owner: owner.clone(), address, refresh_token, triggers })
    };
    checked().map_err(|bad: Bad| bad.of(&owner))
}

/// Absent, in the ways in which a table's NULL is exported.
fn is_absent(cell: &Value) -> bool {
    match cell {
        Value::Null => true,
        Value::String(text) => matches!(text.trim(), "" | "\\N" | "NULL" | "null"),
        _ => false,
    }
}

fn owner(cell: &Value, field: &str) -> Result<OwnerId, Bad> {
    let bad = |why: &str| Bad::new(Code::InvalidOwner, format!("`{field}` {why}"));
    let text = match cell {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        cell if is_absent(cell) => return Err(bad("is missing")),
        _ => return Err(bad("is neither text nor a number")),
    };
    if is_absent(cell) {
        return Err(bad("is missing"));
    }
    // The owner is printed, so it must not be a token.
    if TOKENS.iter().any(|token| text.trim_start().starts_with(token)) {
        return Err(bad("holds a token: the columns are mixed up"));
    }
    OwnerId::parse(&text)
        .ok_or_else(|| bad("must be 1 to 256 characters without `#` and control characters"))
}

fn address(cell: &Value, field: &str) -> Result<Option<EmailAddress>, Bad> {
    let bad = || {
        Bad::new(
            Code::InvalidEmail,
            format!("`{field}` is no mailbox address; correct it, or leave it empty"),
        )
    };
    match cell {
        cell if is_absent(cell) => Ok(None),
        Value::String(text) => EmailAddress::parse(text).map(Some).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

fn sealed<'a>(cell: &'a Value, field: &str) -> Result<&'a str, Bad> {
    match cell {
        cell if is_absent(cell) => Err(Bad::new(
            Code::NoToken,
            format!("`{field}` is empty; leave out users who never connected a mailbox"),
        )),
        Value::String(text) => Ok(text.trim()),
        _ => Err(Bad::new(Code::BrokenToken, format!("`{field}` is no text"))),
    }
}

/// Google's are of about a hundred characters, and bounded by 512; Microsoft's are of up to 4 KB, and
/// bounded by nothing that is told.
fn longest_token(provider: Provider) -> usize {
    match provider {
        Provider::Gmail => 512,
        Provider::Outlook => 8192,
    }
}

fn opened(sealed: &str, fields: &Fields, keys: &Keys) -> Result<RefreshToken, Bad> {
    let field = &fields.token;
    let token = keys.open(sealed).map_err(|problem| {
        let code = if problem == NotOpened::WrongKey { Code::WrongKey } else { Code::BrokenToken };
        let hint = if sealed.starts_with("\\x") { "; export its text, not its bytes" } else { "" };
        Bad::new(code, format!("`{field}` {problem}{hint}"))
    })?;
    let text = token.expose_secret().trim();
    let is_token = !text.is_empty()
        && text.len() <= longest_token(fields.provider.into())
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    match is_token {
        true => Ok(RefreshToken(SecretString::from(text))),
        false => {
            Err(Bad::new(Code::BrokenToken, format!("what `{field}` holds is no refresh token")))
        }
    }
}

/// The triggers, as a JSON array or as its text.
fn listed(cell: &Value, field: &str) -> Result<Vec<Value>, Bad> {
    let bad =
        || Bad::new(Code::InvalidTriggers, format!("`{field}` must be a JSON array, or be absent"));
    match cell {
        cell if is_absent(cell) => Ok(Vec::new()),
        Value::Array(list) => Ok(list.clone()),
        Value::String(text) => serde_json::from_str(text).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

fn rewritten(list: &[Value], fields: &Fields) -> Result<Vec<(String, NewTrigger)>, Bad> {
    let (field, kind) = (&fields.triggers, kind(fields.provider.into()));
    let bad =
        |at: usize, why: String| Bad::new(Code::InvalidTriggers, format!("{field}[{at}]{why}"));
    if list.len() > MOST_TRIGGERS {
        return Err(Bad::new(
            Code::InvalidTriggers,
            format!("`{field}` holds {} triggers; a connector takes {MOST_TRIGGERS}", list.len()),
        ));
    }
    let (mut triggers, mut known): (Vec<(String, NewTrigger)>, BTreeMap<String, usize>) =
        (Vec::new(), BTreeMap::new());
    for (at, old) in list.iter().enumerate() {
        let Value::Object(old) = old else { return Err(bad(at, " is no JSON object".into())) };
        let (name, new) = rewrite(old, &kind).map_err(|why| bad(at, why))?;
        let named_before = known.entry(name.clone()).or_default();
        *named_before += 1;
        match (*named_before, old.contains_key("id")) {
            (1, _) => triggers.push((name, new)),
            (_, true) => return Err(bad(at, ".id: another one has it already".into())),
            // Two equal triggers are both kept: both fired before.
            (nth, false) => triggers.push((format!("{name}#{nth}"), new)),
        }
    }
    Ok(triggers)
}

/// What a trigger of a provider's mail is called in the older system.
fn kind(provider: Provider) -> String {
    format!("email:{}", provider.as_str())
}

/// A trigger of this type, as the API takes it: the connector knows its provider. An unknown field is
/// an error: without an unknown filter the trigger would fire for mail that it kept out.
fn rewrite(old: &Map<String, Value>, kind: &str) -> Result<(String, NewTrigger), String> {
    match old.get("type") {
        Some(Value::String(known)) if known == kind => {}
        Some(Value::String(other)) => {
            return Err(format!(
                ".type: `{}` is not known; only `{kind}` is taken over",
                short(other)
            ));
        }
        Some(_) => return Err(".type: must be text".into()),
        None => return Err(".type: is missing".into()),
    }
    let mut new = old.clone();
    let name = match new.remove("id") {
        None => format!(
            "content:{}",
            fingerprint(&["trigger", &Value::from(old.clone()).to_string()]).simple()
        ),
        Some(Value::String(id)) if !id.is_empty() && id.len() <= 256 => format!("id:{id}"),
        Some(Value::Number(id)) => format!("id:{id}"),
        Some(_) => return Err(".id: must be text or a number, or be absent".into()),
    };
    new.insert("type".into(), json!("email"));
    let mut config = match new.remove("config") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(config)) => config,
        Some(_) => return Err(".config: must be a JSON object, or be absent".into()),
    };
    match (new.remove("filters"), config.get("filters")) {
        (None | Some(Value::Null), None | Some(Value::Null)) => {
            config.remove("filters");
        }
        (None | Some(Value::Null), Some(_)) => {}
        (Some(filters), None | Some(Value::Null)) => {
            config.insert("filters".into(), filters);
        }
        (Some(_), Some(_)) => {
            return Err(".filters: stand beside config.filters; give one of them".into());
        }
    }
    config.insert("connector_id".into(), json!(TO_BE));
    new.insert("config".into(), config.into());
    let new = NewTrigger::parse_adopted(new.into())
        .map_err(|refusal| format!(".{}: {}", refusal.field, short(&refusal.problem)))?;
    Ok((name, new))
}

/// What is quoted of a row is kept short.
fn short(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use email_connectors::domain::id::TriggerId;
    use email_connectors::domain::timestamp::Timestamp;

    use super::*;
    use crate::args::MailProvider;

    const SEALED: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0OD_uaHLUqVH4UJAJFmtAVnsyQLvogj7sMNohoU622DVMczLFPJSEga-6w3bd6rUv6QOlhuV--vrs3xyeAGprVUlI=";
    const HELLO: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
    const EMPTY: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkyKTyMbYmiNsw2aOq718ErZlYQbIORRvp9giNbObzxmg==";

    fn checked(change: Value) -> Result<Candidate, Bad> {
        checked_of(MailProvider::Gmail, change)
    }

    fn checked_of(provider: MailProvider, change: Value) -> Result<Candidate, Bad> {
        let mut row =
            json!({"owner": "u-1", "token": SEALED, "email": "ada@example.com", "triggers": null});
        row.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let cell = |name: &str| row[name].clone();
        let cells = Cells {
            owner: cell("owner"),
            token: cell("token"),
            email: cell("email"),
            triggers: cell("triggers"),
        };
        let name = |name: &str| name.to_string();
        let fields = Fields {
            provider,
            owner: name("user_id"),
            token: name("gmail_refresh_token"),
            email: name("email"),
            triggers: name("triggers"),
        };
        check(
            7,
            &cells,
            &fields,
            &Keys::parse(&"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=".into()).unwrap(),
        )
    }

    fn triggers(list: Value) -> Vec<(String, NewTrigger)> {
        checked(json!({ "triggers": list })).unwrap().triggers
    }

    #[test]
    fn a_good_row_is_read_in_the_ways_in_which_it_is_exported() {
        let row = checked(json!({})).unwrap();
        assert_eq!(
            (row.number, row.owner.as_str(), row.address.unwrap().as_str()),
            (7, "u-1", "ada@example.com")
        );
        assert_eq!(row.refresh_token.0.expose_secret(), "1//0canary-refresh-token");
        assert_eq!(checked(json!({"owner": 4711})).unwrap().owner.as_str(), "4711");
        for nothing in [json!(null), json!(""), json!("\\N"), json!("NULL")] {
            let row = checked(json!({"email": nothing, "triggers": nothing})).unwrap();
            assert!(row.address.is_none() && row.triggers.is_empty());
        }
    }

    #[test]
    fn a_bad_row_is_refused_with_its_field_and_without_its_token() {
        let table = [
            (json!({"owner": ""}), Code::InvalidOwner, "`user_id` is missing"),
            (json!({"owner": null}), Code::InvalidOwner, "is missing"),
            (json!({"owner": ["a"]}), Code::InvalidOwner, "neither text nor a number"),
            (json!({"owner": "a#b"}), Code::InvalidOwner, "without `#`"),
            (json!({"owner": SEALED}), Code::InvalidOwner, "columns are mixed up"),
            (json!({"owner": "1//0canary"}), Code::InvalidOwner, "columns are mixed up"),
            (json!({"email": "ada"}), Code::InvalidEmail, "`email` is no mailbox address"),
            (json!({"email": SEALED}), Code::InvalidEmail, "`email` is no mailbox address"),
            (json!({"token": ""}), Code::NoToken, "leave out users"),
            (json!({"token": 7}), Code::BrokenToken, "is no text"),
            (json!({"token": "not base64!"}), Code::BrokenToken, "is no base64url"),
            (json!({"token": "\\x674141"}), Code::BrokenToken, "export its text"),
            (json!({"token": &SEALED[..60]}), Code::BrokenToken, "is no Fernet token"),
            (
                json!({"token": HELLO.replace("DA==", "DQ==")}),
                Code::WrongKey,
                "sealed under another key",
            ),
            (json!({"token": EMPTY}), Code::BrokenToken, "holds is no refresh token"),
            (json!({"triggers": {}}), Code::InvalidTriggers, "must be a JSON array"),
            (json!({"triggers": "[{"}), Code::InvalidTriggers, "must be a JSON array"),
            (json!({"triggers": ["x"]}), Code::InvalidTriggers, "triggers[0] is no JSON object"),
            (json!({"triggers": [{}]}), Code::InvalidTriggers, "triggers[0].type: is missing"),
            (
                json!({"triggers": [{"type": "email:gmail"}, {"type": "cron"}]}),
                Code::InvalidTriggers,
                "triggers[1].type: `cron` is not known",
            ),
            (
                json!({"triggers": [{"type": "email:gmail", "enabled": false}]}),
                Code::InvalidTriggers,
                "enabled",
            ),
            (
                json!({"triggers": [{"type": "email:gmail", "filters": {"form_contains": ["a"]}}]}),
                Code::InvalidTriggers,
                "config.filters",
            ),
            (
                json!({"triggers": [{"type": "email:gmail", "filters": {}, "config": {"filters": {}}}]}),
                Code::InvalidTriggers,
                "one of them",
            ),
            (
                json!({"triggers": [{"type": "email:gmail", "id": 1}, {"type": "email:gmail", "id": 1}]}),
                Code::InvalidTriggers,
                "triggers[1].id",
            ),
            (
                json!({"triggers": vec![json!({"type": "email:gmail"}); 41]}),
                Code::InvalidTriggers,
                "holds 41 triggers",
            ),
        ];
        for (change, code, reason) in table {
            let bad = checked(change.clone()).unwrap_err();
            assert!(bad.code == code && bad.reason.contains(reason), "{change}: {bad:?}");
            assert!(!bad.reason.contains("gAAAAA") && !bad.reason.contains("1//"), "{bad:?}");
            assert_eq!(bad.owner.is_none(), code == Code::InvalidOwner);
        }
    }

    #[test]
    fn an_old_trigger_becomes_one_of_the_api() {
        let filters = json!({"from_contains": ["shop"]});
        let spelled = [
            json!([{"type": "email:gmail", "id": "t-1", "agent_id": "billing", "filters": filters}]),
            json!([{"type": "email:gmail", "id": "t-1", "agent_id": "billing", "config": {"filters": filters}}]),
            json!([{"type": "email:gmail", "id": "t-1", "agent_id": "billing", "config": {"filters": filters, "connector_id": "old"}}]),
            json!(json!([{"type": "email:gmail", "id": "t-1", "agent_id": "billing", "filters": filters}]).to_string()),
        ];
        for old in spelled {
            let [(name, new)] = triggers(old).try_into().unwrap();
            let made = serde_json::to_value(new.into_trigger(
                TriggerId::new("trg_1"),
                OwnerId::new("u-1"),
                Timestamp::from_seconds(0),
            ));
            let made = made.unwrap();
            assert_eq!(
                (name.as_str(), &made["type"], &made["agent_id"]),
                ("id:t-1", &json!("email"), &json!("billing"))
            );
            assert_eq!(made["config"]["filters"], filters);
        }
    }

    #[test]
    fn a_trigger_is_of_the_exports_provider() {
        let of = |kind: &str| json!({"triggers": [{"type": kind, "id": 1}]});
        for (provider, own, other) in [
            (MailProvider::Gmail, "email:gmail", "email:outlook"),
            (MailProvider::Outlook, "email:outlook", "email:gmail"),
        ] {
            assert_eq!(checked_of(provider, of(own)).unwrap().triggers.len(), 1);
            let bad = checked_of(provider, of(other)).unwrap_err();
            let says = format!("`{other}` is not known; only `{own}`");
            assert!(bad.reason.contains(&says), "{bad:?}");
        }
    }

    #[test]
    fn a_trigger_without_an_id_is_known_by_what_it_says() {
        let (one, other) =
            (json!({"type": "email:gmail"}), json!({"type": "email:gmail", "agent_id": "a"}));
        let names =
            |list: Value| triggers(list).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let both = names(json!([one, other]));
        assert_eq!(names(json!([other, one])), [both[1].clone(), both[0].clone()]);
        assert_eq!(names(json!([one, one])), [both[0].clone(), format!("{}#2", both[0])]);
    }

    #[test]
    fn a_row_that_was_mended_is_another_row() {
        let key = |change| checked(change).unwrap().key;
        assert_eq!(key(json!({})), key(json!({"triggers": "[]"})));
        for change in [
            json!({"owner": "u-2"}),
            json!({"email": ""}),
            json!({"token": HELLO}),
            json!({"triggers": [{"type": "email:gmail"}]}),
        ] {
            assert_ne!(key(change), key(json!({})));
        }
    }
}
