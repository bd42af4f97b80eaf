//! The options and operands of each task.
//!
//! Owns: their names on the command line. Never: the verb.

use postseal_planner::task::{
    Acceptance, Checks, CredentialWords, Format, NewKey, Order, Places, Removal, RuleFilter,
    RuleWords, Task,
};
use std::fmt::Display;

/// The words behind a verb.
#[derive(Debug, Default)]
pub(super) struct Words {
    options: Vec<String>,
    operands: Vec<String>,
}

impl Words {
    pub(super) fn all(mut self) -> Vec<String> {
        if !self.operands.is_empty() {
            self.options.push("--".to_owned());
        }
        self.options.append(&mut self.operands);
        self.options
    }

    pub(super) fn instance(&mut self, task: &Task) {
        match task {
            Task::Show {
                parameters,
                all,
                expand,
                service,
                cipher_list,
            } => {
                self.flag("--all", *all);
                self.flag("-x", *expand);
                self.flag("--cipher-list", *cipher_list);
                self.option("--service", service.as_ref());
                self.operands(parameters);
            }
            Task::Explain { what, sender } => {
                self.option("--sender", Some(sender).filter(|sender| !sender.is_empty()));
                self.operands([what]);
            }
            Task::Lint { fix, with } => {
                self.flag("--fix", *fix);
                self.each("--with", with);
            }
            Task::Set { pairs, beside } => {
                self.each("--unset", &beside.unset);
                self.each("--bind", &beside.bind);
                self.each("--unbind", &beside.unbind);
                self.flag("--whole", beside.whole);
                self.flag("--check", beside.check);
                self.operands(pairs);
            }
            Task::Unset { keys } => self.operands(keys),
            Task::Probe {
                targets,
                smtps,
                full,
            } => {
                self.flag("--smtps", *smtps);
                self.flag("--full", *full);
                self.operands(targets);
            }
            Task::Export { in_force } => self.flag("--in-force", *in_force),
            Task::ProfileShow { name } => self.operands([name]),
            Task::ProfileDiff { name, other } => {
                self.operands([name]);
                self.operands(other);
            }
            _ => {}
        }
    }

    pub(super) fn operation(&mut self, task: &Task) {
        match task {
            Task::Plan { diff } => self.flag("--diff", *diff),
            Task::Apply {
                plan,
                check,
                accept,
                confirm_within,
            } => {
                self.change(*check, accept, *confirm_within);
                self.operands(plan);
            }
            Task::Rollback {
                operation,
                check,
                accept,
                confirm_within,
            } => {
                self.change(*check, accept, *confirm_within);
                self.operands(operation);
            }
            Task::History { limit } => self.option("--limit", limit.as_ref()),
            Task::Diff { operation, upto } => {
                self.operands([operation]);
                self.operands(upto);
            }
            Task::Drift {
                adopt,
                restore,
                check,
            } => {
                self.flag("--adopt", *adopt);
                self.flag("--restore", *restore);
                self.flag("--check", *check);
                self.flag("--yes", *restore && !*check);
            }
            _ => {}
        }
    }

    pub(super) fn policy(&mut self, task: &Task) {
        match task {
            Task::PolicyList {
                filter,
                limit,
                skip,
            } => {
                self.option("--limit", limit.as_ref());
                self.option("--skip", skip.as_ref());
                self.filter(filter);
            }
            Task::PolicyAdd {
                destination,
                level,
                follow,
                rule,
                checks,
            } => {
                self.flag("--follow", *follow);
                self.rule(rule);
                self.checks(checks);
                self.operands([destination, level]);
            }
            Task::PolicyEdit {
                destination,
                level,
                rule,
                without,
                was,
                checks,
            } => {
                self.each("--without", without);
                self.option("--was", was.as_ref());
                self.rule(rule);
                self.checks(checks);
                self.operands([destination]);
                self.operands(level);
            }
            _ => {}
        }
    }

    pub(super) fn policies(&mut self, task: &Task) {
        match task {
            Task::PolicyRemove(Removal {
                destinations,
                from,
                revision,
                was,
            }) => {
                self.option("--was", was.as_ref());
                self.option("--from", from.as_ref().map(|_| "-"));
                self.option("--revision", revision.as_ref());
                self.operands(destinations);
            }
            Task::PolicyCheck {
                destinations,
                policy,
            } => {
                self.option("--policy", policy.as_ref());
                self.operands(destinations);
            }
            Task::PolicyImport(import) => {
                self.option("--format", Some(import.format.name()));
                self.flag("--check", import.check);
                self.option("--revision", import.revision.as_ref());
                self.flag("--partial", import.partial);
                self.operands(["-"]);
            }
            Task::PolicyExport { format, in_force } => {
                self.option("--format", format.map(Format::name));
                self.flag("--in-force", *in_force);
            }
            _ => {}
        }
    }

    pub(super) fn domain(&mut self, task: &Task) {
        match task {
            Task::DomainAdd { domain, words } => {
                self.flag("--requires-auth", words.requires_auth == Some(true));
                self.flag("--smtps", words.smtps == Some(true));
                self.credentials(words);
                self.operands([domain]);
            }
            Task::DomainEdit { domain, words, was } => {
                self.option("--was", was.as_ref());
                self.option("--requires-auth", words.requires_auth);
                self.option("--smtps", words.smtps);
                self.credentials(words);
                self.operands([domain]);
            }
            Task::DomainRemove { domains, was } => {
                self.option("--was", was.as_ref());
                self.operands(domains);
            }
            Task::DomainSync { checks } => self.checks(checks),
            _ => {}
        }
    }

