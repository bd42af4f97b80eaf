//! Tables: aligned on a terminal, tab-separated when piped.
//!
//! Owns: that choice. Never: what stands in a cell.

use comfy_table::{ContentArrangement, Table, presets};
use std::io::IsTerminal;

/// Where the terminal does not tell its width.
const WIDTH: u16 = 80;

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
    let lines = table.to_string();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
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
