//! What criterion measured, read from the files it leaves.

use super::BenchError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// One benchmark that counts bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Throughput {
    /// criterion's name for it.
    pub name: String,
    /// Bytes it works through.
    pub bytes: u64,
    /// The median of one pass, in nanoseconds.
    pub nanoseconds: f64,
}

impl Throughput {
    /// Millions of bytes a second.
    #[must_use]
    pub fn megabytes(&self) -> f64 {
        // Exact up to 2^53 bytes, far above any file.
        self.bytes as f64 * 1e3 / self.nanoseconds
    }
}

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
    throughput: Option<Measure>,
}

#[derive(Deserialize)]
struct Measure {
    #[serde(rename = "Bytes")]
    bytes: Option<u64>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// All benchmarks with bytes below `folder` (`target/criterion`), by name.
///
/// # Errors
/// When there are none, or a file cannot be read.
pub fn throughputs(folder: &Path) -> Result<Vec<Throughput>, BenchError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(place) = folders.pop() {
        let entries = std::fs::read_dir(&place).map_err(|error| BenchError::file(&place, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| BenchError::file(&place, error))?;
            let path = entry.path();
            if path.is_dir() {
                if entry.file_name() == "new" {
                    found.extend(read(&path)?);
                } else {
                    folders.push(path);
                }
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    match found.is_empty() {
        true => Err(BenchError::Empty(folder.to_path_buf())),
        false => Ok(found),
    }
}

fn read(folder: &Path) -> Result<Option<Throughput>, BenchError> {
    let benchmark: Benchmark = json(&folder.join("benchmark.json"))?;
    let Some(bytes) = benchmark.throughput.and_then(|measure| measure.bytes) else {
        return Ok(None);
    };
    let estimates: Estimates = json(&folder.join("estimates.json"))?;
    Ok(Some(Throughput {
        name: benchmark.full_id,
        bytes,
        nanoseconds: estimates.median.point_estimate,
    }))
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, BenchError> {
    let bytes = std::fs::read(path).map_err(|error| BenchError::file(path, error))?;
    serde_json::from_slice(&bytes).map_err(|error| BenchError::file(path, error.into()))
}
