//! What it costs to tell whether a token may be used from an address: `cargo run --release -p grantor-core --example reach_cost`.

#![expect(clippy::disallowed_methods, reason = "it measures")]

use std::hint::black_box;
use std::net::IpAddr;
use std::time::Instant;

use grantor_core::directory::{Directory, Group};
use grantor_core::network::Networks;
use grantor_core::reach::Reach;
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_jose::id::Id;

const ROUNDS: u32 = 1_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let numbered = |count: u32| (0..count).map(|n| format!("10.0.{n}.0/24")).collect::<Vec<_>>().join(" ");
    for networks in [0, 1, 32] {
        let networks = Networks::parse(&numbered(networks))?;
        let groups: Vec<String> = ["staff", "payroll", "admins"].map(str::to_owned).into();
        let mut directory = Directory::default();
        for name in &groups {
            directory.groups.insert(name.clone(), Group { name: name.clone(), networks: networks.clone() });
        }
        let user = person(groups, networks.clone());
        let audience = ["https://notes.example/api".to_owned()];
        let reach =
            Reach { directory: &directory, client: None, user: Some(&user), audience: &audience, own: Some(&networks) };
        let from: Option<IpAddr> = Some("10.0.31.1".parse()?);
        let started = Instant::now();
        for _ in 0..ROUNDS {
            let _ = black_box(black_box(&reach).check(black_box(from)));
        }
        let each = started.elapsed() / ROUNDS;
        let started = Instant::now();
        for _ in 0..ROUNDS / 100 {
            let _ = black_box(black_box(&reach).common());
        }
        println!(
            "{} networks five times: check {each:?}, common {:?}",
            networks.to_texts().len(),
            started.elapsed() * 100 / ROUNDS
        );
    }
    Ok(())
}

fn person(groups: Vec<String>, networks: Networks) -> User {
    User {
        id: Id::from_i64(1),
        subject: String::new(),
        username: "ada".to_owned(),
        password: None,
        claims: serde_json::Map::new(),
        groups,
        networks,
        disabled: false,
        self_made: false,
        created_at: Time::default(),
        updated_at: Time::default(),
    }
}
