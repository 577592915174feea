//! Where the API is, who the caller is, and where an operator's queues and table are: from
//! arguments, then the environment, then stack.json, then the outputs of the named stack. If an
//! argument names it, they replace the environment.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use email_connectors::config::{Environment, environment};
use secrecy::SecretString;
use tokio::sync::OnceCell;

use email_connectors::adapters::aws::SdkConfig;

use crate::args::Global;
use crate::aws;
use crate::deployed::{Outputs, outputs};
use crate::failure::Failure;
use crate::stack::{Mint, Stack};

pub const API_URL: &str = "CONNECTORS_API_URL";
pub const TOKEN: &str = "CONNECTORS_TOKEN";
pub const TOKEN_COMMAND: &str = "CONNECTORS_TOKEN_COMMAND";
pub const STACK_JSON: &str = "CONNECTORS_STACK_JSON";
const FERNET_KEY: &str = "CONNECTORS_FERNET_KEY";
pub const GOOGLE_TOKEN: &str = "CONNECTORS_GOOGLE_TOKEN";
const MICROSOFT_TOKEN: &str = "CONNECTORS_MICROSOFT_TOKEN";
const PUBSUB_API: &str = "CONNECTORS_PUBSUB_API";
const STACK_NAME: &str = "CONNECTORS_STACK_NAME";

/// A setting that commands need: how it is given, and which output of the stack is the fallback.
struct SettingSource {
    what: &'static str,
    flag: &'static str,
    variable: &'static str,
    output: &'static str,
    given: fn(&Global) -> &Option<String>,
    of_file: fn(&Stack) -> &String,
}

const API: SettingSource = SettingSource {
    what: "where the API is",
    flag: "--api-url",
    variable: API_URL,
    output: "ApiUrl",
    given: |global| &global.api_url,
    of_file: |stack| &stack.api_url,
};

const TABLE: SettingSource = SettingSource {
    what: "which table",
    flag: "--table",
    variable: "CONNECTORS_TABLE",
    output: "TableName",
    given: |global| &global.table,
    of_file: |stack| &stack.table,
};

const QUEUE: SettingSource = SettingSource {
    what: "which queue",
    flag: "--notification-queue-url",
    variable: "CONNECTORS_NOTIFICATION_QUEUE_URL",
    output: "NotificationQueueUrl",
    given: |global| &global.notification_queue_url,
    of_file: |stack| &stack.notification_queue_url,
};

const DEAD_LETTERS: SettingSource = SettingSource {
    what: "which queue of dead letters",
    flag: "--dead-letter-queue-url",
    variable: "CONNECTORS_DEAD_LETTER_QUEUE_URL",
    output: "NotificationDeadLetterQueueUrl",
    given: |global| &global.dead_letter_queue_url,
    of_file: |stack| &stack.dead_letter_queue_url,
};

/// Where a user's token comes from. It is fetched when it is needed, and never printed.
#[derive(Clone)]
pub enum Caller {
    Token(SecretString),
    Command(String),
    Stack(Mint, Option<String>),
    Nobody,
}

pub struct Settings {
    global: Global,
    env: Environment,
    stack: Option<Stack>,
    outputs: OnceCell<Outputs>,
}

impl Settings {
    pub fn read(global: Global) -> Result<Self, Failure> {
        Self::with(global, environment())
    }

    fn with(global: Global, env: Environment) -> Result<Self, Failure> {
        // A stack named on this command line wins: the environment may be meant for another one.
        let of_environment =
            || env.optional(STACK_JSON).filter(|_| global.stack_name.is_none()).map(Into::into);
        let file = global.stack_json.clone().or_else(of_environment);
        let stack = file.as_deref().map(Stack::read).transpose()?;
        Ok(Self { global, env, stack, outputs: OnceCell::new() })
    }

    fn said(
        &self,
        given: Option<&String>,
        variable: &'static str,
        of_file: fn(&Stack) -> &String,
    ) -> Option<String> {
        let of_file =
            || self.stack.as_ref().map(of_file).filter(|value| !value.is_empty()).cloned();
        let of_environment =
            || self.env.optional(variable).filter(|_| self.global.stack_name.is_none());
        given.cloned().or_else(of_environment).or_else(of_file)
    }

