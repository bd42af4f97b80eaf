//! Calls of postmap(1).
//!
//! Owns: asking a table, listing one, compiling one. Never: decides what is in it.

use super::Postfix;
use crate::HostError;
use crate::command::{Call, Output};
use crate::file::failed;
use postseal_planner::plan::PolicyMap;
use postseal_planner::table_from;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, PipeWriter, Read};
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// A map of ten thousand names is compiled in seconds.
const COMPILE: Duration = Duration::from_secs(60);
/// A million policies take some ten seconds, on a slow disk a multiple of that: this for each of them,
/// beside [`COMPILE`].
const COMPILE_POLICY: Duration = Duration::from_micros(600);
/// A map query may have to ask another daemon or host.
const LOOKUP: Duration = Duration::from_secs(15);
/// `postmap -s` of a million rows takes some seconds.
const LIST: Duration = Duration::from_secs(120);
const CHUNK: usize = 64 << 10;

impl Postfix {
    /// `postmap -q KEY MAP`: the value, or none.
    pub fn lookup(&self, map: &str, key: &str) -> Result<Option<String>, HostError> {
        let places = self.places()?;
        let program = places.command_directory.join("postmap");
        let map = &*table_from(&places.queue_directory, map);
        let call = Call::new(&self.prefix, &program, LOOKUP)
            .arg("-c")
            .arg(&self.config_directory)
            .args(["-q", key, map]);
        let output = call.run()?;
        match output.status.code() {
            Some(0) => Ok(Some(output.text().trim_end_matches('\n').to_owned())),
            Some(1) if is_quiet(&output.stderr, &self.config_directory) => Ok(None),
            _ => Err(HostError::Command {
                command: call.line(),
                status: output.status.to_string(),
                output: output.message(),
            }),
        }
    }

    /// `postmap -q - MAP`: the values of many keys, in their order.
    pub fn lookups(&self, map: &str, keys: &[String]) -> Result<Vec<Option<String>>, HostError> {
        let is_line = |key: &&String| !key.is_empty() && !key.contains(['\n', '\t', '\0']);
        let asked: Vec<&str> = keys.iter().filter(is_line).map(String::as_str).collect();
        let places = self.places()?;
        let program = places.command_directory.join("postmap");
        let map = &*table_from(&places.queue_directory, map);
        let input = format!("{}\n", asked.join("\n"));
        let call = Call::new(&self.prefix, &program, LOOKUP)
            .arg("-c")
            .arg(&self.config_directory)
            .args(["-q", "-", map])
            .input(input.as_bytes());
        let output = call.run()?;
        let answered = matches!(output.status.code(), Some(0 | 1))
            && is_quiet(&output.stderr, &self.config_directory);
        if !answered {
            return Err(HostError::Command {
                command: call.line(),
                status: output.status.to_string(),
                output: output.message(),
            });
        }
        let text = output.text();
        let found: HashMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .collect();
        let value = |key: &String| found.get(key.as_str()).map(|value| (*value).to_owned());
        Ok(keys.iter().map(value).collect())
    }

    /// `postmap -s MAP`: every row. Warnings are no errors: they are of rows that are left out.
    pub(crate) fn table_rows(&self, map: &str) -> Result<File, HostError> {
        self.listed(map, |call| call.run_into_file())
    }

    /// The same; of each row the key alone is kept. The values may be private keys (`postmap -F`): they
    /// go by memory, never by a file, and what was read of them is wiped.
    pub(crate) fn table_keys(&self, map: &str) -> Result<Vec<String>, HostError> {
        let rows = self.listed(map, |call| call.run_into_memory())?;
        keys(rows).map_err(failed("read", Path::new(map)))
    }

