//! The desk on PostgreSQL: console, agent and command line at a database of the console's user, who is let in as nobody else.

use crate::scene::Scene;
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use postseal_testkit::postgres::Postgres;
use std::fs;

const PASSWORD: &str = "correct horse battery staple";

/// A server whose socket tells it who asks, and the lines that name it.
fn server() -> (Postgres, String) {
    let server = Postgres::start(&[]).unwrap();
    server.create("nobody").unwrap();
    let superuser = Postgres::SUPERUSER;
    let lines = format!("local all {superuser} trust\nlocal all all peer\n");
    server.let_in(&lines).unwrap();
    let socket = server.socket().display();
    let desk = format!("desk = \"postgres:///nobody?host={socket}\"\n");
    (server, desk)
}

/// What is sent with a form.
fn send(site: &Site, path: &str, form: &str) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\norigin: http://localhost\r\ncontent-type: application/x-www-form-urlencoded"
    );
    site.http(&head, form)
}

/// The session of the first admin, by the link that `up` printed.
fn signed_in(site: &Site) -> String {
    let log = site.log();
    let (_, link) = log.split_once("/welcome/").unwrap();
    let link = link.split_whitespace().next().unwrap();
    let password = PASSWORD.replace(' ', "+");
    let form = format!("password={password}&again={password}");
    let taken = send(site, &format!("/welcome/{link}"), &form);
    assert!(taken.starts_with("HTTP/1.1 303"), "{taken}");
    let form = format!("name=admin&password={password}");
    let answer = send(site, "/sign-in", &form);
    let (_, cookie) = answer.split_once("__Host-postseal=").expect(&answer);
    let cookie = cookie.split(';').next().unwrap();
    format!("__Host-postseal={cookie}")
}

fn page(site: &Site, session: &str, path: &str) -> String {
    site.http(&format!("GET {path} HTTP/1.1\r\ncookie: {session}"), "")
}

#[test]
fn what_is_wished_at_a_desk_on_postgresql_is_carried_out_and_shown() {
    let (mut server, desk) = server();
    let scene = Scene::bare(PostfixBox::builder());
    let site = Site::up_in(scene, &desk);
    let adopted = site.remote(&["init"]);
    assert_eq!(adopted.exit, Some(0), "{adopted:#?}");
    site.scene.import();
    assert!(!site.console_folder().exists(), "there is one desk");
    let session = signed_in(&site);
    for words in [&["cert", "bind", "mx"][..], &["set", "mode=may"]] {
        let answer = site.remote(words);
        assert_eq!(answer.exit, Some(0), "{answer:#?}");
    }
    site.wait("what is wished on its page", |site| {
        page(site, &session, "/plan").contains("+smtpd_tls_security_level = may")
    });
    let applied = site.remote(&["apply"]);
    assert_eq!(applied.exit, Some(0), "{applied:#?}");
    site.wait("the operation on its page", |site| {
        page(site, &session, "/history").contains("/history/rollback")
    });

    server.stop().unwrap();
    let before = site.scene.files();
    let shown = page(&site, &session, "/");
    assert!(shown.starts_with("HTTP/1.1 503"), "{shown}");
    assert!(shown.contains("cannot be reached"), "{shown}");
    assert!(shown.contains("`postseal user list`"), "{shown}");
    let refused = site.remote(&["set", "mode=encrypt"]);
    assert_eq!(refused.code(), "console.desk", "{refused:#?}");
    let listed = site.local(&["user", "list"]);
    assert_eq!(listed.code(), "store.away", "{listed:#?}");
    site.wait("word of the agent", |site| {
        site.log().contains("postseal: warning: ")
    });

    server.start_again().unwrap();
    site.wait("the agent", |site| {
        site.log().contains("the desk can be reached again")
    });
    // Nobody has to sign in again, and nothing of what was refused was stored.
    let shown = page(&site, &session, "/");
    assert!(shown.starts_with("HTTP/1.1 200"), "{shown}");
    assert_eq!(site.scene.files(), before);
    let plan = site.remote(&["plan"]);
    assert_eq!(plan.exit, Some(0), "nothing is wished: {plan:#?}");
    let answer = site.remote(&["set", "mode=encrypt"]);
    assert_eq!(answer.exit, Some(0), "{answer:#?}");
    // Who waits does not fill the log.
    let warnings = site.log().matches("warning: ").count();
    assert!(warnings <= 2, "{}", site.log());
}

#[test]
fn an_address_with_a_password_is_refused_and_not_repeated() {
    let site = Scene::adopted(PostfixBox::builder());
    let config = site.named("postseal.toml");
    let desk = "[console]\ndesk = \"postgres://mail:findme@db.example.net/postseal\"\n";
    fs::write(&config, desk).unwrap();
    let output = site
        .command(&["--config", &config, "status", "--json"])
        .output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("\"desk.bad-url\""), "{said}");
    assert!(said.contains("desk_password_file"), "{said}");
    assert!(!said.contains("findme"), "{said}");
}
