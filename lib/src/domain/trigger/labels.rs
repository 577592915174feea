//! Filters name labels by id or by name; ids are stored, so that a label that is renamed keeps
//! working.

use super::{Filter, Filters, Trigger};
use crate::domain::comparable::comparable;
use crate::domain::id::TriggerId;
use crate::domain::invalid::Invalid;
use crate::domain::operation::answer::Label;

/// Gmail's own labels, whose ids are the same in every mailbox and never go. A mailbox may have
/// more of Gmail's, such as stars of other colours.
const SYSTEM: [&str; 15] = [
    "INBOX",
    "UNREAD",
    "STARRED",
    "IMPORTANT",
    "SENT",
    "DRAFT",
    "SPAM",
    "TRASH",
    "CHAT",
    "SCHEDULED",
    "CATEGORY_PERSONAL",
    "CATEGORY_SOCIAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_UPDATES",
    "CATEGORY_FORUMS",
];
/// What the ids of a user's labels begin with.
const OF_USER: &str = "Label_";
/// How many labels a refusal names.
const MOST_NEAR: usize = 5;

/// A label that a trigger names and the mailbox no longer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingLabel {
    pub trigger: TriggerId,
    pub filter: Filter,
    pub label: String,
}

impl Filters {
    /// Whether a label is named of which only the mailbox knows whether it has it.
    pub fn name_own_labels(&self) -> bool {
        self.labels().any(|(_, label)| system(label).is_none())
    }

    /// Whether every label is named by its id, as far as can be told without the mailbox.
    pub fn name_labels_by_id(&self) -> bool {
        self.labels().all(|(_, label)| system(label).is_some() || label.starts_with(OF_USER))
    }

    /// With ids in place of names and of other letter cases. `labels` are all that the mailbox has;
    /// `None` if it could not be read, so that what is no label of Gmail's stays as it is.
    pub fn with_label_ids(mut self, labels: Option<&[Label]>) -> Result<Self, Invalid> {
        for (name, list) in [
            (Filter::LabelInclude, &mut self.label_include),
            (Filter::LabelExclude, &mut self.label_exclude),
        ] {
            for (at, label) in list.iter_mut().enumerate() {
                let found = match (system(label), labels) {
                    (Some(id), _) => id.to_string(),
                    (None, None) => continue,
                    (None, Some(labels)) => id_of(label, labels).map_err(|problem| {
                        Invalid::new(format!("config.filters.{}[{at}]", name.as_str()), problem)
                    })?,
                };
                *label = found;
            }
        }
        self.check_possible()?;
        Ok(self)
    }

    fn labels(&self) -> impl Iterator<Item = (Filter, &str)> {
        let included = self.label_include.iter().map(|label| (Filter::LabelInclude, label));
        let excluded = self.label_exclude.iter().map(|label| (Filter::LabelExclude, label));
        included.chain(excluded).map(|(filter, label)| (filter, label.as_str()))
    }
}

/// The labels of all triggers that are not among `labels`, which are all that the mailbox has.
pub fn missing_labels(triggers: &[Trigger], labels: &[Label]) -> Vec<MissingLabel> {
    let of_trigger = |trigger: &Trigger| {
        let filters = &trigger.config.filters;
        let gone = filters.labels().filter(|(_, label)| {
            !SYSTEM.contains(label) && !labels.iter().any(|known| known.id == *label)
        });
        gone.map(|(filter, label)| MissingLabel {
            trigger: trigger.id.clone(),
            filter,
            label: label.to_string(),
        })
        .collect::<Vec<_>>()
    };
    triggers.iter().flat_map(of_trigger).collect()
}

fn system(label: &str) -> Option<&'static str> {
    SYSTEM.into_iter().find(|id| id.eq_ignore_ascii_case(label.trim()))
}

/// By its id, by its name, or by its name as people see it; else the problem, with what is near.
fn id_of(wanted: &str, labels: &[Label]) -> Result<String, String> {
    let exact = labels
        .iter()
        .find(|label| label.id == wanted)
        .or_else(|| labels.iter().find(|label| label.name == wanted));
    if let Some(label) = exact {
        return Ok(label.id.clone());
    }
    let seen = |text: &str| comparable(text).trim().to_string();
    let alike: Vec<&Label> =
        labels.iter().filter(|label| seen(&label.name) == seen(wanted)).collect();
    match alike[..] {
        [label] => Ok(label.id.clone()),
        [] => Err(format!(
            "the mailbox has no label `{wanted}`{}; `GET /api/connectors/{{id}}/labels` lists all",
            listed("; near it are ", &near(&seen(wanted), labels))
        )),
        _ => Err(format!(
            "several labels of the mailbox look like `{wanted}`{}; name one by its id",
            listed(": ", &alike)
        )),
    }
}

