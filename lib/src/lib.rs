//! The Gmail connector's library: the domain decides, a flow is one use case, an adapter talks to
//! an outside service.

pub mod adapters;
pub mod audit;
pub mod config;
pub mod domain;
pub mod flows;
pub mod gateway;
pub mod panics;
pub mod ports;
pub mod web;
