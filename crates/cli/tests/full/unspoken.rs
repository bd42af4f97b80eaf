//! Servers with which no STARTTLS was ever spoken: nothing is said of it.

use crate::scene::{self, Ran};
use crate::{full, words};
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};

/// A full look at a server that says this to everybody.
fn look(script: &SmtpScript) -> Ran {
    let server = ScriptedServer::start(vec![script.clone(); 12]);
    let at = server.address().to_string();
    let more = ["--instance", "/nonexistent", "--json", "--timeout", "2"];
    Ran::of(
        &scene::postseal(&[&words(&at, &[])[..], &more].concat())
            .output()
            .unwrap(),
    )
}

/// The value of a fact, and whether it is undetermined.
fn of(ran: &Ran, fact: &str) -> Option<(String, bool)> {
    let mut all = full(ran)["grades"].as_array().unwrap().iter();
    let one = all.find(|one| one["fact"] == fact)?;
    let value = one["value"].as_str().unwrap().to_owned();
    Some((value, one["undetermined"].is_string()))
}

#[test]
fn what_was_not_spoken_is_undetermined() {
    let refused = |words: &str| {
        let script = SmtpScript::new().say("220 mx ESMTP\r\n").hear("EHLO ");
        script.say(words)
    };
    for script in [
        SmtpScript::new().say("554 5.7.1 no service for you\r\n"),
        SmtpScript::new().say("SSH-2.0-OpenSSH_9.2p1\r\n"),
        refused("502 5.5.1 command not implemented\r\n"),
    ] {
        let ran = look(&script);
        for fact in ["STARTTLS injection", "STARTTLS stripped"] {
            let wanted = Some(("undetermined".to_owned(), true));
            assert_eq!(of(&ran, fact), wanted, "{fact}: {:#}", full(&ran));
        }
        let none = of(&ran, "tls");
        assert!(none.is_none_or(|(_, unknown)| unknown), "{:#}", full(&ran));
        assert_eq!(full(&ran)["seen"]["no_tls"], serde_json::Value::Null);
    }
}

#[test]
fn without_starttls_nothing_is_said_of_injection() {
    let script = SmtpScript::new().say("220 mx ESMTP\r\n").hear("EHLO ");
    let ran = look(&script.say("250-mx\r\n250 8BITMIME\r\n"));
    assert_eq!(of(&ran, "STARTTLS injection"), None, "{:#}", full(&ran));
    let no = Some(("no".to_owned(), false));
    assert_eq!(of(&ran, "STARTTLS stripped"), no, "{:#}", full(&ran));
    let none = of(&ran, "tls").unwrap();
    assert_eq!(none, ("none: STARTTLS is not offered".to_owned(), false));
}
