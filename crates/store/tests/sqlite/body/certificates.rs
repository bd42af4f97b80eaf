//! Certificates and their keys.

use crate::fixture::{KEY, MX, all, certificate, state};
use mailtls::Fingerprint;
use postseal_store::{
    Certificate, NewCertificate, NextKey, PendingRequest, Store, StoreError, Succession, Watch,
};
use zeroize::Zeroizing;

fn shown(new: &NewCertificate) -> Certificate {
    Certificate {
        name: new.name.clone(),
        version: 1,
        chain: new.chain.clone(),
        has_key: new.key.is_some(),
        private_ca: new.private_ca.clone(),
        source: new.source.clone(),
        added_ms: new.added_ms,
        file_digest: new.file_digest,
    }
}

pub(crate) fn certificates(store: &mut dyn Store) {
    assert_eq!(all(store), []);
    let (mx, other) = (certificate("mx"), certificate("alt"));
    let bare = NewCertificate {
        key: None,
        private_ca: Some(b"a private CA".to_vec()),
        file_digest: None,
        ..certificate("\u{fc}\0n' OR 1=1 --")
    };
    for new in [&mx, &other, &bare] {
        store.put_certificate(new).unwrap();
    }
    let by_name = vec![shown(&other), shown(&mx), shown(&bare)];
    assert_eq!(all(store), by_name);
    taken(store, &by_name);
    same_again(store);
    assert!(store.delete_certificate("mx").unwrap());
    assert!(!store.delete_certificate("mx").unwrap());
    assert_eq!(all(store).len(), 2);
    store
        .put_certificate(&NewCertificate {
            chain: vec![b"new".to_vec()],
            ..mx
        })
        .unwrap();
    assert_eq!(all(store)[1].chain, [b"new"]);
}

fn taken(store: &mut dyn Store, before: &[Certificate]) {
    let longer = NewCertificate {
        chain: vec![b"leaf mx".to_vec()],
        ..certificate("mx")
    };
    let another = NewCertificate {
        chain: certificate("alt").chain,
        ..certificate("mx")
    };
    for new in [longer, another] {
        let refused = store.put_certificate(&new);
        assert!(matches!(refused, Err(StoreError::Exists(name)) if name == "mx"));
        assert_eq!(all(store), before);
    }
}

/// The same chain again replaces what is given and loses nothing.
fn same_again(store: &mut dyn Store) {
    let bare = NewCertificate {
        key: None,
        file_digest: None,
        private_ca: Some(b"CA".to_vec()),
        source: "again".to_owned(),
        added_ms: 77,
        ..certificate("mx")
    };
    store.put_certificate(&bare).unwrap();
    let first = certificate("mx");
    let expected = Certificate {
        private_ca: Some(b"CA".to_vec()),
        source: "again".to_owned(),
        ..shown(&first)
    };
    assert_eq!(all(store)[1], expected);
    assert_eq!(
        store
            .private_key("mx", 1)
            .unwrap()
            .as_deref()
            .map(Vec::as_slice),
        Some(KEY)
    );
    // More intermediates are the same version still.
    let mut whole = bare;
    whole.chain.push(b"one more".to_vec());
    store.put_certificate(&whole).unwrap();
    let completed = Certificate {
        chain: whole.chain,
        ..expected
    };
    assert_eq!(all(store)[1], completed);
    assert!(store.private_key("mx", 1).unwrap().is_some());
}

pub(crate) fn keys(store: &mut dyn Store) {
    store.put_certificate(&certificate("mx")).unwrap();
    store
        .put_certificate(&NewCertificate {
            key: None,
            ..certificate("public")
        })
        .unwrap();
    let large = Zeroizing::new(vec![0xa5; 200_000]);
    let new = NewCertificate {
        key: Some(large.clone()),
        ..certificate("large")
    };
    store.put_certificate(&new).unwrap();

    assert_eq!(
        store
            .private_key("mx", 1)
            .unwrap()
            .as_deref()
            .map(Vec::as_slice),
        Some(KEY)
    );
    assert_eq!(store.private_key("large", 1).unwrap(), Some(large));
    assert_eq!(store.private_key("public", 1).unwrap(), None);
    assert_eq!(store.private_key("nobody", 1).unwrap(), None);
    let replaced = Zeroizing::new(b"another key".to_vec());
    let new = NewCertificate {
        key: Some(replaced.clone()),
        ..certificate("mx")
    };
    store.put_certificate(&new).unwrap();
    assert_eq!(store.private_key("mx", 1).unwrap(), Some(replaced));
    store.delete_certificate("mx").unwrap();
    assert_eq!(store.private_key("mx", 1).unwrap(), None);
}

