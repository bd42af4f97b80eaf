//! A file as blocks: what both grammars share.
//!
//! Owns: which bytes form one logical line, the order of blocks, and the index from a key to the
//! entry that wins. Never: knows what stands in a logical line; the two files tell it the key.
//!
//! A block is a logical line and all lines after it up to the next one. Comments and blank lines do
//! not end a logical line, so those after it are only *after* it until an indented line follows.
//! Keeping them in the block makes every edit local: a block is rewritten, the others are not looked
//! at. Unedited blocks are ranges of the source, so parsing copies the file once.

use crate::line::{Line, LineKind, lines};
use std::collections::HashMap;
use std::ops::Range;

/// Finds the key of a logical line; `None` when Postfix would not take it for an entry.
pub(crate) type KeyOf = fn(&[u8]) -> Option<Box<[u8]>>;

#[derive(Clone, Debug)]
enum Text {
    Source(Range<usize>),
    Own(Vec<u8>),
}

/// A logical line with the comments and blank lines inside and after it.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    text: Text,
    /// Where the logical line ends in the text: the byte after its last content line.
    body: usize,
    /// Newlines in the text.
    newlines: usize,
    /// Whether a logical line starts here. Not so for what precedes the first one, and for what an
    /// entry that was taken out left behind.
    starts: bool,
    keyed: bool,
    /// The block before this one with the same key.
    earlier: Option<usize>,
}

/// A block with its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) index: usize,
    /// Line number of the first line, from 1.
    pub(crate) line: usize,
    /// All bytes.
    pub(crate) text: &'a [u8],
    /// The bytes of the logical line.
    pub(crate) body: &'a [u8],
    pub(crate) starts: bool,
    pub(crate) keyed: bool,
    pub(crate) earlier: Option<usize>,
}

/// What an edit makes of a block.
pub(crate) struct Rewrite {
    pub(crate) text: Vec<u8>,
    pub(crate) body: usize,
}

/// The whole file.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    source: Box<[u8]>,
    blocks: Vec<Block>,
    /// Key to the last block that has it.
    index: HashMap<Box<[u8]>, usize>,
    key_of: KeyOf,
    /// The line end of the first line; new lines get it.
    eol: &'static [u8],
}

impl Document {
    pub(crate) fn parse(bytes: &[u8], key_of: KeyOf) -> Self {
        let mut document = Self {
            source: bytes.into(),
            blocks: Vec::new(),
            index: HashMap::new(),
            key_of,
            eol: match lines(bytes).next() {
                Some(line) if line.eol() == b"\r\n" => b"\r\n",
                _ => b"\n",
            },
        };
        for block in split(bytes) {
            document.push(block);
        }
        document
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let size = self.blocks.iter().map(|b| self.text(b).len()).sum();
        let mut bytes = Vec::with_capacity(size);
        for block in &self.blocks {
            bytes.extend_from_slice(self.text(block));
        }
        bytes
    }

