//! What testssl.sh says: protocols, suites by protocol, the server's preference, its defaults,
//! forward secrecy, renegotiation and compression, out of its JSON.

use crate::servers::Running;
use crate::table::version;
use crate::{Said, suites, word, yes_no};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

pub(crate) const PROGRAM: &str = "/usr/bin/testssl";
/// What is compared; a full run takes thrice as long.
const CHECKS: [&str; 7] = ["-p", "-E", "-P", "-S", "-f", "-R", "-C"];
const VERSIONS: [(&str, &str, &str); 4] = [
    ("TLS1", "cipher-tls1_x", "TLSv1"),
    ("TLS1_1", "cipher-tls1_1_x", "TLSv1.1"),
    ("TLS1_2", "cipher-tls1_2_x", "TLSv1.2"),
    ("TLS1_3", "cipher-tls1_3_x", "TLSv1.3"),
];

/// On a busy machine its own deadlines pass, and it finds no suite for a version that it has seen: then it is asked again.
pub(crate) fn ask(server: &Running) -> Said {
    let said = asked(server);
    match said
        .iter()
        .any(|(fact, names)| fact.starts_with("suites of") && names.is_empty())
    {
        true => {
            server.again();
            asked(server)
        }
        false => said,
    }
}

fn asked(server: &Running) -> Said {
    let answer = server.scene.named("testssl.json");
    let _ = fs::remove_file(&answer);
    let mut command = Command::new("/usr/bin/timeout");
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("TERM", "dumb")
        .env("HOME", server.scene.folder())
        .args([
            "900",
            PROGRAM,
            "--quiet",
            "--color",
            "0",
            "--warnings",
            "off",
        ])
        .args(["-n", "none", "--jsonfile", &answer])
        .args(CHECKS);
    if !server.wrapper() {
        command.args(["-t", "smtp"]);
    }
    // Its exit code is the number of its findings.
    let output = command.arg(server.at()).stdin(Stdio::null()).output();
    let output = output.unwrap();
    let text = fs::read_to_string(&answer).unwrap_or_default();
    let Ok(Value::Array(all)) = serde_json::from_str(&text) else {
        let printed = String::from_utf8_lossy(&output.stdout);
        panic!("testssl.sh: {printed}{text}");
    };
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
    let pair = |one: &Value| (text(one, "id"), text(one, "finding"));
    read(server, &all.iter().map(pair).collect::<Vec<_>>())
}

fn read(server: &Running, found: &[(String, String)]) -> Said {
    let of = |id: &str| {
        let one = found.iter().find(|(other, _)| other == id);
        one.map_or("", |(_, finding)| finding.as_str())
    };
    let mut said = Said::new();
    if of("optimal_proto").contains("doesn't seem to be a TLS/SSL enabled server") {
        word(&mut said, "TLS", "none");
        return said;
    }
    word(
        &mut said,
        "TLS",
        if server.wrapper() {
            "from the first byte"
        } else {
            "STARTTLS"
        },
    );
    let mut versions: BTreeSet<String> = ["SSLv2", "SSLv3"]
        .into_iter()
        .filter(|id| of(id).starts_with("offered"))
        .map(str::to_owned)
        .collect();
    let mut bits = BTreeSet::new();
    for (id, prefix, name) in VERSIONS {
        if of(id).starts_with("offered") {
            versions.insert(version(name).to_owned());
        } else if !of(id).contains("not offered") {
            versions.insert(format!("{}: {}", version(name), of(id)));
        }
        let lines = found.iter().filter(|(id, _)| id.starts_with(prefix));
        let names: BTreeSet<String> = lines
            .filter_map(|(_, line)| suite(line, &mut bits))
            .collect();
        if of(id).starts_with("offered") || !names.is_empty() {
            suites(&mut said, version(name), names);
        }
    }
    said.insert("versions", versions);
    if !bits.is_empty() {
        said.insert("finite-field bits", bits);
    }
    order(of("cipher_order"), &mut said);
    let groups: BTreeSet<String> = of("PFS_ECDHE_curves")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    if !groups.is_empty() {
        said.insert("groups", groups);
    }
    certificates(server, found, &mut said);
    features(&of, &mut said);
    said
}

fn certificates(server: &Running, found: &[(String, String)], said: &mut Said) {
    let prints = found
        .iter()
        .filter(|(id, _)| id.starts_with("cert_fingerprintSHA256"));
    let prints: BTreeSet<String> = prints.map(|(_, print)| server.certificate(print)).collect();
    if !prints.is_empty() {
        said.insert("certificates", prints);
    }
}

/// The name of the suite in one line, and the bits of its finite field.
fn suite(line: &str, bits: &mut BTreeSet<String>) -> Option<String> {
    // TLS 1.2   xc030   ECDHE-RSA-AES256-GCM-SHA384       ECDH 253   AESGCM      256      TLS_…
    let cells: Vec<&str> = line.split_whitespace().collect();
    if cells.get(4) == Some(&"DH") {
        bits.insert((*cells.get(5)?).to_owned());
    }
    cells.get(3).map(|name| (*name).to_owned())
}

fn order(finding: &str, said: &mut Said) {
    let who = match finding {
        "" => return,
        "server" | "server -- TLS 1.3 client determined" => "server",
        "NOT a cipher order configured" | "not a cipher order for TLS 1.3 configured" => "client",
        other if other.starts_with("Could not determine") => "not determined",
        other => other,
    };
    word(said, "who chooses the suite", who);
}

fn features<'f>(of: &impl Fn(&str) -> &'f str, said: &mut Said) {
    for (fact, id, yes, no) in [
        (
            "secure renegotiation",
            "secure_renego",
            "supported",
            "VULNERABLE",
        ),
        (
            "client renegotiates",
            "secure_client_renego",
            "VULNERABLE",
            "not vulnerable",
        ),
        ("compression", "CRIME_TLS", "VULNERABLE", "not vulnerable"),
        (
            "stapled OCSP answer",
            "OCSP_stapling",
            "offered",
            "not offered",
        ),
    ] {
        let finding = of(id);
        if finding.starts_with(yes) {
            yes_no(said, fact, true);
        } else if finding.starts_with(no) {
            yes_no(said, fact, false);
        } else if !finding.is_empty() {
            word(said, fact, finding);
        }
    }
    let extensions = of("TLS_extensions");
    if !extensions.is_empty() {
        yes_no(
            said,
            "extended master secret",
            extensions.contains("extended master secret"),
        );
    }
}
