//! The fakes' own promises: they answer as the documents of Google and Microsoft say, and fail on
//! demand. They are tested from here, since whatever stands in their packages is optimized as they
//! are, which takes seven times as long to build.
#![allow(
    clippy::disallowed_methods,
    reason = "a test of the outside world waits and calls as it likes"
)]

mod fakes {
    mod google {
        mod batch;
        mod client;
        mod cloud;
        mod conformance;
        mod consent;
        mod faults;
        mod history;
        mod hostile;
        mod mail;
        mod oauth;
        mod openid;
        mod parts;
        mod person;
        mod push;
        mod shapes;
        mod timing;
        mod tokens;
    }
    mod microsoft {
        mod client;
        mod listing;
        mod messages;
        mod notifications;
        mod oauth;
        mod sending;
        mod throttling;
    }
}
