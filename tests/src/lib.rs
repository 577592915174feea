//! The shared test library: the outside world in memory, and the contract suite that every store
//! must pass.

pub mod capacity;
pub mod consuming;
pub mod contract;
pub mod deployed;
pub mod depth;
pub mod fuzz;
pub mod gateway;
pub mod inside;
pub mod microsoft;
pub mod schemas;
pub mod sim;
pub mod stage;
pub mod template;
pub mod world;
