//! Users of an older system are taken over: rows are read and checked here, adopted one by one, and
//! each is accounted for.

pub mod adopting;
pub mod export;
pub mod journal;
pub mod report;
pub mod row;
