//! Tasks: what an agent may be asked to do from afar.
//!
//! Owns: the closed vocabulary of console and API, and what of it is refused before anybody looks at the instance. Never: a
//! path, a command or the name of a map; what an administrator may say on the host alone (DESIGN §3, Privilege) has no word
//! in here. A stranger may have written it: unknown fields are refused, and by [`Task::judge`] what is long or local.

mod effect;
mod judge;
mod parts;

pub use effect::Effect;
pub use judge::{LONGEST_IMPORT, LONGEST_LIST, LONGEST_TEXT, MAIL_PORTS, TaskError, names_a_file};
pub use parts::{
    Acceptance, Beside, Checks, CredentialWords, Format, Import, KeyKind, NewKey, Order, Places,
    Removal, RuleFilter, RuleWords,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an agent is asked to do: each is a verb of the command line (CLI.md) with the same words and defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "task", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Task {
    /// `init`
    Init {},
    /// `release`
    Release {},
    /// `status`
    Status {},
    /// `notify`
    Notify {},
    /// `notify test`
    NotifyTest {},
    /// `show`
    Show {
        /// Parameters; all that are set where none is named.
        #[serde(default)]
        parameters: Vec<String>,
        /// All of the catalogue.
        #[serde(default)]
        all: bool,
        /// With `$name` expanded.
        #[serde(default)]
        expand: bool,
        /// As this service of master.cf sees them.
        service: Option<String>,
        /// The cipher suites that the values come to.
        #[serde(default)]
        cipher_list: bool,
    },
    /// `explain`
    Explain {
        /// An address, a domain or a next hop.
        what: String,
        /// The sender.
        #[serde(default)]
        sender: String,
    },
    /// `lint`, of the agent's own instance
    Lint {
        /// Takes the safe remedies of findings as wishes.
        #[serde(default)]
        fix: bool,
        /// Remedies that are taken only by their code.
        #[serde(default)]
        with: Vec<String>,
    },
    /// `set`
    Set {
        /// `KEY=VALUE`, each; without any, all keys are listed.
        #[serde(default)]
        pairs: Vec<String>,
        /// What is wished with them.
        #[serde(default)]
        beside: Beside,
    },
    /// `unset`
    Unset {
        /// Keys.
        keys: Vec<String>,
    },
    /// `discard`
    Discard {},
    /// `plan`
    Plan {
        /// With the diff for people.
        #[serde(default)]
        diff: bool,
    },
    /// `apply`
    Apply {
        /// The plan that was shown; without one, what is wished now.
        plan: Option<String>,
        /// Only what would be done.
        #[serde(default)]
        check: bool,
        /// What is accepted all the same.
        #[serde(default)]
        accept: Vec<Acceptance>,
        /// Rolled back unless it is confirmed within so many seconds.
        confirm_within: Option<u32>,
    },
    /// `confirm`
    Confirm {},
    /// `rollback`
    Rollback {
        /// To before this operation; without one, before the newest.
        operation: Option<u64>,
        /// Only what would be done.
        #[serde(default)]
        check: bool,
        /// What is accepted all the same.
        #[serde(default)]
        accept: Vec<Acceptance>,
        /// Rolled back unless it is confirmed within so many seconds.
        confirm_within: Option<u32>,
    },
    /// `history`
    History {
        /// How many operations.
        limit: Option<u32>,
    },
    /// `diff`
    Diff {
        /// What this operation changed.
        operation: u64,
        /// And all up to this one.
        upto: Option<u64>,
    },
    /// `drift`
    Drift {
        /// Takes hand edits over.
        #[serde(default)]
        adopt: bool,
        /// Puts back what was written.
        #[serde(default)]
        restore: bool,
        /// Only what would be done.
        #[serde(default)]
        check: bool,
    },
    /// `verify`
    Verify {},
    /// `probe`
    Probe {
        /// Hosts or domains.
        targets: Vec<String>,
        /// TLS from the first byte.
        #[serde(default)]
        smtps: bool,
        /// Everything the server speaks.
        #[serde(default)]
        full: bool,
    },
    /// `export`
    Export {
        /// What is in force, not what is wished.
        #[serde(default)]
        in_force: bool,
    },
    /// `profile list`
    ProfileList {},
    /// `profile show`
    ProfileShow {
        /// The profile.
        name: String,
    },
    /// `profile diff`
    ProfileDiff {
        /// The profile.
        name: String,
        /// Another one, or what the instance has.
        other: Option<String>,
    },
    /// `policy list`
    PolicyList {
        /// Which.
        #[serde(default)]
        filter: RuleFilter,
        /// How many.
        limit: Option<u32>,
        /// After so many.
        skip: Option<u32>,
    },
    /// `policy add`
    PolicyAdd {
        /// A domain, `.parent` or next hop.
        destination: String,
        /// A level.
        level: String,
        /// For the next hops that its mail takes.
        #[serde(default)]
        follow: bool,
        /// The rest of it.
        #[serde(default)]
        rule: RuleWords,
        /// How its servers are held against it.
        #[serde(default)]
        checks: Checks,
    },
    /// `policy edit`
    PolicyEdit {
        /// A domain, `.parent` or next hop.
        destination: String,
        /// Another level.
        level: Option<String>,
        /// What else is another.
        #[serde(default)]
        rule: RuleWords,
        /// Attributes that are taken away.
        #[serde(default)]
        without: Vec<String>,
        /// Only while it is the rule with this digest.
        was: Option<String>,
        /// How its servers are held against it.
        #[serde(default)]
        checks: Checks,
    },
    /// `policy remove`
    PolicyRemove(Removal),
    /// `policy sync`
    PolicySync {},
    /// `policy check`
    PolicyCheck {
        /// Destinations; all rules where none is named.
        #[serde(default)]
        destinations: Vec<String>,
        /// As if this were their policy.
        policy: Option<String>,
    },
    /// `policy import`
    PolicyImport(Import),
    /// `policy export`
    PolicyExport {
        /// In which form, as text; without one, as the document of `--json`.
        format: Option<Format>,
        /// What is in force, not what is wished.
        #[serde(default)]
        in_force: bool,
    },
    /// `domain list`
    DomainList {},
    /// `domain add`
    DomainAdd {
        /// The domain.
        domain: String,
        /// Its next hop and what it demands.
        #[serde(default)]
        words: CredentialWords,
    },
    /// `domain edit`
    DomainEdit {
        /// The domain.
        domain: String,
        /// What is another.
        #[serde(default)]
        words: CredentialWords,
        /// Only while it is the entry with this digest.
        was: Option<String>,
    },
    /// `domain remove`
    DomainRemove {
        /// The domains.
        domains: Vec<String>,
        /// Only while the one entry that is named is that with this digest.
        was: Option<String>,
    },
    /// `domain sync`
    DomainSync {
        /// How servers are held against the rules.
        #[serde(default)]
        checks: Checks,
    },
    /// `cert import`
    CertImport {
        /// Its name in the store.
        name: String,
        /// Its files, sealed to the store's recipient: no key lies at the desk in clear.
        #[schemars(extend("contentEncoding" = "base64"))]
        sealed: String,
        /// It takes the place of the certificate of that name.
        #[serde(default)]
        renew: bool,
    },
    /// `cert list`
    CertList {},
    /// `cert show`
    CertShow {
        /// A certificate of the store.
        name: String,
    },
    /// `cert check`
    CertCheck {
        /// A certificate of the store; all where it is not named.
        name: Option<String>,
    },
    /// `cert export`, without the key
    CertExport {
        /// A certificate of the store.
        name: String,
    },
    /// `cert tlsa`
    CertTlsa {
        /// A certificate of the store.
        name: String,
        /// For these MX names.
        #[serde(default)]
        mx: Vec<String>,
    },
    /// `cert self-signed`
    CertSelfSigned {
        /// Its name in the store.
        name: String,
        /// The names that it is for.
        #[serde(default)]
        domains: Vec<String>,
        /// Its key.
        #[serde(default)]
        key: NewKey,
        /// How long it is valid.
        days: Option<u32>,
    },
    /// `cert request`
    CertRequest {
        /// Its name in the store; without one, the requests that wait.
        name: Option<String>,
        /// The names that it is for.
        #[serde(default)]
        domains: Vec<String>,
        /// Its key.
        #[serde(default)]
        key: NewKey,
        /// The request that waits is forgotten.
        #[serde(default)]
        forget: bool,
    },
    /// `cert issue`, by Let's Encrypt, its challenges answered by this program on port 80
    CertIssue {
        /// Its name in the store.
        name: String,
        /// The names that it is for.
        #[serde(default)]
        domains: Vec<String>,
        /// Its keys.
        #[serde(default)]
        keys: Vec<KeyKind>,
        /// How it is ordered.
        #[serde(default)]
        order: Order,
    },
    /// `cert renew`
    CertRenew {
        /// Certificates of the store; all that are due where none is named.
        #[serde(default)]
        names: Vec<String>,
        /// Whether or not their time has come.
        #[serde(default)]
        force: bool,
    },
    /// `cert deploy`
    CertDeploy {
        /// A certificate of the store.
        name: String,
    },
    /// `cert bind`
    CertBind {
        /// A certificate of the store.
        name: String,
        /// Where it is presented; everywhere where nothing is said.
        #[serde(default)]
        places: Places,
        /// Though only its own key vouches for it.
        #[serde(default)]
        allow_self_signed: bool,
    },
    /// `cert unbind`
    CertUnbind {
        /// A certificate of the store.
        name: String,
        /// Where it is presented no longer; nowhere where nothing is said.
        #[serde(default)]
        places: Places,
    },
    /// `cert delete`
    CertDelete {
        /// A certificate of the store.
        name: String,
        /// This version alone.
        version: Option<u32>,
    },
    /// `cert prune`
    CertPrune {},
}

#[cfg(test)]
mod tests;
