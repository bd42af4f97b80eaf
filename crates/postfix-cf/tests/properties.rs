//! Laws that hold for any bytes.
//!
//! The generators make text from the pieces that the grammar cares about, so that most of what they
//! make is nearly a configuration file.

use postfix_cf::{
    Braces, Field, MainCf, MasterCf, Service, ServiceKey, check_expansion, expand, references,
};
use proptest::prelude::*;

/// Bytes made from `pieces`, and any bytes now and then.
fn bytes(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = proptest::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec());
    let any = proptest::collection::vec(any::<u8>(), 0..4);
    let part = prop_oneof![20 => piece, 1 => any];
    proptest::collection::vec(part, 0..most).prop_map(|parts| parts.concat())
}

const MAIN: &[&str] = &[
    "a",
    "b",
    "a = ",
    "b=",
    "c\t=\t",
    "\n",
    "\n",
    "\r\n",
    "\na = x\n",
    " ",
    "\t",
    "\n ",
    "\n\t",
    "#",
    "\n# c\n",
    "\n  # c\n",
    "=",
    "x",
    "x y",
    "$a",
    "${b?{x}:{y}}",
    "{",
    "}",
    "\0",
    "\x0b",
    "\x0c",
    "\r",
    "é",
    "\u{feff}",
    ",",
];

const MASTER: &[&str] = &[
    "smtp inet n - y - - smtpd",
    "\nsmtp inet n - y - - smtpd\n",
    "\nx unix - n n - - pipe",
    "\n",
    "\n",
    "\r\n",
    "\n  ",
    "\n\t",
    " ",
    "-o",
    " -o a=b",
    " -o { a = b c }",
    "\n  -o a=x\n",
    "\n -o b=y",
    "-v",
    "-vo",
    "a=b",
    "a",
    "=",
    "{",
    "}",
    "#",
    "\n# c\n",
    "\n#  -o a=c\n",
    "\n#sub inet n - y - - smtpd\n",
    "\0",
    "\x0b",
    "--",
    "é",
    " flags=R",
    "-",
];

const EXPRESSIONS: &[&str] = &[
    "$",
    "$a",
    "$b",
    "${",
    "}",
    "{",
    "(",
    ")",
    "$(a)",
    "?",
    ":",
    "a",
    "==",
    "<=level",
    "3.6",
    " ",
    "${a?",
    "${{a} == {b} ? {",
    "é",
    "\0",
];

fn name() -> impl Strategy<Value = String> {
    "[abc]|new_name|smtp\\.x"
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let any = proptest::collection::vec(any::<u8>(), 0..12);
    let allowed = |v: &Vec<u8>| !v.iter().any(|b| matches!(b, b'\n' | b'\r' | 0));
    any.prop_filter("one line", allowed)
}

/// As Postfix trims.
fn trimmed(value: &[u8]) -> &[u8] {
    let space = |b: &u8| matches!(b, b' ' | 0x09..=0x0d);
    let start = value.iter().position(|b| !space(b)).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|b| !space(b))
        .map_or(start, |i| i + 1);
    &value[start..end]
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// All entries with another name, and how often the name itself is there.
fn others(main: &MainCf, name: &str) -> (Pairs, usize) {
    let is = |e: &postfix_cf::Entry<'_>| e.name_bytes() == name.as_bytes();
    let pair = |e: postfix_cf::Entry<'_>| (e.name_bytes().to_vec(), e.value().into_owned());
    let rest = main.entries().filter(|e| !is(e)).map(pair).collect();
    (rest, main.entries().filter(is).count())
}

/// What edits must not touch: the comments and blank lines.
fn trivia(bytes: &[u8]) -> Vec<Vec<u8>> {
    let lines = bytes.split_inclusive(|&b| b == b'\n');
    let text = |line: &&[u8]| trimmed(line).is_empty() || trimmed(line).starts_with(b"#");
    lines
        .filter(text)
        .map(|line| trimmed(line).to_vec())
        .collect()
}

