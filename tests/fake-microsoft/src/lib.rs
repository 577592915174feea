//! A stateful stand-in for Microsoft's identity platform, Graph mail and change notifications: it
//! answers as Microsoft does, and fails on demand.
#![allow(
    clippy::disallowed_methods,
    reason = "this crate plays the outside world, which owns its clock and its waits"
)]

mod admin;
mod app;
mod calls;
mod config;
mod faults;
mod filter;
mod folders;
mod front;
mod graph;
mod hostile;
mod html;
mod mail;
mod mailbox;
mod message;
mod new_message;
mod notify;
mod oauth;
mod query;
mod requests;
mod server;
mod shapes;
mod signing;
mod subscriptions;
mod throttle;
mod timing;
mod values;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use admin::Admin;
pub use admin::error::AdminError;
pub use admin::identity::{NewCode, Revocation};
pub use admin::mailboxes::{FolderView, GrantView, MailboxView, MessageView, NewMailbox};
pub use admin::messages::{Delivered, MarkChange, Move};
pub use admin::subscriptions::SubscriptionView;
pub use app::Hook;
pub use calls::CallRecord;
pub use config::{Clock, Config};
pub use faults::Fault;
pub use mailbox::PERSONAL_TENANT;
pub use new_message::{NewAttachment, NewMessage};
pub use notify::{NotificationMode, NotificationStatus, PulledNotification};
pub use oauth::{OauthSettings, Tenant, Wish};
pub use shapes::Shapes;
pub use throttle::{Limits, RetryAfter};
pub use timing::{Latency, Timing};

/// How long `stop` lets answers that are already under way finish.
const GRACE: Duration = Duration::from_secs(2);

pub struct FakeMicrosoft;

impl FakeMicrosoft {
    /// Serves on 127.0.0.1 until the returned `Running` is stopped or dropped.
    pub async fn start(config: Config) -> std::io::Result<Running> {
        let listener = TcpListener::bind(("127.0.0.1", config.port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Arc::new(app::App::new(config, url.clone())?);
        let admin = Admin::new(app.clone());
        let (shutdown, mut stopped) = watch::channel(());
        let router = server::router(app);
        let server = tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
                // An error means that `Running` is gone, which is a stop as well.
                let _ = stopped.changed().await;
            });
            if let Err(error) = serving.await {
                eprintln!("fake-microsoft: {error}");
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
