//! What was hit, how often, and what became of the mail.

use crate::cut::Cut;
use crate::site::World;
use crate::stream::Ledger;
use crate::{EACH_GAP, KILLS, OPERATIONS, Whole};
use postseal_probe::Sink;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Gaps between two file steps.
const GAPS: [&str; 3] = [
    "on: key, then main.cf",
    "on: main.cf, then master.cf",
    "off: master.cf, then main.cf",
];

/// What a killed process had done.
pub(crate) struct Found {
    phase: String,
    gap: Option<&'static str>,
    /// A file of Postfix had been renamed, and the journal was open.
    between: bool,
    /// The journal's last entry before the recovery.
    pub(crate) journal: Option<Value>,
}

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) operations: usize,
    turns: usize,
    pub(crate) kills: usize,
    /// Killed too late: it had ended.
    pub(crate) escaped: usize,
    /// After how many kills the next operation had to recover by itself.
    pub(crate) by_themselves: usize,
    /// Recoveries that were killed, too.
    pub(crate) recoveries: usize,
    between: usize,
    scratches: usize,
    phases: BTreeMap<String, usize>,
    gaps: BTreeMap<&'static str, usize>,
    cuts: BTreeMap<&'static str, usize>,
}

impl Found {
    /// From the operation in the log, and the files as they were before anything recovered; the
    /// killed process was leading away from world `from`.
    pub(crate) fn of(
        open: bool,
        killed: Option<&Value>,
        files: World,
        worlds: &[Whole; 2],
        from: usize,
    ) -> Self {
        let way = ["on", "off"][from];
        let none = |phase: &str| Self {
            phase: format!("{way}: {phase}"),
            gap: None,
            between: false,
            journal: None,
        };
        let Some(killed) = killed.filter(|_| open) else {
            let ended = files == worlds[1 - from].world;
            return none(if ended {
                "journal closed"
            } else {
                "no journal yet"
            });
        };
        let journal = last_before_recovery(killed);
        let n = journal["n"].as_u64();
        let phase = journal["phase"].as_str().unwrap().to_owned();
        let phase = n.map_or(phase.clone(), |n| format!("{phase} {n} done"));
        let old = worlds[from].world;
        let (main, master) = (files.main != old.main, files.master != old.master);
        let gap = match (way, main, master) {
            ("on", false, false) if n == Some(0) => Some(GAPS[0]),
            ("on", true, false) => Some(GAPS[1]),
            ("off", false, true) => Some(GAPS[2]),
            _ => None,
        };
        Self {
            phase: format!("{way}: {phase}"),
            gap,
            between: main || master,
            journal: Some(journal),
        }
    }
}

fn last_before_recovery(killed: &Value) -> Value {
    let journal = killed["journal"].as_array().unwrap();
    let own = journal
        .iter()
        .take_while(|phase| phase["phase"] != "rolling-back");
    own.last().unwrap().clone()
}

impl Tally {
    /// Everything that the story wants has been seen.
    pub(crate) fn enough(&self) -> bool {
        let gaps = GAPS.iter().all(|gap| self.gap(gap) >= EACH_GAP);
        self.operations >= OPERATIONS
            && self.kills >= KILLS
            && self.between * 2 >= self.kills
            && gaps
    }

    fn gap(&self, gap: &str) -> usize {
        self.gaps.get(gap).copied().unwrap_or(0)
    }

    /// Where the next operation is killed. Three in turn are, then three are not: an odd number of
    /// changes of the world, so that both ways get their share.
    pub(crate) fn next_cut(&mut self, cuts: &'static [Cut; 12]) -> Option<Cut> {
        self.turns += 1;
        if self.turns % 6 > 2 {
            return None;
        }
        let way = cuts[0].line;
        let turn = self.cuts.entry(way).or_default();
        *turn += 1;
        Some(cuts[(*turn - 1) % cuts.len()])
    }

    pub(crate) fn kill(&mut self, cut: &Cut, found: &Found, scratches: usize) {
        self.kills += 1;
        self.between += usize::from(found.between);
        self.scratches += scratches;
        *self.phases.entry(found.phase.clone()).or_default() += 1;
        if let Some(gap) = found.gap {
            *self.gaps.entry(gap).or_default() += 1;
        }
        println!("killed at “{}”: {}", cut.line, found.phase);
    }

    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{} applies and rollbacks, {} killed, {} of them between the first rename and the \
             close of the journal; {} ended before the kill\n\
             {} recoveries killed as well; {} times the next apply recovered by itself; {} scratch \
             instances left by kills and cleared away\n",
            self.operations,
            self.kills,
            self.between,
            self.escaped,
            self.recoveries,
            self.by_themselves,
            self.scratches
        );
        for (phase, count) in &self.phases {
            let _ = writeln!(text, "{count:4}  found {phase}");
        }
        for gap in GAPS {
            let _ = writeln!(text, "{:4}  gap {gap}", self.gap(gap));
        }
        text
    }
}

/// How often each Message-ID came.
pub(crate) fn arrived(sink: &Sink) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for message in sink.delivered() {
        let text = String::from_utf8_lossy(&message.data).into_owned();
        let id = text.lines().find_map(|line| {
            line.strip_prefix("Message-ID: <")?
                .strip_suffix('>')
                .map(str::to_owned)
        });
        *ids.entry(id.unwrap_or_default()).or_default() += 1;
    }
    ids
}

/// The mail's table.
pub(crate) fn mail(ledger: &Ledger, arrived: &BTreeMap<String, usize>, lasted: Duration) -> String {
    let accepted = ledger.accepted.len();
    let duplicates: usize = arrived.values().map(|count| count - 1).sum();
    let mut text = format!(
        "{accepted} messages accepted in {:.0} s ({:.1} a second), {} arrived, {duplicates} \
         duplicates\n{} answered 4xx and sent again, {} connections broke; longest wait for a \
         session {:.2} s\n",
        lasted.as_secs_f64(),
        accepted as f64 / lasted.as_secs_f64(),
        arrived.len(),
        ledger.deferred.len(),
        ledger.broken.len(),
        ledger.longest_opening.as_secs_f64(),
    );
    for trouble in ledger.deferred.iter().chain(&ledger.broken) {
        let _ = writeln!(text, "      {trouble}");
    }
    text
}
