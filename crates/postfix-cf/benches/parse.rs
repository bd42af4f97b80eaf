//! Parse and print in bytes a second, on files made here.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use postfix_cf::{MainCf, MasterCf};
use std::hint::black_box;

/// Ten thousand lines: parameters, comments, and every tenth value over three lines.
fn main_cf() -> Vec<u8> {
    let mut text = String::new();
    for i in 0.. {
        if text.lines().count() >= 10_000 {
            break;
        }
        text.push_str("# What this parameter is for, in one line of prose.\n");
        match i % 10 {
            0 => text.push_str(&format!(
                "parameter_{i} = permit_mynetworks,\n    permit_sasl_authenticated,\n    reject\n\n"
            )),
            _ => text.push_str(&format!("parameter_{i} = $myhostname, /etc/ssl/{i}.pem\n")),
        }
    }
    text.into_bytes()
}

/// A thousand services with two overrides each.
fn master_cf() -> Vec<u8> {
    let service = |i: usize| {
        format!(
            "service{i} inet  n       -       y       -       -       smtpd\n  \
             -o syslog_name=postfix/service{i}\n  -o smtpd_tls_security_level=encrypt\n"
        )
    };
    (0..1000).flat_map(|i| service(i).into_bytes()).collect()
}

fn parse_and_print(criterion: &mut Criterion) {
    let main = main_cf();
    let master = master_cf();
    let mut group = criterion.benchmark_group("parse + print");
    group.throughput(Throughput::Bytes(main.len() as u64));
    group.bench_function("main.cf, 10,000 lines", |bencher| {
        bencher.iter(|| MainCf::parse(black_box(&main)).to_bytes());
    });
    group.throughput(Throughput::Bytes(master.len() as u64));
    group.bench_function("master.cf, 1,000 services", |bencher| {
        bencher.iter(|| MasterCf::parse(black_box(&master)).to_bytes());
    });
    group.finish();
}

fn look_and_edit(criterion: &mut Criterion) {
    let main = main_cf();
    let master = master_cf();
    let mut group = criterion.benchmark_group("look and edit");
    group.bench_function("main.cf, findings", |bencher| {
        let main = MainCf::parse(&main);
        bencher.iter(|| main.findings());
    });
    group.bench_function("main.cf, one set", |bencher| {
        let mut main = MainCf::parse(&main);
        let mut values = [b"one".as_slice(), b"two"].into_iter().cycle();
        bencher.iter(|| values.next().map(|value| main.set("parameter_5", value)));
    });
    group.bench_function("master.cf, services", |bencher| {
        let master = MasterCf::parse(&master);
        bencher.iter(|| master.services().count());
    });
    group.finish();
}

criterion_group!(benches, parse_and_print, look_and_edit);
criterion_main!(benches);
