//! What to write so that mail to port 465 leaves by a client that begins with TLS: each advice is followed,
//! and trivial-rewrite(8) asked.

use crate::managed::findings;
use crate::place::{Place, builder};
use crate::scene::Scene;
use std::fs;
use std::time::{Duration, Instant};

const CODE: &str = "policy.no-wrappermode";
const HOP: &str = "[127.0.0.9]:465";
const CLIENT: &str = "smtps-out unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n  \
                      -o smtp_tls_security_level=encrypt\n";

/// Where the route stands, and what is said of it.
struct Case {
    /// Lines of main.cf.
    main: &'static str,
    /// The rows of the table that leads there.
    rows: &'static str,
    advice: &'static str,
    /// The same as lines of main.cf, and as rows.
    to: (&'static str, &'static str),
}

const CASES: [Case; 7] = [
    Case {
        main: "relayhost = [127.0.0.9]:465\n",
        rows: "",
        advice: "relayhost takes no transport: write `default_transport = smtps-out` in main.cf",
        to: ("default_transport = smtps-out\n", ""),
    },
    Case {
        main: "relayhost = [127.0.0.9]:465\nrelay_domains = d.test\ndefault_transport = smtps-out\n",
        rows: "",
        advice: "relayhost takes no transport: write `relay_transport = smtps-out` in main.cf",
        to: ("relay_transport = smtps-out\n", ""),
    },
    Case {
        main: "default_transport = smtp:[127.0.0.9]:465\n",
        rows: "",
        advice: "Write `default_transport = smtps-out:[127.0.0.9]:465` in main.cf",
        to: ("default_transport = smtps-out:[127.0.0.9]:465\n", ""),
    },
    Case {
        main: "sender_dependent_relayhost_maps = hash:{base}/leads\n",
        rows: "@s.test [127.0.0.9]:465\n",
        advice: "in place of its `@s.test [127.0.0.9]:465` write `@s.test smtps-out:[127.0.0.9]:465` \
                 to sender_dependent_default_transport_maps",
        to: (
            "sender_dependent_relayhost_maps =\n\
             sender_dependent_default_transport_maps = hash:{base}/leads\n",
            "@s.test smtps-out:[127.0.0.9]:465\n",
        ),
    },
    Case {
        main: "relayhost = [127.0.0.9]:465\n\
               sender_dependent_default_transport_maps = hash:{base}/leads\n",
        rows: "@s.test late:\nother@s.test smtp:[127.0.0.9]:26\n",
        advice: "sender_dependent_default_transport_maps says `late:` for @s.test: write \
                 `smtps-out:` there",
        to: ("default_transport = smtps-out\n", "@s.test smtps-out:\n"),
    },
    Case {
        main: "transport_maps = hash:{base}/leads\n",
        rows: "d.test smtp:[127.0.0.9]:465\n",
        advice: "transport_maps says `smtp:[127.0.0.9]:465` for d.test: write \
                 `smtps-out:[127.0.0.9]:465` there",
        to: ("", "d.test smtps-out:[127.0.0.9]:465\n"),
    },
    Case {
        main: "transport_maps = hash:{base}/leads\n",
        rows: "d.test :[127.0.0.9]:465\n",
        advice: "transport_maps says `:[127.0.0.9]:465` for d.test: write \
                 `smtps-out:[127.0.0.9]:465` there",
        to: ("", "d.test smtps-out:[127.0.0.9]:465\n"),
    },
];

/// Adds lines to main.cf, and writes the table.
fn configure(place: &Place, main: &str, rows: &str) {
    let base = place.scene.config();
    place.write(
        "main.cf",
        &(place.main_cf() + &main.replace("{base}", &base)),
    );
    place.table("leads", rows);
}

/// Waits until mail leaves by the client and the next hop.
fn leaves(place: &Place) {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let found = place.scene.postfix.resolve("who@s.test", "you@d.test");
        let found = found.map(|one| (one.transport, one.nexthop));
        if matches!(&found, Ok((by, hop)) if by == "smtps-out" && hop == HOP) {
            return;
        }
        assert!(Instant::now() < until, "{found:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_advice_to_send_by_a_client_that_begins_with_tls_does_so() {
    for case in CASES {
        let place = Place {
            scene: Scene::stopped(builder()),
        };
        let master = place.config().join("master.cf");
        let lines = fs::read_to_string(&master).unwrap();
        let late = "late unix - - n - - smtp\n";
        fs::write(&master, lines + CLIENT + late).unwrap();
        configure(&place, case.main, case.rows);
        place.must("init");
        let explain = "explain you@d.test --sender who@s.test";
        let explained = findings(&place.run(explain).json, CODE);
        assert_eq!(explained.len(), 1, "{}: {explained:?}", case.main);
        let add = format!("policy add {HOP} encrypt --no-preflight");
        let added = findings(&place.run(&add).json, CODE);
        assert!(!added.is_empty(), "{}", case.main);
        // Where others' mail goes by the client, it is a warning.
        place.run("discard");
        let of_main = case.main.lines().next().unwrap();
        for told in [&explained, &added] {
            assert!(
                told.iter().any(|one| one.contains(case.advice)),
                "{of_main}: {told:#?}"
            );
            assert!(!told.concat().contains("relayhost = smtps-out"), "{told:?}");
        }

        configure(&place, case.to.0, case.to.1);
        place.scene.postfix.start().unwrap();
        leaves(&place);
        assert!(
            findings(&place.run(explain).json, CODE).is_empty(),
            "{of_main}"
        );
        let added = findings(&place.must(&add).json, CODE);
        assert!(added.is_empty(), "{of_main}: {added:?}");
    }
}

#[test]
fn lint_tells_of_a_route_that_begins_in_clear_without_any_rule() {
    let place = Place::unadopted(builder().set("transport_maps", "hash:{base}/config/transport"));
    let told = |row: &str| {
        place.table("transport", row);
        findings(&place.run("lint").json, CODE)
    };
    let late = told("d.test smtp:[127.0.0.9]:465\n");
    assert_eq!(late.len(), 1, "{late:?}");
    assert!(late[0].contains(HOP), "{late:?}");
    assert_eq!(told("d.test smtp:[127.0.0.9]:587\n").len(), 0);
}

/// And `status`, for people and for a monitor, of `relayhost` too.
#[test]
fn status_tells_of_routes_that_begin_in_clear() {
    let tables = builder().set("transport_maps", "hash:{base}/config/transport");
    for (builder, row) in [
        (tables, "d.test smtp:[127.0.0.9]:465\n"),
        (builder().set("relayhost", HOP), ""),
    ] {
        let place = Place::unadopted(builder);
        place.table("transport", row);
        place.must("init");
        let status = place.must("status").json;
        let routes = status["bad_routes"].as_array().unwrap();
        assert!(
            matches!(&routes[..], [one] if one["code"] == CODE),
            "{status}"
        );
        let said = place.scene.say(&["status"]).stdout;
        assert!(said.contains(CODE), "{said}");
        let nagios = place.run("status --nagios").stdout;
        assert!(nagios.contains(HOP), "{nagios}");
        let told = place.run("explain --sender s@d.test you@d.test").json;
        let sentence = told["hops"][0]["promise"].as_str().unwrap();
        assert!(
            sentence.starts_with("The mail waits in the queue"),
            "{told}"
        );
    }
}
