//! The routes beside those of mail, of all functions behind the one API.

use email_connectors::domain::health::Health;
use email_connectors::domain::health::system::SystemHealth;
use email_connectors::domain::operation::Verb::{self, Delete, Get, Patch, Post};
use email_connectors::domain::operation::parameter::{Kind, Parameter};
use email_connectors::domain::role::Action;
use email_connectors::domain::trigger::{NewTrigger, Trigger, TriggerChange};
use utoipa::openapi::{RefOr, Schema};

use super::{Schemas, shapes};
use crate::connectors::View;
use crate::me::Me;
use crate::paging::LARGEST_PAGE;

type SchemaOf = fn(&mut Schemas) -> RefOr<Schema>;

/// One route as its callers see it.
pub struct Described {
    pub name: &'static str,
    pub verb: Verb,
    pub path: &'static str,
    pub tag: &'static str,
    pub about: &'static str,
    /// What the caller's role must allow; `None` for routes without a token.
    pub action: Option<Action>,
    pub parameters: &'static [Parameter],
    pub headers: &'static [(&'static str, &'static str)],
    pub media_type: &'static str,
    pub body: Option<SchemaOf>,
    pub answers: &'static [(&'static str, &'static str, Option<SchemaOf>)],
}

const fn route(
    name: &'static str,
    verb: Verb,
    path: &'static str,
    tag: &'static str,
    about: &'static str,
) -> Described {
    let (action, parameters, headers, body, answers): (_, &[Parameter], &[_], _, &[_]) =
        (None, &[], &[], None, &[]);
    Described {
        name,
        verb,
        path,
        tag,
        about,
        action,
        parameters,
        headers,
        media_type: "application/json",
        body,
        answers,
    }
}

const PAGE_TOKEN: Parameter = Parameter {
    name: "page_token",
    kind: Kind::Text,
    about: "The next_page_token of the page before.",
};
const PAGE_SIZE: Parameter =
    Parameter { name: "page_size", kind: Kind::Count(LARGEST_PAGE), about: "How many at most." };
const LOGIN_HINT: Parameter = Parameter {
    name: "login_hint",
    kind: Kind::Text,
    about: "The address that the user is to choose.",
};
const CALLBACK_URL: Parameter = Parameter {
    name: "callback_url",
    kind: Kind::Text,
    about: "Where the browser is returned to: the frontend's page, or the console's of this stack.",
};
const VALIDATION_TOKEN: Parameter = Parameter {
    name: "validationToken",
    kind: Kind::Text,
    about: "Of a subscription's handshake: it is answered as text.",
};
const KNOWN: (&str, &str) =
    ("If-None-Match", "The ETag of an earlier answer: 304 if this one is the same.");
const UNCHANGED: (&str, &str, Option<SchemaOf>) =
    ("304", "Nothing has changed since; without a body.", None);
const SIGNATURE: (&str, &str) = (
    "X-Signature",
    "In place of a token: `t=<seconds>,v1=<hex of HMAC-SHA256 over \"<seconds>.<body>\">`.",
);
const KEY: (&str, &str) =
    ("Idempotency-Key", "Sent again under the same key, the event is the same.");

const ORIGIN: (&str, &str) =
    ("Origin", "One of AllowedOrigins, or the API's own; browsers send it by themselves.");
const REQUESTED_WITH: (&str, &str) =
    ("X-Requested-With", "Any value: a form on a stranger's page cannot send it.");

macro_rules! of {
    ($shape:ty) => {
        Some(|schemas: &mut Schemas| schemas.of::<$shape>())
    };
}

