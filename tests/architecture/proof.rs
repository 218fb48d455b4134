//! Each check fails on a tree that has just that fault, and is silent on the same tree without it.

use super::tree::Made;
use super::{Complaints, layout, manifests, quotes, signatures, sources};

const WORKSPACE: &str = r#"[workspace.dependencies]
grantor-web = { path = "crates/web" }
tokio = { version = "1", features = ["sync"] }
relational = { package = "diesel", version = "2" }
"#;

/// What the check says about a tree of one workspace manifest and one more file.
fn complaints(check: fn(&std::path::Path) -> Complaints, name: &str, path: &str, text: &str) -> String {
    let made = Made::new(name, &[("Cargo.toml", WORKSPACE), (path, text)]);
    check(&made.root).join("; ")
}

#[test]
fn a_new_arrow_is_noticed() {
    let said = |path, text| complaints(manifests::arrows, "arrows", path, text);
    assert_eq!(said("crates/web/Cargo.toml", "[dependencies]\ngrantor-core = \"1\""), "");
    assert_eq!(
        said("crates/core/Cargo.toml", "[dependencies]\ngrantor-web.workspace = true"),
        "core must not depend on web"
    );
    assert_eq!(
        said("crates/jose/Cargo.toml", "[dev-dependencies]\ngrantor-core = \"1\""),
        "jose must not depend on core"
    );
    assert_eq!(
        said("crates/identity/Cargo.toml", "[target.'cfg(unix)'.dependencies]\ngrantor-core = \"1\""),
        "identity must not depend on core"
    );
    assert_eq!(
        said("crates/resource-server/Cargo.toml", "[dependencies]\ngrantor-core = \"1\"\ngrantor-jose = \"1\""),
        "resource-server must not depend on core"
    );
    assert_eq!(said("crates/billing/Cargo.toml", ""), "crates/billing is not in the plan");
}

#[test]
fn a_borrowed_library_is_noticed() {
    let said = |path, text| complaints(manifests::owners, "owners", path, text);
    assert_eq!(said("crates/storage/Cargo.toml", "[dependencies]\ndiesel = \"2\"\ndiesel_migrations = \"2\""), "");
    assert_eq!(
        said("crates/web/Cargo.toml", "[dependencies]\nring = \"0.17\""),
        "only jose may name ring, and web does"
    );
    assert_eq!(
        said("crates/core/Cargo.toml", "[dependencies]\nactix-web = \"4\""),
        "only web and resource-server may name actix-web, and core does"
    );
    assert_eq!(
        said("crates/web/Cargo.toml", "[dependencies]\noxide-auth = \"0.6\""),
        "only core may name oxide-auth, and web does"
    );
    assert_eq!(
        said("crates/resource-server/Cargo.toml", "[dependencies]\nactix-web = \"4\"\ntower-layer = \"0.3\""),
        ""
    );
    assert_eq!(
        said("crates/server/Cargo.toml", "[dependencies]\nrelational.workspace = true"),
        "only storage may name diesel, and server does"
    );
}

#[test]
fn a_worldly_dependency_is_noticed() {
    let said = |path, text| complaints(manifests::worldly, "worldly", path, text);
    assert_eq!(
        said("crates/identity/Cargo.toml", "[dependencies]\ntokio.workspace = true\n[dev-dependencies]\nrand = \"1\""),
        ""
    );
    let with_clock = "[dependencies]\ntokio = { workspace = true, features = [\"time\"] }";
    assert_eq!(
        said("crates/identity/Cargo.toml", with_clock),
        "identity decides, and must not know tokio [time, sync]"
    );
    assert_eq!(
        said("crates/core/Cargo.toml", "[dependencies]\ntokio.workspace = true"),
        "core decides, and must not know tokio [sync]"
    );
    assert_eq!(
        said("crates/core/Cargo.toml", "[dependencies]\nchrono = { version = \"0.4\", default-features = false }"),
        ""
    );
    assert_eq!(
        said("crates/core/Cargo.toml", "[dependencies]\nchrono = \"0.4\""),
        "core decides, and must not know chrono []"
    );
    assert_eq!(
        said("crates/core/Cargo.toml", "[dependencies]\nreqwest = \"0.12\""),
        "core decides, and must not know reqwest []"
    );
}

#[test]
fn a_leaking_kernel_is_noticed() {
    let said = |text| complaints(signatures::leaks, "leaks", "crates/core/src/kernel.rs", text);
    assert_eq!(
        said("use oxide_auth::primitives::grant::Grant;\npub(crate) fn grant() -> Grant {}\npub fn mine() -> Own {}"),
        ""
    );
    assert_eq!(said("pub fn grant() -> oxide_auth::Grant {\n}").matches("shows the kernel").count(), 1);
    assert_eq!(
        said("use oxide_auth::{Grant as Theirs, Scope};\npub fn grant(\n    one: u8,\n    two: Theirs,\n) {}")
            .matches("shows the kernel")
            .count(),
        1
    );
    assert_eq!(said("use oxide_auth::{Grant as Theirs, Scope};\npub struct Mine {\n    pub scope: Scope,\n    theirs: Theirs,\n}").matches("shows the kernel").count(), 1);
}

