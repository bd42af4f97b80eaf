//! Tests of `stage`: the staged files as the scratch instance gets them.

use super::*;

fn staging(private: &[&str]) -> Staging {
    Staging {
        live_config: PathBuf::from("/etc/postfix"),
        base: PathBuf::from("/s"),
        queue: PathBuf::from("/s/queue"),
        data: PathBuf::from("/s/data"),
        transport_maps: Vec::new(),
        maps: Vec::new(),
        private: private
            .iter()
            .enumerate()
            .map(|(i, path)| Private {
                named: PathBuf::from(path),
                scratch: PathBuf::from(format!("/s/private/{i}.pem")),
                bytes: Zeroizing::new(Vec::new()),
            })
            .collect(),
    }
}

fn stage(main: &str, master: &str) -> Stage {
    staging(&["/etc/tls/a.pem"])
        .stage(main.as_bytes(), master.as_bytes(), &mut Ports::default())
        .unwrap()
}

#[test]
fn paths_are_those_of_the_scratch_instance() {
    let text = b"a = /etc/tls/a.pem, /etc/tls/a.pem.old /x/etc/tls/a.pem\n\
        b = hash:$config_directory/m ${config_directory}x $config_directory_x\n";
    let moved = staging(&["/etc/tls/a.pem"]).relocated(text);
    assert_eq!(
        String::from_utf8(moved).unwrap(),
        "a = /s/private/0.pem, /etc/tls/a.pem.old /x/etc/tls/a.pem\n\
         b = hash:/etc/postfix/m /etc/postfixx $config_directory_x\n"
    );
}

#[test]
fn inet_services_move_and_keep_their_names() {
    let stage = stage(
        "",
        "smtp inet n - y - - smtpd -o syslog_name=postfix/$service_name\n\
         [::1]:587 inet n - y - - smtpd\n  -o smtpd_banner=${service_name}\n\
         628 inet n - y - - qmqpd\npostlog unix-dgram n - n - 1 postlogd\n\
         local unix - n n - - local\nmaildrop unix - n n - - pipe flags=D\n\
         relay unix - - y - - smtp -o syslog_name=postfix/$service_name\n",
    );
    let text = String::from_utf8(stage.master_cf).unwrap();
    let at = |key: &str| stage.endpoints[key].to_string();
    assert!(
        text.contains(&format!("{} inet", at("smtp/inet"))),
        "{text}"
    );
    assert!(text.contains("syslog_name=postfix/smtp\n"), "{text}");
    assert!(
        text.contains(&format!("{} inet", at("[::1]:587/inet"))),
        "{text}"
    );
    assert!(text.contains("smtpd_banner=[::1]:587"), "{text}");
    assert!(text.contains("relay unix - - y - - smtp -o syslog_name=postfix/$service_name"));
    for gone in ["628", "postlog", "local", "maildrop"] {
        assert!(!text.contains(&format!("{gone} ")), "{gone}: {text}");
    }
    assert_eq!(stage.endpoints.len(), 2);
    assert_eq!(
        stage.not_rehearsed,
        ["service 628/inet (qmqpd) was not started"]
    );
}

#[test]
fn a_service_twice_has_one_port_and_ports_stay() {
    let staging = staging(&[]);
    let twice = b"25 inet n - y - - smtpd\n25 inet n - n - - smtpd\n";
    let first = staging.stage(b"", twice, &mut Ports::default()).unwrap();
    assert_eq!(first.endpoints.len(), 1);
    let more = [&twice[..], b"26 inet n - y - - smtpd\n"].concat();
    let next = staging.restage(&first, Cf::Master, &more).unwrap();
    assert_eq!(next.endpoints["25/inet"], first.endpoints["25/inet"]);
    let back = staging.restage(&next, Cf::Main, b"x = 1\n").unwrap();
    assert_eq!(back.endpoints, next.endpoints);
    assert!(back.main_cf.starts_with(b"x = 1\n"));
}

#[test]
fn mistakes_are_kept_for_postfix_to_find() {
    let stage = stage(
        "not a line\nsmtpd_tls_security_level = maybe\n",
        "25 inet n - y - - smtpd -o a = b\n",
    );
    assert!(
        stage
            .main_cf
            .starts_with(b"not a line\nsmtpd_tls_security_level = maybe\n")
    );
    let master = String::from_utf8(stage.master_cf).unwrap();
    assert!(
        master.ends_with("inet n - y - - smtpd -o a = b\n"),
        "{master}"
    );
}

#[test]
fn transports_are_names_and_addresses_only() {
    let map = |domain: &str| {
        let address = "127.0.0.1:2525".parse().unwrap();
        transport_maps(&BTreeMap::from([(domain.to_owned(), address)]))
    };
    let good = String::from_utf8(map("a.test").unwrap()).unwrap();
    assert_eq!(good, "inline:{ { a.test = smtp:[127.0.0.1]:2525 } }");
    for bad in ["", "a b", "a}", "a=b", "a,b", "*\n"] {
        assert!(map(bad).is_err(), "{bad:?}");
    }
    assert!(transport_maps(&BTreeMap::new()).unwrap().is_empty());
}
