//! What lint gathers of the machine: links, folders, times, ports. Needs root and Postfix.

use crate::lint;
use postseal_testkit::dns_script::{DnsScript, name, record, reply};
use postseal_testkit::edited;
use postseal_testkit::postfix_box::PostfixBox;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

fn of(main: &str, look: impl FnOnce(&Path)) -> Vec<String> {
    let postfix = PostfixBox::builder().build().unwrap();
    let base = postfix.path().to_owned();
    let config = postfix.config_directory();
    let text = fs::read_to_string(config.join("main.cf")).unwrap();
    let main = main.replace("{base}", &base.display().to_string());
    edited::write(config.join("main.cf"), text + &main).unwrap();
    look(&base);
    lint(&base, &["--json", config.to_str().unwrap()]).codes()
}

fn has(codes: &[String], code: &str) -> bool {
    codes.iter().any(|one| one == code)
}

const CERTIFICATE: &str =
    "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {base}/live/mx.pem\n";

#[test]
fn links_to_nothing_are_told_from_missing_files() {
    let live = |base: &Path| fs::create_dir(base.join("live")).unwrap();
    let linked = of(CERTIFICATE, |base| {
        live(base);
        symlink("../archive/mx1.pem", base.join("live/mx.pem")).unwrap();
    });
    assert!(has(&linked, "cert.dangling-link") && has(&linked, "cert.missing"));
    let missing = of(CERTIFICATE, live);
    assert!(!has(&missing, "cert.dangling-link") && has(&missing, "cert.missing"));
}

#[test]
fn a_folder_that_others_write_to_is_told_also_behind_a_link() {
    let with = |mode: u32, linked: bool| {
        of(CERTIFICATE, |base| {
            for folder in ["live", "archive"] {
                fs::create_dir(base.join(folder)).unwrap();
            }
            fs::write(base.join("archive/mx.pem"), "").unwrap();
            let open = match linked {
                true => {
                    symlink("../archive/mx.pem", base.join("live/mx.pem")).unwrap();
                    "archive"
                }
                false => {
                    fs::write(base.join("live/mx.pem"), "").unwrap();
                    "live"
                }
            };
            fs::set_permissions(base.join(open), Permissions::from_mode(mode)).unwrap();
        })
    };
    for linked in [true, false] {
        assert!(has(&with(0o777, linked), "cert.open-folder"));
        assert!(!has(&with(0o755, linked), "cert.open-folder"));
        // Who may only add files replaces none of root's.
        assert!(!has(&with(0o1777, linked), "cert.open-folder"));
    }
}

#[test]
fn a_table_older_than_its_source_is_told() {
    let policy = "smtp_tls_policy_maps = hash:{base}/policy\n";
    let with = |late: bool| {
        of(policy, |base| {
            let source = base.join("policy");
            fs::write(&source, "example.org encrypt\n").unwrap();
            let mut postmap = Command::new("postmap");
            let made = postmap
                .arg("-c")
                .arg(base.join("config"))
                .arg(&source)
                .status();
            assert!(made.unwrap().success());
            if late {
                let file = fs::File::options().write(true).open(&source).unwrap();
                let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
                file.set_modified(later).unwrap();
            }
        })
    };
    assert!(has(&with(true), "maps.stale"));
    assert!(!has(&with(false), "maps.stale"));
}

/// Of 1024 bits.
const GROUP: &str = "\
-----BEGIN DH PARAMETERS-----
MIGHAoGBANH7HsLp3UWFWIvOl82g4xwpjMCY+R/nu7y42/si20sKwBETjfdAxrNm
ummO6rQbB0bCPZ/MzKHT57ZUC1net/enP3r41yX4BdJxiKhTAOUbfITlwEshinDm
NR/HvLUw9AuLA1Ot/Fq7ns+KXaBhlRErMoqe0nIqNhYbmEaZTtx3AgEC
-----END DH PARAMETERS-----
";

/// Postfix's daemons take them from queue_directory, wherever `lint` is called.
#[test]
fn files_of_relative_names_are_looked_at_below_the_queue() {
    let main = "smtpd_tls_dh1024_param_file = tls/dh.pem\n\
                smtp_tls_policy_maps = hash:tls/policy, texthash:tls/gone\n";
    let codes = of(main, |base| {
        let folder = base.join("queue/tls");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("dh.pem"), GROUP).unwrap();
        fs::write(folder.join("policy.db"), "").unwrap();
        fs::write(folder.join("policy"), "example.org frob\n").unwrap();
        let file = fs::File::options().write(true).open(folder.join("policy"));
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
        file.unwrap().set_modified(later).unwrap();
    });
    for code in [
        "ciphers.small-dh-group",
        "policy.row-refused",
        "maps.stale",
        "maps.missing",
    ] {
        assert!(has(&codes, code), "{code}: {codes:?}");
    }
}

/// 465 was added to master.cf after the start.
#[test]
fn a_port_that_nothing_listens_on_is_told() {
    let postfix = PostfixBox::builder().build().unwrap();
    postfix.start().unwrap();
    let config = postfix.config_directory();
    let folder = config.to_str().unwrap();
    let codes = || lint(postfix.path(), &["--json", folder]).codes();
    assert!(!has(&codes(), "ports.not-listening"));
    let master = fs::read_to_string(config.join("master.cf")).unwrap();
    let more = "\n46599 inet n - y - - smtpd\n";
    fs::write(config.join("master.cf"), master + more).unwrap();
    assert!(has(&codes(), "ports.not-listening"));
}

const MX: u16 = 15;
/// QR, RD, RA; and with AD (RFC 4035 §3.2.3).
const PLAIN: u16 = 0x8180;
const VALIDATED: u16 = 0x81a0;

/// A resolver that answers so is asked only where DANE is wanted.
#[test]
fn a_resolver_that_does_not_validate_is_told() {
    let exchanger = || {
        let host = [vec![0, 10], name("mail.ietf.org")].concat();
        vec![record("ietf.org", MX, &host)]
    };
    let dane = "smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n";
    let may = "smtp_tls_security_level = may\n";
    for (main, flags, records, told) in [
        (dane, PLAIN, exchanger(), true),
        (dane, VALIDATED, exchanger(), false),
        (dane, PLAIN, Vec::new(), false),
        (may, PLAIN, exchanger(), false),
    ] {
        let answer = move |request: &[u8]| vec![reply(request, flags, &records)];
        let server = DnsScript::start(answer, |_| Vec::new()).unwrap();
        let postfix = PostfixBox::builder().append_main_cf(main).build().unwrap();
        let config = postfix.config_directory();
        let resolver = server.address().to_string();
        let words = ["--json", "--resolver", &resolver, config.to_str().unwrap()];
        let codes = lint(postfix.path(), &words).codes();
        assert_eq!(
            has(&codes, "resolver.not-validating"),
            told,
            "{main}{flags:x}"
        );
        assert_eq!(server.asked() > 0, main == dane);
    }
}
