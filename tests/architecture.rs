//! The plan of the house (README.md, "The map") holds, and each check of it can fail.
//!
//! A check is a function from a source tree to complaints. It is run on the true tree, which must have none, and on small trees
//! made up in `proof`, each with one thing wrong.

mod layout;
mod manifests;
mod proof;
mod quotes;
mod sentences;
mod signatures;
mod sources;
mod tree;

use std::path::Path;

/// One sentence for each thing that is not as the plan says.
type Complaints = Vec<String>;

/// Where this workspace lies.
fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

#[test]
fn arrows_point_one_way() {
    none(&manifests::arrows(workspace()));
}

#[test]
fn each_big_dependency_has_one_owner() {
    none(&manifests::owners(workspace()));
}

#[test]
fn what_decides_knows_no_world() {
    none(&manifests::worldly(workspace()));
}

#[test]
fn the_kernel_stays_inside_core() {
    none(&signatures::leaks(workspace()));
}

#[test]
fn the_top_level_is_what_the_map_shows() {
    none(&layout::top_level(workspace()));
}

#[test]
fn a_migration_goes_up_and_down() {
    none(&layout::migrations(workspace()));
}

#[test]
fn files_are_short() {
    none(&sources::long(workspace()));
}

#[test]
fn names_say_what_a_file_is_about() {
    none(&sources::vague(workspace()));
}

#[test]
fn other_servers_are_asked_through_one_door() {
    none(&sources::past_the_guard(workspace()));
}

#[test]
fn a_quoted_rule_names_its_place() {
    none(&quotes::misspelt(workspace()));
}

#[test]
fn the_table_of_sentences_is_of_now() {
    none(&sentences::stale(workspace()));
}
