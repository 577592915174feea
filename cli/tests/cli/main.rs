//! The built binary against an API that is scripted: what each command asks, prints and ends with.

mod adopting;
mod attachments;
mod connecting;
mod dead_letters;
mod doctoring;
mod endings;
mod everyone;
mod helping;
mod looking;
mod migrating;
mod permitting;
mod provisioning;
mod renewing;
mod requests;
mod restoring;
mod sealing;
mod server;
mod smoking;
mod stacks;
mod tailing;
