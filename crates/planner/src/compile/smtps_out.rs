//! The client for next hops that expect TLS from the first byte (`smtps-out=on`).
//!
//! Owns: the service in master.cf that speaks so (smtp(8) with `smtp_tls_wrappermode`). Never:
//! sends mail to it: `transport_maps` does, and routing is the administrator's.
//!
//! An own service, because in wrapper mode smtp(8) reaches no server that begins in clear. Its
//! level is that of main.cf where that demands TLS, else `encrypt`: with a weaker one the wrapper
//! mode defers all mail.

use super::edit::{cannot, key_of};
use super::{Ground, Target, Targets, is_mandatory};
use crate::Refusal;
use crate::intent::{Key, Owned};
use crate::view::{self, View};
use postfix_cf::MasterCf;

/// The service's name: what stands before the next hop in `transport_maps`.
pub const NAME: &str = "smtps-out";
/// Its name and type.
pub(crate) const ID: &str = "smtps-out/unix";

const LEVEL: &str = "smtp_tls_security_level";
const WRAPPER: &str = "smtp_tls_wrappermode";

/// What the service needs, whoever wrote it.
pub(super) fn requirements(ground: &Ground<'_>, targets: &mut Targets) {
    if !is_on(ground.intent) {
        return;
    }
    let view = View::new(ground.main, ground.master, ground.facts);
    let level = match targets.main.get(LEVEL) {
        Some(Target::Value(level)) => level.clone(),
        Some(Target::Absent) => String::new(),
        None => view.value(None, LEVEL),
    };
    let level = Some(level).filter(|level| is_mandatory(level));
    let level = level.unwrap_or_else(|| "encrypt".to_owned());
    targets.service(ID, WRAPPER, Target::value("yes"));
    targets.service(ID, LEVEL, Target::value(level));
}

/// Makes the service where it is wanted and missing; takes it out where it was ours and is not
/// wanted any more.
pub(super) fn switch(ground: &Ground<'_>, master: &mut MasterCf) -> Result<(), Refusal> {
    let there = view::services(master)
        .iter()
        .any(|service| service.id == ID);
    if is_on(ground.intent) {
        return match there {
            true => Ok(()),
            false => append(master),
        };
    }
    if is_on(ground.in_force) {
        take_out(&ground.intent.adopted, master);
    }
    Ok(())
}

/// Takes the service out, unless it was there when `owned` was read. One that was changed by hand
/// is commented out.
pub(crate) fn take_out(owned: &Owned, master: &mut MasterCf) {
    let services = view::services(master);
    let found = services.iter().find(|service| service.id == ID);
    let (Some(service), Some(key)) = (found, key_of(ID)) else {
        return;
    };
    if owned.services.contains_key(ID) {
        return;
    }
    let ours = |name: &String| [LEVEL, WRAPPER].contains(&name.as_str());
    if service.is_smtp_client() && service.overrides.keys().all(ours) {
        master.remove_service(key);
    } else {
        master.comment_out_service(key);
    }
}

fn is_on(intent: &crate::Intent) -> bool {
    intent.settings.contains_key(&Key::SmtpsOut)
}

fn append(master: &mut MasterCf) -> Result<(), Refusal> {
    let client = master
        .services()
        .find(|service| service.kind == "unix" && service.command == "smtp");
    let chroot = client.map_or("-".to_owned(), |service| service.chroot);
    let block = format!(
        "{NAME:<9} unix  -       -       {chroot}       -       -       smtp\n  \
         -o {WRAPPER}=yes\n  -o {LEVEL}=encrypt\n"
    );
    let appended = master.append_service(block.as_bytes());
    appended.map_err(|error| cannot(NAME, error))
}
