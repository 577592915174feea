//! Stories: the flows run in an in-memory world.

mod stories {
    mod adopting;
    mod ahead;
    mod api;
    mod arriving;
    mod calling;
    mod changing;
    mod connecting;
    mod consenting;
    mod consuming;
    mod contract;
    mod costing;
    mod counting;
    mod crashing;
    mod disconnecting;
    mod facing;
    mod failing;
    mod firing;
    mod gaps;
    mod granting;
    mod handlers;
    mod judging;
    mod labelling;
    mod listing;
    mod notified;
    mod owning;
    mod paging;
    mod pausing;
    mod polling;
    mod pressure;
    mod protecting;
    mod receiving;
    mod rehearsing;
    mod renewing;
    mod replacing;
    mod serving;
    mod sessions;
    mod settling;
    mod subscribing;
    mod watching;
    mod whole;
    mod withdrawing;
    mod without_google;
}
