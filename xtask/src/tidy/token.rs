//! Rust source as a flat list of tokens with lines, and the functions in it.
//!
//! Owns: lexing (by `proc_macro2`: comments are gone, strings are one token) and finding
//! functions and paths. Never: parses types or expressions; a rule that needs more than this is
//! clippy's.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One token and the line it begins on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    Punct(char),
    /// As written, with its quotes.
    Literal(String),
    /// An opening `(`, `[` or `{`; where its partner is in the list.
    Open(char, usize),
    /// A closing one.
    Close,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// The line of `fn`.
    pub(super) line: usize,
    /// Lines from `fn` to the closing brace.
    pub(super) length: usize,
}

impl Token {
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }

    pub(super) fn is_punct(&self, mark: char) -> bool {
        self.kind == Kind::Punct(mark)
    }

    fn is_open(&self, mark: char) -> bool {
        matches!(self.kind, Kind::Open(own, _) if own == mark)
    }
}

/// The tokens of a source text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let stream: TokenStream = text
        .parse()
        .map_err(|error| format!("does not lex: {error}"))?;
    let mut list = Vec::new();
    flatten(stream, &mut list);
    Ok(list)
}

fn flatten(stream: TokenStream, list: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        let kind = match tree {
            TokenTree::Ident(word) => Kind::Word(word.to_string()),
            TokenTree::Punct(mark) => Kind::Punct(mark.as_char()),
            TokenTree::Literal(literal) => Kind::Literal(literal.to_string()),
            TokenTree::Group(group) => {
                let place = list.len();
                let kind = Kind::Open(bracket(group.delimiter()), place);
                list.push(Token { kind, line });
                flatten(group.stream(), list);
                let partner = list.len();
                list[place].kind = Kind::Open(bracket(group.delimiter()), partner);
                let line = group.span_close().end().line;
                list.push(Token {
                    kind: Kind::Close,
                    line,
                });
                continue;
            }
        };
        list.push(Token { kind, line });
    }
}

fn bracket(delimiter: Delimiter) -> char {
    match delimiter {
        Delimiter::Parenthesis => '(',
        Delimiter::Bracket => '[',
        Delimiter::Brace | Delimiter::None => '{',
    }
}

/// Every function that has a body, nested ones too.
pub(super) fn functions(tokens: &[Token]) -> Vec<Function> {
    let starts = tokens.windows(2).enumerate();
    starts
        .filter_map(|(at, pair)| match &pair[1].kind {
            Kind::Word(name) if pair[0].is_word("fn") => function(tokens, at, name),
            _ => None,
        })
        .collect()
}

fn function(tokens: &[Token], at: usize, name: &str) -> Option<Function> {
    let (open, close) = body(tokens, at)?;
    debug_assert!(open < close, "a group closes after it opens");
    let (first, last) = (tokens[at].line, tokens[close].line);
    Some(Function {
        name: name.to_owned(),
        line: first,
        length: last + 1 - first,
    })
}

/// The places of the braces around the body of the function whose `fn` is at `at`.
pub(super) fn body(tokens: &[Token], at: usize) -> Option<(usize, usize)> {
    let mut place = at;
    while let Some(token) = tokens.get(place) {
        match token.kind {
            Kind::Open('{', partner) => return Some((place, partner)),
            Kind::Open(_, partner) => place = partner + 1,
            Kind::Close | Kind::Punct(';') => return None,
            _ => place += 1,
        }
    }
    None
}

/// The attributes: where each `#[…]` or `#![…]` has its opening bracket.
pub(super) fn attributes(tokens: &[Token]) -> Vec<usize> {
    (1..tokens.len())
        .filter(|&at| {
            let bang = at > 1 && tokens[at - 1].is_punct('!') && tokens[at - 2].is_punct('#');
            tokens[at].is_open('[') && (tokens[at - 1].is_punct('#') || bang)
        })
        .collect()
}

/// The modules that exist only for tests: `#[cfg(test)] mod name;`.
pub(super) fn test_modules(tokens: &[Token]) -> Vec<String> {
    attributes(tokens)
        .into_iter()
        .filter(|&at| is_test_switch(inside(tokens, at)))
        .filter_map(|at| module_after(tokens, at))
        .collect()
}

/// Whether the inside of an attribute is `cfg(…test…)`.
pub(super) fn is_test_switch(words: &[Token]) -> bool {
    let mut rest = words.iter();
    rest.next().is_some_and(|word| word.is_word("cfg")) && rest.any(|word| word.is_word("test"))
}

/// The name, if `mod name;` follows the attribute that opens at `at`.
pub(super) fn module_after(tokens: &[Token], at: usize) -> Option<String> {
    let Kind::Open(_, end) = tokens[at].kind else {
        return None;
    };
    let mut rest = tokens[after_visibility(tokens, end + 1)..].iter();
    let named = rest.next()?.is_word("mod");
    match (&rest.next()?.kind, rest.next()?.is_punct(';')) {
        (Kind::Word(name), true) if named => Some(name.clone()),
        _ => None,
    }
}

/// The place after `pub`, `pub(crate)` or nothing.
fn after_visibility(tokens: &[Token], at: usize) -> usize {
    let is_public = tokens.get(at).is_some_and(|word| word.is_word("pub"));
    match tokens.get(at + 1).map(|word| &word.kind) {
        Some(Kind::Open('(', partner)) if is_public => partner + 1,
        _ if is_public => at + 1,
        _ => at,
    }
}

/// The tokens inside the group that opens at `at`.
pub(super) fn inside(tokens: &[Token], at: usize) -> &[Token] {
    match tokens[at].kind {
        Kind::Open(_, partner) => &tokens[at + 1..partner],
        _ => &[],
    }
}

/// Lines on which `first::second` is said, also as `first::{…, second, …}`.
pub(super) fn path_lines(tokens: &[Token], first: &str, second: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    for at in 0..tokens.len().saturating_sub(3) {
        let colons = tokens[at + 1].is_punct(':') && tokens[at + 2].is_punct(':');
        if !(tokens[at].is_word(first) && colons) {
            continue;
        }
        if tokens[at + 3].is_word(second) {
            lines.push(tokens[at].line);
        } else if tokens[at + 3].is_open('{') {
            let mut place = at + 4;
            while let Some(token) = tokens.get(place) {
                match token.kind {
                    Kind::Close => break,
                    Kind::Open(_, partner) => place = partner,
                    _ if token.is_word(second) && heads_a_use(&tokens[place - 1]) => {
                        lines.push(token.line);
                    }
                    _ => {}
                }
                place += 1;
            }
        }
    }
    lines
}

fn heads_a_use(before: &Token) -> bool {
    before.is_open('{') || before.is_punct(',')
}

/// Lines on which the macro `name!` is called.
pub(super) fn macro_lines(tokens: &[Token], name: &str) -> Vec<usize> {
    let pairs = tokens.windows(2);
    pairs
        .filter(|pair| pair[0].is_word(name) && pair[1].is_punct('!'))
        .map(|pair| pair[0].line)
        .collect()
}
