//! Messages, fetched singly or in batches: each has its own answer, and what may pass is requested
//! again.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use secrecy::ExposeSecret;

use super::client::LONGEST_ANSWER;
use super::errors::{Failure, Fault};
use super::measured::{MESSAGES_GET, count};
use super::{Gmail, batch, once, tree, wire};
use crate::adapters::https::pause;
use crate::domain::id::MessageId;
use crate::domain::secret::AccessToken;
use crate::ports::{Fetched, ProviderError};

/// Gmail refuses larger batches more readily than smaller ones; refused messages are requested in
/// smaller ones still.
const BATCH: usize = 25;
const BATCH_AGAIN: usize = 10;

/// Everything that an event contains, and no body: the parts' types, names and headers tell what is
/// attached. Below the last level, only whether there is more.
pub(super) static STRUCTURE_FIELDS: LazyLock<String> = LazyLock::new(|| {
    let deeper = (0..tree::LEVELS).fold("parts(partId)".to_string(), |below, _| {
        format!("parts(partId,mimeType,filename,headers,body(size),{below})")
    });
    format!("{HEADER_FIELDS},payload(mimeType,filename,headers,body(size),{deeper})")
});
pub(super) static METADATA_FIELDS: LazyLock<String> =
    LazyLock::new(|| format!("{HEADER_FIELDS},payload(mimeType,filename,headers)"));
const HEADER_FIELDS: &str = "id,threadId,labelIds,snippet,historyId,internalDate,sizeEstimate";

/// How much of each message is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What an event contains: the headers, and the tree of parts without its bodies.
    Structure,
    /// Where the grant allows no more, or no more is wanted.
    Headers,
    /// With its bodies.
    Whole,
}

/// Converts a message that was read.
pub type Reading<T> = fn(wire::Message) -> Result<T, Failure>;

/// The answer for one message.
enum Answer<T> {
    Message(T),
    Missing,
    /// It exists, but cannot be read, and why.
    Unreadable(String),
    Refused(Failure),
}

impl<T> Answer<T> {
    fn of_body(body: &[u8], reading: Reading<T>) -> Self {
        match wire::Message::parse(body).and_then(reading) {
            Ok(message) => Self::Message(message),
            Err(failure) => Self::Unreadable(failure.reason),
        }
    }

    /// Why it cannot be fetched now; that it does not exist is no failure.
    fn failure(&self) -> Option<&Failure> {
        if let Self::Refused(failure) = self { Some(failure) } else { None }
    }

    fn of_failure(failure: Failure) -> Self {
        if failure.status == Some(404) { Self::Missing } else { Self::Refused(failure) }
    }

    fn of_part(part: &batch::PartAnswer, reading: Reading<T>) -> Self {
        match part.status {
            200..300 => Self::of_body(&part.body, reading),
            status => Self::of_failure(Failure::answered(status, &part.headers, &part.body)),
        }
    }
}

/// The results of the calls so far.
struct Fetching<T> {
    fetched: Fetched<T>,
    /// The messages of the next round, and the wait before it.
    again: Vec<MessageId>,
    wait: Duration,
    /// The messages that were given up without an answer, and why; of several failures the one with
    /// the longest wait.
    left: Vec<MessageId>,
    why: Option<Failure>,
}

impl<T> Default for Fetching<T> {
    fn default() -> Self {
        Self {
            fetched: Fetched::default(),
            again: Vec::new(),
            wait: Duration::ZERO,
            left: Vec::new(),
            why: None,
        }
    }
}

impl<T> Fetching<T> {
    /// `wait` says when a failure is worth another try.
    fn take(
        &mut self,
        id: &MessageId,
        answer: Answer<T>,
        wait: impl Fn(&Failure) -> Option<Duration>,
    ) -> Result<(), ProviderError> {
        match answer {
            Answer::Message(message) => self.fetched.messages.push(message),
            Answer::Missing => {}
            Answer::Unreadable(reason) => self.fetched.failed.push((id.clone(), reason)),
            Answer::Refused(failure) if failure.status == Some(401) => return Err(failure.of_api()),
            Answer::Refused(failure) => match wait(&failure) {
                Some(wait) => self.retry_later(std::slice::from_ref(id), wait),
                None if failure.is_for_now() => self.leave(std::slice::from_ref(id), failure),
                None => {
                    if failure.is_final() {
                        self.fetched.refused.push(id.clone());
                    }
                    self.fetched.failed.push((id.clone(), failure.to_string()));
                }
            },
        }
        Ok(())
    }

