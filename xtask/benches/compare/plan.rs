//! `plan` with nothing to do, beside the `postconf` calls it rests on.

use crate::site::Site;
use crate::{Outcome, postseal, section};
use xtask::bench::{Contender, Rounds, Section, compare, seconds};

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let site = Site::new(&postseal()?)?;
    let mut init = [Contender::new("init", [site.postseal(&["init"])])];
    compare(&mut init, Rounds::new(5)?)?;

    // What `host` asks for one picture of an instance.
    let asked = [&[][..], &["-d"], &["-m"], &["-a"]];
    let postconf = asked.map(|words| site.postconf(words));
    let mut both = [
        Contender::new("postconf, four calls", postconf),
        Contender::new("postseal plan", [site.postseal(&["plan"])]),
    ];
    let found = compare(&mut both, rounds)?;
    let base = &found[0];
    let rows = found.iter().zip(["", "≤ 1.5"]).map(|(one, limit)| {
        let ratio = format!("{:.2}", one.wall_ratio(base));
        let times = [
            seconds(one.wall()),
            seconds(one.cpu()),
            ratio,
            limit.to_owned(),
        ];
        std::iter::once(one.name.clone()).chain(times).collect()
    });
    Ok(section(
        "plan",
        "A plan with nothing to do, right after `init`, against `postconf -c DIR`, `-d`, `-m` and \
         `-a`: the calls it rests on, one after the other.",
        &["commands", "wall", "CPU", "ratio", "limit"],
        rows.collect(),
    ))
}
