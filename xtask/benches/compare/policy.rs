//! Rules for destinations: from ten thousand to a million of them.

use crate::site::Site;
use crate::{Outcome, postseal, section};
use postseal_testkit::postfix_box::{BoxBuilder, HOST, PostfixBox};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use xtask::bench::{BenchError, Contender, Rounds, Section, Series, Task, compare, seconds};

const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// Contenders a size.
const SIDES: usize = 9;

/// An instance with many rules in force.
struct Many {
    count: usize,
    site: Site,
    /// Another one, with the same rows in an administrator's table.
    unadopted: Site,
    /// A third one, whose store holds no rule.
    empty: Site,
    csv: PathBuf,
    source: PathBuf,
}

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let program = postseal()?;
    let mut all = Vec::new();
    for count in SIZES {
        all.push(Many::new(&program, count)?);
    }
    let mut contenders: Vec<Contender<'_>> = all.iter().flat_map(Many::contenders).collect();
    let found = compare(&mut contenders, rounds)?;
    drop(contenders);
    Ok(section(
        "policy",
        "Rules for destinations in a store, and their map in force (hash). Ratio: to the bare \
         command above it, on the same rows.",
        &["what", "wall", "ratio", "rows/s", "CPU", "peak", "limit"],
        rows(&found),
    ))
}

/// An instance that sends, and trusts whom the system trusts: a rule with `secure` is refused
/// where nobody is trusted.
fn outbound() -> BoxBuilder {
    PostfixBox::builder()
        .set("default_transport", "smtp")
        .set("smtp_tls_CAfile", "/etc/ssl/certs/ca-certificates.crt")
}

/// The n-th destination; every third has the level `encrypt`.
fn domain(n: usize) -> String {
    format!("d{n:07}.example-{}.org", n % 977)
}

impl Many {
    fn new(program: &Path, count: usize) -> Outcome<Self> {
        let builder = outbound();
        let site = Site::with(builder, program)?;
        site.postfix.start()?;
        site.postseal(&["init"]).run()?;
        let folder = site.postfix.config_directory();
        let (csv, source) = (folder.join("rules.csv"), folder.join("bare"));
        let mut lines = BufWriter::new(File::create(&csv)?);
        let mut bare = BufWriter::new(File::create(&source)?);
        writeln!(lines, "destination,policy")?;
        for n in 0..count {
            let policy = ["encrypt", "may", "secure match=nexthop:dot-nexthop"][n % 3];
            let domain = domain(n);
            writeln!(lines, "{domain},{policy}")?;
            writeln!(bare, "{domain} {policy}")?;
        }
        drop((lines, bare));
        let builder = outbound().set("smtp_tls_policy_maps", "hash:{base}/config/own");
        let unadopted = Site::with(builder, program)?;
        let own = unadopted.postfix.config_directory().join("own");
        fs::copy(&source, &own)?;
        let own = format!("hash:{}", own.display());
        unadopted.command("/usr/sbin/postmap", &[&own]).run()?;
        unadopted.postfix.start()?;
        let empty = Site::with(outbound(), program)?;
        empty.postfix.start()?;
        let many = Self {
            count,
            site,
            unadopted,
            empty,
            csv,
            source,
        };
        many.import().run()?;
        // So many servers are not looked at, which has to be accepted.
        let unseen = format!("policy.servers-not-looked-at={HOST}");
        let mut apply = vec!["apply", "--yes"];
        if count > 10_000 {
            apply.extend(["--accept", &unseen]);
        }
        many.site.postseal(&apply).run()?;
        Ok(many)
    }

    fn import(&self) -> Task {
        let csv = self.csv.display().to_string();
        self.site.postseal(&["policy", "import", &csv])
    }

    /// Wishes for nothing again.
    fn nothing(&self) -> Result<(), BenchError> {
        self.site.postseal(&["discard"]).run().map(drop)
    }

