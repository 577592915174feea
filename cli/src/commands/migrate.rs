//! Users of an older system are taken over: all rows are checked first, and adopted only with
//! `--apply`.

use std::path::{Path, PathBuf};

use email_connectors::adapters::Production;
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::adapters::dynamodb::DynamoStore;
use email_connectors::adapters::eventbridge::EventBridge;
use email_connectors::adapters::https;
use email_connectors::adapters::kms::KmsVault;
use email_connectors::adapters::providers::MailProviders;
use email_connectors::adapters::sqs::SqsWakeUps;
use email_connectors::adapters::system::System;
use email_connectors::config::{
    ConnectSettings, DryRun, Environment, GoogleSettings, MicrosoftSettings, SettingError,
};
use email_connectors::domain::identity::IdentityPolicy;
use email_connectors::domain::provider::outlook::account;
use email_connectors::domain::provider::{Provider, registered};
use uuid::Uuid;

use crate::args::migrate::Migrate;
use crate::deployed::Deployed;
use crate::failure::Failure;
use crate::fernet::Keys;
use crate::migration::adopting::{self, BACKOFF, Books, Connect, Rate};
use crate::migration::export::Export;
use crate::migration::journal::{Journal, Target};
use crate::migration::report::Report;
use crate::session::Session;

/// The function that connects users; adopting needs its settings.
const FUNCTION: &str = "OauthConnectFunction";

type Connecting = Connect<Production>;

pub async fn run(session: &Session, options: Migrate) -> Result<(), Failure> {
    let settings = session.settings()?;
    let keys = settings.fernet_keys(options.key_command.as_deref(), options.key_file.as_deref())?;
    let keys = Keys::parse(&keys).map_err(|error| Failure::here(error.to_string()))?;
    let export = Export::new(&options.export, options.format, options.fields.clone())?;
    let dry_run = session.dry_run || !options.apply;
    // The report is written anew each time.
    let same = |path: &PathBuf| path.canonicalize().ok() == options.export.canonicalize().ok();
    if options.report.as_ref().is_some_and(same) || options.journal.as_ref().is_some_and(same) {
        return Err(Failure::here(
            "--report and --journal must be files of their own, and not the export",
        ));
    }
    let (ready, rehearsed) =
        rehearse(&export, &keys, options.report.as_deref().filter(|_| dry_run))?;
    if dry_run {
        print_report(session, &rehearsed, true)?;
        session.output.note("nothing was done; --apply does it");
        return verdict(&rehearsed);
    }
    if ready.is_empty() {
        print_report(session, &rehearsed, true)?;
        return Err(Failure::here(
            "no row can be taken over: is it the right key, and are the columns named as they are?",
        ));
    }
    let config = settings.aws().await;
    let deployed = Deployed::read(&config, settings.stack_name()?).await?;
    let env = deployed.environment(FUNCTION).await?;
    let unfit = |error: SettingError| Failure::Aws(format!("the settings of {FUNCTION}: {error}"));
    let target = Target {
        stack: deployed.stack_name.clone(),
        table: env.text("TABLE_NAME").map_err(unfit)?,
    };
    let http = https::client()
        .map_err(|error| Failure::here(format!("no HTTPS client can be made: {error}")))?;
    let provider = options.fields.provider.into();
    let connect = wired(&config, &env, &target.table, http, provider).map_err(unfit)?;
    let Some(connect) = connect else {
        return Err(Failure::here(format!(
            "the stack connects no {}: docs/deploy.md says how it does",
            registered(provider).name
        )));
    };
    let mut journal = Journal::open(
        &options.journal.clone().unwrap_or_else(|| beside(&options.export)),
        &target,
    )?;
    if !journal.is_empty() && !ready.iter().any(|key| journal.is_done(*key)) {
        return Err(Failure::here(
            "the journal knows none of these rows, so it is another export's; name a new one with --journal",
        ));
    }
    let mut report = Report::new(options.report.as_deref())?;
    let bar = session.output.progress(rehearsed.tally.rows, "users taken over");
    let pace = Rate { at_once: options.at_once.into(), backoff: &BACKOFF };
    let books = Books { journal: &mut journal, report: &mut report };
    let ended =
        adopting::run(&connect, &System, export.checked(&keys)?, books, &pace, || bar.inc(1)).await;
    bar.finish_and_clear();
    // The report is printed even if the run ended early.
    print_report(session, &report, false)?;
    ended.and_then(|()| verdict(&report))
}

/// Checks all rows without any request: the keys of those that could be adopted, and a report of
/// the others.
fn rehearse(
    export: &Export,
    keys: &Keys,
    report: Option<&Path>,
) -> Result<(Vec<Uuid>, Report), Failure> {
    let (mut ready, mut report) = (Vec::new(), Report::new(report)?);
    for row in export.checked(keys)? {
        let (number, checked) = row?;
        report.tally.rows += 1;
        match checked {
            Ok(candidate) => {
                report.tally.ready += 1;
                report.tally.triggers += candidate.triggers.len() as u64;
                ready.push(candidate.key);
            }
            Err(bad) => report.bad(number, &bad)?,
        }
    }
    Ok((ready, report))
}

/// As the function `oauth-connect` is wired, with the operator's own credentials; `None` if the stack
/// does not connect this provider.
fn wired(
    config: &SdkConfig,
    env: &Environment,
    table: &str,
    http: reqwest::Client,
    kind: Provider,
) -> Result<Option<Connecting>, SettingError> {
    let (google, settings) = (GoogleSettings::watching(env)?, ConnectSettings::read(env)?);
    let microsoft = MicrosoftSettings::watching(env)?;
    let (key, queue, bus) =
        (env.text("KMS_KEY_ID")?, env.text("NOTIFICATION_QUEUE_URL")?, env.text("EVENT_BUS_NAME")?);
    let dry_run = DryRun::read(env)?;
    let (identity, required_scopes) = match (kind, &google, &microsoft) {
        (Provider::Outlook, _, Some(microsoft)) => {
            let (client_id, login_base) =
                (microsoft.client_id.clone(), microsoft.login_base.clone());
            let policy = account::IdentityPolicy { client_id, login_base };
            (IdentityPolicy::Microsoft(policy), microsoft.scopes.clone())
        }
        (Provider::Gmail, Some(google), _) => {
            (IdentityPolicy::Google { client_id: google.client_id.clone() }, settings.scopes)
        }
        _ => return Ok(None),
    };
    Ok(Some(Connect {
        kind,
        identity,
        store: DynamoStore::new(config, table),
        vault: KmsVault::new(config, key),
        provider: MailProviders::as_set(&http, google, microsoft, dry_run),
        wake_ups: SqsWakeUps::new(config, queue),
        bus: EventBridge::new(config, bus),
        required_scopes,
        uniqueness: settings.uniqueness,
    }))
}

fn print_report(session: &Session, report: &Report, dry_run: bool) -> Result<(), Failure> {
    session.output.document(&report.to_json(dry_run), &report.lines(dry_run))
}

fn verdict(report: &Report) -> Result<(), Failure> {
    if report.tally.needs_person() == 0 { Ok(()) } else { Err(Failure::NeedsPerson) }
}

fn beside(export: &Path) -> PathBuf {
    let mut name = export.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}
