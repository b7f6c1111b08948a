//! How long it takes to see what a content shows: rows as people write them, and texts made to be slow. Percentiles of single calls are
//! what the program `guard` prints.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gatepost::{Content, Sender, Text, examine};
use gatepost_benches::texts;

fn content(text: &str) -> Content {
    text.parse::<Text>().expect("a text").into()
}

fn contents(criterion: &mut Criterion) {
    let sender = Sender::default();
    let mut group = criterion.benchmark_group("examine");
    for characters in [160, 1_600] {
        let contents: Vec<_> = texts::of_rows(characters).expect("the trainer's rows").iter().map(|text| content(text)).collect();
        let mut next = contents.iter().cycle();
        group.bench_function(format!("rows_of_{characters}"), |bencher| {
            bencher.iter(|| examine(black_box(next.next().expect("a cycle")), &sender));
        });
    }
    for (name, text) in texts::hostile() {
        let content = content(&text);
        group.bench_function(name, |bencher| bencher.iter(|| examine(black_box(&content), &sender)));
    }
    group.finish();
}

criterion_group!(benches, contents);
criterion_main!(benches);
