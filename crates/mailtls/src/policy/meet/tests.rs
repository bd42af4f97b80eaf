//! What two policies come to: by hand, and whatever they are.

use super::super::{Dialect, Name, Policy};
use crate::{Grade, Level, ProtocolList, RangeSyntax, TlsVersion};
use proptest::prelude::*;

const NOW: Dialect = Dialect {
    major: 3,
    minor: 11,
};

fn policy(text: &str) -> Policy {
    Policy::parse(text, NOW).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// What two come to, in either order.
fn both(one: &str, other: &str) -> Result<String, String> {
    let (one, other) = (policy(one), policy(other));
    let met = Policy::meeting(&[one.clone(), other.clone()]);
    assert_eq!(met, Policy::meeting(&[other, one]));
    met.map(|met| met.to_string())
        .map_err(|error| error.to_string())
}

#[test]
fn both_demands_are_kept() {
    let rows = [
        (
            "encrypt",
            "encrypt protocols=>=TLSv1.3",
            "encrypt protocols=>=TLSv1.3",
        ),
        (
            "secure",
            "secure match=mx.a.example",
            "secure match=mx.a.example",
        ),
        ("encrypt", "secure", "secure"),
        (
            "may protocols=>=TLSv1.3",
            "encrypt",
            "encrypt protocols=>=TLSv1.3",
        ),
        (
            "encrypt protocols=!SSLv2:!SSLv3:!TLSv1",
            "encrypt protocols=>=TLSv1.2",
            "encrypt protocols=>=TLSv1.2",
        ),
        (
            "encrypt protocols=TLSv1.1:TLSv1.2",
            "encrypt protocols=TLSv1.2:TLSv1.3",
            "encrypt protocols=!SSLv2:!SSLv3:!TLSv1:!TLSv1.1:!TLSv1.3",
        ),
        (
            "encrypt ciphers=medium",
            "encrypt ciphers=high",
            "encrypt ciphers=high",
        ),
        (
            "encrypt exclude=RC4:aNULL",
            "encrypt exclude=aNULL:3DES",
            "encrypt exclude=3DES:RC4:aNULL",
        ),
        ("encrypt exclude=", "encrypt", "encrypt exclude="),
        ("verify", "secure", "secure"),
        (
            "verify match=mx.a.example",
            "secure",
            "secure match=mx.a.example",
        ),
        ("verify match=hostname", "secure", "secure"),
        (
            "secure match=a.example:b.example",
            "secure match=b.example",
            "secure match=b.example",
        ),
        (
            "fingerprint match=AA:BB|CC:DD",
            "fingerprint match=CC:DD",
            "fingerprint match=CC:DD",
        ),
        ("encrypt", "dane-only", "dane-only"),
        ("dane", "may ciphers=high", "dane ciphers=high"),
        (
            "encrypt servername=MX.a.example",
            "encrypt servername=mx.a.example",
            "encrypt servername=mx.a.example",
        ),
        (
            "encrypt connection_reuse=yes",
            "encrypt connection_reuse=no",
            "encrypt connection_reuse=no",
        ),
        (
            "secure tafile=/etc/a.pem",
            "encrypt ciphers=high",
            "secure ciphers=high tafile=/etc/a.pem",
        ),
        ("none", "may", "may"),
        (
            "encrypt policy_type=sts policy_domain=a.example",
            "secure",
            "secure policy_type=sts policy_domain=a.example",
        ),
    ];
    for (one, other, expected) in rows {
        assert_eq!(
            both(one, other).as_deref(),
            Ok(expected),
            "{one} and {other}"
        );
    }
}

#[test]
fn what_one_row_cannot_say_is_told() {
    let rows = [
        ("dane", "encrypt", "no level demands"),
        ("dane-only", "secure", "no level demands"),
        ("fingerprint match=AA", "secure", "no level demands"),
        (
            "secure match=a.example",
            "secure match=b.example",
            "match cannot be both a.example and b.example",
        ),
        (
            "fingerprint match=AA",
            "fingerprint match=BB",
            "match cannot be both AA and BB",
        ),
        (
            "verify tafile=/etc/a.pem",
            "verify tafile=/etc/b.pem",
            "tafile cannot be both",
        ),
        (
            "encrypt servername=a.example",
            "encrypt servername=hostname",
            "servername cannot be both",
        ),
        (
            "encrypt protocols=TLSv1.2",
            "encrypt protocols=TLSv1.3",
            "no protocol is in both",
        ),
        ("secure", "secure match=hostname", "takes the name from DNS"),
        (
            "encrypt policy_type=sts",
            "encrypt policy_type=no-policy-found",
            "policy_type cannot be both",
        ),
    ];
    for (one, other, expected) in rows {
        let told = both(one, other).unwrap_err();
        assert!(told.contains(expected), "{one} and {other}: {told}");
    }
}

#[test]
fn a_third_policy_may_demand_what_two_cannot_together() {
    let three = ["dane", "dane-only", "encrypt"].map(policy);
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0], [0, 2, 1]] {
        let policies = order.map(|i: usize| three[i].clone());
        assert_eq!(Policy::meeting(&policies).unwrap(), policy("dane-only"));
    }
    assert_eq!(Policy::meeting(&[]).unwrap(), policy("none"));
}

