//! Of many rows a spread sample is kept.

use super::Spread;
use mailtls::policy::Dialect;
use postfix_cf::table::rows;
use postseal_planner::policy::{RowReader, Scopes};

fn kept(n: usize, most: usize) -> (Vec<usize>, u64) {
    let text: String = (0..n).map(|i| format!("d{i}.example encrypt\n")).collect();
    let mut reader = RowReader::new(Dialect { major: 3, minor: 7 }, Scopes::OfKeys);
    let mut spread = Spread::new(most);
    for row in rows(text.as_bytes()) {
        if spread.takes_next()
            && let Some(Ok(row)) = reader.read(&row)
        {
            spread.kept.push(row);
        }
    }
    assert_eq!(spread.seen, n as u64);
    let lines = spread.kept.iter().map(|row| row.line);
    (lines.collect(), spread.every)
}

#[test]
fn few_rows_are_all_kept() {
    assert_eq!(kept(0, 4), (vec![], 1));
    assert_eq!(kept(4, 4), (vec![1, 2, 3, 4], 1));
}

#[test]
fn of_many_every_nth_is_kept_from_the_first_to_near_the_last() {
    assert_eq!(kept(5, 4), (vec![1, 3, 5], 2));
    for n in [9, 100, 1_000, 4_097] {
        let (lines, every) = kept(n, 8);
        assert!((4..=8).contains(&lines.len()), "{n}: {lines:?}");
        let even = lines
            .windows(2)
            .all(|two| (two[1] - two[0]) as u64 == every);
        assert!(even, "{n}: {lines:?}");
        assert!(n - lines[lines.len() - 1] < usize::try_from(every).unwrap());
    }
}