fn lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&b| b == b'\n').count() + 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn main_print_is_the_inverse_of_parse(bytes in bytes(MAIN, 40)) {
        prop_assert_eq!(MainCf::parse(&bytes).to_bytes(), bytes);
    }

    #[test]
    fn master_print_is_the_inverse_of_parse(bytes in bytes(MASTER, 40)) {
        prop_assert_eq!(MasterCf::parse(&bytes).to_bytes(), bytes);
    }

    #[test]
    fn set_then_get(bytes in bytes(MAIN, 40), name in name(), value in value()) {
        let mut main = MainCf::parse(&bytes);
        let (before, count) = others(&main, &name);
        main.set(&name, &value).expect("a plain value");
        let printed = main.to_bytes();
        for main in [main, MainCf::parse(&printed)] {
            let got = main.get(&name);
            prop_assert_eq!(got.as_deref(), Some(trimmed(&value)));
            prop_assert_eq!(others(&main, &name), (before.clone(), count.max(1)));
        }
        prop_assert_eq!(trivia(&printed), trivia(&bytes));
    }

    #[test]
    fn set_twice_is_set_once(bytes in bytes(MAIN, 40), name in name(), value in value()) {
        let mut main = MainCf::parse(&bytes);
        main.set(&name, &value).expect("a plain value");
        let once = main.to_bytes();
        main.set(&name, &value).expect("a plain value");
        prop_assert_eq!(main.to_bytes(), once);
    }

    #[test]
    fn set_then_set_raw(bytes in bytes(MAIN, 40), name in name(), value in value()) {
        let mut main = MainCf::parse(&bytes);
        if let Some(raw) = main.raw(&name).map(<[u8]>::to_vec) {
            main.set(&name, &value).expect("a plain value");
            let mut again = MainCf::parse(&main.to_bytes());
            for main in [&mut main, &mut again] {
                main.set_raw(&name, &raw).expect("what raw gave");
                prop_assert_eq!(main.to_bytes(), bytes.clone());
            }
        }
    }

    #[test]
    fn unset_takes_all(bytes in bytes(MAIN, 40), name in name()) {
        let mut main = MainCf::parse(&bytes);
        let (before, count) = others(&main, &name);
        prop_assert_eq!(main.unset(&name), count);
        let printed = main.to_bytes();
        for main in [main, MainCf::parse(&printed)] {
            prop_assert_eq!(main.get(&name), None);
            prop_assert_eq!(others(&main, &name), (before.clone(), 0));
        }
        prop_assert_eq!(trivia(&printed), trivia(&bytes));
    }

    #[test]
    fn findings_stand_on_lines_of_the_file(main in bytes(MAIN, 40), master in bytes(MASTER, 40)) {
        let of_main = MainCf::parse(&main).findings().into_iter().map(|f| (f, lines(&main)));
        let of_master = MasterCf::parse(&master).findings().into_iter().map(|f| (f, lines(&master)));
        for (finding, most) in of_main.chain(of_master) {
            prop_assert!((1..=most).contains(&finding.line), "{}", finding);
            let other = finding.other_line.unwrap_or(most);
            prop_assert!((finding.line..=most).contains(&other), "{}", finding);
        }
    }

    #[test]
    fn expansion_ends(value in bytes(EXPRESSIONS, 12), a in bytes(EXPRESSIONS, 6)) {
        let lookup = |name: &str| (name == "a").then(|| std::borrow::Cow::Borrowed(&a[..]));
        let expanded = expand(&value, &lookup);
        let _ = references(&value);
        if check_expansion(&value).is_err() && !value.contains(&b'?') && !value.contains(&b':') {
            prop_assert!(expanded.is_err());
        }
    }
}

const SMTP: ServiceKey<'static> = ServiceKey {
    name: "smtp",
    kind: "inet",
};

