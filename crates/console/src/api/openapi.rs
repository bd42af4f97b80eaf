//! The API described for programs (OpenAPI 3.1).
//!
//! Owns: how the table of routes and the documents in Rust become one description. Never: a fact of its own: a path, a
//! right and a field each stand once, in the table or in the type.

use super::ROUTES;
use crate::caller::SESSION;
use crate::matrix::Right;
use crate::problem;
use crate::routes::{Route, Verb};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// How the schema of a type is found.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What a route takes and answers, beside the parts of its path.
pub(crate) struct Spec {
    /// In one sentence.
    pub(crate) summary: &'static str,
    /// The document in the request.
    pub(crate) takes: Option<SchemaOf>,
    /// What may be said in the query and in headers.
    pub(crate) said: &'static [Said],
    /// What is answered when all is well.
    pub(crate) answers: &'static [Answer],
}

/// Something that may be said beside the document.
pub(crate) struct Said {
    /// `query` or `header`.
    pub(crate) place: &'static str,
    pub(crate) name: &'static str,
    /// `string` or `integer`.
    pub(crate) kind: &'static str,
    pub(crate) means: &'static str,
}

/// An answer.
pub(crate) struct Answer {
    status: u16,
    says: &'static str,
    holds: Holds,
}

enum Holds {
    Nothing,
    Json(SchemaOf),
    Events,
}

impl Spec {
    /// It takes nothing.
    pub(crate) const fn plain(summary: &'static str, answers: &'static [Answer]) -> Self {
        Self {
            summary,
            takes: None,
            said: &[],
            answers,
        }
    }

    /// It takes a document.
    pub(crate) const fn takes<T: JsonSchema>(
        summary: &'static str,
        answers: &'static [Answer],
    ) -> Self {
        Self {
            summary,
            takes: Some(SchemaGenerator::subschema_for::<T>),
            said: &[],
            answers,
        }
    }

    /// And this may be said beside it.
    pub(crate) const fn with(self, said: &'static [Said]) -> Self {
        Self { said, ..self }
    }
}

impl Answer {
    pub(crate) const fn empty(status: u16, says: &'static str) -> Self {
        Self {
            status,
            says,
            holds: Holds::Nothing,
        }
    }

    pub(crate) const fn of<T: JsonSchema>(status: u16, says: &'static str) -> Self {
        Self {
            status,
            says,
            holds: Holds::Json(SchemaGenerator::subschema_for::<T>),
        }
    }

    pub(crate) const fn events(says: &'static str) -> Self {
        Self {
            status: 200,
            says,
            holds: Holds::Events,
        }
    }

    fn written(&self, schemas: &mut SchemaGenerator) -> Value {
        let (kind, schema) = match self.holds {
            Holds::Nothing => return json!({ "description": self.says }),
            Holds::Json(schema) => ("application/json", schema(schemas).to_value()),
            Holds::Events => ("text/event-stream", json!({ "type": "string" })),
        };
        let content = content(kind, schema);
        json!({ "description": self.says, "content": content })
    }
}

/// The description, for whoever asks.
pub(super) async fn show() -> Response {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let text = serde_json::to_string_pretty(&document()).unwrap_or_default();
        text + "\n"
    });
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

fn document() -> Value {
    let mut schemas = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method(route.verb)] = operation(route, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Postseal",
            "version": "1",
            "description": "What the console can do. A change of the mail server is a task: it is filed as a job, \
                which the agent carries out as the command of that name does.",
        },
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION,
                    "description": "A browser's; what changes something says X-Form-Token, too.",
                },
            },
        },
    })
}

fn operation(route: &Route, schemas: &mut SchemaGenerator) -> Value {
    let Some(spec) = &route.api else {
        return json!({});
    };
    let mut operation = json!({
        "operationId": id(route),
        "summary": spec.summary,
        "x-right": route.right.name(),
    });
    if route.right == Right::Anyone {
        operation["security"] = json!([]);
    }
    let parts = parts(route.path).map(part);
    let parameters: Vec<Value> = parts.chain(spec.said.iter().map(said)).collect();
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(schema) = spec.takes {
        let content = content("application/json", schema(schemas).to_value());
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    for answer in spec.answers {
        operation["responses"][answer.status.to_string()] = answer.written(schemas);
    }
    let problem = schemas.subschema_for::<problem::Document<'static>>();
    operation["responses"]["default"] = json!({
        "description": "Why not.",
        "content": content("application/problem+json", problem.to_value()),
    });
    operation
}

fn content(kind: &str, schema: Value) -> Value {
    let mut content = Map::new();
    content.insert(kind.to_owned(), json!({ "schema": schema }));
    Value::Object(content)
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Post => "post",
        Verb::Patch => "patch",
        Verb::Delete => "delete",
    }
}

/// The verb and the words of the path.
fn id(route: &Route) -> String {
    let words = route.path.trim_start_matches("/api/v1/");
    let words = words.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    let all: Vec<&str> = std::iter::once(method(route.verb)).chain(words).collect();
    all.join("_")
}

/// The names in a path that stand for any.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn part(name: &str) -> Value {
    json!({ "in": "path", "name": name, "required": true, "schema": { "type": "string" } })
}

fn said(said: &Said) -> Value {
    json!({
        "in": said.place,
        "name": said.name,
        "description": said.means,
        "schema": { "type": said.kind },
    })
}