/// A renewal stands beside what it renews, newest first; each version has its own key.
pub(crate) fn versions(store: &mut dyn Store) {
    let first = certificate("mx");
    let renewal = NewCertificate {
        chain: vec![b"renewed".to_vec()],
        key: Some(Zeroizing::new(b"another key".to_vec())),
        succession: Succession::Renewal,
        ..certificate("mx")
    };
    for new in [&first, &renewal, &renewal, &certificate("alt")] {
        store.put_certificate(new).unwrap();
    }
    let known = all(store);
    let names: Vec<_> = known.iter().map(|c| (c.name.as_str(), c.version)).collect();
    assert_eq!(names, [("alt", 1), ("mx", 2), ("mx", 1)]);
    assert_eq!(known[1].chain, renewal.chain);
    pages(store, &known);
    assert_eq!(store.private_key("mx", 1).unwrap(), first.key);
    assert_eq!(store.private_key("mx", 2).unwrap(), renewal.key);
    one_version_goes(store, &renewal);
    assert!(store.delete_certificate("mx").unwrap());
    assert_eq!(store.private_key("mx", 1).unwrap(), None);
    assert_eq!(all(store).len(), 1);
}

/// Of the dropped one nothing is left; it can come again, and so can another under its number.
fn one_version_goes(store: &mut dyn Store, renewal: &NewCertificate) {
    let leaf = Fingerprint::of(&renewal.chain[0]);
    let versions = |store: &dyn Store| -> Vec<u32> {
        let known = store.certificate_versions("mx").unwrap();
        known.iter().map(|one| one.version).collect()
    };
    assert!(store.delete_version("mx", 2).unwrap());
    for (name, version) in [("mx", 2), ("mx", 9), ("nobody", 1)] {
        assert!(!store.delete_version(name, version).unwrap());
    }
    assert_eq!(versions(store), [1]);
    assert_eq!(store.private_key("mx", 2).unwrap(), None);
    assert_eq!(store.certificates_of_leaf(&leaf).unwrap(), []);
    store.put_certificate(renewal).unwrap();
    assert_eq!(versions(store), [2, 1]);
    assert!(store.delete_version("mx", 1).unwrap());
    assert_eq!(versions(store), [2]);
    assert_eq!(store.private_key("mx", 2).unwrap(), renewal.key);
    store.put_certificate(&certificate("alt")).unwrap();
}

/// The same certificates a page at a time, by name, and by fingerprint.
fn pages(store: &mut dyn Store, all: &[Certificate]) {
    let newest = [all[0].clone(), all[1].clone()];
    assert_eq!(store.newest_certificates("", 9).unwrap(), newest);
    assert_eq!(store.newest_certificates("", 1).unwrap(), newest[..1]);
    assert_eq!(store.newest_certificates("alt", 1).unwrap(), newest[1..]);
    assert_eq!(store.newest_certificates("mx", 9).unwrap(), []);
    assert_eq!(store.certificate_versions("mx").unwrap(), all[1..]);
    assert_eq!(store.certificate_versions("nobody").unwrap(), []);
    for stored in all {
        let leaf = Fingerprint::of(&stored.chain[0]);
        let found = store.certificates_of_leaf(&leaf).unwrap();
        assert!(found.contains(stored), "{stored:?}");
    }
    let nobody = Fingerprint::of(b"nobody");
    assert_eq!(store.certificates_of_leaf(&nobody).unwrap(), []);
}

