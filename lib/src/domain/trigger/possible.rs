//! Filters that no mail can pass are refused: a trigger that never fires looks like one that waits.

use idna::uts46::{AsciiDenyList, Hyphens, Uts46};
use serde_json::Value;

use super::Filters;
use crate::domain::comparable::comparable;
use crate::domain::invalid::Invalid;
use crate::domain::mail_domain::MailDomain;

/// Where Gmail's search is understood.
const SEARCH: &str = "Gmail's search is for `GET /api/connectors/{id}/messages?query=`";
/// Mail with one of these is not received mail, which alone fires.
const NEVER_RECEIVED: [&str; 5] = ["DRAFT", "SPAM", "TRASH", "CHAT", "SCHEDULED"];
/// All filters that are lists.
const LISTS: [&str; 6] = [
    "from_contains",
    "from_domain",
    "to_contains",
    "subject_contains",
    "label_include",
    "label_exclude",
];

/// Gmail's search operators that end with a colon, and what does the same here.
const OPERATORS: [(&str, &str); 25] = [
    ("from", "use `from_domain` or `from_contains`"),
    ("to", "use `to_contains`"),
    ("cc", "no filter looks at Cc"),
    ("bcc", "no filter looks at Bcc"),
    ("deliveredto", "use `to_contains`"),
    ("subject", "use `subject_contains`"),
    ("label", "use `label_include`"),
    ("in", "use `label_include`, such as `INBOX`"),
    ("is", "use `label_include`, such as `UNREAD` or `STARRED`"),
    ("category", "use `label_include`, such as `CATEGORY_UPDATES`"),
    ("has", "use `has_attachment` or `label_include`"),
    ("filename", "use `has_attachment` and look at the names in the run"),
    ("list", "use `automatic` and look at `automatic.list_id` in the run"),
    ("after", EACH_IS_NEW),
    ("before", EACH_IS_NEW),
    ("newer", EACH_IS_NEW),
    ("older", EACH_IS_NEW),
    ("newer_than", EACH_IS_NEW),
    ("older_than", EACH_IS_NEW),
    ("size", NO_SIZE),
    ("larger", NO_SIZE),
    ("smaller", NO_SIZE),
    ("larger_than", NO_SIZE),
    ("smaller_than", NO_SIZE),
    ("rfc822msgid", "no filter looks at the Message-ID"),
];
const EACH_IS_NEW: &str = "leave it out: only mail that arrives after the trigger was made fires";
const NO_SIZE: &str = "no filter looks at the size";
/// With which a text to look for in a subject is mistaken for a search; others may well stand in a
/// subject.
const OF_SUBJECTS: [&str; 4] = ["from", "subject", "label", "has"];

/// An empty list says that one of no texts must occur. It would be read as no filter at all.
pub(super) fn check_lists(body: &Value) -> Result<(), Invalid> {
    let filters = body.pointer("/config/filters");
    let is_empty = |name: &str| {
        filters.and_then(|filters| filters.get(name)?.as_array()).is_some_and(Vec::is_empty)
    };
    match LISTS.into_iter().find(|name| is_empty(name)) {
        Some(name) => Err(Invalid::new(
            format!("config.filters.{name}"),
            "is an empty list, which no mail could pass; name at least one, or leave it out",
        )),
        None => Ok(()),
    }
}

impl Filters {
    pub(super) fn check_possible(&self) -> Result<(), Invalid> {
        if let Some(problem) = self.query.as_deref().and_then(search_in_query) {
            return Err(Invalid::new("config.filters.query", problem));
        }
        let addresses =
            [("from_contains", &self.from_contains), ("to_contains", &self.to_contains)];
        for (name, list) in addresses {
            refuse_first(name, list, no_address_contains)?;
        }
        refuse_first("subject_contains", &self.subject_contains, |text| {
            let (name, rest) = operator(text.split_whitespace().next()?)?;
            OF_SUBJECTS.contains(&name).then(|| {
                format!("`{name}:` is of Gmail's search and nothing of a subject; write only `{rest}`, or what else the subject holds. {SEARCH}")
            })
        })?;
        refuse_first("label_include", &self.label_include, |label| self.rules_out(label))?;
        self.check_domains()
    }

    fn rules_out(&self, label: &str) -> Option<String> {
        let is = |other: &str| label.eq_ignore_ascii_case(other);
        if NEVER_RECEIVED.into_iter().any(is) {
            return Some(format!(
                "mail with the label `{label}` was not received, and never fires a trigger; take it out"
            ));
        }
        if self.label_exclude.iter().any(|excluded| excluded == label || is(excluded)) {
            return Some(format!(
                "`{label}` is in `config.filters.label_exclude` as well, and no mail can pass both; take it out of one"
            ));
        }
        let excludes_inbox = self.label_exclude.iter().any(|id| id.eq_ignore_ascii_case("INBOX"));
        (is("SENT") && excludes_inbox).then(|| {
            "sent mail fires only if it arrived as well, and `config.filters.label_exclude` rules out `INBOX`; take it out of one".to_string()
        })
    }

