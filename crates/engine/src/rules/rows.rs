//! The rows of a map, as a stream.
//!
//! Owns: reading rules page by page and handing their rows on. Never: keeps more than a page.

use postseal_planner::policy::{Rendered, Renderer, RuleId};
use postseal_store::{RuleView, Store, StoreError};
use std::fs::File;
use std::io::{self, Read, Write};

/// Rules a page.
const PAGE: usize = 10_000;

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

    /// Reads all of it and puts the rows aside; the file goes where it cannot take them.
    pub(super) fn exhausted(
        &mut self,
        aside: &mut Option<File>,
    ) -> Result<Option<Rendered>, StoreError> {
        while self.renderer.is_some() {
            self.buffer.clear();
            self.page()?;
            let written = aside.as_mut().map(|file| file.write_all(&self.buffer));
            if matches!(written, Some(Err(_))) {
                *aside = None;
            }
        }
        Ok(self.rendered.take())
    }

    /// What it came to, once all is read.
    pub(super) fn rendered(&self) -> Option<&Rendered> {
        self.rendered.as_ref()
    }

    /// Adds the rows of the next page.
    fn page(&mut self) -> Result<(), StoreError> {
        let Some(mut renderer) = self.renderer.take() else {
            return Ok(());
        };
        let after = self.after.as_ref();
        let rules = self.store.rules(self.instance, self.view, after, PAGE)?;
        let Some(last) = rules.last() else {
            self.rendered = renderer.finish(&mut self.buffer);
            return Ok(());
        };
        self.after = Some(last.id.clone());
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
