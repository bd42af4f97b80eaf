//! The API's routes, each with what it takes and answers.
//!
//! Owns: the one table that router, door and description (`openapi`) are made of. Never: what a route does.

use super::openapi::{self, Answer, Said, Spec};
use super::{copies, events, jobs, people, policies};
use crate::matrix::Right;
use crate::routes::{LOOK, MANAGE, Route, SEE, Verb, api, of_a_list};
use axum::routing::{delete, get, patch, post};
use postseal_planner::task::Task;

const DONE: Answer = Answer::empty(204, "It is done.");
const SAME: Answer = Answer::empty(304, "Whoever asks has it already.");
const KNOWN: Said = Said {
    place: "header",
    name: "If-None-Match",
    kind: "string",
    means: "Tags of what is there already: where one is of now, the answer is 304.",
};
const REQUEST: Said = Said {
    place: "header",
    name: "Idempotency-Key",
    kind: "string",
    means: "Up to 255 characters of one's own: the same task filed twice with it is one job.",
};
const MADE_FROM: Said = Said {
    place: "header",
    name: "If-Match",
    kind: "string",
    means: "Tags of the copies that the task was made from. Where one of them is not as it was, or a job that is no \
            mere look was at work since, the answer is 412 (console.changed-since) and nothing is filed.",
};
const BEFORE: Said = Said {
    place: "query",
    name: "before",
    kind: "integer",
    means: "Only jobs with a smaller number: `next` of the page before.",
};
const LIMIT: Said = Said {
    place: "query",
    name: "limit",
    kind: "integer",
    means: "How many: 50 where it is not said, 500 at most; of jobs fewer where their tasks are long.",
};
const SEARCH: Said = Said {
    place: "query",
    name: "search",
    kind: "string",
    means: "Only rules that have each of these words somewhere.",
};
const KIND: Said = Said {
    place: "query",
    name: "kind",
    kind: "string",
    means: "Only rules of one kind, by the word of the page's chip.",
};
const SORT: Said = Said {
    place: "query",
    name: "sort",
    kind: "string",
    means: "By which column, by the word in the page's address; destinations where it is not said.",
};
const AFTER: Said = Said {
    place: "query",
    name: "after",
    kind: "string",
    means: "Only rules after this one: `after` of `next` of the page before.",
};
const BY: Said = Said {
    place: "query",
    name: "by",
    kind: "string",
    means: "`by` of `next` of the page before.",
};
const LAST_EVENT: Said = Said {
    place: "header",
    name: "Last-Event-ID",
    kind: "integer",
    means: "Only events after this one.",
};

