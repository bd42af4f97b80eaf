//! Configurations and addresses, rolled.

use postseal_testkit::dice::Dice;
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;

const DOMAINS: [&str; 18] = [
    "local.test",
    "mx.box.test",
    "alias.test",
    "virt.test",
    "relay.test",
    "sub.relay.test",
    "deep.sub.relay.test",
    "example.com",
    "x.example.com",
    "y.x.example.com",
    "other.org",
    "not.other.org",
    "UPPER.Example.COM",
    "plain",
    "dot.test.",
    "[127.0.0.1]",
    "[10.9.8.7]",
    "[IPv6:2001:db8::1]",
];

const LOCALS: [&str; 12] = [
    "user",
    "user",
    "user+box",
    "User",
    "owner-list",
    "postmaster",
    "a%other.org",
    "a%b%relay.test",
    "other.org!b",
    "u@example.com",
    "u@local.test",
    "q s",
];

/// Every combination of local part and domain.
pub(crate) fn addresses() -> Vec<String> {
    let with = |domain: &str| LOCALS.map(|local| format!("{local}@{domain}"));
    DOMAINS.into_iter().flat_map(with).collect()
}

pub(crate) fn senders() -> [&'static str; 5] {
    [
        "",
        "me@sender.test",
        "me+x@sender.test",
        "you@sender.test",
        "me@local.test",
    ]
}

/// A main.cf's own part, and the tables it names.
pub(crate) struct Configuration {
    set: Vec<(String, String)>,
    tables: Vec<(&'static str, String)>,
}

impl Configuration {
    pub(crate) fn roll(dice: &mut Dice) -> Self {
        let mut rolled = Self {
            set: Vec::new(),
            tables: Vec::new(),
        };
        rolled.domains(dice);
        rolled.hops(dice);
        rolled.switches(dice);
        rolled.maps(dice);
        rolled
    }

    /// A running Postfix with it.
    pub(crate) fn start(&self) -> PostfixBox {
        let mut builder = PostfixBox::builder();
        for (name, value) in &self.set {
            builder = builder.set(name, value);
        }
        let postfix = builder.build().unwrap();
        for (name, rows) in &self.tables {
            fs::write(postfix.config_directory().join(name), rows).unwrap();
        }
        postfix.start().unwrap();
        postfix
    }

    /// For whoever reads a failure.
    pub(crate) fn text(&self) -> String {
        let set = self
            .set
            .iter()
            .map(|(name, value)| format!("{name} = {value}\n"));
        let tables = self
            .tables
            .iter()
            .map(|(name, rows)| format!("--- {name}\n{rows}"));
        set.chain(tables).collect()
    }

    fn put(&mut self, name: &str, value: impl Into<String>) {
        self.set.push((name.to_owned(), value.into()));
    }

    fn domains(&mut self, dice: &mut Dice) {
        let local = [
            "$myhostname, local.test",
            "$myhostname, localhost.$mydomain, texthash:{base}/config/domains",
            "local.test, !not.other.org, {base}/config/list",
        ];
        self.put("mydestination", *dice.pick(&local));
        self.tables
            .push(("domains", "local.test x\nplain y\n".to_owned()));
        self.tables
            .push(("list", "# Ours.\nlocal.test\nplain, dot.test\n".to_owned()));
        self.put(
            "virtual_alias_domains",
            *dice.pick(&["alias.test", "", "texthash:{base}/config/aliases"]),
        );
        self.tables
            .push(("aliases", "alias.test anything\n".to_owned()));
        self.put(
            "virtual_mailbox_domains",
            *dice.pick(&["virt.test", "regexp:{base}/config/virt", ""]),
        );
        self.tables.push(("virt", "/^virt\\./ yes\n".to_owned()));
        self.put(
            "relay_domains",
            *dice.pick(&[
                "relay.test",
                "!sub.relay.test .relay.test",
                "texthash:{base}/config/relays",
                "",
            ]),
        );
        self.tables
            .push(("relays", "relay.test x\n.example.com y\n".to_owned()));
    }

