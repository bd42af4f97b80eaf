//! One order, from names to a chain.
//!
//! Owns: the steps of an order, that every challenge that was presented is taken away again
//! however it ends, and finding out which name failed. Never: leaves an answer in place, takes
//! a chain that was not ordered.

use super::Account;
use super::ari::identifier;
use super::chain;
use super::error::{AcmeError, Problem};
use super::session::Pauses;
use crate::{Bounds, Challenge, ChallengeKind, Issued, Key, Solver, SolverError, signing_request};
use instant_acme::{
    AuthorizationHandle, AuthorizationStatus, ChallengeStatus, ChallengeType, Identifier, NewOrder,
    OrderStatus,
};
use std::time::Duration;

/// How long taking the answers away may take after the order ended.
const TIDYING: Duration = Duration::from_secs(30);
/// The same where somebody waits for the end, or the time for the order is up.
const HURRIED: Duration = Duration::from_secs(5);
const MAX_TOKEN: usize = 200;
const VALIDATING: &str = "the CA looks at the challenges";
const FINALIZING: &str = "the CA makes the certificate";

/// What is ordered.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// Host names (A-labels, `*.` for a wildcard) and IP addresses; the first is the common name
    /// too.
    pub names: &'a [String],
    /// The key that the certificate is for: a new one, or the one in use.
    pub key: &'a Key,
    /// The certificate that this one takes the place of, as PEM, so that a CA with renewal
    /// information knows (RFC 9773, 5). Left out where the CA has none.
    pub replaces: Option<&'a str>,
}

/// What came of an order.
#[derive(Debug)]
pub struct Ordered {
    /// The certificate, its key and its chain, checked.
    pub issued: Issued,
    /// Answers that could not be taken away again: the certificate is good all the same.
    pub left_behind: Vec<SolverError>,
}

/// An authorization as fetched: what is left to do for it.
enum Open {
    Done,
    Pending(Challenge),
    NotOffered { name: String, offered: String },
    Invalid { name: String, problem: Problem },
}

impl Account {
    /// Orders a certificate, answers the challenges through `solver`, and checks what comes.
    pub fn order(
        &self,
        wanted: &Order<'_>,
        solver: &mut dyn Solver,
        bounds: &Bounds<'_>,
    ) -> Result<Ordered, AcmeError> {
        let request = signing_request(wanted.names, wanted.key)?;
        let mut order = self.open(wanted, bounds)?;
        let challenges = self.challenges(&mut order, solver.kind(), bounds)?;
        let mut presented = Vec::new();
        let proved = self.present(&challenges, solver, bounds, &mut presented);
        let proved =
            proved.and_then(|()| self.prove(&mut order, &challenges, solver.kind(), bounds));
        let left_behind = tidy(&presented, solver, bounds);
        proved?;
        self.session.step(bounds, FINALIZING, async || {
            order.finalize_csr(&request.der).await
        })?;
        self.wait_for(&mut order, OrderStatus::Valid, FINALIZING, bounds)?;
        let pem = self
            .session
            .step(bounds, "fetching the chain", async || {
                order.certificate().await
            })?
            .unwrap_or_default();
        let issued = chain::accept(&pem, wanted.key, wanted.names, bounds.now())?;
        Ok(Ordered {
            issued,
            left_behind,
        })
    }

    fn open(
        &self,
        wanted: &Order<'_>,
        bounds: &Bounds<'_>,
    ) -> Result<instant_acme::Order, AcmeError> {
        let identifiers: Vec<_> = wanted.names.iter().map(|name| identified(name)).collect();
        let replaces = wanted.replaces.and_then(identifier);
        let doing = "placing the order";
        let plain = async || self.inner.new_order(&NewOrder::new(&identifiers)).await;
        let Some(replaces) = replaces else {
            return self.session.step(bounds, doing, plain);
        };
        let replacing = NewOrder::new(&identifiers).replaces(replaces);
        let answer = self.session.step(bounds, doing, async || {
            match self.inner.new_order(&replacing).await {
                Err(instant_acme::Error::Unsupported(_)) => plain().await,
                other => other,
            }
        });
        match answer {
            // It was replaced already, or the CA does not answer as RFC 9773 wants: an order
            // that names nothing is wanted still.
            Err(AcmeError::Refused(problem)) if is_about_replacing(&problem) => {
                self.session.step(bounds, doing, plain)
            }
            Err(AcmeError::BadAnswer { .. } | AcmeError::Unreachable { .. }) => {
                self.session.step(bounds, doing, plain)
            }
            other => other,
        }
    }

