//! Real logs that stand beside the project, for tests. Never part of it.

use postseal_testkit::beside::samples;

/// Logs of Postfix 3.7.11 and 3.11.6, made with every level and fault.
pub(crate) fn logs() -> Vec<(String, Vec<u8>)> {
    let mut logs = read("samples", 2);
    logs.retain(|(name, _)| name.ends_with(".log"));
    logs
}

/// Pieces of logs as people published them: many versions, many collectors, some cut.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    read("corpus/maillog", 104)
}

fn read(folder: &str, least: usize) -> Vec<(String, Vec<u8>)> {
    let samples = samples(folder, least).into_iter();
    samples.map(|sample| (sample.name, sample.bytes)).collect()
}
