//! The console on the sandbox, for a look.
//!
//! Owns: starting it beside the instances that are kept. Never: waits for it, or ends it.

use super::site::Site;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take until somebody can sign in.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);

/// Starts agent and console; how a person goes on from there.
pub(super) fn show(site: &Site) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let config = site.folder().join("postseal.toml");
    fs::write(&config, "[console]\nuser = \"nobody\"\n").map_err(text)?;
    let log = site.folder().join("console.log");
    let written = File::create(&log).map_err(text)?;
    let up = Command::new(std::env::current_exe().map_err(text)?)
        .arg("--instance")
        .arg(&site.cli.instance)
        .arg("--store")
        .arg(format!("sqlite:{}", site.cli.store.display()))
        .arg("--config")
        .arg(config)
        // Nobody sends mail to it.
        .args(["--resolver", "none", "up"])
        .arg(format!("--listen=127.0.0.1:{}", free_port().map_err(text)?))
        .stdin(Stdio::null())
        .stdout(written.try_clone().map_err(text)?)
        .stderr(written)
        .process_group(0)
        .spawn()
        .map_err(text)?;
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let said = fs::read_to_string(&log).map_err(text)?;
        let link = said
            .split_whitespace()
            .find(|word| word.contains("/welcome/"));
        if let Some(link) = link {
            let id = up.id();
            return Ok(format!(
                "The console of mx; choose a password for `admin` at\n  {link}\nTo end it:\n  kill {id}\n"
            ));
        }
        std::thread::sleep(LOOK);
    }
    let said = fs::read_to_string(&log).map_err(text)?;
    Err(said.trim().to_owned())
}

fn free_port() -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
