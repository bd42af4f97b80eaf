//! Lookups, and what keeps DANE from being done.

use super::{Hosts, HostsFile, NoDane};

fn no_dane(prefix: &str, settings: &[(&str, &str)]) -> Option<NoDane> {
    NoDane::of(prefix, |name| {
        let found = settings.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn what_smtp_takes_for_no_dane() {
    let dnssec = ("smtp_dns_support_level", "DNSSEC");
    assert_eq!(no_dane("smtp", &[dnssec]), None);
    assert_eq!(
        no_dane("smtp", &[("smtp_dns_support_level", "enabled")]),
        Some(NoDane::Support)
    );
    let with = |name, value| no_dane("smtp", &[dnssec, (name, value)]);
    for (name, value, found) in [
        ("smtp_host_lookup", "native", Some(NoDane::NativeHosts)),
        ("smtp_host_lookup", "dns, native", None),
        ("smtp_host_lookup", "native dns", None),
        ("smtp_host_lookup", "", None),
        ("ignore_mx_lookup_error", "Yes", Some(NoDane::MxErrors)),
        ("ignore_mx_lookup_error", "no", None),
        (
            "smtp_dns_resolver_options",
            "res_dnsrch",
            Some(NoDane::Completion),
        ),
        (
            "smtp_dns_resolver_options",
            "res_x, res_defnames",
            Some(NoDane::Completion),
        ),
        ("smtp_dns_resolver_options", "", None),
        ("lmtp_host_lookup", "native", None),
    ] {
        assert_eq!(with(name, value), found, "{name} = {value}");
    }
}

#[test]
fn lmtp_has_parameters_of_its_own_and_looks_no_exchangers_up() {
    let settings = [
        ("lmtp_dns_support_level", "dnssec"),
        ("ignore_mx_lookup_error", "yes"),
        ("smtp_host_lookup", "native"),
    ];
    assert_eq!(no_dane("lmtp", &settings), None);
}

#[test]
fn what_is_not_known_is_in_nobodys_way() {
    assert_eq!(no_dane("smtp", &[]), None);
}

#[test]
fn the_order_of_the_words_does_not_matter() {
    assert_eq!(Hosts::of("dns"), Hosts::Dns);
    assert_eq!(Hosts::of(""), Hosts::Dns);
    assert_eq!(Hosts::of("native"), Hosts::System);
    assert_eq!(Hosts::of("dns, native"), Hosts::DnsThenSystem);
    assert_eq!(Hosts::of("native dns"), Hosts::DnsThenSystem);
}

#[test]
fn a_hosts_file_is_read_as_the_system_reads_it() {
    let file = HostsFile::parse(
        b"# 192.0.2.9 no.example\n192.0.2.1 MX.example mx # two.example\n\
          2001:db8::1\tmx.example\n192.0.2.1 mx.example\nnothing mx.example\n\xff\n192.0.2.2\n",
    );
    let addresses = |name: &str| {
        let found = file.addresses(name)?.iter();
        Some(found.map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        addresses("mx.EXAMPLE"),
        Some(vec!["192.0.2.1".to_owned(), "2001:db8::1".to_owned()])
    );
    assert_eq!(addresses("mx"), Some(vec!["192.0.2.1".to_owned()]));
    for name in ["no.example", "two.example", "nothing", ""] {
        assert_eq!(addresses(name), None, "{name}");
    }
}