    fn retry_later(&mut self, ids: &[MessageId], wait: Duration) {
        self.again.extend_from_slice(ids);
        self.wait = self.wait.max(wait);
    }

    fn leave(&mut self, ids: &[MessageId], failure: Failure) {
        self.left.extend_from_slice(ids);
        self.why = self
            .why
            .take()
            .filter(|earlier| earlier.retry_after >= failure.retry_after)
            .or(Some(failure));
    }

    fn end(self) -> Fetched<T> {
        let unanswered = self.why.map(|failure| (self.left, failure.of_api()));
        Fetched { unanswered, ..self.fetched }
    }
}

impl Gmail {
    /// In any order. With `most`, no more bytes of answers are read, and the rest is left as too
    /// large; without it a batch that is too large is split in halves, down to the message that is
    /// too large by itself.
    pub(super) async fn fetch<T>(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        depth: Depth,
        reading: Reading<T>,
        most: Option<usize>,
    ) -> Result<Fetched<T>, ProviderError> {
        if let [id] = ids {
            return self.fetch_one(access, id, depth, reading).await;
        }
        let mut fetching = Fetching::default();
        let mut wanted = ids.to_vec();
        let (mut attempt, mut budget) = (1, most.unwrap_or(usize::MAX));
        while !wanted.is_empty() {
            let size = if attempt == 1 { BATCH } else { BATCH_AGAIN };
            let mut groups: VecDeque<&[MessageId]> = wanted.chunks(size).collect();
            while let Some(group) = groups.pop_front() {
                let wait = |failure: &Failure| self.wait(attempt, failure);
                let with_rest = |groups: VecDeque<&[MessageId]>| {
                    [group].into_iter().chain(groups).flatten().cloned().collect::<Vec<_>>()
                };
                match self.batch(access, group, depth, reading, &mut budget).await {
                    Ok(answers) => group
                        .iter()
                        .zip(answers)
                        .try_for_each(|(id, answer)| fetching.take(id, answer, wait))?,
                    Err(failure) if failure.status == Some(401) => return Err(failure.of_api()),
                    Err(failure) if failure.fault == Some(Fault::TooLarge) && most.is_none() => {
                        match group {
                            [id] => fetching.take(id, Answer::Refused(failure), wait)?,
                            _ => {
                                let (first, second) = group.split_at(group.len() / 2);
                                groups.push_front(second);
                                groups.push_front(first);
                            }
                        }
                    }
                    Err(failure) => match wait(&failure) {
                        // The batches after it would time out as well, each after its whole time.
                        Some(wait) if failure.status.is_none() => {
                            fetching.retry_later(&with_rest(std::mem::take(&mut groups)), wait);
                        }
                        Some(wait) => fetching.retry_later(group, wait),
                        None => return cut_short(fetching, &with_rest(groups), failure, ids.len()),
                    },
                }
            }
            wanted = std::mem::take(&mut fetching.again);
            if !wanted.is_empty() {
                pause(std::mem::take(&mut fetching.wait)).await;
            }
            attempt += 1;
        }
        Ok(fetching.end())
    }

    /// Its call is repeated by `send` itself.
    async fn fetch_one<T>(
        &self,
        access: &AccessToken,
        id: &MessageId,
        depth: Depth,
        reading: Reading<T>,
    ) -> Result<Fetched<T>, ProviderError> {
        let body = async { self.send(self.get(access, self.message_url(id, depth)?)).await };
        let answer = body
            .await
            .map_or_else(Answer::of_failure, |answered| Answer::of_body(&answered.body, reading));
        let mut fetching = Fetching::default();
        fetching.take(id, answer, |_| None)?;
        let mut fetched = fetching.end();
        match fetched.unanswered.take() {
            Some((_, error)) => Err(error),
            None => Ok(fetched),
        }
    }

