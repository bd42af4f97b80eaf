//! The desk in a database: what a server does to it.

use crate::body::MX;
use crate::body::people::{agent, user};
use crate::body::rules::{query, rule};
use crate::body::together::no_note_is_lost_however_many_write;
use crate::child;
use postseal_store::desk::{Clerk as _, Desk as _, DeskPlace, Role};
use postseal_store::{BadPlace, PostgresDesk, PostgresPlace, StoreError, Trouble};
use postseal_testkit::postgres::Postgres;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// A database's address for the role that owns it.
pub(crate) fn place(cluster: &Postgres, database: &str) -> PostgresPlace {
    PostgresPlace::new(&cluster.url(database, database), "nobody", None).unwrap()
}

fn desk(cluster: &Postgres, database: &str) -> PostgresDesk {
    PostgresDesk::open(place(cluster, database)).unwrap()
}

fn started(database: &str) -> Postgres {
    let cluster = Postgres::start(&[]).unwrap();
    cluster.create(database).unwrap();
    cluster
}

/// What kept somebody from the desk.
fn trouble<T: std::fmt::Debug>(done: Result<T, StoreError>) -> Trouble {
    match done {
        Err(StoreError::Server { trouble, .. }) => trouble,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_server_that_was_away_is_reached_again_and_nothing_is_lost() {
    let mut cluster = started("desk");
    let mut one = desk(&cluster, "desk");
    one.add_user(&user("alice", Role::Admin)).unwrap();
    one.beat(&agent("a")).unwrap();
    // Stopped and started while nobody asks: nobody notices.
    cluster.stop().unwrap();
    cluster.start_again().unwrap();
    assert_eq!(one.users().unwrap().len(), 1);
    cluster.stop().unwrap();
    assert_eq!(
        trouble(one.add_user(&user("bob", Role::Admin))),
        Trouble::Away
    );
    assert_eq!(trouble(one.users()), Trouble::Away);
    // One that was opened meanwhile is of use later.
    let two = desk(&cluster, "desk");
    assert_eq!(trouble(two.users()), Trouble::Away);
    cluster.start_again().unwrap();
    assert_eq!(one.users().unwrap(), [user("alice", Role::Admin)]);
    assert_eq!(two.users().unwrap(), one.users().unwrap());
    one.beat(&agent("a")).unwrap();
}

#[test]
fn one_agent_works_at_a_desk() {
    let cluster = started("desk");
    let (mut one, mut two) = (desk(&cluster, "desk"), desk(&cluster, "desk"));
    one.beat(&agent("a")).unwrap();
    assert_eq!(trouble(two.beat(&agent("b"))), Trouble::SecondAgent);
    assert_eq!(trouble(two.abandoned(&agent("b"))), Trouble::SecondAgent);
    assert_eq!(two.users().unwrap(), []);
    drop(one);
    let until = Instant::now() + Duration::from_secs(30);
    while let Err(error) = two.beat(&agent("b")) {
        assert!(Instant::now() < until, "{error:?}");
    }
}

/// A note has its number some time before others see it: where each takes its own time, the numbers are in order all the same.
#[test]
fn no_note_is_lost_though_writing_one_takes_its_time() {
    let cluster = started("desk");
    desk(&cluster, "desk").users().unwrap();
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                $$BEGIN PERFORM pg_sleep(random() / 100); RETURN NEW; END$$";
    let each = "CREATE TRIGGER slow BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION slow()";
    cluster.run("desk", slow).unwrap();
    cluster.run("desk", each).unwrap();
    let place = DeskPlace::Server(place(&cluster, "desk"));
    no_note_is_lost_however_many_write(&|| place.open().unwrap());
}

#[test]
fn a_role_without_rights_and_a_database_that_is_not_there_are_told() {
    let cluster = started("desk");
    cluster
        .run("postgres", "CREATE ROLE stranger LOGIN")
        .unwrap();
    let of = |url: &str| {
        let place = PostgresPlace::new(url, "nobody", None).unwrap();
        trouble(PostgresDesk::open(place).unwrap().users())
    };
    assert_eq!(of(&cluster.url("stranger", "desk")), Trouble::Rights);
    assert_eq!(of(&cluster.url("nobody_knows", "desk")), Trouble::Rights);
    assert_eq!(of(&cluster.url("desk", "nowhere")), Trouble::Rights);
    let latin = "CREATE DATABASE latin OWNER desk ENCODING LATIN1 LOCALE 'C' TEMPLATE template0";
    cluster.run("postgres", latin).unwrap();
    assert_eq!(of(&cluster.url("desk", "latin")), Trouble::Encoding);
    desk(&cluster, "desk").users().unwrap();
    assert_eq!(of(&cluster.url("stranger", "desk")), Trouble::Rights);
    let read_only = "ALTER ROLE desk SET default_transaction_read_only = on";
    cluster.run("postgres", read_only).unwrap();
    let mut desk = desk(&cluster, "desk");
    assert_eq!(desk.users().unwrap(), []);
    let added = desk.add_user(&user("alice", Role::Admin));
    assert_eq!(trouble(added), Trouble::ReadOnly);
}

#[test]
fn without_pg_trgm_there_is_no_desk_until_somebody_makes_it() {
    let cluster = started("desk");
    // Whoever does not own the database may not make an extension.
    let sql = "ALTER DATABASE desk OWNER TO super; GRANT ALL ON SCHEMA public TO desk";
    for sql in sql.split(';') {
        cluster.run("desk", sql).unwrap();
    }
    let mut desk = desk(&cluster, "desk");
    assert_eq!(trouble(desk.users()), Trouble::Trigrams);
    cluster.run("desk", "CREATE EXTENSION pg_trgm").unwrap();
    assert_eq!(desk.users().unwrap(), []);
    cluster.run("desk", "DROP EXTENSION pg_trgm").unwrap();
    assert_eq!(trouble(desk.begin_rules(MX, 1)), Trouble::Trigrams);
}

#[test]
fn a_desk_of_a_newer_version_is_left_alone() {
    let cluster = started("desk");
    desk(&cluster, "desk").users().unwrap();
    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (99, 'newer', TRUE, '', 0)";
    cluster.run("desk", newer).unwrap();
    let mut desk = desk(&cluster, "desk");
    let found = desk.add_user(&user("alice", Role::Admin));
    assert_eq!(trouble(found), Trouble::Newer);
    let users = cluster.run("desk", "SELECT count(*) FROM users");
    assert_eq!(users.unwrap(), "0");
}

#[test]
fn a_password_comes_from_its_file_and_is_in_no_error() {
    const PASSWORD: &str = "find me if you can";
    let cluster = started("desk");
    let alter = format!("ALTER ROLE desk PASSWORD '{PASSWORD}'");
    cluster.run("postgres", &alter).unwrap();
    let lines = "local all super trust\nlocal all all scram-sha-256\n";
    cluster.let_in(lines).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    let write = |text: &str, mode: u32| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
    };
    write(&format!("{PASSWORD}\n"), 0o644);
    let url = cluster.url("desk", "desk");
    let place = PostgresPlace::new(&url, "nobody", Some(file.clone())).unwrap();
    let mut desk = PostgresDesk::open(place.clone()).unwrap();
    let asked = |desk: &PostgresDesk| {
        let error = desk.users().unwrap_err();
        let said = format!("{error} {error:?} {place} {place:?}");
        assert!(!said.contains("find me"), "{said}");
        trouble::<()>(Err(error))
    };
    assert_eq!(asked(&desk), Trouble::Password, "everybody may read it");
    write("find me not", 0o640);
    // The server takes its new rules when it gets to them.
    let until = Instant::now() + Duration::from_secs(30);
    while desk.users().is_ok() && Instant::now() < until {
        desk = PostgresDesk::open(place.clone()).unwrap();
    }
    assert_eq!(asked(&desk), Trouble::Rights, "it is another");
    write(&format!("{PASSWORD}\n"), 0o640);
    assert_eq!(desk.users().unwrap(), []);
    fs::remove_file(&file).unwrap();
    desk = PostgresDesk::open(place.clone()).unwrap();
    assert_eq!(asked(&desk), Trouble::Password, "it is gone");
}

#[test]
fn an_address_that_says_too_much_or_too_little_is_refused() {
    let of = |url: &str| PostgresPlace::new(url, "postseal", None).map(|place| place.to_string());
    let shown = of("postgres://mail@db.example.net:5433/postseal?sslmode=require");
    assert_eq!(
        shown.unwrap(),
        "postgres://mail@db.example.net:5433/postseal"
    );
    assert!(of("postgresql:///postseal?host=/run/postgresql&user=mail").is_ok());
    assert_eq!(
        of("postgres://mail:secret@db/postseal"),
        Err(BadPlace::Password)
    );
    assert_eq!(
        of("postgres://db/postseal?password=x"),
        Err(BadPlace::Password)
    );
    // What is misspelt would not be asked for.
    let unknown = |key: &str| Err(BadPlace::Unknown(key.to_owned()));
    assert_eq!(
        of("postgres://db/postseal?ssl_mode=require"),
        unknown("ssl_mode")
    );
    assert_eq!(
        of("postgres://db/postseal?pass%77ord=x"),
        unknown("pass%77ord")
    );
    for url in [
        "postgres://db/postseal?sslmode=verify",
        "postgres://db",
        "postgres:///",
        "db",
        "sqlite:x",
    ] {
        assert_eq!(of(url), Err(BadPlace::Form), "{url}");
    }
}

#[test]
fn a_full_disk_is_told_and_what_was_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let command = child::command_with_own_mounts("postgres::on_a_small_disk", folder.path());
    child::succeeds(command);
}

