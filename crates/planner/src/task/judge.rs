//! What of a task is refused before anybody looks at the instance.
//!
//! Owns: the bounds of texts and lists, and what may be said on the host alone. Never: judges what needs the
//! instance; the command does, as for anybody.

use super::{Removal, Task};
use crate::catalog::{self, Remote};

/// No text of a task is longer, in bytes, but the lines of an import.
pub const LONGEST_TEXT: usize = 2_000;
/// No list of a task has more members.
pub const LONGEST_LIST: usize = 1_000;
/// No task has more members in all its lists and objects. They are counted before one is read: in memory each takes many
/// times what it takes as text, and the agent has no more of it than the mail server leaves.
const MOST_MEMBERS: usize = 10 * LONGEST_LIST;
/// No task is longer, in bytes, but what it has a command read: it becomes words of a command line, and those of a process
/// are bounded (execve(2): a quarter of the stack, 2 MiB as a rule).
const LONGEST_TASK: usize = 512 * 1024;
/// No import, and no list of rules, is longer, in bytes.
pub const LONGEST_IMPORT: usize = 8 * 1024 * 1024;
/// No sealed upload is longer, in bytes.
const LONGEST_UPLOAD: usize = 256 * 1024;
/// The ports that are looked at from afar: those of mail, and beside them what routes of Postfix name. Else whoever
/// reaches the console could look into the networks behind it.
pub const MAIL_PORTS: [u16; 3] = [25, 465, 587];

/// Why a task is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It is no task.
    #[error("the task cannot be read: {0}")]
    Unreadable(String),
    /// A text or a list is too long.
    #[error("{0} is longer than an agent takes")]
    TooLong(&'static str),
    /// Text holds what no word may hold.
    #[error("a text holds a control character")]
    Control,
    /// It may be said on the host alone.
    #[error("{what} can be said on the host alone: {why}")]
    LocalOnly {
        /// What.
        what: String,
        /// Why.
        why: &'static str,
    },
}

impl TaskError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "task.unreadable",
            Self::TooLong(_) => "task.too-long",
            Self::Control => "task.control-character",
            Self::LocalOnly { .. } => "task.local-only",
        }
    }
}

impl Task {
    /// Reads a task, and judges it.
    pub fn read(text: &str) -> Result<Self, TaskError> {
        if commas(text) > MOST_MEMBERS {
            return Err(TaskError::TooLong("a list"));
        }
        let task: Self =
            serde_json::from_str(text).map_err(|error| TaskError::Unreadable(error.to_string()))?;
        task.judge()?;
        Ok(task)
    }

    /// Refuses what needs no look at the instance to be refused.
    pub fn judge(&self) -> Result<(), TaskError> {
        if let Self::PolicyImport(import) = self {
            return judge_import(&import.text);
        }
        if let Self::CertImport { name, sealed, .. } = self {
            judge_sealed(sealed)?;
            return judge_texts(&serde_json::Value::from(name.as_str()));
        }
        if let Self::PolicyRemove(Removal {
            destinations,
            from: Some(lines),
            was,
            ..
        }) = self
        {
            judge_length(lines)?;
            return judge_texts(&serde_json::json!([destinations, was]));
        }
        let unreadable = |error: serde_json::Error| TaskError::Unreadable(error.to_string());
        let said = serde_json::to_value(self).map_err(unreadable)?;
        if said.to_string().len() > LONGEST_TASK {
            return Err(TaskError::TooLong("the task"));
        }
        judge_texts(&said)?;
        match self {
            Self::Set { pairs, beside } => {
                pairs.iter().try_for_each(|pair| judge_pair(pair))?;
                beside.unset.iter().try_for_each(|key| judge_key(key))
            }
            Self::Unset { keys } => keys.iter().try_for_each(|key| judge_key(key)),
            Self::Probe { targets, .. } => targets.iter().try_for_each(|one| judge_target(one)),
            _ => self.policy_words().try_for_each(judge_policy),
        }
    }

    /// What becomes part of a policy's text, or may.
    fn policy_words(&self) -> impl Iterator<Item = &str> {
        let mut words: Vec<Option<&String>> = Vec::new();
        match self {
            Self::PolicyAdd { level, rule, .. } => {
                words.push(Some(level));
                words.extend(rule.of_policy());
            }
            Self::PolicyEdit { level, rule, .. } => {
                words.push(level.as_ref());
                words.extend(rule.of_policy());
            }
            Self::PolicyCheck { policy, .. } => words.push(policy.as_ref()),
            Self::DomainAdd { words: said, .. } | Self::DomainEdit { words: said, .. } => {
                words.extend([said.level.as_ref(), said.names.as_ref()]);
            }
            _ => {}
        }
        words.into_iter().flatten().map(String::as_str)
    }
}

