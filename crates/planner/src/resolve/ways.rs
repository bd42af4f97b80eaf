//! The values that trivial-rewrite(8) goes by, each worked out once.
//!
//! Owns: parameters as that daemon sees them, remembered for as many recipients as are asked about.
//! Never: knows what one means.

use super::address::Rewriting;
use crate::facts::Facts;
use crate::view::{Service, View};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Where mail goes on one instance.
pub(crate) struct Ways<'a> {
    view: &'a View<'a>,
    daemon: Option<&'a Service>,
    values: RefCell<HashMap<String, Rc<str>>>,
    lists: RefCell<HashMap<String, Rc<[String]>>>,
    rewriting: OnceCell<Rewriting>,
}

impl<'a> Ways<'a> {
    pub(crate) fn new(view: &'a View<'a>) -> Self {
        Self {
            daemon: view.services.iter().find(|one| one.id == "rewrite/unix"),
            view,
            values: RefCell::default(),
            lists: RefCell::default(),
            rewriting: OnceCell::new(),
        }
    }

    pub(crate) fn view(&self) -> &'a View<'a> {
        self.view
    }

    pub(super) fn facts(&self) -> &'a Facts {
        self.view.facts()
    }

    pub(super) fn value(&self, name: &str) -> Rc<str> {
        if let Some(known) = self.values.borrow().get(name) {
            return Rc::clone(known);
        }
        let value: Rc<str> = self.view.value(self.daemon, name).into();
        let kept = Rc::clone(&value);
        self.values.borrow_mut().insert(name.to_owned(), kept);
        value
    }

    pub(super) fn is_yes(&self, name: &str) -> bool {
        self.value(name).eq_ignore_ascii_case("yes")
    }

    pub(super) fn list(&self, name: &str) -> Rc<[String]> {
        if let Some(known) = self.lists.borrow().get(name) {
            return Rc::clone(known);
        }
        let list: Rc<[String]> = self.view.list(self.daemon, name).into();
        let kept = Rc::clone(&list);
        self.lists.borrow_mut().insert(name.to_owned(), kept);
        list
    }

    /// How the instance rewrites.
    pub(super) fn rewriting(&self) -> &Rewriting {
        self.rewriting.get_or_init(|| Rewriting {
            myhostname: self.value("myhostname").to_string(),
            mydomain: self.value("mydomain").to_string(),
            percent_hack: self.is_yes("allow_percent_hack"),
            swap_bangpath: self.is_yes("swap_bangpath"),
            dot_mydomain: self.is_yes("append_dot_mydomain"),
            dequoted: self.is_yes("resolve_dequoted_address"),
            null_domain: self.is_yes("resolve_null_domain"),
        })
    }
}
