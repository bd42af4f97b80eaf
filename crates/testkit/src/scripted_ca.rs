//! A CA by script: it issues what a test tells it to, and is as busy, wrong or slow as that wants.
//!
//! Owns: the answers of a CA that takes every name for proved, and signs what it is asked to sign
//! with the dates that it was told. Never: looks at a challenge (Pebble does).

use crate::https_script::{HttpAnswer, HttpRequest, HttpsScript};
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509NameBuilder, X509Req};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// How it behaves, and what it has seen.
#[derive(Clone, Debug, Default)]
pub struct Mood {
    /// Its time, in seconds since 1970.
    pub now: i64,
    /// The day on which its certificates begin, from now on.
    pub from: i64,
    /// The day on which they end.
    pub until: i64,
    /// The window that it names, in days from now on.
    pub window: Option<[i64; 2]>,
    /// Too busy for orders: the seconds of its `Retry-After`.
    pub busy: Option<u64>,
    /// It takes no more orders than these.
    pub most: Option<usize>,
    /// It refuses orders.
    pub refuses: bool,
    /// It signs for a key of its own.
    pub wrong: bool,
    /// It signs by an intermediate, and leaves that out of the chain.
    pub short: bool,
    /// It takes its time over everything.
    pub slow: Duration,
    /// How often an order was placed, taken or not.
    pub tries: usize,
    /// What was ordered.
    pub orders: Vec<Value>,
    /// How often it was asked for its window.
    pub asked: usize,
    /// How often its directory was read.
    pub visits: usize,
}

/// The CA; it listens as long as the test's process lives.
#[derive(Debug)]
pub struct ScriptedCa {
    server: HttpsScript,
    issuer: String,
    mood: Arc<Mutex<Mood>>,
}

struct Signer {
    key: PKey<Private>,
    certificate: X509,
}

impl ScriptedCa {
    /// One with a good day, whose certificates are good for 89 more.
    #[expect(clippy::new_without_default, reason = "it starts a server")]
    pub fn new() -> Self {
        let mood = Arc::new(Mutex::new(Mood {
            now: now(),
            from: -1,
            until: 89,
            ..Mood::default()
        }));
        let (seen, signer) = (Arc::clone(&mood), Signer::new());
        let issuer = signer.certificate.to_pem().unwrap();
        let made = Mutex::new(Vec::new());
        let server = HttpsScript::start(move |url, request| {
            let slow = seen.lock().unwrap().slow;
            std::thread::sleep(slow);
            let mut mood = seen.lock().unwrap();
            let answer = answer(url, request, &mut mood, &signer, &mut made.lock().unwrap());
            answer.header("Replay-Nonce: bm9uY2U")
        });
        Self {
            server: server.unwrap(),
            issuer: String::from_utf8(issuer).unwrap(),
            mood,
        }
    }

    /// Changes how it behaves.
    pub fn set(&self, change: impl FnOnce(&mut Mood)) {
        change(&mut self.mood.lock().unwrap());
    }

    /// How it behaves, and what it has seen.
    pub fn mood(&self) -> Mood {
        self.mood.lock().unwrap().clone()
    }

    /// The URL of its directory.
    pub fn directory(&self) -> String {
        format!("{}/dir", self.server.url())
    }

    /// The root that what it issues leads to.
    pub fn issuer_pem(&self) -> &str {
        &self.issuer
    }

    /// The root that its server's certificate leads to.
    pub fn root_pem(&self) -> &str {
        self.server.root_pem()
    }
}

fn answer(
    url: &str,
    request: &HttpRequest,
    mood: &mut Mood,
    signer: &Signer,
    made: &mut Vec<u8>,
) -> HttpAnswer {
    let ok = |body: Value| HttpAnswer::new("200 OK", body.to_string());
    let order = |status: &str| {
        json!({"status": status, "authorizations": [format!("{url}/authz")],
            "finalize": format!("{url}/finalize"), "certificate": format!("{url}/certificate")})
    };
    let at = |path: &str| format!("Location: {url}{path}");
    match request.path.as_str() {
        "/dir" => {
            mood.visits += 1;
            ok(
                json!({"newNonce": format!("{url}/nonce"), "newAccount": format!("{url}/account"),
                "newOrder": format!("{url}/order"), "renewalInfo": format!("{url}/ari"),
                "meta": {"termsOfService": "https://ca.test/terms"}}),
            )
        }
        "/nonce" => HttpAnswer::new("200 OK", ""),
        "/account" => HttpAnswer::new("201 Created", "{}").header(at("/account/1")),
        "/order" => placed(url, &order("ready"), request, mood),
        "/authz" => ok(json!({"status": "valid", "challenges": [],
            "identifier": {"type": "dns", "value": "mx.box.test"}})),
        "/finalize" => {
            let csr = payload(request)["csr"].as_str().unwrap().to_owned();
            *made = signer.sign(&unbase64(&csr), mood);
            ok(order("valid"))
        }
        "/order/1" => ok(order("valid")),
        "/certificate" => HttpAnswer::new("200 OK", made.clone()),
        path if path.starts_with("/ari/") => {
            mood.asked += 1;
            match mood.window {
                Some([start, end]) => ok(json!({
                    "suggestedWindow": {"start": date(mood.now, start), "end": date(mood.now, end)},
                    "explanationURL": "https://ca.test/why"}))
                .header("Retry-After: 21600"),
                None => HttpAnswer::new("404 Not Found", "{}"),
            }
        }
        _ => HttpAnswer::new("404 Not Found", "<html>"),
    }
}

