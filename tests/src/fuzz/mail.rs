//! A message of any headers: its unified form, which triggers it fires, and the event of the
//! firing. The first line is a trigger's filters; the rest is Gmail's JSON, or header lines.

use email_connectors::adapters::gmail::wire;
use email_connectors::domain::comparable::comparable;
use email_connectors::domain::connector::Connector;
use email_connectors::domain::firing::{LONGEST_DETAIL, decide};
use email_connectors::domain::id::{EventId, MessageId};
use email_connectors::domain::mail::Part;
use email_connectors::domain::mail::automatic::Automatic;
use email_connectors::domain::message::{Address, Bounds, Message, ProviderMessage};
use email_connectors::domain::timestamp::Timestamp;
use email_connectors::domain::trigger::{Filters, Trigger};
use email_connectors::domain::wake_up::{Kind, WakeUp};
use serde_json::Value;

use super::plain::{self, NOW};
use crate::contract::cast::Cast;

/// Gmail's ids are far shorter, and no sender chooses them: only what a sender can make long must
/// be cut.
const LONGEST_ID: usize = 64;

pub fn mail(data: &[u8]) {
    let (filters, rest) = plain::line(data);
    let filters: Filters = serde_json::from_str(&filters).unwrap_or_default();
    let Some(given) = provider_message(rest) else { return };
    let message = given.clone().normalize();
    check_headers(&given, &message);
    check_authentication(&given, &message);
    check_automatic(&given, &message);
    for (entries, text) in [(50, 2000), (3, 7), (1, 1), (0, 0)] {
        check_bounds(&message, Bounds { entries, text });
    }
    check_filters(&filters, &message);
    check_event(filters, &message);
}

fn provider_message(data: &[u8]) -> Option<ProviderMessage> {
    if data.starts_with(b"{") {
        let (message, root) = wire::Message::parse(data).ok()?.into_known().ok()?;
        check_tree(&root);
        return Some(message);
    }
    let text = String::from_utf8_lossy(data);
    let headers = text.split('\n').filter_map(|line| line.split_once(':'));
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.trim().to_string())).collect();
    Some(ProviderMessage { snippet: text.chars().take(200).collect(), ..of_headers(headers) })
}

/// Its bodies can be shown, and every file that is listed can be asked for. The structure alone never
/// tells what the whole tree contradicts.
fn check_tree(root: &Part) {
    let (body, files) = (root.body(), root.files());
    assert!(!body.text_from_html || (body.text.is_some() && body.html.is_some()));
    for file in files.attachments.iter().chain(&files.embedded) {
        assert!(root.find(&file.part_id).is_some(), "{}", file.part_id);
    }
    if let Some(told) = root.has_attachments_by_structure() {
        assert_eq!(told, root.has_attachments());
    }
}

fn of_headers(headers: Vec<(String, String)>) -> ProviderMessage {
    ProviderMessage {
        id: MessageId::new("18c0ffee"),
        identity: None,
        thread_id: "18c0ffee".into(),
        label_ids: vec!["INBOX".into()],
        history_id: None,
        received_at: NOW,
        snippet: String::new(),
        size_estimate: 0,
        has_attachments: false,
        attachments_unknown: false,
        bounce: None,
        headers,
    }
}

/// A message is authenticated only by the topmost header, which names the receiving server and the
/// sender's domain.
fn check_authentication(given: &ProviderMessage, message: &Message) {
    if !message.is_authenticated() {
        return;
    }
    let topmost =
        given.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Authentication-Results"));
    let said = topmost.expect("no result without a header").1.to_ascii_lowercase();
    let domain =
        message.from.as_ref().and_then(Address::domain).expect("no result without a sender");
    assert!(said.contains("mx.google.com") && said.contains("dmarc=pass"), "{said}");
    assert_eq!(said.matches("dmarc=").count(), 1, "{said}");
    assert!(said.contains(domain.as_str()) || !said.is_ascii(), "{said} does not name {domain}");
}

/// A mail is automatic only if a header of it says so; with its tree it is of the same kind.
fn check_automatic(given: &ProviderMessage, message: &Message) {
    let root = Part { headers: given.headers.clone(), ..Part::default() };
    let whole = given.clone().normalize_whole(&root).automatic;
    let kind = |automatic: &Option<Automatic>| automatic.as_ref().map(|found| found.kind);
    assert_eq!(kind(&whole), kind(&message.automatic));
    let Some(automatic) = &message.automatic else { return };
    assert_eq!(automatic.bounce, None, "headers alone do not say what a bounce is about");
    assert!(
        !automatic.list_id.as_deref().is_some_and(|id| id.is_empty() || plain::has_control(id))
    );
    let telling = [
        "auto-submitted",
        "precedence",
        "list-",
        "x-auto",
        "content-type",
        "return-path",
        "x-failed-recipients",
    ];
    let says = |name: &str| telling.iter().any(|known| name.starts_with(known));
    assert!(given.headers.iter().any(|(name, _)| says(&name.to_ascii_lowercase())));
}