    /// The answers to one batch, in the order of `ids`; a failure if the batch itself failed. The
    /// length of the answer is subtracted from `budget`.
    async fn batch<T>(
        &self,
        access: &AccessToken,
        ids: &[MessageId],
        depth: Depth,
        reading: Reading<T>,
        budget: &mut usize,
    ) -> Result<Vec<Answer<T>>, Failure> {
        let path = |id: &MessageId| {
            self.message_url(id, depth)
                .map(|url| format!("{}?{}", url.path(), url.query().unwrap_or_default()))
        };
        let paths = ids.iter().map(path).collect::<Result<Vec<_>, _>>()?;
        let request =
            self.http.post(&self.settings.batch_url).bearer_auth(access.secret.expose_secret());
        let request = request.within(LONGEST_ANSWER.min(*budget));
        let request = request
            .header(CONTENT_TYPE, format!("multipart/mixed; boundary={}", batch::BOUNDARY))
            .body(batch::request_body(&paths));
        let answered = once(request)
            .await
            .inspect_err(|failure| count(MESSAGES_GET, Some(failure), ids.len()))?;
        *budget -= answered.body.len();
        let parts = batch::read_answers(&answered.content_type, &answered.headers, &answered.body);
        let answer = |index| {
            parts.iter().find(|part| part.index == index).map(|part| Answer::of_part(part, reading))
        };
        let unanswered = || Answer::Refused(Failure::no_answer("a part was not answered"));
        let answers: Vec<Answer<T>> =
            (0..ids.len()).map(|index| answer(index).unwrap_or_else(unanswered)).collect();
        for answer in &answers {
            count(MESSAGES_GET, answer.failure(), 1);
        }
        Ok(answers)
    }

    fn message_url(&self, id: &MessageId, depth: Depth) -> Result<reqwest::Url, Failure> {
        let query: &[(&str, &str)] = match depth {
            Depth::Structure => &[("format", "full"), ("fields", &STRUCTURE_FIELDS)],
            Depth::Headers => &[("format", "metadata"), ("fields", &METADATA_FIELDS)],
            // A tree of parts has no bound that `fields` could name.
            Depth::Whole => &[("format", "full")],
        };
        self.url(&format!("messages/{id}"), query)
    }
}

