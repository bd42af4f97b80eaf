//! A store whose disk is full.
//!
//! Owns: [`FullStore`]: from the n-th write on, every write fails; reading goes on. Never: keeps
//! anything itself.

use mailtls::Fingerprint;
use postseal_planner::policy::{Rule, RuleId};
use postseal_planner::renewal::Renewal;
use postseal_planner::{Intent, Plan, Preflight};
use postseal_store::{
    AcmeAccount, AcmeStore, AuditEntry, AuditLink, AuditStore, Certificate, Close, InstanceState,
    Known, LevelChange, NewCertificate, NewOperation, NextKey, Operation, PendingRequest, Phase,
    PolicyStore, RuleFilter, RuleState, RuleTake, RuleView, RuleWish, Staged, Store, StoreError,
    TrialEnd, Watch,
};
use zeroize::Zeroizing;

pub(crate) struct FullStore<'a> {
    pub(crate) inner: &'a mut dyn Store,
    /// Writes that still succeed.
    pub(crate) left: usize,
    /// Writes so far.
    pub(crate) writes: usize,
}

impl FullStore<'_> {
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.writes += 1;
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                work(self.inner)
            }
            None => Err(full()),
        }
    }
}

fn full() -> StoreError {
    StoreError::Database {
        action: "write",
        source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)),
    }
}

impl AcmeStore for FullStore<'_> {
    fn acme_account(&self, directory: &str) -> Result<Option<AcmeAccount>, StoreError> {
        self.inner.acme_account(directory)
    }

    fn acme_credentials(&self, directory: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.inner.acme_credentials(directory)
    }

    fn put_acme_account(
        &mut self,
        account: &AcmeAccount,
        credentials: &[u8],
    ) -> Result<(), StoreError> {
        self.write(|store| store.put_acme_account(account, credentials))
    }

    fn renewals(&self) -> Result<Vec<Renewal>, StoreError> {
        self.inner.renewals()
    }

    fn put_issued(&mut self, new: &NewCertificate, renewal: &Renewal) -> Result<(), StoreError> {
        self.write(|store| store.put_issued(new, renewal))
    }

    fn update_renewal(&mut self, renewal: &Renewal) -> Result<bool, StoreError> {
        self.write(|store| store.update_renewal(renewal))
    }

    fn delete_renewal(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(|store| store.delete_renewal(name))
    }
}

