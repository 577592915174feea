//! Which parts of a mail are attachments: one rule for events, filters and the API.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Part, Placed, ROOT, content_id, one_line};

/// In bytes of all bodies: the HTML of a larger mail is not searched for pictures that it shows, so
/// that a mail is read twice only if that is cheap.
pub const LONGEST_SEARCHED: u64 = 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Where it is in the mail; `root` if it is the whole mail.
    #[schema(example = "1")]
    pub part_id: String,
    /// Its sender's; empty if there is none.
    #[schema(example = "may.pdf")]
    pub filename: String,
    #[schema(example = "application/pdf")]
    pub mime_type: String,
    /// In bytes; absent where the provider does not tell it, as for a mail within the mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Meant to be shown within the body.
    pub inline: bool,
    /// What `cid:` links of the body name it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
}

/// The parts of a mail that are no bodies, in their order. What is in a mail within the mail comes
/// after that mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    pub attachments: Vec<Attachment>,
    /// What the HTML shows by its Content-ID: no attachments.
    pub embedded: Vec<Attachment>,
}

impl Part {
    pub fn files(&self) -> Files {
        let mut files = Files::default();
        self.sort_into(&mut files, true);
        files
    }

    /// Without those of mails within the mail, which are files as a whole.
    pub fn own_files(&self) -> Files {
        let mut files = Files::default();
        self.sort_into(&mut files, false);
        files
    }

    pub fn has_attachments(&self) -> bool {
        !self.files().attachments.is_empty()
    }

    /// `has_attachments` of a tree whose bodies were not read; `None` if only the HTML can tell.
    pub fn has_attachments_by_structure(&self) -> Option<bool> {
        let files: Vec<Placed<'_>> = self.own().into_iter().filter(Placed::is_file).collect();
        let has_html = self.bodies().iter().any(|body| body.mime_type() == "text/html");
        let is_searched = has_html && self.is_searched();
        let may_be_embedded = |placed: &Placed<'_>| is_searched && placed.part.can_be_embedded();
        match (files.is_empty(), files.iter().all(may_be_embedded)) {
            (true, _) => Some(false),
            (false, true) => None,
            (false, false) => Some(true),
        }
    }

    fn sort_into(&self, files: &mut Files, enters_mails: bool) {
        let bodies = if self.is_searched() { self.bodies() } else { Vec::new() };
        let html: Vec<String> = bodies
            .into_iter()
            .filter(|body| body.mime_type() == "text/html")
            .filter_map(Self::text)
            .collect();
        let shown = content_id::shown_by(&html);
        for Placed { part, .. } in self.own().into_iter().filter(Placed::is_file) {
            let attachment = part.attachment();
            let is_shown = attachment.content_id.as_ref().is_some_and(|id| shown.contains(id));
            match part.can_be_embedded() && is_shown {
                true => files.embedded.push(attachment),
                false => files.attachments.push(attachment),
            }
            if enters_mails && part.holds_mail() {
                part.parts.iter().for_each(|root| root.sort_into(files, enters_mails));
            }
        }
    }

    /// RFC 2046, section 5.2.1, and RFC 6532.
    fn holds_mail(&self) -> bool {
        matches!(self.mime_type.as_str(), "message/rfc822" | "message/global")
    }

    /// A link to a document is no picture, however the HTML names it.
    fn can_be_embedded(&self) -> bool {
        let attachment = self.attachment();
        self.mime_type.starts_with("image/") && attachment.inline && attachment.content_id.is_some()
    }

    fn is_searched(&self) -> bool {
        self.bodies().iter().map(|body| body.size).sum::<u64>() <= LONGEST_SEARCHED
    }

    /// The part as a file that can be had, whatever it is.
    pub fn attachment(&self) -> Attachment {
        let content_id =
            self.header("content-id").map(|id| one_line(id.trim().trim_matches(['<', '>'])));
        let content_id = content_id.filter(|id| !id.is_empty());
        let inline =
            self.is_disposed("inline") || (content_id.is_some() && !self.is_disposed("attachment"));
        // The provider took it apart.
        let is_unknown = self.size == 0 && !self.parts.is_empty();
        Attachment {
            part_id: if self.part_id.is_empty() { ROOT.into() } else { self.part_id.clone() },
            filename: one_line(&self.filename),
            // Nothing says what a file without a type is; a body without one is a text.
            mime_type: one_line(if self.is_body() { self.mime_type() } else { &self.mime_type }),
            size: (!is_unknown).then_some(self.size),
            inline,
            content_id,
        }
    }
}

