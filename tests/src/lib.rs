//! What stories and contracts share: the outside world in memory, and the suite that holds every store to its contract.

pub mod capacity;
pub mod consuming;
pub mod contract;
pub mod deployed;
pub mod depth;
pub mod fuzz;
pub mod gateway;
pub mod inside;
pub mod schemas;
pub mod sim;
pub mod stage;
pub mod template;
pub mod world;
