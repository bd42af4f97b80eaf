//! How often somebody may try to sign in.
//!
//! Owns: the buckets. A flood from elsewhere empties its own: they are kept by address, and by account *and* address,
//! never by account alone, so that nobody can be locked out from afar. A browser that was signed in before has a
//! bucket of its own, whatever comes from its neighbours. Never: whether a password is right.

use crate::problem::Problem;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// How many keys may be remembered before those that are full again are forgotten.
const MANY: usize = 10_000;

/// The buckets of attempts to sign in.
pub(crate) struct Limits {
    address: DefaultKeyedRateLimiter<Prefix>,
    account: DefaultKeyedRateLimiter<(Prefix, String)>,
    device: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

/// What one person is taken to have: an IPv4 address, or the /64 of an IPv6 address (RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Prefix(u64);

impl Prefix {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => Self(u64::from(four.to_bits())),
            // No IPv6 prefix in use is below 2^32.
            IpAddr::V6(six) => Self((six.to_bits() >> 64) as u64),
        }
    }
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self {
            address: limiter(30, Duration::from_secs(4)),
            account: limiter(6, Duration::from_secs(20)),
            device: limiter(6, Duration::from_secs(20)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts an attempt; `device` is the mark of a browser that this account was signed in with.
    pub(crate) fn attempt(
        &self,
        address: IpAddr,
        account: &str,
        device: Option<&str>,
    ) -> Result<(), Problem> {
        if let Some(device) = device {
            return self.taken(&self.device, &device.to_owned());
        }
        let prefix = Prefix::of(address);
        self.taken(&self.address, &prefix)?;
        // The account is what was typed: a bounded part of it is enough to tell accounts apart.
        let account = account.chars().take(64).collect::<String>().to_lowercase();
        self.taken(&self.account, &(prefix, account))
    }

    fn taken<K: Clone + std::hash::Hash + Eq>(
        &self,
        bucket: &DefaultKeyedRateLimiter<K>,
        key: &K,
    ) -> Result<(), Problem> {
        if bucket.len() > MANY {
            bucket.retain_recent();
        }
        bucket.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            Problem::too_many(wait.as_secs() + 1)
        })
    }
}

fn limiter<K: Clone + std::hash::Hash + Eq>(
    burst: u32,
    one_each: Duration,
) -> DefaultKeyedRateLimiter<K> {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    let quota = Quota::with_period(one_each).unwrap_or_else(|| Quota::per_minute(burst));
    RateLimiter::keyed(quota.allow_burst(burst))
}
