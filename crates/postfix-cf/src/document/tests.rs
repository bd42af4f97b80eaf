//! Blocks, the index and the line numbers.

use super::{Document, without_content};

/// The key is the first byte; `!` is no entry.
fn parse(bytes: &[u8]) -> Document {
    Document::parse(bytes, |body| {
        let first = *body.first()?;
        (first != b'!').then(|| [first].into())
    })
}

fn shape(document: &Document) -> Vec<(usize, usize, usize, bool, bool)> {
    let blocks = document.blocks();
    let shape = |b: super::Placed<'_>| (b.line, b.text.len(), b.body.len(), b.starts, b.keyed);
    blocks.map(shape).collect()
}

#[test]
fn comments_are_inside_only_when_an_indented_line_follows() {
    let document = parse(b"# head\na\n# in\n b\n# after\n\nc\n!\n");
    let expected = [
        (1, 7, 0, false, false),
        (2, 19, 10, true, true),
        (7, 2, 2, true, true),
        (8, 2, 2, true, false),
    ];
    assert_eq!(shape(&document), expected);
}

#[test]
fn indented_text_before_the_first_entry_has_no_owner() {
    assert_eq!(shape(&parse(b" a\n# c\n b\n")), [(1, 10, 10, false, false)]);
    assert_eq!(shape(&parse(b"")), []);
}

#[test]
fn the_index_has_the_last_one_and_the_way_back() {
    let document = parse(b"a1\nb1\na2\na3\n");
    assert_eq!(document.find(b"a"), Some(3));
    let earlier: Vec<_> = document.blocks().map(|b| b.earlier).collect();
    assert_eq!(earlier, [None, None, Some(0), Some(2)]);
}

#[test]
fn taking_out_leaves_what_is_no_content() {
    let mut document = parse(b"a1\n# one\n x\nb\na2\n# two\n");
    assert_eq!(document.take_out(b"a", without_content), 2);
    assert_eq!(document.to_bytes(), b"# one\nb\n# two\n");
    assert_eq!(document.find(b"a"), None);
    assert_eq!(document.take_out(b"a", without_content), 0);
    document.append(b"a3\n");
    assert_eq!(document.find(b"a"), Some(3));
    let lines: Vec<_> = document.blocks().map(|b| b.line).collect();
    assert_eq!(lines, [1, 2, 3, 4]);
}

#[test]
fn an_append_ends_the_last_line() {
    let table: [(&[u8], &[u8]); 6] = [
        (b"", b"n\n"),
        (b"a", b"a\nn\n"),
        (b"a\n", b"a\nn\n"),
        (b"a\r\nb", b"a\r\nb\r\nn\n"),
        (b"a\r\nb\r", b"a\r\nb\r\nn\n"),
        (b"a\n ", b"a\n \nn\n"),
    ];
    for (before, after) in table {
        let mut document = parse(before);
        document.append(b"n\n");
        assert_eq!(document.to_bytes(), after, "{before:?}");
        assert_eq!(shape(&document), shape(&parse(after)), "{before:?}");
    }
}

#[test]
fn a_rewritten_block_is_counted_anew() {
    let mut document = parse(b"a\nb\n");
    document.rewrite(0, b"a\n x\n# y\n".to_vec());
    assert_eq!(
        shape(&document),
        [(1, 9, 5, true, true), (4, 2, 2, true, true)]
    );
}
