//! master.cf files of the corpus.

use crate::corpus::{Sample, enough, on_each, samples};
use crate::postconf::{Postconf, folded};
use postfix_cf::{Braces, EditError, Field, MasterCf, Service, Severity};
use std::collections::BTreeMap;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A service as `postconf -M` prints it, blanks folded.
fn printed(service: &Service) -> String {
    let fields = [
        &service.name,
        &service.kind,
        &service.private,
        &service.unprivileged,
        &service.chroot,
        &service.wakeup,
        &service.process_limit,
        &service.command,
    ];
    let arguments = service.arguments.iter().map(|argument| {
        let text = text(argument);
        if text.contains([' ', '\t']) {
            return format!("{{{text}}}");
        }
        text
    });
    let words = fields.into_iter().cloned().chain(arguments);
    folded(&words.collect::<Vec<_>>().join(" "))
}

type Overrides = BTreeMap<String, String>;

/// Every `-o` as `postconf -P` prints it: `name/type/parameter`, the last one of a service.
fn overrides(master: &MasterCf) -> Vec<Overrides> {
    let of = |service: Service| {
        let overrides = service.overrides.iter().map(|o| {
            let key = format!("{}/{}/{}", service.name, service.kind, o.name);
            (key, folded(&text(&o.value)))
        });
        overrides.collect()
    };
    master.services().map(of).collect()
}

fn lines(said: &str) -> Vec<String> {
    said.lines().map(folded).collect()
}

fn theirs(postconf: &Postconf, bytes: &[u8]) -> Option<Vec<String>> {
    postconf.master(bytes);
    let said = postconf.run(&["-M"]);
    said.ok.then(|| lines(&said.out))
}

fn ours(master: &MasterCf) -> Vec<String> {
    master.services().map(|service| printed(&service)).collect()
}

#[test]
fn print_is_the_inverse_of_parse() {
    for sample in samples("master.cf") {
        let printed = MasterCf::parse(&sample.bytes).to_bytes();
        assert_eq!(printed, sample.bytes, "{}", sample.name);
    }
}

#[test]
fn services_equal_those_of_postconf_m_and_p() {
    let samples = samples("master.cf");
    let compared = on_each(&samples, |sample, postconf| {
        let master = MasterCf::parse(&sample.bytes);
        let Some(theirs) = theirs(postconf, &sample.bytes) else {
            assert!(sample.refused, "{}", sample.name);
            let fatal = |f: &postfix_cf::Finding| f.severity() == Severity::Fatal && f.line == 1;
            assert!(master.findings().iter().any(fatal), "{}", sample.name);
            return 0;
        };
        assert_eq!(ours(&master), theirs, "{}", sample.name);
        let said = postconf.run(&["-P"]);
        let mut theirs = lines(&said.out);
        let all = overrides(&master).into_iter().flatten();
        let mut ours: Vec<_> = all
            .map(|(key, value)| folded(&format!("{key} = {value}")))
            .collect();
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs, "{}", sample.name);
        master.services().count() + ours.len()
    });
    println!("{compared} services and overrides compared");
    enough(&samples, compared, 2096);
}

#[test]
fn stock_and_real_files_have_no_fatal_finding_unless_refused() {
    for sample in samples("master.cf") {
        let findings = MasterCf::parse(&sample.bytes).findings();
        let fatal = findings.iter().find(|f| f.severity() == Severity::Fatal);
        assert_eq!(
            fatal.is_some(),
            sample.refused,
            "{}: {fatal:?}",
            sample.name
        );
    }
}

/// Of a service that is defined twice the last one is edited, so the others are left out here.
fn winners(master: &MasterCf) -> Vec<Service> {
    let services = master.services();
    services
        .filter(|s| master.service(s.key()).as_ref() == Some(s))
        .collect()
}

#[test]
fn each_override_can_be_set_and_taken_out_alone() {
    let samples = samples("master.cf");
    let edits = on_each(&samples, |sample, postconf| {
        if sample.refused {
            return 0;
        }
        let master = MasterCf::parse(&sample.bytes);
        let mut edits = 0;
        for service in winners(&master) {
            for option in &service.overrides {
                edit_override(sample, postconf, &service, &option.name);
                edits += 1;
            }
            edit_override(sample, postconf, &service, "zz_new");
        }
        edits
    });
    println!("{edits} overrides edited, each alone");
    enough(&samples, edits, 651);
}

