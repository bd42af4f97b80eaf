//! Which suites or groups a server takes, one connection for each that it does.
//!
//! Owns: the order of questions: everything is offered, what was chosen is left out, until the server
//! says no. A version that takes what another was seen to take is proved by three connections.
//! Never: makes a ClientHello, knows a protocol version.

use super::answer::Flight;
use super::asking::{Answer, Asker};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order in which the server chose them.
    pub(super) chosen: Vec<u16>,
    /// Only the first and the last were chosen; all outside of them were refused.
    pub(super) alike: bool,
    /// Why there may be more.
    pub(super) unasked: Option<String>,
    /// The server's flights.
    pub(super) flights: Vec<Flight>,
}

/// Flights that are kept with all that they hold. There are more only where the budget is raised and the
/// server takes everything.
const KEPT: usize = 150;

impl Found {
    fn keep(&mut self, mut flight: Flight) {
        if self.flights.len() >= KEPT {
            flight.chain.clear();
            flight.asks = None;
        }
        self.flights.push(flight);
    }
}

/// How a question is put, and what an answer chose.
pub(super) struct Question<'q> {
    /// The ClientHello that offers these.
    pub(super) hello: &'q (dyn Fn(&[u16]) -> Vec<u8> + Sync),
    /// Which of them a flight chose; `None` for a flight in another version.
    pub(super) chosen: &'q (dyn Fn(&Flight) -> Option<u16> + Sync),
}

impl Question<'_> {
    /// Asks for `offered`; what was chosen.
    fn put(&self, asker: &Asker, offered: &[u16]) -> Choice {
        match asker.ask(&(self.hello)(offered)) {
            Answer::Flight(flight) => match (self.chosen)(&flight) {
                Some(one) if offered.contains(&one) => Choice::Of(one, flight),
                _ => Choice::None,
            },
            Answer::Refused(_) => Choice::None,
            Answer::Unknown(why) => Choice::Unknown(why),
        }
    }
}

enum Choice {
    Of(u16, Flight),
    None,
    Unknown(String),
}

/// All of `offered` that the server takes.
pub(super) fn all(asker: &Asker, mut offered: Vec<u16>, question: &Question<'_>) -> Found {
    let mut found = Found::default();
    while !offered.is_empty() {
        match question.put(asker, &offered) {
            Choice::Of(one, flight) => {
                offered.retain(|other| *other != one);
                found.chosen.push(one);
                found.keep(flight);
            }
            Choice::None => break,
            Choice::Unknown(why) => {
                found.unasked = Some(why);
                break;
            }
        }
    }
    found
}

/// The same, where `expected` is what the server took in another version: where it refuses all others,
/// and takes the first and the last, it is taken to have the same here.
pub(super) fn as_expected(
    asker: &Asker,
    offered: &[u16],
    expected: &[u16],
    question: &Question<'_>,
) -> Found {
    let others: Vec<u16> = offered
        .iter()
        .copied()
        .filter(|one| !expected.contains(one))
        .collect();
    let (Some(first), Some(last)) = (expected.first(), expected.last()) else {
        return all(asker, others, question);
    };
    // Each of few is asked for as quickly.
    if expected.len() < 3 {
        return all(asker, offered.to_vec(), question);
    }
    let mut found = Found {
        chosen: expected.to_vec(),
        alike: true,
        ..Found::default()
    };
    let asked = [
        (others.as_slice(), None),
        (expected, Some(*first)),
        (&[*last], Some(*last)),
    ];
    for (offer, wanted) in asked {
        if offer.is_empty() {
            continue;
        }
        match (question.put(asker, offer), wanted) {
            (Choice::None, None) => {}
            (Choice::Of(one, flight), Some(wanted)) if one == wanted => found.keep(flight),
            (Choice::Unknown(why), _) => {
                return Found {
                    unasked: Some(why),
                    ..Found::default()
                };
            }
            _ => return all(asker, offered.to_vec(), question),
        }
    }
    found
}

/// Who chooses: what came first of `offered`, and what comes when they are offered the other way
/// round. `None` where that does not tell.
pub(super) fn reversed(asker: &Asker, offered: &[u16], question: &Question<'_>) -> Option<u16> {
    let turned: Vec<u16> = offered.iter().rev().copied().collect();
    match question.put(asker, &turned) {
        Choice::Of(one, _) => Some(one),
        Choice::None | Choice::Unknown(_) => None,
    }
}