impl Placed<'_> {
    /// No body, and no other form of one: a mail client shows one of several alternatives. An
    /// invitation among them is for the calendar.
    fn is_file(&self) -> bool {
        let is_text = self.part.mime_type().starts_with("text/");
        let is_form_of_body = is_text
            && self.within == "multipart/alternative"
            && self.part.filename.is_empty()
            && !self.part.is_disposed("attachment")
            && !matches!(self.part.mime_type(), "text/calendar" | "text/vcard");
        !self.part.is_body() && !is_form_of_body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail::Content;

    fn leaf(mime_type: &str, headers: &[(&str, &str)]) -> Part {
        let headers =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Part { mime_type: mime_type.into(), headers, size: 7, ..Part::default() }
    }

    fn named(filename: &str, part: Part) -> Part {
        Part { filename: filename.into(), ..part }
    }

    fn html(text: &str) -> Part {
        Part { content: Content::Bytes(text.into()), ..leaf("text/html", &[]) }
    }

    /// A multipart, or a mail within the mail; numbered as Gmail does.
    fn of(mime_type: &str, parts: Vec<Part>) -> Part {
        fn numbered(part: &mut Part) {
            for (at, child) in part.parts.iter_mut().enumerate() {
                let id = &part.part_id;
                child.part_id = if id.is_empty() { at.to_string() } else { format!("{id}.{at}") };
                numbered(child);
            }
        }
        let mut whole = Part { mime_type: mime_type.into(), parts, ..Part::default() };
        numbered(&mut whole);
        whole
    }

    fn ids(files: &[Attachment]) -> String {
        files.iter().map(|file| file.part_id.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_part_is_a_body_or_shown_by_the_html_or_else_an_attachment() {
        const TEXT: fn() -> Part = || leaf("text/plain", &[]);
        let logo = || leaf("image/png", &[("Content-ID", "<logo@a>")]);
        let logo_as = |how: &str| {
            leaf("image/png", &[("Content-ID", "<logo@a>"), ("Content-Disposition", how)])
        };
        let shows = || html("<img src=\"cid:logo@a\">");
        let table = [
            ("a text", TEXT(), "", ""),
            ("a calendar alone", leaf("text/calendar", &[]), "root", ""),
            ("a PDF alone", leaf("application/pdf", &[]), "root", ""),
            (
                "a list's footer",
                of(
                    "multipart/mixed",
                    vec![TEXT(), leaf("text/plain", &[("Content-Disposition", "inline")])],
                ),
                "",
                "",
            ),
            (
                "a text that is attached",
                of(
                    "multipart/mixed",
                    vec![TEXT(), leaf("text/plain", &[("Content-Disposition", "ATTACHMENT")])],
                ),
                "1",
                "",
            ),
            (
                "a text with a name",
                of("multipart/mixed", vec![TEXT(), named("a.txt", TEXT())]),
                "1",
                "",
            ),
            (
                "without a name",
                of("multipart/mixed", vec![TEXT(), leaf("application/pdf", &[])]),
                "1",
                "",
            ),
            (
                "among what belongs together",
                of("multipart/related", vec![html("hello"), leaf("application/pdf", &[])]),
                "1",
                "",
            ),
            ("a logo that is shown", of("multipart/related", vec![shows(), logo()]), "", "1"),
            (
                "one that says so",
                of("multipart/related", vec![shows(), logo_as("inline")]),
                "",
                "1",
            ),
            (
                "one that is attached",
                of("multipart/related", vec![shows(), logo_as("attachment")]),
                "1",
                "",
            ),
            (
                "one that is not shown",
                of("multipart/related", vec![html("cid:other"), logo()]),
                "1",
                "",
            ),
            (
                "a document that the HTML links to",
                of(
                    "multipart/related",
                    vec![
                        html("<a href=\"cid:d@a\">invoice</a>"),
                        leaf("application/pdf", &[("Content-ID", "<d@a>")]),
                    ],
                ),
                "1",
                "",
            ),
            (
                "one that a very long HTML shows",
                of(
                    "multipart/related",
                    vec![Part { size: LONGEST_SEARCHED + 1, ..shows() }, logo()],
                ),
                "1",
                "",
            ),
            ("without any HTML", of("multipart/mixed", vec![TEXT(), logo_as("inline")]), "1", ""),
            (
                "in another multipart than its HTML",
                of(
                    "multipart/mixed",
                    vec![of("multipart/alternative", vec![TEXT(), shows()]), logo()],
                ),
                "",
                "1",
            ),
            (
                "forms of one body",
                of("multipart/alternative", vec![TEXT(), leaf("text/x-amp-html", &[]), shows()]),
                "",
                "",
            ),
            (
                "an invitation",
                of("multipart/alternative", vec![TEXT(), leaf("text/calendar", &[])]),
                "1",
                "",
            ),
            (
                "a mail within the mail, with a file and a logo of its own",
                of(
                    "multipart/mixed",
                    vec![
                        TEXT(),
                        of(
                            "message/rfc822",
                            vec![of(
                                "multipart/mixed",
                                vec![
                                    TEXT(),
                                    leaf("application/pdf", &[]),
                                    of("multipart/related", vec![shows(), logo()]),
                                ],
                            )],
                        ),
                    ],
                ),
                "1 1.0.1",
                "1.0.2.1",
            ),
            (
                "a report",
                of(
                    "multipart/report",
                    vec![TEXT(), of("message/delivery-status", vec![TEXT(), TEXT()])],
                ),
                "1",
                "",
            ),
        ];
        for (case, root, attachments, embedded) in table {
            let files = root.files();
            assert_eq!(
                (ids(&files.attachments).as_str(), ids(&files.embedded).as_str()),
                (attachments, embedded),
                "{case}"
            );
            // What the structure tells is true.
            if let Some(told) = root.has_attachments_by_structure() {
                assert_eq!(told, root.has_attachments(), "{case}");
            } else {
                assert!(case.contains("logo") || case.contains("one") || case.contains("HTML"));
            }
        }
    }

    #[test]
    fn a_mail_that_was_taken_apart_has_no_size() {
        let forwarded = of("message/rfc822", vec![leaf("text/plain", &[])]);
        let whole = Part { size: 120, ..forwarded.clone() };
        let sizes = [forwarded, whole, leaf("application/pdf", &[])]
            .map(|part| of("multipart/mixed", vec![part]).files().attachments[0].size);
        assert_eq!(sizes, [None, Some(120), Some(7)]);
    }
}
