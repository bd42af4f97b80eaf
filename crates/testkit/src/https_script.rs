//! An HTTPS server that answers as a test tells it to, and the smallest HTTPS client.
//!
//! Owns: reading one request and writing one answer a connection. Never: understands what it
//! says, so it can be as wrong as a test needs; waits longer than a minute for anything.

use openssl::ssl::{SslAcceptor, SslConnector, SslFiletype, SslMethod, SslStream, SslVerifyMode};
use openssl::x509::X509;
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const MAX_REQUEST: usize = 1 << 20;
const CENTURY: Validity = Validity {
    not_before: 946_684_800,
    not_after: 4_102_444_800,
};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer: status line and header lines without their ends, then the body.
#[derive(Clone, Debug, Default)]
pub struct HttpAnswer {
    /// `200 OK`.
    pub status: String,
    /// `Name: value`; the length is added.
    pub headers: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
    /// How long to wait before it.
    pub after: Duration,
}

impl HttpAnswer {
    /// An answer without headers of its own.
    pub fn new(status: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: status.to_owned(),
            body: body.into(),
            ..Self::default()
        }
    }

    /// One more header line.
    pub fn header(mut self, line: impl Into<String>) -> Self {
        self.headers.push(line.into());
        self
    }
}

/// The server; it listens as long as the test's process lives.
#[derive(Debug)]
pub struct HttpsScript {
    address: SocketAddr,
    root_pem: String,
}

impl HttpsScript {
    /// Answers every request by `answer`, which is told the server's own URL.
    pub fn start(
        answer: impl Fn(&str, &HttpRequest) -> HttpAnswer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let name = listener.local_addr()?.ip().to_string();
        Self::start_on(listener, vec![name], answer)
    }

    /// The same on a port that is bound, with a certificate for these names.
    pub fn start_on(
        listener: TcpListener,
        names: Vec<String>,
        answer: impl Fn(&str, &HttpRequest) -> HttpAnswer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (acceptor, root_pem) = acceptor(names)?;
        let url = format!("https://{address}");
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (acceptor, answer, url) = (acceptor.clone(), Arc::clone(&answer), url.clone());
                std::thread::spawn(move || {
                    // A client that leaves is the test's business.
                    let _ = one(&acceptor, stream, &|request| answer(&url, request));
                });
            }
        });
        Ok(Self { address, root_pem })
    }

    /// `https://ADDRESS:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The root that its certificate leads to.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }
}

fn acceptor(names: Vec<String>) -> io::Result<(SslAcceptor, String)> {
    let ca =
        PrivateCa::new("Scripted server", KeyType::EcdsaP256, CENTURY).map_err(io::Error::other)?;
    let request = LeafRequest {
        names,
        key_type: KeyType::EcdsaP256,
        validity: CENTURY,
    };
    let issued = ca.issue(&request).map_err(io::Error::other)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("server.pem");
    let pem = format!("{}{}", issued.key_pem.as_str(), issued.cert_pem);
    std::fs::write(&file, pem)?;
    let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls_server())?;
    builder.set_certificate_file(&file, SslFiletype::PEM)?;
    builder.set_private_key_file(&file, SslFiletype::PEM)?;
    Ok((builder.build(), ca.certificate_pem()))
}

fn one(
    acceptor: &SslAcceptor,
    stream: TcpStream,
    answer: &dyn Fn(&HttpRequest) -> HttpAnswer,
) -> io::Result<()> {
    patient(&stream)?;
    let mut stream = acceptor.accept(stream).map_err(io::Error::other)?;
    let request = read(&mut stream)?;
    let answer = answer(&request);
    std::thread::sleep(answer.after);
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
    for line in &answer.headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    stream.write_all(head.as_bytes())?;
    if request.method != "HEAD" {
        stream.write_all(&answer.body)?;
    }
    let _ = stream.shutdown();
    Ok(())
}

fn read(stream: &mut SslStream<TcpStream>) -> io::Result<HttpRequest> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())
                .unwrap_or(0);
            let body = bytes.get(head.len() + 4..).unwrap_or_default();
            if body.len() >= length {
                let mut words = head.split(' ').map(str::to_owned);
                return Ok(HttpRequest {
                    method: words.next().unwrap_or_default(),
                    path: words.next().unwrap_or_default(),
                    body: body.to_vec(),
                });
            }
        }
        let length = stream.read(&mut part)?;
        if length == 0 || bytes.len() > MAX_REQUEST {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(part.get(..length).unwrap_or_default());
    }
}

/// Fetches one path of an HTTPS server whose certificate leads to `root_pem`.
pub fn fetch(server: SocketAddr, path: &str, root_pem: &str) -> io::Result<Vec<u8>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    builder.set_verify(SslVerifyMode::PEER);
    let root = X509::from_pem(root_pem.as_bytes())?;
    builder.cert_store_mut().add_cert(root)?;
    let tcp = TcpStream::connect_timeout(&server, PATIENCE)?;
    patient(&tcp)?;
    let mut stream = builder
        .build()
        .connect(&server.ip().to_string(), tcp)
        .map_err(io::Error::other)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n")?;
    let mut answer = Vec::new();
    // Servers close without TLS's own goodbye.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
    if !answer.starts_with(b"HTTP/1.0 200") && !answer.starts_with(b"HTTP/1.1 200") {
        return Err(io::Error::other("not found"));
    }
    Ok(answer.split_off(end + 4))
}

fn patient(stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))
}
