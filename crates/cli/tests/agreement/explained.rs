//! Why the programs differ where they do.

/// Of whom a difference is told; in the order of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Finger,
    Testssl,
}

/// Why one program says something else.
#[derive(Debug)]
pub(crate) struct Explained {
    /// Of which servers; none: of any.
    servers: &'static [&'static str],
    /// Of what.
    facts: &'static [&'static str],
    who: Who,
    /// The reason.
    pub(crate) why: &'static str,
}

impl Explained {
    /// Whether it is about this cell.
    pub(crate) fn is_for(&self, server: &str, fact: &str, who: Who) -> bool {
        let here = self.servers.is_empty() || self.servers.contains(&server);
        here && self.facts.contains(&fact) && self.who == who
    }
}

const OLD: &[&str] = &["TLS 1.0 alone", "TLS 1.0 and 1.1"];
const ONLY_1_3: &[&str] = &["TLS 1.3 alone"];
const ANONYMOUS: &[&str] = &["No certificate: anonymous alone"];
const NULL: &[&str] = &["Suites without encryption"];
const LIMITED: &[&str] = &["A limit of ten sessions"];

const STOPS: &str = "After ten sessions the server answers STARTTLS with 454. `probe --full` stops there, says so, and calls undetermined what it could not ask; all that posttls-finger is asked later ends with the 454.";

pub(crate) const EXPLAINED: &[Explained] = &[
    Explained {
        servers: OLD,
        facts: &["secure renegotiation"],
        who: Who::Testssl,
        why: "testssl.sh asks this by openssl(1), which takes no TLS 1.1 and older at Debian's security level 2, and says so (handshake didn't succeed). posttls-finger and `probe` ask at level 0.",
    },
    Explained {
        servers: OLD,
        facts: &["client renegotiates"],
        who: Who::Testssl,
        why: "`probe --full` tries it in TLS 1.2 only, and says so. testssl.sh takes its handshake that failed for a server that refuses.",
    },
    Explained {
        servers: ONLY_1_3,
        facts: &["secure renegotiation", "compression"],
        who: Who::Testssl,
        why: "The same in other words: TLS 1.3 has neither compression nor renegotiation, so nothing of it is insecure.",
    },
    Explained {
        servers: ONLY_1_3,
        facts: &["extended master secret"],
        who: Who::Testssl,
        why: "TLS 1.3 derives its secrets so always (RFC 8446, appendix D). testssl.sh looks for the extension, which there is none of.",
    },
    Explained {
        servers: ANONYMOUS,
        facts: &["versions"],
        who: Who::Testssl,
        why: "testssl.sh asks for these versions with suites that need a certificate, and finds none in common.",
    },
    Explained {
        servers: ANONYMOUS,
        facts: &["who chooses the suite", "secure renegotiation"],
        who: Who::Testssl,
        why: "testssl.sh asks this with suites that need a certificate, and says that it could not tell.",
    },
    Explained {
        servers: NULL,
        facts: &["versions"],
        who: Who::Finger,
        why: "Postfix's client has no suites without encryption, whatever its lists say: in TLS 1.2 it finds none in common.",
    },
    Explained {
        servers: NULL,
        facts: &["who chooses the suite", "secure renegotiation"],
        who: Who::Testssl,
        why: "testssl.sh asks this with suites that encrypt, and says that it could not tell.",
    },
    Explained {
        servers: NULL,
        facts: &["client renegotiates"],
        who: Who::Testssl,
        why: "`probe --full` tries it with AES-128-GCM only, and says so. testssl.sh takes its handshake that failed for a server that refuses.",
    },
    Explained {
        servers: LIMITED,
        facts: &[
            "suites of TLS 1.2",
            "anonymous suites",
            "who chooses the suite",
            "groups",
        ],
        who: Who::Finger,
        why: STOPS,
    },
    Explained {
        servers: LIMITED,
        facts: &[
            "suites of TLS 1.2",
            "suites of TLS 1.3",
            "anonymous suites",
            "who chooses the suite",
            "secure renegotiation",
            "client renegotiates",
            "compression",
            "extended master secret",
        ],
        who: Who::Testssl,
        why: "testssl.sh goes on after the 454 and takes each of them for an answer of TLS.",
    },
    Explained {
        servers: &["A certificate that is not there"],
        facts: &["TLS"],
        who: Who::Testssl,
        why: "testssl.sh does not tell a server without STARTTLS from one that answers it with 454.",
    },
];
