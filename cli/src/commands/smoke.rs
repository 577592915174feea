//! Smoke tests: short calls, one after the other, each with its status, quota units and time.

use email_connectors::adapters::system::System;
use email_connectors::ports::{Clock, Entropy};
use serde_json::{Value, json};

use crate::args::operate::{Test, TestGet, TestSend};
use crate::failure::Failure;
use crate::request::{Request, connector_path};
use crate::session::Session;
use crate::show::table::aligned;
use crate::show::{at, list};

/// What was tried, and what came of it.
struct Smoke<'a> {
    session: &'a Session,
    steps: Vec<Value>,
}

pub async fn run(session: &Session, test: Test) -> Result<(), Failure> {
    let mut smoke = Smoke { session, steps: Vec::new() };
    let done = smoke.test(test).await;
    // The steps before a failure are printed as well.
    smoke.print()?;
    done
}

impl Smoke<'_> {
    async fn test(&mut self, test: Test) -> Result<(), Failure> {
        match test {
            Test::List(connector) => self.list(&connector.id).await.map(|_| ()),
            Test::Get(get) => self.get(get).await,
            Test::Send(send) => self.send(send).await,
            Test::Labels(connector) => self.labels(&connector.id).await,
            Test::Drafts(connector) => self.drafts(&connector.id).await,
            Test::Threads(connector) => self.threads(&connector.id).await,
            Test::Reads(connector) => {
                let id = &connector.id;
                let newest = self.list(id).await?;
                if let Some(newest) = newest {
                    self.message(id, &newest).await?;
                }
                self.threads(id).await?;
                self.step(Request::get(of(id, "labels"))).await?;
                self.step(Request::get(of(id, "drafts")).with("page_size", Some(5)))
                    .await
                    .map(|_| ())
            }
        }
    }

    /// The newest message.
    async fn list(&mut self, id: &str) -> Result<Option<String>, Failure> {
        let answer = self.step(Request::get(of(id, "messages")).with("page_size", Some(5))).await?;
        Ok(list(&answer, "messages").first().map(|message| at(message, "/id")))
    }

    async fn get(&mut self, get: TestGet) -> Result<(), Failure> {
        let id = &get.connector.id;
        let message = match get.message {
            Some(message) => Some(message),
            None => self.list(id).await?,
        };
        let message = message
            .ok_or_else(|| Failure::NotFound("the mailbox holds no message to get".into()))?;
        self.message(id, &message).await
    }

    async fn message(&mut self, id: &str, message: &str) -> Result<(), Failure> {
        self.step(Request::get(format!("{}/{message}", of(id, "messages")))).await?;
        self.step(Request::get(format!("{}/{message}/attachments", of(id, "messages"))))
            .await
            .map(|_| ())
    }

    async fn send(&mut self, send: TestSend) -> Result<(), Failure> {
        let id = &send.connector.id;
        let to = match send.to {
            Some(to) => to,
            None => at(&self.step(Request::get(connector_path(id))).await?, "/email_address"),
        };
        let mail = json!({"to": [to], "subject": "A test of the mail connector", "text": "Sent by `connectors test send`."});
        self.step(Request::post(of(id, "messages"), mail).header("idempotency-key", unique()))
            .await
            .map(|_| ())
    }

    async fn labels(&mut self, id: &str) -> Result<(), Failure> {
        self.step(Request::get(of(id, "labels"))).await?;
        let made = self
            .step(Request::post(
                of(id, "labels"),
                json!({"name": format!("connectors-test-{}", unique())}),
            ))
            .await?;
        self.read_and_delete(id, "labels", &made).await
    }

    async fn drafts(&mut self, id: &str) -> Result<(), Failure> {
        self.step(Request::get(of(id, "drafts")).with("page_size", Some(5))).await?;
        let made = self
            .step(Request::post(
                of(id, "drafts"),
                json!({"subject": "A test of the mail connector", "text": "Not to be sent."}),
            ))
            .await?;
        self.read_and_delete(id, "drafts", &made).await
    }

    /// What was made is deleted again, also if it cannot be read. A dry run made nothing.
    async fn read_and_delete(&mut self, id: &str, kind: &str, made: &Value) -> Result<(), Failure> {
        let Some(item) =
            made.get("id").and_then(Value::as_str).map(|item| format!("{}/{item}", of(id, kind)))
        else {
            return Ok(());
        };
        let read = self.step(Request::get(&*item)).await;
        self.step(Request::delete(item)).await?;
        read.map(|_| ())
    }

    async fn threads(&mut self, id: &str) -> Result<(), Failure> {
        let answer = self.step(Request::get(of(id, "threads")).with("page_size", Some(5))).await?;
        match list(&answer, "threads").first() {
            Some(newest) => self
                .step(Request::get(format!("{}/{}", of(id, "threads"), at(newest, "/id"))))
                .await
                .map(|_| ()),
            None => Ok(()),
        }
    }

    async fn step(&mut self, request: Request) -> Result<Value, Failure> {
        let mut step = json!({"method": request.method.as_str(), "path": request.target()});
        if request.writes && self.session.dry_run {
            step["would_send"] = request.to_json();
            self.steps.push(step);
            return Ok(Value::Null);
        }
        match self.session.api().await?.send(&request).await {
            Ok(answer) => {
                step["status"] = json!(answer.status);
                step["quota_units"] = json!(answer.units);
                step["milliseconds"] =
                    json!(u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX));
                self.steps.push(step);
                answer.json()
            }
            Err(failure) => {
                if let Failure::Refused(refusal) = &failure {
                    step["status"] = json!(refusal.status);
                    step["code"] = json!(refusal.code);
                }
                self.steps.push(step);
                Err(failure)
            }
        }
    }

    fn print(&self) -> Result<(), Failure> {
        let row = |step: &Value| {
            let status = if step.get("would_send").is_some() {
                "not sent".into()
            } else {
                at(step, "/status")
            };
            let spent = [at(step, "/quota_units"), at(step, "/milliseconds")];
            // The user named the connector, so the path is shown without it.
            let path = at(step, "/path");
            let path = path
                .strip_prefix("/api/connectors/")
                .and_then(|path| path.split_once('/'))
                .map_or(&*path, |(_, path)| path);
            [vec![at(step, "/method"), path.to_string(), status], spent.to_vec()].concat()
        };
        let titles = ["METHOD", "PATH", "STATUS", "UNITS", "MS"].map(String::from).to_vec();
        let mut text = aligned(titles, self.steps.iter().map(row).collect());
        for body in self.steps.iter().filter_map(|step| step.pointer("/would_send/body")) {
            text.push_str(&format!("\nwould send {body:#}"));
        }
        self.session
            .output
            .document(&json!({"dry_run": self.session.dry_run, "steps": self.steps}), &text)
    }
}

fn of(id: &str, kind: &str) -> String {
    format!("{}/{kind}", connector_path(id))
}

fn unique() -> String {
    System.uuid(System.now()).simple().to_string()
}
