//! A reply: what it takes from the message that it answers.

use std::collections::BTreeSet;

use super::identity::Identity;
use super::recipient::{Recipient, shown, spelling};
use super::{LONGEST_REFERENCES, Outgoing, is_message_id, subject_line};
use crate::domain::invalid::Invalid;
use crate::domain::message::{Address, Message};

/// Which message of a thread is answered: the one whose Message-ID was named, or the last. Drafts
/// are none, and neither is what lies in the trash unless all does.
pub fn answered_in<'a>(thread: &'a [Message], in_reply_to: Option<&str>) -> Option<&'a Message> {
    let has = |message: &Message, label: &str| message.label_ids.iter().any(|id| id == label);
    let sent = || thread.iter().filter(|message| !has(message, "DRAFT"));
    let in_reply_to = in_reply_to.map(str::trim);
    let named = |message: &&Message| {
        in_reply_to.is_some() && message.headers.message_id.as_deref() == in_reply_to
    };
    sent()
        .find(named)
        .or_else(|| sent().rfind(|message| !has(message, "TRASH") && !has(message, "SPAM")))
        .or_else(|| sent().next_back())
}

impl Outgoing {
    /// Fills what is missing (author, recipients, subject, thread, references) from the message
    /// that this one answers. An error names who of the recipients cannot be written to.
    pub fn in_reply_to(self, original: &Message, identity: &Identity<'_>) -> Result<Self, Invalid> {
        let answered = original.headers.message_id.clone().filter(|id| is_message_id(id));
        let before = original
            .headers
            .references
            .as_deref()
            .or(original.headers.in_reply_to.as_deref())
            .unwrap_or_default();
        let references =
            self.references.or_else(|| answered.as_ref().map(|id| bounded_references(before, id)));
        let named = Named { to: self.to, cc: self.cc, bcc: &self.bcc };
        let (to, cc) = match (self.reply_all, named.to.is_empty()) {
            (true, _) => named.and_everybody(original, identity)?,
            (false, true) => (whom(original, identity)?, named.cc),
            (false, false) => (named.to, named.cc),
        };
        let subject = self
            .subject
            .or_else(|| Some(answering(original.subject.as_deref().unwrap_or_default())));
        let named_author = self.from.as_ref().is_some_and(|from| from.address.is_some());
        let from = match identity.answering(original).filter(|_| !named_author) {
            Some(alias) => {
                let name = self.from.and_then(|from| from.name).or(alias.name.clone());
                Some(super::Author { name, ..alias })
            }
            None => self.from,
        };
        let thread_id = self.thread_id.or_else(|| Some(original.thread_id.clone()));
        let reply = Self {
            from,
            to,
            cc,
            subject,
            thread_id,
            in_reply_to: self.in_reply_to.or(answered),
            references,
            reply_to_message_id: None,
            reply_all: false,
            complete: true,
            ..self
        };
        reply.check_count()?;
        Ok(reply)
    }
}

/// Whom the caller named.
struct Named<'a> {
    to: Vec<Recipient>,
    cc: Vec<Recipient>,
    bcc: &'a [Recipient],
}

impl Named<'_> {
    /// `To` and `Cc` of a reply to all: whom the caller named, and everybody of the original beside
    /// them (RFC 5322, section 3.6.3), each once and without oneself.
    fn and_everybody(
        self,
        original: &Message,
        identity: &Identity<'_>,
    ) -> Result<(Vec<Recipient>, Vec<Recipient>), Invalid> {
        let mut known: BTreeSet<String> = self
            .to
            .iter()
            .chain(&self.cc)
            .chain(self.bcc)
            .map(|recipient| spelling(recipient.address()))
            .collect();
        let mut new = |recipients: Vec<Recipient>| -> Vec<Recipient> {
            let others = recipients.into_iter().filter(|other| !identity.is_me(other.address()));
            others.filter(|other| known.insert(spelling(other.address()))).collect()
        };
        let mut to = new(first(original, identity)?);
        let mut cc = self.cc;
        let copies = match identity.wrote(original) {
            true => Vec::new(),
            false => new(all_of(original, "To", &original.to)?),
        };
        let copies = [copies, new(all_of(original, "Cc", &original.cc)?)].concat();
        if !self.to.is_empty() {
            cc.append(&mut to);
            to = self.to;
        }
        match to.is_empty() && cc.is_empty() {
            true if copies.is_empty() => Ok((whom(original, identity)?, cc)),
            true => Ok((copies, cc)),
            false => {
                cc.extend(copies);
                Ok((to, cc))
            }
        }
    }
}

