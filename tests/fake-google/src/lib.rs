//! A stateful stand-in for Google's OAuth, Gmail and Pub/Sub push: it answers as Google does, and
//! fails on demand.
#![allow(
    clippy::disallowed_methods,
    reason = "this crate plays the outside world, which owns its clock and its waits"
)]

mod admin;
mod app;
mod batch;
mod calls;
mod cloud;
mod config;
pub mod discovery;
mod faults;
mod fields;
mod gmail;
mod headers;
mod history;
mod hostile;
mod html;
mod keys;
mod mailbox;
mod mime;
mod multipart;
mod new_message;
mod oauth;
mod openid;
mod pages;
mod pubsub;
mod query;
mod receiving;
mod rfc5322;
mod search;
mod server;
mod shapes;
mod snippet;
mod timing;
mod values;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use admin::Admin;
pub use admin::error::AdminError;
pub use admin::identity::{GrantRecord, KeyName, NewCode, NextConsent, OauthChange, SignInChange};
pub use admin::mailboxes::{
    Delivered, GrantView, LabelChange, MailboxView, MessageView, NewMailbox, WatchView,
};
pub use admin::tokens::{NewPushToken, NewSecurityEvent, NewUserToken, SecurityEvent};
pub use calls::CallRecord;
pub use cloud::CloudChange;
pub use config::{Clock, Config};
pub use faults::Fault;
pub use keys::Signing;
pub use mailbox::Alias;
pub use new_message::{NewAttachment, NewMessage};
pub use pubsub::{PulledPush, PushChange, PushMode, PushSettings, PushStatus};
pub use shapes::{
    DecodedNames, Deep, HeaderGroups, MislabelledText, NestedMail, RootPartId, Shapes, TextFile,
    UnnamedText,
};
pub use timing::{Latency, Timing};

/// How long `stop` lets answers that are already under way finish.
const GRACE: Duration = Duration::from_secs(2);

pub struct FakeGoogle;

impl FakeGoogle {
    /// Serves on 127.0.0.1 until the returned `Running` is stopped or dropped.
    pub async fn start(config: Config) -> std::io::Result<Running> {
        let listener = TcpListener::bind(("127.0.0.1", config.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Arc::new(app::App::new(config, url.clone()));
        let admin = Admin::new(app.clone());
        admin.seed_sample();
        let (shutdown, mut stopped) = watch::channel(());
        let router = server::router(app);
        let server = tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
                // An error means that `Running` is gone, which is a stop as well.
                let _ = stopped.changed().await;
            });
            if let Err(error) = serving.await {
                eprintln!("fake-google: {error}");
            }
        });
        Ok(Running { url, admin, shutdown, server: Some(server) })
    }
}

/// A serving fake. Dropping it ends the server and all deliveries; `stop` waits for that.
pub struct Running {
    pub url: String,
    pub admin: Admin,
    shutdown: watch::Sender<()>,
    server: Option<JoinHandle<()>>,
}

impl Running {
    pub async fn stop(mut self) {
        self.end();
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(GRACE, &mut server).await.is_err()
        {
            server.abort();
        }
    }

    fn end(&self) {
        self.admin.abort_deliveries();
        let _ = self.shutdown.send(());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
