//! Rules on what source says, where clippy has no rule or can be switched off.

use super::token::{
    Kind, Token, attributes, body, functions, inside, is_test_switch, macro_lines, module_after,
};
use super::{File, Offence};

/// Files that may say `unsafe`: none.
const UNSAFE: [&str; 0] = [];

pub(super) fn judge(file: &File, offences: &mut Vec<Offence>) {
    let mut found = Finder { file, offences };
    if file.path().ends_with("Cargo.toml") {
        return found.manifest();
    }
    if !file.is_rust() {
        return;
    }
    if !file.bytes().starts_with(b"//!") {
        let what = "does not open with `//!`";
        found.push(1, what, "say what it owns, never does, and why");
    }
    match file.tokens() {
        Err(message) => found.push(1, message, "make it compile"),
        Ok(tokens) => {
            found.unfinished(tokens);
            found.attributes(tokens);
            found.unsafety(tokens);
            if !file.is_test() {
                found.signatures(tokens);
            }
        }
    }
}

struct Finder<'a> {
    file: &'a File,
    offences: &'a mut Vec<Offence>,
}

impl Finder<'_> {
    fn push(&mut self, line: usize, what: &str, remedy: &'static str) {
        let path = self.file.path();
        self.offences.push(Offence::new(path, line, what, remedy));
    }

    /// Without `[lints] workspace = true` a crate silently escapes every lint.
    fn manifest(&mut self) {
        let text = self.file.text();
        if text.contains("[package]") && !text.contains("[lints]\nworkspace = true") {
            let what = "does not take the workspace's lints";
            self.push(1, what, "add `[lints]` with `workspace = true`");
        }
    }

    fn unfinished(&mut self, tokens: &[Token]) {
        for name in ["todo", "unimplemented"] {
            for line in macro_lines(tokens, name) {
                self.push(line, &format!("{name}!"), "build it, or take it out");
            }
        }
    }

    fn unsafety(&mut self, tokens: &[Token]) {
        let allowed = UNSAFE.iter().any(|path| self.file.path().ends_with(path));
        for token in tokens.iter().filter(|token| token.is_word("unsafe")) {
            if !allowed {
                self.push(token.line, "unsafe", "find a safe way");
            }
        }
    }

    fn attributes(&mut self, tokens: &[Token]) {
        for at in attributes(tokens) {
            let words = inside(tokens, at);
            let line = tokens[at].line;
            let Some(first) = words.first() else { continue };
            if first.is_word("ignore") && !is_child(tokens, words) {
                let remedy = "make it run, delete it, or say `the child of …` (a test beside it)";
                self.push(line, "an ignored test", remedy);
            }
            let silences = first.is_word("allow") || first.is_word("expect");
            if silences && !words.iter().any(|word| word.is_word("reason")) {
                let what = "a lint is silenced without a reason";
                self.push(line, what, "add `reason = \"…\"`");
            }
            if is_test_switch(words) && module_after(tokens, at).is_none() {
                self.test_switch(line);
            }
        }
    }

    /// `#[cfg(test)]` may stand only before `mod name;`.
    fn test_switch(&mut self, line: usize) {
        if !self.file.is_test() {
            let what = "a test switch inside production code";
            let remedy = "tests stand beside it: `#[cfg(test)] mod tests;`";
            self.push(line, what, remedy);
        }
    }

    /// No `bool` parameters and no tuples over two in public functions.
    fn signatures(&mut self, tokens: &[Token]) {
        for at in 0..tokens.len() {
            if !(tokens[at].is_word("fn") && is_public(&tokens[..at])) {
                continue;
            }
            let end = body(tokens, at).map_or_else(|| declaration(tokens, at), |pair| pair.0);
            let words = &tokens[at..end];
            let flag = words
                .windows(2)
                .find(|pair| pair[0].is_punct(':') && pair[1].is_word("bool"));
            if let Some(pair) = flag {
                let what = "a bool parameter in a public function";
                self.push(pair[0].line, what, "give the two cases names: an enum");
            }
            if let Some(line) = tuple_over_two(words) {
                let what = "a tuple over two in a public signature";
                self.push(line, what, "name its parts: a struct");
            }
        }
    }
}

/// Whether `#[ignore = "the child of NAME"]` names a test beside it, which runs it in a process of
/// its own. Such a test is not skipped.
fn is_child(tokens: &[Token], words: &[Token]) -> bool {
    let Some(Kind::Literal(text)) = words.last().map(|word| &word.kind) else {
        return false;
    };
    let name = text.trim_matches('"').strip_prefix("the child of ");
    let beside = functions(tokens);
    name.is_some_and(|name| beside.iter().any(|one| one.name == name))
}

/// Whether the words before `fn` make it plain `pub`.
fn is_public(before: &[Token]) -> bool {
    let mut back = before.iter().rev();
    let qualifiers = ["const", "async", "extern", "unsafe"];
    back.find(|token| !qualifiers.iter().any(|word| token.is_word(word)))
        .is_some_and(|token| token.is_word("pub"))
}

fn declaration(tokens: &[Token], at: usize) -> usize {
    let length = tokens[at..].iter().position(|token| token.is_punct(';'));
    length.map_or(tokens.len(), |length| at + length)
}

/// The line of the first tuple type with three parts or more. Parameter lists are no tuples: they
/// follow a word (`fn name(`, `Fn(`) or the end of generics.
fn tuple_over_two(words: &[Token]) -> Option<usize> {
    let is_list = |at: usize| match words[at - 1].kind {
        Kind::Word(_) => true,
        Kind::Punct('>') => !words[at - 2].is_punct('-'),
        _ => false,
    };
    (2..words.len())
        .filter(|&at| matches!(words[at].kind, Kind::Open('(', _)) && !is_list(at))
        .find(|&at| parts(&words[at..]) > 2)
        .map(|at| words[at].line)
}

/// The parts, between commas, of the group that opens at the first of `words`.
fn parts(words: &[Token]) -> usize {
    let (mut depth, mut angle, mut parts, mut fresh) = (0_i32, 0_i32, 0, true);
    for (at, word) in words.iter().enumerate() {
        if word.kind == Kind::Close {
            depth -= 1;
            if depth == 0 {
                break;
            }
        } else if word.is_punct(',') && depth == 1 && angle == 0 {
            fresh = true;
        } else {
            parts += usize::from(fresh && depth > 0);
            fresh &= depth == 0;
            match word.kind {
                Kind::Open(..) => depth += 1,
                Kind::Punct('<') => angle += 1,
                Kind::Punct('>') if !words[at - 1].is_punct('-') => angle -= 1,
                _ => {}
            }
        }
    }
    parts
}
