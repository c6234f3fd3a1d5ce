//! SHA-1 of one stream and of several in step: bytes of all streams together per second.
//!
//! `B2FAST_SHA1=portable` measures the fallback.

use std::hint::black_box;

use b2fast_core::hash::{Sha1, kernel_name, update_many};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// What a worker of a transfer hashes at once, shared out over the streams.
const TOTAL: usize = 1 << 20;

fn streams(criterion: &mut Criterion) {
    let data = vec![0x5a; TOTAL];
    let mut group = criterion.benchmark_group(format!("sha1/{}", kernel_name()));
    group.throughput(Throughput::Bytes(TOTAL as u64));
    for count in [1, 2, 3, 4] {
        group.bench_function(BenchmarkId::new("streams", count), |bencher| {
            let mut hashers = vec![Sha1::new(); count];
            bencher.iter(|| {
                let mut streams: Vec<_> = hashers
                    .iter_mut()
                    .zip(black_box(&data).chunks(TOTAL.div_ceil(count)))
                    .collect();
                update_many(&mut streams);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, streams);
criterion_main!(benches);