/// Folders are watched for an instance, until the certificate or the instance goes.
pub(crate) fn watches(store: &mut dyn Store) {
    let watch = |name: &str, dir: &str| Watch {
        name: name.to_owned(),
        dir: dir.into(),
        domain: Some("mx.example.org".to_owned()),
        password_file: None,
        taken: Some(Fingerprint::of(b"leaf")),
    };
    for name in ["web", "mx"] {
        store.put_certificate(&certificate(name)).unwrap();
        store.put_watch(MX, &watch(name, "/one")).unwrap();
    }
    store.put_watch(MX, &watch("mx", "/two")).unwrap();
    store
        .put_watch("/elsewhere", &watch("mx", "/three"))
        .unwrap();
    let both = [watch("mx", "/two"), watch("web", "/one")];
    assert_eq!(store.watches(MX).unwrap(), both);
    assert!(store.delete_watch(MX, "web").unwrap());
    assert!(!store.delete_watch(MX, "web").unwrap());
    assert_eq!(store.watches(MX).unwrap(), both[..1]);
    store.adopt(MX, &state("a")).unwrap();
    store.release(MX).unwrap();
    assert_eq!(store.watches(MX).unwrap(), []);
    assert_eq!(store.watches("/elsewhere").unwrap().len(), 1);
    store.delete_certificate("mx").unwrap();
    assert_eq!(store.watches("/elsewhere").unwrap(), []);
}

/// A request waits with its key until it is dropped.
pub(crate) fn requests(store: &mut dyn Store) {
    let request = |name: &str| PendingRequest {
        name: name.to_owned(),
        pem: format!("request of {name}"),
        names: vec![format!("{name}.example.org")],
        made_ms: 7,
    };
    for name in ["web", "mx"] {
        assert!(store.put_request(&request(name), KEY).unwrap());
    }
    let second = PendingRequest {
        made_ms: 8,
        ..request("mx")
    };
    assert!(!store.put_request(&second, b"a newer key").unwrap());
    assert_eq!(store.requests().unwrap(), [request("mx"), request("web")]);
    let key = store.request_key("mx").unwrap();
    assert_eq!(key.as_deref().map(Vec::as_slice), Some(KEY));
    assert_eq!(store.request_key("nobody").unwrap(), None);
    // Whether it is the answer only its key tells.
    store.put_certificate(&certificate("mx")).unwrap();
    assert_eq!(store.requests().unwrap(), [request("mx"), request("web")]);
    assert!(store.delete_request("mx").unwrap());
    assert_eq!(store.requests().unwrap(), [request("web")]);
    assert_eq!(store.request_key("mx").unwrap(), None);
    assert!(store.delete_request("web").unwrap());
    assert!(!store.delete_request("web").unwrap());
}

/// A next key waits under its name, sealed, until it is forgotten or its certificate is deleted.
pub(crate) fn next_keys(store: &mut dyn Store) {
    let next = |name: &str, made_ms| NextKey {
        name: name.to_owned(),
        made_ms,
    };
    for name in ["web", "mx"] {
        assert!(store.put_next_key(&next(name, 7), KEY).unwrap());
    }
    assert!(!store.put_next_key(&next("mx", 8), b"a newer key").unwrap());
    assert_eq!(store.next_keys().unwrap(), [next("mx", 7), next("web", 7)]);
    let key = |store: &dyn Store, name: &str| store.next_key(name).unwrap();
    assert_eq!(key(store, "mx").as_deref().map(Vec::as_slice), Some(KEY));
    assert_eq!(key(store, "nobody"), None);
    store.put_certificate(&certificate("mx")).unwrap();
    assert!(
        key(store, "mx").is_some(),
        "which certificate it waits for is not the store's matter"
    );
    assert!(store.delete_certificate("mx").unwrap());
    assert_eq!(key(store, "mx"), None);
    assert!(store.delete_next_key("web").unwrap());
    assert!(!store.delete_next_key("web").unwrap());
    assert_eq!(store.next_keys().unwrap(), []);
}