fn edit_override(sample: &Sample, postconf: &Postconf, service: &Service, parameter: &str) {
    let place = || format!("{}: {} {parameter}", sample.name, service.key());
    let index = MasterCf::parse(&sample.bytes);
    let index = index
        .services()
        .position(|s| s == *service)
        .expect("a service of the file");
    for value in ["zz_value", "zz with blanks"] {
        let mut master = MasterCf::parse(&sample.bytes);
        let mut expected = overrides(&master);
        let set = master.set_override(service.key(), parameter, value.as_bytes(), Braces::Allowed);
        assert_eq!(set, Ok(()), "{}", place());
        let key = format!("{}/{parameter}", service.key());
        expected[index].insert(key, value.to_owned());
        assert_eq!(overrides(&master), expected, "{}", place());
        let bytes = master.to_bytes();
        if value.contains(' ') {
            assert_eq!(theirs(postconf, &bytes), Some(ours(&master)), "{}", place());
        }
        let old: Vec<_> = sample.bytes.split(|&b| b == b'\n').collect();
        let new: Vec<_> = bytes.split(|&b| b == b'\n').collect();
        let changed = new.iter().filter(|line| !old.contains(line)).count();
        assert!(changed <= 1, "{}: {changed} lines", place());
    }
    let mut master = MasterCf::parse(&sample.bytes);
    let mut expected = overrides(&master);
    let key = format!("{}/{parameter}", service.key());
    let was = expected[index].remove(&key).is_some();
    let removed = master
        .unset_override(service.key(), parameter)
        .map(|n| n > 0);
    assert_eq!(removed, Ok(was), "{}", place());
    assert_eq!(overrides(&master), expected, "{}", place());
    if was {
        let bytes = master.to_bytes();
        assert_eq!(theirs(postconf, &bytes), Some(ours(&master)), "{}", place());
    }
}

#[test]
fn each_service_can_be_commented_out_and_each_template_uncommented() {
    let samples = samples("master.cf");
    let edits = on_each(&samples, |sample, postconf| {
        if sample.refused {
            return 0;
        }
        let master = MasterCf::parse(&sample.bytes);
        let mut edits = 0;
        for service in winners(&master) {
            out_and_in(sample, postconf, &service);
            edits += 1;
        }
        for index in 0..master.templates().len() {
            uncomment(sample, postconf, index);
            edits += 1;
        }
        edits
    });
    println!("{edits} services commented out or in");
    enough(&samples, edits, 1852);
}

fn out_and_in(sample: &Sample, postconf: &Postconf, service: &Service) {
    let place = || format!("{}: {}", sample.name, service.key());
    let mut master = MasterCf::parse(&sample.bytes);
    let chroot = if service.chroot == "y" { "n" } else { "y" };
    let set = master.set_field(service.key(), Field::Chroot, chroot);
    assert_eq!(set, Ok(()), "{}", place());
    assert_eq!(master.service(service.key()).expect("it").chroot, chroot);
    assert_eq!(
        theirs(postconf, &master.to_bytes()),
        Some(ours(&master)),
        "{}",
        place()
    );
    let mut master = MasterCf::parse(&sample.bytes);
    assert!(master.comment_out_service(service.key()) > 0, "{}", place());
    assert!(master.service(service.key()).is_none(), "{}", place());
    let bytes = master.to_bytes();
    assert_eq!(theirs(postconf, &bytes), Some(ours(&master)), "{}", place());
    assert_eq!(MasterCf::parse(&bytes).to_bytes(), bytes);
}

fn uncomment(sample: &Sample, postconf: &Postconf, index: usize) {
    let mut master = MasterCf::parse(&sample.bytes);
    let template = master.templates().swap_remove(index);
    let place = || format!("{} line {}", sample.name, template.service.first_line);
    let before = master.services().count();
    match master.uncomment_template(index) {
        Err(error) => {
            assert_eq!(error, EditError::InsideService, "{}", place());
            return;
        }
        Ok(()) => assert_eq!(master.services().count(), before + 1, "{}", place()),
    }
    let bytes = master.to_bytes();
    let found = master
        .services()
        .find(|s| s.first_line == template.service.first_line);
    assert_eq!(found.as_ref(), Some(&template.service), "{}", place());
    assert_eq!(theirs(postconf, &bytes), Some(ours(&master)), "{}", place());
    let old: Vec<_> = sample.bytes.split(|&b| b == b'\n').collect();
    let new: Vec<_> = bytes.split(|&b| b == b'\n').collect();
    assert_eq!(old.len(), new.len(), "{}", place());
    let pairs = (1..).zip(old.iter().zip(&new));
    let changed: Vec<usize> = pairs.filter(|(_, (a, b))| a != b).map(|(n, _)| n).collect();
    assert_eq!(changed, template.lines, "{}", place());
}
