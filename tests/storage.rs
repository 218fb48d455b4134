//! The contract of the store: rules that hold on each database. A rule is a function over an empty one.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use grantor_jose::random::{Mint, Random};
use grantor_jose::seal::KeyEncryptionKey;
use grantor_storage::{Database, DatabaseSettings, Meters};

use crate::harness::postgres;
use samples::NOW;

mod api_tokens;
mod directory;
mod epoch;
mod events;
mod grants;
mod logout_notices;
mod outbox;
mod people;
mod races;
mod records;
mod registrations;
mod samples;
mod second_factors;
mod sweep;
mod upstreams;
mod usages;

/// A SQLite file in a folder of its own, gone with the test.
struct OnSqlite {
    folder: PathBuf,
    database: Database,
}

impl OnSqlite {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("grantor-contract-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        let settings = DatabaseSettings {
            url: format!("sqlite:{}", folder.join("grantor.db").display()),
            certificates: None,
            meters: Meters::default(),
            key_encryption_key: KeyEncryptionKey::generate(&Random::seeded(1)),
        };
        let database = Database::open(&settings, Arc::new(Mint::new(0)), NOW).unwrap();
        Self { folder, database }
    }
}

impl Drop for OnSqlite {
    fn drop(&mut self) {
        wait(self.database.shut_down());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A database of PostgreSQL's, gone with the test.
struct OnPostgres {
    database: Database,
    _scratch: postgres::Scratch,
}

impl OnPostgres {
    /// An empty one; `None` where there is no PostgreSQL.
    fn new() -> Option<Self> {
        static LAYOUT: LazyLock<Option<postgres::Scratch>> = LazyLock::new(|| {
            let scratch = postgres::Scratch::new(postgres::server()?, None);
            drop(OnPostgres::open(&scratch));
            Some(scratch)
        });
        let scratch = postgres::Scratch::new(postgres::server()?, LAYOUT.as_ref());
        Some(Self { database: Self::open(&scratch), _scratch: scratch })
    }

    fn open(scratch: &postgres::Scratch) -> Database {
        let settings = DatabaseSettings {
            url: scratch.url.clone(),
            certificates: None,
            meters: Meters::default(),
            key_encryption_key: KeyEncryptionKey::generate(&Random::seeded(1)),
        };
        Database::open(&settings, Arc::new(Mint::new(0)), NOW).unwrap()
    }
}

impl Drop for OnPostgres {
    fn drop(&mut self) {
        wait(self.database.shut_down());
    }
}

/// By TLS the database's certificate is checked: it counts with the authority that is named, and not without.
#[test]
fn a_certificate_that_nobody_vouches_for_opens_no_database() {
    let Some(server) = postgres::server() else { return };
    let scratch = postgres::Scratch::new(server, None);
    let open = |certificates: Option<PathBuf>, mode: &str| {
        let settings = DatabaseSettings {
            url: format!("{}?sslmode={mode}", scratch.url),
            certificates,
            meters: Meters::default(),
            key_encryption_key: KeyEncryptionKey::generate(&Random::seeded(1)),
        };
        Database::open(&settings, Arc::new(Mint::new(0)), NOW).map(|database| wait(database.shut_down()))
    };
    let authority = std::env::var_os("TEST_POSTGRES_CA").map(PathBuf::from);
    assert!(open(authority, "require").is_ok());
    let refused = open(None, "require").unwrap_err().to_string();
    assert!(refused.contains("cannot be reached") && refused.contains("certificate"), "{refused}");
    assert!(open(None, "disable").is_ok());
}

/// Makes a test of each rule on each database.
macro_rules! contract {
    ($($module:ident { $($rule:ident)* })*) => {
        mod on_sqlite {
            $(mod $module {
                $(#[test]
                fn $rule() {
                    let sqlite = super::super::OnSqlite::new();
                    super::super::wait(super::super::$module::$rule(&sqlite.database));
                })*
            })*
        }
        mod on_postgres {
            $(mod $module {
                $(#[test]
                fn $rule() {
                    let Some(postgres) = super::super::OnPostgres::new() else { return };
                    super::super::wait(super::super::$module::$rule(&postgres.database));
                })*
            })*
        }
    };
}

contract! {
    api_tokens {
        a_token_comes_back_with_its_person
        a_token_that_counts_is_listed_however_many_have_ended_since
        a_rotation_expects_the_secret_that_was_read
        a_change_expects_the_secret_that_was_read_and_ends_nothing
        a_key_that_ended_is_remembered_for_good
        what_had_ended_of_the_keys_of_an_app_is_known_when_it_is_gone
        a_token_ends_once_and_a_later_use_stays
        no_owner_gets_more_tokens_than_they_may_by_24_at_once
        what_is_over_is_shown_for_a_month
        an_epoch_ends_every_token
    }
    directory {
        a_client_is_there_for_the_next_request_and_gone_with_its_grants
        a_declared_scope_and_api_come_back_and_go
        an_app_behind_a_proxy_comes_back_and_goes
        a_key_keeps_its_dates_and_goes
        a_set_that_fails_changes_no_snapshot
        what_expects_a_client_is_lost_where_it_was_changed_or_switched_off
    }
    epoch {
        a_new_epoch_ends_what_was_issued_and_nothing_else
        what_ended_before_an_epoch_keeps_its_end
    }
    events {
        events_are_found_by_what_they_say
        refusals_take_a_fixed_number_of_rows
    }
    grants {
        grants_end_by_client_person_or_session
        grants_move_to_the_session_that_follows
        an_end_is_not_overwritten
        what_expects_a_grant_is_lost_where_it_has_ended
        what_expects_an_access_token_is_lost_where_it_was_revoked
        only_grants_in_force_are_listed_with_their_refresh_tokens
    }
    logout_notices {
        each_app_of_an_ended_session_is_queued_in_the_same_set
        a_notice_is_claimed_by_one_and_over_once
        the_app_is_told_the_session_that_it_knows
        whoever_is_removed_is_signed_out_everywhere
        an_app_is_told_also_when_nothing_is_left_of_what_it_was_given
        receipts_go_after_a_month_and_what_waits_stays
    }
    outbox {
        a_fact_and_its_messages_are_kept_together_or_not_at_all
        a_message_is_claimed_by_one_and_due_again_when_the_lease_is_over
        a_message_that_failed_waits_and_one_that_was_given_up_is_seen
        a_notice_comes_back_until_its_person_removes_it
        sign_ins_hide_no_other_notice
        what_is_kept_for_a_target_is_counted_and_forgotten
        what_is_known_of_a_token_is_written_by_one
        what_is_told_to_nobody_goes_in_the_end
    }
    people {
        a_removed_person_leaves_events_only
        a_username_is_taken_once
        a_name_that_was_retired_stays_so_in_another_epoch
        accounts_are_listed_in_pages
        sessions_end_one_by_one_or_all_but_one
        the_last_use_of_a_session_never_moves_back
    }
    races {
        a_client_assertion_is_used_once
        a_code_is_spent_once_by_24_at_once
        a_lost_race_keeps_nothing_of_its_set_and_harms_no_other
        a_refresh_token_is_rotated_once_a_generation
        each_of_many_guesses_at_once_counts
        what_refers_to_something_removed_is_a_lost_race
    }
    records {
        a_client_comes_back
        a_secret_comes_back_itself_where_the_method_needs_it
        a_code_comes_back
        a_consent_comes_back_with_its_last_answer
        a_grant_comes_back_with_its_person
        a_person_comes_back
        a_session_comes_back_with_its_person
        tokens_come_back
    }
    registrations {
        a_registration_comes_back_and_goes_with_its_client
        of_two_that_change_a_secret_one_does
        an_initial_token_is_spent_as_often_as_it_was_made_for
        a_revoked_initial_token_is_good_for_nothing_nor_one_of_another_epoch
        there_is_room_for_so_many_of_an_address_and_in_all
        who_is_unused_is_known_until_the_set_is_committed
        one_that_changes_itself_and_one_that_removes_it_wait_for_each_other
        what_people_answered_about_a_client_is_forgotten_together
        the_unused_are_those_that_nobody_was_let_in_to
        the_snapshot_follows_each_client_that_comes_changes_and_goes
    }
    second_factors {
        a_second_factor_comes_back_as_it_was_and_a_person_has_one
        a_code_of_a_second_factor_is_spent_once_with_all_before_it
        recovery_codes_are_replaced_as_they_were_read
        what_was_spent_is_known_until_its_note_is_needed_no_more
        a_second_factor_goes_once_and_with_its_person
        who_expects_no_second_factor_finds_one_that_was_set_up_meanwhile
        an_epoch_leaves_no_recovery_code_and_the_app
    }
    sweep {
        a_grant_goes_when_nothing_can_come_of_it
        a_session_goes_when_it_has_long_been_dead
        keys_and_events_go_when_they_are_too_old
        many_rows_go_in_small_steps
        tokens_codes_and_notes_go_when_they_have_expired
    }
    usages {
        uses_of_the_same_kind_are_one_row_that_counts
        what_is_kept_of_a_person_goes_with_them
        what_is_long_ago_goes
    }
    upstreams {
        an_upstream_comes_back_with_its_secret_and_goes_with_its_links
        a_subject_is_linked_with_one_account
        sessions_are_found_by_where_they_began
        people_are_found_by_their_address
        nobody_who_is_switched_off_may_enter
        a_person_is_expected_as_they_were_read
        of_two_links_that_are_taken_away_at_once_one_stays
        the_sessions_that_began_by_a_link_end_but_for_one
    }
}
