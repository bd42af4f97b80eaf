//! What `policy rows` tells of a change, made at a desk, comes to what it tells of all rules: row by row, in every order.

use crate::scene::{Ran, Scene};
use postseal_store::SqliteDesk;
use postseal_store::desk::{
    Clerk as _, Desk as _, RuleChange, RuleKind, RuleMark, RulePage, RulePlace, RuleQuery, RuleRow,
    RuleSort,
};
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::fs;
use tempfile::TempDir;

const MX: &str = "mx";
const CHANGES: usize = 70;

struct Mirror {
    scene: Scene,
    _place: TempDir,
    desk: SqliteDesk,
    mark: String,
    /// How many came as a change, after which verb.
    cheap: Vec<&'static str>,
    seed: u64,
}

fn desk() -> (TempDir, SqliteDesk) {
    let place = TempDir::new().unwrap();
    let desk = SqliteDesk::open(place.path()).unwrap();
    (place, desk)
}

/// What it was told in pieces.
fn told(ran: &Ran) -> (Vec<RuleRow>, RuleChange) {
    let (mut all, mut change) = (Vec::new(), RuleChange::default());
    for line in ran.stderr.lines() {
        let Ok(mut event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let rules: Vec<RuleRow> = serde_json::from_value(event["rules"].take()).unwrap_or_default();
        match event["event"].as_str() {
            Some("rules") => all.extend(rules),
            Some("changed-rules") => {
                change.rules.extend(rules);
                let destinations = event["destinations"].take();
                let destinations: Option<Vec<String>> = serde_json::from_value(destinations).ok();
                change.destinations.extend(destinations.unwrap_or_default());
            }
            _ => {}
        }
    }
    (all, change)
}

/// All that pages show, in every order, by pages of five; of some words and of each kind.
fn seen(desk: &SqliteDesk) -> Vec<(Vec<RuleRow>, RulePage)> {
    let query = RuleQuery {
        limit: 5,
        today: "2026-11-22".to_owned(),
        ..RuleQuery::default()
    };
    let sorts = [
        RuleSort::Destination,
        RuleSort::Level,
        RuleSort::Owner,
        RuleSort::Until,
        RuleSort::Looked,
    ];
    let kinds = RuleMark::ALL.map(RuleKind::Marked);
    let words = ["ingrid", "127.62", "secure match", "note 3"];
    let mut asked: Vec<RuleQuery> = Vec::new();
    asked.extend(sorts.map(|sort| RuleQuery {
        sort,
        ..query.clone()
    }));
    asked.extend(kinds.map(|kind| RuleQuery {
        kind: Some(kind),
        ..query.clone()
    }));
    asked.extend(words.map(|text| RuleQuery {
        words: text.split(' ').map(str::to_owned).collect(),
        ..query.clone()
    }));
    asked.iter().map(|query| pages(desk, query)).collect()
}

fn pages(desk: &SqliteDesk, query: &RuleQuery) -> (Vec<RuleRow>, RulePage) {
    let mut query = query.clone();
    let mut rows = Vec::new();
    loop {
        let mut page = desk.rule_page(MX, &query).unwrap().unwrap();
        rows.append(&mut page.rules);
        let Some(last) = rows.last().filter(|_| page.after) else {
            page.set = 0;
            page.made_ms = 0;
            page.before = false;
            return (rows, page);
        };
        query.place = Some(RulePlace::After(
            last.destination.clone(),
            last.manager.clone(),
        ));
    }
}

impl Mirror {
    fn new() -> Self {
        let scene = Scene::adopted(PostfixBox::builder().set("smtp_tls_security_level", "may"));
        let (place, desk) = desk();
        Self {
            scene,
            _place: place,
            desk,
            mark: String::new(),
            cheap: Vec::new(),
            seed: 7,
        }
    }

    /// A number below `end`, of a row that is the same each time.
    fn any(&mut self, end: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.seed >> 33) % end
    }

    fn destination(&mut self) -> String {
        let n = self.any(12);
        match self.any(4) {
            0 => format!(".d{n}.example"),
            1 => format!("[127.62.0.{n}]:25"),
            _ => format!("d{n}.example"),
        }
    }

    /// A rule that is there, where any is.
    fn there(&mut self) -> String {
        let all = self.run(&["policy", "list"]);
        let all = all.json["rules"].as_array().unwrap().clone();
        let n = self.any(all.len().max(1) as u64);
        let one = usize::try_from(n).ok().and_then(|n| all.get(n));
        let one = one.and_then(|one| one["destination"].as_str());
        one.map_or_else(|| self.destination(), str::to_owned)
    }

    fn run(&self, words: &[&str]) -> Ran {
        self.scene.run(words)
    }

    /// One change of any kind; what is refused changes nothing, and that too is a case.
    fn change(&mut self) -> &'static str {
        let sure = ["--no-preflight", "--force", "--reason=a test"];
        let destination = self.destination();
        let policy = ["encrypt", "may", "secure match=.example"][self.any(3) as usize];
        let n = self.any(5);
        let note = format!("--note=note {n}");
        match self.any(16) {
            0..=2 => {
                let words = [
                    "policy",
                    "add",
                    &destination,
                    policy,
                    &note,
                    "--owner=Ingrid",
                ];
                self.run(&[&words[..], &sure].concat());
                "add"
            }
            3 | 4 => {
                let until = format!("--until=2026-11-2{n}");
                let one = self.there();
                let words = ["policy", "edit", &one, policy, &until];
                self.run(&[&words[..], &sure].concat());
                "edit"
            }
            5 => {
                let one = self.there();
                self.run(&["policy", "remove", &one]);
                "remove"
            }
            6 => {
                let file = self.scene.named("some.csv");
                let rows: Vec<String> = (0..20)
                    .map(|_| format!("{},encrypt,note {n}\n", self.destination()))
                    .collect();
                let mut rows = rows;
                rows.sort();
                rows.dedup_by_key(|row| row.trim_start_matches('.').to_owned());
                fs::write(&file, format!("destination,policy,note\n{}", rows.concat())).unwrap();
                self.run(&["policy", "import", &file, "--format=csv", "--partial"]);
                "import"
            }
            7 => {
                let domain = format!("d{n}.example");
                let hop = format!("--next-hop=[127.62.0.{n}]:25");
                let words = ["domain", "add", &domain, &hop];
                self.run(&[&words[..], &sure].concat());
                "domain add"
            }
            8 => {
                self.run(&["discard"]);
                "discard"
            }
            10 => {
                // Nobody listens there, and that is seen at once.
                self.run(&["policy", "check", &format!("[127.62.0.{n}]:25")]);
                "check"
            }
            9 => {
                self.run(&["rollback", "--yes"]);
                "rollback"
            }
            _ => {
                self.run(&["apply", "--yes"]);
                "apply"
            }
        }
    }

    /// Hands over what has changed as the agent does, and all to another desk; both show the same.
    fn compare(&mut self, after: &'static str) {
        let unless = format!("--unless={}", self.mark);
        let news = self.run(&["policy", "rows", &unless]);
        let (all, change) = told(&news);
        let mark = news.text("mark").to_owned();
        if news.json["since"].is_string() {
            let since = self.mark.clone();
            let made = self.desk.change_rules(MX, &since, &change, &mark, 1);
            assert!(made.unwrap(), "{after}: {news:#?}");
            self.cheap.push(after);
        } else if news.json["same"] == false {
            let set = self.desk.begin_rules(MX, 1).unwrap();
            self.desk.add_rules(set, &all).unwrap();
            self.desk.show_rules(MX, set, &mark, 1).unwrap();
        }
        self.mark = mark;
        let whole = self.run(&["policy", "rows"]);
        let (_place, mut other) = desk();
        let set = other.begin_rules(MX, 1).unwrap();
        other.add_rules(set, &told(&whole).0).unwrap();
        other.show_rules(MX, set, whole.text("mark"), 1).unwrap();
        assert_eq!(seen(&self.desk), seen(&other), "after {after}");
    }
}

#[test]
fn changes_come_to_what_all_rules_come_to() {
    let mut mirror = Mirror::new();
    mirror.compare("nothing");
    for _ in 0..CHANGES {
        let verb = mirror.change();
        mirror.compare(verb);
    }
    // A change of what rules are held against is none of a few rules.
    mirror.run(&["set", "outbound=encrypt"]);
    mirror.run(&["apply", "--yes"]);
    mirror.compare("set");
    let cheap = &mirror.cheap;
    for verb in [
        "add", "edit", "remove", "import", "apply", "discard", "rollback",
    ] {
        assert!(
            cheap.contains(&verb),
            "no change was cheap after {verb}: {cheap:?}"
        );
    }
    assert!(!cheap.contains(&"set"), "{cheap:?}");
}
