//! Rules on the pure crates: their source says nothing that reads or writes the world.

use super::token::{macro_lines, path_lines};
use super::{File, Graph, Offence};

/// Crates without input, output, clock and randomness.
const PURE: [&str; 4] = ["postfix-cf", "mailtls", "maillog", "postseal-planner"];

/// `first::second` that they never say.
const PATHS: [(&str, &str); 9] = [
    ("std", "fs"),
    ("std", "process"),
    ("std", "env"),
    ("net", "TcpStream"),
    ("net", "TcpListener"),
    ("net", "UdpSocket"),
    ("net", "ToSocketAddrs"),
    ("SystemTime", "now"),
    ("Instant", "now"),
];

/// Macros that print.
const MACROS: [&str; 5] = ["println", "print", "eprintln", "eprint", "dbg"];

pub(super) fn judge(file: &File, graph: &Graph, offences: &mut Vec<Offence>) {
    let member = graph.member_of(file.path());
    let pure = member.is_some_and(|one| PURE.contains(&one.name.as_str()));
    if !pure || file.is_test() {
        return;
    }
    let tokens = file.tokens().unwrap_or_default();
    let mut push = |line, what: String| {
        let remedy = "this crate is pure: take the value as an argument, or return it";
        offences.push(Offence::new(file.path(), line, what, remedy));
    };
    for (first, second) in PATHS {
        for line in path_lines(tokens, first, second) {
            push(line, format!("{first}::{second}"));
        }
    }
    for name in MACROS {
        for line in macro_lines(tokens, name) {
            push(line, format!("{name}!"));
        }
    }
}