    /// What the CA wants proved.
    fn challenges(
        &self,
        order: &mut instant_acme::Order,
        wanted: ChallengeKind,
        bounds: &Bounds<'_>,
    ) -> Result<Vec<Challenge>, AcmeError> {
        let open = self
            .session
            .step(bounds, "asking what to prove", async || {
                let mut open = Vec::new();
                let mut all = order.authorizations();
                while let Some(one) = all.next().await {
                    open.push(look(&mut one?, wanted));
                }
                Ok(open)
            })?;
        let mut challenges = Vec::new();
        for one in open {
            match one {
                Open::Done => {}
                Open::Pending(challenge) if is_token(&challenge.token) => {
                    challenges.push(challenge)
                }
                Open::Pending(challenge) => {
                    return Err(AcmeError::BadAnswer {
                        url: self.session.url.clone(),
                        reason: format!("the token for {} is not base64url", challenge.name),
                    });
                }
                Open::NotOffered { name, offered } => {
                    return Err(AcmeError::NotOffered {
                        name,
                        wanted,
                        offered,
                    });
                }
                Open::Invalid { name, problem } => {
                    return Err(AcmeError::ChallengeFailed {
                        name,
                        challenge: wanted,
                        problem,
                        answered_at: Box::default(),
                    });
                }
            }
        }
        Ok(challenges)
    }

    /// Puts the answers in place; `presented` are those to take away again.
    fn present<'c>(
        &self,
        challenges: &'c [Challenge],
        solver: &mut dyn Solver,
        bounds: &Bounds<'_>,
        presented: &mut Vec<&'c Challenge>,
    ) -> Result<(), AcmeError> {
        for challenge in challenges {
            presented.push(challenge);
            let answer = solver.present(challenge, bounds);
            answer.map_err(|source| AcmeError::Solver {
                name: challenge.name.clone(),
                challenge: solver.kind(),
                source,
            })?;
        }
        Ok(())
    }

    /// Asks the CA to look at the answers, and waits until it has.
    fn prove(
        &self,
        order: &mut instant_acme::Order,
        challenges: &[Challenge],
        kind: ChallengeKind,
        bounds: &Bounds<'_>,
    ) -> Result<(), AcmeError> {
        for challenge in challenges {
            let ready = self.session.step(bounds, VALIDATING, async || {
                ready(order, challenge, kind).await
            });
            if let Err(AcmeError::Refused(problem)) = ready {
                return Err(AcmeError::ChallengeFailed {
                    name: challenge.name.clone(),
                    challenge: kind,
                    problem,
                    answered_at: Box::default(),
                });
            }
            ready?;
        }
        match self.wait_for(order, OrderStatus::Ready, VALIDATING, bounds) {
            Err(AcmeError::Refused(problem)) => Err(self.which(order, kind, problem, bounds)),
            other => other,
        }
    }

    /// Polls until the order has come as far as `status`.
    fn wait_for(
        &self,
        order: &mut instant_acme::Order,
        status: OrderStatus,
        doing: &'static str,
        bounds: &Bounds<'_>,
    ) -> Result<(), AcmeError> {
        let mut pauses = Pauses::new();
        loop {
            let now = order.state();
            let reached = now.status == status || now.status == OrderStatus::Valid;
            if reached {
                return Ok(());
            }
            if now.status == OrderStatus::Invalid {
                let problem = now.error.clone().map(Problem::from).unwrap_or_default();
                return Err(AcmeError::Refused(problem));
            }
            let refreshed = self
                .session
                .step(bounds, doing, async || order.refresh().await.map(|_| ()));
            if let Err(limited @ AcmeError::RateLimited { .. }) = refreshed {
                // The order lives on: only this question came too early.
                let paused = self.session.pause(bounds, &mut pauses, doing);
                paused.map_err(|_| limited)?;
                continue;
            }
            refreshed?;
            if matches!(
                order.state().status,
                OrderStatus::Pending | OrderStatus::Processing
            ) {
                self.session.pause(bounds, &mut pauses, doing)?;
            }
        }
    }

    /// Which name made the order fail.
    fn which(
        &self,
        order: &mut instant_acme::Order,
        kind: ChallengeKind,
        problem: Problem,
        bounds: &Bounds<'_>,
    ) -> AcmeError {
        match self.challenges(order, kind, bounds) {
            Err(failed @ AcmeError::ChallengeFailed { .. }) => failed,
            _ => AcmeError::Refused(problem),
        }
    }
}

