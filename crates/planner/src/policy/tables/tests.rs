//! Which tables have rows that can become rules.

use super::{Candidate, named_tables, services_with_tables};
use crate::Digest;
use crate::intent::{AdoptedTables, Named, Owned, Policies, PolicyTable};
use crate::view::tests::facts;

fn named(main: &str) -> Vec<String> {
    let text = |candidate| match candidate {
        Candidate::Source(source) => {
            format!(
                "{} = {} ({})",
                source.name,
                source.table,
                source.path.display()
            )
        }
        Candidate::Other { name, .. } => format!("{name}: no"),
    };
    named_tables(&facts(main, ""))
        .into_iter()
        .map(text)
        .collect()
}

#[test]
fn tables_with_a_source_are_told_from_others() {
    let main = "dir = /etc/mail\ntwo = hash:/a, hash:/b\nsmtp_tls_policy_maps = hash:$dir/tls,\n  proxy:btree:/etc/p inline:{a=b, c=d}\n  pcre:/etc/x, hash:rel, $two, $none, texthash:/t\n";
    let wanted = [
        "hash:$dir/tls = hash:/etc/mail/tls (/etc/mail/tls)",
        "proxy:btree:/etc/p = btree:/etc/p (/etc/p)",
        "inline:{a=b, c=d}: no",
        "pcre:/etc/x: no",
        "hash:rel: no",
        "$two: no",
        "$none: no",
        "texthash:/t = texthash:/t (/t)",
    ];
    assert_eq!(named(main), wanted);
    assert_eq!(named(""), [] as [&str; 0]);
}

#[test]
fn a_value_is_cut_only_where_it_begins_with_the_tables() {
    let table = |name: &str| PolicyTable {
        name: name.to_owned(),
        table: name.to_owned(),
        path: "/x".into(),
        digest: Digest::of(b""),
        rows: 1,
    };
    let tables = AdoptedTables {
        tables: vec![table("hash:/a"), table("hash:/b")],
        policies: Policies {
            digest: Digest::of(b""),
            rows: 2,
        },
        named: Named::Still,
        before: vec!["pcre:/z".to_owned()],
    };
    let cases = [
        ("hash:/a, hash:/b", Some("")),
        (
            "hash:/a hash:/b pcre:/c,inline:{d=e, f=g}",
            Some("pcre:/c, inline:{d=e, f=g}"),
        ),
        (
            "pcre:/z, hash:/a, hash:/b,hash:/c",
            Some("pcre:/z | hash:/c"),
        ),
        ("hash:/b, hash:/a", None),
        ("hash:/z, hash:/a, hash:/b", None),
        ("pcre:/z", None),
        ("hash:/a", None),
        ("", None),
    ];
    for (value, rest) in cases {
        let parted = tables
            .parted(value)
            .map(|parted| match parted.before.join(", ") {
                before if before.is_empty() => parted.after.join(", "),
                before => format!("{before} | {}", parted.after.join(", ")),
            });
        assert_eq!(parted.as_deref(), rest, "{value}");
    }
    let option = |value: &str| [("smtp_tls_policy_maps".to_owned(), value.to_owned())].into();
    let owned = Owned {
        services: [
            ("smtp/unix".to_owned(), option("hash:/a,hash:/b")),
            ("strict/unix".to_owned(), option("hash:/own")),
            ("bare/unix".to_owned(), option("")),
        ]
        .into(),
        ..Owned::default()
    };
    let found: Vec<_> = services_with_tables(&owned, &tables).collect();
    assert_eq!(found, [("strict/unix", "hash:/own")]);
}
