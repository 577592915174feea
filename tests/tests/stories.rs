//! Stories, told to the flows in a world in memory.

mod stories {
    mod arriving;
    mod chance;
    mod connecting;
    mod contract;
    mod crashing;
    mod disconnecting;
    mod granting;
    mod handlers;
    mod labelling;
    mod listing;
    mod receiving;
    mod renewing;
    mod stage;
    mod subscribing;
}
