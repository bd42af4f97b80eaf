//! What a command changed, for programs.
//!
//! Owns: the five keys of every answer where anything can change: `changed`, `diff`, `before`,
//! `after`, `findings`. Never: is told what has changed; before and after say it.

use postseal_planner::Finding;
use serde_json::{Map, Value, json};

/// Named things, before and after.
#[derive(Debug, Default)]
pub(crate) struct Change {
    before: Map<String, Value>,
    after: Map<String, Value>,
    findings: Vec<Finding>,
}

impl Change {
    /// One more thing; null where it is not there.
    #[must_use]
    pub(crate) fn of(
        mut self,
        name: impl Into<String>,
        before: impl Into<Value>,
        after: impl Into<Value>,
    ) -> Self {
        let name = name.into();
        self.before.insert(name.clone(), before.into());
        self.after.insert(name, after.into());
        self
    }

    /// What was found on the way.
    #[must_use]
    pub(crate) fn findings(mut self, findings: &[Finding]) -> Self {
        self.findings = findings.to_vec();
        self
    }

    /// The document, with the command's own keys.
    pub(crate) fn document(self, own: Value) -> Value {
        let mut document = Map::new();
        document.insert("changed".to_owned(), json!(self.before != self.after));
        document.insert("diff".to_owned(), json!(self.diff()));
        document.insert("before".to_owned(), Value::Object(self.before));
        document.insert("after".to_owned(), Value::Object(self.after));
        document.insert("findings".to_owned(), json!(self.findings));
        if let Value::Object(own) = own {
            document.extend(own);
        }
        Value::Object(document)
    }

    /// What has changed, a line each.
    pub(crate) fn diff(&self) -> String {
        let mut diff = String::new();
        for (name, before) in &self.before {
            let after = self.after.get(name).unwrap_or(&Value::Null);
            if before != after {
                diff.push_str(&line('-', name, before));
                diff.push_str(&line('+', name, after));
            }
        }
        diff
    }
}

fn line(mark: char, name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => format!("{mark}{name} = {text}\n"),
        other => format!("{mark}{name} = {other}\n"),
    }
}