/// Whether the text of a policy, as Postfix writes it, names a file: `tafile` is the one attribute that does (postconf(5)
/// `smtp_tls_policy_maps`).
pub fn names_a_file(policy: &str) -> bool {
    policy.to_ascii_lowercase().contains("tafile")
}

/// How many commas stand between the parts of a JSON document (RFC 8259 §2), and not in its texts.
fn commas(text: &str) -> usize {
    let (mut commas, mut is_text, mut is_escaped) = (0, false, false);
    for byte in text.bytes() {
        match (byte, is_text) {
            _ if is_escaped => is_escaped = false,
            (b'\\', true) => is_escaped = true,
            (b'"', _) => is_text = !is_text,
            (b',', false) => commas += 1,
            _ => {}
        }
    }
    commas
}

/// Every text of a task, wherever it stands, is a word or a line.
fn judge_texts(value: &serde_json::Value) -> Result<(), TaskError> {
    match value {
        serde_json::Value::String(text) if text.len() > LONGEST_TEXT => {
            Err(TaskError::TooLong("a text"))
        }
        serde_json::Value::String(text) if text.contains(char::is_control) => {
            Err(TaskError::Control)
        }
        serde_json::Value::Array(list) if list.len() > LONGEST_LIST => {
            Err(TaskError::TooLong("a list"))
        }
        serde_json::Value::Array(list) => list.iter().try_for_each(judge_texts),
        serde_json::Value::Object(map) => map.values().try_for_each(judge_texts),
        _ => Ok(()),
    }
}

/// What a form hides (`\u0074afile` in JSON) is refused where its rules are read, by [`names_a_file`], too.
fn judge_import(text: &str) -> Result<(), TaskError> {
    judge_length(text)?;
    judge_policy(text)
}

fn judge_policy(text: &str) -> Result<(), TaskError> {
    match names_a_file(text) {
        true => Err(local("tafile", "it names a file")),
        false => Ok(()),
    }
}

/// Base64, whatever is in it: only the store can open it.
fn judge_sealed(sealed: &str) -> Result<(), TaskError> {
    if sealed.len() > LONGEST_UPLOAD {
        return Err(TaskError::TooLong("the upload"));
    }
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    match sealed.bytes().all(known) {
        true => Ok(()),
        false => Err(TaskError::Unreadable("the upload is not sealed".to_owned())),
    }
}

fn judge_length(text: &str) -> Result<(), TaskError> {
    match text.len() > LONGEST_IMPORT {
        true => Err(TaskError::TooLong("the import")),
        false => Ok(()),
    }
}

fn judge_pair(pair: &str) -> Result<(), TaskError> {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let names_a_file = !matches!(value.trim(), "system" | "none" | "");
    if key.trim().starts_with("trust.") && names_a_file {
        return Err(local(key.trim(), "it names a file or a folder"));
    }
    judge_key(key)
}

fn judge_key(key: &str) -> Result<(), TaskError> {
    let Some(parameter) = key.trim().strip_prefix("param.") else {
        return Ok(());
    };
    let name = parameter.rsplit('/').next().unwrap_or(parameter);
    match catalog::find(name).map(|found| found.remote) {
        Some(Remote::Allowed) => Ok(()),
        Some(Remote::LocalOnly) => Err(local(
            key.trim(),
            "its value may name a file, a table, a command or a service",
        )),
        // A command says what it thinks of it.
        None => Ok(()),
    }
}

fn judge_target(target: &str) -> Result<(), TaskError> {
    let port = match target.rsplit_once(':') {
        // A bare IPv6 address has no port.
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => return Ok(()),
        Some((_, port)) => port,
        None => return Ok(()),
    };
    let probed = port
        .parse()
        .is_ok_and(|port: u16| MAIL_PORTS.contains(&port));
    match probed {
        true => Ok(()),
        false => Err(local(
            target,
            "from afar only the ports of mail are looked at: 25, 465 and 587",
        )),
    }
}

fn local(what: &str, why: &'static str) -> TaskError {
    TaskError::LocalOnly {
        what: what.to_owned(),
        why,
    }
}