const LEVELS: [&str; 8] = [
    "none",
    "may",
    "encrypt",
    "dane",
    "dane-only",
    "fingerprint",
    "verify",
    "secure",
];
const ATTRIBUTES: [&str; 22] = [
    "protocols=>=TLSv1.2",
    "protocols=!SSLv2:!SSLv3:!TLSv1",
    "protocols=TLSv1.2:TLSv1.3",
    "protocols=TLSv1.1:TLSv1.2",
    "protocols=>=TLSv1.3",
    "ciphers=high",
    "ciphers=medium",
    "ciphers=null",
    "exclude=RC4:aNULL",
    "exclude=3DES",
    "exclude=",
    "match=a.example",
    "match=a.example:b.example",
    "match=hostname",
    "match=nexthop:dot-nexthop",
    "tafile=/etc/a.pem",
    "tafile=/etc/b.pem",
    "servername=hostname",
    "servername=a.example",
    "connection_reuse=yes",
    "connection_reuse=no",
    "enable_rpk=yes",
];

/// Policies that smtp(8) takes.
fn any_policy() -> impl Strategy<Value = Policy> {
    let attributes = prop::sample::subsequence(ATTRIBUTES.to_vec(), 0..5).prop_shuffle();
    (prop::sample::select(LEVELS.to_vec()), attributes).prop_filter_map(
        "Postfix refuses it",
        |(level, attributes)| {
            let text = std::iter::once(level).chain(attributes);
            Policy::parse(&text.collect::<Vec<_>>().join(" "), NOW).ok()
        },
    )
}

fn words<'a>(policy: &'a Policy, name: Name) -> Option<Vec<&'a str>> {
    let separator = match (policy.level, name) {
        (Level::Fingerprint, Name::Match) => '|',
        _ => ':',
    };
    let values: Vec<&str> = policy.values(name).collect();
    let split = |value: &&'a str| value.split(separator).collect::<Vec<_>>();
    (!values.is_empty()).then(|| values.iter().flat_map(split).collect())
}

/// Whether a policy is at least as strict as another one, attribute by attribute.
fn is_no_weaker(met: &Policy, demand: &Policy) -> bool {
    let list = |policy: &Policy| {
        let text = policy.values(Name::Protocols).next().map(str::to_owned);
        text.map(|text| ProtocolList::parse(&text, RangeSyntax::Allowed).unwrap())
    };
    let protocols = match (list(met), list(demand)) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(met), Some(demand)) => TlsVersion::ALL
            .iter()
            .all(|version| !met.allows(*version) || demand.allows(*version)),
    };
    let grade = |policy: &Policy| {
        let text = policy.values(Name::Ciphers).next().map(str::to_owned);
        let grade = text.map(|text| text.parse::<Grade>().unwrap());
        grade.and_then(|grade| Grade::ALL.iter().position(|one| *one == grade))
    };
    let grades = match (grade(met), grade(demand)) {
        (_, None) => true,
        (met, Some(demand)) => met.is_some_and(|met| met <= demand),
    };
    let excluded = words(demand, Name::Exclude).unwrap_or_default();
    let excludes = words(met, Name::Exclude).unwrap_or_default();
    let excludes_all = excluded
        .iter()
        .all(|word| word.is_empty() || excludes.contains(word));
    // What verify takes anyway is no demand beside secure.
    let usual = demand.level == Level::Verify
        && met.level == Level::Secure
        && words(demand, Name::Match) == Some(vec!["hostname"]);
    let within = |name| match (words(met, name), words(demand, name)) {
        (_, None) => true,
        (None, Some(_)) => usual && name == Name::Match,
        (Some(met), Some(demand)) => {
            (usual && name == Name::Match) || met.iter().all(|word| demand.contains(word))
        }
    };
    let servername = match demand.values(Name::Servername).next() {
        None => true,
        demand => met.values(Name::Servername).next() == demand,
    };
    let no = |policy: &Policy, name| policy.values(name).last() == Some("no");
    let switch = |name| !no(demand, name) || no(met, name);
    met.level.demands_all_of(demand.level)
        && protocols
        && grades
        && excludes_all
        && within(Name::Match)
        && within(Name::Tafile)
        && servername
        && switch(Name::ConnectionReuse)
        && switch(Name::EnableRpk)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn whatever_they_are(one in any_policy(), other in any_policy(), third in any_policy()) {
        let own = Policy::meeting(std::slice::from_ref(&one)).unwrap();
        prop_assert_eq!(Policy::meeting(&[one.clone(), one.clone()]).unwrap(), own.clone());
        prop_assert!(one.keeps(&one) && own.keeps(&one) && one.keeps(&own));
        prop_assert!(is_no_weaker(&own, &one), "{} {}", own, one);

        let met = Policy::meeting(&[one.clone(), other.clone()]);
        prop_assert_eq!(&met, &Policy::meeting(&[other.clone(), one.clone()]));
        let Ok(met) = met else { return Ok(()) };
        // smtp(8) takes it, and it is written in one way.
        prop_assert_eq!(Policy::parse(&met.to_string(), NOW).unwrap(), met.clone());
        for demand in [&one, &other] {
            prop_assert!(is_no_weaker(&met, demand), "{one} and {other}: {met}");
            prop_assert!(met.keeps(demand), "{one} and {other}: {met}");
        }
        // It demands nothing that neither does: who keeps both keeps it.
        if third.keeps(&one) && third.keeps(&other) {
            prop_assert!(third.keeps(&met), "{one} and {other}: {met}, {third}");
        }
        let three = [one.clone(), other.clone(), third.clone()];
        let turned = [third, other, one];
        prop_assert_eq!(Policy::meeting(&three), Policy::meeting(&turned));
    }
}