/// All services, without lines, and without the overrides of one parameter in the one that wins.
fn rest(master: &MasterCf, parameter: &str) -> Vec<Service> {
    let winner = master.service(SMTP);
    let strip = |mut service: Service| {
        if Some(&service) == winner.as_ref() {
            service.overrides.retain(|o| o.name != parameter);
            service.arguments.clear();
        }
        (service.first_line, service.last_line) = (0, 0);
        service.overrides.iter_mut().for_each(|o| o.line = 0);
        service
    };
    master.services().map(strip).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn set_override_then_get(
        bytes in bytes(MASTER, 30),
        parameter in "[ab]|new",
        value in "[a-z,= {}]{0,8}",
    ) {
        let mut master = MasterCf::parse(&bytes);
        let before = rest(&master, &parameter);
        let set = master.set_override(SMTP, &parameter, value.as_bytes(), Braces::Allowed);
        let printed = master.to_bytes();
        if set.is_err() {
            prop_assert_eq!(printed, bytes);
            return Ok(());
        }
        for master in [master, MasterCf::parse(&printed)] {
            let got = master.get_override(SMTP, &parameter);
            prop_assert_eq!(got.as_deref(), Some(value.trim().as_bytes()));
            prop_assert_eq!(rest(&master, &parameter), before.clone());
        }
        prop_assert_eq!(trivia(&printed), trivia(&bytes));
    }

    #[test]
    fn unset_override_takes_all(bytes in bytes(MASTER, 30), parameter in "[ab]") {
        let mut master = MasterCf::parse(&bytes);
        let before = rest(&master, &parameter);
        let unset = master.unset_override(SMTP, &parameter);
        let printed = master.to_bytes();
        if unset.is_err() {
            prop_assert_eq!(printed, bytes);
            return Ok(());
        }
        for master in [master, MasterCf::parse(&printed)] {
            prop_assert_eq!(master.get_override(SMTP, &parameter), None);
            prop_assert_eq!(rest(&master, &parameter), before.clone());
        }
        // A vertical tab that ends a word on a line of its own stays as a blank line.
        if !bytes.iter().any(|b| matches!(b, 0x0b | 0x0c)) {
            prop_assert_eq!(trivia(&printed), trivia(&bytes));
        }
    }

    #[test]
    fn other_edits_leave_the_other_services(bytes in bytes(MASTER, 30)) {
        let not_smtp = |master: &MasterCf| {
            let others = master.services().filter(|s| s.key() != SMTP);
            others.map(|s| (s.name.clone(), s.arguments)).collect::<Vec<_>>()
        };
        let before = not_smtp(&MasterCf::parse(&bytes));
        let mut field = MasterCf::parse(&bytes);
        if field.set_field(SMTP, Field::ProcessLimit, "1000").is_ok() {
            let service = field.service(SMTP).expect("the service just edited");
            prop_assert_eq!(service.process_limit, "1000");
        }
        let mut out = MasterCf::parse(&bytes);
        out.comment_out_service(SMTP);
        let mut gone = MasterCf::parse(&bytes);
        gone.remove_service(SMTP);
        for master in [field, out, gone] {
            let printed = master.to_bytes();
            prop_assert_eq!(not_smtp(&MasterCf::parse(&printed)), before.clone());
            prop_assert_eq!(not_smtp(&master), before.clone());
        }
    }

    #[test]
    fn templates_can_be_uncommented_or_are_refused(bytes in bytes(MASTER, 30)) {
        let master = MasterCf::parse(&bytes);
        for (index, template) in master.templates().into_iter().enumerate() {
            let mut master = master.clone();
            let before = master.services().count();
            if master.uncomment_template(index).is_ok() {
                prop_assert_eq!(master.services().count(), before + 1);
                let line = template.service.first_line;
                let found = master.services().find(|s| s.first_line == line);
                prop_assert_eq!(found, Some(template.service));
            } else {
                prop_assert_eq!(master.to_bytes(), bytes.clone());
            }
        }
    }
}