/// Whether a refusal may be one of `replaces` alone (RFC 9773, 5, and what CAs answer that find no
/// such certificate of the account). Any other would only be given twice.
fn is_about_replacing(problem: &Problem) -> bool {
    let kinds = ["alreadyReplaced", "conflict", "malformed", "unauthorized"];
    kinds.contains(&problem.kind.as_str())
}

/// Takes every answer away that was presented; what failed.
fn tidy(
    presented: &[&Challenge],
    solver: &mut dyn Solver,
    bounds: &Bounds<'_>,
) -> Vec<SolverError> {
    let allowed = match bounds.check() {
        Err(_) => HURRIED,
        Ok(()) => TIDYING,
    };
    let bounds = bounds.afterwards(allowed);
    let tidied = presented.iter().map(|one| solver.clean_up(one, &bounds));
    tidied.filter_map(Result::err).collect()
}

fn look<'a>(authorization: &'a mut AuthorizationHandle<'a>, wanted: ChallengeKind) -> Open {
    let name = match authorization.identifier().identifier {
        Identifier::Dns(name) => name.clone(),
        other => other.authorized(false).to_string(),
    };
    match authorization.status {
        AuthorizationStatus::Valid => Open::Done,
        AuthorizationStatus::Pending => pending(authorization, name, wanted),
        _ => {
            let errors = authorization.challenges.iter();
            let problem = errors.filter_map(|one| one.error.clone()).next();
            Open::Invalid {
                name,
                problem: problem.map(Problem::from).unwrap_or_default(),
            }
        }
    }
}

fn pending<'a>(
    authorization: &'a mut AuthorizationHandle<'a>,
    name: String,
    wanted: ChallengeKind,
) -> Open {
    let offered: Vec<_> = authorization
        .challenges
        .iter()
        .map(|one| match &one.r#type {
            ChallengeType::Http01 => "http-01",
            ChallengeType::Dns01 => "dns-01",
            ChallengeType::TlsAlpn01 => "tls-alpn-01",
            _ => "others",
        })
        .collect();
    let offered = offered.join(", ");
    match authorization.challenge(type_of(wanted)) {
        None => Open::NotOffered { name, offered },
        Some(challenge) => {
            let answer = challenge.key_authorization();
            Open::Pending(Challenge {
                name,
                token: challenge.token.clone(),
                key_authorization: answer.as_str().to_owned(),
                dns_value: answer.dns_value(),
            })
        }
    }
}

/// Tells the CA to look at one challenge, found again by its token.
async fn ready(
    order: &mut instant_acme::Order,
    challenge: &Challenge,
    kind: ChallengeKind,
) -> Result<(), instant_acme::Error> {
    let mut all = order.authorizations();
    while let Some(one) = all.next().await {
        let mut one = one?;
        if let Some(mut found) = one.challenge(type_of(kind))
            && found.token == challenge.token
            && found.status == ChallengeStatus::Pending
        {
            return found.set_ready().await;
        }
    }
    Ok(())
}

fn type_of(kind: ChallengeKind) -> ChallengeType {
    match kind {
        ChallengeKind::Http01 => ChallengeType::Http01,
        ChallengeKind::Dns01 => ChallengeType::Dns01,
    }
}

fn identified(name: &str) -> Identifier {
    match name.parse() {
        Ok(address) => Identifier::Ip(address),
        Err(_) => Identifier::Dns(name.to_ascii_lowercase()),
    }
}

/// The token becomes a file name, so it is never taken on trust (RFC 8555, 8.1).
fn is_token(token: &str) -> bool {
    !token.is_empty()
        && token.len() <= MAX_TOKEN
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
