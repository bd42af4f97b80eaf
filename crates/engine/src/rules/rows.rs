//! The rows of a map, as a stream.
//!
//! Owns: reading rules page by page and handing their rows on. Never: keeps more than a few pages.

use postseal_planner::policy::{Rendered, Renderer, Rule, RuleId};
use postseal_store::{RuleView, Store, StoreError};
use std::fs::File;
use std::io::{self, Read, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Rules a page.
const PAGE: usize = 10_000;
/// Pages that are read before they are rendered.
const AHEAD: usize = 1;

/// Rows to be read.
pub(super) struct Rows<'a> {
    store: &'a dyn Store,
    instance: &'a str,
    view: RuleView,
    after: Option<RuleId>,
    renderer: Option<Renderer>,
    rendered: Option<Rendered>,
    buffer: Vec<u8>,
    read: usize,
}

impl<'a> Rows<'a> {
    /// `expected` rows or thereabouts.
    pub(super) fn new(
        store: &'a dyn Store,
        instance: &'a str,
        view: RuleView,
        expected: u64,
    ) -> Self {
        Self {
            store,
            instance,
            view,
            after: None,
            renderer: Some(Renderer::new(expected)),
            rendered: None,
            buffer: Vec::new(),
            read: 0,
        }
    }

    /// Reads all of it and puts the rows aside; the file goes where it cannot take them. One page is rendered
    /// while the next one is read: each takes about as long.
    pub(super) fn exhausted(
        mut self,
        aside: &mut Option<File>,
    ) -> Result<Option<Rendered>, StoreError> {
        let Some(renderer) = self.renderer.take() else {
            return Ok(self.rendered);
        };
        let (pages, taken) = sync_channel(AHEAD);
        thread::scope(|scope| {
            let rendering = scope.spawn(|| rendered(renderer, taken, aside));
            let read = self.hand_on(pages);
            let rendered = rendering
                .join()
                .unwrap_or_else(|panic| resume_unwind(panic));
            read.map(|()| rendered)
        })
    }

    /// Hands all pages on.
    fn hand_on(&mut self, pages: SyncSender<Vec<Rule>>) -> Result<(), StoreError> {
        loop {
            let page = self.next()?;
            // Who takes them ends before the last one only by a panic, which goes on from there.
            if page.is_empty() || pages.send(page).is_err() {
                return Ok(());
            }
        }
    }

    /// What it came to, once all is read.
    pub(super) fn rendered(&self) -> Option<&Rendered> {
        self.rendered.as_ref()
    }

    /// The rules of the next page; none where all are read.
    fn next(&mut self) -> Result<Vec<Rule>, StoreError> {
        let after = self.after.as_ref();
        let rules = self.store.rules(self.instance, self.view, after, PAGE)?;
        if let Some(last) = rules.last() {
            self.after = Some(last.id.clone());
        }
        Ok(rules)
    }

    /// Adds the rows of the next page.
    fn page(&mut self) -> Result<(), StoreError> {
        let Some(mut renderer) = self.renderer.take() else {
            return Ok(());
        };
        let rules = self.next()?;
        if rules.is_empty() {
            self.rendered = renderer.finish(&mut self.buffer);
            return Ok(());
        }
        for rule in rules {
            renderer.push(rule, &mut self.buffer);
        }
        self.renderer = Some(renderer);
        Ok(())
    }
}

impl Read for Rows<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.buffer.len() && self.renderer.is_some() {
            self.buffer.clear();
            self.read = 0;
            self.page().map_err(io::Error::other)?;
        }
        let rest = &self.buffer[self.read..];
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.read += n;
        Ok(n)
    }
}

/// Renders pages as they come, and puts their rows aside.
fn rendered(
    mut renderer: Renderer,
    pages: Receiver<Vec<Rule>>,
    aside: &mut Option<File>,
) -> Option<Rendered> {
    let mut buffer = Vec::new();
    for page in pages {
        for rule in page {
            renderer.push(rule, &mut buffer);
        }
        put(&mut buffer, aside);
    }
    let rendered = renderer.finish(&mut buffer);
    put(&mut buffer, aside);
    rendered
}

fn put(rows: &mut Vec<u8>, aside: &mut Option<File>) {
    let written = aside.as_mut().map(|file| file.write_all(rows));
    if matches!(written, Some(Err(_))) {
        *aside = None;
    }
    rows.clear();
}