/// There is no route of the API beside these.
pub(crate) const ROUTES: &[Route] = &[
    api(
        Verb::Get,
        "/api/v1/openapi.json",
        Right::Anyone,
        || get(openapi::show),
        Spec::plain(
            "This description.",
            &[Answer::of::<serde_json::Value>(200, "The description.")],
        ),
    ),
    api(
        Verb::Get,
        "/api/v1/me",
        SEE,
        || get(people::me),
        Spec::plain(
            "Who asks, and what they may.",
            &[Answer::of::<people::Me>(200, "Who asks.")],
        ),
    ),
    of_a_list(api(
        Verb::Post,
        "/api/v1/jobs",
        LOOK,
        || post(jobs::file),
        Spec::takes::<Task>(
            "Have the agent do something; a task that changes something needs the right to that, too.",
            &[Answer::of::<jobs::Filed>(
                202,
                "It is filed; Location says where it can be followed.",
            )],
        )
        .with(&[REQUEST, MADE_FROM]),
    )),
    api(
        Verb::Get,
        "/api/v1/jobs",
        SEE,
        || get(jobs::list),
        Spec::plain(
            "Jobs, the newest first.",
            &[Answer::of::<jobs::List>(200, "A page of them."), SAME],
        )
        .with(&[BEFORE, LIMIT, KNOWN]),
    ),
    api(
        Verb::Get,
        "/api/v1/jobs/{id}",
        SEE,
        || get(jobs::one),
        Spec::plain(
            "A job, with its answer once it has ended.",
            &[Answer::of::<jobs::Document>(200, "The job."), SAME],
        )
        .with(&[KNOWN]),
    ),
    api(
        Verb::Delete,
        "/api/v1/jobs/{id}",
        LOOK,
        || delete(jobs::cancel),
        Spec::plain(
            "Give a job up; one that is at work puts back what is not proved.",
            &[Answer::of::<jobs::Document>(202, "It is asked to end.")],
        ),
    ),
    api(
        Verb::Post,
        "/api/v1/jobs/{id}/approval",
        Right::Approve,
        || post(jobs::approve),
        Spec::plain(
            "Say yes to a proposed job of somebody else, where changes want two persons.",
            &[Answer::of::<jobs::Document>(202, "The agent may begin.")],
        ),
    ),
    api(
        Verb::Get,
        "/api/v1/jobs/{id}/events",
        SEE,
        || get(events::stream),
        Spec::plain(
            "What is told of a job, as it happens (server-sent events).",
            &[Answer::events("`told` with what happens, then `end`.")],
        )
        .with(&[LAST_EVENT]),
    ),
    api(
        Verb::Get,
        "/api/v1/copies/{what}",
        SEE,
        || get(copies::one),
        Spec::plain(
            "What the agent saw: plan, status, history, certificates, domains, findings, checks, drift, keys, profiles, notify, parameters.",
            &[Answer::of::<copies::Document>(200, "The copy."), SAME],
        )
        .with(&[KNOWN]),
    ),
    api(
        Verb::Get,
        "/api/v1/policies",
        SEE,
        || get(policies::list),
        Spec::plain(
            "Rules for destinations, as the agent saw them.",
            &[Answer::of::<policies::Document>(200, "A page of them.")],
        )
        .with(&[SEARCH, KIND, SORT, AFTER, BY, LIMIT]),
    ),
    api(
        Verb::Get,
        "/api/v1/agent",
        SEE,
        || get(copies::agent),
        Spec::plain(
            "The agent, and when it was last seen.",
            &[Answer::of::<copies::Agent>(200, "The agent.")],
        ),
    ),
    api(
        Verb::Get,
        "/api/v1/sessions",
        SEE,
        || get(people::own_sessions),
        Spec::plain(
            "One's own sessions.",
            &[Answer::of::<people::Sessions>(200, "The sessions.")],
        ),
    ),
    api(
        Verb::Delete,
        "/api/v1/sessions",
        SEE,
        || delete(people::end_own_sessions),
        Spec::plain(
            "End all of one's own sessions.",
            &[Answer::of::<people::Ended>(200, "They are ended.")],
        ),
    ),
    api(
        Verb::Delete,
        "/api/v1/sessions/{id}",
        SEE,
        || delete(people::end_own_session),
        Spec::plain("End one of one's own sessions.", &[DONE]),
    ),
    api(
        Verb::Get,
        "/api/v1/users",
        MANAGE,
        || get(people::users),
        Spec::plain("All users.", &[Answer::of::<people::Users>(200, "The users.")]),
    ),
    api(
        Verb::Post,
        "/api/v1/users",
        MANAGE,
        || post(people::add_user),
        Spec::takes::<people::NewUser>(
            "Add a user, who chooses a password by the link.",
            &[Answer::of::<people::Invitation>(201, "The link, shown this once.")],
        ),
    ),
    api(
        Verb::Get,
        "/api/v1/users/{name}",
        MANAGE,
        || get(people::user),
        Spec::plain("A user.", &[Answer::of::<people::User>(200, "The user.")]),
    ),
    api(
        Verb::Patch,
        "/api/v1/users/{name}",
        MANAGE,
        || patch(people::change_user),
        Spec::takes::<people::NewRole>(
            "Give a user another role; it holds from their next request on.",
            &[Answer::of::<people::User>(200, "The user.")],
        ),
    ),
    api(
        Verb::Delete,
        "/api/v1/users/{name}",
        MANAGE,
        || delete(people::remove_user),
        Spec::plain("Remove a user with all sessions and tokens.", &[DONE]),
    ),
    api(
        Verb::Post,
        "/api/v1/users/{name}/invitation",
        MANAGE,
        || post(people::invite),
        Spec::plain(
            "Forget a user's password and one-time codes, end their sessions, and invite them anew.",
            &[Answer::of::<people::Invitation>(201, "The link, shown this once.")],
        ),
    ),
    api(
        Verb::Get,
        "/api/v1/users/{name}/sessions",
        MANAGE,
        || get(people::sessions),
        Spec::plain(
            "A user's sessions.",
            &[Answer::of::<people::Sessions>(200, "The sessions.")],
        ),
    ),
    api(
        Verb::Delete,
        "/api/v1/users/{name}/sessions",
        MANAGE,
        || delete(people::end_sessions),
        Spec::plain(
            "End all sessions of a user.",
            &[Answer::of::<people::Ended>(200, "They are ended.")],
        ),
    ),
    api(
        Verb::Get,
        "/api/v1/tokens",
        MANAGE,
        || get(people::tokens),
        Spec::plain("All tokens.", &[Answer::of::<people::Tokens>(200, "The tokens.")]),
    ),
    api(
        Verb::Post,
        "/api/v1/tokens",
        MANAGE,
        || post(people::add_token),
        Spec::takes::<people::NewToken>(
            "Make a token.",
            &[Answer::of::<people::MadeToken>(201, "The token, shown this once.")],
        ),
    ),
    api(
        Verb::Delete,
        "/api/v1/tokens/{id}",
        MANAGE,
        || delete(people::remove_token),
        Spec::plain("End a token.", &[DONE]),
    ),
];
