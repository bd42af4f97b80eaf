//! A box's main.cf and master.cf.

use super::{BoxBuilder, PostfixBox, Setting, system};
use std::fs;
use std::io;

/// Its mail domain: everything for it lands in one mailbox.
pub(super) const DOMAIN: &str = "box.test";
/// The stock master.cf: Debian's package has it in both places.
const STOCK: [&str; 2] = [
    "/usr/share/postfix/master.cf.dist",
    "/etc/postfix/master.cf.proto",
];

pub(super) fn write(made: &PostfixBox, builder: &BoxBuilder) -> io::Result<()> {
    let folder = made.config_directory();
    let main_cf = match &builder.main_cf {
        Some(bytes) => filled(bytes, made),
        None => main_cf(made, builder)?.into_bytes(),
    };
    let master_cf = match &builder.master_cf {
        Some(bytes) => filled(bytes, made),
        None => stock()?,
    };
    fs::write(folder.join("main.cf"), main_cf)?;
    fs::write(folder.join("master.cf"), master_cf)?;
    age(&folder.join("main.cf"))
}

/// A main.cf younger than 2 s makes every Postfix program sleep.
fn age(path: &std::path::Path) -> io::Result<()> {
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(3);
    fs::File::options()
        .append(true)
        .open(path)?
        .set_modified(then)
}

fn main_cf(made: &PostfixBox, builder: &BoxBuilder) -> io::Result<String> {
    let mut settings = settings(made, builder)?;
    for setting in &builder.set {
        match settings.iter_mut().find(|own| own.name == setting.name) {
            Some(own) => own.value.clone_from(&setting.value),
            None => settings.push(setting.clone()),
        }
    }
    let mut text = String::from("# A private Postfix.\n");
    for Setting { name, value } in &settings {
        text.push_str(&format!("{name} = {value}\n"));
    }
    text.push_str(&builder.appended);
    Ok(String::from_utf8_lossy(&filled(text.as_bytes(), made)).into_owned())
}

fn settings(made: &PostfixBox, builder: &BoxBuilder) -> io::Result<Vec<Setting>> {
    let postfix = system::id_of("/etc/passwd", "postfix")?;
    let base = made.path().display();
    let mut settings = vec![
        ("compatibility_level", "3.6".to_owned()),
        ("queue_directory", format!("{base}/queue")),
        ("data_directory", format!("{base}/data")),
        ("maillog_file", format!("{base}/log/mail.log")),
        ("maillog_file_prefixes", format!("{base}/log")),
        ("inet_interfaces", made.address().to_string()),
        ("inet_protocols", "ipv4".to_owned()),
        ("myhostname", format!("mx.{DOMAIN}")),
        ("mydestination", String::new()),
        ("mynetworks", "127.0.0.0/8".to_owned()),
        ("alias_maps", String::new()),
        ("local_recipient_maps", String::new()),
        ("local_transport", "error:no local users".to_owned()),
        ("default_transport", "error:a private Postfix".to_owned()),
        ("relay_transport", "error:a private Postfix".to_owned()),
        ("virtual_mailbox_domains", DOMAIN.to_owned()),
        ("virtual_mailbox_base", format!("{base}/mailboxes")),
        ("virtual_mailbox_maps", "static:inbox/".to_owned()),
        ("virtual_minimum_uid", "1".to_owned()),
        ("virtual_uid_maps", format!("static:{postfix}")),
        ("virtual_gid_maps", format!("static:{postfix}")),
    ];
    if builder.sasl.is_some() {
        settings.push(("cyrus_sasl_config_path", format!("{base}/config/sasl")));
    }
    let named = settings.into_iter().map(|(name, value)| Setting {
        name: name.to_owned(),
        value,
    });
    Ok(named.collect())
}

fn stock() -> io::Result<Vec<u8>> {
    let found = STOCK.iter().find_map(|path| fs::read(path).ok());
    found.ok_or_else(|| io::Error::other(format!("no stock master.cf in {}", STOCK.join(", "))))
}

fn filled(text: &[u8], made: &PostfixBox) -> Vec<u8> {
    let base = made.path().display().to_string();
    let with = replaced(text, b"{base}", base.as_bytes());
    replaced(&with, b"{address}", made.address().to_string().as_bytes())
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}
