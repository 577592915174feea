//! One story for each thing that happens. Flows know the domain and the ports, and nothing of AWS, HTTP or Lambda.

pub mod access;
pub mod connect;
pub mod disconnect;
pub mod pause;
pub mod process;
pub mod receive;
pub mod renew;
pub mod subscribe;
pub mod watching;
