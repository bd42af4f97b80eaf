//! A service whose only process is busy answers nobody: that is no reason to stop Postfix.

use crate::scene::run;
use crate::site::Site;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A session that somebody holds.
struct Held(BufReader<TcpStream>);

impl Held {
    fn on(site: &Site, port: u16) -> Self {
        let stream = TcpStream::connect(site.scene.postfix.at(port)).unwrap();
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).unwrap();
        let mut held = Self(BufReader::new(stream));
        assert!(held.line().starts_with("220 "));
        held
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line
    }

    fn says(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(command.as_bytes()).unwrap();
        self.line()
    }
}

#[test]
fn a_busy_service_is_not_stopped_and_its_session_goes_on() {
    let site = Site::serving();
    site.scene.edit("master.cf", |text| {
        let line = text.lines().find(|line| line.starts_with("submission"));
        let line = line.unwrap().to_owned();
        let mut words: Vec<&str> = line.split_whitespace().collect();
        words[6] = "1";
        text.replace(&line, &words.join(" "))
    });
    run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    let mut held = Held::on(&site, 587);
    site.must("set loglevel.inbound=1");
    let applied = site.scene.say(&["-v", "apply", "--yes"]);
    // Kept, and what the port shows could not be seen.
    assert_eq!(applied.exit, Some(3), "{applied:#?}");
    let told = format!("{}{}", applied.stdout, applied.stderr);
    assert!(!told.contains("stopping and starting"), "{told}");
    assert!(held.says("NOOP\r\n").starts_with("250 "));
}