/// Those whose names share most with the text, at both ends or as a whole: a letter more, less or
/// other leaves both ends alike.
fn near<'a>(wanted: &str, labels: &'a [Label]) -> Vec<&'a Label> {
    let shared = |label: &Label| {
        let name = comparable(&label.name);
        let alike = |(one, other): &(char, char)| one == other;
        let front = name.chars().zip(wanted.chars()).take_while(alike).count();
        let back = name.chars().rev().zip(wanted.chars().rev()).take_while(alike).count();
        let within = name.contains(wanted) || wanted.contains(&name);
        let shortest = name.chars().count().min(wanted.chars().count());
        if within { shortest } else { (front + back).min(shortest) }
    };
    let mut found: Vec<(usize, &Label)> = labels
        .iter()
        .map(|label| (shared(label), label))
        .filter(|(shared, label)| *shared > 0 && shared * 2 >= label.name.chars().count())
        .collect();
    found.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.name.cmp(&b.name)));
    found.into_iter().take(MOST_NEAR).map(|(_, label)| label).collect()
}

fn listed(before: &str, labels: &[&Label]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let named = labels.iter().map(|label| format!("`{}` ({})", label.name, label.id));
    format!("{before}{}", named.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::operation::answer::LabelType;

    fn mailbox() -> Vec<Label> {
        let label = |id: &str, name: &str, kind| Label {
            id: id.into(),
            name: name.into(),
            kind,
            label_list_visibility: None,
            message_list_visibility: None,
            color: None,
            messages_total: None,
            messages_unread: None,
            threads_total: None,
            threads_unread: None,
        };
        vec![
            label("INBOX", "INBOX", LabelType::System),
            label("YELLOW_STAR", "YELLOW_STAR", LabelType::System),
            label("Label_7", "Invoices/2030", LabelType::User),
            label("Label_8", "Straße", LabelType::User),
            label("Label_9", "STRASSE", LabelType::User),
            label("Label_10", "Label_7", LabelType::User),
            label("Label_11", "Receipts", LabelType::User),
        ]
    }

    fn filters(value: serde_json::Value) -> Filters {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_label_is_named_by_id_or_by_name_and_kept_by_its_id() {
        for (named, expected) in [
            ("INBOX", "INBOX"),
            ("inbox", "INBOX"),
            ("Category_Updates", "CATEGORY_UPDATES"),
            ("yellow_star", "YELLOW_STAR"),
            ("Label_7", "Label_7"),
            ("Invoices/2030", "Label_7"),
            ("invoices/2030 ", "Label_7"),
            ("STRASSE", "Label_9"),
            ("Straße", "Label_8"),
        ] {
            let found = filters(json!({"label_include": [named], "label_exclude": ["Receipts"]}))
                .with_label_ids(Some(&mailbox()))
                .unwrap();
            assert_eq!(found.label_include, [expected], "{named}");
            assert_eq!(found.label_exclude, ["Label_11"]);
        }
    }

    #[test]
    fn a_label_that_is_not_there_is_refused_with_what_is_near() {
        for (filters_of, field, expected) in [
            (
                json!({"label_include": ["INBOX", "Recipts"]}),
                "label_include[1]",
                "`Receipts` (Label_11)",
            ),
            (
                json!({"label_exclude": ["invoices"]}),
                "label_exclude[0]",
                "`Invoices/2030` (Label_7)",
            ),
            (json!({"label_include": ["label:receipts"]}), "label_include[0]", "`Receipts`"),
            (
                json!({"label_include": ["Label_70"]}),
                "label_include[0]",
                "GET /api/connectors/{id}/labels",
            ),
            (json!({"label_include": ["strasse"]}), "label_include[0]", "several"),
        ] {
            let case = filters_of.to_string();
            let refusal = filters(filters_of).with_label_ids(Some(&mailbox())).unwrap_err();
            assert_eq!(refusal.field, format!("config.filters.{field}"), "{case}");
            assert!(refusal.problem.contains(expected), "{case}: {}", refusal.problem);
        }
        let far = filters(json!({"label_include": ["Quux"]})).with_label_ids(Some(&mailbox()));
        assert!(!far.unwrap_err().problem.contains("near"));
    }

    #[test]
    fn names_that_differ_may_be_one_label_that_is_required_and_ruled_out() {
        let twice = json!({"label_include": ["Receipts"], "label_exclude": ["Label_11"]});
        let refusal = filters(twice).with_label_ids(Some(&mailbox())).unwrap_err();
        assert_eq!(refusal.field, "config.filters.label_include[0]");
        assert!(refusal.problem.contains("label_exclude"), "{}", refusal.problem);
    }

    #[test]
    fn without_the_mailbox_ids_stay_and_labels_of_gmails_are_known() {
        let ids = filters(json!({"label_include": ["inbox", "Label_77"]}));
        assert!(ids.name_own_labels() && ids.name_labels_by_id());
        assert_eq!(ids.with_label_ids(None).unwrap().label_include, ["INBOX", "Label_77"]);
        assert!(!filters(json!({"label_include": ["Receipts"]})).name_labels_by_id());
        assert!(!filters(json!({"label_exclude": ["unread"]})).name_own_labels());
    }
}
