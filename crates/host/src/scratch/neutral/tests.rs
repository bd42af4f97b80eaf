//! Tests of `neutral`: what a scratch instance must not do: ask, filter or deliver outside.

use super::*;
use postfix_cf::MasterCf;

fn neutralised(text: &str) -> (MainCf, String) {
    let mut cf = MainCf::parse(text.as_bytes());
    let mut notes = BTreeSet::new();
    main_cf(&mut cf, &mut notes).unwrap();
    (cf, notes.into_iter().collect::<Vec<_>>().join("\n"))
}

fn value(cf: &MainCf, name: &str) -> String {
    String::from_utf8(cf.get(name).unwrap().into_owned()).unwrap()
}

#[test]
fn no_mail_leaves_a_plain_configuration() {
    let (cf, notes) = neutralised("relayhost = [192.0.2.1]\nalways_bcc = root\n");
    for name in ["local", "virtual", "relay", "default"] {
        assert!(value(&cf, &format!("{name}_transport")).starts_with("error:"));
    }
    assert_eq!(value(&cf, "relayhost"), "");
    assert_eq!(value(&cf, "always_bcc"), "");
    assert_eq!(notes, "");
}

#[test]
fn who_would_be_asked_is_said() {
    let (cf, notes) = neutralised(
        "smtpd_milters = unix:a,\n  inet:b:1\ncontent_filter =\n\
         mine = check_policy_service unix:private/p\n",
    );
    assert_eq!(value(&cf, "smtpd_milters"), "");
    assert_eq!(value(&cf, "mine"), "check_client_access,static:DUNNO");
    assert!(
        notes.contains("the milters (smtpd_milters = unix:a,"),
        "{notes}"
    );
    assert!(notes.contains("policy service unix:private/p"), "{notes}");
    assert!(!notes.contains("content filter"), "{notes}");
}

#[test]
fn caches_move_and_tls_parameters_stay() {
    let (cf, _) = neutralised(
        "smtpd_tls_session_cache_database = btree:/var/lib/postfix/s\n\
         smtp_tls_session_cache_database = proxy:btree:${data_directory}/c\n\
         lmtp_tls_session_cache_database = $elsewhere\n\
         address_verify_map = btree:/var/lib/postfix/v\n\
         smtpd_tls_chain_files = /etc/x.pem\n",
    );
    let cache = |name: &str| value(&cf, &format!("{name}_tls_session_cache_database"));
    assert_eq!(cache("smtpd"), "btree:$data_directory/s");
    assert_eq!(cache("smtp"), "proxy:btree:$data_directory/c");
    assert_eq!(cache("lmtp"), "");
    assert_eq!(value(&cf, "address_verify_map"), "");
    assert_eq!(value(&cf, "smtpd_tls_chain_files"), "/etc/x.pem");
}

#[test]
fn a_service_is_made_harmless_by_its_own_options() {
    let cf = MasterCf::parse(
        b"25 inet n - y - - smtpd -o smtpd_milters=inet:a:1 -o default_transport=smtp\n\
        \x20 -o smtpd_tls_security_level=encrypt -o smtpd_upstream_proxy_protocol=haproxy\n",
    );
    let service = cf.services().next().unwrap();
    let mut notes = BTreeSet::new();
    let changes = overrides(&service, &mut notes);
    let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "smtpd_milters",
            "default_transport",
            "smtpd_upstream_proxy_protocol"
        ]
    );
    assert!(
        notes.iter().all(|note| note.contains("25/inet")),
        "{notes:?}"
    );
}
