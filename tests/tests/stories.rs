//! Stories, told to the flows in a world in memory.

mod stories {
    mod arriving;
    mod connecting;
    mod contract;
    mod costing;
    mod crashing;
    mod disconnecting;
    mod gaps;
    mod granting;
    mod handlers;
    mod labelling;
    mod listing;
    mod pausing;
    mod pressure;
    mod receiving;
    mod renewing;
    mod settling;
    mod subscribing;
    mod troubles;
    mod watching;
}