fn check_headers(given: &ProviderMessage, message: &Message) {
    let header = |name: &str| {
        given
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    for (name, ids) in [
        ("Message-ID", &message.headers.message_id),
        ("In-Reply-To", &message.headers.in_reply_to),
        ("References", &message.headers.references),
    ] {
        check_message_ids(header(name), ids.as_deref());
    }
    assert_eq!(message.subject.is_some(), header("Subject").is_some());
    assert!(!message.subject.as_deref().is_some_and(plain::has_control), "{:?}", message.subject);
    if let Some(words) = header("Subject").filter(|value| are_plain_words(value)) {
        assert_eq!(message.subject.as_deref(), Some(words));
    }
    for (name, addresses) in
        [("To", &message.to), ("Cc", &message.cc), ("Reply-To", &message.reply_to)]
    {
        let is_of = |key: &str| key.eq_ignore_ascii_case(name);
        let values: Vec<&str> = given
            .headers
            .iter()
            .filter(|(key, _)| is_of(key))
            .map(|(_, value)| value.as_str())
            .collect();
        check_addresses((!values.is_empty()).then(|| values.join(", ")).as_deref(), addresses);
    }
    match &message.from {
        // What From shows where no address can be read.
        Some(Address { name, address }) if address.is_empty() => {
            assert!(name.as_deref().is_some_and(|name| !name.trim().is_empty()), "{name:?}");
            assert!(!name.as_deref().is_some_and(plain::has_control), "{name:?}");
        }
        from => check_addresses(header("From").filter(|_| from.is_some()), from.as_slice()),
    }
}

/// Each id stands in the header, letter for letter, and is found again as it is.
fn check_message_ids(value: Option<&str>, ids: Option<&str>) {
    let Some(ids) = ids else {
        let plainly = value.is_some_and(|value| {
            value.strip_prefix('<').and_then(|value| value.strip_suffix('>')).is_some_and(|id| {
                id.split_once('@').is_some_and(|(left, right)| is_word(left) && is_word(right))
            })
        });
        assert!(!plainly, "no id in {value:?}");
        return;
    };
    let value = value.expect("no ids without a header");
    let mut letters = value.chars();
    for id in ids.split(' ') {
        let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
        let bare = bare.unwrap_or_else(|| panic!("{id:?} has no brackets"));
        assert!(bare.contains('@') || value.contains(id), "{bare:?} of {value:?}");
        assert!(!plain::has_control(bare), "{bare:?} of {value:?}");
        assert!(bare.chars().all(|letter| letters.any(|other| other == letter)), "{bare:?}");
    }
    let again = of_headers(vec![("References".into(), ids.into())]).normalize();
    assert_eq!(again.headers.references.as_deref(), Some(ids), "of {value:?}");
}

fn check_addresses(value: Option<&str>, addresses: &[Address]) {
    let Some(value) = value else {
        assert_eq!(addresses, [], "of a header that is not there");
        return;
    };
    for Address { name, address } in addresses {
        assert!(!address.is_empty() && !plain::has_control(address), "{address:?} of {value:?}");
        assert!(!name.as_deref().is_some_and(plain::has_control), "{name:?} of {value:?}");
        let alone = of_headers(vec![("From".into(), address.clone())]).normalize().from;
        assert_eq!(
            alone,
            Some(Address { name: None, address: address.clone() }),
            "an address by itself is itself: of {value:?}"
        );
    }
    let plainly =
        value.split_once('@').is_some_and(|(local, domain)| is_word(local) && is_word(domain));
    if plainly {
        assert_eq!(addresses, [Address { name: None, address: value.into() }]);
    }
}

fn are_plain_words(text: &str) -> bool {
    text.split(' ').all(is_word)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn check_bounds(message: &Message, bounds: Bounds) {
    let bounded = message.bounded(bounds);
    let lists = [
        (&message.to, &bounded.to),
        (&message.cc, &bounded.cc),
        (&message.reply_to, &bounded.reply_to),
    ];
    for (whole, part) in lists {
        assert_eq!(part.len(), whole.len().min(bounds.entries));
    }
    let addresses =
        bounded.to.iter().chain(&bounded.cc).chain(&bounded.reply_to).chain(&bounded.from);
    let names = addresses.flat_map(|address| [Some(&address.address), address.name.as_ref()]);
    let headers =
        [&bounded.headers.message_id, &bounded.headers.in_reply_to, &bounded.headers.references];
    let texts = headers
        .map(Option::as_ref)
        .into_iter()
        .chain([bounded.subject.as_ref(), Some(&bounded.snippet)])
        .chain([bounded.automatic.as_ref().and_then(|found| found.list_id.as_ref())])
        .chain(names);
    assert!(texts.flatten().all(|text| text.chars().count() <= bounds.text));
    assert!(bounded.label_ids.len() <= bounds.entries);
    let is_cut = |part: &Option<String>, whole: &Option<String>| match (part, whole) {
        (Some(part), Some(whole)) => whole.starts_with(part.as_str()),
        (part, whole) => part == whole,
    };
    assert!(
        is_cut(&bounded.subject, &message.subject) && message.snippet.starts_with(&bounded.snippet)
    );
    assert_eq!(bounded.bounded(bounds), bounded, "what is short enough stays as it is");
}

fn check_filters(filters: &Filters, message: &Message) {
    assert!(Filters::default().matches(message), "without filters everything matches");
    let singles = [
        Filters { query: filters.query.clone(), ..Filters::default() },
        Filters { from_contains: filters.from_contains.clone(), ..Filters::default() },
        Filters { from_domain: filters.from_domain.clone(), ..Filters::default() },
        Filters { to_contains: filters.to_contains.clone(), ..Filters::default() },
        Filters { subject_contains: filters.subject_contains.clone(), ..Filters::default() },
        Filters { label_include: filters.label_include.clone(), ..Filters::default() },
        Filters { label_exclude: filters.label_exclude.clone(), ..Filters::default() },
        Filters { has_attachment: filters.has_attachment, ..Filters::default() },
        Filters { authenticated: filters.authenticated, ..Filters::default() },
        Filters { automatic: filters.automatic, ..Filters::default() },
    ];
    assert_eq!(
        filters.matches(message),
        singles.iter().all(|single| single.matches(message)),
        "all given filters must match"
    );
    let loud = |texts: &[String]| texts.iter().map(|text| text.to_ascii_uppercase()).collect();
    let louder = Filters {
        query: filters.query.as_ref().map(|query| query.to_ascii_uppercase()),
        from_contains: loud(&filters.from_contains),
        to_contains: loud(&filters.to_contains),
        subject_contains: loud(&filters.subject_contains),
        ..filters.clone()
    };
    assert_eq!(filters.matches(message), louder.matches(message), "letter case does not count");
    if let Some(subject) = &message.subject {
        // Elsewhere the cut may part a letter from its accent.
        let half = if subject.is_ascii() { subject.len() / 2 } else { subject.len() };
        let head = subject[..half].to_string();
        let is_seen = !comparable(&head).trim().is_empty();
        let of_it = Filters {
            subject_contains: vec![head],
            query: Some(subject.clone()),
            ..Filters::default()
        };
        assert_eq!(
            of_it.matches(message),
            is_seen,
            "a subject holds its own half and its own words, if they can be seen: {subject:?}"
        );
    }
}

fn check_event(filters: Filters, message: &Message) {
    let cast = Cast::new("fuzz", "mail");
    let long_ago = Timestamp::from_seconds(0);
    let connector = Connector { connected_at: long_ago, ..cast.connector(1) };
    let mut trigger = Trigger { created_at: long_ago, ..cast.trigger(&connector, 1) };
    trigger.config.filters = filters;
    let wake_up = WakeUp::own(Kind::Sync, connector.email_address.clone(), NOW);
    let events = decide(&connector, std::slice::from_ref(&trigger), message, true, &wake_up, NOW);

    let has = |label: &str| message.label_ids.iter().any(|id| id == label);
    let unwanted = has("DRAFT")
        || has("SPAM")
        || has("TRASH")
        || has("CHAT")
        || has("SCHEDULED")
        || (has("SENT") && !has("INBOX"));
    let fires =
        !unwanted && message.timestamp >= long_ago && trigger.config.filters.matches(message);
    assert_eq!(events.len(), usize::from(fires));
    let [event] = &events[..] else { return };
    assert_eq!(event.event_id, EventId::derive(&connector.account, &message.identity, &trigger.id));
    let detail: Value = serde_json::from_str(&event.detail).expect("a detail is JSON");
    assert_eq!(detail["message"]["id"], message.id.as_str());
    let (cut, subject) = (detail["message"]["subject"].as_str(), message.subject.as_deref());
    assert!(
        cut.is_some() == subject.is_some()
            && subject.unwrap_or_default().starts_with(cut.unwrap_or_default()),
        "{cut:?}"
    );
    let short_ids =
        message.id.as_str().len() <= LONGEST_ID && message.thread_id.len() <= LONGEST_ID;
    assert!(!short_ids || event.detail.len() <= LONGEST_DETAIL, "{} bytes", event.detail.len());
}
