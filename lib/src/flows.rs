//! One story for each thing that happens. Flows know the domain and the ports, and nothing of AWS, HTTP or Lambda.

pub mod access;
pub mod admitting;
pub mod adopt;
pub mod ask;
pub mod change;
pub mod check;
pub mod connect;
pub mod disconnect;
pub mod fire;
pub mod operate;
pub mod own;
pub mod process;
pub mod protect;
pub mod publishing;
pub mod receive;
pub mod rehearse;
pub mod renew;
pub mod repeat;
pub mod subscribe;
mod suspending;
pub mod sync;
pub mod watching;
pub mod withdraw;