    /// The line end that new lines get.
    pub(crate) fn eol(&self) -> &'static [u8] {
        self.eol
    }

    /// The block whose entry wins for `key`.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        self.index.get(key).copied()
    }

    /// A block's text and the end of its logical line.
    pub(crate) fn block(&self, index: usize) -> (&[u8], usize) {
        let block = &self.blocks[index];
        (self.text(block), block.body)
    }

    /// All blocks in order.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Placed<'_>> {
        let mut line = 1;
        self.blocks.iter().enumerate().map(move |(index, block)| {
            let text = self.text(block);
            let placed = Placed {
                index,
                line,
                text,
                body: &text[..block.body],
                starts: block.starts,
                keyed: block.keyed,
                earlier: block.earlier,
            };
            line += block.newlines;
            placed
        })
    }

    /// Puts new text into a block. Its key stays the same.
    pub(crate) fn rewrite(&mut self, index: usize, rewrite: Rewrite) {
        let block = &mut self.blocks[index];
        block.newlines = count_newlines(&rewrite.text);
        block.body = rewrite.body;
        block.text = Text::Own(rewrite.text);
    }

    /// Takes every entry with `key` out: `leave` says what stays of each block; it must hold no
    /// content lines. Returns how many there were.
    pub(crate) fn take_out(&mut self, key: &[u8], leave: fn(&[u8]) -> Vec<u8>) -> usize {
        let mut next = self.index.remove(key);
        let mut count = 0;
        while let Some(index) = next {
            let text = leave(self.text(&self.blocks[index]));
            self.rewrite(index, Rewrite { text, body: 0 });
            let block = &mut self.blocks[index];
            block.starts = false;
            block.keyed = false;
            next = block.earlier.take();
            count += 1;
        }
        count
    }

    /// Appends text that starts with a logical line, after giving the last line a newline.
    pub(crate) fn append(&mut self, text: &[u8]) {
        self.end_last_line();
        for range in split(text) {
            let mut block = range;
            block.text = Text::Own(text[block.source_range()].to_vec());
            self.push(block);
        }
    }

    /// Whether nothing is printed after this block.
    pub(crate) fn is_last(&self, index: usize) -> bool {
        self.blocks[index + 1..]
            .iter()
            .all(|block| self.text(block).is_empty())
    }

    fn text<'a>(&'a self, block: &'a Block) -> &'a [u8] {
        match &block.text {
            Text::Source(range) => &self.source[range.clone()],
            Text::Own(bytes) => bytes,
        }
    }

    fn push(&mut self, mut block: Block) {
        let index = self.blocks.len();
        if block.starts {
            let body = &self.text(&block)[..block.body];
            if let Some(key) = (self.key_of)(body) {
                block.keyed = true;
                block.earlier = self.index.insert(key, index);
            }
        }
        self.blocks.push(block);
    }

    fn end_last_line(&mut self) {
        let last = (0..self.blocks.len()).rfind(|&i| !self.text(&self.blocks[i]).is_empty());
        let Some(index) = last else { return };
        let (text, body) = self.block(index);
        if text.ends_with(b"\n") {
            return;
        }
        let whole = body == text.len();
        let mut text = text.to_vec();
        if text.ends_with(b"\r") {
            text.push(b'\n');
        } else {
            text.extend_from_slice(self.eol);
        }
        let body = if whole { text.len() } else { body };
        self.rewrite(index, Rewrite { text, body });
    }
}

impl Block {
    fn source_range(&self) -> Range<usize> {
        match &self.text {
            Text::Source(range) => range.clone(),
            Text::Own(bytes) => 0..bytes.len(),
        }
    }

    fn at(start: usize, starts: bool) -> Self {
        Self {
            text: Text::Source(start..start),
            body: 0,
            newlines: 0,
            starts,
            keyed: false,
            earlier: None,
        }
    }

    fn take(&mut self, line: &Line<'_>) {
        if let Text::Source(range) = &mut self.text {
            range.end = line.end();
            if line.is_content() {
                self.body = line.end() - range.start;
            }
        }
        self.newlines += usize::from(line.bytes.ends_with(b"\n"));
    }
}

/// The blocks of `bytes`, as ranges of it.
fn split(bytes: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut current = Block::at(0, false);
    for line in lines(bytes) {
        if line.kind == LineKind::Start {
            let next = Block::at(line.at, true);
            let done = std::mem::replace(&mut current, next);
            if !done.source_range().is_empty() {
                blocks.push(done);
            }
        }
        current.take(&line);
    }
    if !current.source_range().is_empty() {
        blocks.push(current);
    }
    blocks
}

fn count_newlines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// The lines of a logical line that Postfix reads.
pub(crate) fn content(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    lines(body).filter(Line::is_content)
}

/// The comments and blank lines of a block, as they stand.
pub(crate) fn without_content(text: &[u8]) -> Vec<u8> {
    lines(text)
        .filter(|line| !line.is_content())
        .flat_map(|line| line.bytes.iter().copied())
        .collect()
}