/// Who is answered first: `Reply-To` or the writer; for the owner's own mail, its recipients.
fn first(original: &Message, identity: &Identity<'_>) -> Result<Vec<Recipient>, Invalid> {
    let is_redirected = !original.reply_to.is_empty()
        || original.unreadable.iter().any(|(header, _)| *header == "Reply-To");
    match (identity.wrote(original), is_redirected) {
        (true, _) => all_of(original, "To", &original.to),
        (false, true) => all_of(original, "Reply-To", &original.reply_to),
        // RFC 5322, section 3.6.3: all who wrote it.
        (false, false) => {
            let authors: Vec<Address> = original.authors().cloned().collect();
            all_of(original, "From", &authors)
        }
    }
}

/// The recipients of a plain reply, each once; oneself only if there is nobody else.
fn whom(original: &Message, identity: &Identity<'_>) -> Result<Vec<Recipient>, Invalid> {
    let mut known = BTreeSet::new();
    let mut all = first(original, identity)?;
    all.retain(|recipient| known.insert(spelling(recipient.address())));
    if all.is_empty() {
        let header = if identity.wrote(original) { "To" } else { "From" };
        return Err(Invalid::new(
            "to",
            format!(
                "is missing, and the {header} of the answered mail names no address; say `to` explicitly"
            ),
        ));
    }
    let others: Vec<Recipient> =
        all.iter().filter(|recipient| !identity.is_me(recipient.address())).cloned().collect();
    Ok(if others.is_empty() { all } else { others })
}

/// All whom a header names, or who of them cannot be addressed.
fn all_of(
    original: &Message,
    header: &str,
    addresses: &[Address],
) -> Result<Vec<Recipient>, Invalid> {
    let refused = |name: Option<&str>, problem: &str| {
        let name = name.map(|name| format!("{}: ", shown(name))).unwrap_or_default();
        Invalid::new(
            "to",
            format!(
                "cannot be taken from the {header} of the answered mail ({name}{problem}); say `to` explicitly, and leave reply_all out"
            ),
        )
    };
    if let Some((_, name)) = original.unreadable.iter().find(|(named, _)| *named == header) {
        return Err(refused(Some(name), "without a valid address"));
    }
    let one = |address: &Address| {
        Recipient::of(address).map_err(|problem| refused(address.name.as_deref(), &problem))
    };
    addresses.iter().map(one).collect()
}

fn answering(subject: &str) -> String {
    let again = subject.get(..3).is_some_and(|begins| begins.eq_ignore_ascii_case("re:"));
    subject_line(&if again { subject.to_string() } else { format!("Re: {subject}") })
}

/// The first, which names the thread, and as many of the last as fit.
fn bounded_references(before: &str, answered: &str) -> String {
    let ids: Vec<&str> =
        before.split_whitespace().filter(|id| is_message_id(id) && *id != answered).collect();
    let mut kept = vec![answered];
    let mut length = answered.len() + ids.first().map_or(0, |first| first.len() + 1);
    for id in ids.iter().skip(1).rev() {
        length += id.len() + 1;
        if length > LONGEST_REFERENCES {
            break;
        }
        kept.push(id);
    }
    kept.extend(ids.first().filter(|first| first.len() + 1 + answered.len() <= LONGEST_REFERENCES));
    kept.reverse();
    kept.join(" ")
}
