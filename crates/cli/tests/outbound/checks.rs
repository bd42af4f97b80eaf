//! `policy check` as it is called: words, exit codes, forms of the answer, resolvers on bad days, and
//! manners towards servers.

use crate::peers::{Chains, Peer};
use crate::scene::{Ran, Scene};
use postseal_testkit::dns_script::{ANSWER, CUT, DnsScript, question, record, reply};
use postseal_testkit::postfix_box::PostfixBox;
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};
use std::fs;
use std::thread;

const A: u16 = 1;
const MX: u16 = 15;

fn scene() -> Scene {
    Scene::stopped(
        PostfixBox::builder()
            .set("default_transport", "smtp")
            .set("smtp_helo_name", "out.box.test")
            .set("smtp_tls_policy_maps", "texthash:{base}/config/policy")
            .set("transport_maps", "texthash:{base}/config/transport"),
    )
    .with_tables("", "")
}

impl Scene {
    fn with_tables(self, transport: &str, policy: &str) -> Self {
        fs::write(self.path_of("transport"), transport).unwrap();
        fs::write(self.path_of("policy"), policy).unwrap();
        self
    }
}

#[test]
fn what_is_no_policy_and_no_destination_is_refused_before_anything_is_asked() {
    let scene = scene();
    for (words, code) in [
        (
            &["policy", "check", "x.test", "--policy", "sekure"][..],
            "policy.bad-policy",
        ),
        (
            &["policy", "check", "x.test", "--policy", ""],
            "policy.bad-policy",
        ),
        (
            &["policy", "check", "x.test", "--policy", "encrypt match=x"],
            "policy.bad-policy",
        ),
        (
            &["policy", "check", "x.test", "--policy", "secure mach=x"],
            "policy.bad-policy",
        ),
        (&["policy", "check", "a..b"], "policy.bad-destination"),
        (
            &["policy", "check", "[x.test]:70000"],
            "policy.bad-destination",
        ),
        (&["policy", "check", "[x.test]:0"], "policy.bad-destination"),
        (
            &["policy", "check", "x.test", "b c"],
            "policy.bad-destination",
        ),
        (&["policy", "check", ""], "policy.bad-destination"),
        (
            &["policy", "check", "[x.test]:nosuchport", "--policy", "may"],
            "policy.bad-destination",
        ),
    ] {
        let ran = scene.run(words);
        assert_eq!(
            (ran.exit, ran.code()),
            (Some(65), code),
            "{words:?}: {ran:#?}"
        );
    }
    for words in [
        &["policy", "check", "--policy", "may"][..],
        &["policy", "check", "x.test", "--timeout", "0"],
        &["policy", "check", "x.test", "--fail-on", "nothing"],
    ] {
        assert_eq!(scene.run(words).exit, Some(64), "{words:?}");
    }
}

#[test]
fn exits_say_pass_fail_and_undetermined() {
    let chains = Chains::new();
    let sink = chains.sink(Peer::SelfSigned);
    let hop = format!("[127.0.0.1]:{}", sink.address().port());
    // Both are next hops that mail takes.
    let routes = format!("via.test smtp:{hop}\nnobody.test smtp:[127.0.0.1]:1\n");
    let scene = scene().with_tables(&routes, "");
    let check = |policy: &str, more: &[&str]| {
        let words = [&["policy", "check", &hop, "--policy", policy], more].concat();
        scene.run(&words)
    };
    assert_eq!(check("encrypt", &[]).exit, Some(0));
    assert_eq!(check("secure", &[]).exit, Some(2));
    assert_eq!(check("secure", &["--fail-on", "fatal"]).exit, Some(0));
    assert_eq!(check("dane", &["--fail-on", "warning"]).exit, Some(2));
    assert_eq!(check("dane", &[]).exit, Some(0));
    let nobody = ["[127.0.0.1]:1"];
    assert_eq!(check("encrypt", &nobody).exit, Some(3));
    assert_eq!(
        check("secure", &nobody).exit,
        Some(2),
        "what failed weighs more"
    );

    let ran = check("encrypt", &nobody);
    let seen = &ran.json["checked"];
    assert_eq!(ran.json["schema"], 1);
    assert_eq!(ran.json["changed"], false);
    assert_eq!(seen[0]["preflight"]["outcome"], "pass");
    assert_eq!(
        seen[0]["preflight"]["hosts"][0]["addresses"][0]["version"],
        "TLSv1.3"
    );
    assert_eq!(seen[1]["destination"], nobody[0]);
    let codes = ran.json["findings"].as_array().unwrap().iter();
    let codes: Vec<&str> = codes.filter_map(|one| one["code"].as_str()).collect();
    assert!(
        codes.contains(&"policy.preflight-undetermined"),
        "{codes:?}"
    );

    let piped = scene.say(&["policy", "check", &hop, nobody[0], "--policy", "encrypt"]);
    let lines: Vec<Vec<&str>> = piped
        .stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(lines.len(), 2, "{piped:#?}");
    assert_eq!(
        lines[0][..6],
        [hop.as_str(), &hop, "encrypt", "pass", "encrypt", ""]
    );
    assert_eq!(lines[1][3], "undetermined");
    assert_eq!(piped.stderr, "", "no progress where it is piped");
}

