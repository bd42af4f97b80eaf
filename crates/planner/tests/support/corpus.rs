//! Configurations of real servers.
//!
//! The corpus stands outside the repository; where it is missing, that is said aloud.

use super::{Host, data, file, pem};
use postseal_planner::facts::FileLook;
use postseal_testkit::beside::samples;
use std::fs;

/// Each of them as a host. `beside` is the main.cf of a master.cf that comes without one.
pub(crate) fn hosts(beside: &str) -> Vec<(String, Host)> {
    let stock = |name: &str| fs::read(data("plans/stock").join(name)).expect("a stock file");
    let mains = samples("corpus/main.cf", 84).into_iter().map(|sample| {
        let host = Host::new(&sample.bytes, &stock("master.cf"));
        (format!("main.cf/{}", sample.name), host)
    });
    let masters = samples("corpus/master.cf", 49).into_iter().map(|sample| {
        let host = Host::new(beside.as_bytes(), &sample.bytes);
        (format!("master.cf/{}", sample.name), host)
    });
    let mut hosts: Vec<(String, Host)> = mains.chain(masters).collect();
    for (_, host) in &mut hosts {
        // Whatever these servers name is there: certificates, maps, sockets.
        host.look();
        for look in host.facts.files.values_mut() {
            if matches!(look, FileLook::Missing) {
                *look = file(pem("mx"));
            }
        }
    }
    hosts
}
