//! The deployed stack looked over: facts are gathered, then judged, then shown.

pub mod fact;
pub mod facts;
pub mod finding;
pub mod gather;
pub mod judge;
