//! What a document says, and which of its lines are wrong.

use super::declared;
use mailtls::policy::Dialect;
use postseal_engine::DeclaredCredentials;
use postseal_planner::intent::Place;

const DIALECT: Dialect = Dialect { major: 3, minor: 9 };

/// Where something is wrong, and what.
fn wrong(text: &str) -> Vec<(usize, String)> {
    let refusal = declared(text.as_bytes(), DIALECT).unwrap_err();
    let findings = refusal.findings.into_iter();
    let told = findings.map(|one| {
        assert!(!one.remedy.is_empty(), "{one:?}");
        (one.evidence[0].line.unwrap(), one.message)
    });
    told.collect()
}

#[test]
fn a_section_that_is_not_there_says_nothing() {
    let said = declared(b"schema = 1\nrules = []\n", DIALECT).unwrap();
    assert!(said.settings.is_none());
    assert!(said.certificates.is_none());
    assert!(said.credentials.is_none());
    assert!(said.domains.is_none());
    assert_eq!(said.rules.map(|rules| rules.len()), Some(0));
}

#[test]
fn settings_may_be_nested_or_quoted_and_numbers() {
    let text = "schema = 1\n[settings]\ninbound = \"may\"\nloglevel.inbound = 1\n\
                \"loglevel.outbound\" = \"2\"\n[settings.param]\nsmtp_tls_note_starttls_offer = \"yes\"\n";
    let said = declared(text.as_bytes(), DIALECT).unwrap();
    let settings = said.settings.unwrap();
    let mut words: Vec<String> = settings
        .iter()
        .map(|one| format!("{}:{}={}", one.line, one.key, one.value))
        .collect();
    words.sort();
    assert_eq!(
        words,
        [
            "3:inbound=may",
            "4:loglevel.inbound=1",
            "5:loglevel.outbound=2",
            "7:param.smtp_tls_note_starttls_offer=yes",
        ]
    );
}

#[test]
fn places_are_said_as_to_cert_bind() {
    let text = "schema = 1\n[[certificates]]\nname = \"a\"\n[[certificates]]\nname = \"a\"\n\
                service = 587\n[[certificates]]\nname = \"a\"\nservice = \"smtps\"\n\
                [[certificates]]\nname = \"a\"\nsni = \".Example.ORG\"\n[[certificates]]\n\
                name = \"a\"\nclient = true\ntransport = \"relay\"\nallow-self-signed = true\n";
    let said = declared(text.as_bytes(), DIALECT).unwrap();
    let bound = said.certificates.unwrap();
    let places: Vec<Place> = bound.iter().map(|one| one.place.clone()).collect();
    assert_eq!(
        places,
        [
            Place::Server,
            Place::Port(587),
            Place::Port(465),
            Place::Sni(".example.org".to_owned()),
            Place::Client(Some("relay".to_owned())),
        ]
    );
    let allowed: Vec<bool> = bound.iter().map(|one| one.allow_self_signed).collect();
    assert_eq!(allowed, [false, false, false, false, true]);
}

#[test]
fn every_line_that_is_wrong_is_told() {
    let text = "schema = 1\nsetings = 1\n[settings]\ninbound = true\n[credentials]\nrule = true\n\
                [[certificates]]\nname = \"a\"\nservice = 0\n[[certificates]]\nservice = 25\n\
                [[certificates]]\nname = \"a\"\nservice = 25\nsni = \"b.example\"\n\
                [[certificates]]\nname = \"a\"\ntransport = \"relay\"\n\
                [[domains]]\nnexthop = \"x\"\n";
    let lines: Vec<usize> = wrong(text).into_iter().map(|(line, _)| line).collect();
    let mut sorted = lines.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [2, 4, 6, 9, 10, 12, 16, 19, 20],
        "{:?}",
        wrong(text)
    );
}

