//! The table of levels and servers in docs/levels.md: what becomes of mail, as it was seen.
//!
//! `BLESS=1` writes it.

use crate::letters::Fate;
use crate::scene::Scene;
use std::fs;
use std::path::Path;

/// The policies, a level each.
const LEVELS: [&str; 8] = [
    "none",
    "may",
    "encrypt",
    "fingerprint match={self}",
    "verify match=mx.peer.test",
    "secure match=mx.peer.test",
    "dane",
    "dane-only",
];

/// The servers, and where they listen (see `exchangers`).
const SERVERS: [(&str, &str); 6] = [
    ("no TLS", "127.82.0.1"),
    ("self-signed", "127.82.0.2"),
    ("trusted CA", "127.82.0.3"),
    ("wrong name", "127.82.0.9"),
    ("expired", "127.82.0.4"),
    ("self-signed, DANE", "127.82.0.2"),
];

/// One policy towards one server; each has a domain of its own in the zone that is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    level: usize,
    server: usize,
}

/// All of them, a level after the other.
pub(crate) fn cells() -> Vec<Cell> {
    let of = |level| (0..SERVERS.len()).map(move |server| Cell { level, server });
    (0..LEVELS.len()).flat_map(of).collect()
}

impl Cell {
    fn label(self) -> String {
        format!("t{}{}", self.level, self.server)
    }

    pub(crate) fn domain(self) -> String {
        format!("{}.signed.test", self.label())
    }

    pub(crate) fn recipient(self) -> String {
        format!("user@{}", self.domain())
    }

    pub(crate) fn row(self) -> String {
        format!("{} {}\n", self.domain(), LEVELS[self.level])
    }

    /// Its records; `{own}` is the TLSA data of the server that signs its own certificate.
    pub(crate) fn records(self) -> String {
        let (label, (name, address)) = (self.label(), SERVERS[self.server]);
        let mut lines = format!("{label} MX 10 mx.{label}\nmx.{label} A {address}\n");
        if name.ends_with("DANE") {
            lines.push_str(&format!("_25._tcp.mx.{label} TLSA {{own}}\n"));
        }
        lines
    }
}

/// Fails where `explain` names another level than the row has.
pub(crate) fn must_be_explained(scene: &Scene) {
    for cell in cells() {
        let explained = scene.run(&["--json", "explain", &cell.domain()]);
        let level = LEVELS[cell.level].split(' ').next();
        let hop = &explained.json["hops"][0];
        assert_eq!(hop["level"].as_str(), level, "{}", explained.stdout);
    }
}

const HEAD: &str = "# Levels and servers

What Postfix did with mail, by the level of the policy and by the server: seen by a test
(`crates/cli/tests/outbound`), which compares this table with what the servers got. `policy check` foretold
each cell. All domains are signed, the resolver validates; the CA is trusted by `smtp_tls_CAfile`.
`verify` and `secure` name the server by `match=`, `fingerprint` lists the key of the self-signed one.

- **TLS**: delivered under TLS; **clear**: delivered in cleartext; **waits**: held in the queue; **back**: returned.

";

/// Fails where the table in docs/levels.md is another one.
pub(crate) fn must_be_the_table(fates: &[Fate]) {
    let mut text = HEAD.to_owned();
    let names = SERVERS.map(|(name, _)| name).join(" | ");
    text.push_str(&format!(
        "| level | {names} |\n|---|{}\n",
        "---|".repeat(SERVERS.len())
    ));
    for (level, fates) in LEVELS.iter().zip(fates.chunks(SERVERS.len())) {
        let level = level.split(' ').next().unwrap();
        let words: Vec<&str> = fates.iter().map(|fate| word(*fate)).collect();
        text.push_str(&format!("| `{level}` | {} |\n", words.join(" | ")));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/levels.md");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text, "BLESS=1 writes docs/levels.md");
}

const fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::UnderTls => "TLS",
        Fate::InClear => "clear",
        Fate::Held => "waits",
        Fate::Returned => "back",
    }
}
