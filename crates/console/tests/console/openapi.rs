//! The API's description: as the code says, and of all that the console can do.

use crate::served::{Served, heartbeat};
use crate::wire::Ask;
use postseal_console::{Right, Verb, listed};
use postseal_store::desk::{Clerk as _, CopyOf, Role};
use serde_json::{Value, json};
use std::path::Path;

fn description(served: &Served) -> Value {
    let answer = served.ask(&Ask::get("/api/v1/openapi.json"));
    assert_eq!(answer.status, 200);
    answer.json()
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Post => "post",
        Verb::Patch => "patch",
        Verb::Delete => "delete",
    }
}

/// Written by `cargo xtask codegen`.
#[test]
fn the_description_is_as_the_code_says() {
    let served = Served::new();
    let text = served.ask(&Ask::get("/api/v1/openapi.json")).body;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == text,
        "run `cargo xtask codegen`, and look at the difference"
    );
}

#[test]
fn every_route_of_the_api_is_described_and_nothing_else_is() {
    let described = description(&Served::new());
    let mut all = 0;
    for route in listed().filter(|route| route.path.starts_with("/api/")) {
        let operation = &described["paths"][route.path][method(route.verb)];
        assert_eq!(operation["x-right"], route.right.name(), "{}", route.path);
        assert!(operation["summary"].is_string(), "{}", route.path);
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
        assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem");
        let named = route.path.matches('{').count();
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let parts = parameters.iter().filter(|one| one["in"] == "path").count();
        assert_eq!(parts, named, "{}", route.path);
        all += 1;
    }
    let paths = described["paths"].as_object().unwrap().values();
    let operations: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(operations, all);
    // No reference leads nowhere.
    let text = described.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            described["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
    let what = described["paths"]["/api/v1/copies/{what}"]["get"]["summary"].to_string();
    for copy in CopyOf::ALL {
        assert!(what.contains(copy.name()), "{what}");
    }
}

/// Whatever a page can do: a page that files a task does what `POST /api/v1/jobs` does with the same task (`filing`).
/// Of the others each has its own row.
#[test]
fn what_pages_can_do_the_api_can() {
    let counterparts = [
        ("/jobs/{id}/cancel", "DELETE /api/v1/jobs/{id}"),
        ("/jobs/{id}/approve", "POST /api/v1/jobs/{id}/approval"),
        ("/settings/notifications/test", "POST /api/v1/jobs"),
        ("/settings/users", "POST /api/v1/users"),
        ("/settings/users/role", "PATCH /api/v1/users/{name}"),
        (
            "/settings/users/reset",
            "POST /api/v1/users/{name}/invitation",
        ),
        (
            "/settings/users/sign-out",
            "DELETE /api/v1/users/{name}/sessions",
        ),
        ("/settings/users/remove", "DELETE /api/v1/users/{name}"),
        ("/settings/tokens", "POST /api/v1/tokens"),
        ("/settings/tokens/remove", "DELETE /api/v1/tokens/{id}"),
        ("/settings/sessions/end", "DELETE /api/v1/sessions/{id}"),
        ("/sign-out-everywhere", "DELETE /api/v1/sessions"),
    ];
    // A browser's own, with the reason.
    let browsers = [
        (
            "/sign-in",
            "a program has a token; a password is for a person",
        ),
        ("/sign-out", "a program has no session"),
        (
            "/welcome/{secret}",
            "whoever was invited chooses a password: a person",
        ),
        (
            "/settings/codes",
            "codes are set up by whoever they are for, with a device",
        ),
        ("/settings/codes/confirm", "the same"),
        ("/settings/codes/end", "the same"),
    ];
    let api: Vec<String> = listed()
        .filter(|route| route.api().is_some())
        .map(|route| format!("{} {}", method(route.verb).to_uppercase(), route.path))
        .collect();
    for (page, call) in counterparts {
        assert!(api.iter().any(|one| one == call), "{page}: {call}");
    }
    for page in listed().filter(|route| route.verb != Verb::Get && route.api().is_none()) {
        let known = |list: &[(&str, &str)]| list.iter().any(|(path, _)| *path == page.path);
        let files_a_task = matches!(page.right, Right::File(_));
        assert!(
            files_a_task || known(&counterparts) || known(&browsers),
            "{} has no counterpart in the API",
            page.path
        );
    }
}

/// A value that a schema takes, whatever it means.
fn some(described: &Value, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return some(described, &described["components"]["schemas"][name]);
    }
    if !schema["const"].is_null() {
        return schema["const"].clone();
    }
    if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(first) = schema["oneOf"].as_array().and_then(|all| all.first()) {
        return some(described, first);
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = required.iter().map(|name| name.as_str().unwrap());
            fields
                .map(|name| {
                    (
                        name.to_owned(),
                        some(described, &schema["properties"][name]),
                    )
                })
                .collect()
        }
        Some("integer") => json!(1),
        Some("array") => json!([]),
        Some("boolean") => json!(false),
        _ if schema["contentEncoding"] == "base64" => json!("bXguZXhhbXBsZQ=="),
        _ => json!("mx.example"),
    }
}

#[test]
fn every_task_is_described_can_be_filed_and_has_words_for_people() {
    let (served, session) = Served::to(Role::Admin);
    let token = served.token("admin", Role::Admin, crate::served::now() + 60_000);
    let described = description(&served);
    let tasks = described["components"]["schemas"]["Task"]["oneOf"]
        .as_array()
        .unwrap();
    assert!(tasks.len() > 40, "{}", tasks.len());
    for task in tasks {
        let task = some(&described, task);
        let id = served.file(&token, &task.to_string());
        let job = served
            .call(&token, "GET", &format!("/api/v1/jobs/{id}"), "")
            .json();
        let title = job["title"].as_str().unwrap();
        assert!(!title.contains("no words for"), "{task}");
        let page = served
            .ask(&Ask::get(&format!("/jobs/{id}")).cookie(&session))
            .body;
        let heading = format!("<h1 class=\"page-title mb-1\"><bdi>{title}</bdi></h1>");
        assert!(page.contains(&heading), "{task}: {page}");
    }
    assert!(served.desk().claim(&heartbeat()).unwrap().is_some());
}
