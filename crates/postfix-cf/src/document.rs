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
        document.blocks = split(bytes);
        document.index.reserve(document.blocks.len());
        for index in 0..document.blocks.len() {
            document.enter(index);
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

    /// Whether all of it is UTF-8 without NUL bytes.
    pub(crate) fn is_plain(&self) -> bool {
        let plain =
            |text: &[u8]| memchr::memchr(0, text).is_none() && std::str::from_utf8(text).is_ok();
        let mut own = self.blocks.iter().filter_map(|block| match &block.text {
            Text::Own(bytes) => Some(bytes),
            Text::Source(_) => None,
        });
        plain(&self.source) && own.all(|text| plain(text))
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

    /// Puts new text into a block. Its key must stay the same.
    pub(crate) fn rewrite(&mut self, index: usize, text: Vec<u8>) {
        let block = &mut self.blocks[index];
        (block.body, block.newlines) = (0, 0);
        for line in lines(&text) {
            block.take(&line, 0);
        }
        block.text = Text::Own(text);
    }

    /// Takes every entry with `key` out: `leave` says what stays of each block; it must hold no
    /// content lines. Returns how many there were.
    pub(crate) fn take_out(&mut self, key: &[u8], leave: fn(&[u8]) -> Vec<u8>) -> usize {
        let mut next = self.index.remove(key);
        let mut count = 0;
        while let Some(index) = next {
            let text = leave(self.text(&self.blocks[index]));
            self.rewrite(index, text);
            let block = &mut self.blocks[index];
            block.starts = false;
            block.keyed = false;
            next = block.earlier.take();
            count += 1;
        }
        count
    }

    /// Appends text, after giving the last line a newline. It must not start with an indented line.
    pub(crate) fn append(&mut self, text: &[u8]) {
        self.end_last_line();
        for mut block in split(text) {
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

    fn push(&mut self, block: Block) {
        self.blocks.push(block);
        self.enter(self.blocks.len() - 1);
    }

    /// Enters a block into the index, where it has a key.
    fn enter(&mut self, index: usize) {
        let block = &self.blocks[index];
        let body = &self.text(block)[..block.body];
        if block.starts
            && let Some(key) = (self.key_of)(body)
        {
            let earlier = self.index.insert(key, index);
            let block = &mut self.blocks[index];
            block.keyed = true;
            block.earlier = earlier;
        }
    }

    fn end_last_line(&mut self) {
        let last = (0..self.blocks.len()).rfind(|&i| !self.text(&self.blocks[i]).is_empty());
        let Some(index) = last else { return };
        let text = self.text(&self.blocks[index]);
        if text.ends_with(b"\n") {
            return;
        }
        let eol = self.eol.strip_prefix(b"\r").unwrap_or(self.eol);
        let eol = if text.ends_with(b"\r") { eol } else { self.eol };
        let text = [text, eol].concat();
        self.rewrite(index, text);
    }
}

impl Block {
    fn source_range(&self) -> Range<usize> {
        match &self.text {
            Text::Source(range) => range.clone(),
            Text::Own(bytes) => 0..bytes.len(),
        }
    }

    fn new(range: Range<usize>, starts: bool) -> Self {
        Self {
            text: Text::Source(range),
            body: 0,
            newlines: 0,
            starts,
            keyed: false,
            earlier: None,
        }
    }

    /// Counts a line of the text, which starts at `start`.
    fn take(&mut self, line: &Line<'_>, start: usize) {
        if line.is_content() {
            self.body = line.end() - start;
        }
        self.newlines += usize::from(line.bytes.ends_with(b"\n"));
    }
}

/// The blocks of `bytes`, as ranges of it.
fn split(bytes: &[u8]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in lines(bytes) {
        let starts = line.kind == LineKind::Start;
        if starts || blocks.is_empty() {
            blocks.push(Block::new(line.at..line.at, starts));
        }
        if let Some(block) = blocks.last_mut() {
            let start = block.source_range().start;
            block.take(&line, start);
            block.text = Text::Source(start..line.end());
        }
    }
    blocks
}

/// The lines of a logical line that Postfix reads.
pub(crate) fn content(body: &[u8]) -> impl Iterator<Item = Line<'_>> {
    lines(body).filter(Line::is_content)
}

/// The comments and blank lines of a block, as they stand.
pub(crate) fn without_content(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    for line in lines(text).filter(|line| !line.is_content()) {
        kept.extend_from_slice(line.bytes);
    }
    kept
}

#[cfg(test)]
mod tests;
