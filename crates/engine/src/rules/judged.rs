//! Rules held against where mail really goes.
//!
//! Owns: answering the planner's questions about many rules in few calls: a table is asked for
//! thousands of keys at once. Never: decides what speaks against a rule.

use crate::explain::{answer, failed};
use postseal_host::Host;
use postseal_planner::Finding;
use postseal_planner::facts::Facts;
use postseal_planner::policy::{Followed, Rule, follow_all, judge_all, judge_policies};
use postseal_planner::resolve::{Answer, Answers, Asked, Question};
use std::collections::BTreeMap;

/// Rules judged together: their answers are in memory at once.
const TOGETHER: usize = 10_000;
/// A way is found in fewer rounds of questions.
const MOST_ROUNDS: usize = 400;

/// What speaks against each of the rules, in their order.
pub(crate) fn judged(host: &dyn Host, facts: &Facts, rules: &[&Rule]) -> Vec<Vec<Finding>> {
    let mut all = Vec::with_capacity(rules.len());
    for chunk in rules.chunks(TOGETHER) {
        all.extend(chunk_judged(host, facts, chunk));
    }
    all
}

/// What speaks against policies, whatever their destinations, in these files.
pub(crate) fn policies_judged(host: &dyn Host, facts: &Facts, policies: &[String]) -> Vec<Finding> {
    let mut answers = Answers::default();
    for _ in 0..MOST_ROUNDS {
        match judge_policies(policies, facts, &answers) {
            Asked::Answered(findings) => return findings.into_iter().flatten().collect(),
            Asked::Unanswered(question) => answer_all(host, vec![question], &mut answers),
        }
    }
    Vec::new()
}

fn chunk_judged(host: &dyn Host, facts: &Facts, rules: &[&Rule]) -> Vec<Vec<Finding>> {
    let found = together(host, rules, &mut |asked, answers| {
        judge_all(asked, facts, answers)
    });
    found.into_iter().map(Option::unwrap_or_default).collect()
}

/// Where the mail goes that rules for recipients are for, in their order.
pub(super) fn followed(host: &dyn Host, facts: &Facts, wishes: &[&Rule]) -> Vec<Followed> {
    let mut all = Vec::with_capacity(wishes.len());
    for chunk in wishes.chunks(TOGETHER) {
        let found = together(host, chunk, &mut |asked, answers| {
            follow_all(asked, facts, answers)
        });
        all.extend(found.into_iter().map(Option::unwrap_or_default));
    }
    all
}

/// A question about several rules, by what is known so far.
type Ask<'a, T> = dyn FnMut(&[&Rule], &Answers) -> Vec<Asked<T>> + 'a;

/// Asks for all of the rules until each has its answer; `None` for those that ask without end.
fn together<T: Clone>(host: &dyn Host, rules: &[&Rule], ask: &mut Ask<'_, T>) -> Vec<Option<T>> {
    let mut answers = Answers::default();
    let mut found: Vec<Option<T>> = vec![None; rules.len()];
    let mut open: Vec<usize> = (0..rules.len()).collect();
    for _ in 0..MOST_ROUNDS {
        let asked: Vec<&Rule> = open.iter().map(|i| rules[*i]).collect();
        let mut questions = Vec::new();
        let mut still = Vec::new();
        for (i, answered) in open.iter().zip(ask(&asked, &answers)) {
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
