//! A scratch instance that only says what it was told to.

use super::{FakeHost, Rehearsal};
use postseal_host::{HostError, Scratch};
use postseal_planner::plan::Cf;
use std::collections::BTreeMap;
use std::net::SocketAddr;

#[derive(Debug)]
pub(super) struct FakeScratch {
    host: FakeHost,
    number: u64,
    rehearsal: Rehearsal,
}

impl FakeScratch {
    pub(super) fn new(host: FakeHost, number: u64, rehearsal: Rehearsal) -> Self {
        Self {
            host,
            number,
            rehearsal,
        }
    }
}

impl Scratch for FakeScratch {
    fn endpoints(&self) -> &BTreeMap<String, SocketAddr> {
        &self.rehearsal.endpoints
    }

    fn log(&self) -> Vec<u8> {
        self.rehearsal.log.clone()
    }

    fn not_rehearsed(&self) -> &[String] {
        &self.rehearsal.not_rehearsed
    }

    fn submit(&self, _sender: &str, recipients: &[&str], _: &[u8]) -> Result<(), HostError> {
        let call = format!("scratch submit {}", recipients.join(" "));
        self.host.step(call, |_| Ok(()))
    }

    fn replace(&mut self, file: Cf, bytes: &[u8]) -> Result<(), HostError> {
        self.host
            .step(format!("scratch replace {file:?}"), |world| {
                if let Some(mut staged) = world.rehearsed.last().cloned() {
                    match file {
                        Cf::Main => staged.main_cf = bytes.to_vec(),
                        Cf::Master => staged.master_cf = bytes.to_vec(),
                    }
                    world.rehearsed.push(staged);
                }
                Ok(())
            })
    }

    fn reload(&mut self) -> Result<(), HostError> {
        self.host.step("scratch reload".to_owned(), |_| Ok(()))
    }

    fn stop(self: Box<Self>) -> Result<(), HostError> {
        self.host.step("scratch stop".to_owned(), |_| Ok(()))
    }
}

impl Drop for FakeScratch {
    fn drop(&mut self) {
        self.host.world().end_scratch(self.number);
    }
}