fn placed(url: &str, order: &Value, request: &HttpRequest, mood: &mut Mood) -> HttpAnswer {
    mood.tries += 1;
    let full = mood.most.is_some_and(|most| mood.orders.len() >= most);
    if let Some(after) = mood.busy.or(full.then_some(60)) {
        return limited(after);
    }
    if mood.refuses {
        return refused();
    }
    let asked = payload(request);
    let mut placed = order.clone();
    // The sign that it knows what is replaced (RFC 9773, 5).
    if asked["replaces"].is_string() {
        placed["replaces"] = asked["replaces"].clone();
    }
    mood.orders.push(asked);
    HttpAnswer::new("201 Created", placed.to_string()).header(format!("Location: {url}/order/1"))
}

fn refused() -> HttpAnswer {
    let problem = json!({"type": "urn:ietf:params:acme:error:rejectedIdentifier",
        "detail": "policy forbids box.test"});
    HttpAnswer::new("403 Forbidden", problem.to_string())
}

fn limited(after: u64) -> HttpAnswer {
    let problem = json!({"type": "urn:ietf:params:acme:error:rateLimited",
        "detail": "too many certificates for box.test"});
    HttpAnswer::new("429 Too Many Requests", problem.to_string())
        .header(format!("Retry-After: {after}"))
}

/// What was signed in a request (RFC 7515).
fn payload(request: &HttpRequest) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let payload = unbase64(body["payload"].as_str().unwrap());
    serde_json::from_slice(&payload).unwrap_or(Value::Null)
}

fn unbase64(text: &str) -> Vec<u8> {
    let mut standard = text.replace('-', "+").replace('_', "/");
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    openssl::base64::decode_block(&standard).unwrap()
}

impl Signer {
    fn new() -> Self {
        Self::named("A CA by script")
    }

    fn named(name: &str) -> Self {
        let key = p256();
        let mut builder = begin(&key, now() - 3650 * DAY, now() + 7300 * DAY);
        let name = builder_name(name);
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        let constraints = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(constraints).unwrap();
        let usage = KeyUsage::new().critical().key_cert_sign().build().unwrap();
        builder.append_extension(usage).unwrap();
        let context = builder.x509v3_context(None, None);
        let id = SubjectKeyIdentifier::new().build(&context).unwrap();
        builder.append_extension(id).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            key,
            certificate: builder.build(),
        }
    }

    /// The chain for a request, PEM: leaf and root; of an intermediate's the leaf alone.
    fn sign(&self, csr: &[u8], mood: &Mood) -> Vec<u8> {
        if mood.short {
            let below = Self::named("An intermediate by script");
            let whole = Mood {
                short: false,
                ..mood.clone()
            };
            let pem = below.sign(csr, &whole);
            return X509::from_pem(&pem).unwrap().to_pem().unwrap();
        }
        let request = X509Req::from_der(csr).unwrap();
        let asked = request.public_key().unwrap();
        let own = p256();
        let day = |days| mood.now + days * DAY;
        let mut builder = begin(&own, day(mood.from), day(mood.until));
        if !mood.wrong {
            builder.set_pubkey(&asked).unwrap();
        }
        builder
            .set_issuer_name(self.certificate.subject_name())
            .unwrap();
        for extension in request.extensions().unwrap() {
            builder.append_extension(extension).unwrap();
        }
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let authority = AuthorityKeyIdentifier::new().keyid(true).build(&context);
        builder.append_extension(authority.unwrap()).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let mut pem = builder.build().to_pem().unwrap();
        pem.extend(self.certificate.to_pem().unwrap());
        pem
    }
}

fn begin(key: &PKey<Private>, from: i64, until: i64) -> X509Builder {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(100, MsbOption::ONE, false).unwrap();
    let serial = Asn1Integer::from_bn(&serial).unwrap();
    builder.set_serial_number(&serial).unwrap();
    let time = |unix| Asn1Time::from_unix(unix).unwrap();
    builder.set_not_before(&time(from)).unwrap();
    builder.set_not_after(&time(until)).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}

fn builder_name(text: &str) -> openssl::x509::X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", text).unwrap();
    name.build()
}

fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

fn date(now: i64, days: i64) -> String {
    let at = jiff::Timestamp::from_second(now + days * DAY);
    at.unwrap().to_string()
}