    /// `from_contains` looks at the whole address, so a text with an `@` also names how the domain
    /// begins.
    fn check_domains(&self) -> Result<(), Invalid> {
        if self.from_domain.is_empty() || self.from_contains.is_empty() {
            return Ok(());
        }
        let can_be = |text: &String| {
            let text = comparable(text);
            let Some((_, beginning)) = text.rsplit_once('@') else { return true };
            self.from_domain.iter().any(|domain| {
                domain.as_str().starts_with(beginning) || shown(domain).starts_with(beginning)
            })
        };
        if self.from_contains.iter().any(can_be) {
            return Ok(());
        }
        let domains: Vec<&str> = self.from_domain.iter().map(MailDomain::as_str).collect();
        Err(Invalid::new(
            "config.filters.from_contains",
            format!(
                "names addresses of other domains than `config.filters.from_domain` ({}), and no mail can pass both; take one of the two out",
                domains.join(", ")
            ),
        ))
    }
}

/// In the letters that people read.
fn shown(domain: &MailDomain) -> String {
    let (shown, _) =
        Uts46::new().to_unicode(domain.as_str().as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    comparable(&shown)
}

fn refuse_first(
    name: &str,
    list: &[String],
    problem: impl Fn(&str) -> Option<String>,
) -> Result<(), Invalid> {
    let found = list.iter().enumerate().find_map(|(at, text)| Some((at, problem(text)?)));
    match found {
        Some((at, problem)) => Err(Invalid::new(format!("config.filters.{name}[{at}]"), problem)),
        None => Ok(()),
    }
}

/// `None` unless the text is one of Gmail's searches: the words of a query are looked for as they
/// stand.
fn search_in_query(query: &str) -> Option<String> {
    let words: Vec<&str> = query.split_whitespace().collect();
    let as_words = "each word of this text is looked for in From and Subject, as it stands";
    for (at, word) in words.iter().enumerate() {
        let (bare, negated) = match word.strip_prefix('-') {
            Some(rest) if rest.starts_with(char::is_alphabetic) => (rest, true),
            _ => (*word, false),
        };
        let between = at > 0 && at + 1 < words.len();
        let way_out = match (operator(bare), *word) {
            (Some(("label" | "in" | "is" | "category", _)), _) if negated => "use `label_exclude`",
            (Some((name, _)), _) => {
                OPERATORS.iter().find(|(known, _)| *known == name).map_or("", |(_, way)| way)
            }
            (None, _) if negated => {
                "no filter rules out words; make the run end for such mail, or leave the word out"
            }
            (None, "OR" | "AND" | "AROUND") if between => {
                "make a trigger of each, or use `subject_contains`, of whose texts any is enough; written in small letters it is a word like others"
            }
            (None, _) if word.starts_with('"') && query.matches('"').count() > 1 => {
                "use `subject_contains`, which looks for a text as a whole"
            }
            (None, _) if word.starts_with('{') => {
                "use `subject_contains`, of whose texts any is enough"
            }
            _ => continue,
        };
        return Some(format!("{as_words}, but `{word}` is of Gmail's search: {way_out}. {SEARCH}"));
    }
    None
}

/// The operator that a word begins with, and what follows.
fn operator(word: &str) -> Option<(&'static str, &str)> {
    let (name, rest) = word.split_once(':')?;
    let known = OPERATORS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    (!rest.is_empty()).then_some((known.0, rest))
}

/// Why no address contains the text, if none does. Within quotes a local part may hold anything
/// (RFC 5322, section 3.4.1).
fn no_address_contains(text: &str) -> Option<String> {
    if text.contains('"') {
        return None;
    }
    if let Some((name, rest)) = operator(text.trim()) {
        return Some(format!("no address holds `{name}:`; write only `{rest}`. {SEARCH}"));
    }
    if text.contains(['<', '>']) {
        return Some("no address holds `<` or `>`; write what stands between them".into());
    }
    text.contains(char::is_whitespace).then(|| {
        "no address holds a blank, and the name beside it does not count; write the address or a part of it, or look for the name with `query`".into()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(filters: &Value) -> Option<Invalid> {
        check_lists(&json!({"config": {"filters": filters}})).err().or_else(|| {
            serde_json::from_value::<Filters>(filters.clone()).unwrap().check_possible().err()
        })
    }

    #[test]
    fn what_no_mail_can_pass_is_refused_with_the_way_out() {
        for (filters, field, expected) in [
            (json!({"query": "from:ada@example.com"}), "query", "`from_domain` or `from_contains`"),
            (json!({"query": "invoice From:ada"}), "query", "messages?query="),
            (json!({"query": "subject:invoice"}), "query", "`subject_contains`"),
            (json!({"query": "has:attachment"}), "query", "`has_attachment`"),
            (json!({"query": "label:work"}), "query", "`label_include`"),
            (json!({"query": "-label:work"}), "query", "`label_exclude`"),
            (json!({"query": "is:unread"}), "query", "UNREAD"),
            (json!({"query": "newer_than:2d"}), "query", "leave it out"),
            (json!({"query": "invoice OR receipt"}), "query", "trigger of each"),
            (json!({"query": "invoice -draft"}), "query", "rules out words"),
            (json!({"query": "\"your invoice\""}), "query", "`subject_contains`"),
            (json!({"query": "{invoice receipt}"}), "query", "`subject_contains`"),
            (json!({"from_contains": ["a", "from:ada"]}), "from_contains[1]", "write only `ada`"),
            (json!({"to_contains": ["to:ada"]}), "to_contains[0]", "write only `ada`"),
            (json!({"from_contains": ["Ada Lovelace"]}), "from_contains[0]", "`query`"),
            (json!({"from_contains": ["<ada@example.com>"]}), "from_contains[0]", "between them"),
            (json!({"subject_contains": ["subject:invoice"]}), "subject_contains[0]", "`invoice`"),
            (json!({"label_include": ["spam"]}), "label_include[0]", "not received"),
            (
                json!({"label_include": ["Label_7"], "label_exclude": ["Label_8", "Label_7"]}),
                "label_include[0]",
                "config.filters.label_exclude",
            ),
            (
                json!({"label_include": ["SENT"], "label_exclude": ["INBOX"]}),
                "label_include[0]",
                "config.filters.label_exclude",
            ),
            (
                json!({"from_domain": ["a.example"], "from_contains": ["ada@b.example", "@c"]}),
                "from_contains",
                "config.filters.from_domain",
            ),
            (
                json!({"from_domain": ["a.example"], "from_contains": ["@example"]}),
                "from_contains",
                "a.example",
            ),
            (json!({"from_contains": []}), "from_contains", "empty list"),
            (json!({"label_exclude": []}), "label_exclude", "empty list"),
            (json!({"from_domain": []}), "from_domain", "empty list"),
        ] {
            let refused = refusal(&filters).unwrap_or_else(|| panic!("{filters} is taken"));
            assert_eq!(refused.field, format!("config.filters.{field}"), "{filters}");
            assert!(refused.problem.contains(expected), "{filters}: {}", refused.problem);
        }
    }

    #[test]
    fn what_only_looks_so_is_taken() {
        for filters in [
            json!({}),
            json!({"query": "Re: your invoice"}),
            json!({"query": "packing list: 7"}),
            json!({"query": "sale -50% now"}),
            json!({"query": "re-invoice - now"}),
            json!({"query": "this or that"}),
            json!({"query": "Portland OR"}),
            json!({"query": "screen 27\" wide"}),
            json!({"query": "https://example.com 12:30"}),
            json!({"subject_contains": ["to:do", "Re: from:", "in: out", "is:"]}),
            json!({"from_contains": ["\"ada lovelace\"@example.com", "ada+list@"]}),
            json!({"label_include": ["SENT", "INBOX"], "label_exclude": ["SPAM"]}),
            json!({"from_domain": ["a.example", "b.example"], "from_contains": ["ada@b.example", "@c"]}),
            json!({"from_domain": ["a.example"], "from_contains": ["ada", "@b"]}),
            json!({"from_domain": ["a.example"], "from_contains": ["ada@A.ex"]}),
            json!({"from_domain": ["bücher.example"], "from_contains": ["@BÜcher"]}),
            json!({"from_domain": ["bücher.example"], "from_contains": ["@xn--bcher"]}),
        ] {
            assert_eq!(refusal(&filters), None, "{filters}");
        }
    }

    #[test]
    fn every_list_is_looked_at() {
        let full: Filters = serde_json::from_value(json!({
            "from_contains": ["a"], "from_domain": ["a.example"], "to_contains": ["a"],
            "subject_contains": ["a"], "label_include": ["A"], "label_exclude": ["B"],
            "query": "a", "has_attachment": true, "authenticated": true, "automatic": true,
        }))
        .unwrap();
        let full = serde_json::to_value(full).unwrap();
        let lists: Vec<&String> = full
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| value.is_array())
            .map(|(name, _)| name)
            .collect();
        let mut known = LISTS.to_vec();
        known.sort_unstable();
        assert_eq!(lists, known);
    }
}