#[test]
fn a_stray_file_at_the_top_is_noticed() {
    let plan =
        ["Cargo.lock", "README.md", "crates/a", "migrations/a", "static/a", "templates/a", "tests/a", ".gitignore"];
    let files: Vec<(&str, &str)> =
        plan.iter().map(|path| (*path, "/kept*\n/target\n")).chain([("Cargo.toml", "")]).collect();
    let said = |extra: &[(&str, &str)], leave_out: usize| {
        let files: Vec<(&str, &str)> = files.iter().skip(leave_out).chain(extra).copied().collect();
        layout::top_level(&Made::new("top", &files).root).join("; ")
    };
    assert_eq!(said(&[("kept.db", ""), ("target/debug/a", ""), (".ci/run", "")], 0), "");
    assert_eq!(said(&[("docs/notes.md", "")], 0), "docs is not on the map");
    assert_eq!(said(&[], 1), "Cargo.lock is missing");
}

#[test]
fn a_migration_without_a_way_back_is_noticed() {
    let said = |files: &[(&str, &str)]| layout::migrations(&Made::new("migrations", files).root).join("; ");
    let (up, down) = (("migrations/sqlite/1_users/up.sql", ""), ("migrations/sqlite/1_users/down.sql", ""));
    assert_eq!(said(&[up, down]), "");
    assert_eq!(said(&[up]), "migrations/sqlite/1_users is not a folder with up.sql and down.sql");
    assert_eq!(
        said(&[up, down, ("migrations/postgres/notes.md", "")]),
        "migrations/postgres/notes.md is not a folder with up.sql and down.sql"
    );
}

#[test]
fn a_long_file_is_noticed() {
    let said = |text: &str| complaints(sources::long, "long", "crates/core/src/token.rs", text);
    let lines = |count: usize| "fn f() {}\n".repeat(count);
    assert_eq!(said(&lines(400)), "");
    assert_eq!(said(&format!("{}#[cfg(test)]\n{}", lines(400), lines(100))), "");
    assert_eq!(said(&lines(401)), "crates/core/src/token.rs has 401 lines, of 400");
}

#[test]
fn a_vague_name_is_noticed() {
    let said = |path| complaints(sources::vague, "vague", path, "");
    assert_eq!(said("crates/core/src/grant_type/mod.rs"), "");
    assert_eq!(said("crates/web/src/session.rs"), "");
    for path in [
        "crates/core/src/utils.rs",
        "crates/web/src/user_manager.rs",
        "tests/helpers/mod.rs",
        "crates/core/src/types.rs",
    ] {
        assert_eq!(said(path), format!("{path} does not say what it is about"));
    }
}

#[test]
fn a_way_past_the_guard_is_noticed() {
    let said = |path, text| complaints(sources::past_the_guard, "guard", path, text);
    let asking = "let answer = reqwest::get(address).await?;";
    for (path, text) in [
        ("crates/web/src/outbound/resolve.rs", asking),
        ("crates/server/src/checkup/issuer.rs", asking),
        ("crates/resource-server/src/fetch.rs", asking),
        ("crates/server/src/running.rs", "fn x() {}\n#[cfg(test)]\nmod tests { fn y() { reqwest::get(z) } }"),
        ("crates/web/src/mail.rs", "use lettre::Message;"),
    ] {
        assert_eq!(said(path, text), "", "{path}");
    }
    assert_eq!(said("crates/server/src/checkup.rs", asking), "crates/server/src/checkup.rs names reqwest::");
    assert_eq!(
        said("crates/web/src/webhooks.rs", "use reqwest::Client;"),
        "crates/web/src/webhooks.rs names reqwest::"
    );
    assert_eq!(said("crates/web/src/webhooks.rs", "use lettre::Message;"), "crates/web/src/webhooks.rs names lettre::");
    assert_eq!(
        said("crates/core/src/leak.rs", "std::net::TcpStream::connect(x)"),
        "crates/core/src/leak.rs names TcpStream"
    );
}

#[test]
fn a_quote_without_its_place_is_noticed() {
    let said = |comment: &str| complaints(quotes::misspelt, "quotes", "crates/core/src/token.rs", comment);
    for right in [
        "// \"The code MUST expire\" (RFC 6749 §4.1.2)",
        "    // \"If the \"Pragma\" header\n    // is there.\" (OIDC Core §3.1.3.3)\n    // So it is.",
        "// \"One.\"\n// (RFC 7636 §B.2)",
        "// \"With\n// \"no-store\" in it.\" (RFC 6749 §5.1)",
        "// \"One.\" (RFC 6749 §5.2)\n// \"Two.\" (RFC 6749 §5.2)",
        "let quote = \"// a text\"; // ours",
    ] {
        assert_eq!(said(right), "", "{right}");
    }
    for wrong in [
        "// \"The code MUST expire\"",
        "// \"The code MUST expire\" (RFC 6749 4.1.2)",
        "// \"The code MUST expire\" (RFC6749 §4.1.2)",
        "// \"The code MUST expire\" (RFC 6749, section 4.1.2)",
        "// \"The code MUST expire\" (OpenID Connect Core §2)",
        "// \"The code MUST expire\" (RFC 6749 §)",
        "// \"The code\n\n// MUST expire\" (RFC 6749 §4.1.2)",
    ] {
        assert!(said(wrong).starts_with("crates/core/src/token.rs:1: "), "{wrong}");
    }
}
