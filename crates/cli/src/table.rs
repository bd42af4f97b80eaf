//! Tables: aligned on a terminal, tab-separated when piped.
//!
//! Owns: that choice. Never: what stands in a cell.

use comfy_table::{ContentArrangement, Table, presets};
use std::io::IsTerminal;

/// Rows under a head.
pub(crate) fn render(head: &[&str], rows: &[Vec<String>]) -> String {
    if std::io::stdout().is_terminal() {
        aligned(head, rows)
    } else {
        separated(rows)
    }
}

fn aligned(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
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
