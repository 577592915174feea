//! The built binary against a scripted API: what each command sends and prints, and its exit code.

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
mod probing;
mod provisioning;
mod registering;
mod renewing;
mod requests;
mod restoring;
mod script;
mod sealing;
mod server;
mod smoking;
mod stacks;
mod tailing;