/// A batch failed finally, and so would the next one: `rest` and the messages of the next round are
/// left. It is an error if they are all that was requested.
fn cut_short<T>(
    mut fetching: Fetching<T>,
    rest: &[MessageId],
    failure: Failure,
    requested: usize,
) -> Result<Fetched<T>, ProviderError> {
    let again = std::mem::take(&mut fetching.again);
    fetching.leave(&again, failure.clone());
    fetching.leave(rest, failure.clone());
    if fetching.left.len() == requested { Err(failure.of_api()) } else { Ok(fetching.end()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::retry_after::Headers;
    use crate::domain::message::ProviderMessage;

    const READING: Reading<ProviderMessage> = wire::Message::into_headers;

    const MESSAGE: &[u8] = br#"{"id":"m","threadId":"t","internalDate":"1700000000123"}"#;

    fn part(status: u16, body: &[u8], retry_after: Option<&str>) -> batch::PartAnswer {
        batch::PartAnswer {
            index: 0,
            status,
            body: body.into(),
            headers: Headers { retry_after: retry_after.map(String::from), date: None },
        }
    }

    fn refusal(reason: &str) -> Vec<u8> {
        format!(r#"{{"error":{{"message":"","errors":[{{"reason":"{reason}"}}]}}}}"#).into_bytes()
    }

    fn taken(
        status: u16,
        body: &[u8],
        wait: Option<Duration>,
    ) -> Result<Fetching<ProviderMessage>, ProviderError> {
        let mut fetching = Fetching::default();
        fetching.take(
            &MessageId::new("m"),
            Answer::of_part(&part(status, body, None), READING),
            |_| wait,
        )?;
        Ok(fetching)
    }

    /// Where the message ends up.
    fn outcome(fetching: &Fetching<ProviderMessage>) -> String {
        let Fetched { messages, failed, .. } = &fetching.fetched;
        match (messages.len(), &failed[..], fetching.left.len(), fetching.again.len()) {
            (1, [], 0, 0) => "messages".into(),
            (0, [(_, reason)], 0, 0) => format!("failed: {reason}"),
            (0, [], 1, 0) => "unanswered".into(),
            (0, [], 0, 1) => "again".into(),
            (0, [], 0, 0) => "missing".into(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn each_part_has_its_outcome() {
        let table: [(&str, u16, &[u8], &str); 10] = [
            ("readable", 200, MESSAGE, "messages"),
            (
                "an unreadable date",
                200,
                br#"{"id":"m","threadId":"t","internalDate":"x"}"#,
                "failed: a message's internalDate is not a number",
            ),
            ("no JSON", 200, b"<html>", "failed: the answer cannot be read (Syntax error)"),
            ("gone", 404, &refusal("notFound"), "missing"),
            ("a rate limit", 429, &refusal("rateLimitExceeded"), "unanswered"),
            ("a rate limit without a word", 429, b"", "unanswered"),
            ("a rate limit as 403", 403, &refusal("userRateLimitExceeded"), "unanswered"),
            ("no permission", 403, &refusal("forbidden"), "failed: 403 forbidden"),
            ("a wrong id", 400, &refusal("invalidArgument"), "failed: 400 invalidArgument"),
            ("an outage", 500, &refusal("backendError"), "failed: 500 backendError"),
        ];
        for (case, status, body, expected) in table {
            assert_eq!(outcome(&taken(status, body, None).unwrap()), expected, "{case}");
        }
        assert!(matches!(
            taken(401, &refusal("authError"), None),
            Err(ProviderError::Unauthorized)
        ));
        assert!(
            matches!(taken(401, b"", Some(Duration::ZERO)), Err(ProviderError::Unauthorized)),
            "not even if it may be tried again"
        );
    }

    #[test]
    fn what_may_pass_is_requested_again_and_what_was_answered_is_not() {
        let wait = Duration::from_millis(400);
        let table: [(u16, &[u8], &str); 5] = [
            (429, b"", "again"),
            (503, b"", "again"),
            (404, b"", "missing"),
            (200, MESSAGE, "messages"),
            (200, b"", "failed: the answer cannot be read (Eof error)"),
        ];
        for (status, body, expected) in table {
            let fetching = taken(status, body, Some(wait)).unwrap();
            assert_eq!(outcome(&fetching), expected, "{status}");
            assert_eq!(fetching.wait, if expected == "again" { wait } else { Duration::ZERO });
        }
    }

    #[test]
    fn of_several_refusals_the_one_with_the_longest_wait_is_reported() {
        let mut fetching = Fetching::default();
        for (id, retry_after) in [("a", None), ("b", Some("60")), ("c", Some("7")), ("d", None)] {
            fetching
                .take(
                    &MessageId::new(id),
                    Answer::of_part(&part(429, b"", retry_after), READING),
                    |_| None,
                )
                .unwrap();
        }
        let (ids, error) = fetching.end().unanswered.unwrap();
        assert_eq!(ids, ["a", "b", "c", "d"].map(MessageId::new));
        assert!(
            matches!(error, ProviderError::Unavailable { retry_after, .. } if retry_after == Some(Duration::from_secs(60)))
        );
    }

    #[test]
    fn a_batch_that_fails_keeps_what_came_before_it() {
        let ids = ["a", "b", "c"].map(MessageId::new);
        let failure = || Failure::answered(503, &Headers::default(), &refusal("backendError"));
        assert!(matches!(
            cut_short(Fetching::<ProviderMessage>::default(), &ids, failure(), 3),
            Err(ProviderError::Unavailable { .. })
        ));

        let mut fetching = Fetching::default();
        fetching.take(&ids[0], Answer::of_body(MESSAGE, READING), |_| None).unwrap();
        fetching.retry_later(&ids[1..2], Duration::ZERO);
        let fetched = cut_short(fetching, &ids[2..], failure(), 3).unwrap();
        let (left, _) = fetched.unanswered.unwrap();
        assert_eq!((fetched.messages.len(), &left[..]), (1, &ids[1..]));

        let mut fetching = Fetching::<ProviderMessage>::default();
        fetching.take(&ids[0], Answer::Missing, |_| None).unwrap();
        assert!(
            cut_short(fetching, &ids[1..], failure(), 3).is_ok(),
            "that one is not there was an answer too"
        );
    }
}
