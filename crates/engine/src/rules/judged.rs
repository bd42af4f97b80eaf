//! Rules held against where mail really goes.
//!
//! Owns: answering the planner's questions about many rules in few calls: a table is asked for
//! thousands of keys at once. Never: decides what speaks against a rule.

use super::service_names;
use super::weaker::weakened;
use crate::explain::{answer, failed};
use crate::{Engine, EngineError};
use postseal_host::Host;
use postseal_planner::facts::Facts;
use postseal_planner::intent::AdoptedTables;
use postseal_planner::policy::{
    Followed, Home, Hops, Judged, Leads, Listed, Named, RouteTables, Rule, Useless, askers,
    by_fallbacks, by_names, by_routes, dialect, fallbacks, faults_all, follow_all, is_other_hop,
    judge_all, may_be_others_hop, needs_route, never_asked, passed_by, route_tables, unkept,
    without_closed,
};
use postseal_planner::resolve::{Answer, Answers, Asked, Question};
use postseal_planner::{Finding, Severity};
use postseal_store::InstanceState;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::panic::resume_unwind;

/// Rules judged together: their answers are in memory at once.
const TOGETHER: usize = 10_000;
/// So many bytes of a table of routes are listed.
const MOST_LISTED: u64 = 64 << 20;
/// So many tables that cannot be listed are shown.
const SHOWN: usize = 3;
/// Fewer rules are judged before a thread has begun.
const WORTH_A_THREAD: usize = 1_000;
/// A way is found in fewer rounds of questions.
const MOST_ROUNDS: usize = 400;

/// What speaks against each of the rules that are wished, in their order, and what is only told of it
/// (see [`is_against`]).
pub(crate) fn judged(
    host: &dyn Host,
    facts: &Facts,
    tables: Option<&AdoptedTables>,
    rules: &[&Rule],
) -> Vec<Vec<Finding>> {
    let each = rules
        .iter()
        .zip(against(host, facts, Home::Rules(tables), rules));
    let weakened = weakened(host, facts, tables, rules);
    let findings = each.zip(weakened).map(|((rule, mut one), weakened)| {
        one.faults.extend(weakened);
        one.findings(facts, rule)
    });
    findings.collect()
}

/// What the clients that would go by each of the rules lack, in their order.
pub(crate) fn lacking(
    host: &dyn Host,
    facts: &Facts,
    tables: Option<&AdoptedTables>,
    rules: &[&Rule],
) -> Vec<Vec<Finding>> {
    let each = against(host, facts, Home::Rules(tables), rules).into_iter();
    each.map(|one| one.faults).collect()
}

/// Why a rule would do nothing; where tables may name it as a next hop that cannot be listed, with
/// them.
fn words(facts: &Facts, rule: &Rule, useless: &[Useless]) -> Vec<Finding> {
    let each = useless.iter().map(|one| {
        let hidden = match is_other_hop(&one.cause) {
            true => route_tables(facts).hidden,
            false => Vec::new(),
        };
        let hidden = hidden.into_iter().take(SHOWN);
        hidden.fold(one.finding(rule), |finding, table| {
            finding.seen(format!(
                "{table} cannot be listed: whether it names {} as a next hop is not known",
                rule.id.shown()
            ))
        })
    });
    each.collect()
}

/// What speaks against each of the rules, in their order, as far as mail does not come to them.
pub(super) fn met_by_mail(
    host: &dyn Host,
    facts: &Facts,
    tables: Option<&AdoptedTables>,
    rules: &[&Rule],
) -> Vec<Vec<Finding>> {
    let met = met(host, facts, Home::Rules(tables), rules);
    let each = rules.iter().zip(met);
    each.map(|(rule, one)| words(facts, rule, &one.useless))
        .collect()
}

/// What keeps a rule from holding.
#[derive(Clone, Debug, Default)]
pub(super) struct Against {
    /// What it does not meet.
    pub(super) useless: Vec<Useless>,
    /// What the clients that go by it lack.
    pub(super) faults: Vec<Finding>,
    /// What else it meets: of this is told, although the rule holds.
    pub(super) met: Judged,
}

/// Whether a finding of [`judged`] speaks against a rule.
pub(crate) fn is_against(finding: &Finding) -> bool {
    finding.severity >= Severity::Error
}

