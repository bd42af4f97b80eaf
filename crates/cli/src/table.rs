//! Tables: aligned on a terminal, tab-separated when piped.
//!
//! Owns: that choice. Never: what stands in a cell.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use std::io::IsTerminal;

/// Where the terminal does not tell its width.
const WIDTH: u16 = 80;
/// The blanks of a column.
const PADDING: u16 = 2;

/// Rows under a head.
pub(crate) fn render(head: &[&str], rows: &[Vec<String>]) -> String {
    if std::io::stdout().is_terminal() {
        aligned(head, rows, None)
    } else {
        separated(rows)
    }
}

/// The same; cells with whole sentences are broken to the terminal's width.
pub(crate) fn wrapped(head: &[&str], rows: &[Vec<String>]) -> String {
    if std::io::stdout().is_terminal() {
        aligned(head, rows, Some(width()))
    } else {
        separated(rows)
    }
}

/// `COLUMNS` where it is set, else what the terminal says.
fn width() -> u16 {
    let columns = std::env::var("COLUMNS").ok();
    let said = columns.and_then(|columns| columns.parse().ok());
    let seen = || terminal_size::terminal_size().map(|(width, _)| width.0);
    said.or_else(seen)
        .filter(|width| *width > 0)
        .unwrap_or(WIDTH)
}

fn aligned(head: &[&str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(head.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    keep_words_whole(&mut table, rows, width.unwrap_or(u16::MAX));
    let lines = table.to_string();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// No column gets narrower than its longest word, where there is room for all of those.
fn keep_words_whole(table: &mut Table, rows: &[Vec<String>], width: u16) {
    let longest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let words = cells.flat_map(|cell| cell.split_whitespace());
        let longest = words.map(|word| word.chars().count()).max();
        u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX)
    };
    let least: Vec<u16> = (0..table.column_count())
        .map(|column| longest(column).saturating_add(PADDING))
        .collect();
    if least.iter().map(|width| u32::from(*width)).sum::<u32>() > u32::from(width) {
        return;
    }
    for (column, least) in table.column_iter_mut().zip(least) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
    }
}

fn separated(rows: &[Vec<String>]) -> String {
    rows.iter()
        .map(|row| {
            row.iter()
                .map(|cell| clean(cell))
                .collect::<Vec<_>>()
                .join("\t")
                + "\n"
        })
        .collect()
}

/// A cell never breaks its row.
fn clean(cell: &str) -> String {
    cell.replace(['\t', '\n', '\r'], " ")
}