    pub(super) fn certificate(&mut self, task: &Task) {
        match task {
            Task::CertShow { name } | Task::CertExport { name } | Task::CertDeploy { name } => {
                self.operands([name]);
            }
            Task::CertImport { name, renew, .. } => {
                self.flag("--sealed", true);
                self.flag("--renew", *renew);
                self.operands([name]);
            }
            Task::CertCheck { name } => self.operands(name),
            Task::CertTlsa { name, mx } => {
                self.each("--mx", mx);
                self.operands([name]);
            }
            Task::CertRenew { names, force } => {
                self.flag("--force", *force);
                self.operands(names);
            }
            Task::CertBind {
                name,
                places,
                allow_self_signed,
            } => {
                self.places(places);
                self.flag("--allow-self-signed", *allow_self_signed);
                self.operands([name]);
            }
            Task::CertUnbind { name, places } => {
                self.places(places);
                self.operands([name]);
            }
            Task::CertDelete { name, version } => {
                self.option("--version", version.as_ref());
                self.operands([name]);
            }
            _ => {}
        }
    }

    pub(super) fn made(&mut self, task: &Task) {
        match task {
            Task::CertSelfSigned {
                name,
                domains,
                key,
                days,
            } => {
                self.each("--domain", domains);
                self.key(*key);
                self.option("--days", days.as_ref());
                self.operands([name]);
            }
            Task::CertRequest {
                name,
                domains,
                key,
                forget,
            } => {
                self.each("--domain", domains);
                self.key(*key);
                self.flag("--forget", *forget);
                self.operands(name);
            }
            Task::CertIssue {
                name,
                domains,
                keys,
                order,
            } => {
                self.each("--domain", domains);
                self.each("--key-type", keys.iter().map(|kind| kind.name()));
                self.order(order);
                self.operands([name]);
            }
            _ => {}
        }
    }
}

/// What several have in common.
impl Words {
    /// Nobody is there to be asked: who files it has seen the plan.
    fn change(&mut self, check: bool, accept: &[Acceptance], confirm_within: Option<u32>) {
        self.flag("--check", check);
        self.flag("--yes", !check);
        let accepted = accept
            .iter()
            .map(|one| format!("{}={}", one.code, one.host));
        self.each("--accept", accepted);
        self.option("--confirm-within", confirm_within.map(|n| format!("{n}s")));
    }

    fn filter(&mut self, filter: &RuleFilter) {
        self.option("--level", filter.level.as_ref());
        self.option("--owner", filter.owner.as_ref());
        self.option("--tag", filter.tag.as_ref());
        self.option("--due", filter.due.as_ref());
        self.flag("--pending", filter.pending);
        self.operands(&filter.search);
    }

    fn rule(&mut self, rule: &RuleWords) {
        self.option("--match", rule.names.as_ref());
        self.option("--protocols", rule.protocols.as_ref());
        self.option("--ciphers", rule.ciphers.as_ref());
        self.option("--exclude", rule.exclude.as_ref());
        self.option("--servername", rule.servername.as_ref());
        self.attribute("connection_reuse", rule.connection_reuse);
        self.attribute("enable_rpk", rule.enable_rpk);
        self.option("--scope", rule.scope.as_ref());
        self.option("--note", rule.note.as_ref());
        self.option("--owner", rule.owner.as_ref());
        self.each("--tag", &rule.tags);
        self.option("--until", rule.until.as_ref());
    }

    fn attribute(&mut self, name: &str, value: Option<bool>) {
        let value = value.map(|yes| if yes { "yes" } else { "no" });
        self.option("--attribute", value.map(|value| format!("{name}={value}")));
    }

    fn credentials(&mut self, words: &CredentialWords) {
        self.option("--next-hop", words.next_hop.as_ref());
        self.option("--level", words.level.as_ref());
        self.option("--match", words.names.as_ref());
        self.option("--note", words.note.as_ref());
        self.checks(&words.checks);
    }

    fn checks(&mut self, checks: &Checks) {
        self.flag("--force", checks.force_reason.is_some());
        self.option("--reason", checks.force_reason.as_ref());
        self.flag("--no-preflight", checks.no_preflight);
    }

    fn key(&mut self, key: NewKey) {
        match key.reuse {
            true => self.flag("--reuse-key", true),
            false => self.option("--key-type", Some(key.kind.name())),
        }
        self.flag("--renew", key.renew);
    }

    fn order(&mut self, order: &Order) {
        self.flag("--staging", order.staging);
        self.flag("--agree-terms", order.agree_terms);
        self.each("--contact", &order.contacts);
        self.flag("--renew", order.renew);
    }

    fn places(&mut self, places: &Places) {
        self.each("--service", &places.services);
        self.each("--sni", &places.sni);
        self.flag("--client", places.client);
        self.option("--transport", places.transport.as_ref());
    }

    fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.options.push(name.to_owned());
        }
    }

    fn option(&mut self, name: &str, value: Option<impl Display>) {
        self.options
            .extend(value.map(|value| format!("{name}={value}")));
    }

    fn each(&mut self, name: &str, values: impl IntoIterator<Item = impl Display>) {
        for value in values {
            self.option(name, Some(value));
        }
    }

    fn operands(&mut self, values: impl IntoIterator<Item = impl Display>) {
        let values = values.into_iter().map(|value| value.to_string());
        self.operands.extend(values);
    }
}
