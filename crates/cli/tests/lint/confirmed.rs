//! What the rules claim of a real Postfix: each setting is tried, and looked at from outside.
//! Needs root and Postfix.

use crate::lint;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use postseal_testkit::broken::BrokenFiles;
use postseal_testkit::edited;
use postseal_testkit::postfix_box::PostfixBox;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

/// How long a port that is dead is listened to.
const PATIENCE: Duration = Duration::from_secs(4);

/// What a client meets on port 25.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    /// It connects, and hears nothing.
    NoGreeting,
    /// The answer to EHLO has no STARTTLS.
    NoStartTls,
    /// STARTTLS is offered, and answered with 454.
    NotAvailable,
    /// 220 to STARTTLS, and then no handshake.
    NoHandshake,
    /// Under TLS EHLO is answered otherwise than by 250, or not at all.
    TurnedAway,
    /// It works.
    Serves,
}

/// Which TLS a client speaks.
#[derive(Clone, Copy)]
enum Speaks {
    Anything,
    /// TLS 1.2 with these suites alone.
    Only(&'static str),
}

struct Claim {
    code: &'static str,
    main: &'static str,
    speaks: Speaks,
    met: Met,
    /// The same with this in place of it works.
    near: &'static str,
}

const CLAIMS: &[Claim] = &[
    Claim {
        code: "starttls.not-offered",
        main: "smtpd_tls_security_level = may\nsmtpd_discard_ehlo_keywords = starttls\n",
        speaks: Speaks::Anything,
        met: Met::NoStartTls,
        near: "smtpd_tls_security_level = may\nsmtpd_discard_ehlo_keywords = dsn\n",
    },
    Claim {
        code: "ciphers.none-left",
        main: "smtpd_tls_security_level = may\nsmtpd_tls_exclude_ciphers = ALL\n",
        speaks: Speaks::Anything,
        met: Met::NoHandshake,
        near: "smtpd_tls_security_level = may\nsmtpd_tls_exclude_ciphers = AES128\n",
    },
    Claim {
        code: "protocols.none-left",
        main: "smtpd_tls_security_level = may\nsmtpd_tls_protocols = >=TLSv1.3, <=TLSv1.2\n",
        speaks: Speaks::Anything,
        met: Met::NoHandshake,
        near: "smtpd_tls_security_level = may\nsmtpd_tls_protocols = >=TLSv1.2, <=TLSv1.3\n",
    },
    Claim {
        code: "auth.no-sasl",
        main: "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n\
            smtpd_sasl_path = private/nobody\n",
        speaks: Speaks::Anything,
        met: Met::NoGreeting,
        near: "smtpd_tls_security_level = may\n",
    },
    Claim {
        code: "cache.proxy-not-approved",
        main: "smtpd_tls_security_level = may\n\
            smtp_tls_session_cache_database = proxy:btree:${data_directory}/c\n",
        speaks: Speaks::Anything,
        met: Met::NoGreeting,
        near: "smtpd_tls_security_level = may\n\
            smtp_tls_session_cache_database = proxy:btree:${data_directory}/c\n\
            proxy_write_maps = $smtp_tls_session_cache_database\n",
    },
    Claim {
        code: "cache.exchange-folder-missing",
        main: "smtpd_tls_security_level = may\ntls_random_exchange_name = /nonexistent/exch\n",
        speaks: Speaks::Anything,
        met: Met::NoGreeting,
        near: "smtpd_tls_security_level = may\ntls_random_exchange_name = ${data_directory}/exch\n",
    },
    Claim {
        code: "cache.seed-too-long",
        main: "smtpd_tls_security_level = may\ntls_daemon_random_bytes = 256\n",
        speaks: Speaks::Anything,
        met: Met::NotAvailable,
        near: "smtpd_tls_security_level = may\ntls_daemon_random_bytes = 255\n",
    },
    Claim {
        code: "library.config-file-missing",
        main: "smtpd_tls_security_level = may\ntls_config_file = /nonexistent/openssl.cnf\n",
        speaks: Speaks::Anything,
        met: Met::NotAvailable,
        near: "smtpd_tls_security_level = may\ntls_config_file = none\n",
    },
    Claim {
        code: "trust.certificate-demanded-on-public-25",
        main: "smtpd_tls_security_level = encrypt\nsmtpd_tls_req_ccert = yes\n",
        speaks: Speaks::Anything,
        met: Met::TurnedAway,
        near: "smtpd_tls_security_level = encrypt\nsmtpd_tls_ask_ccert = yes\n",
    },
];

#[test]
fn what_the_rules_claim_is_what_clients_meet() {
    for claim in CLAIMS {
        let broken = started(claim.main, "");
        assert_eq!(
            meet(broken.at(25), claim.speaks),
            claim.met,
            "{}",
            claim.code
        );
        assert!(
            told(&broken).contains(&claim.code.to_owned()),
            "{}",
            claim.code
        );
        let good = started(claim.near, "");
        assert_eq!(
            meet(good.at(25), claim.speaks),
            Met::Serves,
            "near {}",
            claim.code
        );
        assert!(
            !told(&good).contains(&claim.code.to_owned()),
            "near {}",
            claim.code
        );
    }
}

/// Suites without a certificate are taken where nobody excludes them, whatever level of security
/// the system's OpenSSL asks for elsewhere: the lists are expanded without that.
#[test]
fn anonymous_suites_are_there_until_they_are_excluded() {
    let auth = "smtpd_tls_security_level = encrypt\nsmtpd_sasl_auth_enable = yes\n\
        smtpd_tls_mandatory_ciphers = medium\n";
    let code = "ciphers.anonymous".to_owned();
    let anonymous = Speaks::Only("aNULL:@SECLEVEL=0");
    let open = sasl(auth);
    assert_eq!(meet(open.at(25), anonymous), Met::Serves);
    assert!(told(&open).contains(&code));
    let without = format!("{auth}smtpd_tls_mandatory_exclude_ciphers = aNULL\n");
    let closed = sasl(&without);
    assert_eq!(meet(closed.at(25), anonymous), Met::NoHandshake);
    assert_eq!(meet(closed.at(25), Speaks::Anything), Met::Serves);
    assert!(!told(&closed).contains(&code));
}

/// The socket is there, and answers; a chrooted smtpd does not see it.
#[test]
fn a_socket_outside_of_the_jail_is_no_socket() {
    let main = "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n\
        smtpd_tls_security_level = may\nsmtpd_sasl_path = {base}/auth\n";
    let code = "auth.socket-outside-jail".to_owned();
    for (chroot, met) in [("y", Met::NoGreeting), ("n", Met::Serves)] {
        let postfix = made(main, chroot);
        dovecot(&postfix);
        postfix.start().unwrap();
        assert_eq!(
            meet(postfix.at(25), Speaks::Anything),
            met,
            "chroot {chroot}"
        );
        assert_eq!(told(&postfix).contains(&code), chroot == "y");
    }
}

/// As much of Dovecot's auth protocol as smtpd wants before it greets.
fn dovecot(postfix: &PostfixBox) {
    let path = postfix.path().join("auth");
    let socket = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    thread::spawn(move || {
        let mut open = Vec::new();
        for client in socket.incoming().flatten() {
            let mut client = client;
            let words = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n\
                COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n";
            let _ = client.write_all(words.as_bytes());
            open.push(client);
        }
    });
}

fn made(main: &str, chroot: &str) -> PostfixBox {
    let postfix = PostfixBox::builder().build().unwrap();
    furnish(&postfix, main, chroot);
    postfix
}

fn started(main: &str, chroot: &str) -> PostfixBox {
    let postfix = made(main, chroot);
    postfix.start().unwrap();
    postfix
}

fn sasl(main: &str) -> PostfixBox {
    let builder = PostfixBox::builder().sasl_user("alice", "a password");
    let postfix = builder.build().unwrap();
    furnish(&postfix, main, "");
    postfix.start().unwrap();
    postfix
}

/// A good certificate, and what the claim needs; the chroot field of smtpd where one is given.
fn furnish(postfix: &PostfixBox, main: &str, chroot: &str) {
    let files = BrokenFiles::make(&postfix.path().join("files"), "mx.box.test").unwrap();
    let config = postfix.config_directory();
    let mut text = fs::read_to_string(config.join("main.cf")).unwrap();
    text += &files.named("smtpd_tls_chain_files = {files}/key.pem, {files}/fullchain.pem\n");
    text += &main.replace("{base}", &postfix.path().display().to_string());
    edited::write(config.join("main.cf"), text).unwrap();
    if !chroot.is_empty() {
        let master = fs::read_to_string(config.join("master.cf")).unwrap();
        let lines =
            master.lines().map(
                |line| match line.ends_with("smtpd") && line.starts_with("smtp ") {
                    true => format!("smtp inet n - {chroot} - - smtpd"),
                    false => line.to_owned(),
                },
            );
        let master = lines.collect::<Vec<_>>().join("\n") + "\n";
        fs::write(config.join("master.cf"), master).unwrap();
    }
}

/// What lint says of the same files where they listen on all interfaces.
fn told(postfix: &PostfixBox) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let config = postfix.config_directory();
    let main = fs::read_to_string(config.join("main.cf")).unwrap();
    let own = format!("inet_interfaces = {}", postfix.address());
    assert!(main.contains(&own));
    fs::write(
        folder.path().join("main.cf"),
        main.replace(&own, "inet_interfaces = all"),
    )
    .unwrap();
    fs::copy(config.join("master.cf"), folder.path().join("master.cf")).unwrap();
    lint(folder.path(), &["--json", "."]).codes()
}

