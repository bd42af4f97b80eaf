//! Parse and print of postfix-cf: runs its criterion benchmark and reads what that left.

use crate::{Outcome, cargo, section, target};
use xtask::bench::{Section, seconds, throughputs};

pub(crate) fn run() -> Outcome<Section> {
    cargo(&["bench", "--package", "postfix-cf", "--bench", "parse"])?;
    let found = throughputs(&target()?.join("criterion"))?;
    let rows = found.iter().map(|one| {
        let time = std::time::Duration::from_secs_f64(one.nanoseconds / 1e9);
        let speed = format!("{:.0} MB/s", one.megabytes());
        vec![
            one.name.clone(),
            format!("{} bytes", one.bytes),
            seconds(time),
            speed,
        ]
    });
    Ok(section(
        "cf",
        "postfix-cf, medians of criterion.",
        &["benchmark", "input", "time", "speed"],
        rows.collect(),
    ))
}
