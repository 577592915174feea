//! A scripted API that records its requests, and the binary run against it.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub const TOKEN: &str = "canary-token-Qz7";

#[derive(Clone, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub fn json(body: Value) -> Self {
        Self::new(200, body.to_string())
    }

    pub fn problem(status: u16, code: &str) -> Self {
        Self::new(
            status,
            json!({"type": "about:blank", "status": status, "code": code, "detail": "as it is"})
                .to_string(),
        )
    }

    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }
}

/// A request as it came.
#[derive(Clone)]
pub struct Seen {
    /// Method and path with query.
    pub line: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

type Answers = dyn FnMut(&Seen) -> Reply + Send;

struct Inner {
    answers: Box<Answers>,
    seen: Vec<Seen>,
}

pub struct Server {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    // The server stops when this is dropped.
    _runtime: Runtime,
}

impl Server {
    /// Answers by method and path with query; of several answers each once, the last again and
    /// again.
    pub fn scripted(script: impl IntoIterator<Item = (&'static str, Reply)>) -> Self {
        let mut answers: BTreeMap<&str, VecDeque<Reply>> = BTreeMap::new();
        for (line, reply) in script {
            answers.entry(line).or_default().push_back(reply);
        }
        Self::answering(move |seen| match answers.get_mut(seen.line.as_str()) {
            Some(replies) if replies.len() > 1 => replies.pop_front().unwrap(),
            Some(replies) => replies[0].clone(),
            None => Reply::problem(418, "not_scripted"),
        })
    }

    pub fn answering(answers: impl FnMut(&Seen) -> Reply + Send + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        let inner = Arc::new(Mutex::new(Inner { answers: Box::new(answers), seen: Vec::new() }));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(inner.clone());
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { url, inner, _runtime: runtime }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    /// Runs the binary with a token for this API.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_saying(arguments, "")
    }

    /// The same, with this as its standard input.
    pub fn run_saying(&self, arguments: &[&str], said: &str) -> Ran {
        run(
            &[("CONNECTORS_API_URL", self.url.as_str()), ("CONNECTORS_TOKEN", TOKEN)],
            arguments,
            said,
        )
    }
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body: Bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let line = format!("{} {}", parts.method, parts.uri);
    let seen = Seen { line, headers: parts.headers, body: body.to_vec() };
    let mut inner = inner.lock().unwrap();
    let reply = (inner.answers)(&seen);
    inner.seen.push(seen);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}

/// What came of a run.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// It must have ended like this.
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

/// Runs the binary with this environment and nothing else.
pub fn run(environment: &[(&str, &str)], arguments: &[&str], said: &str) -> Ran {
    let mut child = command(environment, arguments).stdin(Stdio::piped()).spawn().unwrap();
    // A command without a prompt may end before it has read this.
    let _ = child.stdin.take().unwrap().write_all(said.as_bytes());
    end(child)
}

pub fn command(environment: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connectors"));
    command.env_clear().env("PATH", env!("PATH")).envs(environment.iter().copied());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for its end. No command may print the token.
pub fn end(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert!(
        !ran.out.contains(TOKEN) && !ran.err.contains(TOKEN),
        "a token was printed: {} {}",
        ran.out,
        ran.err
    );
    ran
}

/// A folder of a test's own, gone when it ends.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "connectors-cli-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.0.join(name), content).unwrap();
        self.path(name)
    }

    pub fn holds(&self, name: &str) -> bool {
        Path::new(&self.path(name)).exists()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A failure here must not hide the test's own.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