impl PolicyStore for FullStore<'_> {
    fn rules_revision(&self, instance: &str) -> Result<i64, StoreError> {
        self.inner.rules_revision(instance)
    }

    fn rules_news(&self, instance: &str) -> Result<i64, StoreError> {
        self.inner.rules_news(instance)
    }

    fn news_of_rules(
        &self,
        instance: &str,
        since: i64,
        limit: usize,
    ) -> Result<Option<Vec<String>>, StoreError> {
        self.inner.news_of_rules(instance, since, limit)
    }

    fn pending_rules(&self, instance: &str) -> Result<u64, StoreError> {
        self.inner.pending_rules(instance)
    }

    fn rule_states(&self, instance: &str, ids: &[RuleId]) -> Result<Vec<RuleState>, StoreError> {
        self.inner.rule_states(instance, ids)
    }

    fn rules(
        &self,
        instance: &str,
        view: RuleView,
        after: Option<&RuleId>,
        limit: usize,
    ) -> Result<Vec<Rule>, StoreError> {
        self.inner.rules(instance, view, after, limit)
    }

    fn policies(
        &self,
        instance: &str,
        view: RuleView,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        self.inner.policies(instance, view, limit)
    }

    fn rules_with(
        &self,
        instance: &str,
        view: RuleView,
        policies: &[String],
        limit: usize,
    ) -> Result<Vec<Rule>, StoreError> {
        self.inner.rules_with(instance, view, policies, limit)
    }

    fn list_rules(
        &self,
        instance: &str,
        filter: &RuleFilter,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RuleState>, StoreError> {
        self.inner.list_rules(instance, filter, skip, limit)
    }

    fn managed_rules(&self, instance: &str, limit: usize) -> Result<Vec<RuleState>, StoreError> {
        self.inner.managed_rules(instance, limit)
    }

    fn rule_changes(&self, operation: u64, limit: usize) -> Result<Vec<RuleState>, StoreError> {
        self.inner.rule_changes(operation, limit)
    }

    fn count_rule_changes(&self, operation: u64) -> Result<u64, StoreError> {
        self.inner.count_rule_changes(operation)
    }

    fn changed_since(
        &self,
        instance: &str,
        operation: u64,
        limit: usize,
    ) -> Result<Vec<RuleId>, StoreError> {
        self.inner.changed_since(instance, operation, limit)
    }

    fn rules_before(
        &self,
        instance: &str,
        operation: u64,
        ids: &[RuleId],
    ) -> Result<Vec<Option<Rule>>, StoreError> {
        self.inner.rules_before(instance, operation, ids)
    }

    fn rule_levels(&self, instance: &str, take: RuleTake) -> Result<Vec<LevelChange>, StoreError> {
        self.inner.rule_levels(instance, take)
    }

    fn known_destinations(&self, instance: &str) -> Result<Known, StoreError> {
        self.inner.known_destinations(instance)
    }

    fn due_rules(&self, instance: &str, day: &str) -> Result<u64, StoreError> {
        self.inner.due_rules(instance, day)
    }

    fn wish_rules(&mut self, instance: &str, wishes: &[RuleWish]) -> Result<(), StoreError> {
        self.write(|store| store.wish_rules(instance, wishes))
    }

    fn wish_none(&mut self, instance: &str, manager: &str) -> Result<(), StoreError> {
        self.write(|store| store.wish_none(instance, manager))
    }

    fn stage_rules(&mut self, wishes: &[RuleWish]) -> Result<u64, StoreError> {
        self.write(|store| store.stage_rules(wishes))
    }

    fn unstage_rules(&mut self, ids: &[RuleId]) -> Result<(), StoreError> {
        self.write(|store| store.unstage_rules(ids))
    }

    fn has_worded_rules(&self, instance: &str) -> Result<bool, StoreError> {
        self.inner.has_worded_rules(instance)
    }

    fn covered_rules(&self, instance: &str, limit: usize) -> Result<Vec<RuleId>, StoreError> {
        self.inner.covered_rules(instance, limit)
    }

    fn take_staged(&mut self, instance: &str) -> Result<Staged, StoreError> {
        self.write(|store| store.take_staged(instance))
    }

    fn adopt_rules(&mut self, instance: &str, state: &InstanceState) -> Result<(), StoreError> {
        self.write(|store| store.adopt_rules(instance, state))
    }

    fn drop_staged(&mut self) -> Result<(), StoreError> {
        self.write(|store| store.drop_staged())
    }

    fn put_preflights(&mut self, instance: &str, seen: &[Preflight]) -> Result<(), StoreError> {
        self.write(|store| store.put_preflights(instance, seen))
    }

    fn preflights(
        &self,
        instance: &str,
        nexthops: &[String],
    ) -> Result<Vec<Preflight>, StoreError> {
        self.inner.preflights(instance, nexthops)
    }

    fn discard_rules(&mut self, instance: &str) -> Result<u64, StoreError> {
        self.write(|store| store.discard_rules(instance))
    }
}

