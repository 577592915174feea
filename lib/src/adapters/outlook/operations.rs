//! An owner's operations as calls to Graph, and their answers in the shape that all providers share.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Url;

use super::reading::Wanted;
use super::wire::{Message, Page, fields};
use super::{Calling, Outlook};
use crate::domain::operation::answer::{
    Draft, DraftList, ListedThread, MailAnswer, MessageList, MessageView, Thread, ThreadList,
};
use crate::domain::operation::request::{Conversation, Format, Listing, MailRequest};
use crate::domain::provider::outlook::methods::calls;
use crate::domain::provider::outlook::received::{Folders, Place, WellKnown};
use crate::domain::provider::outlook::search::{Clause, Search};
use crate::domain::secret::AccessToken;
use crate::domain::timestamp::Timestamp;
use crate::ports::{Performed, ProviderError, Sender, Uploaded};

/// Graph does not say how many there are: what is here is the least that there can be.
const fn at_least(length: usize, has_more: bool) -> u32 {
    length as u32 + has_more as u32
}

impl Outlook {
    pub(super) async fn performed(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
    ) -> Result<Performed, ProviderError> {
        let call = self.operating(access);
        let (answer, more) = call.performed(request, sender).await?;
        let units = calls(request).iter().map(|used| used.method.units * used.times).sum();
        // What is read one by one is counted as it is read.
        let units = match request {
            MailRequest::ListMessages(..) | MailRequest::GetThread(..) => 1 + more,
            _ => units,
        };
        Ok(Performed { answer, units })
    }

    pub(super) async fn performed_upload<U: Uploaded>(
        &self,
        access: &AccessToken,
        request: &MailRequest,
        sender: Sender<'_>,
        uploaded: &U,
    ) -> Result<Performed, ProviderError> {
        let call = self.operating(access);
        match self.performed_large(&call, request, sender, uploaded).await {
            Some(answer) => {
                let units = calls(request).iter().map(|used| used.method.units * used.times).sum();
                Ok(Performed { answer: answer?, units })
            }
            None => self.performed(access, request, sender).await,
        }
    }
}

