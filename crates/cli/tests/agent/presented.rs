//! The console with a certificate of the store.

use crate::site::Site;
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A connection to the console that trusts whatever it presents.
fn connected(site: &Site) -> SslStream<TcpStream> {
    let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
    connector.set_verify(SslVerifyMode::NONE);
    let stream = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
    connector.build().connect("localhost", stream).unwrap()
}

/// The serial number of what the console presents.
fn serial(site: &Site) -> String {
    let stream = connected(site);
    let certificate = stream.ssl().peer_certificate().unwrap();
    let number = certificate.serial_number().to_bn().unwrap();
    number.to_hex_str().unwrap().to_string()
}

/// Every file below a folder that belongs to the console's user.
fn theirs(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = path.symlink_metadata().unwrap();
        if about.is_dir() {
            theirs(&path, found);
        } else if about.uid() != 0 || about.mode() & 0o004 != 0 {
            found.push(String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
        }
    }
}

#[test]
fn the_console_presents_a_certificate_of_the_store_and_its_renewal() {
    let site = Site::started("certificate = \"mx\"\n");
    let first = serial(&site);
    let mut stream = connected(&site);
    let ask = "GET /sign-in HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    // Whether it says goodbye is its own affair.
    let _end = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: "), "{answer}");
    assert!(site.log().contains("https://localhost:"), "{}", site.log());
    // In clear nothing is answered.
    let plain = TcpStream::connect(("127.0.0.1", site.port));
    let mut plain = plain.unwrap();
    plain.write_all(ask.as_bytes()).unwrap();
    let mut clear = Vec::new();
    let _end = plain.read_to_end(&mut clear);
    assert!(!String::from_utf8_lossy(&clear).contains("HTTP/1.1"));
    // The key is in no file that the console could read.
    let mut files = Vec::new();
    theirs(&site.scene.folder().join("store"), &mut files);
    assert!(!files.is_empty() && !files.iter().any(|text| text.contains("PRIVATE KEY")));
    let renewed = site.local(&[
        "cert",
        "self-signed",
        "mx",
        "--domain=mx.example",
        "--renew",
    ]);
    assert_eq!(renewed.exit, Some(0), "{renewed:#?}");
    site.wait("the renewal", |site| serial(site) != first);
    // The mail server's key is not for the console: once mail presents the certificate, no version of it goes out.
    let second = serial(&site);
    let bound = site.local(&["cert", "bind", "mx", "--allow-self-signed"]);
    assert_eq!(bound.exit, Some(0), "{bound:#?}");
    let renewed = site.local(&[
        "cert",
        "self-signed",
        "mx",
        "--domain=mx.example",
        "--renew",
    ]);
    assert_eq!(renewed.exit, Some(0), "{renewed:#?}");
    site.wait("a refusal", |site| {
        site.log().contains("which mail presents")
    });
    assert_eq!(serial(&site), second);
    let audit = site.local(&["audit", "list"]).stdout;
    assert!(
        audit.contains("exported the private key of version 2"),
        "{audit}"
    );
    assert!(!audit.contains("private key of version 3"), "{audit}");
}

#[test]
fn a_console_that_nobody_hands_its_certificate_answers_nobody() {
    let site = Site::started("");
    let config = site.scene.named("tls.toml");
    fs::write(
        &config,
        "[console]\nuser = \"nobody\"\ncertificate = \"mx\"\n",
    )
    .unwrap();
    let words = ["--config", &config, "console", "--listen=127.0.0.1:0"];
    let refused = site.scene.run(&words);
    assert_eq!(refused.exit, Some(1), "{refused:#?}");
    assert_eq!(refused.code(), "console.no-certificate", "{refused:#?}");
}