#[test]
fn without_a_policy_the_one_in_force_is_tried_at_the_next_hop_that_mail_takes() {
    let chains = Chains::new();
    let sink = chains.sink(Peer::SelfSigned);
    let hop = format!("[127.0.0.1]:{}", sink.address().port());
    let transport = format!("via.test smtp:{hop}\nhere.test local:\n");
    let scene = scene().with_tables(&transport, &format!("{hop} verify\nbad.test encrypt x=y\n"));
    let ran = scene.run(&["policy", "check", "someone@via.test"]);
    let seen = &ran.json["checked"][0];
    assert_eq!(seen["destination"], "someone@via.test");
    assert_eq!(seen["preflight"]["nexthop"], hop.as_str());
    assert_eq!(seen["preflight"]["policy"], "verify");
    assert_eq!(ran.exit, Some(2));
    // Nothing goes over the network, and a row that Postfix refuses: nothing can be looked at.
    let local = scene.run(&["policy", "check", "here.test"]);
    assert_eq!(
        (local.exit, code(&local)),
        (Some(3), "policy.nothing-to-check")
    );
    let refused = scene.run(&["policy", "check", "bad.test"]);
    assert_eq!(
        (refused.exit, code(&refused)),
        (Some(2), "policy.row-refused")
    );
}

fn code(ran: &Ran) -> &str {
    ran.json["findings"][0]["code"].as_str().unwrap_or_default()
}

#[test]
fn resolvers_on_bad_days_leave_it_undetermined() {
    let scene = scene();
    let silent = |_: &[u8]| Vec::new();
    let failed = |request: &[u8]| vec![reply(request, ANSWER | 2, &[])];
    let refused = |request: &[u8]| vec![reply(request, ANSWER | 5, &[])];
    let garbage = |_: &[u8]| vec![b"no DNS".to_vec()];
    let only_tcp = |request: &[u8]| vec![reply(request, CUT, &[])];
    let servers = [
        DnsScript::start(silent, silent).unwrap(),
        DnsScript::start(failed, silent).unwrap(),
        DnsScript::start(refused, silent).unwrap(),
        DnsScript::start(garbage, silent).unwrap(),
        DnsScript::start(only_tcp, silent).unwrap(),
    ];
    let check = |server: &DnsScript| {
        let at = server.address().to_string();
        let words = ["policy", "check", "x.test", "--policy", "encrypt"];
        let ran = scene.run(&[&words[..], &["--resolver", &at]].concat());
        assert_eq!(
            (ran.exit, code(&ran)),
            (Some(3), "policy.preflight-undetermined"),
            "{ran:#?}"
        );
        assert!(server.asked() > 0);
    };
    // Each is waited for until the deadline.
    thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| check(server));
        }
    });
}

#[test]
fn answers_over_tcp_alone_and_hosts_of_many_domains_are_good_enough() {
    let chains = Chains::new();
    let sink = chains.sink_at(Peer::SelfSigned, "127.84.0.1:0".parse().unwrap());
    let port = sink.address().port();
    let cut = |request: &[u8]| vec![reply(request, CUT, &[])];
    let whole = |request: &[u8]| {
        // Every domain has the same exchanger.
        let name = &question(request)[..question(request).len() - 4];
        let kind = question(request)[question(request).len() - 3];
        let owner = text_of(name);
        let mx = [
            &[0, 10][..],
            &postseal_testkit::dns_script::name("mx.shared.test"),
        ]
        .concat();
        vec![match u16::from(kind) {
            MX => reply(request, ANSWER, &[record(&owner, MX, &mx)]),
            A => reply(request, ANSWER, &[record(&owner, A, &[127, 84, 0, 1])]),
            _ => reply(request, ANSWER, &[]),
        }]
    };
    let dns = DnsScript::start(cut, whole).unwrap();
    let at = dns.address().to_string();
    let mut hops: Vec<String> = (0..39).map(|n| format!("d{n}.test:{port}")).collect();
    hops.push(format!("bücher.test:{port}"));
    let mut words = vec!["policy", "check", "--policy", "encrypt", "--resolver", &at];
    words.extend(hops.iter().map(String::as_str));
    let ran = scene().run(&words);
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let checked = ran.json["checked"].as_array().unwrap();
    assert_eq!(checked.len(), 40);
    for one in checked {
        assert_eq!(one["preflight"]["hosts"][0]["name"], "mx.shared.test");
        assert_eq!(one["preflight"]["outcome"], "pass");
    }
    assert_eq!(sink.sessions().len(), 1, "the server was looked at once");
}

/// A name on the wire, with dots.
fn text_of(mut wire: &[u8]) -> String {
    let mut labels = Vec::new();
    while let Some((length, rest)) = wire.split_first()
        && *length > 0
    {
        let (label, rest) = rest.split_at(usize::from(*length));
        labels.push(String::from_utf8_lossy(label).into_owned());
        wire = rest;
    }
    labels.join(".")
}

#[test]
fn servers_hear_this_hosts_name_and_a_goodbye_whatever_they_said() {
    let scene = scene();
    for (server, heard) in [
        (SmtpScript::new().say("421 4.3.2 later\r\n").hear("QUIT"), 1),
        (
            SmtpScript::new().say("554 5.7.1 not you\r\n").hear("QUIT"),
            1,
        ),
        (
            SmtpScript::new()
                .say("220 plain\r\n")
                .hear("EHLO out.box.test")
                .say("250 plain\r\n")
                .hear("QUIT"),
            2,
        ),
        (
            SmtpScript::new()
                .say("220 broken\r\n")
                .hear("EHLO out.box.test")
                .say("250-broken\r\n250 STARTTLS\r\n")
                .hear("STARTTLS")
                .say("454 4.7.0 no\r\n")
                .hear("QUIT"),
            3,
        ),
    ] {
        let server = ScriptedServer::start(vec![server]);
        let hop = format!("[127.0.0.1]:{}", server.address().port());
        scene.run(&["policy", "check", &hop, "--policy", "encrypt"]);
        let said = server.finish().remove(0).unwrap();
        assert_eq!(said.len(), heard, "{said:?}");
    }
}
