//! Facts are gathered, judged and shown; nothing is changed but what a push, or a probe, changes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::api::{Api, client};
use crate::args::operate::Doctor;
use crate::deployed::Deployed;
use crate::doctor::finding::{Finding, fails, report};
use crate::doctor::gather::{Google, Graph, Probe, Trial, gather};
use crate::doctor::judge::{judge, no_stack};
use crate::failure::Failure;
use crate::session::Session;
use crate::settings::Caller;

pub async fn run(session: &Session, doctor: Doctor) -> Result<(), Failure> {
    let settings = session.settings()?;
    let config = settings.aws().await;
    let deployed = match Deployed::read(&config, settings.stack_name()?).await {
        Ok(deployed) => deployed,
        Err(failure) => return shown(session, no_stack(&failure.to_string())),
    };
    settings.know(&deployed.outputs);
    let base = settings.api_url().await?;
    let (pubsub, token) =
        settings.pubsub(doctor.pubsub_api.as_deref(), doctor.google_token_command.as_deref())?;
    let token_command = doctor.microsoft_token_command.as_deref();
    let graph = Graph { token: settings.microsoft_token(token_command)?, tries: doctor.probe };
    let caller = settings.caller();
    let api = match caller {
        Caller::Nobody => None,
        caller => Some(Api::new(base.clone(), caller)?),
    };
    let trial = Trial {
        connector: doctor.connector.map(|id| id.to_string()),
        patience: Duration::from_secs(doctor.timeout),
    };
    let probe = Probe {
        session,
        config,
        deployed,
        http: client()?,
        google: Google { base: pubsub, token },
        graph,
        api,
        base,
        trial,
        only: doctor.only.clone(),
    };
    let mut findings = judge(&gather(&probe).await);
    if let Some(only) = &doctor.only {
        findings.retain(|finding| finding.id.starts_with(only.as_str()));
        if findings.is_empty() {
            return Err(Failure::here(format!(
                "no check's name begins with `{only}`: docs/cli.md lists them"
            )));
        }
    }
    shown(session, findings)
}

fn shown(session: &Session, findings: Vec<Finding>) -> Result<(), Failure> {
    let well = !fails(&findings);
    let documents: Vec<Value> = findings.iter().map(Finding::document).collect();
    session.output.document(&json!({"well": well, "findings": documents}), &report(&findings))?;
    if well { Ok(()) } else { Err(Failure::NeedsPerson) }
}