impl Engine<'_> {
    /// Where the rows of the rules stand as they are wished: where nothing is, the adopted tables go on
    /// to answer.
    pub(super) fn home_wished<'s>(
        &self,
        state: &'s InstanceState,
    ) -> Result<Home<'s>, EngineError> {
        let tables = state.desired.tables.as_ref();
        Ok(match self.store.pending_rules(&self.instance)? {
            0 => Home::InForce(tables),
            _ => Home::Rules(tables),
        })
    }
}

impl Against {
    /// The same in words.
    pub(super) fn findings(self, facts: &Facts, rule: &Rule) -> Vec<Finding> {
        let useless = words(facts, rule, &self.useless).into_iter();
        let met = [(rule, &self.met)];
        let told = passed_by(&met).into_iter().chain(never_asked(&met));
        useless.chain(self.faults).chain(told).collect()
    }
}

/// What keeps each of the rules from holding, in their order.
pub(super) fn against(
    host: &dyn Host,
    facts: &Facts,
    home: Home<'_>,
    rules: &[&Rule],
) -> Vec<Against> {
    let met = met(host, facts, home, rules);
    let mut all = Vec::with_capacity(rules.len());
    for (rules, met) in rules.chunks(TOGETHER).zip(met.chunks(TOGETHER)) {
        let pairs: Vec<(&Rule, &Judged)> = rules.iter().copied().zip(met).collect();
        let faults = together(host, &pairs, &|asked, answers| {
            faults_all(asked, facts, answers)
        });
        let unknown = service_names::unknown(host, rules);
        let each = pairs.iter().zip(faults).zip(unknown);
        all.extend(each.map(|(((_, met), faults), unknown)| {
            Against {
                useless: met.useless.clone(),
                faults: unknown
                    .into_iter()
                    .chain(faults.unwrap_or_default())
                    .collect(),
                met: (*met).clone(),
            }
        }));
    }
    all
}

/// Those of some policies that a client which asks the rules could not keep.
pub(super) fn policies_unkept(
    host: &dyn Host,
    facts: &Facts,
    tables: Option<&AdoptedTables>,
    policies: &[String],
) -> Vec<String> {
    let found = together(host, &[policies], &|asked, answers| {
        let asked = asked.iter();
        asked
            .map(|one| unkept(one, tables, facts, answers))
            .collect()
    });
    found.into_iter().flatten().flatten().collect()
}

/// How mail comes to a next hop, as its routes say.
#[derive(Clone, Debug, Default)]
pub struct WayTo {
    /// The transport of the client that goes there: of one that asks the rules, where there is one;
    /// `None` where no route leads there.
    pub client: Option<String>,
    /// Why a rule for it would do nothing.
    pub findings: Vec<Finding>,
}

/// How mail comes to a next hop; nothing is known of what no rule can be for.
pub fn way_to(host: &dyn Host, facts: &Facts, nexthop: &str) -> WayTo {
    let Ok(rule) = Rule::new(nexthop, None, "encrypt", dialect(facts.version)) else {
        return WayTo::default();
    };
    let met = met(host, facts, Home::Rules(None), &[&rule]);
    let Some(met) = met.into_iter().next() else {
        return WayTo::default();
    };
    WayTo {
        findings: {
            let useless = met.useless.iter().map(|one| one.finding(&rule));
            useless.chain(never_asked(&[(&rule, &met)])).collect()
        },
        client: met.client(),
    }
}

/// What each of the rules meets, in their order.
pub(super) fn met(host: &dyn Host, facts: &Facts, home: Home<'_>, rules: &[&Rule]) -> Vec<Judged> {
    let mut all: Vec<Judged> = Vec::with_capacity(rules.len());
    for chunk in rules.chunks(TOGETHER) {
        let found = together(host, chunk, &|asked, answers| {
            judge_all(asked, home, facts, answers)
        });
        all.extend(found.into_iter().map(Option::unwrap_or_default));
    }
    let clients = askers(home, facts);
    let useless = all.iter().flat_map(|one| &one.useless);
    let is_elsewhere = useless.into_iter().any(|one| may_be_others_hop(&one.cause));
    let by_client = is_elsewhere || clients.differ();
    if by_client || rules.iter().any(|rule| needs_route(rule)) {
        let NextHops { hops, leads, named } = next_hops(host, facts);
        for (rule, found) in rules.iter().zip(&mut all) {
            if by_client {
                by_routes(rule, found, (&hops, &leads), &clients);
            }
            by_names(rule, found, &named);
        }
    }
    let asked = together(host, &[()], &|_, answers| vec![fallbacks(facts, answers)]);
    let mut ways = asked.into_iter().flatten().next().unwrap_or_default();
    without_closed(&mut ways, rules);
    for (rule, found) in rules.iter().zip(&mut all) {
        by_fallbacks(rule, found, &ways);
    }
    all
}