    fn listed(
        &self,
        map: &str,
        run: impl FnOnce(&Call<'_>) -> Result<(Output, File), HostError>,
    ) -> Result<File, HostError> {
        let places = self.places()?;
        let program = places.command_directory.join("postmap");
        let map = &*table_from(&places.queue_directory, map);
        let call = Call::new(&self.prefix, &program, LIST)
            .arg("-c")
            .arg(&self.config_directory)
            .args(["-s", map]);
        let (output, rows) = run(&call)?;
        match output.status.success() {
            true => Ok(rows),
            false => Err(HostError::Command {
                command: call.line(),
                status: output.status.to_string(),
                output: output.message(),
            }),
        }
    }

    /// `postmap TABLE:PATH`. A warning is an error here: a row that `postmap` leaves out is a rule
    /// that is lost. Not so one of `main.cf`.
    pub(crate) fn compile_policies(&self, config: &Path, map: &PolicyMap) -> Result<(), HostError> {
        let program = self.places()?.command_directory.join("postmap");
        let call = self.compiling(&program, config, map).arg(map.name());
        whole(&call, &call.run()?, config)
    }

    /// `postmap -i TABLE:PATH`: the same of the rows that `feed` writes, as it writes them. What came of the
    /// feeding: who stopped knows why, and who could not go on is told it by postmap(1).
    pub(crate) fn compile_fed_policies(
        &self,
        config: &Path,
        map: &PolicyMap,
        feed: impl FnOnce(PipeWriter) -> io::Result<()>,
    ) -> Result<io::Result<()>, HostError> {
        let program = self.places()?.command_directory.join("postmap");
        let call = self.compiling(&program, config, map);
        let call = call.args(["-i", &map.name()]);
        let (fed, output) = call.run_fed(feed)?;
        let stopped = |error: &io::Error| error.kind() != io::ErrorKind::BrokenPipe;
        if !fed.as_ref().is_err_and(stopped) {
            whole(&call, &output, config)?;
        }
        Ok(fed)
    }

    fn compiling<'a>(&'a self, program: &'a Path, config: &Path, map: &PolicyMap) -> Call<'a> {
        let rows = u32::try_from(map.policies.rows).unwrap_or(u32::MAX);
        let deadline = COMPILE + COMPILE_POLICY.saturating_mul(rows);
        let call = Call::new(&self.prefix, program, deadline).until(&self.stop);
        call.arg("-c").arg(config)
    }

    /// `postmap -F TABLE:PATH`. It ends with 0 when it skipped a row because a file is missing,
    /// so its warnings are errors here, but those of `main.cf`.
    pub(crate) fn compile(&self, config: &Path, table: &str, path: &Path) -> Result<(), HostError> {
        let program = self.places()?.command_directory.join("postmap");
        let call = Call::new(&self.prefix, &program, COMPILE)
            .arg("-c")
            .arg(config)
            .args(["-F", &format!("{table}:{}", path.display())]);
        whole(&call, &call.run()?, config)
    }
}

/// An error where a row was left out, or all of them.
fn whole(call: &Call<'_>, output: &Output, config: &Path) -> Result<(), HostError> {
    if output.status.success() && of_table(&output.stderr, config).is_empty() {
        return Ok(());
    }
    Err(HostError::Command {
        command: call.line(),
        status: output.status.to_string(),
        output: output.message(),
    })
}

/// What stands before the tab of each row.
fn keys(mut rows: impl Read) -> io::Result<Vec<String>> {
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    let (mut keys, mut key) = (Vec::new(), Vec::new());
    let mut of_key = true;
    loop {
        let length = rows.read(&mut chunk)?;
        for byte in chunk.get(..length).unwrap_or_default() {
            match byte {
                b'\n' => {
                    keys.push(String::from_utf8_lossy(&std::mem::take(&mut key)).into_owned());
                    of_key = true;
                }
                b'\t' => of_key = false,
                other if of_key => key.push(*other),
                _ => {}
            }
        }
        if length == 0 {
            return Ok(keys);
        }
    }
}

/// Whether nothing was said, but that an index is older than its source, or that rows are left out: the
/// table answers all the same, here as in the daemons (`dict_open.c`, `dict_regexp.c`).
fn is_quiet(stderr: &[u8], config: &Path) -> bool {
    let stale = |line: &str| {
        line.contains("warning: database ") && line.contains(" is older than source file ")
    };
    of_table(stderr, config)
        .iter()
        .all(|line| stale(line) || is_of_row(line))
}

/// `regexp map /etc/postfix/transport, line 1: Unmatched ( or \(`: such a row is none. Where a table cannot
/// be opened the words are `fatal:`.
fn is_of_row(line: &str) -> bool {
    const PATTERNS: [&str; 3] = ["regexp map ", "pcre map ", "cidr map "];
    // What is said of a text table's rows (`dict_thash.c`).
    const OF_TEXT: [&str; 4] = [
        ": expected format: key whitespace value",
        ": unbalanced ",
        ": duplicate entry: ",
        ": logical line must not start with whitespace: ",
    ];
    line.split_once("warning: ").is_some_and(|(_, warning)| {
        let of_pattern = PATTERNS.iter().any(|start| warning.starts_with(start));
        (of_pattern && warning.contains(", line ")) || OF_TEXT.iter().any(|of| warning.contains(of))
    })
}

/// What was said, but of `main.cf`: each program of Postfix warns of a parameter that stands there
/// twice (`dict.c`), and takes the later one.
fn of_table(stderr: &[u8], config: &Path) -> Vec<String> {
    let main_cf = format!("warning: {}/main.cf, line ", config.display());
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines().map(str::trim_end);
    lines
        .filter(|line| !line.is_empty() && !line.contains(&main_cf))
        .map(str::to_owned)
        .collect()
}