#[test]
fn a_form_that_is_another_is_refused() {
    for (text, line) in [
        ("", 1),
        ("schema = 2\n", 1),
        ("schema = \"1\"\n", 1),
        ("\nschema = 1\nrules = {}\n", 3),
        ("schema = 1\nrules = [\n", 2),
        ("schema = 1\n[settings]\na = 1\na = 2\n", 4),
        ("schema = 1\nschema = 1\n", 2),
    ] {
        let told = wrong(text);
        assert!(told.iter().any(|(at, _)| *at == line), "{text:?}: {told:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line() {
    let refusal = declared(b"schema = 1\nx = \"\xff\"\n", DIALECT).unwrap_err();
    assert_eq!(refusal.findings[0].evidence[0].line, Some(2));
}

#[test]
fn nesting_has_an_end() {
    let deep = format!(
        "schema = 1\nrules = {}{}\n",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert!(declared(deep.as_bytes(), DIALECT).is_err());
    let keys = format!("schema = 1\n[settings]\n{}x = 1\n", "a.".repeat(5_000));
    // Whether that is too deep is the parser's to say; it ends.
    drop(declared(keys.as_bytes(), DIALECT));
}

#[test]
fn rules_have_the_line_where_they_begin_and_that_of_a_word() {
    let text = "schema = 1\n\n[[rules]]\ndestination = \"a.example\"\npolicy = \"encrypt\"\n\
                until = 2027-01-31\ntags = [\"x\", \"y\"]\nfollow = false\n\n[[rules]]\n\
                destination = \"b.example\"\npolicy = \"encript\"\n\n[[rules]]\nlevel = \"may\"\n";
    let said = declared(text.as_bytes(), DIALECT).unwrap();
    let rules = said.rules.unwrap();
    let first = rules[0].as_ref().unwrap();
    assert_eq!(first.line, Some(3));
    assert_eq!(first.rule.about.until.as_deref(), Some("2027-01-31"));
    assert_eq!(first.rule.about.tags, ["x", "y"]);
    let lines: Vec<Option<usize>> = rules[1..]
        .iter()
        .map(|rule| rule.as_ref().unwrap_err().line)
        .collect();
    assert_eq!(lines, [Some(10), Some(15)]);
}

#[test]
fn credentials_have_rules_or_not() {
    for (word, wanted) in [
        ("true", DeclaredCredentials::Rules),
        ("false", DeclaredCredentials::None),
    ] {
        let text = format!("schema = 1\n[credentials]\nrules = {word}\n");
        let said = declared(text.as_bytes(), DIALECT).unwrap();
        assert_eq!(said.credentials, Some(wanted));
    }
}

/// The lines and destinations of rules, and the lines of those that are none.
fn told(text: &str) -> Vec<String> {
    let rules = declared(text.as_bytes(), DIALECT).unwrap().rules.unwrap();
    let told = rules.iter().map(|rule| match rule {
        Ok(good) => format!("{} {}", good.line.unwrap(), good.rule.id.destination),
        Err(bad) => format!("{} !", bad.line.unwrap()),
    });
    told.collect()
}

#[test]
fn rules_in_pieces_are_the_same_as_in_one() {
    let rule = |n: usize| {
        let word = if n % 1_000 == 7 { "bad" } else { "may" };
        format!("\n[[rules]]\ndestination = \"d{n}.example\"\npolicy = \"{word}\"\n")
    };
    let rules: String = (0..4_500).map(rule).collect();
    let pieces = format!("schema = 1\n[settings]\n{rules}");
    // What stands after the rules makes one piece of all.
    let whole = format!("schema = 1\n# settings\n{rules}[settings]\n");
    assert_eq!(told(&pieces), told(&whole));
    assert_eq!(told(&pieces).len(), 4_500);
    assert_eq!(told(&pieces)[7], "32 !");
    assert_eq!(told(&pieces)[4_499], "18000 d4499.example");
}

#[test]
fn a_text_that_looks_like_a_rule_is_none() {
    for quotes in ["\"\"\"", "'''"] {
        let text = format!(
            "schema = 1\n[[rules]]\ndestination = \"a.example\"\npolicy = \"may\"\nnote = {quotes}\n\
             [[rules]]\ndestination = \"b.example\"\npolicy = \"may\"\n{quotes}\n\
             [[rules]]\ndestination = \"c.example\"\npolicy = \"may\"\n"
        );
        let text = format!("{text}{}", "[[rules]]\n".repeat(3_000));
        let told = told(&text);
        assert_eq!(told.len(), 3_002);
        assert!(
            told.iter().all(|one| !one.contains("b.example")),
            "{quotes}"
        );
        assert_eq!(told[1], "10 c.example");
    }
    let twice = "schema = 1\nrules = []\n[[rules]]\ndestination = \"a.example\"\n";
    assert!(declared(twice.as_bytes(), DIALECT).is_err());
}