fn meet(at: SocketAddr, speaks: Speaks) -> Met {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut clear = BufReader::new(stream);
    if !reply(&mut clear).starts_with("220") {
        return Met::NoGreeting;
    }
    if !ask(&mut clear, "EHLO client.test").contains("STARTTLS") {
        return Met::NoStartTls;
    }
    match ask(&mut clear, "STARTTLS") {
        refused if refused.starts_with("454") => return Met::NotAvailable,
        taken => assert!(taken.starts_with("220"), "{taken}"),
    }
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    if let Speaks::Only(suites) = speaks {
        connector
            .set_max_proto_version(Some(SslVersion::TLS1_2))
            .unwrap();
        connector.set_cipher_list(suites).unwrap();
    }
    let connector = connector.build();
    let Ok(secret) = connector.connect("mx.box.test", clear.into_inner()) else {
        return Met::NoHandshake;
    };
    let mut secret = BufReader::new(secret);
    match ask(&mut secret, "EHLO client.test").starts_with("250") {
        true => Met::Serves,
        false => Met::TurnedAway,
    }
}

fn ask<S: Read + Write>(stream: &mut BufReader<S>, words: &str) -> String {
    let _ = stream
        .get_mut()
        .write_all(format!("{words}\r\n").as_bytes());
    reply(stream)
}

/// A reply of any number of lines; what came of it before the other side went away.
fn reply<S: Read>(stream: &mut BufReader<S>) -> String {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line) {
            Ok(1..) => text += &line,
            _ => return text,
        }
        if line.as_bytes().get(3) == Some(&b' ') {
            return text;
        }
    }
}
