//! Contenders measured side by side.
//!
//! Owns: running commands and reading their wall time, CPU time and peak memory from `wait4`.
//! Never: runs a shell. The rounds are interleaved and the order turns with each round, so that
//! whatever else the machine does meets all contenders alike.

use super::{BannerWatch, BenchError};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// Bytes of a failed command's output that are shown.
const SHOWN: u64 = 4096;

/// One command of a contender.
#[derive(Clone, Debug)]
pub struct Task {
    argv: Vec<OsString>,
    input: Vec<u8>,
    exits: Vec<i32>,
}

/// One side of a comparison: commands that run one after the other.
pub struct Contender<'a> {
    name: String,
    tasks: Vec<Task>,
    prepare: Box<dyn FnMut() -> Result<(), BenchError> + 'a>,
    watched: Vec<SocketAddr>,
}

/// How many measured rounds: five or more.
#[derive(Clone, Copy, Debug)]
pub struct Rounds(usize);

/// One contender in one round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// The exit code; of a contender, its last command's.
    pub code: i32,
    /// Time on the clock.
    pub wall: Duration,
    /// Processor time of its processes, user and system.
    pub cpu: Duration,
    /// The most memory that one of its processes held, in bytes. A process starts as a copy of
    /// the harness, which holds a few MiB: less than that cannot be seen.
    pub peak: u64,
    /// The longest wait for a banner meanwhile, if ports were watched.
    pub banner: Option<Duration>,
}

/// One contender in all rounds.
#[derive(Clone, Debug)]
pub struct Series {
    /// The contender.
    pub name: String,
    /// A sample a round.
    pub samples: Vec<Sample>,
}

impl Task {
    /// A command that must exit with 0 and reads nothing.
    pub fn new<T: Into<OsString>>(argv: impl IntoIterator<Item = T>) -> Self {
        let argv = argv.into_iter().map(Into::into).collect();
        let (input, exits) = (Vec::new(), vec![0]);
        Self { argv, input, exits }
    }

    /// The same, with this on its standard input.
    #[must_use]
    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.input = bytes.to_vec();
        self
    }

    /// The same, with `code` as one more good ending (a lint that found something).
    #[must_use]
    pub fn or_exit(mut self, code: i32) -> Self {
        self.exits.push(code);
        self
    }

    /// Runs it once.
    ///
    /// # Errors
    /// When it cannot be run or ends badly.
    pub fn run(&self) -> Result<Sample, BenchError> {
        measure(self)
    }

    fn words(&self) -> String {
        let words = self.argv.iter().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }
}

impl<'a> Contender<'a> {
    /// Commands under a name.
    pub fn new(name: &str, tasks: impl IntoIterator<Item = Task>) -> Self {
        Self {
            name: name.to_owned(),
            tasks: tasks.into_iter().collect(),
            prepare: Box::new(|| Ok(())),
            watched: Vec::new(),
        }
    }

    /// The same, after `prepare`, which is not measured (it puts the old state back).
    #[must_use]
    pub fn prepare(mut self, prepare: impl FnMut() -> Result<(), BenchError> + 'a) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    /// The same, while somebody waits for a banner on these ports again and again.
    #[must_use]
    pub fn watch(mut self, ports: &[SocketAddr]) -> Self {
        self.watched = ports.to_vec();
        self
    }

    fn run(&mut self) -> Result<Sample, BenchError> {
        (self.prepare)()?;
        let watch = (!self.watched.is_empty()).then(|| BannerWatch::start(&self.watched));
        let mut sum = Sample::default();
        for task in &self.tasks {
            let one = measure(task)?;
            sum.wall += one.wall;
            sum.cpu += one.cpu;
            sum.peak = sum.peak.max(one.peak);
            sum.code = one.code;
        }
        sum.banner = watch.map(BannerWatch::stop);
        Ok(sum)
    }
}

impl Rounds {
    /// # Errors
    /// When there are fewer than five.
    pub fn new(rounds: usize) -> Result<Self, BenchError> {
        match rounds {
            0..5 => Err(BenchError::Rounds(rounds)),
            _ => Ok(Self(rounds)),
        }
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> usize {
        self.0
    }
}

impl Series {
    /// The median time on the clock.
    #[must_use]
    pub fn wall(&self) -> Duration {
        self.median(|sample| sample.wall)
    }

    /// The median processor time.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.median(|sample| sample.cpu)
    }

    /// The median of the peaks of memory, in bytes.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.median(|sample| sample.peak)
    }

    /// The longest wait for a banner in all rounds (here the worst counts, not the median).
    #[must_use]
    pub fn banner(&self) -> Option<Duration> {
        self.samples.iter().filter_map(|sample| sample.banner).max()
    }

    /// How many times the wall time of `base` this one took: the median of the rounds' ratios,
    /// because both sides of one round met the same machine.
    #[must_use]
    pub fn wall_ratio(&self, base: &Self) -> f64 {
        let pairs = self.samples.iter().zip(&base.samples);
        let mut ratios: Vec<f64> = pairs
            .map(|(own, other)| own.wall.as_secs_f64() / other.wall.as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn median<T: Ord + Default + Copy>(&self, part: impl Fn(&Sample) -> T) -> T {
        let mut all: Vec<T> = self.samples.iter().map(part).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }
}

/// Runs all contenders once unmeasured (caches get warm), then in `rounds` interleaved rounds.
///
/// # Errors
/// When a command cannot be run or ends badly: a wrong run is no measurement.
pub fn compare(
    contenders: &mut [Contender<'_>],
    rounds: Rounds,
) -> Result<Vec<Series>, BenchError> {
    let count = contenders.len();
    let mut series: Vec<Series> = contenders
        .iter()
        .map(|contender| Series {
            name: contender.name.clone(),
            samples: Vec::new(),
        })
        .collect();
    for round in 0..=rounds.0 {
        for turn in 0..count {
            let at = (round + turn) % count;
            let sample = contenders[at].run()?;
            if round > 0 {
                series[at].samples.push(sample);
            }
        }
    }
    Ok(series)
}

fn measure(task: &Task) -> Result<Sample, BenchError> {
    let fault = |source| BenchError::Run {
        command: task.words(),
        source,
    };
    let mut output = tempfile::tempfile().map_err(fault)?;
    let mut command = Command::new(&task.argv[0]);
    command
        .args(&task.argv[1..])
        .stdin(prepared(&task.input).map_err(fault)?)
        .stdout(output.try_clone().map_err(fault)?)
        .stderr(output.try_clone().map_err(fault)?);
    let start = Instant::now();
    let child = command.spawn().map_err(fault)?;
    let used = child.wait4().map_err(fault)?;
    let wall = start.elapsed();
    let good = used.status.code().filter(|code| task.exits.contains(code));
    let Some(code) = good else {
        return Err(BenchError::Exit {
            command: task.words(),
            ended: used.status.to_string(),
            output: tail(&mut output).map_err(fault)?,
        });
    };
    Ok(Sample {
        code,
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
        banner: None,
    })
}

/// Standard input from a file, so that no writer is part of the measurement.
fn prepared(input: &[u8]) -> std::io::Result<Stdio> {
    if input.is_empty() {
        return Ok(Stdio::null());
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(input)?;
    file.rewind()?;
    Ok(file.into())
}

fn tail(output: &mut File) -> std::io::Result<String> {
    let length = output.seek(SeekFrom::End(0))?;
    output.seek(SeekFrom::Start(length.saturating_sub(SHOWN)))?;
    let mut bytes = Vec::new();
    output.take(SHOWN).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
