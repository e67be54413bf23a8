#![no_main]

use cargo_supplychain::github::event::Event;
use libfuzzer_sys::fuzz_target;

// The payload of an event of GitHub Actions.
fuzz_target!(|data: &[u8]| {
    for name in ["push", "pull_request", "pull_request_target"] {
        let event = Event::read(name, Some(data));
        // What says of itself that it is a pull request is one, and a fork's unless it says otherwise.
        assert!(name == "push" || event.pull_request.is_some());
        for commit in event.pull_request.iter().flat_map(|request| [&request.base, &request.head]).flatten() {
            assert!(commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
});