impl Store for FullStore<'_> {
    fn begin_trial(&mut self) -> Result<(), StoreError> {
        self.write(|store| store.begin_trial())
    }

    fn end_trial(&mut self, end: TrialEnd) -> Result<(), StoreError> {
        match end {
            TrialEnd::Kept => self.write(|store| store.end_trial(end)),
            TrialEnd::TakenBack => self.inner.end_trial(end),
        }
    }

    fn instance(&self, instance: &str) -> Result<Option<InstanceState>, StoreError> {
        self.inner.instance(instance)
    }

    fn adopt(&mut self, instance: &str, state: &InstanceState) -> Result<(), StoreError> {
        self.write(|store| store.adopt(instance, state))
    }

    fn release(&mut self, instance: &str) -> Result<(), StoreError> {
        self.write(|store| store.release(instance))
    }

    fn set_draft(&mut self, instance: &str, draft: Option<&Intent>) -> Result<(), StoreError> {
        self.write(|store| store.set_draft(instance, draft))
    }

    fn put_plan(&mut self, instance: &str, plan: &Plan) -> Result<(), StoreError> {
        self.write(|store| store.put_plan(instance, plan))
    }

    fn plan(&self, instance: &str, id: &str) -> Result<Option<Plan>, StoreError> {
        self.inner.plan(instance, id)
    }

    fn open_operation(&mut self, new: &NewOperation) -> Result<u64, StoreError> {
        self.write(|store| store.open_operation(new))
    }

    fn journal(&mut self, operation: u64, phase: &Phase) -> Result<(), StoreError> {
        self.write(|store| store.journal(operation, phase))
    }

    fn close_operation(&mut self, operation: u64, close: &Close) -> Result<(), StoreError> {
        self.write(|store| store.close_operation(operation, close))
    }

    fn open(&self, instance: &str) -> Result<Option<Operation>, StoreError> {
        self.inner.open(instance)
    }

    fn operation(&self, id: u64) -> Result<Option<Operation>, StoreError> {
        self.inner.operation(id)
    }

    fn history(&self, instance: &str, limit: usize) -> Result<Vec<Operation>, StoreError> {
        self.inner.history(instance, limit)
    }

    fn put_certificate(&mut self, new: &NewCertificate) -> Result<(), StoreError> {
        self.write(|store| store.put_certificate(new))
    }

    fn newest_certificates(
        &self,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Certificate>, StoreError> {
        self.inner.newest_certificates(after, limit)
    }

    fn certificate_versions(&self, name: &str) -> Result<Vec<Certificate>, StoreError> {
        self.inner.certificate_versions(name)
    }

    fn certificates_of_leaf(
        &self,
        fingerprint: &Fingerprint,
    ) -> Result<Vec<Certificate>, StoreError> {
        self.inner.certificates_of_leaf(fingerprint)
    }

    fn private_key(
        &self,
        name: &str,
        version: u32,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.inner.private_key(name, version)
    }

    fn put_request(&mut self, request: &PendingRequest, key: &[u8]) -> Result<bool, StoreError> {
        self.write(|store| store.put_request(request, key))
    }

    fn requests(&self) -> Result<Vec<PendingRequest>, StoreError> {
        self.inner.requests()
    }

    fn request_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.inner.request_key(name)
    }

    fn delete_request(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(|store| store.delete_request(name))
    }

    fn put_next_key(&mut self, next: &NextKey, key: &[u8]) -> Result<bool, StoreError> {
        self.write(|store| store.put_next_key(next, key))
    }

    fn next_keys(&self) -> Result<Vec<NextKey>, StoreError> {
        self.inner.next_keys()
    }

    fn next_key(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.inner.next_key(name)
    }

    fn delete_next_key(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(|store| store.delete_next_key(name))
    }

    fn delete_certificate(&mut self, name: &str) -> Result<bool, StoreError> {
        self.write(|store| store.delete_certificate(name))
    }

    fn delete_version(&mut self, name: &str, version: u32) -> Result<bool, StoreError> {
        self.write(|store| store.delete_version(name, version))
    }

    fn put_watch(&mut self, instance: &str, watch: &Watch) -> Result<(), StoreError> {
        self.write(|store| store.put_watch(instance, watch))
    }

    fn watches(&self, instance: &str) -> Result<Vec<Watch>, StoreError> {
        self.inner.watches(instance)
    }

    fn delete_watch(&mut self, instance: &str, name: &str) -> Result<bool, StoreError> {
        self.write(|store| store.delete_watch(instance, name))
    }
}

impl AuditStore for FullStore<'_> {
    fn audit(&mut self, actor: &str, at_ms: i64, what: &str) -> Result<(), StoreError> {
        self.write(|store| store.audit(actor, at_ms, what))
    }

    fn audit_log(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.audit_log(limit)
    }

    fn audit_access(&mut self, entries: &[AuditEntry]) -> Result<(), StoreError> {
        self.write(|store| store.audit_access(entries))
    }

    fn audit_chain(&self, after: u64, limit: usize) -> Result<Vec<AuditLink>, StoreError> {
        self.inner.audit_chain(after, limit)
    }

    fn audit_newest(&self) -> Result<u64, StoreError> {
        self.inner.audit_newest()
    }
}
