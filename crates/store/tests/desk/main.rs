//! The desk, on what it may lie on.
//!
//! `body` is what every desk must do; it is run on SQLite, and on a real PostgreSQL of Debian's. What is about files or a
//! server stands beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "all of this is tests; a panic is how they fail"
)]

mod body;
#[allow(dead_code, reason = "each test binary uses a part of it")]
#[path = "../sqlite/child.rs"]
mod child;
mod postgres;
mod sqlite;

use body::{Open, changes, people, rules, tasks, together};
use postseal_store::desk::DeskPlace;
use postseal_testkit::postgres::Postgres;

/// What is run on each: on SQLite as a test of its own, on PostgreSQL in a database of its own.
macro_rules! on_both {
    ($($module:ident :: $name:ident,)+) => {
        const BODIES: &[(&str, fn(Open<'_>))] = &[$((stringify!($name), $module::$name)),+];

        mod on_sqlite {
            $(#[test]
            fn $name() {
                super::on_sqlite(super::$module::$name);
            })+
        }
    };
}

on_both! {
    people::what_is_stored_stays,
    people::a_session_ends_by_idleness_by_its_end_by_sign_out_and_by_a_new_password,
    people::an_invitation_is_taken_once,
    people::a_time_step_is_taken_once,
    people::a_token_holds_until_its_end_and_goes_with_its_user,
    people::a_job_goes_from_filed_to_ended_once,
    people::what_an_agent_left_is_found_by_the_next_one_alone,
    people::what_is_due_is_filed_once_and_the_oldest_jobs_go,
    people::notes_stay_until_they_are_taken,
    people::a_copy_is_the_newest,
    people::a_proposed_job_is_claimed_once_it_is_approved_in_the_name_of_both,
    tasks::a_page_of_jobs_ends_where_their_tasks_are_long,
    tasks::an_upload_goes_when_its_job_has_ended,
    tasks::an_upload_that_nobody_fetches_goes_and_no_other_task_does,
    rules::a_set_is_seen_once_it_is_whole_and_takes_the_place_of_the_one_before,
    rules::words_are_found_wherever_they_stand_and_short_ones_too,
    rules::what_is_found_of_many_is_the_same_by_every_way,
    changes::a_change_is_made_of_the_rules_that_it_is_of_and_is_another_set,
    changes::after_many_changes_every_order_search_and_count_is_that_of_the_same_rules,
    together::a_desk_is_made_once_whoever_comes_first,
    together::the_same_request_is_one_job_however_many_send_it,
    together::a_code_an_invitation_and_an_approval_are_taken_once,
    together::a_job_is_begun_or_given_up,
    together::no_note_is_lost_however_many_write,
    together::whoever_reads_sees_one_whole_set,
}

fn on_sqlite(body: fn(Open<'_>)) {
    let folder = tempfile::tempdir().unwrap();
    let place = DeskPlace::Folder(folder.path().to_owned());
    body(&|| place.open().unwrap());
}

#[test]
fn the_same_on_postgresql() {
    let cluster = Postgres::start(&[]).unwrap();
    for (n, (name, body)) in BODIES.iter().enumerate() {
        eprintln!("on PostgreSQL: {name}");
        let database = format!("desk{n}");
        cluster.create(&database).unwrap();
        let place = postgres::place(&cluster, &database);
        body(&|| DeskPlace::Server(place.clone()).open().unwrap());
    }
}