    fn hops(&mut self, dice: &mut Dice) {
        self.put(
            "relayhost",
            *dice.pick(&["", "", "[hub.test]:587", "hub.test", "a.test, [b.test]:26"]),
        );
        self.put(
            "default_transport",
            *dice.pick(&["smtp", "smtp", "smtp:[default.test]", "uucp"]),
        );
        self.put(
            "relay_transport",
            *dice.pick(&[
                "relay",
                "relay",
                "lmtp:unix:private/relay",
                "relay:[inner.test]",
            ]),
        );
        self.put(
            "virtual_transport",
            *dice.pick(&["virtual", "lmtp:[::1]:24"]),
        );
        self.put(
            "local_transport",
            *dice.pick(&["local", "local:$myhostname", "lmtp:unix:/run/lmtp"]),
        );
    }

    fn switches(&mut self, dice: &mut Dice) {
        self.put("recipient_delimiter", *dice.pick(&["", "+", "+-"]));
        for name in ["allow_percent_hack", "swap_bangpath", "append_dot_mydomain"] {
            self.put(name, *dice.pick(&["yes", "yes", "no"]));
        }
        self.put(
            "resolve_dequoted_address",
            *dice.pick(&["yes", "yes", "no"]),
        );
        let parents = ["", "relay_domains", "relay_domains, transport_maps"];
        self.put("parent_domain_matches_subdomains", *dice.pick(&parents));
    }

    fn maps(&mut self, dice: &mut Dice) {
        let keys = [
            "user@example.com",
            "user@local.test",
            "user@relay.test",
            "example.com",
            ".example.com",
            "relay.test",
            ".relay.test",
            ".sub.relay.test",
            "local.test",
            "other.org",
            ".org",
            "virt.test",
            "alias.test",
            "[10.9.8.7]",
            "dot.test",
            "*",
        ];
        let values = [
            "smtp:[hop.test]:587",
            "smtp:",
            "smtp",
            ":",
            ":[only.test]",
            "relay:a.test, b.test",
            "error:",
            "error:5.7.1 closed",
            "retry:later",
            "discard:",
            "lmtp:unix:/run/x",
        ];
        let mut rows = String::new();
        for key in dice.some(&keys, 3) {
            rows.push_str(&format!("{key} {}\n", dice.pick(&values)));
        }
        self.tables.push(("transport", rows));
        self.tables.push((
            "patterns",
            "/^user\\+box@/ smtp:[pattern.test]\n/^\\.?org$/ smtp:[never.test]\n".to_owned(),
        ));
        let maps = [
            "texthash:{base}/config/transport",
            "texthash:{base}/config/transport, regexp:{base}/config/patterns",
            "regexp:{base}/config/patterns, texthash:{base}/config/transport",
            "inline:{other.org=smtp:[inline.test]}, texthash:{base}/config/transport",
            "",
        ];
        self.put("transport_maps", *dice.pick(&maps));
        self.sender_maps(dice);
        self.put(
            "relocated_maps",
            *dice.pick(&[
                "",
                "",
                "inline:{user@other.org=new@example.com,user@alias.test=x@y.test}",
            ]),
        );
    }

    fn sender_maps(&mut self, dice: &mut Dice) {
        let keys = ["<>", "me@sender.test", "@sender.test", "me", "@local.test"];
        let table = |dice: &mut Dice, values: &[&str]| {
            let mut rows = String::new();
            for key in dice.some(&keys, 2) {
                rows.push_str(&format!("{key} {}\n", dice.pick(values)));
            }
            rows
        };
        let relays = table(
            dice,
            &["[sender-relay.test]:26", "DUNNO", "sender-relay.test"],
        );
        self.tables.push(("relayhosts", relays));
        let transports = table(dice, &["smtp:[sender-hop.test]", "uucp:", "smtp", "Dunno"]);
        self.tables.push(("transports", transports));
        let name = "sender_dependent_relayhost_maps";
        self.put(name, *dice.pick(&["", "texthash:{base}/config/relayhosts"]));
        let name = "sender_dependent_default_transport_maps";
        self.put(name, *dice.pick(&["", "texthash:{base}/config/transports"]));
    }
}
