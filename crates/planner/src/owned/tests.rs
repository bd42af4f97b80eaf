//! Tests of `owned`.
//!
//! Owns: what counts as ours in the files, drift, and taking it over. Never: a plan.

use super::*;

fn owned(main: &[u8], master: &[u8]) -> Owned {
    read(&MainCf::parse(main), &MasterCf::parse(master))
}

#[test]
fn tls_parameters_are_owned_and_nothing_else() {
    let owned = owned(
        b"myhostname = a\nsmtp_tls_security_level = may\nsmtp_dns_support_level = dnssec\nsmtpd_sasl_auth_enable = yes\nmy_tls_thing = 1\n",
        b"smtp inet n - n - - smtpd\n  -o smtpd_tls_loglevel=1 -o content_filter=\npickup unix n - n 60 1 pickup\n",
    );
    let names: Vec<&String> = owned.main.keys().collect();
    assert_eq!(names, ["smtp_dns_support_level", "smtp_tls_security_level"]);
    assert_eq!(owned.services.len(), 1);
    assert_eq!(owned.services["smtp/inet"]["smtpd_tls_loglevel"], "1");
    assert_eq!(owned.services["smtp/inet"].len(), 1);
}

#[test]
fn the_last_entry_of_a_name_counts_with_its_whole_text() {
    let owned = owned(
        b"smtp_tls_loglevel = 0\nsmtp_tls_loglevel =\n# why\n  1\n",
        b"",
    );
    assert_eq!(owned.main["smtp_tls_loglevel"], "1");
    assert_eq!(
        owned.entries["smtp_tls_loglevel"],
        "smtp_tls_loglevel =\n# why\n  1\n"
    );
}

#[test]
fn services_and_templates_of_mail_clients_are_remembered_as_they_stand() {
    let owned = owned(
        b"",
        b"587 inet n - n - - smtpd\n  -o a=b\n# inside\n  -o c=d\n#smtps inet n - n - - smtpd\n#  -o e=f\nx unix - - n - - smtp\n",
    );
    assert_eq!(
        owned.blocks["587/inet"],
        "587 inet n - n - - smtpd\n  -o a=b\n# inside\n  -o c=d\n"
    );
    assert_eq!(
        owned.templates[&465],
        "#smtps inet n - n - - smtpd\n#  -o e=f\n"
    );
}

#[test]
fn drift_is_what_differs_wherever_it_stands() {
    let written = owned(
        b"smtp_tls_loglevel = 1\nsmtp_tls_ciphers = high\n",
        b"25 inet n - n - - smtpd -o smtpd_tls_loglevel=1\n",
    );
    let now = owned(
        b"smtp_tls_loglevel =\n 1\nsmtp_tls_ciphers = medium\nsmtpd_tls_ciphers = high\n",
        b"25 inet n - n - - smtpd\n",
    );
    let drift = drift(&written, &now);
    let said: Vec<String> = drift
        .iter()
        .map(|d| {
            format!(
                "{} {} {:?} {:?}",
                d.place,
                d.parameter,
                d.written.as_deref(),
                d.now.as_deref()
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "main.cf smtp_tls_ciphers Some(\"high\") Some(\"medium\")",
            "main.cf smtpd_tls_ciphers None Some(\"high\")",
            "25/inet smtpd_tls_loglevel Some(\"1\") None",
        ]
    );
}

#[test]
fn an_edit_that_is_taken_over_is_no_drift_any_more() {
    let mut written = owned(
        b"smtp_tls_loglevel = 1\nsmtp_tls_ciphers = high\n",
        b"25 inet n - n - - smtpd -o smtpd_tls_loglevel=1\n",
    );
    let now = owned(
        b"smtp_tls_ciphers   =   medium\n",
        b"25 inet n - n - - smtpd -o smtpd_tls_ciphers=high\n",
    );
    for edit in drift(&written, &now) {
        edit.take_over(&mut written);
    }
    assert_eq!(written.main, now.main);
    assert_eq!(written.entries, now.entries);
    assert_eq!(written.services, now.services);
}

#[test]
fn a_line_that_another_one_overrides_is_remembered_and_taken_over() {
    let mut was = owned(b"smtpd_tls_loglevel = 0\n", b"");
    let now = owned(
        b"smtpd_tls_loglevel = 1\n# kept\nsmtpd_tls_loglevel = 2\n",
        b"",
    );
    let earlier = vec!["smtpd_tls_loglevel = 1\n".to_owned()];
    assert_eq!(now.overridden.get("smtpd_tls_loglevel"), Some(&earlier));
    let once = owned(b"smtpd_tls_loglevel = 3\n", b"");
    for is in [now, once] {
        for edit in drift(&was, &is) {
            edit.take_over(&mut was);
        }
        assert_eq!(was, is);
    }
}
