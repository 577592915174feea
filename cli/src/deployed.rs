//! The deployed stack as AWS describes it: its outputs, its parameters, its resources and its
//! functions' environment.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_sdk_cloudformation::types::Stack;
use aws_sdk_lambda::Client as Lambda;
use aws_sdk_lambda::types::EnvironmentResponse;
use email_connectors::adapters::aws::SdkConfig;
use email_connectors::config::Environment;

use crate::aws::describe;
use crate::failure::Failure;

/// A stack's outputs by the template's names.
pub type Outputs = BTreeMap<String, String>;

/// The right to read a function's variables, which are encrypted under the stack's key.
pub const VARIABLES: &str =
    "kms:Decrypt on the stack's key, for the context aws:lambda:FunctionArn";

pub struct Deployed {
    lambda: Lambda,
    pub stack_name: String,
    pub status: String,
    pub outputs: Outputs,
    /// As they were given or defaulted; those with NoEcho are masked.
    pub parameters: BTreeMap<String, String>,
    /// Physical ids by the template's names.
    pub resources: BTreeMap<String, String>,
}

/// The outputs alone, by one call.
pub async fn outputs(config: &SdkConfig, stack_name: &str) -> Result<Outputs, Failure> {
    described(&CloudFormation::new(config), stack_name).await.map(|stack| said(&stack))
}

async fn described(cloudformation: &CloudFormation, stack_name: &str) -> Result<Stack, Failure> {
    let answer = cloudformation
        .describe_stacks()
        .stack_name(stack_name)
        .send()
        .await
        .map_err(|error| unread(stack_name, &error))?;
    let stack = answer.stacks.unwrap_or_default().into_iter().next();
    stack.ok_or_else(|| Failure::NotFound(format!("there is no stack {stack_name}")))
}

fn unread(stack_name: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::Aws(format!("the stack {stack_name} cannot be read: {}", describe(error)))
}

fn said(stack: &Stack) -> Outputs {
    stack
        .outputs()
        .iter()
        .filter_map(|output| named(output.output_key(), output.output_value()))
        .collect()
}

fn named(name: Option<&str>, value: Option<&str>) -> Option<(String, String)> {
    Some((name?.to_string(), value.unwrap_or_default().to_string()))
}

impl Deployed {
    pub async fn read(config: &SdkConfig, stack_name: String) -> Result<Self, Failure> {
        let cloudformation = CloudFormation::new(config);
        let (stack, resources) = tokio::join!(
            described(&cloudformation, &stack_name),
            cloudformation.describe_stack_resources().stack_name(&stack_name).send(),
        );
        let (stack, resources) = (stack?, resources.map_err(|error| unread(&stack_name, &error))?);
        Ok(Self {
            lambda: Lambda::new(config),
            outputs: said(&stack),
            parameters: stack
                .parameters()
                .iter()
                .filter_map(|given| named(given.parameter_key(), given.parameter_value()))
                .collect(),
            resources: resources
                .stack_resources()
                .iter()
                .filter_map(|resource| {
                    named(resource.logical_resource_id(), resource.physical_resource_id())
                })
                .collect(),
            status: stack.stack_status().map(|status| status.as_str()).unwrap_or_default().into(),
            stack_name,
        })
    }

    pub fn output(&self, name: &str) -> Result<&str, Failure> {
        let value = self.outputs.get(name).ok_or_else(|| {
            Failure::NotFound(format!("the stack {} has no output {name}", self.stack_name))
        })?;
        Ok(value)
    }

    pub fn resource(&self, name: &str) -> Result<&str, Failure> {
        let id = self.resources.get(name).ok_or_else(|| {
            Failure::NotFound(format!("the stack {} has no {name}", self.stack_name))
        })?;
        Ok(id)
    }

    /// A function's environment, by its name in the template. It contains secrets.
    pub async fn environment(&self, function: &str) -> Result<Environment, Failure> {
        let id = self.resource(function)?;
        let answer = self.lambda.get_function_configuration().function_name(id).send().await;
        let answer = answer.map_err(|error| {
            Failure::Aws(format!("the settings of {id} cannot be read: {}", describe(&error)))
        })?;
        let environment =
            answer.environment.unwrap_or_else(|| EnvironmentResponse::builder().build());
        if let Some(error) = environment.error {
            let why = error.message.or(error.error_code).unwrap_or_default();
            return Err(Failure::Aws(format!(
                "the variables of {id} cannot be decrypted: {why}; needs {VARIABLES}"
            )));
        }
        let variables = environment.variables.unwrap_or_default();
        Ok(Environment::new(move |name| variables.get(name).cloned()))
    }
}
