//! One file or folder for each outside service. Adapters implement the ports and know nothing of
//! flows, of each other, or of Lambda.

pub mod aws;
mod boundary;
mod dry_run;
pub mod dynamodb;
pub mod eventbridge;
pub mod gmail;
pub mod hmac;
pub mod https;
pub mod kms;
pub mod oidc;
pub mod outlook;
pub mod providers;
mod refreshing;
pub mod retry_after;
pub mod s3;
pub mod sqs;
pub mod system;
pub mod telemetry;

use crate::ports::Ports;

/// AWS and the providers that are set up.
pub struct Production;

impl Ports for Production {
    type Store = dynamodb::DynamoStore;
    type Vault = kms::KmsVault;
    type Provider = providers::MailProviders;
    type WakeUps = sqs::SqsWakeUps;
    type Depths = sqs::SqsDepths;
    type Quarantine = sqs::SqsQuarantine;
    type Objects = s3::S3;
    type Bus = eventbridge::EventBridge;
    type Signatures = hmac::HmacSha256;
    type Verifier = oidc::JwksVerifier;
    type Machine = system::System;
}