#[test]
#[ignore = "the child of a_full_disk_is_told_and_what_was_there_stays"]
fn on_a_small_disk() {
    let disk = child::place();
    mount(&disk);
    // Only what is stored is on the small disk: a server whose log cannot be written ends.
    let cluster = started("other");
    let tablespace = format!("CREATE TABLESPACE small LOCATION '{}'", disk.display());
    cluster.run("postgres", &tablespace).unwrap();
    let create = "CREATE DATABASE desk OWNER other TABLESPACE small";
    cluster.run("postgres", create).unwrap();
    let place = PostgresPlace::new(&cluster.url("other", "desk"), "nobody", None).unwrap();
    let mut desk = PostgresDesk::open(place).unwrap();
    let set = desk.begin_rules(MX, 1).unwrap();
    desk.add_rules(set, &[rule("a.example", "may")]).unwrap();
    desk.show_rules(MX, set, "1.", 1).unwrap();
    let mut random = 1_u32;
    let mut incompressible = || {
        let letters = (0..1_000_000).map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'a' + (random >> 24) as u8 % 26)
        });
        letters.collect::<String>()
    };
    let mut copies = 0;
    let full = loop {
        match desk.put_copy(MX, &format!("copy {copies}"), &incompressible(), 1) {
            Ok(()) => copies += 1,
            Err(error) => break error,
        }
        assert!(copies < 200, "the disk is too large");
    };
    assert_eq!(trouble::<()>(Err(full)), Trouble::Full);
    assert_eq!(desk.copy(MX, &format!("copy {copies}")).unwrap(), None);
    let page = desk.rule_page(MX, &query()).unwrap().unwrap();
    assert_eq!(page.rules.len(), 1);
}

fn mount(disk: &Path) {
    let mounted = std::process::Command::new("mount")
        .args([
            "-t",
            "tmpfs",
            "-o",
            "size=24m,uid=65534,gid=65534,mode=700",
            "none",
        ])
        .arg(disk)
        .status();
    assert!(mounted.unwrap().success());
}