    /// The given value, else the stack's output; the outputs are read once for all settings.
    async fn find(&self, source: &SettingSource) -> Result<String, Failure> {
        let SettingSource { what, flag, variable, output, .. } = source;
        if let Some(said) =
            self.said((source.given)(&self.global).as_ref(), variable, source.of_file)
        {
            return Ok(said);
        }
        let Ok(name) = self.stack_name() else {
            let hint = format!(
                "say {what}: {flag}, {variable}, --stack-json, or with --stack-name or {STACK_NAME} the stack that says it"
            );
            return Err(Failure::here(hint));
        };
        // Boxed, because nearly every command's future contains it.
        let read = || Box::pin(async { outputs(&self.aws().await, &name).await });
        let outputs = self.outputs.get_or_try_init(read).await;
        let outputs = outputs.map_err(|failure| {
            Failure::Aws(format!("{failure}; or say {what}: {flag} or {variable}"))
        })?;
        let value = outputs.get(*output).filter(|value| !value.is_empty()).cloned();
        value.ok_or_else(|| {
            Failure::here(format!(
                "the stack {name} has no output {output}; say {what}: {flag} or {variable}"
            ))
        })
    }

    /// Remembers outputs that were read already, so that the stack is not described again.
    pub fn know(&self, outputs: &Outputs) {
        // If they were read before, they are the same.
        let _ = self.outputs.set(outputs.clone());
    }

    pub async fn api_url(&self) -> Result<String, Failure> {
        let url = self.find(&API).await?;
        carries_secrets(&url)?;
        Ok(url.trim_end_matches('/').to_string())
    }

    pub fn caller(&self) -> Caller {
        let of_stack = || {
            let mint = self.stack.as_ref()?.mint_user_token.clone()?;
            Some(Caller::Stack(mint, self.global.owner.clone()))
        };
        let given = self.global.token.clone().map(Caller::Token);
        let given = given.or_else(|| self.global.token_command.clone().map(Caller::Command));
        // A stack named on this command line wins: the environment may be meant for another one.
        let named = given.or_else(|| self.global.stack_json.as_ref().and_then(|_| of_stack()));
        let named =
            named.or_else(|| self.env.optional(TOKEN).map(|token| Caller::Token(token.into())));
        let named = named.or_else(|| self.env.optional(TOKEN_COMMAND).map(Caller::Command));
        named.or_else(of_stack).unwrap_or(Caller::Nobody)
    }

    pub async fn table(&self) -> Result<String, Failure> {
        self.find(&TABLE).await
    }

    /// What was deployed, by its CloudFormation name.
    pub fn stack_name(&self) -> Result<String, Failure> {
        let name =
            self.said(self.global.stack_name.as_ref(), STACK_NAME, |stack| &stack.stack_name);
        name.ok_or_else(|| {
            Failure::here(format!("say which stack: --stack-name, {STACK_NAME} or --stack-json (as `sam deploy --stack-name`)"))
        })
    }

    /// The keys under which an older system sealed its tokens.
    pub fn fernet_keys(
        &self,
        command: Option<&str>,
        file: Option<&Path>,
    ) -> Result<SecretString, Failure> {
        match (command, file) {
            (Some(command), _) => match printed(command, "key command")? {
                run if run.status.success() => {
                    Ok(String::from_utf8_lossy(&run.stdout).into_owned().into())
                }
                run => Err(Failure::here(format!("the key command ended with {}", run.status))),
            },
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file);
                text.map(SecretString::from).map_err(|error| {
                    Failure::here(format!("cannot read the key file {}: {error}", file.display()))
                })
            }
            (None, None) => {
                let key = self.env.optional(FERNET_KEY).map(SecretString::from);
                key.ok_or_else(|| {
                    Failure::here(format!(
                        "say what opens the tokens: --key-command, --key-file or {FERNET_KEY}"
                    ))
                })
            }
        }
    }

    /// The URLs of the queue of wake-ups and of its dead-letter queue.
    pub async fn queues(&self) -> Result<(String, String), Failure> {
        Ok((self.find(&QUEUE).await?, self.find(&DEAD_LETTERS).await?))
    }

    /// Where Pub/Sub is, and the operator's token for it. The local stack's Google takes any token,
    /// and must not be shown a real one.
    pub fn pubsub(
        &self,
        api: Option<&str>,
        command: Option<&str>,
    ) -> Result<(String, Option<SecretString>), Failure> {
        let local =
            self.stack.as_ref().map(|stack| stack.google_url.clone()).filter(|url| !url.is_empty());
        let base = api
            .map(String::from)
            .or_else(|| self.env.optional(PUBSUB_API))
            .or_else(|| local.clone());
        let base = base
            .unwrap_or_else(|| "https://pubsub.googleapis.com".into())
            .trim_end_matches('/')
            .to_string();
        carries_secrets(&base)?;
        if local.as_deref() == Some(&base) {
            return Ok((base, Some("local-operator".into())));
        }
        Ok((base, self.vendors_token(command, GOOGLE_TOKEN)?))
    }

    /// The operator's own token for Microsoft Graph.
    pub fn microsoft_token(&self, command: Option<&str>) -> Result<Option<SecretString>, Failure> {
        self.vendors_token(command, MICROSOFT_TOKEN)
    }

    fn vendors_token(
        &self,
        command: Option<&str>,
        variable: &'static str,
    ) -> Result<Option<SecretString>, Failure> {
        match command {
            Some(command) => printed_by(command).map(Some),
            None => Ok(self.env.optional(variable).map(SecretString::from)),
        }
    }

    /// The emulator's endpoint and region, if a local stack was named.
    pub async fn aws(&self) -> SdkConfig {
        aws::config(self.local_aws()).await
    }

    pub fn local_aws(&self) -> Option<(&str, &str)> {
        let stack = self.stack.as_ref().filter(|stack| !stack.aws_endpoint.is_empty())?;
        Some((
            &stack.aws_endpoint,
            if stack.region.is_empty() { "us-east-1" } else { &stack.region },
        ))
    }
}

