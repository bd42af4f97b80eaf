//! One CA, spoken to step by step.
//!
//! Owns: the runtime that is hidden inside, the bounds around every step, and trying again when
//! the CA did not like a nonce. Never: waits past the bounds.

use super::error::AcmeError;
use super::http::Seen;
use crate::Bounds;
use crate::bounds::GLANCE;
use crate::solver::printable;
use std::io;
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::Runtime;

/// The client tries three times; a CA that rejects every second nonce needs more.
const ROUNDS_OF_NONCES: u32 = 5;
/// The first pause when polling, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Session {
    /// Taken only by `drop`.
    runtime: Option<Runtime>,
    pub(super) seen: Seen,
    pub(super) url: String,
}

/// Growing pauses, unless the CA names one.
pub(super) struct Pauses(Duration);

impl Session {
    pub(super) fn new(url: &str) -> Result<Self, AcmeError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| AcmeError::Unreachable {
                url: url.to_owned(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            runtime: Some(runtime),
            seen: Seen::default(),
            url: url.to_owned(),
        })
    }

    /// One step, which may be repeated as long as the CA has not taken it.
    pub(super) fn step<T>(
        &self,
        bounds: &Bounds<'_>,
        doing: &'static str,
        mut step: impl AsyncFnMut() -> Result<T, instant_acme::Error>,
    ) -> Result<T, AcmeError> {
        let mut rounds = ROUNDS_OF_NONCES;
        loop {
            let result = self.run(bounds, doing, step())?;
            rounds -= 1;
            match result {
                Err(instant_acme::Error::Api(problem)) if rounds > 0 && bad_nonce(&problem) => {}
                other => return other.map_err(|error| self.judge(error, bounds)),
            }
        }
    }

    /// Runs a future within the bounds.
    pub(super) fn run<T>(
        &self,
        bounds: &Bounds<'_>,
        doing: &'static str,
        future: impl Future<Output = T>,
    ) -> Result<T, AcmeError> {
        let Some(runtime) = &self.runtime else {
            return Err(AcmeError::Interrupted);
        };
        runtime.block_on(async {
            let mut future = pin!(future);
            loop {
                bounds
                    .check()
                    .map_err(|halt| AcmeError::of_halt(halt, doing))?;
                let glance = GLANCE.min(bounds.left());
                if let Ok(done) = tokio::time::timeout(glance, &mut future).await {
                    return Ok(done);
                }
            }
        })
    }

    /// Pauses before the next question, as long as the CA asks for; not at all if that is longer
    /// than what is left.
    pub(super) fn pause(
        &self,
        bounds: &Bounds<'_>,
        pauses: &mut Pauses,
        doing: &'static str,
    ) -> Result<(), AcmeError> {
        let asked = self.seen.seconds(bounds.now()).map(Duration::from_secs);
        let pause = asked.filter(|asked| !asked.is_zero()).unwrap_or(pauses.0);
        pauses.0 = (pauses.0 * 2).min(LONGEST_PAUSE);
        if pause > bounds.left() {
            return Err(AcmeError::Deadline(doing));
        }
        bounds
            .sleep(pause)
            .map_err(|halt| AcmeError::of_halt(halt, doing))
    }

    fn judge(&self, error: instant_acme::Error, bounds: &Bounds<'_>) -> AcmeError {
        use instant_acme::Error;
        let url = self.url.clone();
        match error {
            Error::Api(problem) => {
                let now = bounds.now();
                let wait = self.seen.seconds(now);
                let at = wait.map(|s| now.saturating_add(i64::try_from(s).unwrap_or(i64::MAX)));
                AcmeError::of_problem(problem, at)
            }
            Error::Other(error) => self.judge_transport(error.as_ref()),
            Error::KeyRejected => AcmeError::Credentials,
            other => AcmeError::BadAnswer {
                url,
                reason: printable(&other.to_string()),
            },
        }
    }

    fn judge_transport(&self, error: &(dyn std::error::Error + 'static)) -> AcmeError {
        let url = self.url.clone();
        let mut reason = error.to_string();
        let mut cause = Some(error);
        while let Some(one) = cause {
            if let Some(tls) = one.downcast_ref::<rustls::Error>() {
                let reason = printable(&tls.to_string());
                return match tls {
                    // RFC 5280 §4.2.1.9; rustls takes no such one for a server's, not even a root.
                    rustls::Error::InvalidCertificate(_)
                        if reason.contains("CaUsedAsEndEntity") =>
                    {
                        let reason = AcmeError::CA_AS_SERVER.to_owned();
                        AcmeError::Untrusted { url, reason }
                    }
                    rustls::Error::InvalidCertificate(_) => AcmeError::Untrusted { url, reason },
                    _ => AcmeError::Unreachable { url, reason },
                };
            }
            reason = one.to_string();
            cause = beneath(one);
        }
        let reason = printable(&reason);
        AcmeError::Unreachable { url, reason }
    }
}

/// Names are resolved by threads of the system's library, which cannot be stopped: they are left
/// behind, not waited for.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Pauses {
    pub(super) fn new() -> Self {
        Self(FIRST_PAUSE)
    }
}

/// What caused an error. An `io::Error` around another passes over it in its `source`.
fn beneath<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a (dyn std::error::Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(inside) => Some(inside),
        None => error.source(),
    }
}

fn bad_nonce(problem: &instant_acme::Problem) -> bool {
    problem
        .r#type
        .as_deref()
        .is_some_and(|kind| kind.ends_with(":badNonce"))
}