pub const OTHERS: &[Described] = &[
    Described {
        action: Some(Action::Connect),
        headers: &[ORIGIN, REQUESTED_WITH],
        body: of!(shapes::Connect),
        answers: &[("200", "Connected.", of!(shapes::Connected))],
        ..route(
            "connect",
            Post,
            "/api/auth/google/gmail",
            "connect",
            "Connects a mailbox with the code that Google gave the user.",
        )
    },
    Described {
        action: Some(Action::Connect),
        parameters: &[LOGIN_HINT, CALLBACK_URL],
        answers: &[("200", "Where to send the user's browser.", of!(shapes::AuthorizeAnswer))],
        ..route(
            "connect_start",
            Get,
            "/api/auth/google/gmail/start",
            "connect",
            "Begins the redirect flow.",
        )
    },
    Described {
        action: Some(Action::Connect),
        body: of!(shapes::NewConnectSession),
        answers: &[(
            "201",
            "The session; its token is shown this once.",
            of!(shapes::OpenedSession),
        )],
        ..route(
            "connect_sessions_open",
            Post,
            "/api/connect-sessions",
            "connect",
            "Lets a page connect one mailbox for the user, within a quarter of an hour.",
        )
    },
    Described {
        answers: &[("200", "What the page shows.", of!(shapes::CurrentSession))],
        ..route(
            "connect_sessions_current",
            Get,
            "/api/connect-sessions/current",
            "connect",
            "Tells a page what its connect session is for, by the session's token.",
        )
    },
    Described {
        answers: &[("302", "On to the frontend's page.", None)],
        ..route(
            "connect_callback",
            Get,
            "/api/auth/google/gmail/callback",
            "connect",
            "Sends a browser on that Google returned here.",
        )
    },
    Described {
        action: Some(Action::Connect),
        headers: &[ORIGIN, REQUESTED_WITH],
        body: of!(shapes::Connect),
        answers: &[("200", "Connected.", of!(shapes::Connected))],
        ..route(
            "connect_outlook",
            Post,
            "/api/auth/microsoft/outlook",
            "connect",
            "Connects a mailbox with the code that Microsoft gave the user.",
        )
    },
    Described {
        action: Some(Action::Connect),
        parameters: &[LOGIN_HINT, CALLBACK_URL],
        answers: &[("200", "Where to send the user's browser.", of!(shapes::AuthorizeAnswer))],
        ..route(
            "connect_outlook_start",
            Get,
            "/api/auth/microsoft/outlook/start",
            "connect",
            "Begins the redirect flow at Microsoft.",
        )
    },
    Described {
        answers: &[("302", "On to the frontend's page.", None)],
        ..route(
            "connect_outlook_callback",
            Get,
            "/api/auth/microsoft/outlook/callback",
            "connect",
            "Sends a browser on that Microsoft returned here.",
        )
    },
    Described {
        action: Some(Action::Connect),
        parameters: &[CALLBACK_URL],
        answers: &[("200", "Where to send an administrator.", of!(shapes::AdminConsent))],
        ..route(
            "connect_outlook_admin_consent",
            Get,
            "/api/auth/microsoft/outlook/admin-consent",
            "connect",
            "Where an administrator consents for a whole organization.",
        )
    },
    Described {
        media_type: "application/secevent+jwt",
        body: of!(String),
        answers: &[("202", "Acted on.", None)],
        ..route(
            "security_event",
            Post,
            "/api/auth/google/risc",
            "for Google",
            "Takes Google's security events (RISC).",
        )
    },
    Described {
        body: of!(shapes::Push),
        answers: &[("202", "Queued, or put aside for a human.", None)],
        ..route(
            "push",
            Post,
            "/api/email/webhook/google/pubsub",
            "for Google",
            "Takes Pub/Sub's pushes, by the token of our service account.",
        )
    },
    Described {
        body: of!(String),
        answers: &[("202", "Queued.", None)],
        ..route(
            "legacy_push",
            Post,
            "/api/email/webhook/google",
            "for Google",
            "Takes header-style notifications; 404 unless configured.",
        )
    },
    Described {
        parameters: &[VALIDATION_TOKEN],
        body: of!(shapes::Notifications),
        answers: &[
            ("200", "The handshake's text, for validationToken.", None),
            ("202", "Queued what is of this stack's subscriptions.", None),
        ],
        ..route(
            "notifications",
            Post,
            "/api/email/webhook/microsoft/graph",
            "for Microsoft",
            "Takes Microsoft Graph's notifications, by the marks of our subscriptions.",
        )
    },
    Described {
        action: Some(Action::See),
        parameters: &[PAGE_SIZE, PAGE_TOKEN],
        headers: &[KNOWN],
        answers: &[
            ("200", "A page of the caller's connectors.", of!(shapes::ConnectorList)),
            UNCHANGED,
        ],
        ..route("connectors_list", Get, "/api/connectors", "connectors", "Lists connectors.")
    },
    Described {
        action: Some(Action::See),
        headers: &[KNOWN],
        answers: &[("200", "The connector.", of!(View)), UNCHANGED],
        ..route(
            "connectors_get",
            Get,
            "/api/connectors/{connector_id}",
            "connectors",
            "Reads a connector.",
        )
    },
    Described {
        action: Some(Action::See),
        answers: &[(
            "200",
            "What was seen of it last, what is wrong, and what to do.",
            of!(Health),
        )],
        ..route(
            "connectors_health",
            Get,
            "/api/connectors/{connector_id}/health",
            "connectors",
            "Tells how a connector is.",
        )
    },
    Described {
        action: Some(Action::Operate),
        body: of!(shapes::ConnectorChange),
        answers: &[("200", "The connector as it is now.", of!(View))],
        ..route(
            "connectors_change",
            Patch,
            "/api/connectors/{connector_id}",
            "connectors",
            "Pauses a connector or lets it go on, and names it.",
        )
    },
    Described {
        action: Some(Action::Operate),
        answers: &[("202", "A look at the mailbox is queued.", of!(shapes::Queued))],
        ..route(
            "connectors_sync",
            Post,
            "/api/connectors/{connector_id}/sync",
            "connectors",
            "Looks at the mailbox now, and at what was set aside in it.",
        )
    },
    Described {
        action: Some(Action::Delete),
        answers: &[
            ("200", "It is gone.", of!(shapes::Receipt)),
            ("202", "It ends; the rest goes on by itself.", of!(shapes::Receipt)),
        ],
        ..route(
            "connectors_delete",
            Delete,
            "/api/connectors/{connector_id}",
            "connectors",
            "Disconnects a mailbox.",
        )
    },
    Described {
        action: Some(Action::See),
        parameters: &[PAGE_SIZE, PAGE_TOKEN],
        headers: &[KNOWN],
        answers: &[
            ("200", "A page of the caller's triggers.", of!(shapes::TriggerList)),
            UNCHANGED,
        ],
        ..route("triggers_list", Get, "/api/triggers", "triggers", "Lists triggers.")
    },
    Described {
        action: Some(Action::Operate),
        body: of!(NewTrigger),
        answers: &[(
            "201",
            "The trigger, and once, of type `webhook`, its secret.",
            of!(shapes::NewlyMade),
        )],
        ..route("triggers_create", Post, "/api/triggers", "triggers", "Makes a trigger.")
    },
    Described {
        action: Some(Action::See),
        headers: &[KNOWN],
        answers: &[("200", "The trigger.", of!(Trigger)), UNCHANGED],
        ..route("triggers_get", Get, "/api/triggers/{trigger_id}", "triggers", "Reads a trigger.")
    },
    Described {
        action: Some(Action::Operate),
        body: of!(TriggerChange),
        answers: &[("200", "The trigger as it is now.", of!(Trigger))],
        ..route(
            "triggers_change",
            Patch,
            "/api/triggers/{trigger_id}",
            "triggers",
            "Changes a trigger's filters or agent.",
        )
    },
    Described {
        action: Some(Action::Delete),
        answers: &[("204", "It is gone.", None)],
        ..route(
            "triggers_delete",
            Delete,
            "/api/triggers/{trigger_id}",
            "triggers",
            "Deletes a trigger.",
        )
    },
    Described {
        action: Some(Action::ReadMail),
        body: of!(shapes::RehearsalRange),
        answers: &[(
            "200",
            "Which mail would fire it, and why the rest would not.",
            of!(shapes::Rehearsal),
        )],
        ..route(
            "triggers_test",
            Post,
            "/api/triggers/{trigger_id}/test",
            "triggers",
            "Tries a trigger on the mail of the last days; nothing fires.",
        )
    },
    Described {
        action: Some(Action::ReadMail),
        body: of!(shapes::FiltersRehearsed),
        answers: &[(
            "200",
            "Which mail passes the filters, and why the rest does not.",
            of!(shapes::FiltersRehearsal),
        )],
        ..route(
            "connectors_rehearse",
            Post,
            "/api/connectors/{connector_id}/rehearsals",
            "triggers",
            "Tries filters, before a trigger has them, on the mail of the last days.",
        )
    },
    Described {
        action: Some(Action::See),
        parameters: &[PAGE_SIZE, PAGE_TOKEN],
        headers: &[KNOWN],
        answers: &[
            ("200", "A page of what it fired, newest first.", of!(shapes::Firings)),
            UNCHANGED,
        ],
        ..route(
            "triggers_firings",
            Get,
            "/api/triggers/{trigger_id}/firings",
            "triggers",
            "Lists what a trigger fired in the last thirty days.",
        )
    },
    Described {
        action: Some(Action::Operate),
        answers: &[("200", "The secret, shown this once.", of!(shapes::Rotated))],
        ..route(
            "triggers_rotate_secret",
            Post,
            "/api/triggers/{trigger_id}/secret",
            "triggers",
            "Gives a `webhook` trigger another secret; the one before counts for a day beside it.",
        )
    },
    Described {
        action: Some(Action::Fire),
        headers: &[SIGNATURE, KEY],
        body: of!(shapes::Anything),
        answers: &[("202", "It fires.", of!(shapes::Fired))],
        ..route(
            "triggers_fire",
            Post,
            "/api/triggers/{trigger_id}/events",
            "triggers",
            "Fires a `webhook` trigger.",
        )
    },
    Described {
        action: Some(Action::See),
        answers: &[("200", "The caller.", of!(Me))],
        ..route(
            "me",
            Get,
            "/api/me",
            "owner",
            "Tells who the caller is, and what the caller may do.",
        )
    },
    Described {
        action: Some(Action::Export),
        parameters: &[PAGE_SIZE, PAGE_TOKEN],
        answers: &[("200", "A page of it.", of!(shapes::Export))],
        ..route(
            "owner_export",
            Get,
            "/api/owner/data",
            "owner",
            "Takes out all that is kept of the owner.",
        )
    },
    Described {
        action: Some(Action::Erase),
        answers: &[
            ("200", "Nothing is left.", of!(shapes::Erased)),
            ("202", "The rest goes on by itself.", of!(shapes::Erased)),
        ],
        ..route(
            "owner_erase",
            Delete,
            "/api/owner/data",
            "owner",
            "Deletes all that is kept of the owner.",
        )
    },
    Described {
        answers: &[
            ("200", "Healthy, or degraded: it serves.", of!(SystemHealth)),
            ("503", "Down: the table or the issuer's keys are not there.", of!(SystemHealth)),
        ],
        ..route(
            "system_health",
            Get,
            "/api/system/health",
            "system",
            "Tells how the system is, without a token; kept for ten seconds.",
        )
    },
    Described {
        answers: &[("200", "What a frontend needs to know first.", of!(shapes::Info))],
        ..route(
            "system_info",
            Get,
            "/api/system/info",
            "system",
            "Tells what this is, without a token.",
        )
    },
    Described {
        answers: &[("200", "OpenAPI 3.1.", of!(shapes::Anything))],
        ..route("openapi", Get, "/api/openapi.json", "system", "This description.")
    },
];
