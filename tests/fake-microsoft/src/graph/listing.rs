//! Listings of messages: of the whole mailbox, or of one folder.

use serde_json::{Value, json};

use super::answer::{Outcome, Refusal};
use super::reading::{Page, listed, option, select};
use super::{Context, attachments};
use crate::filter::{self, Expression, Order};
use crate::folders::RECOVERABLE;
use crate::message::Message;

/// `$search` finds no more: <https://learn.microsoft.com/graph/search-query-parameter>.
const MOST_FOUND: usize = 1000;

/// What a listing asks for.
struct Asked {
    filter: Option<Expression>,
    orders: Vec<Order>,
    search: Option<String>,
}

pub(super) fn list(context: &mut Context<'_>, folder: Option<&str>) -> Outcome {
    let asked = asked(context)?;
    let page = Page::of(&context.query, context.call.prefer)?;
    let hidden = context.mailbox.folders.known(RECOVERABLE);
    let seen =
        context.mailbox.messages.values().filter_map(|stored| stored.seen(context.when.now_ms));
    let within = seen.filter(|message| match folder {
        Some(folder) => message.folder == folder,
        None => message.folder != hidden,
    });
    let mut found: Vec<&Message> = within.filter(|message| asked.takes(message)).collect();
    // Of equal keys nobody knows the order; here it is not that of arrival.
    found.sort_by(|one, other| {
        filter::compare(one, other, &asked.orders)
            .then_with(|| one.ids.immutable.cmp(&other.ids.immutable))
    });
    if asked.search.is_some() {
        found.truncate(MOST_FOUND);
    }
    let count = found.len();
    let (shown, more) = page.cut(found);
    let value = shown.into_iter().map(|message| rendered(context, message)).collect();
    let owner = format!("users('{}')/messages", context.mailbox.user.graph_id());
    Ok(listed(context, &owner, (value, more), &page, count))
}

/// A message with what was selected and expanded.
pub(super) fn rendered(context: &Context<'_>, message: &Message) -> Value {
    let select = select(&context.query);
    let wishes = context.wishes();
    let mut shown = message.rendered(wishes, select.as_deref());
    if option(&context.query, "expand").is_some_and(|names| names.contains("attachments")) {
        shown["attachments"] = attachments::all(message, true).into();
    }
    shown
}

fn asked(context: &Context<'_>) -> Result<Asked, Refusal> {
    let filter = option(&context.query, "filter").map(filter::parse).transpose();
    let filter = filter.map_err(|problem| Refusal::bad_request(&problem))?;
    let orders = option(&context.query, "orderby").map(filter::orders).transpose();
    let orders = orders.map_err(|problem| Refusal::bad_request(&problem))?;
    let search = option(&context.query, "search").map(|text| text.trim_matches('"').to_lowercase());
    if search.is_some() {
        apart(filter.is_some(), "SearchWithFilter", "$filter")?;
        apart(orders.is_some(), "SearchWithOrderBy", "$orderBy")?;
    }
    if let (Some(filter), Some(orders)) = (&filter, &orders)
        && !filter::is_efficient(filter, orders)
    {
        let said = "The restriction or sort order is too complex for this operation.";
        return Err(Refusal::new(400, "InefficientFilter", said));
    }
    let newest_first = || vec![Order { property: "receiveddatetime".into(), descending: true }];
    Ok(Asked { filter, orders: orders.unwrap_or_else(newest_first), search })
}

fn apart(together: bool, code: &str, option: &str) -> Result<(), Refusal> {
    let said = format!("The query parameter '{option}' is not supported with '$search'.");
    if together { Err(Refusal::new(400, code, &said)) } else { Ok(()) }
}

impl Asked {
    fn takes(&self, message: &Message) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.is_met_by(message))
            && self.search.as_deref().is_none_or(|search| is_found(message, search))
    }
}

/// Every word, or `property:word` for some properties of KQL. Words of the whole mail where no
/// property is named.
fn is_found(message: &Message, search: &str) -> bool {
    let content = &message.content;
    let from =
        || json!(content.from.as_ref().map(|from| format!("{} {}", from.name, from.address)));
    let to = || {
        json!(content.to.iter().map(|to| format!("{} {}", to.name, to.address)).collect::<Vec<_>>())
    };
    search.split_whitespace().filter(|word| *word != "and").all(|word| {
        let (property, wanted) = word.split_once(':').unwrap_or(("", word));
        let wanted = wanted.trim_matches(['"', '\'', '(', ')']);
        let all = match property {
            "subject" => json!(content.subject),
            "from" => from(),
            "to" | "participants" | "recipients" => to(),
            "body" => json!(content.body.text),
            "hasattachments" | "hasattachment" => json!(content.has_attachments().to_string()),
            "attachment" => content.attachments.iter().map(|one| json!(one.name)).collect(),
            _ => json!([content.subject, content.body.text, from(), to()]),
        };
        all.to_string().to_lowercase().contains(wanted)
    })
}
