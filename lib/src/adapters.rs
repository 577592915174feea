//! One file or folder for each outside service. Adapters fulfil the ports and know nothing of flows, of each other, or of Lambda.

pub mod aws;
pub mod dynamodb;
pub mod eventbridge;
pub mod gmail;
pub mod hmac;
pub mod https;
pub mod kms;
pub mod oidc;
pub mod sqs;
pub mod system;
pub mod telemetry;
