//! Accounts with CAs, and renewals.

use crate::fixture::{all, certificate};
use postseal_planner::renewal::{Failure, Mend, Method, NextKey, Progress, Renewal, Way};
use postseal_store::{AcmeAccount, NewCertificate, Store, StoreError, Succession};

const CA: &str = "https://ca.test/dir";

fn renewal(name: &str) -> Renewal {
    Renewal {
        name: name.to_owned(),
        method: Method {
            directory: CA.to_owned(),
            roots_pem: Some("root".to_owned()),
            names: vec!["mx.test".to_owned()],
            key_type: "ecdsa-p256".to_owned(),
            key: NextKey::New,
            way: Way::Webroot {
                folder: "/var/www".into(),
            },
        },
        progress: Progress::default(),
    }
}

pub(crate) fn accounts(store: &mut dyn Store) {
    assert_eq!(store.acme_account(CA).unwrap(), None);
    assert_eq!(store.acme_credentials(CA).unwrap(), None);
    let account = |directory: &str, contact: &str| AcmeAccount {
        directory: directory.to_owned(),
        contacts: vec![contact.to_owned()],
        made_ms: 7,
    };
    let (one, other) = (
        account(CA, "mailto:a@x"),
        account("https://b", "mailto:b@x"),
    );
    store.put_acme_account(&one, b"first").unwrap();
    store.put_acme_account(&other, b"second").unwrap();
    assert_eq!(store.acme_account(CA).unwrap(), Some(one));
    let again = account(CA, "mailto:c@x");
    store.put_acme_account(&again, b"third").unwrap();
    assert_eq!(store.acme_account(CA).unwrap(), Some(again));
    for (directory, credentials) in [(CA, b"third".as_slice()), ("https://b", b"second")] {
        let kept = store.acme_credentials(directory).unwrap().unwrap();
        assert_eq!(kept.as_slice(), credentials);
    }
}

pub(crate) fn renewals(store: &mut dyn Store) {
    assert_eq!(store.renewals().unwrap(), []);
    let mx = renewal("mx");
    store.put_issued(&certificate("mx"), &mx).unwrap();
    store
        .put_issued(&certificate("alt"), &renewal("alt"))
        .unwrap();
    assert_eq!(store.renewals().unwrap(), [renewal("alt"), mx.clone()]);

    // All or nothing: a name that is taken stores neither.
    let taken = NewCertificate {
        chain: certificate("other").chain,
        ..certificate("mx")
    };
    let other = Renewal {
        method: renewal("alt").method,
        ..mx.clone()
    };
    let refused = store.put_issued(&taken, &other);
    assert!(matches!(refused, Err(StoreError::Exists(name)) if name == "mx"));
    assert_eq!(all(store).len(), 2);
    assert_eq!(store.renewals().unwrap()[1], mx);
    let next = NewCertificate {
        succession: Succession::Renewal,
        ..taken
    };
    store.put_issued(&next, &mx).unwrap();
    assert_eq!(all(store)[1].version, 2);

    let mut failed = mx.clone();
    failed.progress.failures = 3;
    failed.progress.failure = Some(Failure {
        code: "acme.refused".into(),
        message: "no".into(),
        remedy: "ask".into(),
        at: 9,
        of: None,
        mend: Mend::Order,
    });
    assert!(store.update_renewal(&failed).unwrap());
    assert_eq!(store.renewals().unwrap()[1], failed);

    // Deleted with the certificate; what was at work meanwhile does not bring it back.
    assert!(store.delete_certificate("mx").unwrap());
    assert!(!store.update_renewal(&failed).unwrap());
    assert!(store.delete_renewal("alt").unwrap());
    assert!(!store.delete_renewal("alt").unwrap());
    assert_eq!(store.renewals().unwrap(), []);
    assert_eq!(all(store).len(), 1);
}
