//! What one decision of a rate limit costs: `cargo run --release -p grantor-identity --example limit_cost`.
//!
//! Threads ask at once; each for an address of its own (as clients on kept connections), for the same one (as in a flood), or
//! for a new one each time (as in a flood from a whole network).

#![expect(clippy::disallowed_methods, reason = "a program for measurements reads the clock")]

use std::hash::RandomState;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use grantor_identity::rate::{Allowance, Price, Rate};
use grantor_identity::rate_table::RateTable;

const EACH: u64 = 5_000_000;

/// Whom a thread asks for, by the thread and the number of the request.
type Who = fn(u64, u64) -> u64;

fn main() {
    let table = RateTable::new(8192, RandomState::new());
    let price = Allowance { rate: Rate::per_minute(60_000), burst: Duration::from_mins(1) }.price(1);
    let whos: [(&str, Who); 3] = [
        ("each its own", |thread, _| thread),
        ("all the same", |_, _| 7),
        ("always a new one", |thread, n| thread << 32 | n),
    ];
    for threads in [1, 2] {
        for (name, who) in whos {
            println!("{threads} threads, {name}: {:.0} ns", measure(&table, price, threads, who));
        }
    }
}

/// Nanoseconds of a thread for each decision.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn measure(table: &RateTable<RandomState>, price: Price, threads: u64, who: Who) -> f64 {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for number in 0..EACH {
                    let who = who(thread, number);
                    let address = IpAddr::V6(Ipv6Addr::from(u128::from(who) << 64));
                    // A request each 50 µs.
                    let _ = std::hint::black_box(table.charge(&address, price, number * 50_000));
                }
            });
        }
    });
    begun.elapsed().as_nanos() as f64 / EACH as f64
}