/// What names next hops.
pub(crate) struct NextHops {
    hops: Hops,
    pub(super) leads: BTreeMap<String, Leads>,
    pub(crate) named: Named,
}

/// The next hops that routes name, as far as their tables can be listed.
pub(crate) fn next_hops(host: &dyn Host, facts: &Facts) -> NextHops {
    let RouteTables {
        mut hops,
        mut leads,
        tables,
        others,
        mut listed,
        mut hidden,
    } = route_tables(facts);
    for table in tables {
        let Ok(rows) = host.table_rows(&table.table) else {
            listed = Listed::Partly;
            hidden.push(table.table);
            continue;
        };
        let mut rows = BufReader::new(rows.take(MOST_LISTED));
        for line in rows.by_ref().split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if let Some(row) = line.split_once('\t') {
                table.add(row, &mut hops, &mut leads);
            }
        }
        if rows.get_ref().limit() == 0 {
            listed = Listed::Partly;
        }
    }
    let named = Named::of(&hops, &others, listed).beside(hidden);
    NextHops { hops, leads, named }
}

/// Where the mail goes that rules for recipients are for, in their order.
pub(super) fn followed(host: &dyn Host, facts: &Facts, wishes: &[&Rule]) -> Vec<Followed> {
    let mut all = Vec::with_capacity(wishes.len());
    for chunk in wishes.chunks(TOGETHER) {
        let found = together(host, chunk, &|asked, answers| {
            follow_all(asked, facts, answers)
        });
        all.extend(found.into_iter().map(Option::unwrap_or_default));
    }
    all
}

/// A question about several rules, by what is known so far.
type Ask<'a, R, T> = dyn Fn(&[R], &Answers) -> Vec<Asked<T>> + Sync + 'a;

/// Asks for all of the rules until each has its answer; `None` for those that ask without end.
fn together<R: Copy + Sync, T: Clone + Send>(
    host: &dyn Host,
    rules: &[R],
    ask: &Ask<'_, R, T>,
) -> Vec<Option<T>> {
    let mut answers = Answers::default();
    let mut found: Vec<Option<T>> = vec![None; rules.len()];
    let mut open: Vec<usize> = (0..rules.len()).collect();
    for _ in 0..MOST_ROUNDS {
        let asked: Vec<R> = open.iter().map(|i| rules[*i]).collect();
        let mut questions = Vec::new();
        let mut still = Vec::new();
        for (i, answered) in open.iter().zip(side_by_side(&asked, &answers, ask)) {
            match answered {
                Asked::Answered(answer) => found[*i] = Some(answer),
                Asked::Unanswered(question) => {
                    questions.push(question);
                    still.push(*i);
                }
            }
        }
        if still.is_empty() {
            break;
        }
        answer_all(host, questions, &mut answers);
        open = still;
    }
    found
}

/// What [`Ask`] says, by as many threads as there are processors.
fn side_by_side<R: Sync, T: Send>(
    rules: &[R],
    answers: &Answers,
    ask: &Ask<'_, R, T>,
) -> Vec<Asked<T>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = rules.len().div_ceil(threads).max(WORTH_A_THREAD);
    let Some((own, others)) = rules.split_at_checked(share) else {
        return ask(rules, answers);
    };
    std::thread::scope(|scope| {
        let others = others.chunks(share);
        let others: Vec<_> = others
            .map(|rules| scope.spawn(move || ask(rules, answers)))
            .collect();
        let mut all = ask(own, answers);
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    })
}

/// Asks each table once for all of its keys.
fn answer_all(host: &dyn Host, questions: Vec<Question>, answers: &mut Answers) {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for question in questions {
        match question {
            Question::Lookup { table, key } => tables.entry(table).or_default().push(key),
            other => {
                if answers.get(&other).is_none() {
                    let found = answer(host, &other);
                    answers.put(other, found);
                }
            }
        }
    }
    for (table, mut keys) in tables {
        keys.sort();
        keys.dedup();
        let found: Vec<Answer> = match host.lookups(&table, &keys) {
            Ok(found) => found
                .into_iter()
                .map(|value| value.map_or(Answer::NotFound, Answer::Found))
                .collect(),
            Err(error) => vec![failed(&error); keys.len()],
        };
        for (key, value) in keys.into_iter().zip(found) {
            let question = Question::Lookup {
                table: table.clone(),
                key,
            };
            answers.put(question, value);
        }
    }
}