/// A token goes over TLS, or stays on this machine.
pub fn carries_secrets(url: &str) -> Result<(), Failure> {
    let parsed =
        reqwest::Url::parse(url).map_err(|_| Failure::here(format!("`{url}` is no URL")))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost"
        || host.ends_with(".localhost")
        || host == "::1"
        || host.starts_with("127.");
    match parsed.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        _ => Err(Failure::here(
            "the URL must be https, or on this machine: a secret would be read on its way",
        )),
    }
}

impl Caller {
    pub async fn token(&self, http: &reqwest::Client) -> Result<SecretString, Failure> {
        match self {
            Self::Token(token) => Ok(token.clone()),
            Self::Command(command) => printed_by(command),
            Self::Stack(mint, owner) => mint.token(http, owner.as_deref()).await,
            Self::Nobody => Err(Failure::here(format!(
                "say who you are: {TOKEN}, --token-command (which prints a token), --token or --stack-json"
            ))),
        }
    }

    /// Whether a second call gives another token.
    pub fn can_renew(&self) -> bool {
        matches!(self, Self::Command(_) | Self::Stack(..))
    }
}

fn printed(command: &str, what: &str) -> Result<Output, Failure> {
    let mut shell = Command::new("sh");
    let run = shell.args(["-c", command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    run.map_err(|error| Failure::here(format!("the {what} cannot be run: {error}")))
}

fn printed_by(command: &str) -> Result<SecretString, Failure> {
    let run = printed(command, "token command")?;
    let token = String::from_utf8_lossy(&run.stdout).trim().to_string();
    let is_token = !token.is_empty() && token.chars().all(|letter| letter.is_ascii_graphic());
    match run.status.success() && is_token {
        true => Ok(token.into()),
        false => Err(Failure::here(format!(
            "the token command ({}) did not print a token and nothing else",
            run.status
        ))),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::args::Cli;

    fn settings(arguments: &[&str], pairs: &'static [(&'static str, &'static str)]) -> Settings {
        let global = Cli::try_parse_from(["connectors"].iter().chain(arguments).chain(&["list"]))
            .unwrap()
            .global;
        let env = Environment::new(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        });
        Settings::with(global, env).unwrap()
    }

    #[tokio::test]
    async fn an_argument_comes_before_the_environment() {
        let env: &[(&str, &str)] =
            &[(API_URL, "https://a.example/"), (TOKEN, "from-the-environment")];
        assert_eq!(settings(&[], env).api_url().await.unwrap(), "https://a.example");
        assert_eq!(
            settings(&["--api-url", "https://b.example"], env).api_url().await.unwrap(),
            "https://b.example"
        );
        assert!(
            matches!(settings(&[], env).caller(), Caller::Token(token) if token.expose_secret() == "from-the-environment")
        );
        assert!(
            matches!(settings(&["--token", "t"], env).caller(), Caller::Token(token) if token.expose_secret() == "t")
        );
        assert!(matches!(settings(&["--token-command", "c"], env).caller(), Caller::Command(_)));
        assert!(matches!(settings(&[], &[]).caller(), Caller::Nobody));
    }

    #[test]
    fn a_token_is_not_sent_in_the_clear() {
        for good in [
            "https://api.example.com",
            "http://127.0.0.1:80/x",
            "http://localhost:1",
            "http://[::1]:2",
        ] {
            assert!(carries_secrets(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example.com",
            "ftp://localhost",
            "api.example.com",
            "http://localhost.example.com",
        ] {
            assert!(carries_secrets(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_command_prints_a_token_and_nothing_else() {
        assert_eq!(printed_by("echo ' a.b.c '").unwrap().expose_secret(), "a.b.c");
        for bad in ["true", "echo a b", "echo token; false", "printf 'a\\nb'"] {
            let refused = printed_by(bad).unwrap_err().to_string();
            assert!(!refused.contains("a b") && refused.contains("did not print"), "{refused}");
        }
    }
}