    fn contenders(&self) -> Vec<Contender<'_>> {
        let count = self.count;
        let named = |what: &str, task: Task| Contender::new(&format!("{what}, {count}"), [task]);
        let bare = format!("hash:{}", self.source.display());
        let compiled = format!("{}.db", self.source.display());
        let key = "d0000001.example-1.org";
        let keys = [key, ".example-1.org", ".org"];
        let asked = keys.map(|key| {
            self.site
                .command("/usr/sbin/postmap", &["-q", key, &bare])
                .or_exit(1)
        });
        let mut turn = 0;
        let another = move || {
            self.nothing()?;
            // Another rule each time: a map that was made before would be taken again.
            turn += 3;
            let changed = domain(turn);
            let wish = ["policy", "edit", &changed, "none"];
            self.site.postseal(&wish).run().map(drop)
        };
        let other = format!("{}.other", self.csv.display());
        let other_csv = PathBuf::from(&other);
        let rewritten = move || {
            self.nothing()?;
            rewrite(&self.csv, &other_csv)
        };
        vec![
            named(
                "`postmap` of the bare rows",
                self.site.command("/usr/sbin/postmap", &[&bare]),
            )
            .prepare(move || {
                // The first time there is none.
                let _ = fs::remove_file(&compiled);
                Ok(())
            }),
            named(
                "`apply` with one rule changed",
                self.site.postseal(&["apply", "--yes"]),
            )
            .prepare(another),
            Contender::new(&format!("its `postmap -q` calls, {count}"), asked),
            named(
                "`explain` of a domain",
                self.site.postseal(&["explain", key]),
            ),
            named(
                "`set` of a key",
                self.site.postseal(&["set", "loglevel.outbound=1"]),
            )
            .prepare(|| self.nothing()),
            named(
                "`policy add`",
                self.site
                    .postseal(&["policy", "add", "new.example", "encrypt"]),
            )
            .prepare(|| self.nothing()),
            named(
                "`policy import` of CSV, a third changed",
                self.site
                    .postseal(&["policy", "import", "--format", "csv", &other]),
            )
            .prepare(rewritten),
            named(
                "`policy import` of CSV, the first",
                self.empty
                    .postseal(&["policy", "import", &self.csv.display().to_string()]),
            )
            .prepare(|| {
                // The first time it is not adopted.
                let _ = self.empty.postseal(&["release"]).run();
                self.empty.postseal(&["init"]).run().map(drop)
            }),
            named(
                "`init` that adopts a table",
                self.unadopted.postseal(&["init"]),
            )
            .prepare(|| {
                // The first time it is not adopted.
                let _ = self.unadopted.postseal(&["release"]).run();
                Ok(())
            }),
        ]
    }
}

/// The rules with another level for every third, a line at a time: what this process holds would
/// count as the peak of those that it starts.
fn rewrite(csv: &Path, into: &Path) -> Result<(), BenchError> {
    let copy = || {
        let mut other = BufWriter::new(File::create(into)?);
        for line in BufReader::new(File::open(csv)?).lines() {
            writeln!(other, "{}", line?.replace(",encrypt", ",verify"))?;
        }
        other.flush()
    };
    copy().map_err(|error| BenchError::file(csv, error))
}

fn rows(found: &[Series]) -> Vec<Vec<String>> {
    let limits = [
        "",
        "≤ 1.5 at 1M, ≤ 300 MB",
        "",
        "≤ 20 ms over the calls",
        "",
        "≤ 50 ms",
        "≥ 200,000 rows/s",
        "≥ 200,000 rows/s",
        "",
    ];
    let mut rows = Vec::new();
    for (side, limit) in limits.iter().enumerate() {
        for (at, count) in SIZES.iter().enumerate() {
            let one = &found[at * SIDES + side];
            let base = matches!(side, 1 | 3 | 5).then(|| &found[at * SIDES + side - 1]);
            let rate = *count as f64 / one.wall().as_secs_f64();
            rows.push(vec![
                one.name.clone(),
                seconds(one.wall()),
                base.map_or_else(String::new, |base| format!("{:.2}", one.wall_ratio(base))),
                if side >= 6 {
                    format!("{rate:.0}")
                } else {
                    String::new()
                },
                seconds(one.cpu()),
                format!("{:.1} MiB", one.peak() as f64 / f64::from(1 << 20)),
                (*limit).to_owned(),
            ]);
        }
    }
    rows
}
