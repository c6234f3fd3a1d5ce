//! SHA-1 of one stream and of several in step, of a file and its part, and OpenSSL's:
//! bytes per second, those of all streams together.
//!
//! `B2FAST_SHA1` names the kernel; `make bench-hash` measures each.

// OpenSSL's function is called through a pointer.
#![allow(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use b2fast_core::hash::{Digest, Sha1, kernel_name, sha1, update_both, update_many};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use libloading::Library;

/// What a worker of a transfer hashes at once, shared out over the streams.
const TOTAL: usize = 1 << 20;

/// Where OpenSSL's library may be found, the newest first.
const OPENSSL: [&str; 4] = [
    "libcrypto.so.3",
    "libcrypto.so.1.1",
    "libcrypto.so",
    "libcrypto.dylib",
];

/// `unsigned char *SHA1(const unsigned char *data, size_t count, unsigned char *md_buf)`
type OpensslSha1 = unsafe extern "C" fn(*const u8, usize, *mut u8) -> *mut u8;

fn kernels(criterion: &mut Criterion) {
    let wanted = std::env::var("B2FAST_SHA1").unwrap_or_default();
    if !wanted.is_empty() && wanted != kernel_name() {
        println!("{wanted}: not available on this processor");
        return;
    }
    let data: Vec<u8> = (0..=250).cycle().take(TOTAL).collect();
    let mut group = criterion.benchmark_group(format!("sha1/{}", kernel_name()));
    group.throughput(Throughput::Bytes(TOTAL as u64));
    for count in [1, 2, 3, 4, 5, 6, 8, 16] {
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
    group.bench_function("part+whole", |bencher| {
        let (mut whole, mut part) = (Sha1::new(), Sha1::new());
        bencher.iter(|| update_both(&mut whole, &mut part, black_box(&data)));
    });
    group.finish();

    let Some(library) = OPENSSL
        .into_iter()
        // SAFETY: what a library of the system does when it is loaded is trusted.
        .find_map(|name| unsafe { Library::new(name) }.ok())
    else {
        println!("openssl: not found, so there is nothing to compare with");
        return;
    };
    // SAFETY: the function has had this type since OpenSSL 0.9.
    let openssl = unsafe { library.get::<OpensslSha1>(b"SHA1") }.expect("OpenSSL has SHA1");
    let openssl_sha1 = |data: &[u8]| {
        let mut digest = Digest::default();
        // SAFETY: it reads `data.len()` bytes and writes 20, which both are there.
        unsafe { openssl(data.as_ptr(), data.len(), digest.as_mut_ptr()) };
        digest
    };
    assert_eq!(openssl_sha1(&data), sha1(&data));
    let mut group = criterion.benchmark_group("sha1/openssl");
    group.throughput(Throughput::Bytes(TOTAL as u64));
    group.bench_function(BenchmarkId::new("streams", 1), |bencher| {
        bencher.iter(|| openssl_sha1(black_box(&data)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    // Short, because each kernel has its turn beside OpenSSL.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = kernels
}
criterion_main!(benches);