impl Calling<'_> {
    /// The answer, and the requests for what was read one by one.
    async fn performed(
        &self,
        request: &MailRequest,
        sender: Sender<'_>,
    ) -> Result<(MailAnswer, u32), ProviderError> {
        use Conversation::{Message, Thread};
        if sender.only_headers {
            self.mailbox.note_basic();
        }
        let answer = match request {
            MailRequest::ListMessages(listing, format) => {
                return self.list_messages(listing, *format, sender).await;
            }
            MailRequest::GetThread(id, format) => return self.thread(id, *format).await,
            MailRequest::ListThreads(listing) => self.list_threads(listing, sender).await?,
            MailRequest::ListDrafts(listing) => self.list_drafts(listing, sender.now).await?,
            MailRequest::ListLabels(listing) => self.labels(listing).await?,
            MailRequest::GetMessage(id, format) => {
                let message = self.message(id.as_str(), *format).await?;
                let views = self.views(vec![message], *format).await?;
                MailAnswer::Message(Box::new(views.only()?))
            }
            MailRequest::GetDraft(id, format) => {
                self.draft(id).await?;
                let message = self.message(id, *format).await?;
                let views = self.views(vec![message], *format).await?;
                MailAnswer::Draft(Draft { id: id.clone(), message: views.only()? })
            }
            MailRequest::GetLabel(id) => self.label(id).await?,
            MailRequest::ListAttachments(message) => self.attachments(message).await?,
            MailRequest::GetAttachment(message, part_id, range) => {
                let wanted = Wanted::Range(range.as_deref());
                self.attachment(message, part_id, wanted).await?
            }
            MailRequest::LinkAttachment(message, part_id) => {
                self.attachment(message, part_id, Wanted::Whole).await?
            }
            MailRequest::Modify(Message, id, change) => self.modified(id, change).await?,
            MailRequest::Modify(Thread, id, change) => {
                self.conversation_modified(id, change).await?
            }
            MailRequest::Trash(Message, id) => self.trashed(id).await?,
            MailRequest::Trash(Thread, id) => self.conversation_trashed(id).await?,
            MailRequest::Untrash(Message, id) => self.untrashed(id).await?,
            MailRequest::Untrash(Thread, id) => self.conversation_untrashed(id).await?,
            MailRequest::Delete(Message, id) => self.deleted_for_good(id).await?,
            MailRequest::Delete(Thread, id) => self.conversation_deleted(id).await?,
            MailRequest::BatchModify(ids, change) => self.many_modified(ids, change).await?,
            MailRequest::BatchTrash(ids) => self.many_trashed(ids).await?,
            MailRequest::BatchDelete(ids) => self.all_deleted(ids.clone()).await?,
            MailRequest::Send(mail) => self.sent_mail(mail, sender).await?,
            MailRequest::CreateDraft(mail) => self.drafted(mail, sender).await?,
            MailRequest::UpdateDraft(id, mail) => self.redrafted(id, mail, sender).await?,
            MailRequest::PatchDraft(id, change) => self.patched(id, change, sender).await?,
            MailRequest::SendDraft(id) => self.sent_draft_by_id(id).await?,
            MailRequest::DeleteDraft(id) => self.draft_deleted(id).await?,
            MailRequest::CreateLabel(spec) => self.label_created(spec).await?,
            MailRequest::UpdateLabel(id, spec) => self.label_changed(id, spec).await?,
            MailRequest::DeleteLabel(id) => self.label_deleted(id).await?,
            // A file is put into the bucket, of which Graph learns when the mail goes out.
            MailRequest::CreateUpload(_) => MailAnswer::Done,
        };
        Ok((answer, 0))
    }

    async fn list_messages(
        &self,
        listing: &Listing,
        format: Option<Format>,
        sender: Sender<'_>,
    ) -> Result<(MailAnswer, u32), ProviderError> {
        let wanted = match format {
            None => "id,conversationId,parentFolderId".to_string(),
            Some(_) => fields(sender.only_headers),
        };
        let (messages, next_page_token) = self.list(listing, &wanted, sender.now).await?;
        let result_size_estimate = at_least(messages.len(), next_page_token.is_some());
        let mut list = MessageList {
            messages: Vec::new(),
            failed_ids: Vec::new(),
            next_page_token,
            result_size_estimate,
        };
        let mut units = 0;
        match format {
            None => {
                let references = messages.iter().map(Message::reference);
                list.messages = references.map(MessageView::Reference).collect();
            }
            Some(format) => {
                let shown = if format == Format::Full { format } else { Format::Metadata };
                let views = self.views(messages, shown).await?;
                list.messages = views.views;
                list.failed_ids = views.failed.into_iter().map(|(id, _)| id).collect();
                units = views.units;
            }
        }
        Ok((MailAnswer::Messages(list), units))
    }

    /// Graph lists no conversations: those of the messages of a page, each once in it. A conversation
    /// may stand on several pages.
    async fn list_threads(
        &self,
        listing: &Listing,
        sender: Sender<'_>,
    ) -> Result<MailAnswer, ProviderError> {
        let preview = if sender.only_headers { "" } else { ",bodyPreview" };
        let wanted = format!("id,conversationId,parentFolderId{preview}");
        let (messages, next_page_token) = self.list(listing, &wanted, sender.now).await?;
        let mut threads: Vec<ListedThread> = Vec::new();
        for message in messages {
            if !threads.iter().any(|thread| thread.id == message.conversation_id) {
                threads.push(ListedThread {
                    id: message.conversation_id.clone(),
                    snippet: message.body_preview(),
                    history_id: None,
                });
            }
        }
        let result_size_estimate = at_least(threads.len(), next_page_token.is_some());
        Ok(MailAnswer::Threads(ThreadList { threads, next_page_token, result_size_estimate }))
    }

    async fn list_drafts(
        &self,
        listing: &Listing,
        now: Timestamp,
    ) -> Result<MailAnswer, ProviderError> {
        let drafts = WellKnown::Drafts.label().to_string();
        let label_ids = listing.label_ids.iter().cloned().chain([drafts]).collect();
        let listing = Listing { label_ids, ..listing.clone() };
        let (messages, next_page_token) =
            self.list(&listing, "id,conversationId,parentFolderId", now).await?;
        let draft = |message: &Message| Draft {
            id: message.id.clone(),
            message: MessageView::Reference(message.reference()),
        };
        let drafts: Vec<Draft> = messages.iter().map(draft).collect();
        let result_size_estimate = at_least(drafts.len(), next_page_token.is_some());
        Ok(MailAnswer::Drafts(DraftList { drafts, next_page_token, result_size_estimate }))
    }

    async fn thread(&self, id: &str, format: Format) -> Result<(MailAnswer, u32), ProviderError> {
        let messages = self.conversation(id, &fields(self.mailbox.is_basic())).await?;
        let views = self.views(messages, format).await?;
        let thread = Thread {
            id: id.into(),
            history_id: None,
            messages: views.views,
            failed_ids: views.failed.into_iter().map(|(id, _)| id).collect(),
        };
        Ok((MailAnswer::Thread(thread), views.units))
    }

    /// A page, newest first. Without a folder, what lies in spam and trash is left out of it, so that
    /// it may hold fewer.
    async fn list(
        &self,
        listing: &Listing,
        fields: &str,
        now: Timestamp,
    ) -> Result<(Vec<Message>, Option<String>), ProviderError> {
        let search = Search::read(listing.query.as_deref(), &listing.label_ids, now)?;
        let top = listing.page_size.to_string();
        let mut query = vec![("$top", top.as_str()), ("$select", fields)];
        match &search.clause {
            Clause::All => query.push(("$orderby", "receivedDateTime desc")),
            Clause::Filter(filter) => {
                query.extend([("$filter", filter.as_str()), ("$orderby", "receivedDateTime desc")]);
            }
            // Its results have an order of their own.
            Clause::Search(words) => query.push(("$search", words)),
        }
        let place = listing.page_token.as_deref().map(read_token).transpose()?;
        query.extend(place.iter().map(|(name, value)| (*name, value.as_str())));
        let path = match &search.folder {
            Some(folder) => vec!["me", "mailFolders", folder.as_str(), "messages"],
            None => vec!["me", "messages"],
        };
        let page: Page = match self.get(&path, &query).await {
            Err(failure) if failure.status == Some(400) && place.is_some() => {
                return Err(ProviderError::PageLost);
            }
            page => page.map_err(|failure| failure.of_request(true))?,
        };
        let next = page.next_link.as_deref().and_then(written_token);
        let mut messages: Vec<Message> =
            page.items().map_err(|failure| failure.of_request(true))?;
        if search.folder.is_none() && !listing.include_spam_trash {
            let folders = self.folders_of(&messages).await;
            let folders = folders.map_err(|failure| failure.of_request(true))?;
            messages.retain(|message| !is_thrown_away(message, &folders));
        }
        Ok((messages, next))
    }
}

