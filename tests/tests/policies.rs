//! Least privilege: the AWS calls of the functions on the deployed stack, compared with the
//! template's roles both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at the first surprise")]

#[path = "policies/calls.rs"]
mod calls;
#[path = "policies/judging.rs"]
mod judging;
#[path = "policies/roles.rs"]
mod roles;
#[path = "policies/statement.rs"]
mod statement;
