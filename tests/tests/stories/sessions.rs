//! A page connects a mailbox by a session that a backend opened: once, the mailbox that it was
//! opened for, and for a quarter of an hour.

use email_connectors::domain::connect_session::{ConnectSession, SESSION_LIFE};
use email_connectors::domain::connector::{Status, Uniqueness};
use email_connectors::domain::id::{ConnectorId, OwnerId};
use email_connectors::flows::connect::{Connect, ConnectError, Connected};
use email_connectors::flows::connect_session::{Opened, SessionError, Wanted, find, open};
use email_connectors::ports::Store;
use secrecy::ExposeSecret;
use tests::stage::{MINUTE, Stage, owner};
use tests::world::{Account, Call, Consent, SCOPES, When, World};

const ORIGIN: &str = "https://app.example.com";

async fn opened(stage: &Stage, of: &str, connector: Option<&ConnectorId>) -> Opened {
    let wanted =
        Wanted { origin: ORIGIN.into(), connector: connector.cloned(), ..Wanted::default() };
    let world = &stage.world;
    open(&world.store(), &world.machine(), &owner(of), wanted, world.now()).await.unwrap()
}

async fn found(stage: &Stage, opened: &Opened) -> Option<(OwnerId, ConnectSession)> {
    let token = opened.token.expose_secret();
    find(&stage.world.store(), token, stage.world.now()).await.unwrap()
}

async fn connect_with(
    connect: &Connect<World>,
    stage: &Stage,
    opened: &Opened,
    code: &str,
) -> Result<Connected, SessionError> {
    let (owner, session) = found(stage, opened).await.expect("the session is there");
    let request = stage.request(owner.as_str(), code);
    connect.run_in_session(&session, request, stage.world.now()).await
}

async fn connect(stage: &Stage, opened: &Opened, code: &str) -> Result<Connected, SessionError> {
    connect_with(&stage.connecting(), stage, opened, code).await
}

fn code(account: &Account) -> String {
    account.consent(Consent::default())
}

#[tokio::test]
async fn one_connect_ends_a_session_and_the_same_request_gets_the_same_answer() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let session = opened(&stage, "owner", None).await;
    let first = code(&ada);
    let connected = connect(&stage, &session, &first).await.unwrap();
    assert_eq!(stage.connector(&connected.connector_id).reading.status, Status::Active);
    let (_, ended) = found(&stage, &session).await.unwrap();
    assert_eq!(ended.connected.as_ref(), Some(&connected.connector_id));
    assert_eq!(connect(&stage, &session, &first).await.unwrap(), connected);
    stage.forget_calls();
    let again = connect(&stage, &session, &code(&ada)).await;
    assert!(matches!(again, Err(SessionError::Ended)), "{again:?}");
    assert!(stage.calls_of(&["gmail"]).is_empty(), "no exchange");
}

#[tokio::test]
async fn a_connect_that_leads_to_nothing_leaves_the_session() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let session = opened(&stage, "owner", None).await;
    let few = Consent {
        scopes: SCOPES[..1].iter().map(|scope| (*scope).into()).collect(),
        ..Consent::default()
    };
    let refused = connect(&stage, &session, &ada.consent(few)).await;
    let missing = matches!(refused, Err(SessionError::Connect(ConnectError::MissingScopes(_))));
    assert!(missing, "{refused:?}");
    connect(&stage, &session, &code(&ada)).await.unwrap();
}

#[tokio::test]
async fn of_two_connects_of_a_session_one_goes_on() {
    let stage = Stage::new();
    let (ada, bob) =
        (stage.world.account("ada@example.com"), stage.world.account("bob@example.com"));
    let session = opened(&stage, "owner", None).await;
    let (one, other) = (code(&ada), code(&bob));
    let gate = stage.world.hold(Call::PutSession, When::Before, 1);
    let (first, second) = tokio::join!(connect(&stage, &session, &one), async {
        let second = connect(&stage, &session, &other).await;
        gate.open();
        second
    });
    assert!(second.is_ok(), "{second:?}");
    assert!(matches!(first, Err(SessionError::Taken)), "{first:?}");
    assert_eq!(stage.world.store().connectors(&owner("owner")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_of_a_connector_connects_its_account_and_no_other() {
    let stage = Stage::new();
    let (ada, bob) =
        (stage.world.account("ada@example.com"), stage.world.account("bob@example.com"));
    let id = stage.connect("owner", &ada).await.id;
    let session = opened(&stage, "owner", Some(&id)).await;
    // Where an owner may have several mailboxes, another one would be a new connector.
    let connecting = Connect { uniqueness: Uniqueness::PerMailbox, ..stage.connecting() };
    let refused = connect_with(&connecting, &stage, &session, &code(&bob)).await;
    let another = matches!(refused, Err(SessionError::Connect(ConnectError::AccountMismatch)));
    assert!(another, "{refused:?}");
    assert_eq!(stage.world.store().connectors(&owner("owner")).await.unwrap().len(), 1);
    let connected = connect(&stage, &session, &code(&ada)).await.unwrap();
    assert_eq!(connected.connector_id, id);
}

#[tokio::test]
async fn another_owners_connector_has_no_session() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let id = stage.connect("owner", &ada).await.id;
    let wanted = Wanted { origin: ORIGIN.into(), connector: Some(id), ..Wanted::default() };
    let world = &stage.world;
    let refused =
        open(&world.store(), &world.machine(), &owner("thief"), wanted, world.now()).await;
    assert!(matches!(refused, Err(SessionError::NoSuchConnector)), "{refused:?}");
}

#[tokio::test]
async fn a_session_is_over_after_a_quarter_of_an_hour_and_with_its_owners_erasure() {
    for (waited, good) in [(SESSION_LIFE - MINUTE, true), (SESSION_LIFE, false)] {
        let stage = Stage::new();
        let session = opened(&stage, "owner", None).await;
        stage.world.pass(waited);
        assert_eq!(found(&stage, &session).await.is_some(), good, "{waited:?}");
    }
    let stage = Stage::new();
    let session = opened(&stage, "owner", None).await;
    stage.world.store().forget_requests(&owner("owner")).await.unwrap();
    assert!(found(&stage, &session).await.is_none());
}

#[tokio::test]
async fn a_connect_that_is_cut_off_keeps_the_session_for_the_same_request() {
    let stage = Stage::new();
    let ada = stage.world.account("ada@example.com");
    let session = opened(&stage, "owner", None).await;
    let first = code(&ada);
    // The second write marks the session as ended.
    stage.world.fail(Call::PutSession, When::Before, 2);
    let connected = connect(&stage, &session, &first).await.unwrap();
    let other = connect(&stage, &session, &code(&ada)).await;
    assert!(matches!(other, Err(SessionError::Taken)), "{other:?}");
    assert_eq!(connect(&stage, &session, &first).await.unwrap(), connected);
    assert!(found(&stage, &session).await.unwrap().1.is_done());
}
