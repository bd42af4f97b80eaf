//! What pages are made of beside text: styles, scripts, a mark.
//!
//! Owns: the files, each under a path that has its contents' digest in it, so that a browser may keep it for ever.
//! Others' files come from npm by the lock file in `assets/` (`npm ci`), and lie in the program. Never: a file that no
//! page uses, or one from another host.

use crate::problem::Problem;
use crate::secret;
use axum::extract::Path;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::sync::LazyLock;

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    path: String,
    /// As most browsers take it; made once.
    gzip: Vec<u8>,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    const CSS: &str = "text/css; charset=utf-8";
    const JS: &str = "text/javascript; charset=utf-8";
    const TEXT: &str = "text/plain; charset=utf-8";
    [
        (
            "tabler.css",
            CSS,
            &include_bytes!("../assets/node_modules/@tabler/core/dist/css/tabler.min.css")[..],
        ),
        (
            "htmx.js",
            JS,
            &include_bytes!("../assets/node_modules/htmx.org/dist/htmx.min.js")[..],
        ),
        ("console.css", CSS, include_bytes!("../assets/console.css")),
        ("console.js", JS, include_bytes!("../assets/console.js")),
        ("theme.js", JS, include_bytes!("../assets/theme.js")),
        (
            "mark.svg",
            "image/svg+xml",
            include_bytes!("../assets/mark.svg"),
        ),
        (
            "licences.txt",
            TEXT,
            include_bytes!("../assets/licences.txt"),
        ),
    ]
    .map(|(name, kind, bytes)| asset(name, kind, bytes))
    .into()
});

/// Where a page finds an asset.
pub(crate) fn path(name: &str) -> &'static str {
    let found = ASSETS.iter().find(|asset| asset.name == name);
    found.map_or("", |asset| &asset.path)
}

pub(crate) async fn one(
    Path((digest, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let path = format!("/assets/{digest}/{name}");
    let found = ASSETS.iter().find(|asset| asset.path == path);
    let asset = found.ok_or_else(|| Problem::not_found("such file"))?;
    let marks = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::VARY, "accept-encoding"),
    ];
    let taken = headers.get(header::ACCEPT_ENCODING);
    let taken = taken.and_then(|taken| taken.to_str().ok()).unwrap_or("");
    Ok(match taken.contains("gzip") {
        true => {
            let packed = [(header::CONTENT_ENCODING, "gzip")];
            (marks, packed, asset.gzip.as_slice()).into_response()
        }
        false => (marks, asset.bytes).into_response(),
    })
}

fn asset(name: &'static str, kind: &'static str, bytes: &'static [u8]) -> Asset {
    let text = String::from_utf8_lossy(bytes);
    let digest = secret::derived("asset", &text, name);
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let packed = packer.write_all(bytes).and_then(|()| packer.finish());
    Asset {
        name,
        kind,
        bytes,
        path: format!("/assets/{}/{name}", digest.get(..16).unwrap_or(&digest)),
        // Writing into memory does not fail.
        gzip: packed.unwrap_or_default(),
    }
}