fn is_thrown_away(message: &Message, folders: &Folders) -> bool {
    use WellKnown::{DeletedItems, JunkEmail};
    let place = folders.place(&message.parent_folder_id);
    matches!(place, Place::In(DeletedItems | JunkEmail) | Place::Below(DeletedItems | JunkEmail))
}

/// Where Graph's next link leads, and nothing else of it.
fn written_token(next_link: &str) -> Option<String> {
    let url = Url::parse(next_link).ok()?;
    let (name, value) = url.query_pairs().find(|(name, _)| PLACES.contains(&name.as_ref()))?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(format!("{name}={value}")))
}

const PLACES: [&str; 2] = ["$skip", "$skiptoken"];

fn read_token(text: &str) -> Result<(&'static str, String), ProviderError> {
    let read =
        BASE64_URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = read.as_deref().and_then(|text| text.split_once('='));
    let place = pair.and_then(|(name, value)| {
        let name = PLACES.into_iter().find(|place| *place == name)?;
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        (!value.is_empty() && (name != "$skip" || is_number)).then(|| (name, value.to_string()))
    });
    place.ok_or(ProviderError::PageLost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_is_a_place_in_the_same_listing() {
        let base = "https://graph.microsoft.com/v1.0/me/messages?$top=5";
        let table = [
            ("&$skip=10", Some(("$skip", "10"))),
            ("&%24skip=10&%24select=id", Some(("$skip", "10"))),
            ("&$skiptoken=a%2Bb%3D", Some(("$skiptoken", "a+b="))),
            ("", None),
        ];
        for (rest, expected) in table {
            let token = written_token(&format!("{base}{rest}"));
            let read = token.map(|token| read_token(&token).unwrap());
            let expected = expected.map(|(name, value)| (name, value.to_string()));
            assert_eq!(read, expected, "{rest}");
        }
        for hostile in ["$filter=x", "$skip=", "$skip=1 or", "x", "$expand=attachments"] {
            let token = BASE64_URL_SAFE_NO_PAD.encode(hostile);
            assert!(matches!(read_token(&token), Err(ProviderError::PageLost)), "{hostile}");
        }
        assert!(matches!(read_token("!"), Err(ProviderError::PageLost)));
    }
}
